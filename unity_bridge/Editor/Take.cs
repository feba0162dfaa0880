// A performance while it is recorded: frames at their own media times.
using System.Collections.Generic;
using Avatar3D.Interop;
using Avatar3D.Internal;

namespace Avatar3D.Editor
{
    /// <summary>Grows with every frame that is new; an hour at 120 a second at most.</summary>
    internal sealed class Take
    {
        private const int Most = 60 * 60 * 120;
        private readonly List<FramePacket> _frames = new List<FramePacket>();

        internal int Count => _frames.Count;

        internal double LengthS => Count == 0 ? 0 : _frames[Count - 1].MediaTimeS - _frames[0].MediaTimeS;

        internal bool IsFull => Count >= Most;

        internal FramePacket this[int place] => _frames[place];

        /// <summary>Seconds of a frame since the first.</summary>
        internal float TimeS(int place) => (float)(_frames[place].MediaTimeS - _frames[0].MediaTimeS);

        /// <summary>Keep a copy, if it is later than the last.</summary>
        internal void Add(FramePacket frame)
        {
            if (IsFull || (Count > 0 && frame.MediaTimeS <= _frames[Count - 1].MediaTimeS)) return;
            var kept = new FramePacket();
            Presence.Copy(frame, kept);
            _frames.Add(kept);
        }
    }
}
