// Exponential smoothing of a face, for sources that tremble. It costs about as much delay as its half life.
using System;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>A face that follows another one.</summary>
    public sealed class Smoother
    {
        private readonly FramePacket _last = new FramePacket();
        private double _lastS = double.NaN;

        /// <summary>Make the face of this moment smooth, in place. A half life of 0 changes nothing.</summary>
        public void Step(FramePacket face, double nowS, double halfLifeS)
        {
            var elapsedS = nowS - _lastS;
            if (elapsedS >= 0 && halfLifeS > 0 && (face.Flags & Wire.Jumped) == 0)
            {
                var follow = (float)(1 - Math.Pow(0.5, elapsedS / halfLifeS));
                Presence.Between(_last, face, follow, face);
            }
            Presence.Copy(face, _last);
            _lastS = nowS;
        }

        /// <summary>The next face is taken as it is.</summary>
        public void Reset() => _lastS = double.NaN;
    }
}
