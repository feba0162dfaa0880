// Unity's objects, as far as the package uses them: enough behaviour for tests of the components, none of an engine.
using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public class Object
    {
        private bool _destroyed;

        public virtual string name { get; set; } = "";
        public static bool operator ==(Object a, Object b) => ReferenceEquals(Alive(a), Alive(b));
        public static bool operator !=(Object a, Object b) => !(a == b);
        public override bool Equals(object other) => this == other as Object;
        public override int GetHashCode() => base.GetHashCode();
        public static void Destroy(Object gone) => DestroyImmediate(gone);
        public static void DestroyImmediate(Object gone) => gone._destroyed = true;
        public static T Instantiate<T>(T original) where T : Object => throw new NotImplementedException();
        public static T Instantiate<T>(T original, Vector3 position, Quaternion rotation) where T : Object => throw new NotImplementedException();

        private static Object Alive(Object some) => ReferenceEquals(some, null) || some._destroyed ? null : some;
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }
        public Transform transform => gameObject.transform;
        public override string name { get => gameObject.name; set => gameObject.name = value; }
        public T GetComponent<T>() => gameObject.GetComponent<T>();
        public T GetComponentInParent<T>() => gameObject.GetComponentInParent<T>();
        public T[] GetComponentsInChildren<T>(bool inactive) => gameObject.GetComponentsInChildren<T>(inactive);
    }

    public class Behaviour : Component
    {
        public bool enabled { get; set; } = true;
        public bool isActiveAndEnabled => enabled;
    }

    public class MonoBehaviour : Behaviour
    {
    }

    public sealed class GameObject : Object
    {
        private readonly List<Component> _components = new List<Component>();

        public GameObject()
            : this("")
        {
        }

        public GameObject(string name)
        {
            this.name = name;
            transform = AddComponent<Transform>();
        }

        public Transform transform { get; }

        public T AddComponent<T>() where T : Component
        {
            var made = (T)Activator.CreateInstance(typeof(T), true);
            made.gameObject = this;
            _components.Add(made);
            return made;
        }

        public T GetComponent<T>()
        {
            foreach (var each in _components)
                if (each is T found) return found;
            return default(T);
        }

        public T GetComponentInParent<T>()
        {
            for (var at = transform; !ReferenceEquals(at, null); at = at.parent)
                if (at.gameObject.GetComponent<T>() is T found) return found;
            return default(T);
        }

        public T[] GetComponentsInChildren<T>(bool inactive)
        {
            var found = new List<T>();
            Collect(this, found);
            return found.ToArray();
        }

        public void SetActive(bool active)
        {
        }

        private static void Collect<T>(GameObject from, List<T> found)
        {
            foreach (var each in from._components)
                if (each is T one) found.Add(one);
            for (var i = 0; i < from.transform.childCount; i++) Collect(from.transform.GetChild(i).gameObject, found);
        }
    }

    public sealed class Transform : Component
    {
        private readonly List<Transform> _children = new List<Transform>();

        public Transform parent { get; private set; }
        public int childCount => _children.Count;
        public Vector3 position { get; set; }
        public Vector3 localPosition { get; set; }
        public Vector3 forward => rotation * Vector3.forward;
        public Vector3 up => rotation * Vector3.up;
        public Quaternion localRotation { get; set; } = Quaternion.identity;

        public Quaternion rotation
        {
            get => ReferenceEquals(parent, null) ? localRotation : parent.rotation * localRotation;
            set => localRotation = ReferenceEquals(parent, null) ? value : Quaternion.Inverse(parent.rotation) * value;
        }

        public Transform GetChild(int index) => _children[index];

        public void SetParent(Transform above, bool worldPositionStays)
        {
            parent = above;
            above._children.Add(this);
        }
    }

    public class Renderer : Component
    {
        public Material[] sharedMaterials { get; set; } = new Material[0];
    }

    public sealed class SkinnedMeshRenderer : Renderer
    {
        private readonly Dictionary<int, float> _weights = new Dictionary<int, float>();

        public Mesh sharedMesh { get; set; }
        public float GetBlendShapeWeight(int index) => _weights.TryGetValue(index, out var value) ? value : 0;
        public void SetBlendShapeWeight(int index, float value) => _weights[index] = value;
    }

    public sealed class Mesh : Object
    {
        private readonly List<string> _names = new List<string>();
        private readonly List<float> _wholes = new List<float>();
        private readonly List<Vector3[]> _moves = new List<Vector3[]>();

        public Vector3[] vertices { get; set; } = new Vector3[0];
        public int[] triangles { get; set; } = new int[0];
        public int vertexCount => vertices.Length;
        public int blendShapeCount => _names.Count;
        public string GetBlendShapeName(int shape) => _names[shape];
        public int GetBlendShapeIndex(string name) => _names.IndexOf(name);
        public int GetBlendShapeFrameCount(int shape) => 1;
        public float GetBlendShapeFrameWeight(int shape, int frame) => _wholes[shape];
        public void GetBlendShapeFrameVertices(int shape, int frame, Vector3[] vertices, Vector3[] normals, Vector3[] tangents) => _moves[shape].CopyTo(vertices, 0);

        public void AddBlendShapeFrame(string name, float weight, Vector3[] vertices, Vector3[] normals, Vector3[] tangents)
        {
            _names.Add(name);
            _wholes.Add(weight);
            _moves.Add(vertices);
        }
    }
}
