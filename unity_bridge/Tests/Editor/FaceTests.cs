// The face's component on an avatar made in code: shapes by name, turns in Unity's axes.
using System.Collections.Generic;
using Avatar3D.Interop;
using NUnit.Framework;
using UnityEngine;

namespace Avatar3D.Editor.Tests
{
    public sealed class FaceTests
    {
        private readonly FramePacket _frame = new FramePacket();
        private readonly Dictionary<string, Transform> _joints = new Dictionary<string, Transform>();
        private GameObject _avatar;
        private AvatarFace _face;

        [SetUp]
        public void Make()
        {
            _avatar = new GameObject("anna");
            Renderer("leftEye", 1); // a mesh may bear a joint's name
            var root = Child(_avatar, "root");
            var head = Child(root, "head");
            _joints["head"] = head.transform;
            _joints["leftEye"] = Child(head, "leftEye").transform;
            _joints["rightEye"] = Child(head, "rightEye").transform;
            Renderer("face", 1, "jawOpen", "eyeLookUpLeft", "somethingElse");
            Renderer("lashes", 100, "Face.EyeBlinkLeft");
            Renderer("eyeLeft", 1, "eyeLookUpLeft");
            Renderer("eyeRight", 1, "eyeLookUpLeft", "eyeBlinkRight");
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
        public void WhatHasNotChangedIsNotToldAgain()
        {
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "eyeBlinkLeft")] = 0.25f;
            _face.Show(_frame);
            var lashes = System.Array.Find(_avatar.GetComponentsInChildren<SkinnedMeshRenderer>(true), each => each.name == "lashes");
            lashes.SetBlendShapeWeight(0, 7);
            _face.Show(_frame);
            Assert.AreEqual(7, Shape("lashes", 0));
            _face.Rest();
            Assert.AreEqual(0, Shape("lashes", 0));
        }

        [Test]
        public void AnEyeballIsTurnedByItsJointAloneAndLidsByTheirShapes()
        {
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "eyeLookUpLeft")] = 1;
            _face.Show(_frame);
            Assert.AreEqual(1f, Shape("face", 1), 1e-6f);
            Assert.AreEqual(0f, Shape("eyeLeft", 0), 1e-6f);
            Assert.AreEqual(0f, Shape("eyeRight", 0), 1e-6f);
            _frame.Weights[System.Array.IndexOf(Wire.ArkitNames, "eyeBlinkRight")] = 1;
            _face.Show(_frame);
            Assert.AreEqual(1f, Shape("eyeRight", 1), 1e-6f);
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
            Near(Vector3.forward, Joint("rightEye").localRotation * Vector3.forward);
            // About +Z: the head tilts to the person's right, and right is +X.
            Internal.Presence.Rest(_frame);
            _frame.RightEyeWxyz[0] = _frame.RightEyeWxyz[3] = Mathf.Sqrt(0.5f);
            _face.Show(_frame);
            Near(Vector3.right, Joint("rightEye").localRotation * Vector3.up);
            Near(Vector3.up, Joint("leftEye").localRotation * Vector3.up);
        }

        [Test]
        public void TheHeadMovesAsFarAsItMayAndTheEyesAllTheWay()
        {
            _face.headMotion = 0.25f;
            _frame.HeadWxyz[0] = _frame.HeadWxyz[2] = _frame.LeftEyeWxyz[0] = _frame.LeftEyeWxyz[2] = Mathf.Sqrt(0.5f);
            _face.Show(_frame);
            var ahead = Joint("head").localRotation * Vector3.forward;
            Assert.AreEqual(22.5, System.Math.Atan2(-ahead.x, ahead.z) * 180 / System.Math.PI, 1.5);
            Near(Vector3.left, Joint("leftEye").localRotation * Vector3.forward);
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
            _face.Rest();
            Near(before * Vector3.forward, Joint("head").rotation * Vector3.forward);
            Near(before * Vector3.up, Joint("head").rotation * Vector3.up);
        }

        [Test]
        public void SmoothingFollowsWhileItIsOnAndOtherwiseChangesNothing()
        {
            var smoothing = _avatar.AddComponent<AvatarSmoothing>();
            smoothing.halfLifeS = 1000;
            smoothing.Step(_frame);
            _frame.Weights[0] = 1;
            smoothing.Step(_frame);
            Assert.Less(_frame.Weights[0], 0.5f);
            smoothing.enabled = false;
            _frame.Weights[0] = 1;
            smoothing.Step(_frame);
            Assert.AreEqual(1, _frame.Weights[0]);
        }

        private static void Near(Vector3 expected, Vector3 found) => Assert.Less((expected - found).magnitude, 1e-5f, expected + " " + found);

        private Transform Joint(string name) => _joints[name];

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
