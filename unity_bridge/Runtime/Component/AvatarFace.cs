// What you drop on an imported avatar: its shapes by name, its head and eyes by turns, every frame.
using System.Collections.Generic;
using Avatar3D.Interop;
using Avatar3D.Internal;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>Shows the receiver's face on every SkinnedMeshRenderer below this object. Nothing is allocated after OnEnable.</summary>
    [AddComponentMenu("avatar3d/Avatar Face")]
    [DisallowMultipleComponent]
    public sealed class AvatarFace : MonoBehaviour
    {
        [Tooltip("Left empty: the one on this object or above it.")] public AvatarReceiver receiver;
        [Tooltip("Left empty: the joints named head, leftEye, rightEye.")] public Transform head, leftEye, rightEye;
        [Tooltip("0: the head stays still; 1: as it was told.")] [Range(0, 1)] public float headMotion = 1;

        private readonly FramePacket _frame = new FramePacket();
        private ShapeTargets[] _targets = new ShapeTargets[0];
        private AvatarJoint _head, _leftEye, _rightEye;
        private AvatarSmoothing _smoothing;

        /// <summary>The face that is shown.</summary>
        public FramePacket Shown => _frame;

        /// <summary>Whether a face ever came.</summary>
        public bool Shows { get; private set; }

        internal IReadOnlyList<ShapeTargets> Targets => _targets;

        internal AvatarJoint Head => _head;

        internal AvatarJoint LeftEye => _leftEye;

        internal AvatarJoint RightEye => _rightEye;

        /// <summary>Find renderers and joints anew: after the avatar below was changed.</summary>
        public void Find()
        {
            var found = new List<ShapeTargets>();
            foreach (var renderer in GetComponentsInChildren<SkinnedMeshRenderer>(true))
            {
                var targets = new ShapeTargets(renderer);
                if (targets.Count > 0) found.Add(targets);
            }
            _targets = found.ToArray();
            _head = Found(ref head, "head");
            _leftEye = Found(ref leftEye, "leftEye");
            _rightEye = Found(ref rightEye, "rightEye");
        }

        /// <summary>Show a face that you have made yourself.</summary>
        public void Show(FramePacket face)
        {
            for (var i = 0; i < _targets.Length; i++) _targets[i].Show(face.Weights);
            _head.Turn(headMotion < 1 ? Quaternion.Slerp(Quaternion.identity, UnityTurn.From(face.HeadWxyz), headMotion) : UnityTurn.From(face.HeadWxyz));
            _leftEye.Turn(UnityTurn.From(face.LeftEyeWxyz));
            _rightEye.Turn(UnityTurn.From(face.RightEyeWxyz));
        }

        /// <summary>Back to rest.</summary>
        public void Rest()
        {
            Presence.Rest(_frame);
            for (var i = 0; i < _targets.Length; i++) _targets[i].Show(_frame.Weights);
            _head.Rest();
            _leftEye.Rest();
            _rightEye.Rest();
        }

        private void OnEnable()
        {
            if (receiver == null) receiver = GetComponentInParent<AvatarReceiver>();
            _smoothing = GetComponent<AvatarSmoothing>();
            Shows = false;
            Find();
        }

        private void OnDisable() => Rest();

        // After animations, so that a live face is on top of a body's.
        private void LateUpdate()
        {
            if (receiver == null || !receiver.TryGetFace(_frame)) return;
            if (_smoothing != null) _smoothing.Step(_frame);
            Show(_frame);
            Shows = true;
        }

        private AvatarJoint Found(ref Transform joint, string name)
        {
            if (joint == null) joint = AvatarJoint.Find(transform, name);
            return new AvatarJoint(joint, transform);
        }
    }
}
