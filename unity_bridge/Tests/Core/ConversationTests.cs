// What a client and its bridge say to each other, and when it leaves: docs/bridge.md, word by word.
using System;
using System.Collections.Generic;
using System.Threading;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class ConversationTests
    {
        private FakeBridge _bridge;
        private Ear _ear;
        private BridgeClient _client;

        [SetUp]
        public void Begin()
        {
            _bridge = new FakeBridge();
            _ear = new Ear();
            _client = new BridgeClient(new BridgeParams { Url = _bridge.Url, Token = "secret", PairingCode = "no more", Faces = new[] { 2, 3 } }, _ear);
        }

        [TearDown]
        public void End()
        {
            _client.Dispose();
            _bridge.Dispose();
        }

        [Test]
        public void AClientSaysWhoItIsAndHearsWhoIsThere()
        {
            _client.Open();
            var told = _bridge.Meet("{\"type\":\"identified\",\"faces\":[{\"name\":\"anna\"},{}]}");
            Assert.AreEqual("{\"type\":\"identify\",\"version\":1,\"token\":\"secret\",\"name\":\"unity\",\"frames\":true,\"sound\":true,\"faces\":[2,3]}", told);
            _ear.Wait("live");
            Assert.AreEqual("faces anna,", _ear.Wait("faces"));
        }

        [Test]
        public void EverySoManyTicksAreAcknowledgedHoweverManyFacesTheyHave()
        {
            _client.Open();
            _bridge.Meet("{\"type\":\"identified\",\"ack_every\":2}");
            Send(9, double.NaN); // no time, no frame
            foreach (uint seq in new[] { 10, 10, 11, 11, 12, 12, 13 }) Send(seq, seq / 60.0);
            foreach (var seq in new[] { 11u, 13u })
            {
                var ack = new AckPacket();
                Assert.IsTrue(ack.TryDecode(_bridge.Hear(Opcode.Binary), Wire.AckBytes));
                Assert.AreEqual(seq, ack.Seq);
            }
        }

        [Test]
        public void WhatHappensIsToldWithItsFaceAndItsTime()
        {
            _client.Open();
            _bridge.Meet();
            _bridge.Say("{\"type\":\"flush\",\"face\":2,\"media_time_s\":7.5}");
            _bridge.Say("{\"type\":\"event\",\"name\":\"speech_failed\",\"face\":1,\"text\":\"why\"}");
            _bridge.Say("{\"type\":\"event\",\"name\":\"neutral\"}");
            Assert.AreEqual("flush 2 7.5", _ear.Wait("flush"));
            Assert.AreEqual("event speech_failed 1 why", _ear.Wait("event speech_failed"));
            Assert.AreEqual("event neutral -1 ", _ear.Wait("event neutral"));
        }

        [Test]
        public void TheAnswerToTheQuestionForTheTimeIsTakenInItsOrder()
        {
            _client.Open();
            _bridge.Meet("{\"type\":\"identified\",\"media_time_s\":500}");
            var asked = _bridge.Hear("clock");
            // An answer that left a second before the question came: a way of a second. Taken the other way round there is none.
            _bridge.Say(asked.Substring(0, asked.Length - 1) + ",\"received_s\":1001,\"media_time_s\":1000}");
            _ear.Until(() => _client.Clock.ErrorS > 0.4, "the clock is known");
            Assert.AreEqual(1000.5 - Now.S, _client.Clock.MediaS(0), 5);
            for (var i = 0; i < 6; i++) Assert.AreEqual(new[] { 0, 0.06, 0.16, 0.32, 0.64, 1.1 }[i], BridgeClient.Due(i));
            Assert.AreEqual(2, BridgeClient.Due(6));
            Assert.AreEqual(6, BridgeClient.Due(8));
        }

        [Test]
        public void ABridgeThatFallsSilentIsLeftEvenBeforeItHasSaidHelloAndSoughtAgain()
        {
            _client.DeafS = 0.5;
            _client.Open();
            _bridge.Accept(); // and not a word
            _bridge.Accept();
            _client.DeafS = 60; // a busy machine may take its time to meet
            _bridge.Greet();
            _ear.Wait("live");
            _client.DeafS = 0.1;
            _bridge.Accept();
            Assert.IsFalse(_client.Send(new JsonText("panic")));
            Assert.AreEqual(0, _client.Reconnections);
        }

        [Test]
        public void AfterARefusalNobodyComesBackAndAfterAStopTheClientDoes()
        {
            _client.Open();
            _bridge.Meet();
            _bridge.Send(0x88, new byte[] { Wire.CloseStopping >> 8, Wire.CloseStopping & 0xFF });
            _bridge.Meet();
            _ear.Until(() => _client.Reconnections == 1, "it came back");
            _bridge.Send(0x88, new byte[] { Wire.CloseRevoked >> 8, Wire.CloseRevoked & 0xFF });
            _ear.Wait("refused");
        }

        [Test]
        public void APairingCodeIsSaidOnceAndTheTokenThatItBringsFromThenOn()
        {
            _client.Dispose();
            _client = new BridgeClient(new BridgeParams { Url = _bridge.Url.Replace("ws:", "http:"), PairingCode = "123456" }, _ear);
            _client.Open();
            StringAssert.Contains(",\"pairing_code\":\"123456\",", _bridge.Meet("{\"type\":\"identified\",\"token\":\"given\"}"));
            _bridge.Send(0x88, new byte[] { Wire.CloseStopping >> 8, Wire.CloseStopping & 0xFF });
            Assert.AreEqual("{\"type\":\"identify\",\"version\":1,\"token\":\"given\",\"name\":\"unity\",\"frames\":true,\"sound\":true}", _bridge.Meet());
        }

        [Test]
        public void ABridgeThatSpeaksAnotherVersionIsLeft()
        {
            _client.Open();
            _bridge.Accept();
            _bridge.Say("{\"type\":\"hello\",\"versions\":[2,3]}");
            _ear.Wait("refused");
        }

        private void Send(uint seq, double mediaS)
        {
            var bytes = new byte[Wire.FrameBytes];
            new FramePacket { Seq = seq, MediaTimeS = mediaS }.Encode(bytes);
            _bridge.Send(0x82, bytes);
        }

        // Everything that was heard, in words.
        private sealed class Ear : IBridgeListener
        {
            private readonly List<string> _lines = new List<string>();

            internal string Wait(string begin)
            {
                string found = null;
                Until(() => (found = Find(begin)) != null, begin);
                return found;
            }

            internal void Until(Func<bool> holds, string what)
            {
                for (var endS = Now.S + 20; !holds() && Now.S < endS;) Thread.Sleep(5);
                Assert.IsTrue(holds(), what);
            }

            private string Find(string begin)
            {
                lock (_lines) return _lines.Find(line => line.StartsWith(begin, StringComparison.Ordinal));
            }

            private void Add(string line)
            {
                lock (_lines) _lines.Add(line);
            }

            void IBridgeListener.State(BridgeState state, string detail) => Add(state.ToString().ToLowerInvariant());

            void IBridgeListener.Identified(string[] faces, string token) => Add("faces " + string.Join(",", faces));

            void IBridgeListener.Frame(FramePacket frame, double nowS)
            {
            }

            void IBridgeListener.Sound(SoundPacket sound, double nowS)
            {
            }

            void IBridgeListener.Flush(int face, double mediaS) => Add("flush " + face + " " + mediaS.ToString(System.Globalization.CultureInfo.InvariantCulture));

            void IBridgeListener.Event(string name, int face, string text) => Add("event " + name + " " + face + " " + text);
        }
    }
}
