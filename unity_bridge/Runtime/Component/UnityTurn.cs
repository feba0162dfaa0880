// avatar3d's turns in Unity: right-handed axes (+X the person's left) become left-handed (+X the person's right), as glTFast imports them.
using UnityEngine;

namespace Avatar3D
{
    /// <summary>The one place where axes change.</summary>
    public static class UnityTurn
    {
        /// <summary>w, x, y, z of ours as Unity's quaternion: mirroring x keeps a turn about x and turns the others back.</summary>
        public static Quaternion From(float[] wxyz) => new Quaternion(wxyz[1], -wxyz[2], -wxyz[3], wxyz[0]);

        /// <summary>A point or direction of ours in Unity's axes, and back: it is its own inverse.</summary>
        public static Vector3 Point(float x, float y, float z) => new Vector3(-x, y, z);
    }
}
