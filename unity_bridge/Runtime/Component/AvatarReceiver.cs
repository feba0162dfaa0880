// What you drop on an object to get a face: from the bridge by WebSocket, or from an app by Live Link Face or VMC.
using System;
using Avatar3D.Interop;
using Avatar3D.Internal;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>Where faces come from.</summary>
    public enum FaceOrigin
    {
        /// <summary>`avatar3d live`, with sound.</summary>
        Bridge,

        /// <summary>Epic's app for iPhone, or `avatar3d live livelink://HOST`.</summary>
        LiveLinkFace,

        /// <summary>VSeeFace, VMagicMirror and others, or `avatar3d live vmc://HOST`.</summary>
        Vmc,
    }

    /// <summary>OnEnable opens, OnDisable closes; in between the newest face is there for who asks.</summary>
    [AddComponentMenu("avatar3d/Avatar Receiver")]
    [DisallowMultipleComponent]
    public sealed class AvatarReceiver : MonoBehaviour
    {
        [Tooltip("Who moves the face.")] public FaceOrigin origin;
        [Tooltip("Of the bridge: ws:// on this machine, wss:// for another one (avatar3d live --lan).")] public string url = "ws://127.0.0.1:8765/";
        [Tooltip("With wss://: the certificate's fingerprint, as the bridge shows it.")] public string fingerprint = "";
        [Tooltip("With wss://, the first time: the pairing code, as the bridge shows it.")] public string pairingCode = "";
        [Tooltip("Which of the bridge's faces.")] [Range(0, Wire.Faces - 1)] public int face;
        [Tooltip("Live Link Face: 11111; VMC: 39539; 0 means the usual one.")] public int port;
        [Tooltip("Live Link Face and VMC are not signed by anybody. Off: only programs of this machine are heard.")] public bool otherMachines;

        private readonly FrameTrack _track = new FrameTrack();
        private readonly SoundTrack _sound = new SoundTrack();
        private readonly Delay _delay = new Delay();
        private Guest _guest;
        private BridgeClient _client;
        private UdpReceiver _udp;
        private double _lastMediaS = double.NegativeInfinity;

        /// <summary>Something happened at the bridge (speech_started, neutral ...), on the main thread: name, face or -1, text or null.</summary>
        public event Action<string, int, string> Happened;

        /// <summary>How it goes, for people.</summary>
        public string Status => _guest == null ? "off" : _udp != null ? (_udp.Hears ? "live" : "waits at port " + _udp.Port) : _guest.Status;

        public bool IsLive => _guest != null && (_udp != null ? _udp.Hears : _client.State == BridgeState.Live);

        /// <summary>Names of the bridge's faces.</summary>
        public string[] Faces => _guest == null ? new string[0] : _guest.Faces;

        /// <summary>Frames that have come since it was enabled.</summary>
        public long Received => _track.Received;

        internal SoundTrack Sound => _sound;

        internal Delay Delay => _delay;

        internal AvatarVoice Voice { get; set; }

        /// <summary>The bridge's time at a moment of Now.S.</summary>
        internal double MediaS(double nowS) => _client == null ? nowS : _client.Clock.MediaS(nowS);

        /// <summary>Where an app is heard.</summary>
        internal int UdpPort => port > 0 ? port : origin == FaceOrigin.Vmc ? VmcReader.Port : LiveLinkReader.Port;

        internal bool ClockKnown => _client != null && _client.Clock.Known;

        /// <summary>The face of this moment: the one whose sound is being heard, or the newest. False when none ever came.</summary>
        public bool TryGetFace(FramePacket into)
        {
            var nowS = Now.S;
            if (Voice == null || !Voice.Heard(nowS, out var mediaS)) return _track.ShowNewest(nowS, into);
            return _track.Show(Onward(mediaS), nowS, into);
        }

        /// <summary>Never backwards, but for another bridge.</summary>
        internal double Onward(double mediaS) => _lastMediaS = mediaS < _lastMediaS && _lastMediaS - mediaS < 1 ? _lastMediaS : mediaS;

        /// <summary>Say a text, after what is being said. False where the bridge is away.</summary>
        public bool Say(string text, string language = null) => Send(new JsonText("say").With("face", face).With("text", text).With("language", language));

        /// <summary>What is left out stays. `gaze` is a direction from between the eyes, in Unity's axes of the avatar.</summary>
        public bool Control(string emotion = null, float? intensity = null, string gesture = null, bool? interrupt = null, Vector3? gaze = null, bool? listener = null)
        {
            var message = new JsonText("control").With("face", face).With("emotion", emotion).With("gesture", gesture);
            if (intensity.HasValue) message.With("intensity", (double)intensity.Value);
            if (interrupt.HasValue) message.With("interrupt", interrupt.Value);
            if (listener.HasValue) message.With("listener", listener.Value);
            if (gaze.HasValue) message.With("gaze", Ours(gaze.Value));
            return Send(message);
        }

        /// <summary>Every face to neutral at once, and silence.</summary>
        public bool Panic() => Send(new JsonText("panic"));

        public bool Resume() => Send(new JsonText("resume"));

        // Left, up, ahead.
        private static float[] Ours(Vector3 unitys)
        {
            var told = UnityTurn.Point(unitys.x, unitys.y, unitys.z);
            return new[] { told.x, told.y, told.z };
        }

        private bool Send(JsonText message) => _client != null && _client.Send(message);

        private void OnEnable()
        {
            _track.Clear();
            _sound.Reset();
            _guest = new Guest(this);
            try
            {
                if (origin == FaceOrigin.Bridge) OpenBridge();
                else OpenUdp();
            }
            catch (Exception cause) when (cause is ArgumentException || cause is System.Net.Sockets.SocketException || cause is FormatException)
            {
                Debug.LogError("avatar3d: " + cause.Message, this);
                _guest = null;
                enabled = false;
            }
        }

        private void OnDisable()
        {
            _client?.Close();
            _udp?.Close();
            _client = null;
            _udp = null;
            _guest = null;
            _sound.Reset();
        }

        private void Update() => _guest?.Deliver();

        private void OpenBridge()
        {
            var told = new BridgeParams { Url = url, Token = Credentials.Token(url), Fingerprint = fingerprint, PairingCode = pairingCode, Faces = new[] { face } };
            _client = new BridgeClient(told, _guest);
            _client.Open();
        }

        private void OpenUdp()
        {
            var reader = origin == FaceOrigin.Vmc ? (IDatagramReader)new VmcReader() : new LiveLinkReader();
            _udp = new UdpReceiver(reader, otherMachines ? "0.0.0.0" : "127.0.0.1", UdpPort, _track.Add, _guest.Tell);
            _udp.Open();
        }

        internal void Take(FramePacket frame, double nowS)
        {
            _delay.Saw(nowS, MediaS(nowS) - frame.MediaTimeS);
            _track.Add(frame, nowS);
        }

        internal void Take(SoundPacket sound, double nowS)
        {
            var voice = Voice;
            if (voice == null) return;
            _delay.Saw(nowS, MediaS(nowS) - sound.MediaTimeS + voice.LatencyS);
            _sound.Add(sound);
        }

        internal void Happens(string name, int number, string text) => Happened?.Invoke(name, number, text);
    }
}
