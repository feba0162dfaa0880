// The face's component on an avatar made in code: shapes by name, turns in Unity's axes.
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEngine;

namespace Avatar3D.Editor.Tests
{
    public sealed class FaceTests
    {
        private readonly FramePacket _frame = new FramePacket();
        private GameObject _avatar;
        private AvatarFace _face;

        [SetUp]
        public void Make()
        {
            _avatar = new GameObject("anna");
            var root = Child(_avatar, "root");
            var head = Child(root, "head");
            Child(head, "leftEye");
            Child(head, "rightEye");
            Renderer("face", 1, "jawOpen", "eyeLookUpLeft", "somethingElse");
            Renderer("lashes", 100, "Face.EyeBlinkLeft");
            Renderer("eyeLeft", 1, "eyeLookUpLeft");
            _face = _avatar.AddComponent<AvatarFace>();
            _face.Find();
            Internal.Presence.Rest(_frame);
        }

        [TearDown]
        public void End() => Object.DestroyImmediate(_avatar);

        [Test]
        public void WeightsGoToShapesByNameInTheMeshsOwnScale()
        {
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "jawOpen")] = 0.5f;
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "eyeBlinkLeft")] = 0.25f;
            _face.Show(_frame);
            Assert.AreEqual(0.5f, Shape("face", 0), 1e-6f);
            Assert.AreEqual(0, Shape("face", 2), 1e-6f);
            Assert.AreEqual(25f, Shape("lashes", 0), 1e-4f);
        }

        [Test]
        public void AnEyeballIsTurnedByItsJointAloneAndLidsByTheirShapes()
        {
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "eyeLookUpLeft")] = 1;
            _face.Show(_frame);
            Assert.AreEqual(1f, Shape("face", 1), 1e-6f);
            Assert.AreEqual(0f, Shape("eyeLeft", 0), 1e-6f);
        }

        [Test]
        public void TurnsAreMirroredWithTheAxis()
        {
            // Ours about +Y: to the person's left, which is -X in Unity.
            _frame.HeadWxyz[0] = _frame.HeadWxyz[2] = Mathf.Sqrt(0.5f);
            _face.Show(_frame);
            Near(UnityTurn.Point(1, 0, 0), Joint("head").localRotation * Vector3.forward);
            // About +X: the face looks down, there as here.
            Internal.Presence.Rest(_frame);
            _frame.LeftEyeWxyz[0] = _frame.LeftEyeWxyz[1] = Mathf.Sqrt(0.5f);
            _face.Show(_frame);
            Near(Vector3.down, Joint("leftEye").localRotation * Vector3.forward);
            Near(Vector3.forward, Joint("head").localRotation * Vector3.forward);
        }

        [Test]
        public void AJointThatAnImporterHasTurnedLooksTheSameWay()
        {
            Joint("head").localRotation = new Quaternion(0.5f, 0.5f, -0.5f, 0.5f);
            _face.Find();
            var before = Joint("head").rotation;
            _frame.HeadWxyz[0] = _frame.HeadWxyz[2] = Mathf.Sqrt(0.5f);
            _face.Show(_frame);
            // In the avatar's axes the same turn as ever, on top of the rest.
            var turn = Joint("head").rotation * Quaternion.Inverse(before);
            Near(Vector3.left, turn * Vector3.forward);
        }

        private static void Near(Vector3 expected, Vector3 found) => Assert.Less((expected - found).magnitude, 1e-5f, expected + " " + found);

        private Transform Joint(string name) => AvatarJoint.Find(_avatar.transform, name);

        private float Shape(string renderer, int index)
        {
            foreach (var each in _avatar.GetComponentsInChildren<SkinnedMeshRenderer>(true))
                if (each.name == renderer) return each.GetBlendShapeWeight(index);
            return float.NaN;
        }

        private void Renderer(string name, float whole, params string[] shapes)
        {
            var mesh = new Mesh { vertices = new[] { Vector3.zero, Vector3.right, Vector3.up }, triangles = new[] { 0, 1, 2 } };
            foreach (var shape in shapes) mesh.AddBlendShapeFrame(shape, whole, new Vector3[3], null, null);
            Child(_avatar, name).AddComponent<SkinnedMeshRenderer>().sharedMesh = mesh;
        }

        private static GameObject Child(GameObject parent, string name)
        {
            var child = new GameObject(name);
            child.transform.SetParent(parent.transform, false);
            return child;
        }
    }
}
