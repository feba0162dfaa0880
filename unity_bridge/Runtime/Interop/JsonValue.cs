// JSON as the bridge sends it, read where it stands: nothing is allocated but a text that is asked for.
using System.Globalization;
using System.Text;

namespace Avatar3D.Interop
{
    /// <summary>A value in bytes of UTF-8. What is not there, or of another kind, is told by false and null.</summary>
    public struct JsonValue
    {
        private const int Deepest = 32;
        private readonly byte[] _bytes;
        private readonly int _begin, _end;

        private JsonValue(byte[] bytes, int begin, int end)
        {
            _bytes = bytes;
            _begin = begin;
            _end = end;
        }

        /// <summary>The whole of a message. False where it is no JSON, or too deep.</summary>
        public static bool TryOpen(byte[] bytes, int length, out JsonValue value)
        {
            var at = 0;
            value = default(JsonValue);
            if (length > bytes.Length || !Skip(bytes, length, ref at, 0, out value)) return false;
            Blank(bytes, length, ref at);
            return at == length;
        }

        /// <summary>The entry of an object.</summary>
        public bool Find(string name, out JsonValue value)
        {
            value = default(JsonValue);
            if (!Begins('{')) return false;
            var at = _begin + 1;
            while (Member(ref at, out var key, out var found))
            {
                if (!key.Is(name)) continue;
                value = found;
                return true;
            }
            return false;
        }

        /// <summary>The next element of an array; begin with `at` 0.</summary>
        public bool Next(ref int at, out JsonValue value)
        {
            value = default(JsonValue);
            if (!Begins('[')) return false;
            if (at == 0) at = _begin + 1;
            Blank(_bytes, _end, ref at);
            if (_bytes[at] == ',') at++;
            Blank(_bytes, _end, ref at);
            return _bytes[at] != ']' && Skip(_bytes, _end, ref at, 0, out value);
        }

        /// <summary>Whether it is this text, which needs no escapes.</summary>
        public bool Is(string text)
        {
            if (!Begins('"') || _end - _begin - 2 != text.Length) return false;
            for (var i = 0; i < text.Length; i++)
                if (_bytes[_begin + 1 + i] != text[i]) return false;
            return true;
        }

        /// <summary>A number; false where it is none. Good to the last digit but one.</summary>
        public bool Number(out double value)
        {
            value = 0;
            if (_bytes == null || _end == _begin || (_bytes[_begin] != '-' && !Digit(_bytes[_begin]))) return false;
            int at = _begin, scale = 0;
            ulong digits = 0;
            var negative = _bytes[at] == '-';
            if (negative) at++;
            var behind = false;
            for (; at < _end && (Digit(_bytes[at]) || _bytes[at] == '.'); at++)
            {
                if (_bytes[at] == '.') behind = true;
                else if (digits < 100000000000000000)
                {
                    digits = digits * 10 + (ulong)(_bytes[at] - '0');
                    if (behind) scale--;
                }
                else if (!behind) scale++;
            }
            if (at < _end) scale += Exponent(at + 1);
            value = scale < 0 ? digits / System.Math.Pow(10, -scale) : digits * System.Math.Pow(10, scale);
            if (negative) value = -value;
            return at == _end || _bytes[at] == 'e' || _bytes[at] == 'E';
        }

        /// <summary>A text, its escapes resolved; null where it is none.</summary>
        public string Text()
        {
            if (!Begins('"')) return null;
            var raw = Encoding.UTF8.GetString(_bytes, _begin + 1, _end - _begin - 2);
            if (raw.IndexOf('\\') < 0) return raw;
            var text = new StringBuilder();
            for (var i = 0; i < raw.Length; i++) text.Append(raw[i] == '\\' ? Escaped(raw, ref i) : raw[i]);
            return text.ToString();
        }

