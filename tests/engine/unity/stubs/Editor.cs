// UnityEditor as far as the package names it: signatures by its manual. The asset database of tests finds what tests put there.
using System;
using System.Collections.Generic;
using UnityEngine;
using Object = UnityEngine.Object;

namespace UnityEditor
{
    public class AssetPostprocessor
    {
    }

    public static class AssetDatabase
    {
        public static readonly Dictionary<string, Object> Assets = new Dictionary<string, Object>();

        public static T LoadAssetAtPath<T>(string path) where T : Object => Assets.TryGetValue(path, out var found) ? found as T : null;
        public static void CreateAsset(Object asset, string path) => Assets[path] = asset;
        public static string CreateFolder(string parent, string name) => "";
        public static bool IsValidFolder(string path) => false;
        public static string GenerateUniqueAssetPath(string path) => path;
        public static void SaveAssets()
        {
        }
    }

    public static class PrefabUtility
    {
        public static Object InstantiatePrefab(Object prefab) => prefab;
        public static GameObject SaveAsPrefabAsset(GameObject instance, string path) => instance;
    }

    public static class EditorApplication
    {
        public delegate void CallbackFunction();

        public static CallbackFunction update;
        public static CallbackFunction delayCall;
    }

    public static class EditorPrefs
    {
        public static string GetString(string key, string otherwise) => otherwise;
        public static void SetString(string key, string value)
        {
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class MenuItem : Attribute
    {
        public MenuItem(string path)
        {
        }
    }

    public class EditorWindow : ScriptableObject
    {
        public static T GetWindow<T>(string title) where T : EditorWindow => null;
        public void Repaint()
        {
        }
    }

    public sealed class SceneView : EditorWindow
    {
        public static void RepaintAll()
        {
        }
    }

    public static class EditorStyles
    {
        public static GUIStyle boldLabel => null;
    }

    public enum MessageType
    {
        None,
        Info,
    }

    public static class EditorGUILayout
    {
        public static void LabelField(string label, GUIStyle style, params GUILayoutOption[] options)
        {
        }

        public static void LabelField(string label, string text, params GUILayoutOption[] options)
        {
        }

        public static string TextField(string label, string text, params GUILayoutOption[] options) => text;
        public static string PasswordField(string label, string text, params GUILayoutOption[] options) => text;
        public static int IntSlider(string label, int value, int left, int right, params GUILayoutOption[] options) => value;
        public static Object ObjectField(string label, Object value, Type type, bool sceneObjects, params GUILayoutOption[] options) => value;
        public static void HelpBox(string message, MessageType type)
        {
        }

        public static void Space()
        {
        }
    }

    public static class EditorGUI
    {
        public struct DisabledScope : IDisposable
        {
            public DisabledScope(bool disabled)
            {
            }

            public void Dispose()
            {
            }
        }
    }

    public static class EditorUtility
    {
        public static string SaveFilePanelInProject(string title, string name, string extension, string message) => "";
    }

    public struct EditorCurveBinding
    {
        public string path, propertyName;
        public Type type;

        public static EditorCurveBinding FloatCurve(string path, Type type, string name) => new EditorCurveBinding { path = path, type = type, propertyName = name };
    }

    public static class AnimationUtility
    {
        private static readonly Dictionary<EditorCurveBinding, AnimationCurve> Curves = new Dictionary<EditorCurveBinding, AnimationCurve>();

        public enum TangentMode
        {
            Linear,
        }

        public static string CalculateTransformPath(Transform target, Transform root) => ReferenceEquals(target, root) ? "" : ReferenceEquals(target.parent, root) ? target.name : CalculateTransformPath(target.parent, root) + "/" + target.name;
        public static void SetEditorCurve(AnimationClip clip, EditorCurveBinding binding, AnimationCurve curve) => Curves[binding] = curve;
        public static AnimationCurve GetEditorCurve(AnimationClip clip, EditorCurveBinding binding) => Curves[binding];
        public static void SetKeyLeftTangentMode(AnimationCurve curve, int index, TangentMode mode)
        {
        }

        public static void SetKeyRightTangentMode(AnimationCurve curve, int index, TangentMode mode)
        {
        }
    }
}

namespace UnityEngine
{
    public class ScriptableObject : Object
    {
    }
}
