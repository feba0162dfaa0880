// Built-in pipeline: drop this on an empty object, give it the avatar's prefab, press Play, type what it shall say.
using UnityEngine;

namespace Avatar3D.Samples
{
    /// <summary>A portrait: three lights, a camera at arm's length, and a line to type into. Needs `avatar3d live --stay` on this machine.</summary>
    public sealed class BuiltInDemo : MonoBehaviour
    {
        [Tooltip("NAME_avatar3d/NAME.prefab, made beside the imported GLB.")] public GameObject avatar;

        private AvatarReceiver _receiver;
        private AvatarVoice _voice;
        private string _text = "Hello! I am glad to see you.";

        private void Start()
        {
            Light("key", new Vector3(30, 210, 0), 1.0f, new Color(1, 0.96f, 0.9f));
            Light("fill", new Vector3(10, 140, 0), 0.45f, new Color(0.85f, 0.92f, 1));
            Light("rim", new Vector3(25, 20, 0), 0.6f, Color.white);
            RenderSettings.ambientLight = new Color(0.25f, 0.26f, 0.28f);
            var instance = Instantiate(avatar, Vector3.zero, Quaternion.identity);
            instance.SetActive(false); // so that everything is there before anything begins
            _receiver = instance.AddComponent<AvatarReceiver>();
            instance.AddComponent<AudioSource>();
            _voice = instance.AddComponent<AvatarVoice>();
            if (instance.GetComponent<AvatarFace>() == null) instance.AddComponent<AvatarFace>();
            instance.SetActive(true);
            var view = Camera.main != null ? Camera.main : new GameObject("camera").AddComponent<Camera>();
            // The face looks to +Z; a head is a quarter of a metre high.
            view.transform.position = new Vector3(0, 0, 0.85f);
            view.transform.rotation = Quaternion.LookRotation(Vector3.back, Vector3.up);
            view.fieldOfView = 24;
            view.nearClipPlane = 0.05f;
            view.backgroundColor = new Color(0.18f, 0.19f, 0.2f);
            view.clearFlags = CameraClearFlags.SolidColor;
        }

        private void OnGUI()
        {
            GUILayout.BeginArea(new Rect(16, 16, 360, 120));
            GUILayout.Label("AI-generated avatar. Bridge: " + _receiver.Status + "; loudness " + _voice.Level.ToString("F2"));
            _text = GUILayout.TextField(_text);
            if (GUILayout.Button("Say")) _receiver.Say(_text);
            if (GUILayout.Button("Stop")) _receiver.Control(interrupt: true);
            GUILayout.EndArea();
        }

        private static void Light(string name, Vector3 angles, float intensity, Color colour)
        {
            var light = new GameObject(name).AddComponent<Light>();
            light.type = LightType.Directional;
            light.transform.rotation = Quaternion.Euler(angles);
            light.intensity = intensity;
            light.color = colour;
            light.shadows = name == "key" ? LightShadows.Soft : LightShadows.None;
        }
    }
}
