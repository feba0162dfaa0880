// The bridge's media time on our clock: of questions and answers the one with the quickest way of the last minute wins.
using System;

namespace Avatar3D.Internal
{
    /// <summary>One thread tells it, any may ask.</summary>
    public sealed class MediaClock
    {
        private const int Samples = 32;
        private const double KeptS = 60, Drift = 200e-6, MostWayS = 5;

        private readonly double[] _atS = new double[Samples], _offsetS = new double[Samples], _wayS = new double[Samples];
        private int _count, _next;
        private double _offset = double.NaN;

        /// <summary>Whether anything is known of the time.</summary>
        public bool Known
        {
            get { lock (_atS) return !double.IsNaN(_offset); }
        }

        /// <summary>Media time at a moment of Now.S.</summary>
        public double MediaS(double nowS)
        {
            lock (_atS) return double.IsNaN(_offset) ? nowS : nowS + _offset;
        }

        /// <summary>Half the way of the best answer: media time is known so well. NaN before the first.</summary>
        public double ErrorS
        {
            get
            {
                lock (_atS)
                {
                    var least = double.NaN;
                    for (var i = 0; i < _count; i++)
                        if (!(_wayS[i] / 2 >= least)) least = _wayS[i] / 2;
                    return least;
                }
            }
        }

        /// <summary>Of a greeting or a frame that has just come: it is no better than its way was short, and holds until there is an answer.</summary>
        public void Guess(double mediaS, double nowS)
        {
            if (!(Math.Abs(mediaS) < 1e12)) return;
            lock (_atS)
                if (_count == 0 && !(_offset >= mediaS - nowS)) _offset = mediaS - nowS;
        }

        /// <summary>A question, as sent by our clock, received and answered by the bridge's, and back by ours.</summary>
        public void Answered(double sentS, double receivedS, double mediaS, double backS)
        {
            var wayS = backS - sentS - (mediaS - receivedS);
            if (!(wayS >= 0 && wayS <= MostWayS && Math.Abs(mediaS) < 1e12)) return;
            lock (_atS)
            {
                _atS[_next] = backS;
                _offsetS[_next] = (receivedS - sentS + mediaS - backS) / 2;
                _wayS[_next] = wayS;
                _next = (_next + 1) % Samples;
                _count = Math.Min(_count + 1, Samples);
                var best = double.PositiveInfinity;
                for (var i = 0; i < _count; i++)
                {
                    var ageS = backS - _atS[i];
                    var worth = _wayS[i] / 2 + Drift * ageS;
                    if (ageS > KeptS || worth >= best) continue;
                    best = worth;
                    _offset = _offsetS[i];
                }
            }
        }

        /// <summary>Another bridge: nothing is known.</summary>
        public void Restart()
        {
            lock (_atS)
            {
                _count = _next = 0;
                _offset = double.NaN;
            }
        }
    }
}
