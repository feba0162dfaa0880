// Open Sound Control 1.0, as much of it as faces need, with limits: one message after the other out of a datagram, bundles opened.
//
//     message   address, ",tags", arguments: strings end in 1 to 4 zeros, everything in steps of 4 bytes, big-endian
//     bundle    "#bundle\0", 8 bytes of time, then elements: 4 bytes of size, message or bundle
namespace Avatar3D.Interop
{
    /// <summary>Walks through a datagram that somebody else has made. Whatever it is: bounded time, no exception, nothing allocated.</summary>
    public sealed class OscMessages
    {
        public const int PacketBytes = 16384;
        public const int Depth = 8;
        public const int Messages = 512;
        public const int Arguments = 64;
        public const int AddressBytes = 256;
        private static readonly byte[] Bundle = { 0x23, 0x62, 0x75, 0x6E, 0x64, 0x6C, 0x65, 0 };

        private readonly int[] _ends = new int[Depth + 1];
        private readonly int[] _offsets = new int[Arguments];
        private readonly byte[] _tags = new byte[Arguments];
        private readonly int[] _lengths = new int[Arguments];
        private byte[] _bytes;
        private int _at, _depth, _seen;

        /// <summary>Where the message's address begins, and its length without zeros.</summary>
        public int Address { get; private set; }

        public int AddressLength { get; private set; }

        /// <summary>How many arguments it has.</summary>
        public int Count { get; private set; }

        /// <summary>Whether something was not OSC, or too much of it.</summary>
        public bool Failed { get; private set; }

        /// <summary>Begin with a datagram.</summary>
        public void Open(byte[] bytes, int length)
        {
            _bytes = bytes;
            _at = _depth = _seen = 0;
            _ends[0] = length;
            Failed = length > PacketBytes || length > bytes.Length || length < 4;
        }

        /// <summary>The next message. False at the end, or where it Failed.</summary>
        public bool Next()
        {
            while (!Failed)
            {
                while (_depth > 0 && _at == _ends[_depth]) _depth--;
                if (_at == _ends[0]) return false;
                var end = _ends[0];
                if (_depth > 0)
                {
                    if (_at + 4 > _ends[_depth]) return Fail();
                    var size = BigEndian.I32(_bytes, _at);
                    _at += 4;
                    if (size <= 0 || size % 4 != 0 || size > _ends[_depth] - _at) return Fail();
                    end = _at + size;
                }
                if (++_seen > Messages) return Fail();
                if (!IsBundle(end)) return Message(end);
                if (_depth == Depth || end - _at < 16) return Fail();
                _ends[++_depth] = end;
                _at += 16;
            }
            return false;
        }

        /// <summary>Whether the message goes to this address.</summary>
        public bool Is(byte[] address)
        {
            if (AddressLength != address.Length) return false;
            for (var i = 0; i < address.Length; i++)
                if (_bytes[Address + i] != address[i]) return false;
            return true;
        }

        /// <summary>Whether that argument is a text; where it stands and how long it is.</summary>
        public bool Text(int number, out int begin, out int length)
        {
            var there = number < Count && (_tags[number] == 's' || _tags[number] == 'S');
            begin = there ? _offsets[number] : 0;
            length = there ? _lengths[number] : 0;
            return there;
        }

        /// <summary>Whether that argument is a number; NaN and infinity among them.</summary>
        public bool Number(int number, out double value)
        {
            value = 0;
            if (number >= Count) return false;
            var at = _offsets[number];
            switch ((char)_tags[number])
            {
                case 'f': value = BigEndian.F32(_bytes, at); return true;
                case 'd': value = BigEndian.F64(_bytes, at); return true;
                case 'i': value = BigEndian.I32(_bytes, at); return true;
                case 'h': value = BigEndian.I64(_bytes, at); return true;
                default: return false;
            }
        }

        private bool IsBundle(int end)
        {
            if (end - _at < Bundle.Length) return false;
            for (var i = 0; i < Bundle.Length; i++)
                if (_bytes[_at + i] != Bundle[i]) return false;
            return true;
        }

        private bool Message(int end)
        {
            if (_bytes[_at] != '/') return Fail();
            var begin = _at;
            if (!String(end, AddressBytes, out var length)) return Fail();
            Address = begin;
            AddressLength = length;
            Count = 0;
            for (var i = begin; i < begin + length; i++)
                if (_bytes[i] > 127) return Fail();
            if (_at == end) return true; // older senders leave the tags out where there are no arguments
            begin = _at;
            if (_bytes[begin] != ',' || !String(end, Arguments + 1, out length)) return Fail();
            for (var i = begin + 1; i < begin + length; i++)
                if (!Argument(_bytes[i], end)) return Fail();
            _at = end;
            return true;
        }

        private bool Argument(byte tag, int end)
        {
            var size = 0;
            switch ((char)tag)
            {
                case '[': case ']': return true;
                case 'T': case 'F': case 'N': case 'I': break;
                case 'i': case 'f': case 'c': case 'r': case 'm': size = 4; break;
                case 'h': case 'd': case 't': size = 8; break;
                case 's': case 'S':
                    _offsets[Count] = _at;
                    if (!String(end, end, out var length)) return false;
                    _lengths[Count] = length;
                    _tags[Count++] = tag;
                    return true;
                case 'b':
                    if (_at + 4 > end) return false;
                    var bytes = BigEndian.I32(_bytes, _at);
                    if (bytes < 0 || bytes > end - _at - 4) return false;
                    size = 4 + (bytes + 3) / 4 * 4;
                    break;
                default: return false;
            }
            if (size > end - _at) return false;
            _offsets[Count] = _at;
            _lengths[Count] = size;
            _tags[Count++] = tag;
            _at += size;
            return true;
        }

        // A string from here on: its length without zeros; then we stand behind it.
        private bool String(int end, int limit, out int length)
        {
            var zero = _at;
            while (zero < end && _bytes[zero] != 0) zero++;
            length = zero - _at;
            var after = zero + 4 - length % 4;
            if (zero == end || after > end || length > limit) return false;
            _at = after;
            return true;
        }

        private bool Fail()
        {
            Failed = true;
            return false;
        }
    }
}
