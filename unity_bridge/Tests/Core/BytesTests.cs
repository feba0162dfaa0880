// JSON and WebSocket frames as bytes: what is said is read, what is hostile is refused.
using System;
using System.Text;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class BytesTests
    {
        [Test]
        public void AMessageIsReadWhereItStands()
        {
            var value = Open("{\"type\": \"identified\", \"a\": {\"type\": \"x\"}, \"t\": -1.25e2, \"faces\": [{\"name\": \"An\\u00e4 \\\"\\t\\r\\n\\b\\f\\/\"}, {}], \"last\": null}");
            Assert.IsTrue(value.Find("type", out var type) && type.Is("identified"));
            Assert.IsTrue(value.Find("t", out var t) && t.Number(out _));
            t.Number(out var number);
            Assert.AreEqual(-125, number);
            value.Find("faces", out var faces);
            var at = 0;
            Assert.IsTrue(faces.Next(ref at, out var face) && face.Find("name", out _));
            face.Find("name", out var name);
            Assert.AreEqual("Anä \"\t\r\n\b\f/", name.Text());
            Assert.IsTrue(faces.Next(ref at, out _));
            Assert.IsFalse(faces.Next(ref at, out _));
            Assert.IsFalse(value.Find("nothing", out _));
            Assert.IsTrue(value.Find("last", out var last));
            Assert.IsFalse(last.Number(out _));
            Assert.IsNull(last.Text());
        }

        [Test]
        public void NumbersKeepTheirDigits()
        {
            foreach (var number in new[] { 0.1, 12345.678901234567, 13412.90540123, 1e-9, 3e20, 0.016666666666666666 })
            {
                Open(number.ToString("R", System.Globalization.CultureInfo.InvariantCulture)).Number(out var found);
                Assert.AreEqual(number, found, Math.Abs(number) * 1e-15);
            }
            Open("123456789012345678901234567890.5").Number(out var huge);
            Assert.AreEqual(1.2345678901234568e29, huge, 1e14);
        }

        [Test]
        public void WhatIsNoJsonIsToldSo()
        {
            var deep = new string('[', 5000);
            foreach (var text in new[] { "", "{", "{\"a\"}", "{\"a\":}", "[1,]x", "\"\\", "{\"a\":1}}", "nul\"", deep, deep + new string(']', 5000), "-", "{\"a\":1,", "[\"\u0001\"]" })
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                Assert.IsFalse(JsonValue.TryOpen(bytes, bytes.Length, out _), text);
            }
            var chance = new Random(2);
            var seed = Encoding.UTF8.GetBytes("{\"type\": \"event\", \"n\": [1, {\"b\": \"c\\n\"}], \"x\": 1.5e3}");
            for (var i = 0; i < 20000; i++)
            {
                var bytes = (byte[])seed.Clone();
                for (var wound = chance.Next(1, 4); wound > 0; wound--) bytes[chance.Next(bytes.Length)] = (byte)chance.Next(256);
                if (!JsonValue.TryOpen(bytes, bytes.Length, out var value)) continue;
                if (value.Find("type", out var type)) type.Text();
                if (value.Find("x", out var x)) x.Number(out _);
                if (value.Find("n", out var n))
                    for (var at = 0; n.Next(ref at, out var each);) each.Find("b", out _);
            }
        }

        [Test]
        public void TheQuestionForTheTimeIsJson()
        {
            var bytes = new byte[64];
            foreach (var timeS in new[] { 0.0, 0.5, 7.25, 12345.678901, 98765432.123456 })
            {
                var length = JsonText.Clock(bytes, timeS);
                Assert.IsTrue(JsonValue.TryOpen(bytes, length, out var value) && value.Find("sent_s", out _));
                value.Find("sent_s", out var sent);
                sent.Number(out var found);
                Assert.AreEqual(timeS, found, 1.1e-6);
            }
        }

        [Test]
        public void WhatWeSayIsJsonWhateverTheTextIs()
        {
            var bytes = Encoding.UTF8.GetBytes(new JsonText("say").With("text", "a \"b\" \\ \n \u0007 \u001f ä").With("face", 0.0).With("gaze", new[] { 0.5f, 0, 1 }).ToString());
            Assert.IsTrue(JsonValue.TryOpen(bytes, bytes.Length, out var value) && value.Find("text", out _));
            value.Find("text", out var text);
            Assert.AreEqual("a \"b\" \\ \n \u0007 \u001f ä", text.Text());
        }

        [Test]
        public void AFrameOfOursIsMaskedAndOneOfTheServersIsNot()
        {
            var bytes = new byte[WebSocketFrames.Room + WebSocketFrames.Most];
            foreach (var length in new[] { 0, 125, 126, 300, WebSocketFrames.Most })
            {
                for (var i = 0; i < length; i++) bytes[WebSocketFrames.Room + i] = (byte)i;
                var begin = WebSocketFrames.Wrap(bytes, length, Opcode.Binary, new byte[] { 9, 1, 2, 3, 4 }, 1);
                Assert.AreEqual(0x82, bytes[begin]);
                Assert.AreEqual(0x80 | Math.Min(length, 126), bytes[begin + 1]);
                if (length >= 126) Assert.AreEqual(length, bytes[begin + 2] << 8 | bytes[begin + 3]);
                var at = begin + (length < 126 ? 6 : 8);
                var right = 0;
                for (var i = 0; i < length; i++) right += (byte)i == (bytes[at + i] ^ (i % 4 + 1)) ? 1 : 0;
                Assert.AreEqual(length, right);
                Assert.IsFalse(FrameHead.TryRead(bytes, begin, 400, 1 << 17, out _), "a server does not mask");
            }
        }

        [Test]
        public void HeadsOfFramesThatLieAreRefused()
        {
            Assert.IsTrue(FrameHead.TryRead(new byte[] { 0x82, 0x05 }, 0, 2, 100, out var head));
            Assert.AreEqual(5, head.Length);
            Assert.AreEqual(2, head.Size);
            Assert.IsTrue(FrameHead.TryRead(new byte[] { 0x82, 126, 0 }, 0, 3, 100, out head));
            Assert.AreEqual(0, head.Size, "more is needed");
            Assert.IsTrue(FrameHead.TryRead(new byte[] { 0x02, 127, 0, 0, 0, 0, 0, 1, 2, 3 }, 0, 10, 0x10203, out head));
            Assert.AreEqual(0x10203, head.Length);
            Assert.AreEqual(10, head.Size);
            Assert.IsFalse(head.Final);
            foreach (var lie in new[] { new byte[] { 0xC2, 5 }, new byte[] { 0x83, 5 }, new byte[] { 0x09, 5 }, new byte[] { 0x89, 126, 0, 200 }, new byte[] { 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0 }, new byte[] { 0x82, 126, 1, 0 } })
                Assert.IsFalse(FrameHead.TryRead(lie, 0, lie.Length, 200, out _));
        }

        private static JsonValue Open(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Assert.IsTrue(JsonValue.TryOpen(bytes, bytes.Length, out var value), text);
            return value;
        }
    }
}
