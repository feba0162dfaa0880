// What becomes of a datagram: read, in bounds, in time, whole? The state machine of avatar3d/live/receive.py, without its sockets.
//
//     datagram -> not too many? -> read -> older than what is shown? -> merged -> whole: a frame
using System;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>One sender is heard; time comes in as an argument.</summary>
    public sealed class Hearing
    {
        public const double FramesHz = 240;
        private const double RestartS = 0.5, JumpS = 10;

        private readonly IDatagramReader _reader;
        private readonly Teller _teller;
        private readonly Allowance _frames, _datagrams;
        private double _newestS = double.NegativeInfinity, _newerS = double.NegativeInfinity, _completeS = double.NegativeInfinity;

        public Hearing(IDatagramReader reader, Action<string> tell)
        {
            _reader = reader;
            _teller = new Teller(reader.Name, tell);
            _frames = new Allowance(FramesHz);
            _datagrams = new Allowance(FramesHz * reader.DatagramsPerFrame);
        }

        /// <summary>When something was last understood.</summary>
        public double HeardS { get; private set; } = double.NegativeInfinity;

        /// <summary>The sender's time of the frame that is whole; NaN where the dialect has no clock.</summary>
        public double SenderS { get; private set; } = double.NaN;

        /// <summary>What has been said is forgotten: another sender may come.</summary>
        public void Reset()
        {
            _reader.Reset();
            _newestS = _newerS = _completeS = double.NegativeInfinity;
        }

        /// <summary>A datagram arrived. True with a face that is to be shown.</summary>
        public bool Step(byte[] bytes, int length, double nowS, FramePacket into)
        {
            if (!_datagrams.Take(nowS))
            {
                _teller.Count(Dropped.TooFast, nowS);
                return false;
            }
            var reading = _reader.Read(bytes, length);
            if (reading == Reading.Malformed)
            {
                _teller.Count(Dropped.Malformed, nowS);
                return false;
            }
            HeardS = nowS;
            if (reading == Reading.Nothing || !InTime(reading == Reading.Whole, nowS)) return false;
            if (reading != Reading.Whole) return false;
            if (!_frames.Take(nowS))
            {
                _teller.Count(Dropped.TooFast, nowS);
                return false;
            }
            _reader.Face(into);
            into.MediaTimeS = nowS;
            into.Flags = 0;
            into.Seq++;
            return true;
        }

        // Merges what was read, and tells whether a whole face of it is newer than the one that is shown.
        private bool InTime(bool whole, double nowS)
        {
            var toldS = _reader.TimeS;
            SenderS = toldS;
            if (!double.IsNaN(toldS))
            {
                var older = toldS < _newestS || (whole && toldS == _completeS);
                if (older && (_newestS - toldS > JumpS || nowS - _newerS >= RestartS))
                {
                    _reader.ForgetTimes();
                    _newestS = _completeS = double.NegativeInfinity;
                    older = false;
                }
                // A dialect whose datagrams are whole faces must not bring an older one back.
                if (older && !(whole && toldS > _completeS))
                {
                    if (_reader.DatagramsPerFrame > 1) _reader.Merge();
                    return false;
                }
                if (toldS > _newestS)
                {
                    _newestS = toldS;
                    _newerS = nowS;
                }
                if (whole) _completeS = toldS;
            }
            _reader.Merge();
            return true;
        }
    }
}
