// Materials of your own for an avatar: the pipeline's usual shader where it can show them, a copy of the importer's where not.
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;
using UnityEngine.Rendering;

namespace Avatar3D.Editor
{
    /// <summary>
    /// URP: Lit. Built-in: Standard, but for two-sided ones (hair, lashes), which Standard cannot show. Other pipelines, where the
    /// shader is missing, and where roughness is a picture: a copy of the importer's material, that can be edited.
    /// </summary>
    internal static class MaterialBuilder
    {
        private const string Urp = "Universal Render Pipeline/Lit", BuiltIn = "Standard";
        private const float HairCutoff = 0.35f; // cards grow thin in the distance, where mipmaps lower their alpha

        internal static void Build(GameObject avatar, string folder)
        {
            var made = new Dictionary<Material, Material>();
            foreach (var renderer in avatar.GetComponentsInChildren<Renderer>(true))
            {
                var materials = renderer.sharedMaterials;
                for (var i = 0; i < materials.Length; i++)
                {
                    if (materials[i] == null) continue;
                    if (!made.TryGetValue(materials[i], out var own)) made[materials[i]] = own = Make(materials[i], folder);
                    materials[i] = own;
                }
                renderer.sharedMaterials = materials;
            }
        }

        private static Material Make(Material imported, string folder)
        {
            var source = new ImportedMaterial(imported);
            var pipeline = GraphicsSettings.currentRenderPipeline;
            var name = source.Packed ? null : pipeline == null ? (source.TwoSided ? null : BuiltIn) : pipeline.GetType().Name.StartsWith("Universal", System.StringComparison.Ordinal) ? Urp : null;
            var shader = name == null ? null : Shader.Find(name);
            var own = shader == null ? new Material(imported) : new Material(shader);
            own.name = imported.name;
            if (shader != null && name == Urp) Fill(own, source, "_BaseMap", "_BaseColor", "_Smoothness");
            if (shader != null && name == BuiltIn) Fill(own, source, "_MainTex", "_Color", "_Glossiness");
            if (shader != null && name == Urp) FinishUrp(own, source);
            if (shader != null && name == BuiltIn) FinishBuiltIn(own, source);
            AssetDatabase.CreateAsset(own, AssetDatabase.GenerateUniqueAssetPath(folder + "/" + imported.name + ".mat"));
            return own;
        }

        private static void Fill(Material own, ImportedMaterial source, string texture, string colour, string smoothness)
        {
            own.SetTexture(texture, source.BaseColour);
            own.SetColor(colour, source.Tint);
            own.SetFloat(smoothness, 1 - source.Roughness);
            own.SetFloat("_Metallic", source.Metallic);
            if (source.Normal == null) return;
            own.SetTexture("_BumpMap", source.Normal);
            own.EnableKeyword("_NORMALMAP");
        }

        private static void FinishUrp(Material own, ImportedMaterial source)
        {
            if (source.TwoSided) own.SetFloat("_Cull", 0);
            if (source.TwoSided) own.doubleSidedGI = true;
            if (!source.Cut) return;
            own.SetFloat("_AlphaClip", 1);
            own.SetFloat("_Cutoff", Mathf.Min(source.Cutoff, HairCutoff));
            own.EnableKeyword("_ALPHATEST_ON");
            own.renderQueue = (int)RenderQueue.AlphaTest;
        }

        private static void FinishBuiltIn(Material own, ImportedMaterial source)
        {
            if (!source.Cut) return;
            own.SetFloat("_Mode", 1);
            own.SetFloat("_Cutoff", source.Cutoff);
            own.EnableKeyword("_ALPHATEST_ON");
            own.renderQueue = (int)RenderQueue.AlphaTest;
        }
    }
}
