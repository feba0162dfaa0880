// Stands for Unity's import in tests under mono: puts an avatar, told in a file, where the proof looks for it.
//
// AVATAR3D_STUB_IMPORT: for each renderer its name, how many vertices, how many shapes; for each shape its name and the moves, float32,
// in Unity's axes. tests/engine/test_unity.py writes it of the same GLB.
using System;
using System.IO;
using NUnit.Framework;
using UnityEditor;
using UnityEngine;

[SetUpFixture]
public sealed class StubImport
{
    [SetUp]
    public void Import()
    {
        var path = Environment.GetEnvironmentVariable("AVATAR3D_STUB_IMPORT");
        if (string.IsNullOrEmpty(path)) return;
        var root = new GameObject("egg");
        using (var reader = new BinaryReader(File.OpenRead(path)))
            while (reader.PeekChar() >= 0)
            {
                var renderer = new GameObject(reader.ReadString());
                renderer.transform.SetParent(root.transform, false);
                int vertices = reader.ReadInt32(), shapes = reader.ReadInt32();
                var mesh = new Mesh { vertices = new Vector3[vertices] };
                for (var shape = 0; shape < shapes; shape++)
                {
                    var name = reader.ReadString();
                    var moves = new Vector3[vertices];
                    for (var i = 0; i < vertices; i++) moves[i] = new Vector3(reader.ReadSingle(), reader.ReadSingle(), reader.ReadSingle());
                    mesh.AddBlendShapeFrame(name, 1, moves, null, null);
                }
                renderer.AddComponent<SkinnedMeshRenderer>().sharedMesh = mesh;
            }
        AssetDatabase.Assets["Packages/com.avatar3d.unity/Tests/Editor/Sample/egg.glb"] = root;
    }
}
