// The exported speech network in Unity: 20 ms of sound in, 52 weights out, no Python and no bridge.
using System;
#if AVATAR3D_INFERENCE
using Unity.InferenceEngine;
#else
using Unity.Sentis;
#endif

namespace Avatar3D.Samples
{
    /// <summary>
    /// Runs `avatar3d export-speech --onnx speech.onnx`. Step() is what avatar3d/speech/network/onnx.py tells: four states go in with the
    /// sound and come back for the next 20 ms. The weights hold for LookaheadS before the end of the samples. A step allocates its
    /// tensors (some 60 KB, 50 times a second): the package's core does not, this sample does.
    /// </summary>
    public sealed class SpeechStep : IDisposable
    {
        public const int RateHz = 16000;
        public const int Samples = 320;
        public const double LookaheadS = 0.06;
        private const int Past = 240, Memory = 60, Width = 192, Drawn = 19, SilentSteps = 120;
        private const float LevelAtStart = -30;

        private readonly Worker _worker;
        private readonly float[] _samples = new float[Samples];
        private readonly float[] _level = new float[1];
        private float[] _past, _memory, _drawn;

        public SpeechStep(ModelAsset model)
        {
            // A small network: the CPU has answered before a GPU has begun.
            _worker = new Worker(ModelLoader.Load(model), BackendType.CPU);
            Reset();
        }

        /// <summary>In Wire.ArkitNames' order, each 0 to 1.</summary>
        public float[] Weights { get; private set; } = new float[52];

        /// <summary>Decibels of the last step.</summary>
        public float Loudness { get; private set; }

        /// <summary>Begin anew, after silence.</summary>
        public void Reset()
        {
            _past = new float[Past];
            _drawn = new float[Drawn];
            _memory = new float[Memory * Width];
            _level[0] = LevelAtStart;
            Array.Clear(_samples, 0, Samples);
            // Before the first sound the network remembers silence; nothing else of these steps is kept.
            for (var step = 0; step < SilentSteps; step++)
            {
                Run();
                _memory = Read("next_memory");
            }
        }

        /// <summary>The next 320 samples at 16 kHz, -1 to 1, from `at` on.</summary>
        public void Step(float[] sound, int at)
        {
            Array.Copy(sound, at, _samples, 0, Samples);
            Run();
            Weights = Read("weights");
            Loudness = Read("loudness")[0];
            _past = Read("next_past");
            _level[0] = Read("next_level")[0];
            _memory = Read("next_memory");
            _drawn = Read("next_drawn");
        }

        public void Dispose() => _worker.Dispose();

        private void Run()
        {
            using (var samples = new Tensor<float>(new TensorShape(1, Samples), _samples))
            using (var past = new Tensor<float>(new TensorShape(1, Past), _past))
            using (var level = new Tensor<float>(new TensorShape(1), _level))
            using (var memory = new Tensor<float>(new TensorShape(1, Memory, Width), _memory))
            using (var drawn = new Tensor<float>(new TensorShape(1, Drawn), _drawn))
            {
                _worker.SetInput("samples", samples);
                _worker.SetInput("past", past);
                _worker.SetInput("level", level);
                _worker.SetInput("memory", memory);
                _worker.SetInput("drawn", drawn);
                _worker.Schedule();
                _worker.PeekOutput("weights").CompleteAllPendingOperations(); // the inputs go when this block ends
            }
        }

        private float[] Read(string name) => ((Tensor<float>)_worker.PeekOutput(name)).DownloadToArray();
    }
}
