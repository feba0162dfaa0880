// Pauses before another try: 0.2 s doubled up to 2 s, and some chance in it, so that not everybody comes at once.
using System;

namespace Avatar3D.Internal
{
    /// <summary>How long to wait next.</summary>
    internal sealed class BackOff
    {
        private const double FirstS = 0.2, LongestS = 2;
        private readonly Random _chance = new Random(Guid.NewGuid().GetHashCode());
        private double _pauseS = FirstS;

        internal double NextS()
        {
            var pauseS = _pauseS * (0.5 + 0.5 * _chance.NextDouble());
            _pauseS = Math.Min(2 * _pauseS, LongestS);
            return pauseS;
        }

        internal void Reset() => _pauseS = FirstS;
    }
}
