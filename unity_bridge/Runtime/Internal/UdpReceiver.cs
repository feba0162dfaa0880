// Faces in by UDP: a thread, a socket, and the first sender that speaks the dialect; nobody else until it is silent.
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>
    /// Listens from Open() to Close(). The sender that is heard gets the socket for itself (it is connected to it, and the system drops
    /// what others send); two seconds after its last word it may be another one. Nothing is ever answered.
    /// </summary>
    public sealed class UdpReceiver : IDisposable
    {
        /// <summary>By then the face of the last sender has long come to rest.</summary>
        public const double ReleasedS = 2;

        private const int WaitMs = 50, MostBytes = 65536;
        private readonly IDatagramReader _reader;
        private readonly Hearing _hearing;
        private readonly IPAddress _address;
        private readonly Action<FramePacket, double> _take;
        private readonly Action<string> _tell;
        private readonly byte[] _bytes = new byte[MostBytes];
        private readonly FramePacket _face = new FramePacket();
        private Thread _thread;
        private Socket _socket;
        private volatile bool _closing;

        /// <summary>Frames and their arrival (Now.S) go to `take`, on the receiver's thread; the packet is used again. Lines for people go to `tell`.</summary>
        public UdpReceiver(IDatagramReader reader, string host, int port, Action<FramePacket, double> take, Action<string> tell)
        {
            _reader = reader;
            _hearing = new Hearing(reader, tell);
            _address = IPAddress.Parse(host);
            Port = port;
            _take = take;
            _tell = tell;
        }

        /// <summary>Where it listens; 0 before Open() means any that is free.</summary>
        public int Port { get; private set; }

        /// <summary>Whether a sender is heard.</summary>
        public bool Hears { get; private set; }

        /// <summary>The sender's time of the frame that `take` gets, NaN where it tells none.</summary>
        public double SenderS => _hearing.SenderS;

        /// <summary>Bytes of garbage that the frames have made so far, by a counter that the caller brings (tests); 0 without one.</summary>
        public long AllocatedBytes { get; private set; }

        /// <summary>Counts bytes that this thread has allocated; the runtime's own, where it has one.</summary>
        public Func<long> Meter { get; set; }

        /// <summary>Listen. Throws SocketException where the port is taken.</summary>
        public void Open()
        {
            if (_thread != null) return;
            Bind();
            _closing = false;
            _thread = new Thread(Run) { IsBackground = true, Name = "avatar3d " + _reader.Name };
            _thread.Start();
        }

        /// <summary>Listen no more; waits until the thread has ended.</summary>
        public void Close()
        {
            if (_thread == null) return;
            _closing = true;
            _thread.Join(1000);
            _thread = null;
            Unbind();
        }

        public void Dispose() => Close();

        private void Bind()
        {
            var socket = new Socket(_address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 18, ExclusiveAddressUse = true };
            try
            {
                socket.Bind(new IPEndPoint(_address, Port));
            }
            catch (SocketException)
            {
                socket.Close();
                throw;
            }
            Port = ((IPEndPoint)socket.LocalEndPoint).Port;
            _socket = socket;
        }

        private void Unbind()
        {
            Hears = false;
            _hearing.Reset();
            _socket?.Close();
            _socket = null;
        }

        private void Run()
        {
            while (!_closing)
            {
                try
                {
                    if (_socket == null) Bind();
                    else if (!Hears) Seek();
                    else Listen();
                }
                catch (Exception cause) when (cause is SocketException || cause is ObjectDisposedException)
                {
                    // The network went, or somebody took the port in between: try again.
                    if (!_closing) Unbind();
                    Thread.Sleep(WaitMs);
                }
            }
        }

        // Read what anybody sends, until a datagram is of the dialect; whoever sends the next such one is heard from then on.
        private void Seek()
        {
            var found = false;
            while (!_closing && !Hears)
            {
                if (!_socket.Poll(WaitMs * 1000, SelectMode.SelectRead)) continue;
                if (!found)
                {
                    found = Understood(_socket.Receive(_bytes, 0, MostBytes, SocketFlags.None));
                    continue;
                }
                EndPoint sender = new IPEndPoint(_address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
                if (!Understood(_socket.ReceiveFrom(_bytes, ref sender))) continue;
                _socket.Connect(sender);
                // What waited before the connection may be anybody's.
                while (_socket.Available > 0) _socket.Receive(_bytes, 0, MostBytes, SocketFlags.None);
                _hearing.Reset();
                Hears = true;
                Say("hears " + sender);
            }
        }

        private bool Understood(int length)
        {
            var beforeS = _hearing.HeardS;
            _hearing.Step(_bytes, length, Now.S, _face);
            return _hearing.HeardS > beforeS;
        }

        private void Listen()
        {
            var before = Meter == null ? 0 : Meter();
            while (!_closing)
            {
                if (_socket.Poll(WaitMs * 1000, SelectMode.SelectRead))
                {
                    var length = _socket.Receive(_bytes, 0, MostBytes, SocketFlags.None, out var error);
                    var nowS = Now.S;
                    if (error == SocketError.Success && _hearing.Step(_bytes, length, nowS, _face)) _take(_face, nowS);
                }
                if (Meter != null) AllocatedBytes = Meter() - before;
                if (Now.S - _hearing.HeardS > ReleasedS) break;
            }
            if (_closing) return;
            Unbind();
            Bind();
            Say("is silent");
        }

        private void Say(string what)
        {
            if (_tell != null) _tell(_reader.Name + " at port " + Port + " " + what + ".");
        }
    }
}
