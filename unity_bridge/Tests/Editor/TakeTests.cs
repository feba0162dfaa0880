// A recorded take becomes a clip that says what the stream said.
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

namespace Avatar3D.Editor.Tests
{
    public sealed class TakeTests
    {
        [Test]
        public void TheClipsKeysAreTheFrames()
        {
            var avatar = new GameObject("anna");
            var part = new GameObject("face");
            part.transform.SetParent(avatar.transform, false);
            var mesh = new Mesh { vertices = new[] { Vector3.zero, Vector3.right, Vector3.up }, triangles = new[] { 0, 1, 2 } };
            mesh.AddBlendShapeFrame("jawOpen", 100, new Vector3[3], null, null);
            part.AddComponent<SkinnedMeshRenderer>().sharedMesh = mesh;
            var face = avatar.AddComponent<AvatarFace>();
            face.Find();
            var take = new Take();
            var frame = new FramePacket();
            var jaw = System.Array.IndexOf(Wire.ArkitNames, "jawOpen");
            for (var at = 0; at < 60; at++)
            {
                frame.MediaTimeS = 12 + at / 60.0;
                frame.Weights[jaw] = at < 30 ? at / 30f : 1;
                take.Add(frame);
                take.Add(frame); // the same again is not recorded twice
            }
            Assert.AreEqual(60, take.Count);
            var clip = TakeClip.Make(take, face, "take");
            var curve = AnimationUtility.GetEditorCurve(clip, EditorCurveBinding.FloatCurve("face", typeof(SkinnedMeshRenderer), "blendShape.jawOpen"));
            for (var at = 0; at < 60; at++) Assert.AreEqual(100 * (at < 30 ? at / 30f : 1), curve.Evaluate(at / 60f), 1e-3f);
            Assert.Less(curve.length, 40); // what stands still has no keys
            Object.DestroyImmediate(avatar);
        }
    }
}
