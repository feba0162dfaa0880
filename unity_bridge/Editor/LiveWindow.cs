// Window > avatar3d > Live: connect, see how it goes, record what comes to an AnimationClip. No play mode is needed.
using System;
using Avatar3D.Interop;
using Avatar3D.Internal;
using UnityEditor;
using UnityEngine;

namespace Avatar3D.Editor
{
    /// <summary>Shows the bridge's face on the avatar that is chosen, in the scene as it stands.</summary>
    public sealed class LiveWindow : EditorWindow, IBridgeListener
    {
        private readonly FramePacket _shown = new FramePacket();
        private readonly FrameTrack _track = new FrameTrack();
        private BridgeParams _params;
        private BridgeClient _client;
        private AvatarFace _face;
        private Take _take;
        private string _token = "";
        private volatile string _status = "off";
        private volatile string _given;
        private int _number;

        [MenuItem("Window/avatar3d/Live")]
        private static void Open() => GetWindow<LiveWindow>("avatar3d");

        private void OnEnable()
        {
            _params = new BridgeParams { Url = EditorPrefs.GetString("avatar3d.url", new BridgeParams().Url), Name = "unity editor", Sound = false };
            _token = Credentials.Token(_params.Url) ?? "";
            EditorApplication.update += Tick;
        }

        private void OnDisable()
        {
            EditorApplication.update -= Tick;
            Disconnect();
        }

        private void OnGUI()
        {
            EditorGUILayout.LabelField("Bridge", EditorStyles.boldLabel);
            using (new EditorGUI.DisabledScope(_client != null))
            {
                _params.Url = EditorGUILayout.TextField("Address", _params.Url);
                _token = EditorGUILayout.PasswordField("Token", _token);
                if (_params.Url.StartsWith("wss", StringComparison.Ordinal) || _params.Url.StartsWith("https", StringComparison.Ordinal))
                {
                    _params.Fingerprint = EditorGUILayout.TextField("Fingerprint", _params.Fingerprint ?? "");
                    _params.PairingCode = EditorGUILayout.TextField("Pairing code", _params.PairingCode ?? "");
                }
                _number = EditorGUILayout.IntSlider("Face", _number, 0, Wire.Faces - 1);
            }
            if (GUILayout.Button(_client == null ? "Connect" : "Disconnect"))
            {
                if (_client == null) Connect();
                else Disconnect();
            }
            EditorGUILayout.LabelField("Status", _status + (_client == null ? "" : ", " + _track.Received + " frames"));
            EditorGUILayout.Space();
            _face = (AvatarFace)EditorGUILayout.ObjectField("Avatar", _face, typeof(AvatarFace), true);
            using (new EditorGUI.DisabledScope(_client == null || _face == null))
                if (GUILayout.Button(_take == null ? "Record" : "Stop and save"))
                {
                    if (_take == null) _take = new Take();
                    else Save();
                }
            if (_take != null) EditorGUILayout.LabelField("Recorded", _take.LengthS.ToString("F1") + " s, " + _take.Count + " frames" + (_take.IsFull ? ": full" : ""));
            if (_take != null && _take.Count == 0) EditorGUILayout.HelpBox("Frames are recorded as they come; none has come yet.", MessageType.Info);
        }

        private void Connect()
        {
            EditorPrefs.SetString("avatar3d.url", _params.Url);
            Credentials.Keep(_params.Url, _token);
            _params.Token = _token;
            _params.Faces = new[] { _number };
            _track.Clear();
            _client = new BridgeClient(_params, this);
            try
            {
                _client.Open();
            }
            catch (ArgumentException cause)
            {
                _client = null;
                _status = cause.Message;
            }
            if (_face != null) _face.Find();
        }

        private void Disconnect()
        {
            _client?.Close();
            _client = null;
            if (_take != null && _take.Count > 0) Save();
            _take = null;
            if (_face != null && !Application.isPlaying) _face.Rest();
        }

        private void Tick()
        {
            var given = _given;
            if (given != null)
            {
                _given = null;
                _token = given;
                Credentials.Keep(_params.Url, given);
            }
            if (_client == null) return;
            if (_face != null && !Application.isPlaying && _track.ShowNewest(Now.S, _shown))
            {
                if (_face.Targets.Count == 0) _face.Find();
                _face.Show(_shown);
                SceneView.RepaintAll();
            }
            Repaint();
        }

        private void Save()
        {
            Take take;
            lock (_track)
            {
                take = _take;
                _take = null;
            }
            if (take == null || take.Count == 0 || _face == null) return;
            var path = EditorUtility.SaveFilePanelInProject("Save the performance", "performance", "anim", "Where the AnimationClip goes");
            if (string.IsNullOrEmpty(path)) return;
            if (_face.Targets.Count == 0) _face.Find();
            AssetDatabase.CreateAsset(TakeClip.Make(take, _face, System.IO.Path.GetFileNameWithoutExtension(path)), path);
            AssetDatabase.SaveAssets();
        }

        // On the connection's thread.
        void IBridgeListener.Frame(FramePacket frame, double nowS)
        {
            if (frame.Face != _number) return;
            _track.Add(frame, nowS);
            lock (_track) _take?.Add(frame);
        }

        void IBridgeListener.State(BridgeState state, string detail) => _status = state.ToString().ToLowerInvariant() + (detail == "" ? "" : ": " + detail);

        void IBridgeListener.Identified(string[] faces, string token) => _given = token;

        void IBridgeListener.Sound(SoundPacket sound, double nowS)
        {
        }

        void IBridgeListener.Flush(int face, double mediaS)
        {
        }

        void IBridgeListener.Event(string name, int face, string text)
        {
        }
    }
}
