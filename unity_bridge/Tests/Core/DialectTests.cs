// Live Link Face and VMC: the golden datagrams read, and hostile ones borne.
using System;
using System.Collections.Generic;
using System.Text;
using Avatar3D.Internal;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class DialectTests
    {
        private readonly FramePacket _face = new FramePacket();

        [Test]
        public void LiveLinkFaceSaysTheGoldenFace()
        {
            var reader = new LiveLinkReader();
            var bytes = Golden.Bytes("livelink.bin");
            Assert.AreEqual(Reading.Whole, reader.Read(bytes, bytes.Length));
            reader.Merge();
            reader.Face(_face);
            Assert.AreEqual(12.75, reader.TimeS, 1e-6);
            IsGolden(1e-6, 1e-6);
        }

        [Test]
        public void LiveLinkFacesTimeIsItsFramesAndTheirPartsAtItsRate()
        {
            var bytes = Stamped(90);
            var at = bytes.Length - 4 * LiveLinkReader.Values - 1 - 16;
            new byte[] { 0x3E, 0x80, 0, 0, 0, 0, 0xEA, 0x60, 0, 0, 0x03, 0xE9 }.CopyTo(bytes, at + 4); // a quarter of a frame more, of 60,000 in 1,001 s
            var reader = new LiveLinkReader();
            Assert.AreEqual(Reading.Whole, reader.Read(bytes, bytes.Length));
            Assert.AreEqual(90.25 * 1001 / 60000, reader.TimeS, 1e-9);
            foreach (var lie in new[] { new byte[] { 4, 0x40, 0, 0, 0 }, new byte[] { 4, 0xFF, 0xC0, 0, 0 }, new byte[] { 8, 0, 0, 0, 0 }, new byte[] { 8, 0xFF, 0, 0, 0 }, new byte[] { 12, 0, 0, 0, 0 } })
            {
                bytes = Stamped(90);
                Array.Copy(lie, 1, bytes, at + lie[0], 4);
                Assert.AreEqual(Reading.Malformed, reader.Read(bytes, bytes.Length), "at " + lie[0]);
            }
        }

        [Test]
        public void VmcSaysTheGoldenFaceInAnyOrderOfItsDatagrams()
        {
            foreach (var order in new[] { new[] { 1, 2, 3 }, new[] { 2, 1, 3 } })
            {
                var reader = new VmcReader();
                foreach (var number in order)
                {
                    var bytes = Golden.Bytes("vmc_arkit_" + number + ".bin");
                    Assert.AreEqual(number == 3 ? Reading.Whole : Reading.Part, reader.Read(bytes, bytes.Length));
                    reader.Merge();
                }
                reader.Face(_face);
                Assert.AreEqual(12.75, reader.TimeS, 1e-6);
                IsGolden(1e-6, 1e-6);
            }
        }

        [Test]
        public void PresetsBecomeAMouth()
        {
            var reader = new VmcReader();
            var bytes = Golden.Bytes("vmc_vrm0.bin");
            Assert.AreEqual(Reading.Whole, reader.Read(bytes, bytes.Length));
            reader.Merge();
            reader.Face(_face);
            Assert.Greater(_face.Weights[Array.IndexOf(Wire.ArkitNames, "mouthPucker")] + _face.Weights[Array.IndexOf(Wire.ArkitNames, "mouthFunnel")], 0.5f);
            Assert.Greater(_face.Weights[Array.IndexOf(Wire.ArkitNames, "eyeBlinkLeft")], 0.1f);
        }

        [Test]
        public void MutatedDatagramsAreBorneAndTheFaceStaysInBounds()
        {
            var chance = new Random(1);
            foreach (var name in new[] { "livelink.bin", "vmc_arkit_1.bin", "vmc_arkit_3.bin", "vmc_vrm0.bin", "vrchat_1.bin" })
            {
                var golden = Golden.Bytes(name);
                foreach (var reader in new IDatagramReader[] { new LiveLinkReader(), new VmcReader() })
                    for (var i = 0; i < 4000; i++)
                    {
                        var bytes = Mutated(golden, chance);
                        if (reader.Read(bytes, bytes.Length) < Reading.Part) continue;
                        reader.Merge();
                        reader.Face(_face);
                        InBounds();
                    }
            }
        }

        [Test]
        public void BundlesInBundlesEndSomewhere()
        {
            var bytes = new List<byte>();
            for (var depth = 0; depth < 100; depth++)
            {
                var outer = new List<byte>(Encoding.ASCII.GetBytes("#bundle\0\0\0\0\0\0\0\0\0"));
                outer.AddRange(new[] { (byte)(bytes.Count >> 24), (byte)(bytes.Count >> 16), (byte)(bytes.Count >> 8), (byte)bytes.Count });
                outer.AddRange(bytes);
                bytes = outer;
            }
            Assert.AreEqual(Reading.Malformed, new VmcReader().Read(bytes.ToArray(), bytes.Count));
        }

        [Test]
        public void AFloodIsToldOnceASecond()
        {
            var lines = new List<string>();
            var hearing = new Hearing(new LiveLinkReader(), lines.Add);
            var golden = Golden.Bytes("livelink.bin");
            var shown = 0;
            for (var i = 0; i < 30000; i++) // 10,000 a second
                if (hearing.Step(golden, i % 2 == 0 ? 17 : golden.Length, i / 10000.0, _face)) shown++;
            Assert.LessOrEqual(lines.Count, 3);
            Assert.Greater(lines.Count, 0);
            Assert.AreEqual("livelink dropped: 1 not understood, 0 too fast.", lines[0]);
            Assert.Less(shown, 3.3 * Hearing.FramesHz);
            hearing = new Hearing(new VmcReader(), null); // as many datagrams as it likes, but not as many frames
            var apply = Osc.Said("/VMC/Ext/Blend/Apply", null);
            shown = 0;
            for (var i = 0; i < 10000; i++)
                if (hearing.Step(apply, apply.Length, i / 10000.0, _face)) shown++;
            Assert.AreEqual(1.25 * Hearing.FramesHz, shown, 2);
        }

        [Test]
        public void AnOlderFaceNeverTakesThePlaceOfANewerOne()
        {
            var hearing = new Hearing(new LiveLinkReader(), null);
            byte[] newer = Stamped(100), older = Stamped(98);
            Assert.IsTrue(hearing.Step(newer, newer.Length, 0, _face));
            Assert.IsFalse(hearing.Step(older, older.Length, 0.01, _face));
            Assert.IsFalse(hearing.Step(newer, newer.Length, 0.02, _face), "the same again");
            // A clock that stays back for half a second has begun again.
            Assert.IsTrue(hearing.Step(older, older.Length, 0.6, _face));
            // One that is ten seconds back has, too.
            byte[] late = Stamped(2000), early = Stamped(1000);
            Assert.IsTrue(hearing.Step(late, late.Length, 0.7, _face));
            Assert.IsTrue(hearing.Step(early, early.Length, 0.71, _face));
            hearing.Reset(); // another sender has another clock
            older = Stamped(990);
            Assert.IsTrue(hearing.Step(older, older.Length, 0.72, _face));
        }

        // The golden packet with another frame number.
        private static byte[] Stamped(int frame)
        {
            var bytes = Golden.Bytes("livelink.bin");
            var at = bytes.Length - 4 * LiveLinkReader.Values - 1 - 16;
            for (var i = 0; i < 4; i++) bytes[at + i] = (byte)(frame >> (24 - 8 * i));
            return bytes;
        }

        private void IsGolden(double within, double turnsWithin)
        {
            var bytes = Golden.Bytes("dialects.json");
            Assert.IsTrue(JsonValue.TryOpen(bytes, bytes.Length, out var told));
            Assert.IsTrue(told.Find("weights", out var weights));
            for (var i = 0; i < Wire.Shapes; i++)
            {
                Assert.IsTrue(weights.Find(Wire.ArkitNames[i], out var weight) && weight.Number(out _), Wire.ArkitNames[i]);
                weight.Number(out var value);
                Assert.AreEqual(value, _face.Weights[i], within, Wire.ArkitNames[i]);
            }
            SameTurn(told, "head_wxyz", _face.HeadWxyz, turnsWithin);
            SameTurn(told, "left_eye_wxyz", _face.LeftEyeWxyz, turnsWithin);
            SameTurn(told, "right_eye_wxyz", _face.RightEyeWxyz, turnsWithin);
        }

        private static void SameTurn(JsonValue told, string name, float[] found, double within)
        {
            Assert.IsTrue(told.Find(name, out var list));
            var at = 0;
            for (var i = 0; i < 4; i++)
            {
                Assert.IsTrue(list.Next(ref at, out var value) && value.Number(out _));
                value.Number(out var number);
                Assert.AreEqual(number, found[i], within, name);
            }
        }

        private void InBounds()
        {
            foreach (var weight in _face.Weights) Assert.IsTrue(weight >= 0 && weight <= 1);
            foreach (var turn in new[] { _face.HeadWxyz, _face.LeftEyeWxyz, _face.RightEyeWxyz })
                Assert.AreEqual(1, turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2] + turn[3] * turn[3], 1e-3);
        }

        private static byte[] Mutated(byte[] golden, Random chance)
        {
            var bytes = new List<byte>(golden);
            for (var wound = chance.Next(1, 5); wound > 0; wound--)
            {
                var at = chance.Next(bytes.Count);
                switch (chance.Next(4))
                {
                    case 0: bytes[at] = (byte)chance.Next(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(chance.Next(40), bytes.Count - at - 1)); break;
                    case 2: bytes.InsertRange(at, new byte[] { 0x7F, 0xFF, 0xFF, 0xFF }); break;
                    default: bytes.InsertRange(at / 4 * 4, Encoding.ASCII.GetBytes("#bundle\0")); break;
                }
            }
            return bytes.ToArray();
        }
    }
}
