// One clock for everything in this process: monotonic, in seconds.
using System.Diagnostics;

namespace Avatar3D.Internal
{
    /// <summary>Seconds since some moment; never runs backwards.</summary>
    public static class Now
    {
        private static readonly double Tick = 1.0 / Stopwatch.Frequency;

        public static double S => Stopwatch.GetTimestamp() * Tick;
    }
}
