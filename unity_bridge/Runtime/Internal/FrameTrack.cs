// The frames of one face in the order of their media times: what to show at a time between two of them.
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>One thread adds, another asks; the last frames are kept, in place.</summary>
    public sealed class FrameTrack
    {
        private const int Kept = 128;
        private const double RestartedS = 0.5;

        private readonly FramePacket[] _frames = new FramePacket[Kept];
        private int _first, _count;
        private double _cameS = double.NegativeInfinity;

        public FrameTrack()
        {
            for (var i = 0; i < Kept; i++) _frames[i] = new FramePacket();
        }

        /// <summary>How many frames have come since the beginning, or since Clear().</summary>
        public long Received { get; private set; }

        /// <summary>A frame that has just come, which is copied. What is older than the newest is left out, but for a sender that began anew.</summary>
        public void Add(FramePacket frame, double nowS)
        {
            lock (_frames)
            {
                if (_count > 0)
                {
                    var behindS = At(_count - 1).MediaTimeS - frame.MediaTimeS;
                    if (behindS >= 0 && behindS < RestartedS) return;
                    if (behindS >= RestartedS || behindS < -Presence.HeldS - Presence.EasedS) _count = 0;
                }
                if (_count == Kept) Forget(1);
                var place = At(_count++);
                Presence.Copy(frame, place);
                Presence.Bound(place);
                _cameS = nowS;
                Received++;
            }
        }

        /// <summary>What is to be shown at this media time: between its neighbours, or the nearest; held and eased out when nothing comes
        /// any more. False when nothing ever came. Media times must not run backwards: what has been passed is forgotten.</summary>
        public bool Show(double mediaS, double nowS, FramePacket into)
        {
            lock (_frames)
            {
                if (_count == 0) return false;
                while (_count > 1 && At(1).MediaTimeS <= mediaS) Forget(1);
                var one = At(0);
                var two = _count > 1 ? At(1) : one;
                var gapS = two.MediaTimeS - one.MediaTimeS;
                var jumps = (two.Flags & Wire.Jumped) != 0;
                if (gapS > 0 && !jumps && mediaS > one.MediaTimeS) Presence.Between(one, two, (float)((mediaS - one.MediaTimeS) / gapS), into);
                else Presence.Copy(one, into);
                Presence.Fade(into, Presence.Of(nowS - _cameS));
                return true;
            }
        }

        /// <summary>The newest frame, held and eased out when nothing comes any more. False when nothing ever came.</summary>
        public bool ShowNewest(double nowS, FramePacket into)
        {
            lock (_frames)
            {
                if (_count == 0) return false;
                Forget(_count - 1);
                Presence.Copy(At(0), into);
                Presence.Fade(into, Presence.Of(nowS - _cameS));
                return true;
            }
        }

        /// <summary>Seconds since the last frame; infinity where none ever came.</summary>
        public double SilentS(double nowS)
        {
            lock (_frames) return nowS - _cameS;
        }

        /// <summary>Nothing has come.</summary>
        public void Clear()
        {
            lock (_frames)
            {
                _count = 0;
                _cameS = double.NegativeInfinity;
                Received = 0;
            }
        }

        private FramePacket At(int place) => _frames[(_first + place) % Kept];

        private void Forget(int count)
        {
            _first = (_first + count) % Kept;
            _count -= count;
        }
    }
}
