// Unity.InferenceEngine (once Unity.Sentis) as the speech sample names it. Who wants answers plugs in a runtime.
using System;
using System.Collections.Generic;

#if AVATAR3D_INFERENCE
namespace Unity.InferenceEngine
#else
namespace Unity.Sentis
#endif
{
    public sealed class ModelAsset : UnityEngine.Object
    {
    }

    public sealed class Model
    {
    }

    public static class ModelLoader
    {
        public static Model Load(ModelAsset asset) => new Model();
    }

    public enum BackendType
    {
        CPU,
    }

    public struct TensorShape
    {
        public readonly int[] Sizes;

        public TensorShape(params int[] sizes) => Sizes = sizes;
    }

    public abstract class Tensor : IDisposable
    {
        public void CompleteAllPendingOperations()
        {
        }

        public void Dispose()
        {
        }
    }

    public sealed class Tensor<T> : Tensor
    {
        public readonly TensorShape Shape;
        private readonly T[] _values;

        public Tensor(TensorShape shape, T[] values)
        {
            Shape = shape;
            _values = (T[])values.Clone();
        }

        public T[] DownloadToArray() => (T[])_values.Clone();
    }

    /// <summary>Runtime is the test's own: inputs by name to outputs by name.</summary>
    public sealed class Worker : IDisposable
    {
        public static Func<Dictionary<string, Tensor<float>>, Dictionary<string, Tensor<float>>> Runtime;

        private readonly Dictionary<string, Tensor<float>> _inputs = new Dictionary<string, Tensor<float>>();
        private Dictionary<string, Tensor<float>> _outputs;

        public Worker(Model model, BackendType backend)
        {
        }

        public void SetInput(string name, Tensor tensor) => _inputs[name] = (Tensor<float>)tensor;

        public void Schedule() => _outputs = Runtime(_inputs);

        public Tensor PeekOutput(string name) => _outputs[name];

        public void Dispose()
        {
        }
    }
}
