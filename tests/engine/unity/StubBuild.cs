// The import's second half on stubs: what is made of a model that an importer has brought. For mono only, beside StubImport.cs.
using Avatar3D;
using Avatar3D.Editor;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

public sealed class StubBuild
{
    [Test]
    public void AnImportedModelBecomesAPrefabWithAvatarMaterialsAndFace()
    {
        var model = new GameObject("anna");
        var root = new GameObject("root");
        root.transform.SetParent(model.transform, false);
        var shown = new GameObject("face");
        shown.transform.SetParent(model.transform, false);
        var imported = new Material((Material)null) { name = "skin" };
        var renderer = shown.AddComponent<SkinnedMeshRenderer>();
        renderer.sharedMaterials = new[] { imported, null, imported };
        AssetDatabase.Assets["Assets/faces/anna.glb"] = model;
        var prefab = AvatarImport.Build("Assets/faces/anna.glb");
        Assert.IsNotNull(prefab.GetComponent<AvatarFace>());
        Assert.IsTrue(prefab.GetComponent<Animator>().avatar.isValid);
        Assert.IsTrue(AssetDatabase.Assets.ContainsKey("Assets/faces/anna_avatar3d/anna_avatar.asset"));
        Assert.IsTrue(AssetDatabase.Assets.ContainsKey("Assets/faces/anna_avatar3d/skin.mat"));
        Assert.AreSame(renderer.sharedMaterials[0], renderer.sharedMaterials[2]);
        Assert.AreNotSame(imported, renderer.sharedMaterials[0]);
    }

    [Test]
    public void WithoutAnImporterThePersonIsToldWhatToInstall()
    {
        Assert.IsNull(AvatarImport.Build("Assets/nobody.glb"));
        StringAssert.Contains("gltfast", Debug.Lines[Debug.Lines.Count - 1]);
    }
}
