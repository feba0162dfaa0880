// One WebSocket: whole messages in, messages out. One thread reads, any may send; while frames come nothing is allocated.
using System;
using System.IO;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>A connection that is open, until LinkClosedException.</summary>
    internal sealed class Link : IDisposable
    {
        /// <summary>A message is no longer.</summary>
        internal const int MostBytes = 1 << 17;

        private const int Fragments = 256, Masks = 1024;
        private readonly Socket _socket;
        private readonly Stream _secure;
        private readonly byte[] _in = new byte[MostBytes + 16];
        private readonly byte[] _out = new byte[WebSocketFrames.Room + WebSocketFrames.Most];
        private readonly byte[] _masks = new byte[Masks];
        private readonly RandomNumberGenerator _chance = RandomNumberGenerator.Create();
        private int _begin, _end, _mask = Masks, _parts;
        private bool _open = true;

        internal Link(Uri uri, string fingerprint)
        {
            _socket = Dialer.Dial(uri, fingerprint, out _secure);
        }

        /// <summary>The last message; good until the next Receive().</summary>
        internal byte[] Message { get; } = new byte[MostBytes];

        internal int Length { get; private set; }

        internal bool IsText { get; private set; }

        /// <summary>Waits for the next whole message. Throws LinkClosedException.</summary>
        internal void Receive()
        {
            Length = _parts = 0;
            while (true)
            {
                var head = NextHead();
                var payload = _begin + head.Size;
                _begin = payload + head.Length;
                switch (head.Opcode)
                {
                    case Opcode.Ping:
                        lock (_out)
                        {
                            Buffer.BlockCopy(_in, payload, _out, WebSocketFrames.Room, head.Length);
                            Wrapped(Opcode.Pong, head.Length);
                        }
                        continue;
                    case Opcode.Pong:
                        continue;
                    case Opcode.Close:
                        throw Goodbye(payload, head.Length);
                    case Opcode.Continuation:
                        if (_parts == 0) throw Broken("a message begins in its midst");
                        break;
                    default:
                        if (_parts > 0) throw Broken("a message begins in another");
                        IsText = head.Opcode == Opcode.Text;
                        break;
                }
                if (++_parts > Fragments || Length + head.Length > MostBytes) throw Broken("a message is too long");
                Buffer.BlockCopy(_in, payload, Message, Length, head.Length);
                Length += head.Length;
                if (head.Final) return;
            }
        }

        /// <summary>A text. Throws LinkClosedException.</summary>
        internal void Send(string text)
        {
            lock (_out)
            {
                if (Encoding.UTF8.GetByteCount(text) > WebSocketFrames.Most) throw new ArgumentException("a message of more than 64 KiB");
                Wrapped(Opcode.Text, Encoding.UTF8.GetBytes(text, 0, text.Length, _out, WebSocketFrames.Room));
            }
        }

        /// <summary>Bytes from the beginning of an array. Throws LinkClosedException.</summary>
        internal void Send(byte[] bytes, int length, int opcode = Opcode.Binary)
        {
            lock (_out)
            {
                Buffer.BlockCopy(bytes, 0, _out, WebSocketFrames.Room, length);
                Wrapped(opcode, length);
            }
        }

        /// <summary>Ends it: who waits in Receive() gets a LinkClosedException.</summary>
        public void Dispose()
        {
            lock (_out)
            {
                if (!_open) return;
                try
                {
                    _out[WebSocketFrames.Room] = 1000 >> 8;
                    _out[WebSocketFrames.Room + 1] = 1000 & 0xFF;
                    Wrapped(Opcode.Close, 2);
                }
                catch (LinkClosedException)
                {
                }
                _open = false;
            }
            try
            {
                _socket.Shutdown(SocketShutdown.Both);
            }
            catch (Exception cause) when (cause is SocketException || cause is ObjectDisposedException)
            {
            }
            _socket.Close();
            _chance.Dispose();
        }

        private FrameHead NextHead()
        {
            while (true)
            {
                if (!FrameHead.TryRead(_in, _begin, _end - _begin, MostBytes, out var head)) throw Broken("a frame is none");
                if (head.Size > 0 && _end - _begin >= head.Size + head.Length) return head;
                if (_begin == _end) _begin = _end = 0;
                else if (_begin > 0 && _in.Length - _begin < head.Size + head.Length + 16)
                {
                    Buffer.BlockCopy(_in, _begin, _in, 0, _end - _begin);
                    _end -= _begin;
                    _begin = 0;
                }
                Fill();
            }
        }

        private void Fill()
        {
            int got;
            try
            {
                if (_secure != null) got = _secure.Read(_in, _end, _in.Length - _end);
                else
                {
                    got = _socket.Receive(_in, _end, _in.Length - _end, SocketFlags.None, out var error);
                    if (error != SocketError.Success) got = 0;
                }
            }
            catch (Exception)
            {
                got = 0; // a TLS stream that is closed while it reads throws whatever its runtime likes: mono an AggregateException
            }
            if (got <= 0) throw new LinkClosedException(LinkClosedException.Lost, "the connection is lost");
            _end += got;
        }

        // Sends the payload that stands in _out. The lock is held.
        private void Wrapped(int opcode, int length)
        {
            if (!_open) throw new LinkClosedException(LinkClosedException.Lost, "the connection is closed");
            if (_mask + 4 > Masks)
            {
                _chance.GetBytes(_masks);
                _mask = 0;
            }
            var begin = WebSocketFrames.Wrap(_out, length, opcode, _masks, _mask);
            _mask += 4;
            try
            {
                var count = WebSocketFrames.Room + length - begin;
                if (_secure != null) _secure.Write(_out, begin, count);
                else
                {
                    while (count > 0)
                    {
                        var sent = _socket.Send(_out, begin, count, SocketFlags.None, out var error);
                        if (error != SocketError.Success) throw new LinkClosedException(LinkClosedException.Lost, "the connection is lost");
                        begin += sent;
                        count -= sent;
                    }
                }
            }
            catch (Exception cause) when (!(cause is LinkClosedException))
            {
                throw new LinkClosedException(LinkClosedException.Lost, cause.Message);
            }
        }

        private LinkClosedException Goodbye(int at, int length)
        {
            if (length < 2) return new LinkClosedException(1005, "");
            var reason = Encoding.UTF8.GetString(_in, at + 2, length - 2);
            return new LinkClosedException(_in[at] << 8 | _in[at + 1], reason);
        }

        // What breaks the protocol is no bridge of ours, or one that is ill: it may be well after a pause.
        private static LinkClosedException Broken(string why) => new LinkClosedException(LinkClosedException.Lost, why);
    }
}
