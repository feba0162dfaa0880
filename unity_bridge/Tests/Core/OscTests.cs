// Open Sound Control by its bytes: every type is read, and every limit is where it is said to be.
using System;
using System.Collections.Generic;
using System.Text;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class OscTests
    {
        private readonly OscMessages _osc = new OscMessages();

        [Test]
        public void NumbersOfEveryTypeAreReadWhereTheyStand()
        {
            const long large = 0x70000FF018000;
            var args = new List<byte>();
            args.AddRange(Osc.Big(BitConverter.GetBytes(-0.5f)));
            args.AddRange(Osc.Big(BitConverter.GetBytes(-1e300)));
            args.AddRange(Osc.Big(BitConverter.GetBytes(-2)));
            args.AddRange(Osc.Big(BitConverter.GetBytes(large)));
            args.AddRange(Osc.Text("word"));
            args.AddRange(Osc.Big(BitConverter.GetBytes(7)));
            Open(Osc.Message("/a/b", "f[d]ihTsi", args.ToArray()));
            Assert.IsTrue(_osc.Next());
            Assert.IsTrue(_osc.Is(Encoding.ASCII.GetBytes("/a/b")));
            Assert.IsFalse(_osc.Is(Encoding.ASCII.GetBytes("/a/c")));
            Assert.AreEqual(7, _osc.Count);
            foreach (var number in new Dictionary<int, double> { { 0, -0.5 }, { 1, -1e300 }, { 2, -2 }, { 3, large }, { 6, 7 } })
            {
                Assert.IsTrue(_osc.Number(number.Key, out var value));
                Assert.AreEqual(number.Value, value);
            }
            foreach (var number in new[] { 4, 5, 7 }) Assert.IsFalse(_osc.Number(number, out _));
            Assert.IsTrue(_osc.Text(5, out _, out var length) && length == 4);
            Assert.IsFalse(_osc.Text(0, out _, out _) || _osc.Text(7, out _, out _));
            Assert.IsFalse(_osc.Next());
            Assert.IsFalse(_osc.Failed);
        }

        [Test]
        public void ABlobIsPassedOverToItsLastByteAndNeverBeyondTheMessage()
        {
            for (var length = 0; length <= 9; length++)
            {
                var blob = new List<byte>(Osc.Big(BitConverter.GetBytes(length)));
                blob.AddRange(new byte[(length + 3) / 4 * 4]);
                Assert.IsTrue(Fine(Osc.Message("/a", "b", blob.ToArray())), "a blob of " + length);
                Assert.IsFalse(Fine(Osc.Message("/a", "b", blob.GetRange(0, blob.Count - 1).ToArray())), "the same without its end");
                blob.AddRange(new byte[] { 0, 0, 0, 5 });
                Open(Osc.Message("/a", "bi", blob.ToArray()));
                Assert.IsTrue(_osc.Next() && _osc.Number(1, out var behind) && behind == 5, "what stands behind a blob of " + length);
            }
            foreach (var lie in new[] { -1, -4, -100, int.MinValue, 9, 12, int.MaxValue - 2, int.MaxValue })
            {
                var blob = new List<byte>(Osc.Big(BitConverter.GetBytes(lie)));
                blob.AddRange(new byte[8]);
                Assert.IsFalse(Fine(Osc.Message("/a", "b", blob.ToArray())), "a blob that says " + lie);
                Assert.IsFalse(Fine(Osc.Bundle(Osc.Message("/a", "b", blob.ToArray()), Osc.Message("/b", "", new byte[0]))), "the same before another message: " + lie);
            }
        }

        [Test]
        public void TheLimitsHoldAndWhatIsWithinThemIsRead()
        {
            Limit("arguments", 64, count => Osc.Message("/a", new string('T', count), new byte[0]));
            Limit("letters of an address", 256, count => Osc.Message("/" + new string('a', count - 1), "", new byte[0]));
            Limit("words", 16384 / 4, count => Osc.Message("/a", "b", Blob(4 * count - 12)));
            var small = Osc.Message("/a", "", new byte[0]);
            Limit("messages", 512 - 1, count => Osc.Bundle(new List<byte[]>(Copies(small, count)).ToArray())); // the bundle counts
            Limit("bundles in bundles", 8, count => Nested(small, count));
        }

        [Test]
        public void WhatIsNoMessageAndNoBundleIsRefused()
        {
            var fine = Osc.Message("/a", "i", new byte[4]);
            Assert.IsTrue(Fine(Osc.Bundle(fine, fine)) && Fine(new byte[] { 0x2F, 0x61, 0, 0 }));
            var odd = new List<byte>(Encoding.ASCII.GetBytes("#bundle\0")) { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0x2F, 0x61, 0, 0, 0, 0 };
            foreach (var lie in new[]
            {
                odd.ToArray(), Osc.Message("a", "", new byte[0]), Osc.Message("/\u00e9", "", new byte[0]), Osc.Message("/a", "q", new byte[0]), Osc.Message("/a", "i", new byte[3]),
                Osc.Message("/a", "d", new byte[4]), Encoding.ASCII.GetBytes("/a\0\0i\0\0\0"), Encoding.ASCII.GetBytes("/abc"), Encoding.ASCII.GetBytes("#bundle\0\0\0\0\0"), new byte[0],
            })
                Assert.IsFalse(Fine(lie), Encoding.ASCII.GetString(lie));
        }

        private void Limit(string what, int most, Func<int, byte[]> make)
        {
            Assert.IsTrue(Fine(make(most)), most + " " + what);
            Assert.IsFalse(Fine(make(most + 1)), most + 1 + " " + what);
        }

        private bool Fine(byte[] bytes)
        {
            Open(bytes);
            while (_osc.Next())
            {
            }
            return !_osc.Failed;
        }

        private void Open(byte[] bytes) => _osc.Open(bytes, bytes.Length);

        private static byte[] Blob(int length)
        {
            var bytes = new byte[4 + length];
            Osc.Big(BitConverter.GetBytes(length)).CopyTo(bytes, 0);
            return bytes;
        }

        private static IEnumerable<byte[]> Copies(byte[] message, int count)
        {
            for (var i = 0; i < count; i++) yield return message;
        }

        private static byte[] Nested(byte[] message, int depth)
        {
            for (var i = 0; i < depth; i++) message = Osc.Bundle(message);
            return message;
        }
    }

    /// <summary>OSC as senders write it.</summary>
    internal static class Osc
    {
        internal static byte[] Message(string address, string tags, byte[] arguments)
        {
            var bytes = new List<byte>(Text(address));
            bytes.AddRange(Text("," + tags));
            bytes.AddRange(arguments);
            return bytes.ToArray();
        }

        /// <summary>A text and floats, as nearly all of VMC is.</summary>
        internal static byte[] Said(string address, string text, params float[] values)
        {
            var arguments = new List<byte>(text == null ? new byte[0] : Text(text));
            foreach (var value in values) arguments.AddRange(Big(BitConverter.GetBytes(value)));
            return Message(address, (text == null ? "" : "s") + new string('f', values.Length), arguments.ToArray());
        }

        internal static byte[] Bundle(params byte[][] elements)
        {
            var bytes = new List<byte>(Encoding.ASCII.GetBytes("#bundle\0\0\0\0\0\0\0\0\u0001"));
            foreach (var element in elements)
            {
                bytes.AddRange(Big(BitConverter.GetBytes(element.Length)));
                bytes.AddRange(element);
            }
            return bytes.ToArray();
        }

        internal static byte[] Text(string text)
        {
            var bytes = new List<byte>(Encoding.UTF8.GetBytes(text));
            do bytes.Add(0);
            while (bytes.Count % 4 != 0);
            return bytes.ToArray();
        }

        internal static byte[] Big(byte[] little)
        {
            Array.Reverse(little);
            return little;
        }
    }
}
