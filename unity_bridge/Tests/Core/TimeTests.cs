// Clocks, frames between frames, holding and easing, sound by its media time.
using System;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class TimeTests
    {
        private readonly FramePacket _shown = new FramePacket();

        [Test]
        public void ALostSourceIsHeldForAQuarterOfASecondAndEasedInHalfOfOne()
        {
            Assert.AreEqual(1, Presence.Of(0.25));
            Assert.AreEqual(0.5f, Presence.Of(0.5), 1e-6f);
            Assert.AreEqual(0, Presence.Of(0.75));
            Assert.AreEqual(0, Presence.Of(double.PositiveInfinity));
            var track = new FrameTrack();
            track.Add(Frame(1, 0.8f), 10);
            Assert.IsTrue(track.ShowNewest(10.2, _shown));
            Assert.AreEqual(0.8f, _shown.Weights[0], 1e-6f);
            track.ShowNewest(10.5, _shown);
            Assert.AreEqual(0.4f, _shown.Weights[0], 1e-6f);
            track.ShowNewest(11, _shown);
            Assert.AreEqual(0, _shown.Weights[0]);
            Assert.AreEqual(1, _shown.HeadWxyz[0], 1e-6f);
        }

        [Test]
        public void BetweenTwoFramesIsShownWhatLiesBetween()
        {
            var track = new FrameTrack();
            for (var i = 0; i < 10; i++) track.Add(Frame(i / 60.0, i / 10f), i / 60.0);
            Assert.IsTrue(track.Show(4.5 / 60, 9 / 60.0, _shown));
            Assert.AreEqual(0.45f, _shown.Weights[0], 1e-5f);
            track.Show(1, 9 / 60.0, _shown);
            Assert.AreEqual(0.9f, _shown.Weights[0], 1e-5f);
        }

        [Test]
        public void AJumpIsNotBlendedAndALateFrameIsLeftOut()
        {
            var track = new FrameTrack();
            track.Add(Frame(0, 0), 0);
            var jumped = Frame(1 / 60.0, 1);
            jumped.Flags = Wire.Jumped;
            track.Add(jumped, 1 / 60.0);
            track.Show(0.5 / 60, 0, _shown);
            Assert.AreEqual(0, _shown.Weights[0]);
            track.Add(Frame(0.5 / 60, 0.3f), 2 / 60.0);
            track.ShowNewest(2 / 60.0, _shown);
            Assert.AreEqual(1, _shown.Weights[0]);
            track.Add(Frame(-100, 0.3f), 3 / 60.0); // the bridge began anew
            track.ShowNewest(3 / 60.0, _shown);
            Assert.AreEqual(0.3f, _shown.Weights[0], 1e-6f);
        }

        [Test]
        public void TheClockTakesTheQuickestAnswer()
        {
            var clock = new MediaClock();
            Assert.IsFalse(clock.Known);
            clock.Guess(99.5, 0); // half a second late
            clock.Answered(1, 101.3, 101.3, 1.4); // there slowly
            clock.Answered(2, 102.001, 102.001, 2.002);
            clock.Answered(3, 103.2, 103.2, 3.2);
            Assert.AreEqual(110, clock.MediaS(10), 1e-9);
            Assert.AreEqual(0.001, clock.ErrorS, 1e-9);
            clock.Answered(4, 1e300, -1e300, 5);
            Assert.AreEqual(110, clock.MediaS(10), 1e-9);
        }

        [Test]
        public void SmoothingFollowsWithItsHalfLife()
        {
            var smoother = new Smoother();
            var frame = Frame(0, 0);
            smoother.Step(frame, 0, 0.1);
            frame = Frame(0, 1);
            smoother.Step(frame, 0.1, 0.1);
            Assert.AreEqual(0.5f, frame.Weights[0], 1e-5f);
            frame = Frame(0, 1);
            smoother.Step(frame, 0.2, 0.1);
            Assert.AreEqual(0.75f, frame.Weights[0], 1e-5f);
        }

        [Test]
        public void SoundIsReadAtItsMediaTimeAndRateAndTakenBack()
        {
            var track = new SoundTrack();
            const double hz = 440;
            for (var piece = 0; piece < 10; piece++)
            {
                var sound = new SoundPacket(1600) { RateHz = 16000, MediaTimeS = 5 + piece / 10.0, Count = 1600 };
                for (var i = 0; i < 1600; i++) sound.Samples[i] = (short)(20000 * Math.Sin(2 * Math.PI * hz * (5 + piece / 10.0 + i / 16000.0)));
                track.Add(sound);
            }
            track.Flush(5.6);
            var block = new float[2 * 480];
            var worst = 0.0;
            var heard = 0.0;
            for (var at = 0; at < 80; at++)
            {
                for (var i = 0; i < block.Length; i++) block[i] = i % 2 == 0 ? 1 : 0.5f;
                var fromS = 5.01 + at / 100.0;
                track.Multiply(block, 2, fromS, 1 / 48000.0);
                for (var i = 0; i < 480; i++)
                {
                    var timeS = fromS + i / 48000.0;
                    var expected = timeS < 5.6 ? 20000 / 32767.0 * Math.Sin(2 * Math.PI * hz * timeS) : 0;
                    if (timeS < 5.599 || timeS > 5.605) worst = Math.Max(worst, Math.Abs(block[2 * i] - expected));
                    Assert.AreEqual(block[2 * i] / 2, block[2 * i + 1], 1e-6);
                    heard = Math.Max(heard, Math.Abs(block[2 * i]));
                }
            }
            Assert.Less(worst, 0.01);
            Assert.Greater(heard, 0.5);
        }

        [Test]
        public void ACardsClockIsFollowedByHalfAPerCentAndJumpsOnlyFar()
        {
            var clock = new SoundClock();
            double stepS = 1 / 48000.0, beganS = 0;
            Assert.AreEqual(7, clock.Block(0, 7, 480, ref stepS));
            for (var i = 1; i < 400; i++)
            {
                stepS = 1 / 48000.0;
                beganS = clock.Block(i / 100.0, 7.01 + i / 100.0, 480, ref stepS);
                Assert.Less(Math.Abs(stepS * 48000 - 1), 0.00501);
            }
            Assert.AreEqual(7.01 + 3.99, beganS, 1e-4);
            stepS = 1 / 48000.0;
            Assert.AreEqual(20, clock.Block(4, 20, 480, ref stepS));
            Assert.AreEqual(20, clock.MediaS(4), 1e-9);
        }

        private static FramePacket Frame(double mediaS, float weight)
        {
            var frame = new FramePacket { MediaTimeS = mediaS };
            for (var i = 0; i < Wire.Shapes; i++) frame.Weights[i] = weight;
            Turns.Rest(frame.HeadWxyz);
            Turns.Rest(frame.LeftEyeWxyz);
            Turns.Rest(frame.RightEyeWxyz);
            return frame;
        }
    }
}
