// Golden packets: read, written again, byte by byte the same.
using System;
using System.Linq;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class WireTests
    {
        private readonly byte[] _written = new byte[512];

        [Test]
        public void AFrameIsReadAndWrittenByteByByte()
        {
            var bytes = Golden.Bytes("frame.bin");
            var frame = new FramePacket();
            Assert.IsTrue(frame.TryDecode(bytes, bytes.Length));
            Assert.AreEqual(4000000001u, frame.Seq);
            Assert.AreEqual(12.75, frame.MediaTimeS);
            Assert.AreEqual(3, frame.Face);
            for (var i = 0; i < Wire.Shapes; i++) Assert.AreEqual(i / 64f, frame.Weights[i], Wire.ArkitNames[i]);
            Assert.AreEqual(bytes.Length, frame.Encode(_written));
            Assert.IsTrue(_written.Take(bytes.Length).SequenceEqual(bytes));
        }

        [Test]
        public void SoundAndAcknowledgementAreReadAndWrittenByteByByte()
        {
            var bytes = Golden.Bytes("sound.bin");
            var sound = new SoundPacket(16);
            Assert.IsTrue(sound.TryDecode(bytes, bytes.Length));
            Assert.IsTrue(double.IsNaN(sound.MediaTimeS));
            Assert.AreEqual(bytes.Length, sound.Encode(_written));
            Assert.IsTrue(_written.Take(bytes.Length).SequenceEqual(bytes));
            bytes = Golden.Bytes("ack.bin");
            var ack = new AckPacket();
            Assert.IsTrue(ack.TryDecode(bytes, bytes.Length));
            Assert.AreEqual(bytes.Length, ack.Encode(_written));
            Assert.IsTrue(_written.Take(bytes.Length).SequenceEqual(bytes));
        }

        [Test]
        public void WhatIsNoFrameChangesNothing()
        {
            var bytes = Golden.Bytes("frame.bin");
            var frame = new FramePacket { Seq = 7 };
            Assert.IsFalse(frame.TryDecode(bytes, bytes.Length - 1));
            bytes[18] = 0xC0;
            bytes[19] = 0x7F; // a weight that is no number
            Assert.IsFalse(frame.TryDecode(bytes, bytes.Length));
            Assert.AreEqual(7u, frame.Seq);
            Assert.IsFalse(new SoundPacket(4).TryDecode(Golden.Bytes("sound.bin"), 26));
        }

        [Test]
        public void NamesAreFoundWhateverTheirCase()
        {
            for (var i = 0; i < Wire.Shapes; i++)
            {
                Assert.AreEqual(i, ShapeNames.Find(Wire.ArkitNames[i]));
                Assert.AreEqual(i, ShapeNames.Find("anna.blendShape1." + Wire.ArkitNames[i].ToUpperInvariant()));
            }
            Assert.AreEqual(-1, ShapeNames.Find("jawOpened"));
            Assert.AreEqual(-1, ShapeNames.Find(""));
        }
    }
}
