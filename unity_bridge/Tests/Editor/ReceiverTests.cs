// The receiver's component: what it asks of a bridge, and what of all that comes it takes for itself.
using System;
using System.Collections.Generic;
using System.Reflection;
using System.Threading;
using Avatar3D.Core.Tests;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEngine;
using Object = UnityEngine.Object;

namespace Avatar3D.Editor.Tests
{
    public sealed class ReceiverTests
    {
        private GameObject _avatar;
        private AvatarReceiver _receiver;
        private string _told;

        [SetUp]
        public void Make()
        {
            _avatar = new GameObject("anna");
            _receiver = _avatar.AddComponent<AvatarReceiver>();
            _receiver.face = 2;
            _told = Environment.GetEnvironmentVariable(Credentials.Variable);
            Environment.SetEnvironmentVariable(Credentials.Variable, null);
        }

        [TearDown]
        public void End()
        {
            Environment.SetEnvironmentVariable(Credentials.Variable, _told);
            Object.DestroyImmediate(_avatar);
        }

        [Test]
        public void WhatADriverAsksIsToldInTheBridgesWordsAndAxes()
        {
            using (var bridge = new FakeBridge())
            {
                StringAssert.Contains("\"faces\":[2]", Open(bridge, "{\"type\":\"identified\"}"));
                try
                {
                    // Unity's +X is the person's right, the bridge's first number the left.
                    Assert.IsTrue(_receiver.Control(gaze: new Vector3(0.25f, 0.5f, 2)));
                    Assert.AreEqual("{\"type\":\"control\",\"face\":2,\"gaze\":[-0.25,0.5,2]}", bridge.Hear("control"));
                    _receiver.Control("joy", 0.5f, "nod", true, null, false);
                    Assert.AreEqual("{\"type\":\"control\",\"face\":2,\"emotion\":\"joy\",\"gesture\":\"nod\",\"intensity\":0.5,\"interrupt\":true,\"listener\":false}", bridge.Hear("control"));
                    _receiver.Say("Hi", "en-us");
                    Assert.AreEqual("{\"type\":\"say\",\"face\":2,\"text\":\"Hi\",\"language\":\"en-us\"}", bridge.Hear("say"));
                    _receiver.Panic();
                    Assert.AreEqual("{\"type\":\"panic\"}", bridge.Hear("panic"));
                    _receiver.Resume();
                    Assert.AreEqual("{\"type\":\"resume\"}", bridge.Hear("resume"));
                }
                finally
                {
                    Call(_receiver, "OnDisable");
                }
                Assert.IsFalse(_receiver.Panic() || _receiver.IsLive);
            }
        }

        [Test]
        public void OfManyFacesOnlyItsOwnIsShownAndHeardAndSilenced()
        {
            IBridgeListener guest = new Guest(_receiver);
            _receiver.Voice = _avatar.AddComponent<AvatarVoice>();
            foreach (var face in new[] { 2, 0 })
            {
                var frame = new FramePacket { Flags = (byte)(face << Wire.FaceShift), MediaTimeS = 5 - face };
                frame.Weights[0] = face / 4f;
                guest.Frame(frame, Now.S);
                var sound = new SoundPacket(1600) { Flags = (byte)(face << Wire.FaceShift), RateHz = 16000, MediaTimeS = 5, Count = 1600 };
                for (var i = 0; i < 1600; i++) sound.Samples[i] = (short)(4000 * face);
                guest.Sound(sound, Now.S);
                guest.Flush(0, 0);
            }
            var shown = new FramePacket();
            Assert.IsTrue(_receiver.TryGetFace(shown));
            Assert.AreEqual(0.5f, shown.Weights[0]);
            Assert.AreEqual(1, _receiver.Received);
            var block = new[] { 1f };
            _receiver.Sound.Multiply(block, 1, 5.01, 1 / 16000.0);
            Assert.AreEqual(8000 / 32767f, block[0], 1e-4f);
            guest.Flush(2, 5.02);
            block[0] = 1;
            _receiver.Sound.Multiply(block, 1, 5.05, 1 / 16000.0);
            Assert.AreEqual(0, block[0]);
        }

        [Test]
        public void EventsWaitForTheMainThreadAndOfTooManyTheOldestGo()
        {
            IBridgeListener guest = new Guest(_receiver);
            var happened = new List<string>();
            _receiver.Happened += (name, face, text) => happened.Add(name + " " + face + " " + text);
            for (var i = 0; i < 70; i++) guest.Event("event" + i, i, "why");
            Assert.AreEqual(0, happened.Count);
            ((Guest)guest).Deliver();
            Assert.AreEqual(64, happened.Count);
            Assert.AreEqual("event6 6 why", happened[0]);
            Assert.AreEqual("event69 69 why", happened[63]);
            ((Guest)guest).Deliver();
            Assert.AreEqual(64, happened.Count);
        }

