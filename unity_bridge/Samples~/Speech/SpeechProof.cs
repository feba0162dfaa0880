// The golden steps of the export, run again here.
using System;
using Avatar3D.Interop;

namespace Avatar3D.Samples
{
    /// <summary>Whether this runtime answers as the one that wrote the file.</summary>
    public static class SpeechProof
    {
        /// <summary>The largest difference of any weight in FILE.golden.json. The network begins anew afterwards.</summary>
        public static double Worst(SpeechStep speech, byte[] golden)
        {
            if (!JsonValue.TryOpen(golden, golden.Length, out var told) || !told.Find("steps", out var steps)) throw new ArgumentException("no golden steps");
            speech.Reset();
            var samples = new float[SpeechStep.Samples];
            var worst = 0.0;
            for (var at = 0; steps.Next(ref at, out var step);)
            {
                if (!step.Find("samples", out var sound) || !step.Find("weights", out var weights)) throw new ArgumentException("no golden step");
                for (int place = 0, i = 0; i < samples.Length && sound.Next(ref place, out var value) && value.Number(out var sample); i++) samples[i] = (float)sample;
                speech.Step(samples, 0);
                for (int place = 0, i = 0; i < Wire.Shapes && weights.Next(ref place, out var value) && value.Number(out var weight); i++)
                    worst = Math.Max(worst, Math.Abs(weight - speech.Weights[i]));
            }
            speech.Reset();
            return worst;
        }
    }
}
