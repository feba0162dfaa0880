// A recorded take becomes a clip that says what the stream said.
using System;
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;
using Object = UnityEngine.Object;

namespace Avatar3D.Editor.Tests
{
    public sealed class TakeTests
    {
        private const int Frames = 60;
        private GameObject _avatar;
        private AvatarFace _face;
        private Take _take;

        [SetUp]
        public void Begin()
        {
            _avatar = new GameObject("anna");
            var mesh = new Mesh { vertices = new[] { Vector3.zero, Vector3.right, Vector3.up }, triangles = new[] { 0, 1, 2 } };
            mesh.AddBlendShapeFrame("jawOpen", 100, new Vector3[3], null, null);
            mesh.AddBlendShapeFrame("tongueOut", 1, new Vector3[3], null, null);
            Child(_avatar, "face").AddComponent<SkinnedMeshRenderer>().sharedMesh = mesh;
            var head = Child(_avatar, "head");
            head.transform.localRotation = new Quaternion(0.5f, 0.5f, -0.5f, 0.5f); // as an importer may leave it
            Child(head, "leftEye");
            Child(head, "rightEye");
            _face = _avatar.AddComponent<AvatarFace>();
            _face.Find();
            _take = new Take();
            for (var at = 0; at < Frames; at++)
            {
                _take.Add(Frame(at));
                _take.Add(Frame(at)); // the same again is not recorded twice
            }
        }

        [TearDown]
        public void End() => Object.DestroyImmediate(_avatar);

        [Test]
        public void TheClipsShapesAreTheFramesInEachMeshsScale()
        {
            Assert.AreEqual(Frames, _take.Count);
            var clip = TakeClip.Make(_take, _face, "take");
            AnimationCurve jaw = Curve(clip, "face", typeof(SkinnedMeshRenderer), "blendShape.jawOpen"), tongue = Curve(clip, "face", typeof(SkinnedMeshRenderer), "blendShape.tongueOut");
            for (var at = 0; at < Frames; at++)
            {
                Assert.AreEqual(100 * Part(at), jaw.Evaluate(at / 60f), 1e-3f, "frame " + at);
                Assert.AreEqual(1 - Part(at), tongue.Evaluate(at / 60f), 1e-5f, "frame " + at);
            }
            Assert.AreEqual(29, jaw.length); // of each stretch that stands still the first frame and the last
        }

        [Test]
        public void TheClipsTurnsAreThoseThatTheJointsWereGiven()
        {
            var clip = TakeClip.Make(_take, _face, "take");
            foreach (var joint in new[] { _face.Head, _face.LeftEye, _face.RightEye })
            {
                var path = joint.Transform.name == "head" ? "head" : "head/" + joint.Transform.name;
                var curves = Array.ConvertAll(new[] { "x", "y", "z", "w" }, part => Curve(clip, path, typeof(Transform), "m_LocalRotation." + part));
                foreach (var curve in curves) Assert.AreEqual(29, curve.length, "the four have their keys at the same times");
                for (var at = 0; at < Frames; at++)
                {
                    _face.Show(_take[at]);
                    var turn = joint.Transform.localRotation;
                    Assert.AreEqual(1, Alike(curves, at / 60f, turn), 1e-5, path + ", frame " + at);
                    if (at + 1 < Frames) Assert.AreEqual(1, Alike(curves, (at + 0.5f) / 60, turn), 1e-2, path + ", on the way from frame " + at + ": never the long way round");
                }
            }
        }

        // 1 where the curves' turn at that time is this one.
        private static float Alike(AnimationCurve[] curves, float timeS, Quaternion turn) =>
            Math.Abs(curves[0].Evaluate(timeS) * turn.x + curves[1].Evaluate(timeS) * turn.y + curves[2].Evaluate(timeS) * turn.z + curves[3].Evaluate(timeS) * turn.w);

        // Still, on the way, still, back again, still.
        private static float Part(int at) => at < 10 ? 0 : at < 25 ? (at - 10) / 15f : at < 40 ? 1 : at < 50 ? (50 - at) / 10f : 0;

        private static FramePacket Frame(int at)
        {
            var frame = new FramePacket { MediaTimeS = 12 + at / 60.0 };
            frame.Weights[Array.IndexOf(Wire.ArkitNames, "jawOpen")] = Part(at);
            frame.Weights[Array.IndexOf(Wire.ArkitNames, "tongueOut")] = 1 - Part(at);
            var sign = at % 2 == 0 ? 1 : -1; // both signs of a quaternion are the same turn
            Turn(frame.HeadWxyz, 1, Part(at), sign);
            Turn(frame.LeftEyeWxyz, 2, 0.5 * Part(at), sign);
            Turn(frame.RightEyeWxyz, 3, -Part(at), sign);
            return frame;
        }

        private static void Turn(float[] wxyz, int axis, double angle, int sign)
        {
            wxyz[0] = sign * (float)Math.Cos(angle / 2);
            wxyz[axis] = sign * (float)Math.Sin(angle / 2);
        }

        private static AnimationCurve Curve(AnimationClip clip, string path, Type type, string name) => AnimationUtility.GetEditorCurve(clip, EditorCurveBinding.FloatCurve(path, type, name));

        private static GameObject Child(GameObject parent, string name)
        {
            var child = new GameObject(name);
            child.transform.SetParent(parent.transform, false);
            return child;
        }
    }
}
