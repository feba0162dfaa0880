// For sources that tremble, such as a phone in a dark room: the face follows with a half life.
using Avatar3D.Interop;
using Avatar3D.Internal;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>Beside an AvatarFace: what it shows is made smooth. The bridge's own frames need none.</summary>
    [AddComponentMenu("avatar3d/Avatar Smoothing")]
    [DisallowMultipleComponent]
    public sealed class AvatarSmoothing : MonoBehaviour
    {
        [Tooltip("Seconds after which half of a change is shown. The face comes later by about as much.")] [Range(0, 0.25f)] public float halfLifeS = 0.03f;

        private readonly Smoother _smoother = new Smoother();

        internal void Step(FramePacket face)
        {
            if (isActiveAndEnabled) _smoother.Step(face, Now.S, halfLifeS);
        }

        private void OnEnable() => _smoother.Reset();
    }
}
