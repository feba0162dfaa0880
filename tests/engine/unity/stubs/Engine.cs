// The rest of UnityEngine that the package names: signatures by its manual, for compiling only, but for curves and log lines.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class AddComponentMenu : Attribute
    {
        public AddComponentMenu(string menu)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    public sealed class DisallowMultipleComponent : Attribute
    {
    }

    [AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
    public sealed class RequireComponent : Attribute
    {
        public RequireComponent(Type type)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class TooltipAttribute : Attribute
    {
        public TooltipAttribute(string text)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Field)]
    public sealed class RangeAttribute : Attribute
    {
        public RangeAttribute(float least, float most)
        {
        }
    }

    public static class Debug
    {
        public static readonly List<string> Lines = new List<string>();

        public static void Log(object message) => Lines.Add("" + message);
        public static void Log(object message, Object context) => Lines.Add("" + message);
        public static void LogWarning(object message) => Lines.Add("" + message);
        public static void LogError(object message, Object context) => Lines.Add("" + message);
    }

    public enum RuntimePlatform
    {
        Stub,
    }

    public static class Application
    {
        public static bool isPlaying => false;
        public static string unityVersion => "stub";
        public static RuntimePlatform platform => RuntimePlatform.Stub;
    }

    public static class Time
    {
        public static float unscaledTime => 0;
    }

    public static class PlayerPrefs
    {
        private static readonly Dictionary<string, string> Kept = new Dictionary<string, string>();

        public static string GetString(string key, string otherwise) => Kept.TryGetValue(key, out var value) ? value : otherwise;
        public static void SetString(string key, string value) => Kept[key] = value;
        public static void DeleteKey(string key) => Kept.Remove(key);
        public static void Save()
        {
        }
    }

    public class Texture : Object
    {
    }

    public sealed class Shader : Object
    {
        public static Shader Find(string name) => null;
    }

    public sealed class Material : Object
    {
        public Material(Shader shader)
        {
        }

        public Material(Material source)
        {
        }

        public Shader shader { get; set; }
        public int renderQueue { get; set; }
        public bool doubleSidedGI { get; set; }
        public bool HasProperty(string name) => false;
        public Texture GetTexture(string name) => null;
        public float GetFloat(string name) => 0;
        public Color GetColor(string name) => Color.white;
        public bool IsKeywordEnabled(string keyword) => false;
        public void SetTexture(string name, Texture value)
        {
        }

        public void SetColor(string name, Color value)
        {
        }

        public void SetFloat(string name, float value)
        {
        }

        public void EnableKeyword(string keyword)
        {
        }
    }

    public sealed class AudioSource : Behaviour
    {
        public AudioClip clip { get; set; }
        public bool loop { get; set; }
        public void Play()
        {
        }

        public void Stop()
        {
        }
    }

    public sealed class AudioClip : Object
    {
        public int samples { get; private set; }

        public static AudioClip Create(string name, int lengthSamples, int channels, int frequency, bool stream) => new AudioClip { name = name, samples = lengthSamples };
        public bool SetData(float[] data, int offsetSamples) => true;
        public bool GetData(float[] data, int offsetSamples) => true;
    }

    public static class AudioSettings
    {
        public delegate void AudioConfigurationChangeHandler(bool deviceWasChanged);

        public static event AudioConfigurationChangeHandler OnAudioConfigurationChanged
        {
            add { }
            remove { }
        }

        public static int outputSampleRate => 48000;

        public static void GetDSPBufferSize(out int bufferLength, out int numBuffers)
        {
            bufferLength = 1024;
            numBuffers = 4;
        }
    }

    public static class Microphone
    {
        public static AudioClip Start(string deviceName, bool loop, int lengthSec, int frequency) => null;
        public static void End(string deviceName)
        {
        }

        public static int GetPosition(string deviceName) => 0;
    }

    public sealed class TextAsset : Object
    {
        public byte[] bytes => null;
    }

    public enum LightType
    {
        Spot,
        Directional,
    }

    public enum LightShadows
    {
        None,
        Hard,
        Soft,
    }

    public sealed class Light : Behaviour
    {
        public LightType type { get; set; }
        public float intensity { get; set; }
        public float range { get; set; }
        public float spotAngle { get; set; }
        public Color color { get; set; }
        public LightShadows shadows { get; set; }
    }

    public enum CameraClearFlags
    {
        Skybox,
        SolidColor,
    }

    public sealed class Camera : Behaviour
    {
        public static Camera main => null;
        public float fieldOfView { get; set; }
        public float nearClipPlane { get; set; }
        public Color backgroundColor { get; set; }
        public CameraClearFlags clearFlags { get; set; }
    }

    public static class RenderSettings
    {
        public static Color ambientLight { get; set; }
    }

    public sealed class GUILayoutOption
    {
    }

    public static class GUILayout
    {
        public static void BeginArea(Rect area)
        {
        }

        public static void EndArea()
        {
        }

        public static void Label(string text, params GUILayoutOption[] options)
        {
        }

        public static string TextField(string text, params GUILayoutOption[] options) => text;
        public static bool Button(string text, params GUILayoutOption[] options) => false;
    }

    public sealed class GUIStyle
    {
    }

    public sealed class Avatar : Object
    {
        public bool isValid => true;
    }

    public static class AvatarBuilder
    {
        public static Avatar BuildGenericAvatar(GameObject avatar, string rootMotionTransformName) => new Avatar();
    }

    public sealed class Animator : Behaviour
    {
        public Avatar avatar { get; set; }
        public bool applyRootMotion { get; set; }
    }

    public struct Keyframe
    {
        public float time, value;

        public Keyframe(float time, float value)
        {
            this.time = time;
            this.value = value;
        }
    }

    public sealed class AnimationCurve
    {
        private readonly List<Keyframe> _keys = new List<Keyframe>();

        public int length => _keys.Count;

        public int AddKey(Keyframe key)
        {
            _keys.Add(key);
            return _keys.Count - 1;
        }

        // Straight between keys: what linear tangents are.
        public float Evaluate(float time)
        {
            for (var i = 1; i < _keys.Count; i++)
                if (time <= _keys[i].time) return _keys[i - 1].value + (_keys[i].value - _keys[i - 1].value) * (time - _keys[i - 1].time) / (_keys[i].time - _keys[i - 1].time);
            return _keys[_keys.Count - 1].value;
        }
    }

    public sealed class AnimationClip : Object
    {
        public float frameRate { get; set; }
        public void EnsureQuaternionContinuity()
        {
        }
    }
}

namespace UnityEngine.Rendering
{
    public class RenderPipelineAsset : Object
    {
    }

    public static class GraphicsSettings
    {
        public static RenderPipelineAsset currentRenderPipeline => null;
    }

    public enum RenderQueue
    {
        AlphaTest = 2450,
    }
}
