// The framing of RFC 6455: heads of frames read and written, nothing more.
namespace Avatar3D.Interop
{
    /// <summary>What a frame is (RFC 6455, 5.2).</summary>
    public static class Opcode
    {
        public const int Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;
    }

    /// <summary>The head of one frame of a server.</summary>
    public struct FrameHead
    {
        public int Opcode;
        public bool Final;

        /// <summary>Bytes of the payload behind the head.</summary>
        public int Length;

        /// <summary>Bytes of the head itself; 0 where not all of it is there yet.</summary>
        public int Size;

        /// <summary>False where it breaks the protocol, or is longer than the limit. Where Size is 0 more bytes are needed.</summary>
        public static bool TryRead(byte[] bytes, int at, int count, int limit, out FrameHead head)
        {
            head = default(FrameHead);
            if (count < 2) return true;
            int first = bytes[at], second = bytes[at + 1];
            head.Final = (first & 0x80) != 0;
            head.Opcode = first & 0x0F;
            long length = second & 0x7F;
            var size = length == 126 ? 4 : length == 127 ? 10 : 2;
            // Reserved bits, masks and long or cut control frames are a server's fault.
            if ((first & 0x70) != 0 || (second & 0x80) != 0) return false;
            if (head.Opcode > 10 || (head.Opcode > 2 && head.Opcode < 8)) return false;
            if (head.Opcode >= 8 && (length > 125 || !head.Final)) return false;
            if (count < size) return true;
            if (size == 4) length = bytes[at + 2] << 8 | bytes[at + 3];
            if (size == 10) length = BigEndian.I64(bytes, at + 2);
            if (length < 0 || length > limit) return false;
            head.Length = (int)length;
            head.Size = size;
            return true;
        }
    }

    /// <summary>Frames of a client, which are masked.</summary>
    public static class WebSocketFrames
    {
        /// <summary>So many bytes stand before a payload that is to be wrapped.</summary>
        public const int Room = 8;

        /// <summary>A payload of ours is no longer.</summary>
        public const int Most = 65535;

        /// <summary>A client's frame made around its payload, which stands in `bytes` from Room on. Gives where it begins; it ends with the payload.</summary>
        public static int Wrap(byte[] bytes, int length, int opcode, byte[] mask, int maskAt)
        {
            var size = length < 126 ? 2 : 4;
            var begin = Room - 4 - size;
            bytes[begin] = (byte)(0x80 | opcode);
            bytes[begin + 1] = (byte)(0x80 | (size == 2 ? length : 126));
            if (size == 4)
            {
                bytes[begin + 2] = (byte)(length >> 8);
                bytes[begin + 3] = (byte)length;
            }
            for (var i = 0; i < 4; i++) bytes[Room - 4 + i] = mask[maskAt + i];
            for (var i = 0; i < length; i++) bytes[Room + i] ^= mask[maskAt + (i & 3)];
            return begin;
        }
    }
}
