// The speech sample on the golden steps: its Worker asks the process at the other end of stdin and stdout.
//
//     mono speech.exe FILE.golden.json        tells the largest difference on stderr
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Avatar3D.Samples;
using Unity.InferenceEngine;

public static class RunSpeech
{
    private static readonly string[] Given = { "samples", "past", "level", "memory", "drawn" };
    private static readonly string[] Told = { "weights", "loudness", "next_past", "next_level", "next_memory", "next_drawn" };

    public static void Main(string[] words)
    {
        var ask = new BinaryWriter(Console.OpenStandardOutput());
        var hear = new BinaryReader(Console.OpenStandardInput());
        Worker.Runtime = inputs =>
        {
            foreach (var name in Given)
            {
                var shape = inputs[name].Shape.Sizes;
                ask.Write(shape.Length);
                foreach (var size in shape) ask.Write(size);
                foreach (var value in inputs[name].DownloadToArray()) ask.Write(value);
            }
            ask.Flush();
            var outputs = new Dictionary<string, Tensor<float>>();
            foreach (var name in Told)
            {
                var values = new float[hear.ReadInt32()];
                for (var i = 0; i < values.Length; i++) values[i] = hear.ReadSingle();
                outputs[name] = new Tensor<float>(new TensorShape(values.Length), values);
            }
            return outputs;
        };
        using (var speech = new SpeechStep(new ModelAsset()))
            Console.Error.WriteLine("worst " + SpeechProof.Worst(speech, File.ReadAllBytes(words[0])).ToString("R", CultureInfo.InvariantCulture));
    }
}
