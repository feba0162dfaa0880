// Imports the sample GLB in the editor, measures every shape, and writes proof.json: for whoever runs it in Unity.
using System;
using System.Globalization;
using System.IO;
using System.Text;
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;
using UnityEngine.Rendering;

namespace Avatar3D.Editor.Tests
{
    /// <summary>
    /// Expected are the displacements in expected.json, made by tools/unity_proof.py of the GLB itself. Another GLB: put it and its
    /// expected.json (same tool) into the project and set AVATAR3D_PROOF_GLB to its path below Assets.
    /// </summary>
    public sealed class ImportProof
    {
        private const string Sample = "Packages/com.avatar3d.unity/Tests/Editor/Sample/egg.glb";
        private const double WithinM = 1e-5;

        private readonly StringBuilder _proof = new StringBuilder();
        private double _worstM;
        private int _measured, _missing;

        [Test]
        public void TheImportedShapesMoveWhatTheFileSays()
        {
            var glb = Environment.GetEnvironmentVariable("AVATAR3D_PROOF_GLB");
            if (string.IsNullOrEmpty(glb)) glb = Sample;
            var model = AssetDatabase.LoadAssetAtPath<GameObject>(glb);
            if (model == null) Assert.Ignore("nobody has imported " + glb + ": install com.unity.cloud.gltfast 6.10 or later");
            var bytes = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(glb)), "expected.json"));
            Assert.IsTrue(JsonValue.TryOpen(bytes, bytes.Length, out var expected) && expected.Find("shapes", out _), "expected.json");
            expected.Find("shapes", out var shapes);
            for (var at = 0; shapes.Next(ref at, out var shape);) Measure(model, shape);
            Write(glb);
            Assert.AreEqual(0, _missing, "shapes that were not imported");
            Assert.GreaterOrEqual(_measured, Wire.Shapes);
            Assert.Less(_worstM, WithinM, "metres off");
        }

        private void Measure(GameObject model, JsonValue expected)
        {
            string part = Text(expected, "mesh"), name = Text(expected, "name");
            var largestM = 0.0;
            var sum = new double[3];
            if (Find(model, part, name, out var moved))
            {
                _measured++;
                foreach (var each in moved)
                {
                    largestM = Math.Max(largestM, each.magnitude);
                    sum[0] += each.x;
                    sum[1] += each.y;
                    sum[2] += each.z;
                }
                expected.Find("largest_m", out var told);
                told.Number(out var largest);
                _worstM = Math.Max(_worstM, Math.Abs(largestM - largest));
                expected.Find("mean_m", out var mean);
                var at = 0;
                for (var axis = 0; axis < 3 && mean.Next(ref at, out var value) && value.Number(out var meanM); axis++)
                    _worstM = Math.Max(_worstM, Math.Abs(sum[axis] / moved.Length - meanM));
            }
            else _missing++;
            if (_proof.Length > 0) _proof.Append(",\n");
            _proof.Append("  {\"mesh\": \"" + part + "\", \"name\": \"" + name + "\", \"vertices\": " + (moved == null ? 0 : moved.Length) + ", \"largest_m\": " + Real(largestM)
                + ", \"mean_m\": [" + string.Join(", ", Array.ConvertAll(sum, each => Real(moved == null ? 0 : each / moved.Length))) + "]}");
        }

        // What a weight of 1 moves, vertex by vertex, in Unity's axes.
        private static bool Find(GameObject model, string part, string name, out Vector3[] moved)
        {
            moved = null;
            foreach (var renderer in model.GetComponentsInChildren<SkinnedMeshRenderer>(true))
            {
                var mesh = renderer.sharedMesh;
                var index = renderer.name == part ? mesh.GetBlendShapeIndex(name) : -1;
                if (index < 0) continue;
                moved = new Vector3[mesh.vertexCount];
                mesh.GetBlendShapeFrameVertices(index, mesh.GetBlendShapeFrameCount(index) - 1, moved, null, null);
                return true;
            }
            return false;
        }

        private void Write(string glb)
        {
            var pipeline = GraphicsSettings.currentRenderPipeline;
            var path = Path.GetFullPath("proof.json");
            File.WriteAllText(path, "{\n \"unity\": \"" + Application.unityVersion + "\", \"platform\": \"" + Application.platform + "\", \"pipeline\": \"" + (pipeline == null ? "built-in" : pipeline.GetType().Name)
                + "\",\n \"glb\": \"" + glb + "\", \"measured\": " + _measured + ", \"missing\": " + _missing + ", \"worst_m\": " + Real(_worstM) + ", \"within_m\": " + Real(WithinM)
                + ",\n \"shapes\": [\n" + _proof + "\n ]\n}\n");
            Debug.Log("avatar3d: wrote " + path);
        }

        private static string Text(JsonValue from, string name) => from.Find(name, out var found) ? found.Text() : "";

        private static string Real(double value) => value.ToString("R", CultureInfo.InvariantCulture);
    }
}
