// The client and the receivers on real sockets of this machine: they begin, wait, end at once, and share no port.
using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class ClientTests
    {
        [Test]
        public void AClientThatIsClosedWhileNobodyAnswersEndsAtOnceAndSaysNothingMore()
        {
            var deaf = new TcpListener(IPAddress.Loopback, 0);
            deaf.Start(); // takes connections, and never says a word
            var states = new States();
            var client = new BridgeClient(new BridgeParams { Url = "http://127.0.0.1:" + ((IPEndPoint)deaf.LocalEndpoint).Port + "/?x#token=y" }, states);
            client.Open();
            Assert.IsTrue(states.Wait(BridgeState.Connecting));
            Thread.Sleep(100);
            var beganS = Now.S;
            client.Close();
            Assert.Less(Now.S - beganS, 1.5);
            Thread.Sleep(200);
            deaf.Stop();
            Thread.Sleep(200);
            Assert.AreEqual(BridgeState.Off, states.Last);
            Assert.Throws<InvalidOperationException>(() => client.Open());
        }

        [Test]
        public void ABridgeThatIsAwayIsWaitedFor()
        {
            var states = new States();
            using (var client = new BridgeClient(new BridgeParams { Url = "ws://127.0.0.1:1/" }, states))
            {
                client.Open();
                Assert.IsTrue(states.Wait(BridgeState.Waiting));
                Assert.IsFalse(client.Send(new JsonText("panic")));
            }
        }

        [Test]
        public void WhatIsNoAddressIsRefusedBeforeAnythingBegins()
        {
            foreach (var url in new[] { "", "ftp://127.0.0.1/", "127.0.0.1:8765", null })
                Assert.Throws<ArgumentException>(() => new BridgeClient(new BridgeParams { Url = url }, new States()).Open(), url);
        }

        [Test]
        public void APortThatIsTakenIsToldAndOneThatWasClosedIsFree()
        {
            var first = new UdpReceiver(new LiveLinkReader(), "127.0.0.1", 0, (frame, nowS) => { }, null);
            first.Open();
            Assert.Throws<SocketException>(() => new UdpReceiver(new VmcReader(), "127.0.0.1", first.Port, (frame, nowS) => { }, null).Open());
            first.Close();
            using (var second = new UdpReceiver(new VmcReader(), "127.0.0.1", first.Port, (frame, nowS) => { }, null)) second.Open();
        }

        [Test]
        public void TheFirstSenderIsHeardAndAnotherOneNotUntilItIsSilent()
        {
            var came = 0;
            using (var receiver = new UdpReceiver(new LiveLinkReader(), "127.0.0.1", 0, (frame, nowS) => Interlocked.Increment(ref came), null))
            {
                receiver.Open();
                using (UdpClient one = new UdpClient(), two = new UdpClient())
                {
                    var packet = Golden.Bytes("livelink.bin");
                    var number = 0;
                    Until(() => receiver.Hears, () => Send(one, receiver.Port, packet, ++number));
                    Until(() => Thread.VolatileRead(ref came) > 10, () => Send(one, receiver.Port, packet, ++number));
                    Thread.Sleep(300); // what is under way arrives
                    var before = Thread.VolatileRead(ref came);
                    for (var i = 0; i < 20; i++) Send(two, receiver.Port, packet, ++number);
                    Thread.Sleep(300);
                    Assert.AreEqual(before, Thread.VolatileRead(ref came), "the second sender was heard");
                    Until(() => Thread.VolatileRead(ref came) > before + 10, () => Send(two, receiver.Port, packet, ++number));
                }
            }
        }

        private static void Until(Func<bool> holds, Action again)
        {
            for (var endS = Now.S + 20; !holds() && Now.S < endS;) again();
            Assert.IsTrue(holds());
        }

        private static void Send(UdpClient from, int port, byte[] packet, int frame)
        {
            var at = packet.Length - 4 * LiveLinkReader.Values - 1 - 16;
            packet[at + 2] = (byte)(frame >> 8);
            packet[at + 3] = (byte)frame;
            from.Send(packet, packet.Length, "127.0.0.1", port);
            Thread.Sleep(10);
        }

        private sealed class States : IBridgeListener
        {
            private readonly List<BridgeState> _states = new List<BridgeState>();

            public BridgeState Last
            {
                get { lock (_states) return _states[_states.Count - 1]; }
            }

            public bool Wait(BridgeState state)
            {
                for (var i = 0; i < 2000; i++) // a busy machine may take its time
                {
                    lock (_states)
                        if (_states.Contains(state)) return true;
                    Thread.Sleep(10);
                }
                return false;
            }

            void IBridgeListener.State(BridgeState state, string detail)
            {
                lock (_states) _states.Add(state);
            }

            void IBridgeListener.Identified(string[] faces, string token)
            {
            }

            void IBridgeListener.Frame(FramePacket frame, double nowS)
            {
            }

            void IBridgeListener.Sound(SoundPacket sound, double nowS)
            {
            }

            void IBridgeListener.Flush(int face, double mediaS)
            {
            }

            void IBridgeListener.Event(string name, int face, string text)
            {
            }
        }
    }
}