        [Test]
        public void ATokenThatWasGivenIsKeptForThatBridgeAloneUntilItIsForgotten()
        {
            _receiver.url = "ws://test.invalid/" + Guid.NewGuid();
            IBridgeListener guest = new Guest(_receiver);
            guest.Identified(new[] { "anna" }, "secret");
            ((Guest)guest).Deliver();
            Assert.AreEqual("secret", Credentials.Token(_receiver.url));
            Assert.IsNull(Credentials.Token(_receiver.url + "x"));
            Environment.SetEnvironmentVariable(Credentials.Variable, "other");
            Assert.AreEqual("other", Credentials.Token(_receiver.url));
            Environment.SetEnvironmentVariable(Credentials.Variable, null);
            Credentials.Keep(_receiver.url, null);
            Assert.IsNull(Credentials.Token(_receiver.url));
        }

        [Test]
        public void AnAppIsHeardAtItsUsualPortIfNoOtherIsTold()
        {
            Assert.AreEqual(new[] { 11111, 39539 }, new[] { Port(FaceOrigin.LiveLinkFace), Port(FaceOrigin.Vmc) });
            _receiver.port = 5;
            Assert.AreEqual(5, Port(FaceOrigin.Vmc));
        }

        [Test]
        public void WhatIsHeardNeverRunsBackwardsButForAnotherBridge()
        {
            Assert.AreEqual(new[] { 5, 5, 5.2, 1, 1.1 }, Array.ConvertAll(new[] { 5, 4.5, 5.2, 1, 1.1 }, _receiver.Onward));
        }

        [Test]
        public void WhatIsHeardIsAsLateAsTheLatestNeedsAndTheFaceIsAskedForThatVeryTime()
        {
            if (Application.unityVersion != "stub") Assert.Ignore("Unity plays and destroys nothing outside its play mode");
            using (var bridge = new FakeBridge())
            {
                Open(bridge, "{\"type\":\"identified\",\"media_time_s\":500}");
                _avatar.AddComponent<AudioSource>();
                var voice = _avatar.AddComponent<AvatarVoice>();
                Call(voice, "OnEnable");
                try
                {
                    var nowS = Now.S;
                    Assert.AreEqual(4 * 1024 / 48000.0, voice.LatencyS, 1e-9);
                    _receiver.Take(new FramePacket { MediaTimeS = _receiver.MediaS(nowS) - 0.2 }, nowS);
                    Assert.AreEqual(0.212, _receiver.Delay.WantedS(nowS), 1e-6);
                    _receiver.Take(Ramp(_receiver.MediaS(nowS) - 0.25), nowS);
                    Assert.AreEqual(0.262 + voice.LatencyS, _receiver.Delay.WantedS(nowS), 1e-6); // its way through the buffers counts
                    Block(voice); // begins in the margin, before the sound
                    Assert.IsTrue(voice.Heard(nowS, out var heardS));
                    Assert.AreEqual(_receiver.MediaS(nowS) - _receiver.Delay.WantedS(nowS), heardS, 1e-3);
                    var follows = false;
                    for (var i = 0; i < 10 && !follows; i++) // a machine that stops between two blocks makes the clock jump
                    {
                        float one = Block(voice), next = Block(voice);
                        follows = Math.Abs(4 * 32767 * (next - one) - 1024) < 16;
                        Thread.Sleep(40);
                    }
                    Assert.IsTrue(follows, "a block is what follows on the one before");
                    Assert.Greater(voice.Level, 0);
                }
                finally
                {
                    Call(voice, "OnDisable");
                    Call(_receiver, "OnDisable");
                }
                Assert.AreEqual(0, Block(voice));
            }
        }

        // Two seconds that grow by a step every four samples.
        private SoundPacket Ramp(double mediaS)
        {
            var sound = new SoundPacket(96000) { RateHz = 48000, MediaTimeS = mediaS, Count = 96000 };
            for (var i = 0; i < sound.Count; i++) sound.Samples[i] = (short)(i / 4);
            return sound;
        }

        // The first sample of what the card is given.
        private static float Block(AvatarVoice voice)
        {
            var block = new float[2 * 1024];
            for (var i = 0; i < block.Length; i++) block[i] = 1;
            Call(voice, "OnAudioFilterRead", block, 2);
            Assert.AreEqual(block[0], block[1]);
            return block[0];
        }

        private string Open(FakeBridge bridge, string identified)
        {
            _receiver.url = bridge.Url;
            Call(_receiver, "OnEnable");
            var told = bridge.Meet(identified);
            for (var i = 0; i < 2000 && !_receiver.IsLive; i++) Thread.Sleep(10);
            return told;
        }

        private int Port(FaceOrigin origin)
        {
            _receiver.origin = origin;
            return _receiver.UdpPort;
        }

        private static void Call(object part, string name, params object[] words) => part.GetType().GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic).Invoke(part, words);
    }
}
