// The bridge's sound through an AudioSource, on the bridge's clock: the face shows what is being heard.
using Avatar3D.Internal;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>
    /// Beside an AvatarReceiver. The source plays an endless clip of ones, which OnAudioFilterRead turns into the sound: so it is placed in
    /// the room, attenuated and mixed like any other, and begins with the sample that it should.
    /// </summary>
    [AddComponentMenu("avatar3d/Avatar Voice")]
    [RequireComponent(typeof(AudioSource))]
    [RequireComponent(typeof(AvatarReceiver))]
    [DisallowMultipleComponent]
    public sealed class AvatarVoice : MonoBehaviour
    {
        [Tooltip("What the loudspeaker adds that Unity does not know of (Bluetooth: about 0.15).")] [Range(0, 0.5f)] public float moreLatencyS;

        private readonly SoundClock _clock = new SoundClock();
        private AvatarReceiver _receiver;
        private AudioSource _source;
        private AudioClip _ones;
        private volatile bool _playing;
        private double _sampleS, _latencyS;

        /// <summary>How loud it is now, 0 to 1 (root of the mean square of the last block).</summary>
        public float Level { get; private set; }

        /// <summary>From a sample's handing over until it is heard: the buffers of Unity, and what was told. Seconds.</summary>
        internal double LatencyS => _latencyS;

        /// <summary>The media time that is heard at a moment of Now.S, half a picture later when it is seen; false where nothing plays.</summary>
        internal bool Heard(double nowS, out double mediaS)
        {
            mediaS = _clock.MediaS(nowS) - _latencyS;
            return _playing && !double.IsNaN(mediaS);
        }

        private void OnEnable()
        {
            _receiver = GetComponent<AvatarReceiver>();
            _source = GetComponent<AudioSource>();
            AudioSettings.OnAudioConfigurationChanged += Configured;
            Configured(false);
            _receiver.Voice = this;
        }

        private void OnDisable()
        {
            AudioSettings.OnAudioConfigurationChanged -= Configured;
            _playing = false;
            _receiver.Voice = null;
            _source.Stop();
            _source.clip = null;
            if (_ones != null) Destroy(_ones);
            _clock.Stop();
        }

        // Another loudspeaker, or the first one.
        private void Configured(bool changed)
        {
            _playing = false;
            var rateHz = AudioSettings.outputSampleRate;
            AudioSettings.GetDSPBufferSize(out var length, out var count);
            _sampleS = 1.0 / rateHz;
            _latencyS = (double)length * count / rateHz + moreLatencyS;
            if (_ones != null) Destroy(_ones);
            _ones = AudioClip.Create("avatar3d", rateHz, 1, rateHz, false);
            var ones = new float[rateHz];
            for (var i = 0; i < rateHz; i++) ones[i] = 1;
            _ones.SetData(ones, 0);
            _source.clip = _ones;
            _source.loop = true;
            _source.Play();
            _clock.Stop();
            _playing = true;
        }

        // On the thread of the sound.
        private void OnAudioFilterRead(float[] data, int channels)
        {
            var receiver = _receiver;
            if (!_playing || receiver == null || !receiver.ClockKnown)
            {
                System.Array.Clear(data, 0, data.Length);
                return;
            }
            var nowS = Now.S;
            var stepS = _sampleS;
            var wantedS = receiver.MediaS(nowS) + _latencyS - receiver.Delay.WantedS(nowS);
            var fromS = _clock.Block(nowS, wantedS, data.Length / channels, ref stepS);
            Level = (float)System.Math.Sqrt(receiver.Sound.Multiply(data, channels, fromS, stepS));
        }
    }
}
