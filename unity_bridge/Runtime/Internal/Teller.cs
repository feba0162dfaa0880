// What is dropped is told, in one line a second at most.
using System;

namespace Avatar3D.Internal
{
    /// <summary>Why a datagram or message was not used.</summary>
    public enum Dropped
    {
        Malformed,
        TooFast,
    }

    /// <summary>Counts what was dropped, and tells it now and then.</summary>
    public sealed class Teller
    {
        private const double EveryS = 1;
        private readonly Action<string> _tell;
        private readonly string _who;
        private readonly int[] _counts = new int[2];
        private double _toldS = double.NegativeInfinity;

        public Teller(string who, Action<string> tell)
        {
            _who = who;
            _tell = tell;
        }

        /// <summary>One more was dropped.</summary>
        public void Count(Dropped why, double nowS)
        {
            _counts[(int)why]++;
            if (_tell == null || nowS - _toldS < EveryS) return;
            _toldS = nowS;
            _tell(_who + " dropped: " + _counts[0] + " not understood, " + _counts[1] + " too fast.");
            Array.Clear(_counts, 0, _counts.Length);
        }
    }
}
