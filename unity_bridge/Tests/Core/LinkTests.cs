// One WebSocket against a server that goes to the limits, and one byte beyond them.
using System;
using System.Linq;
using System.Threading.Tasks;
using Avatar3D.Internal;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class LinkTests
    {
        private const byte Text = 1, Binary = 2, More = 0, Final = 0x80, Close = 8, Ping = 9, Pong = 10;
        private FakeBridge _bridge;
        private Link _link;

        [SetUp]
        public void Begin() => _bridge = new FakeBridge();

        [TearDown]
        public void End()
        {
            _link?.Dispose();
            _link = null;
            _bridge.Dispose();
        }

        [Test]
        public void AMessageOf256FragmentsIsReadAndOneOfMoreIsRefused()
        {
            Dial();
            Fragments(256);
            _link.Receive();
            Assert.AreEqual(256, _link.Length);
            Assert.IsTrue(_link.IsText);
            Assert.AreEqual(Enumerable.Range(0, 256).Select(i => (byte)i), _link.Message.Take(256));
            Fragments(257);
            Assert.Throws<LinkClosedException>(_link.Receive);
        }

        [Test]
        public void AMessageOf128KiBIsReadAndOneOfMoreIsRefusedHoweverItComes()
        {
            Dial();
            Parallel(() => _bridge.Send(Final | Binary, new byte[Link.MostBytes]));
            Assert.AreEqual(Link.MostBytes, _link.Length);
            Assert.IsFalse(_link.IsText);
            Parallel(() => Halves(0));
            Assert.AreEqual(Link.MostBytes, _link.Length);
            Assert.Throws<LinkClosedException>(() => Parallel(() => Halves(1)));
            Dial();
            Assert.Throws<LinkClosedException>(() => Parallel(() => _bridge.Send(Final | Binary, new byte[Link.MostBytes + 1])));
        }

        [Test]
        public void MessagesThatComeFasterThanTheyAreReadStayWhole()
        {
            Dial();
            var sent = Task.Run(() =>
            {
                for (var i = 0; i < 60; i++) _bridge.Send(Final | Binary, Enumerable.Repeat((byte)i, 9000 + i).ToArray());
            });
            System.Threading.Thread.Sleep(100);
            for (var i = 0; i < 60; i++)
            {
                _link.Receive();
                Assert.AreEqual(9000 + i, _link.Length);
                Assert.IsTrue(_link.Message.Take(_link.Length).All(each => each == i), "message " + i);
            }
            sent.Wait();
        }

        [Test]
        public void APingWithinAMessageIsAnsweredAndDisturbsNothing()
        {
            Dial();
            _bridge.Send(Text, new byte[] { 1 });
            _bridge.Send(Final | Ping, new byte[] { 7, 8 });
            _bridge.Send(Final | Pong, new byte[0]);
            _bridge.Send(Final | More, new byte[] { 2 });
            _link.Receive();
            Assert.AreEqual(new byte[] { 1, 2 }, _link.Message.Take(_link.Length));
            Assert.AreEqual(new byte[] { 7, 8 }, _bridge.Hear(Pong));
        }

        [Test]
        public void FragmentsOutOfTheirOrderAreRefused()
        {
            Dial();
            _bridge.Send(Final | More, new byte[] { 1 });
            Assert.Throws<LinkClosedException>(_link.Receive);
            Dial();
            _bridge.Send(Text, new byte[] { 1 });
            _bridge.Send(Final | Text, new byte[] { 2 });
            Assert.Throws<LinkClosedException>(_link.Receive);
        }

        [Test]
        public void AGoodbyeIsToldWithItsCodeAndItsReason()
        {
            Dial();
            _bridge.Send(Final | Close, new byte[] { 4003 >> 8, 4003 & 0xFF, (byte)'n', (byte)'o' });
            var closed = Assert.Throws<LinkClosedException>(_link.Receive);
            Assert.AreEqual(4003, closed.Code);
            Assert.AreEqual("no", closed.Message);
        }

        [Test]
        public void WhoDoesNotSignItsAnswerIsNoWebSocketAndWhoIsIllMayBeWellLater()
        {
            Assert.AreEqual(LinkClosedException.Refused, Refusal("101 Switching Protocols", false));
            Assert.AreEqual(LinkClosedException.Refused, Refusal("403 Forbidden", true));
            Assert.AreEqual(LinkClosedException.Lost, Refusal("503 Service Unavailable", true));
        }

        private void Dial()
        {
            _link?.Dispose();
            var dialled = Task.Run(() => new Link(new Uri(_bridge.Url), null));
            StringAssert.StartsWith("GET / HTTP/1.1\r\n", _bridge.Accept());
            _link = dialled.Result;
        }

        private int Refusal(string status, bool signed)
        {
            var dialled = Task.Run(() => Assert.Throws<LinkClosedException>(() => new Link(new Uri(_bridge.Url), null)));
            _bridge.Accept(status, signed);
            return dialled.Result.Code;
        }

        // More than a socket holds is sent while it is read.
        private void Parallel(Action send)
        {
            var sent = Task.Run(send);
            _link.Receive();
            sent.Wait();
        }

        private void Fragments(int count)
        {
            for (var i = 0; i < count; i++) _bridge.Send((byte)((i == 0 ? Text : More) | (i == count - 1 ? Final : 0)), new[] { (byte)i });
        }

        private void Halves(int more)
        {
            _bridge.Send(Binary, new byte[Link.MostBytes / 2]);
            _bridge.Send(Final | More, new byte[Link.MostBytes / 2 + more]);
        }
    }
}
