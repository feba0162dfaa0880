// What a dialect of UDP is to its receiver: datagrams in, one face out, nothing allocated.
namespace Avatar3D.Interop
{
    /// <summary>What a datagram was.</summary>
    public enum Reading
    {
        /// <summary>Not of the dialect, or with numbers that are none. Nothing has changed.</summary>
        Malformed,

        /// <summary>Of the dialect, and says nothing of a face.</summary>
        Nothing,

        /// <summary>Says a part of a face; another datagram will say that it is whole.</summary>
        Part,

        /// <summary>With it the face is whole: show it.</summary>
        Whole,
    }

    /// <summary>Reads one dialect. Read() looks only; Merge() makes what it found part of the face.</summary>
    public interface IDatagramReader
    {
        /// <summary>Its name in messages.</summary>
        string Name { get; }

        /// <summary>Some senders use so many datagrams for one frame.</summary>
        int DatagramsPerFrame { get; }

        /// <summary>Of the datagram that was read: seconds by the sender's clock; NaN where it does not say.</summary>
        double TimeS { get; }

        /// <summary>Look at a datagram. Never throws, whatever the bytes are.</summary>
        Reading Read(byte[] bytes, int length);

        /// <summary>Take what was read; of two times the later counts, whichever came first.</summary>
        void Merge();

        /// <summary>The sender's clock began anew: what was said before is older than anything.</summary>
        void ForgetTimes();

        /// <summary>Another sender: nothing has been said.</summary>
        void Reset();

        /// <summary>The face of all that was said: weights 0 to 1, unit turns. Time and flags stay as they are.</summary>
        void Face(FramePacket into);
    }
}
