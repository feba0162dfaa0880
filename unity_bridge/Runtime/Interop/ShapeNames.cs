// Names of shapes found in bytes, whatever their case and without making a string: ARKit's 52 and VRM's presets.
using System.Text;

namespace Avatar3D.Interop
{
    /// <summary>Numbers of names: 0 to 51 are Wire.ArkitNames, then the presets.</summary>
    public static class ShapeNames
    {
        /// <summary>VRM 1's presets, from number Wire.Shapes on.</summary>
        public static readonly string[] Presets =
        {
            "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "lookUp", "lookDown", "lookLeft", "lookRight",
        };

        /// <summary>How many numbers there are.</summary>
        public const int Count = Wire.Shapes + 12;

        // VRM 0's name of each preset.
        private static readonly string[] Older = { "A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R", "LookUp", "LookDown", "LookLeft", "LookRight" };

        private const int Slots = 256;
        private static readonly byte[][] Names = new byte[Slots][];
        private static readonly int[] Numbers = new int[Slots];

        static ShapeNames()
        {
            for (var i = 0; i < Wire.Shapes; i++) Put(Wire.ArkitNames[i], i);
            for (var i = 0; i < Presets.Length; i++)
            {
                Put(Presets[i], Wire.Shapes + i);
                Put(Older[i], Wire.Shapes + i);
            }
        }

        /// <summary>The number of the name in these bytes; -1 where it is none.</summary>
        public static int Find(byte[] bytes, int begin, int length)
        {
            if (length < 1 || length > 32) return -1;
            for (var slot = Slot(bytes, begin, length); Names[slot] != null; slot = (slot + 1) % Slots)
                if (Same(Names[slot], bytes, begin, length)) return Numbers[slot];
            return -1;
        }

        /// <summary>The number of a name; -1 where it is none. What stands before the last dot is left out, as editors add it.</summary>
        public static int Find(string name)
        {
            var bytes = Encoding.UTF8.GetBytes(name.Substring(name.LastIndexOf('.') + 1));
            return Find(bytes, 0, bytes.Length);
        }

        private static void Put(string name, int number)
        {
            var bytes = Encoding.ASCII.GetBytes(name.ToLowerInvariant());
            var slot = Slot(bytes, 0, bytes.Length);
            while (Names[slot] != null)
            {
                if (Same(Names[slot], bytes, 0, bytes.Length)) return;
                slot = (slot + 1) % Slots;
            }
            Names[slot] = bytes;
            Numbers[slot] = number;
        }

        // FNV-1a, of small letters.
        private static int Slot(byte[] bytes, int begin, int length)
        {
            var hash = 2166136261;
            for (var i = begin; i < begin + length; i++) hash = unchecked((hash ^ Small(bytes[i])) * 16777619);
            return (int)((hash ^ hash >> 16) % Slots);
        }

        private static bool Same(byte[] small, byte[] bytes, int begin, int length)
        {
            if (small.Length != length) return false;
            for (var i = 0; i < length; i++)
                if (small[i] != Small(bytes[begin + i])) return false;
            return true;
        }

        private static byte Small(byte letter) => letter >= 'A' && letter <= 'Z' ? (byte)(letter + 32) : letter;
    }
}
