// So many a second, and some at once.
using System;

namespace Avatar3D.Internal
{
    /// <summary>A bucket that fills with time.</summary>
    public sealed class Allowance
    {
        private const double BurstS = 0.25; // what a network, or a computer that was busy, held up comes together
        private readonly double _rateHz, _most;
        private double _left, _atS = double.NegativeInfinity;

        public Allowance(double rateHz)
        {
            _rateHz = rateHz;
            _most = Math.Max(1, rateHz * BurstS);
            _left = _most;
        }

        /// <summary>Whether one more is allowed now.</summary>
        public bool Take(double nowS)
        {
            if (nowS > _atS)
            {
                _left = double.IsInfinity(_atS) ? _most : Math.Min(_most, _left + (nowS - _atS) * _rateHz);
                _atS = nowS;
            }
            if (_left < 1) return false;
            _left -= 1;
            return true;
        }
    }
}
