// Made by tools/generate_bindings.py of avatar3d/live/schema.py. Do not edit: change the schema.
// Nothing here allocates after construction, touches an engine, or throws on what the network brings.
using System;

namespace Avatar3D.Interop
{
    /// <summary>Constants of the bridge's protocol (docs/bridge.md).</summary>
    public static class Wire
    {
        public const int Version = 1;
        public const int Faces = 32;
        public const int AckEvery = 4;
        public const int Credit = 8;
        public const int SoundKind = 97;
        public const int AckKind = 107;
        public const int Held = 1;
        public const int Jumped = 2;
        public const int Last = 1;
        public const int FaceShift = 3;
        public const int Shapes = 52;
        public const int FrameBytes = 272;
        public const int SoundBytes = 16;
        public const int AckBytes = 8;
        public const int CloseNotIdentified = 4001;
        public const int CloseVersion = 4002;
        public const int CloseToken = 4003;
        public const int CloseTooManyTries = 4004;
        public const int CloseMalformed = 4005;
        public const int CloseRate = 4006;
        public const int CloseTooSlow = 4007;
        public const int CloseStopping = 4008;
        public const int CloseRevoked = 4009;
        public const string SubprotocolBinary = "avatar3d.v1.binary";
        public const string SubprotocolJson = "avatar3d.v1.json";

        /// <summary>Whether a client comes back by itself after this closing code.</summary>
        public static bool Reconnects(int code) =>
            code == CloseNotIdentified || code == CloseTooSlow || code == CloseStopping
            || code == 1001 || code == 1006 || code == 1011 || (code >= 1012 && code <= 1014);

        /// <summary>The shapes in the order of a frame's weights; do not write into it.</summary>
        public static readonly string[] ArkitNames =
        {
            "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
            "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft",
            "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
            "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
            "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight",
            "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft",
            "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
            "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
            "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
            "noseSneerLeft", "noseSneerRight", "tongueOut",
        };

        internal static ushort U16(byte[] bytes, int at) => (ushort)(bytes[at] | bytes[at + 1] << 8);

        internal static uint U32(byte[] bytes, int at) =>
            (uint)(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);

        internal static double F64(byte[] bytes, int at) =>
            BitConverter.Int64BitsToDouble((long)U32(bytes, at) | (long)U32(bytes, at + 4) << 32);

        internal static float F32(byte[] bytes, int at) => new Bits { Whole = U32(bytes, at) }.Real;

        internal static void Put16(byte[] bytes, int at, int value)
        {
            bytes[at] = (byte)value;
            bytes[at + 1] = (byte)(value >> 8);
        }

        internal static void Put32(byte[] bytes, int at, uint value)
        {
            Put16(bytes, at, (int)(value & 0xFFFF));
            Put16(bytes, at + 2, (int)(value >> 16));
        }

        internal static void Put64(byte[] bytes, int at, double value)
        {
            var bits = (ulong)BitConverter.DoubleToInt64Bits(value);
            Put32(bytes, at, (uint)bits);
            Put32(bytes, at + 4, (uint)(bits >> 32));
        }

        internal static void Put32(byte[] bytes, int at, float value) => Put32(bytes, at, new Bits { Real = value }.Whole);

