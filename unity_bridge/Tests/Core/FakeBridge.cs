// The other end of one connection, in a test's hands: it says what it is told to, and hands over what the client says.
using System;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class FakeBridge : IDisposable
    {
        private const int PatienceMs = 20000; // a busy machine may take its time
        private readonly TcpListener _listener = new TcpListener(IPAddress.Loopback, 0);
        private Socket _client;

        public FakeBridge() => _listener.Start();

        public string Url => "ws://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port + "/";

        /// <summary>Takes the next connection and answers its greeting; what was asked.</summary>
        public string Accept(string status = "101 Switching Protocols", bool signed = true)
        {
            Assert.IsTrue(_listener.Server.Poll(PatienceMs * 1000, SelectMode.SelectRead), "nobody came");
            _client?.Close();
            _client = _listener.AcceptSocket();
            _client.NoDelay = true;
            _client.ReceiveTimeout = _client.SendTimeout = PatienceMs;
            var asked = "";
            while (!asked.EndsWith("\r\n\r\n", StringComparison.Ordinal)) asked += (char)Read(1)[0];
            var begin = asked.IndexOf("Sec-WebSocket-Key: ", StringComparison.Ordinal) + 19;
            var key = asked.Substring(begin, asked.IndexOf('\r', begin) - begin);
            using (var hash = SHA1.Create())
            {
                var accept = Convert.ToBase64String(hash.ComputeHash(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
                _client.Send(Encoding.ASCII.GetBytes("HTTP/1.1 " + status + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nsec-websocket-accept: " + (signed ? accept : "x" + accept) + "\r\n\r\n"));
            }
            return asked;
        }

        /// <summary>The whole meeting; what the client said of itself.</summary>
        public string Meet(string identified = "{\"type\":\"identified\"}")
        {
            Accept();
            return Greet(identified);
        }

        /// <summary>The meeting on a connection that was accepted.</summary>
        public string Greet(string identified = "{\"type\":\"identified\"}")
        {
            Say("{\"type\":\"hello\",\"versions\":[1]}");
            var identify = Hear("identify");
            Say(identified);
            return identify;
        }

        public void Say(string text) => Send(0x81, Encoding.UTF8.GetBytes(text));

        /// <summary>One frame, whose first byte has the opcode and, but in a fragment, 0x80.</summary>
        public void Send(byte first, byte[] payload)
        {
            var length = payload.Length;
            var head = length < 126 ? new[] { first, (byte)length }
                : length < 65536 ? new[] { first, (byte)126, (byte)(length >> 8), (byte)length }
                : new byte[] { first, 127, 0, 0, 0, 0, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length };
            var frame = new byte[head.Length + length];
            head.CopyTo(frame, 0);
            payload.CopyTo(frame, head.Length);
            _client.Send(frame);
        }

        /// <summary>The next text of this type; others are passed over.</summary>
        public string Hear(string type)
        {
            while (true)
            {
                var text = Encoding.UTF8.GetString(Hear(1));
                if (text.StartsWith("{\"type\":\"" + type + "\"", StringComparison.Ordinal)) return text;
            }
        }

        /// <summary>The payload of the next frame of this opcode; others are passed over.</summary>
        public byte[] Hear(int opcode)
        {
            while (true)
            {
                var head = Read(2);
                var length = head[1] & 0x7F;
                if (length == 126)
                {
                    var told = Read(2);
                    length = told[0] << 8 | told[1];
                }
                var mask = Read(4);
                var payload = Read(length);
                for (var i = 0; i < length; i++) payload[i] ^= mask[i & 3];
                if (head[0] == (0x80 | opcode)) return payload;
            }
        }

        private byte[] Read(int count)
        {
            var bytes = new byte[count];
            for (var at = 0; at < count;)
            {
                var got = _client.Receive(bytes, at, count - at, SocketFlags.None);
                Assert.Greater(got, 0, "the client has gone");
                at += got;
            }
            return bytes;
        }

        public void Dispose()
        {
            _client?.Close();
            _listener.Stop();
        }
    }
}
