// ARKit's weights of VRM's presets: vowels, blinks and looks, as avatar3d/live/dialects/vrm.py reads them back.
using System;

namespace Avatar3D.Interop
{
    internal static class Presets
    {
        private const int Aa = Wire.Shapes, Ih = Aa + 1, Ou = Aa + 2, Ee = Aa + 3, Oh = Aa + 4, Blink = Aa + 5, BlinkLeft = Aa + 6, BlinkRight = Aa + 7, LookUp = Aa + 8;

        private static readonly int JawOpen = Of("jawOpen"), Pucker = Of("mouthPucker"), Funnel = Of("mouthFunnel");
        private static readonly int StretchLeft = Of("mouthStretchLeft"), StretchRight = Of("mouthStretchRight");
        private static readonly int ShutLeft = Of("eyeBlinkLeft"), ShutRight = Of("eyeBlinkRight");

        // Up, down, left, right: one shape of each eye.
        private static readonly int[] LookPairs =
        {
            Of("eyeLookUpLeft"), Of("eyeLookUpRight"), Of("eyeLookDownLeft"), Of("eyeLookDownRight"),
            Of("eyeLookOutLeft"), Of("eyeLookInRight"), Of("eyeLookInLeft"), Of("eyeLookOutRight"),
        };

        /// <summary>By ShapeNames' numbers, each 0 to 1, into weights that are 0.</summary>
        internal static void Weigh(float[] values, float fullJaw, float[] weights)
        {
            var rounded = Math.Min(values[Ou] + values[Oh], 1);
            var wide = rounded < 1 ? Math.Min((values[Ee] + values[Ih]) / (1 - rounded), 1) : 0;
            weights[JawOpen] = fullJaw * Math.Min(values[Aa] + values[Ee] + values[Oh], 1);
            weights[Pucker] = values[Ou];
            weights[Funnel] = values[Oh];
            weights[StretchLeft] = weights[StretchRight] = wide;
            weights[ShutLeft] = Math.Min(values[Blink] + values[BlinkLeft], 1);
            weights[ShutRight] = Math.Min(values[Blink] + values[BlinkRight], 1);
            for (var i = 0; i < LookPairs.Length; i++) weights[LookPairs[i]] = values[LookUp + i / 2];
        }

        private static int Of(string name) => Array.IndexOf(Wire.ArkitNames, name);
    }
}