        [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit)]
        private struct Bits
        {
            [System.Runtime.InteropServices.FieldOffset(0)] public uint Whole;
            [System.Runtime.InteropServices.FieldOffset(0)] public float Real;
        }
    }

    /// <summary>One instant of one face. Make one and decode into it for ever: its arrays are kept.</summary>
    public sealed class FramePacket
    {
        public byte Flags;
        public uint Seq;
        public double MediaTimeS;
        public readonly float[] Weights = new float[52];
        public readonly float[] HeadWxyz = new float[4];
        public readonly float[] LeftEyeWxyz = new float[4];
        public readonly float[] RightEyeWxyz = new float[4];

        public int Face => Flags >> Wire.FaceShift;

        /// <summary>False, and nothing changed, when these bytes are another packet.</summary>
        public bool TryDecode(byte[] bytes, int length)
        {
            if (length != Wire.FrameBytes || bytes.Length < length) return false;
            if (bytes[0] != Wire.Version || Wire.U16(bytes, 2) != Wire.Shapes) return false;
            for (var at = 16; at < 272; at += 4)
                if ((Wire.U32(bytes, at) & 0x7F800000) == 0x7F800000) return false; // not a number, or infinite
            Flags = bytes[1];
            Seq = Wire.U32(bytes, 4);
            MediaTimeS = Wire.F64(bytes, 8);
            for (var i = 0; i < 52; i++) Weights[i] = Wire.F32(bytes, 16 + 4 * i);
            for (var i = 0; i < 4; i++) HeadWxyz[i] = Wire.F32(bytes, 224 + 4 * i);
            for (var i = 0; i < 4; i++) LeftEyeWxyz[i] = Wire.F32(bytes, 240 + 4 * i);
            for (var i = 0; i < 4; i++) RightEyeWxyz[i] = Wire.F32(bytes, 256 + 4 * i);
            return true;
        }

        /// <summary>Bytes written to the array's beginning, which must have room for them.</summary>
        public int Encode(byte[] bytes)
        {
            bytes[0] = (byte)Wire.Version;
            bytes[1] = Flags;
            Wire.Put16(bytes, 2, Wire.Shapes);
            Wire.Put32(bytes, 4, Seq);
            Wire.Put64(bytes, 8, MediaTimeS);
            for (var i = 0; i < 52; i++) Wire.Put32(bytes, 16 + 4 * i, Weights[i]);
            for (var i = 0; i < 4; i++) Wire.Put32(bytes, 224 + 4 * i, HeadWxyz[i]);
            for (var i = 0; i < 4; i++) Wire.Put32(bytes, 240 + 4 * i, LeftEyeWxyz[i]);
            for (var i = 0; i < 4; i++) Wire.Put32(bytes, 256 + 4 * i, RightEyeWxyz[i]);
            return Wire.FrameBytes;
        }
    }

    /// <summary>A piece of mono sound, of no more samples than the capacity given at construction.</summary>
    public sealed class SoundPacket
    {
        public byte Flags;
        public ushort RateHz;
        public uint Seq;
        public double MediaTimeS;
        public readonly short[] Samples;
        public int Count;

        public SoundPacket(int capacity) => Samples = new short[capacity];

        public int Face => Flags >> Wire.FaceShift;

        /// <summary>False, and nothing changed, when these bytes are another packet.</summary>
        public bool TryDecode(byte[] bytes, int length)
        {
            if (length < Wire.SoundBytes || bytes.Length < length || length % 2 != 0 || (length - Wire.SoundBytes) / 2 > Samples.Length) return false;
            if (bytes[0] != Wire.SoundKind) return false;
            Flags = bytes[1];
            RateHz = Wire.U16(bytes, 2);
            Seq = Wire.U32(bytes, 4);
            MediaTimeS = Wire.F64(bytes, 8);
            Count = (length - 16) / 2;
            for (var i = 0; i < Count; i++) Samples[i] = (short)Wire.U16(bytes, 16 + 2 * i);
            return true;
        }

        /// <summary>Bytes written to the array's beginning, which must have room for them.</summary>
        public int Encode(byte[] bytes)
        {
            bytes[0] = (byte)Wire.SoundKind;
            bytes[1] = Flags;
            Wire.Put16(bytes, 2, RateHz);
            Wire.Put32(bytes, 4, Seq);
            Wire.Put64(bytes, 8, MediaTimeS);
            for (var i = 0; i < Count; i++) Wire.Put16(bytes, 16 + 2 * i, Samples[i]);
            return Wire.SoundBytes + 2 * Count;
        }
    }

    /// <summary>Everything up to Seq has arrived.</summary>
    public sealed class AckPacket
    {
        public uint Seq;

        /// <summary>False, and nothing changed, when these bytes are another packet.</summary>
        public bool TryDecode(byte[] bytes, int length)
        {
            if (length != Wire.AckBytes || bytes.Length < length) return false;
            if (bytes[0] != Wire.AckKind) return false;
            Seq = Wire.U32(bytes, 4);
            return true;
        }

        /// <summary>Bytes written to the array's beginning, which must have room for them.</summary>
        public int Encode(byte[] bytes)
        {
            bytes[0] = (byte)Wire.AckKind;
            bytes[1] = (byte)0;
            Wire.Put16(bytes, 2, 0);
            Wire.Put32(bytes, 4, Seq);
            return Wire.AckBytes;
        }
    }
}
