// VR: the avatar stands before whoever wears the headset, at eye height, and looks at them.
using UnityEngine;

namespace Avatar3D.Samples
{
    /// <summary>
    /// Beside AvatarReceiver and AvatarFace, in a scene with an XR rig whose camera is tagged MainCamera. A standalone headset
    /// connects by wss:// to `avatar3d live --lan --stay`: give the receiver the address, the fingerprint and the pairing code.
    /// </summary>
    [RequireComponent(typeof(AvatarReceiver))]
    public sealed class VrDemo : MonoBehaviour
    {
        [Tooltip("Metres from the headset.")] [Range(0.5f, 3)] public float distanceM = 0.9f;
        [Tooltip("Metres of the eyes above the avatar's origin: about 0.036.")] public float eyesM = 0.036f;
        [Tooltip("So often it is told where the wearer is, a second.")] [Range(1, 20)] public float toldHz = 10;

        private AvatarReceiver _receiver;
        private float _nextS;
        private bool _placed;

        private void OnEnable()
        {
            _receiver = GetComponent<AvatarReceiver>();
            _placed = false;
        }

        private void Update()
        {
            var wearer = Camera.main;
            if (wearer == null) return;
            // Until the headset tracks, its camera is at the origin of the rig.
            if (!_placed && wearer.transform.localPosition.sqrMagnitude > 1e-6f) Place(wearer.transform);
            if (!_placed || !_receiver.IsLive || Time.unscaledTime < _nextS) return;
            _nextS = Time.unscaledTime + 1 / toldHz;
            var eyes = transform.position + transform.up * eyesM;
            _receiver.Control(gaze: Quaternion.Inverse(transform.rotation) * (wearer.transform.position - eyes).normalized);
        }

        private void Place(Transform wearer)
        {
            var ahead = Vector3.ProjectOnPlane(wearer.forward, Vector3.up).normalized;
            if (ahead.sqrMagnitude < 0.5f) return; // looking straight up or down
            transform.position = wearer.position + ahead * distanceM - Vector3.up * eyesM;
            transform.rotation = Quaternion.LookRotation(-ahead, Vector3.up);
            _placed = true;
        }
    }
}