        private static char Escaped(string raw, ref int at)
        {
            switch (raw[++at])
            {
                case 'n': return '\n';
                case 't': return '\t';
                case 'r': return '\r';
                case 'b': return '\b';
                case 'f': return '\f';
                case 'u':
                    at += 4;
                    return at < raw.Length && ushort.TryParse(raw.Substring(at - 3, 4), NumberStyles.HexNumber, null, out var code) ? (char)code : '?';
                default: return raw[at];
            }
        }

        private int Exponent(int at)
        {
            var sign = 1;
            if (_bytes[at] == '-' || _bytes[at] == '+') sign = _bytes[at++] == '-' ? -1 : 1;
            var value = 0;
            for (; at < _end; at++) value = System.Math.Min(value * 10 + _bytes[at] - '0', 400);
            return sign * value;
        }

        private bool Begins(char first) => _bytes != null && _end > _begin && _bytes[_begin] == first;

        private bool Member(ref int at, out JsonValue key, out JsonValue value)
        {
            key = value = default(JsonValue);
            Blank(_bytes, _end, ref at);
            if (_bytes[at] == ',') at++;
            Blank(_bytes, _end, ref at);
            if (_bytes[at] == '}') return false;
            if (!Skip(_bytes, _end, ref at, 0, out key)) return false;
            Blank(_bytes, _end, ref at);
            at++;
            return Skip(_bytes, _end, ref at, 0, out value);
        }

        // Over one value, whatever it is.
        private static bool Skip(byte[] bytes, int end, ref int at, int depth, out JsonValue value)
        {
            Blank(bytes, end, ref at);
            value = default(JsonValue);
            if (at >= end || depth > Deepest) return false;
            var begin = at;
            var first = (char)bytes[at];
            var fine = first == '{' ? SkipList(bytes, end, ref at, depth, true)
                : first == '[' ? SkipList(bytes, end, ref at, depth, false)
                : first == '"' ? SkipText(bytes, end, ref at)
                : SkipWord(bytes, end, ref at);
            if (fine) value = new JsonValue(bytes, begin, at);
            return fine;
        }

        private static bool SkipList(byte[] bytes, int end, ref int at, int depth, bool named)
        {
            var close = named ? '}' : ']';
            at++;
            Blank(bytes, end, ref at);
            if (at < end && bytes[at] == close)
            {
                at++;
                return true;
            }
            while (true)
            {
                if (named)
                {
                    Blank(bytes, end, ref at);
                    if (at >= end || bytes[at] != '"' || !SkipText(bytes, end, ref at)) return false;
                    Blank(bytes, end, ref at);
                    if (at >= end || bytes[at++] != ':') return false;
                }
                if (!Skip(bytes, end, ref at, depth + 1, out _)) return false;
                Blank(bytes, end, ref at);
                if (at >= end) return false;
                var next = bytes[at++];
                if (next == close) return true;
                if (next != ',') return false;
            }
        }

        private static bool SkipText(byte[] bytes, int end, ref int at)
        {
            for (at++; at < end; at++)
            {
                if (bytes[at] == '"')
                {
                    at++;
                    return true;
                }
                if (bytes[at] < 0x20 || (bytes[at] == '\\' && ++at >= end)) return false;
            }
            return false;
        }

        // A number, true, false or null.
        private static bool SkipWord(byte[] bytes, int end, ref int at)
        {
            var begin = at;
            while (at < end && (Digit(bytes[at]) || (bytes[at] | 0x20) >= 'a' && (bytes[at] | 0x20) <= 'z' || bytes[at] == '-' || bytes[at] == '+' || bytes[at] == '.')) at++;
            var first = at > begin ? (char)bytes[begin] : ' ';
            return first == '-' ? at > begin + 1 && Digit(bytes[begin + 1]) : first == 't' || first == 'f' || first == 'n' || Digit((byte)first);
        }

        private static bool Digit(byte letter) => letter >= '0' && letter <= '9';

        private static void Blank(byte[] bytes, int end, ref int at)
        {
            while (at < end && (bytes[at] == ' ' || bytes[at] == '\n' || bytes[at] == '\r' || bytes[at] == '\t')) at++;
        }
    }
}
