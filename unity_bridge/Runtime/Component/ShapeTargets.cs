// Which blend shapes of a renderer the 52 weights move, found by name once.
using Avatar3D.Interop;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>One renderer of an avatar: face, lashes, teeth, tongue and all that have shapes of these names.</summary>
    internal sealed class ShapeTargets
    {
        private readonly SkinnedMeshRenderer _renderer;
        private readonly int[] _shape, _weight;
        private readonly float[] _scale, _last;

        internal ShapeTargets(SkinnedMeshRenderer renderer)
        {
            _renderer = renderer;
            var mesh = renderer.sharedMesh;
            // An eyeball is turned by its joint alone, by the whole gaze: its eyeLook shapes would turn it twice.
            var eyeball = renderer.name == "eyeLeft" || renderer.name == "eyeRight";
            var count = mesh == null ? 0 : mesh.blendShapeCount;
            int[] shapes = new int[count], weights = new int[count];
            var found = 0;
            for (var i = 0; i < count; i++)
            {
                var weight = ShapeNames.Find(mesh.GetBlendShapeName(i));
                if (weight < 0 || weight >= Wire.Shapes || (eyeball && Wire.ArkitNames[weight].StartsWith("eyeLook", System.StringComparison.Ordinal))) continue;
                shapes[found] = i;
                weights[found++] = weight;
            }
            Count = found;
            System.Array.Resize(ref shapes, Count);
            System.Array.Resize(ref weights, Count);
            _shape = shapes;
            _weight = weights;
            _scale = new float[Count];
            _last = new float[Count];
            for (var i = 0; i < Count; i++)
            {
                // glTFast writes shapes whose whole is 1, others 100: the mesh says which.
                _scale[i] = mesh.GetBlendShapeFrameWeight(_shape[i], mesh.GetBlendShapeFrameCount(_shape[i]) - 1);
                _last[i] = float.NaN;
            }
        }

        /// <summary>How many of its shapes are moved.</summary>
        internal int Count { get; }

        internal SkinnedMeshRenderer Renderer => _renderer;

        internal string Name(int place) => _renderer.sharedMesh.GetBlendShapeName(_shape[place]);

        /// <summary>Which of the 52 moves it.</summary>
        internal int Weight(int place) => _weight[place];

        /// <summary>What the engine is told for a weight of 1.</summary>
        internal float Scale(int place) => _scale[place];

        /// <summary>Show these weights; what has not changed is not told again.</summary>
        internal void Show(float[] weights)
        {
            for (var i = 0; i < Count; i++)
            {
                var value = weights[_weight[i]] * _scale[i];
                if (value == _last[i]) continue;
                _last[i] = value;
                _renderer.SetBlendShapeWeight(_shape[i], value);
            }
        }
    }
}
