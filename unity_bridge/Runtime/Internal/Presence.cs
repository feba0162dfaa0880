// Whoever lost the thread is held for 250 ms and eased to rest within 500 (avatar3d/live/track.py).
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>How much of a face is still shown, and faces on their way.</summary>
    public static class Presence
    {
        public const double HeldS = 0.25;
        public const double EasedS = 0.5;

        /// <summary>1 for a quarter of a second of silence, then eased to 0 without a jerk.</summary>
        public static float Of(double silentS)
        {
            var part = (silentS - HeldS) / EasedS;
            if (!(part > 0)) return 1;
            return part >= 1 ? 0 : (float)(1 - part * part * (3 - 2 * part));
        }

        /// <summary>So much of a face, the rest of it at rest. 1 changes nothing.</summary>
        public static void Fade(FramePacket face, float share)
        {
            if (share >= 1) return;
            for (var i = 0; i < Wire.Shapes; i++) face.Weights[i] *= share;
            Turns.Between(Still, face.HeadWxyz, share, face.HeadWxyz);
            Turns.Between(Still, face.LeftEyeWxyz, share, face.LeftEyeWxyz);
            Turns.Between(Still, face.RightEyeWxyz, share, face.RightEyeWxyz);
        }

        /// <summary>Part of the way from one face to another; the rest of the packet is the second's.</summary>
        public static void Between(FramePacket one, FramePacket two, float part, FramePacket into)
        {
            for (var i = 0; i < Wire.Shapes; i++) into.Weights[i] = one.Weights[i] + part * (two.Weights[i] - one.Weights[i]);
            Turns.Between(one.HeadWxyz, two.HeadWxyz, part, into.HeadWxyz);
            Turns.Between(one.LeftEyeWxyz, two.LeftEyeWxyz, part, into.LeftEyeWxyz);
            Turns.Between(one.RightEyeWxyz, two.RightEyeWxyz, part, into.RightEyeWxyz);
            into.Flags = two.Flags;
            into.Seq = two.Seq;
            into.MediaTimeS = one.MediaTimeS + part * (two.MediaTimeS - one.MediaTimeS);
        }

        /// <summary>The same face.</summary>
        public static void Copy(FramePacket from, FramePacket into)
        {
            System.Array.Copy(from.Weights, into.Weights, Wire.Shapes);
            System.Array.Copy(from.HeadWxyz, into.HeadWxyz, 4);
            System.Array.Copy(from.LeftEyeWxyz, into.LeftEyeWxyz, 4);
            System.Array.Copy(from.RightEyeWxyz, into.RightEyeWxyz, 4);
            into.Flags = from.Flags;
            into.Seq = from.Seq;
            into.MediaTimeS = from.MediaTimeS;
        }

        /// <summary>A face at rest.</summary>
        public static void Rest(FramePacket into)
        {
            System.Array.Clear(into.Weights, 0, Wire.Shapes);
            Turns.Rest(into.HeadWxyz);
            Turns.Rest(into.LeftEyeWxyz);
            Turns.Rest(into.RightEyeWxyz);
        }

        // Weights within 0 and 1, turns of unit length: a frame from the network may bring others.
        internal static void Bound(FramePacket face)
        {
            for (var i = 0; i < Wire.Shapes; i++) face.Weights[i] = face.Weights[i] < 0 ? 0 : face.Weights[i] > 1 ? 1 : face.Weights[i];
            Turns.MakeUnit(face.HeadWxyz);
            Turns.MakeUnit(face.LeftEyeWxyz);
            Turns.MakeUnit(face.RightEyeWxyz);
        }

        private static readonly float[] Still = { 1, 0, 0, 0 };
    }
}
