// Which media time a sound card plays: a base on the card's own clock that is followed at half a per cent, which nobody hears.
using System;

namespace Avatar3D.Internal
{
    /// <summary>Asked for each block by the thread of the sound; read by the one that draws.</summary>
    public sealed class SoundClock
    {
        private const double JumpS = 0.06, Slew = 0.005;
        private readonly object _lock = new object();
        private double _mediaS = double.NaN, _atS;

        /// <summary>
        /// The media time of a block's first sample, which is handed over at `nowS`; `wantedS` is what should be heard of it by the
        /// bridge's clock. `stepS` is what one of its `count` samples takes, made a little longer or shorter to get there.
        /// </summary>
        public double Block(double nowS, double wantedS, int count, ref double stepS)
        {
            lock (_lock)
            {
                var lengthS = count * stepS;
                if (double.IsNaN(_mediaS) || Math.Abs(wantedS - _mediaS) > JumpS) _mediaS = wantedS;
                var change = Math.Min(Math.Max(wantedS - _mediaS, -Slew * lengthS), Slew * lengthS);
                var fromS = _mediaS;
                stepS = (lengthS + change) / count;
                _mediaS += lengthS + change;
                _atS = nowS + lengthS;
                return fromS;
            }
        }

        /// <summary>The media time that is handed to the card at this moment; NaN where nothing plays.</summary>
        public double MediaS(double nowS)
        {
            lock (_lock) return nowS - _atS > 0.5 ? double.NaN : _mediaS + (nowS - _atS);
        }

        /// <summary>Nothing plays.</summary>
        public void Stop()
        {
            lock (_lock) _mediaS = double.NaN;
        }
    }
}
