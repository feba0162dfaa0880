// JSON that we send: small, flat messages. The question for the time, which is asked for ever, allocates nothing.
using System.Globalization;
using System.Text;

namespace Avatar3D.Interop
{
    /// <summary>One flat object after the other.</summary>
    public sealed class JsonText
    {
        private readonly StringBuilder _text = new StringBuilder();

        /// <summary>Begin a message of this type.</summary>
        public JsonText(string type)
        {
            _text.Append("{\"type\":");
            Quote(type);
        }

        /// <summary>A text; left out where it is null.</summary>
        public JsonText With(string name, string value)
        {
            if (value == null) return this;
            Name(name);
            Quote(value);
            return this;
        }

        public JsonText With(string name, bool value) => Raw(name, value ? "true" : "false");

        public JsonText With(string name, double value) => Raw(name, value.ToString("R", CultureInfo.InvariantCulture));

        /// <summary>A list of whole numbers; left out where it is null.</summary>
        public JsonText With(string name, int[] values) => values == null ? this : Raw(name, "[" + string.Join(",", System.Array.ConvertAll(values, each => each.ToString(CultureInfo.InvariantCulture))) + "]");

        /// <summary>A direction; left out where it is null.</summary>
        public JsonText With(string name, float[] values) => values == null ? this : Raw(name, "[" + string.Join(",", System.Array.ConvertAll(values, each => each.ToString("R", CultureInfo.InvariantCulture))) + "]");

        public override string ToString() => _text + "}";

        /// <summary>{"type":"clock","sent_s":12.345678} written to the beginning of the bytes; gives its length.</summary>
        public static int Clock(byte[] bytes, double sentS)
        {
            var at = 0;
            foreach (var letter in ClockHead) bytes[at++] = letter;
            var micro = (long)(sentS * 1e6);
            var unit = 1L;
            while (micro / unit >= 10 || unit < 1000000) unit *= 10;
            for (; unit > 0; unit /= 10)
            {
                bytes[at++] = (byte)('0' + micro / unit % 10);
                if (unit == 1000000) bytes[at++] = (byte)'.';
            }
            bytes[at++] = (byte)'}';
            return at;
        }

        private static readonly byte[] ClockHead = Encoding.ASCII.GetBytes("{\"type\":\"clock\",\"sent_s\":");

        private JsonText Raw(string name, string value)
        {
            Name(name);
            _text.Append(value);
            return this;
        }

        private void Name(string name)
        {
            _text.Append(',');
            Quote(name);
            _text.Append(':');
        }

        private void Quote(string value)
        {
            _text.Append('"');
            foreach (var letter in value)
            {
                if (letter == '"' || letter == '\\') _text.Append('\\').Append(letter);
                else if (letter < 0x20) _text.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                else _text.Append(letter);
            }
            _text.Append('"');
        }
    }
}
