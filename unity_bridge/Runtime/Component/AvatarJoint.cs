// A joint that is turned relative to its rest, whatever axes an importer has given it.
using UnityEngine;

namespace Avatar3D
{
    /// <summary>Made once, while the joint rests; Turn() allocates nothing.</summary>
    internal struct AvatarJoint
    {
        private readonly Transform _joint;
        private readonly Quaternion _rest, _before, _after;

        /// <summary>A joint of this avatar; null is none, and is never turned.</summary>
        internal AvatarJoint(Transform joint, Transform avatar)
        {
            _joint = joint;
            _rest = joint == null ? Quaternion.identity : joint.localRotation;
            // The avatar's axes as the joint's own see them: identity in our GLB, something else where an importer has turned bones.
            _after = joint == null ? Quaternion.identity : Quaternion.Inverse(avatar.rotation) * joint.rotation;
            _before = _rest * Quaternion.Inverse(_after);
        }

        internal bool Exists => _joint != null;

        internal Transform Transform => _joint;

        /// <summary>A turn in the avatar's axes, on top of the rest.</summary>
        internal Quaternion Turned(Quaternion turn) => _before * turn * _after;

        internal void Turn(Quaternion turn)
        {
            if (_joint != null) _joint.localRotation = Turned(turn);
        }

        internal void Rest()
        {
            if (_joint != null) _joint.localRotation = _rest;
        }

        /// <summary>The first below `root` with this name; a mesh may bear it too, hence only what is no renderer.</summary>
        internal static Transform Find(Transform root, string name)
        {
            if (root.name == name && root.GetComponent<Renderer>() == null) return root;
            for (var i = 0; i < root.childCount; i++)
            {
                var found = Find(root.GetChild(i), name);
                if (found != null) return found;
            }
            return null;
        }
    }
}
