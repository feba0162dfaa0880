// Clocks, frames between frames, holding and easing, and how long to wait.
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
            track.Add(Looking(Frame(1, 0.8f), 20, 40, -40), 10);
            Assert.IsTrue(track.ShowNewest(10.2, _shown));
            Assert.AreEqual(0.8f, _shown.Weights[0], 1e-6f);
            Look(20, 40, -40);
            track.ShowNewest(10.5, _shown);
            Assert.AreEqual(0.4f, _shown.Weights[0], 1e-6f);
            Look(10, 20, -20);
            track.ShowNewest(11, _shown);
            Assert.AreEqual(0, _shown.Weights[0]);
            Look(0, 0, 0);
            track.Clear();
            Assert.IsFalse(track.ShowNewest(11, _shown) || track.Show(1, 11, _shown));
            Assert.AreEqual(0, track.Received);
        }

        [Test]
        public void BetweenTwoFramesIsShownWhatLiesBetween()
        {
            var track = new FrameTrack();
            for (var i = 0; i < 10; i++) track.Add(Frame(i / 60.0, i / 10f), i / 60.0);
            Assert.IsTrue(track.Show(4.5 / 60, 9 / 60.0, _shown));
            Assert.AreEqual(0.45f, _shown.Weights[0], 1e-5f);
            Assert.AreEqual(4.5 / 60, _shown.MediaTimeS, 1e-6);
            track.Show(1, 9 / 60.0, _shown);
            Assert.AreEqual(0.9f, _shown.Weights[0], 1e-5f);
        }

        [Test]
        public void TurnsGoTheShorterWayAndEachItsOwn()
        {
            var track = new FrameTrack();
            track.Add(Looking(Frame(0, 0), 20, 40, -40), 0);
            var two = Looking(Frame(0.1, 0), 40, 0, -20);
            for (var i = 0; i < 4; i++) two.HeadWxyz[i] *= -3; // the same turn, as far as turns go, but of no unit
            two.Weights[0] = 7;
            two.Weights[1] = -0.5f;
            track.Add(two, 0.1);
            track.Show(0.05, 0.1, _shown);
            Look(30, 20, -30);
            track.ShowNewest(0.1, _shown);
            Assert.AreEqual(1, _shown.Weights[0], "what the network brings is bounded");
            Assert.AreEqual(0, _shown.Weights[1]);
            Look(40, 0, -20);
        }

        [Test]
        public void AfterAPauseNothingIsBlendedOverIt()
        {
            var track = new FrameTrack();
            track.Add(Frame(0, 0.2f), 0);
            track.Add(Frame(0.8, 0.6f), 0.8);
            track.Show(0.4, 0.8, _shown);
            Assert.AreEqual(0.6f, _shown.Weights[0], 1e-6f);
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
            clock.Guess(1, 0); // an answer is better than any guess
            Assert.AreEqual(110, clock.MediaS(10), 1e-9);
        }

        [Test]
        public void OfGuessesTheLeastLateCountsAndAnAnswerGrowsOld()
        {
            var clock = new MediaClock();
            foreach (var guessS in new[] { 99.5, 99.8, 99.6 }) clock.Guess(guessS, 0);
            Assert.AreEqual(99.8, clock.MediaS(0), 1e-9);
            clock.Answered(0, 100.005, 105.005, 5.01); // held for five seconds at the bridge, 5 ms on each way
            Assert.AreEqual(0.005, clock.ErrorS, 1e-9);
            clock.Answered(50, 150.106, 150.106, 50.012); // two ms slower, but that of 45 s ago has drifted
            Assert.AreEqual(100.1, clock.MediaS(0), 1e-9);
            clock.Answered(66, 166.5, 166.5, 66.2);
            Assert.AreEqual(100.1, clock.MediaS(0), 1e-9);
            clock.Answered(111, 211.5, 211.5, 111.2); // after a minute an answer is forgotten, however good it was
            Assert.AreEqual(100.4, clock.MediaS(0), 1e-9);
        }

        [Test]
        public void NothingIsShownLaterThanTheLatestOfTheLastSecondsNeeds()
        {
            var delay = new Delay();
            Assert.AreEqual(Delay.LeastS, delay.WantedS(0));
            delay.Saw(0, 0.1);
            delay.Saw(1, 0.2);
            delay.Saw(2, 0.15);
            delay.Saw(3, -1);
            Assert.AreEqual(0.212, delay.WantedS(3), 1e-9);
            Assert.AreEqual(0.162, delay.WantedS(5.5), 1e-9);
            Assert.AreEqual(Delay.LeastS, delay.WantedS(6.5));
            delay.Saw(7, 3);
            Assert.AreEqual(Delay.MostS, delay.WantedS(7));
        }

        [Test]
        public void AfterAPauseNoMoreIsAllowedAtOnceThanInAQuarterOfASecond()
        {
            var allowance = new Allowance(100);
            foreach (var nowS in new[] { 5.0, 1000 })
            {
                for (var i = 0; i < 25; i++) Assert.IsTrue(allowance.Take(nowS));
                Assert.IsFalse(allowance.Take(nowS));
            }
            Assert.IsTrue(allowance.Take(1000.011));
            Assert.IsFalse(allowance.Take(1000.012));
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
            frame = Frame(0, 0.1f);
            frame.Flags = Wire.Jumped; // another face: not a step of this one
            smoother.Step(frame, 0.3, 0.1);
            Assert.AreEqual(0.1f, frame.Weights[0], 1e-6f);
        }

        [Test]
        public void PausesGrowToTwoSecondsAndBeginAgainAfterASuccess()
        {
            var pauses = new BackOff();
            foreach (var mostS in new[] { 0.2, 0.4, 0.8, 1.6, 2, 2 })
            {
                var pauseS = pauses.NextS();
                Assert.IsTrue(pauseS >= mostS / 2 && pauseS <= mostS, pauseS + " of " + mostS);
            }
            pauses.Reset();
            Assert.LessOrEqual(pauses.NextS(), 0.2);
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

        // Degrees to the person's left, of head, left and right eye.
        private static FramePacket Looking(FramePacket frame, params double[] degrees)
        {
            var turns = new[] { frame.HeadWxyz, frame.LeftEyeWxyz, frame.RightEyeWxyz };
            for (var i = 0; i < 3; i++)
            {
                turns[i][0] = (float)Math.Cos(degrees[i] * Math.PI / 360);
                turns[i][2] = (float)Math.Sin(degrees[i] * Math.PI / 360);
            }
            return frame;
        }

        private void Look(params double[] degrees)
        {
            var turns = new[] { _shown.HeadWxyz, _shown.LeftEyeWxyz, _shown.RightEyeWxyz };
            for (var i = 0; i < 3; i++)
            {
                Assert.AreEqual(degrees[i], 360 / Math.PI * Math.Atan(turns[i][2] / turns[i][0]), 0.5);
                Assert.AreEqual(1, turns[i][0] * turns[i][0] + turns[i][2] * turns[i][2], 1e-5);
            }
        }
    }
}
