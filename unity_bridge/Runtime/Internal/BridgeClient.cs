// A connection to the bridge that comes back by itself: meeting, frames, acknowledgements, clock (docs/bridge.md).
using System;
using System.Threading;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>
    /// Open() starts two threads, Close() ends them, for good: one reads, one asks for the time and looks whether the bridge is still
    /// there. While frames come neither allocates.
    /// </summary>
    public sealed class BridgeClient : IDisposable
    {
        private const double ClockEveryS = 2;
        private const int JoinMs = 300;
        private static readonly double[] FirstQuestionsS = { 0, 0.06, 0.16, 0.32, 0.64, 1.1 };

        private readonly BridgeParams _params;
        private readonly IBridgeListener _listener;
        private readonly Messages _messages;
        private readonly BackOff _backOff = new BackOff();
        private readonly object _turn = new object();
        private readonly byte[] _question = new byte[64];
        private Thread _reader, _keeper;
        private volatile Link _link;
        private volatile bool _closing;
        private double _heardS, _liveS;
        private int _questions;
        private bool _everLive;

        public BridgeClient(BridgeParams told, IBridgeListener listener)
        {
            _params = told;
            _listener = listener;
            _messages = new Messages(told, listener, Clock);
        }

        /// <summary>The bridge's clock, as well as we know it.</summary>
        public MediaClock Clock { get; } = new MediaClock();

        public BridgeState State { get; private set; }

        /// <summary>How often it came back.</summary>
        public int Reconnections { get; private set; }

        /// <summary>A bridge that says nothing for so long is gone: it answers a question every other second.</summary>
        internal double DeafS { get; set; } = 6;

        /// <summary>Counts bytes that the calling thread has allocated (tests); null: nobody counts.</summary>
        public Func<long> Meter { get; set; }

        /// <summary>Bytes allocated by the reading thread since the present connection became live, by the Meter.</summary>
        public long AllocatedBytes { get; private set; }

        /// <summary>Connect, and stay connected. Throws ArgumentException for what is no address, InvalidOperationException after Close().</summary>
        public void Open()
        {
            if (_closing) throw new InvalidOperationException("a client that was closed is not opened again: make another");
            if (_reader != null) return;
            var uri = _params.Uri();
            _reader = new Thread(() => Run(uri)) { IsBackground = true, Name = "avatar3d bridge" };
            _keeper = new Thread(Keep) { IsBackground = true, Name = "avatar3d clock" };
            _reader.Start();
            _keeper.Start();
        }

        /// <summary>Say goodbye. A thread that is still dialling ends by itself, and tells nobody.</summary>
        public void Close()
        {
            if (_reader == null) return;
            _closing = true;
            lock (_turn) Monitor.PulseAll(_turn);
            _link?.Dispose();
            _reader.Join(JoinMs);
            _keeper.Join(JoinMs);
            _reader = _keeper = null;
            Tell(BridgeState.Off, "");
        }

        public void Dispose() => Close();

        /// <summary>A message of docs/bridge.md; needs a token that may drive. False where the bridge is away.</summary>
        public bool Send(JsonText message)
        {
            try
            {
                if (State != BridgeState.Live) return false;
                _link?.Send(message.ToString());
                return _link != null;
            }
            catch (LinkClosedException)
            {
                return false;
            }
        }

        /// <summary>Sound to be spoken: media time NaN queues it. False where the bridge is away.</summary>
        public bool Send(byte[] packet, int length)
        {
            try
            {
                if (State != BridgeState.Live) return false;
                _link?.Send(packet, length);
                return _link != null;
            }
            catch (LinkClosedException)
            {
                return false;
            }
        }

        private void Run(Uri uri)
        {
            while (!_closing)
            {
                try
                {
                    Tell(BridgeState.Connecting, uri.Authority);
                    using (var link = new Link(uri, _params.Fingerprint))
                    {
                        Interlocked.Exchange(ref _heardS, Now.S);
                        _link = link;
                        if (!_closing) Live(link);
                    }
                }
                catch (LinkClosedException closed)
                {
                    _link = null;
                    if (_closing) return;
                    if (!Wire.Reconnects(closed.Code))
                    {
                        Tell(BridgeState.Refused, closed.Message + " (" + closed.Code + ")");
                        return;
                    }
                    Tell(BridgeState.Waiting, closed.Message);
                    lock (_turn)
                        if (!_closing) Monitor.Wait(_turn, (int)(1000 * _backOff.NextS()));
                }
            }
        }

        private void Live(Link link)
        {
            _messages.Meet(link);
            _backOff.Reset();
            _questions = 0;
            Interlocked.Exchange(ref _liveS, Now.S);
            if (_everLive) Reconnections++;
            _everLive = true;
            Tell(BridgeState.Live, "");
            lock (_turn) Monitor.PulseAll(_turn);
            var before = Meter == null ? 0 : Meter();
            while (true)
            {
                link.Receive();
                var nowS = Now.S;
                Interlocked.Exchange(ref _heardS, nowS);
                _messages.Take(link, nowS);
                if (Meter != null) AllocatedBytes = Meter() - before;
            }
        }

        // The other thread.
        private void Keep()
        {
            lock (_turn)
            {
                while (!_closing)
                {
                    Monitor.Wait(_turn, _questions < FirstQuestionsS.Length ? 30 : 250);
                    var link = _link;
                    if (_closing || link == null) continue;
                    var liveS = Now.S - Interlocked.CompareExchange(ref _liveS, 0, 0);
                    if (Now.S - Interlocked.CompareExchange(ref _heardS, 0, 0) > DeafS) link.Dispose();
                    else if (State == BridgeState.Live && liveS >= Due(_questions)) Ask(link);
                }
            }
        }

        /// <summary>Seconds after a connection became live at which its clock is asked for: often at first, then steadily.</summary>
        internal static double Due(int question) =>
            question < FirstQuestionsS.Length ? FirstQuestionsS[question] : (question - FirstQuestionsS.Length + 1) * ClockEveryS;

        private void Ask(Link link)
        {
            _questions++;
            try
            {
                link.Send(_question, JsonText.Clock(_question, Now.S), Opcode.Text);
            }
            catch (LinkClosedException)
            {
                // The reader finds out, and comes back.
            }
        }

        private void Tell(BridgeState state, string detail)
        {
            if (_closing && state != BridgeState.Off) return;
            State = state;
            _listener.State(state, detail);
        }
    }
}
