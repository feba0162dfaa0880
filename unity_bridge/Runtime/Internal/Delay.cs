// How long after its media time a frame is shown and a sound is heard: no longer than what comes late needs.
using System;

namespace Avatar3D.Internal
{
    /// <summary>Remembers the latest arrivals of the last seconds.</summary>
    public sealed class Delay
    {
        public const double LeastS = 0.05, MostS = 0.45;
        private const double RememberedS = 4, MarginS = 0.012;
        private const int Kept = 512;

        // What was later than everything after it, oldest first.
        private readonly double[] _atS = new double[Kept], _lateS = new double[Kept];
        private int _first, _count;

        /// <summary>Something should have been there `lateS` ago; negative: it came early.</summary>
        public void Saw(double nowS, double lateS)
        {
            lock (_atS)
            {
                while (_count > 0 && _lateS[(_first + _count - 1) % Kept] <= lateS) _count--;
                if (_count == Kept) Forget();
                var place = (_first + _count++) % Kept;
                _atS[place] = nowS;
                _lateS[place] = lateS;
            }
        }

        public double WantedS(double nowS)
        {
            lock (_atS)
            {
                while (_count > 0 && nowS - _atS[_first] > RememberedS) Forget();
                return Math.Min(Math.Max((_count > 0 ? _lateS[_first] : 0) + MarginS, LeastS), MostS);
            }
        }

        private void Forget()
        {
            _first = (_first + 1) % Kept;
            _count--;
        }
    }
}
