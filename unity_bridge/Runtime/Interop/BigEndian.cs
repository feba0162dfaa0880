// Numbers as networks write them, most significant byte first: what Live Link Face and OSC are made of.
using System.Runtime.InteropServices;

namespace Avatar3D.Interop
{
    /// <summary>Reads big-endian numbers. The caller has looked whether there are so many bytes.</summary>
    internal static class BigEndian
    {
        internal static int I32(byte[] bytes, int at) =>
            bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];

        internal static float F32(byte[] bytes, int at) => new Bits { Whole = I32(bytes, at) }.Real;

        internal static long I64(byte[] bytes, int at) => (long)I32(bytes, at) << 32 | (uint)I32(bytes, at + 4);

        internal static double F64(byte[] bytes, int at) => System.BitConverter.Int64BitsToDouble(I64(bytes, at));

        internal static bool Finite(float value) => (new Bits { Real = value }.Whole & 0x7F800000) != 0x7F800000;

        [StructLayout(LayoutKind.Explicit)]
        private struct Bits
        {
            [FieldOffset(0)] public int Whole;
            [FieldOffset(0)] public float Real;
        }
    }
}
