// After an avatar3d GLB was imported (by glTFast or UnityGLTF): a prefab beside it with Avatar, materials and the face's component.
using System.Collections.Generic;
using System.IO;
using UnityEditor;
using UnityEngine;

namespace Avatar3D.Editor
{
    /// <summary>
    /// anna.glb becomes anna_avatar3d/: anna.prefab (a variant of what was imported), anna_avatar.asset, and the materials. What is
    /// there already is yours and stays; delete the folder to have it made again.
    /// </summary>
    public sealed class AvatarImport : AssetPostprocessor
    {
        private static readonly HashSet<string> Waiting = new HashSet<string>();

        private static void OnPostprocessAllAssets(string[] imported, string[] deleted, string[] moved, string[] movedFrom)
        {
            foreach (var path in imported)
            {
                // What lies in packages is not ours to write beside.
                if (!path.StartsWith("Assets/", System.StringComparison.Ordinal) || !GlbOrigin.IsOurs(path) || File.Exists(PrefabPath(path)) || !Waiting.Add(path)) continue;
                // Assets are not made while others are being imported.
                EditorApplication.delayCall += () =>
                {
                    Waiting.Remove(path);
                    if (!File.Exists(PrefabPath(path))) Build(path);
                };
            }
        }

        /// <summary>The prefab of a GLB, made now. Null where no importer for GLB is installed.</summary>
        public static GameObject Build(string glb)
        {
            var model = AssetDatabase.LoadAssetAtPath<GameObject>(glb);
            if (model == null)
            {
                Debug.LogWarning("avatar3d: nobody has imported " + glb + ". Install com.unity.cloud.gltfast 6.10 or later.");
                return null;
            }
            var name = Path.GetFileNameWithoutExtension(glb);
            var folder = Folder(glb);
            if (!AssetDatabase.IsValidFolder(folder)) AssetDatabase.CreateFolder(Path.GetDirectoryName(glb).Replace('\\', '/'), Path.GetFileName(folder));
            var instance = (GameObject)PrefabUtility.InstantiatePrefab(model);
            try
            {
                Animate(instance, folder + "/" + name + "_avatar.asset");
                MaterialBuilder.Build(instance, folder);
                if (instance.GetComponent<AvatarFace>() == null) instance.AddComponent<AvatarFace>();
                return PrefabUtility.SaveAsPrefabAsset(instance, PrefabPath(glb));
            }
            finally
            {
                Object.DestroyImmediate(instance);
            }
        }

        // A head without a body is no humanoid, whatever one is told: the Avatar is a generic one.
        private static void Animate(GameObject instance, string path)
        {
            var root = AvatarJoint.Find(instance.transform, "root");
            var avatar = AvatarBuilder.BuildGenericAvatar(instance, root == null ? "" : root.name);
            if (!avatar.isValid)
            {
                Debug.LogWarning("avatar3d: Unity found no valid skeleton in " + instance.name);
                return;
            }
            avatar.name = Path.GetFileNameWithoutExtension(path);
            AssetDatabase.CreateAsset(avatar, path);
            var animator = instance.GetComponent<Animator>();
            if (animator == null) animator = instance.AddComponent<Animator>();
            animator.avatar = avatar;
            animator.applyRootMotion = false;
        }

        private static string Folder(string glb) => glb.Substring(0, glb.Length - ".glb".Length) + "_avatar3d";

        private static string PrefabPath(string glb) => Folder(glb) + "/" + Path.GetFileNameWithoutExtension(glb) + ".prefab";
    }
}
