// What an importer's material says, whichever shader it chose: glTFast's names first, then Unity's usual ones.
using UnityEngine;
using UnityEngine.Rendering;

namespace Avatar3D.Editor
{
    /// <summary>Read from a material as glTF means it.</summary>
    internal struct ImportedMaterial
    {
        internal readonly Texture BaseColour, Normal;
        internal readonly Color Tint;
        internal readonly float Roughness, Metallic, Cutoff;
        internal readonly bool Cut, TwoSided;

        /// <summary>Whether roughness and metal are a picture, which glTF packs otherwise than Unity.</summary>
        internal readonly bool Packed;

        internal ImportedMaterial(Material material)
        {
            BaseColour = Picture(material, "baseColorTexture", "_BaseMap", "_MainTex");
            Normal = Picture(material, "normalTexture", "_BumpMap");
            Tint = material.HasProperty("baseColorFactor") ? material.GetColor("baseColorFactor") : material.HasProperty("_BaseColor") ? material.GetColor("_BaseColor") : Color.white;
            Roughness = Number(material, 0.5f, "roughnessFactor", "_Roughness");
            Metallic = Number(material, 0, "metallicFactor", "_Metallic");
            Cutoff = Number(material, 0.5f, "alphaCutoff", "_Cutoff");
            Cut = material.IsKeywordEnabled("_ALPHATEST_ON") || material.renderQueue == (int)RenderQueue.AlphaTest;
            Packed = Picture(material, "metallicRoughnessTexture", "_MetallicGlossMap") != null;
            TwoSided = Number(material, 2, "_Cull", "_CullMode") == 0;
        }

        private static Texture Picture(Material material, params string[] names)
        {
            foreach (var name in names)
                if (material.HasProperty(name) && material.GetTexture(name) != null) return material.GetTexture(name);
            return null;
        }

        private static float Number(Material material, float otherwise, params string[] names)
        {
            foreach (var name in names)
                if (material.HasProperty(name)) return material.GetFloat(name);
            return otherwise;
        }
    }
}
