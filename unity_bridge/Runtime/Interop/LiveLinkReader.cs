// Live Link Face, Epic's app for iPhone, version 6: layout and meaning as avatar3d/live/dialects/livelink.py tells them.
//
//     u8 6 | i32 n, device | i32 n, subject | i32 frame, f32 sub-frame, i32 rate, i32 per seconds | u8 61 | 61 f32     big-endian
using System;

namespace Avatar3D.Interop
{
    /// <summary>Reads the app's datagrams: each is a whole face.</summary>
    public sealed class LiveLinkReader : IDatagramReader
    {
        public const int Port = 11111;
        public const int Version = 6;
        public const int Values = Wire.Shapes + 9;
        private const int MostBytes = 1286, TimeBytes = 16;

        /// <summary>The packet's order, Apple's first one.</summary>
        public static readonly string[] Shapes =
        {
            "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
            "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight",
            "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
            "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
            "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
            "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
            "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
            "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
        };

        private static readonly int[] ArkitOf = Array.ConvertAll(Shapes, name => Array.IndexOf(Wire.ArkitNames, name));

        private readonly float[] _read = new float[Values];
        private readonly float[] _said = new float[Values];

        public string Name => "livelink";

        public int DatagramsPerFrame => 1;

        public double TimeS { get; private set; } = double.NaN;

        public Reading Read(byte[] bytes, int length)
        {
            TimeS = double.NaN;
            if (length < 1 || length > MostBytes || length > bytes.Length || bytes[0] != Version) return Reading.Malformed;
            var at = 1;
            if (!Skip(bytes, length, ref at) || !Skip(bytes, length, ref at)) return Reading.Malformed;
            if (at == length) return Reading.Nothing;
            if (length - at < TimeBytes) return Reading.Malformed;
            int frame = BigEndian.I32(bytes, at), rate = BigEndian.I32(bytes, at + 8), seconds = BigEndian.I32(bytes, at + 12);
            var part = BigEndian.F32(bytes, at + 4);
            if (rate <= 0 || seconds <= 0 || !(part >= -1 && part <= 1)) return Reading.Malformed;
            var timeS = ((double)frame + part) * seconds / rate;
            at += TimeBytes;
            int body = length - at, count = body > 0 ? bytes[at] : 0;
            if (body <= 1 && count == 0)
            {
                TimeS = timeS;
                return Reading.Nothing;
            }
            if (count != Values || body != 1 + 4 * Values) return Reading.Malformed;
            at++;
            for (var i = 0; i < Values; i++)
            {
                _read[i] = BigEndian.F32(bytes, at + 4 * i);
                if (!BigEndian.Finite(_read[i])) return Reading.Malformed;
            }
            TimeS = timeS;
            return Reading.Whole;
        }

        public void Merge() => Array.Copy(_read, _said, Values);

        public void ForgetTimes()
        {
        }

        public void Reset()
        {
            Array.Clear(_said, 0, Values);
            Array.Clear(_read, 0, Values);
        }

        public void Face(FramePacket into)
        {
            for (var i = 0; i < Wire.Shapes; i++) into.Weights[ArkitOf[i]] = Math.Min(Math.Max(_said[i], 0), 1);
            const int at = Wire.Shapes;
            Turns.FromLiveLinkHead(_said[at], _said[at + 1], _said[at + 2], into.HeadWxyz);
            Turns.FromLiveLinkEye(_said[at + 3], _said[at + 4], _said[at + 5], into.LeftEyeWxyz);
            Turns.FromLiveLinkEye(_said[at + 6], _said[at + 7], _said[at + 8], into.RightEyeWxyz);
        }

        // A text: its length, then so many bytes.
        private static bool Skip(byte[] bytes, int length, ref int at)
        {
            if (at + 4 > length) return false;
            var size = BigEndian.I32(bytes, at);
            at += 4;
            if (size < 0 || size > length - at) return false;
            at += size;
            return true;
        }
    }
}
