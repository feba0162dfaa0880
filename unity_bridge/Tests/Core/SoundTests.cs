// Sound by its media time: heard when it should be, and not otherwise.
using System;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class SoundTests
    {
        [Test]
        public void SoundIsReadAtItsMediaTimeAndRateAndTakenBack()
        {
            var track = new SoundTrack();
            const double hz = 440;
            for (var piece = 0; piece < 10; piece++)
            {
                // Rounded times: a sample too late, a sample too early, right.
                var sound = new SoundPacket(1600) { RateHz = 16000, MediaTimeS = 5 + piece / 10.0 + (piece % 3 - 1) / 16000.0, Count = 1600 };
                if (piece == 0) sound.MediaTimeS = 5;
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
        public void SoundThatCameTooLateIsNotHeardInAnothersPlace()
        {
            var track = new SoundTrack();
            track.Add(Loud(5));
            track.Multiply(new float[1], 1, 6, 1 / 16000.0); // six has been heard
            track.Add(Loud(5.5));
            track.Add(Loud(17.7)); // and the ring has twelve seconds
            foreach (var atS in new[] { 17.45, 17.55, 17.65, 17.75 }) Assert.AreEqual(atS < 17.7 ? 0 : 0.5f, At(track, atS), 1e-3, "at " + atS);
        }

        [Test]
        public void SoundOfAnotherBridgeOrAtAnotherRateBeginsAnewAndWhatIsTakenBackFades()
        {
            var track = new SoundTrack();
            track.Add(Loud(100));
            Assert.AreEqual(0.5f, At(track, 100.05), 1e-3f);
            track.Add(Loud(3));
            track.Flush(3.09);
            Assert.AreEqual(0.5f, At(track, 3.08), 1e-3f);
            Assert.AreEqual(0.25f, At(track, 3.092), 0.01f);
            Assert.AreEqual(0, At(track, 3.095));
            var other = Loud(3.2);
            other.RateHz = 8000;
            track.Add(other);
            Assert.AreEqual(0.5f, At(track, 3.35), 1e-3f);
            track.Reset();
            Assert.AreEqual(0, At(track, 3.36));
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
            stepS = 1 / 48000.0;
            Assert.AreEqual(20.01, clock.Block(4.01, 20.06, 480, ref stepS), 1e-9);
            stepS = 1 / 48000.0;
            Assert.AreEqual(20.09, clock.Block(4.02, 20.09, 480, ref stepS), 1e-9);
            Assert.AreEqual(20.49, clock.MediaS(4.42), 1e-3);
            Assert.IsNaN(clock.MediaS(4.6), "a card that asks no more plays nothing");
            clock.Stop();
            Assert.IsNaN(clock.MediaS(4.03));
            stepS = 1 / 48000.0;
            Assert.AreEqual(20.12, clock.Block(4.03, 20.12, 480, ref stepS), "it begins anew");
        }

        private static float At(SoundTrack track, double mediaS)
        {
            var block = new[] { 1f };
            track.Multiply(block, 1, mediaS, 1 / 16000.0);
            return block[0];
        }

        private static SoundPacket Loud(double mediaS)
        {
            var sound = new SoundPacket(1600) { RateHz = 16000, MediaTimeS = mediaS, Count = 1600 };
            for (var i = 0; i < 1600; i++) sound.Samples[i] = 16384;
            return sound;
        }
    }
}
