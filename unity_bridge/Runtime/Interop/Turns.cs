// Rotations as others write them, and back: Unity's axes, Live Link Face's angles, directions of gaze. Quaternions are w, x, y, z.
using System;

namespace Avatar3D.Interop
{
    /// <summary>Quaternions in four floats, in avatar3d's axes: +X the person's left, +Y up, +Z ahead, right-handed.</summary>
    public static class Turns
    {
        // What an eyeLook weight of 1 turns an eyeball by: to a side, up, down (avatar3d/live/dialects/turns.py).
        private const double Aside = 30 * Math.PI / 180, Up = 22 * Math.PI / 180, Down = 27 * Math.PI / 180;
        private const double Straight = 1e-6;

        // eyeLook Out, In, Up, Down in Wire.ArkitNames.
        private static readonly int[] LeftLooks = Looks("Left");
        private static readonly int[] RightLooks = Looks("Right");

        /// <summary>No turn.</summary>
        public static void Rest(float[] wxyz)
        {
            wxyz[0] = 1;
            wxyz[1] = wxyz[2] = wxyz[3] = 0;
        }

        /// <summary>Our turn of one in Unity's left-handed axes (x, y, z, w). False, and nothing changed, where it is none.</summary>
        public static bool FromUnity(float x, float y, float z, float w, float[] wxyz)
        {
            var length = Math.Sqrt((double)x * x + (double)y * y + (double)z * z + (double)w * w);
            if (!(length > 0.9 && length < 1.1)) return false;
            Set(wxyz, w / length, x / length, -y / length, -z / length);
            return true;
        }

        /// <summary>The head's turn of the app's yaw, pitch and roll, radians (avatar3d/core/livelink.py).</summary>
        public static void FromLiveLinkHead(float yaw, float pitch, float roll, float[] wxyz) => FromXyz(-Within(pitch), Within(yaw), Within(roll), wxyz);

        /// <summary>An eye's turn of the app's yaw, pitch and roll, radians.</summary>
        public static void FromLiveLinkEye(float yaw, float pitch, float roll, float[] wxyz) => FromXyz(Within(pitch), -Within(yaw), Within(roll), wxyz);

        /// <summary>What the eyeLook weights turn both eyes by.</summary>
        public static void OfLooks(float[] weights, float[] left, float[] right)
        {
            OfLook(weights, LeftLooks, 1, left);
            OfLook(weights, RightLooks, -1, right);
        }

        /// <summary>one * two: two first. `into` may be one of them.</summary>
        public static void Times(float[] one, float[] two, float[] into)
        {
            double a = one[0], b = one[1], c = one[2], d = one[3], e = two[0], f = two[1], g = two[2], h = two[3];
            Set(into, a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g, a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e);
        }

        /// <summary>Part of the way from one to the other, the shorter way round, on the chord: near enough between neighbours.</summary>
        public static void Between(float[] one, float[] two, float part, float[] into)
        {
            var sign = one[0] * two[0] + one[1] * two[1] + one[2] * two[2] + one[3] * two[3] < 0 ? -1f : 1f;
            double keep = 1 - part, take = part * sign;
            SetUnit(into, keep * one[0] + take * two[0], keep * one[1] + take * two[1], keep * one[2] + take * two[2], keep * one[3] + take * two[3]);
        }

        /// <summary>Made of unit length; no turn where there is none.</summary>
        public static void MakeUnit(float[] wxyz) => SetUnit(wxyz, wxyz[0], wxyz[1], wxyz[2], wxyz[3]);

        // The rotation x * y * z, x outermost, as the app's angles are.
        private static void FromXyz(double x, double y, double z, float[] wxyz)
        {
            double cx = Math.Cos(x / 2), sx = Math.Sin(x / 2), cy = Math.Cos(y / 2), sy = Math.Sin(y / 2), cz = Math.Cos(z / 2), sz = Math.Sin(z / 2);
            Set(wxyz, cx * cy * cz - sx * sy * sz, sx * cy * cz + cx * sy * sz, cx * sy * cz - sx * cy * sz, cx * cy * sz + sx * sy * cz);
        }

        private static double Within(float angle) => Math.IEEERemainder(angle, 2 * Math.PI);

        // The shortest turn from straight ahead (Listing's law).
        private static void OfLook(float[] weights, int[] looks, int sign, float[] wxyz)
        {
            var aside = sign * (weights[looks[0]] - weights[looks[1]]) * Aside;
            var up = weights[looks[2]] * Up - weights[looks[3]] * Down;
            double x = Math.Cos(up) * Math.Sin(aside), y = Math.Sin(up), z = Math.Cos(up) * Math.Cos(aside);
            SetUnit(wxyz, 1 + z, -y, x, 0);
        }

        private static int[] Looks(string side)
        {
            var looks = new int[4];
            var ways = new[] { "Out", "In", "Up", "Down" };
            for (var i = 0; i < 4; i++) looks[i] = Array.IndexOf(Wire.ArkitNames, "eyeLook" + ways[i] + side);
            return looks;
        }

        private static void SetUnit(float[] wxyz, double w, double x, double y, double z)
        {
            var length = Math.Sqrt(w * w + x * x + y * y + z * z);
            if (length > Straight) Set(wxyz, w / length, x / length, y / length, z / length);
            else Rest(wxyz);
        }

        private static void Set(float[] wxyz, double w, double x, double y, double z)
        {
            wxyz[0] = (float)w;
            wxyz[1] = (float)x;
            wxyz[2] = (float)y;
            wxyz[3] = (float)z;
        }
    }
}
