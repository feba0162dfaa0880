// A microphone moves the face through the network in Unity.
using Avatar3D.Interop;
using UnityEngine;
#if AVATAR3D_INFERENCE
using Unity.InferenceEngine;
#else
using Unity.Sentis;
#endif

namespace Avatar3D.Samples
{
    /// <summary>Beside an AvatarFace without a receiver. Head, gaze and blinks are the bridge's; this moves the mouth alone.</summary>
    [RequireComponent(typeof(AvatarFace))]
    public sealed class MicrophoneFace : MonoBehaviour
    {
        [Tooltip("speech.onnx of avatar3d export-speech.")] public ModelAsset model;
        [Tooltip("speech.golden.json, once renamed to .json.txt: the network proves at start that it answers here as it did there.")] public TextAsset golden;
        [Tooltip("Empty: the usual one.")] public string device = "";

        private readonly float[] _step = new float[SpeechStep.Samples];
        private readonly FramePacket _frame = new FramePacket();
        private SpeechStep _speech;
        private AudioClip _heard;
        private AvatarFace _face;
        private int _read;

        private void OnEnable()
        {
            _face = GetComponent<AvatarFace>();
            _speech = new SpeechStep(model);
            if (golden != null) Debug.Log("avatar3d: the network is off by " + SpeechProof.Worst(_speech, golden.bytes) + " at most; 1e-5 is expected");
            Turns.Rest(_frame.HeadWxyz);
            Turns.Rest(_frame.LeftEyeWxyz);
            Turns.Rest(_frame.RightEyeWxyz);
            _heard = Microphone.Start(device == "" ? null : device, true, 1, SpeechStep.RateHz);
            _read = 0;
        }

        private void OnDisable()
        {
            Microphone.End(device == "" ? null : device);
            _speech.Dispose();
        }

        private void Update()
        {
            var written = Microphone.GetPosition(device == "" ? null : device);
            var waiting = (written - _read + _heard.samples) % _heard.samples;
            var stepped = false;
            for (; waiting >= _step.Length; waiting -= _step.Length)
            {
                _heard.GetData(_step, _read); // wraps around at the clip's end
                _read = (_read + _step.Length) % _heard.samples;
                _speech.Step(_step, 0);
                stepped = true;
            }
            if (!stepped) return;
            System.Array.Copy(_speech.Weights, _frame.Weights, Wire.Shapes);
            _face.Show(_frame);
        }
    }
}
