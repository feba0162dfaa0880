// URP: the same portrait, and a look at whether the avatar's materials are this pipeline's.
using UnityEngine;
using UnityEngine.Rendering;

namespace Avatar3D.Samples
{
    /// <summary>Drop it on an empty object and give it the avatar's prefab. Needs `avatar3d live --stay` on this machine.</summary>
    public sealed class UrpDemo : MonoBehaviour
    {
        [Tooltip("NAME_avatar3d/NAME.prefab, made beside the imported GLB.")] public GameObject avatar;
        [Tooltip("Spots are softer than the sun, and cost a shadow each.")] public bool softLight = true;

        private AvatarReceiver _receiver;

        private void Start()
        {
            var pipeline = GraphicsSettings.currentRenderPipeline;
            if (pipeline == null) Debug.LogWarning("avatar3d: this project uses the built-in pipeline; take the sample for that one.");
            var instance = Instantiate(avatar);
            instance.SetActive(false);
            _receiver = instance.AddComponent<AvatarReceiver>();
            instance.AddComponent<AudioSource>();
            instance.AddComponent<AvatarVoice>();
            if (instance.GetComponent<AvatarFace>() == null) instance.AddComponent<AvatarFace>();
            instance.SetActive(true);
            LookAtMaterials(instance);
            Spot(new Vector3(-0.6f, 0.7f, 1.1f), 6, new Color(1, 0.95f, 0.88f));
            Spot(new Vector3(0.9f, 0.1f, 0.9f), 2.5f, new Color(0.85f, 0.92f, 1));
            Spot(new Vector3(0.3f, 0.6f, -1.1f), 4, Color.white);
            var view = Camera.main;
            if (view == null) return;
            view.transform.position = new Vector3(0, 0, 0.85f);
            view.transform.rotation = Quaternion.LookRotation(Vector3.back, Vector3.up);
            view.fieldOfView = 24;
            view.nearClipPlane = 0.05f;
        }

        private void OnGUI() => GUILayout.Label("AI-generated avatar. Bridge: " + _receiver.Status);

        private static void LookAtMaterials(GameObject instance)
        {
            foreach (var renderer in instance.GetComponentsInChildren<Renderer>(true))
                foreach (var material in renderer.sharedMaterials)
                    if (material != null && material.shader.name == "Standard")
                        Debug.LogWarning("avatar3d: " + material.name + " is of the built-in pipeline. Delete the folder beside the GLB, and import it again.");
        }

        private void Spot(Vector3 from, float intensity, Color colour)
        {
            var light = new GameObject("light").AddComponent<Light>();
            light.type = LightType.Spot;
            light.transform.position = from;
            light.transform.rotation = Quaternion.LookRotation(-from, Vector3.up);
            light.spotAngle = 50;
            light.range = 4;
            light.intensity = intensity;
            light.color = colour;
            light.shadows = softLight ? LightShadows.Soft : LightShadows.None;
        }
    }
}
