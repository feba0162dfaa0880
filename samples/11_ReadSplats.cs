// 11. Read NAME.splats in C# (Unity, Godot, .NET; C# 7.2 without packages); 11_read_splats.py tells what it is.
using System;
using System.Collections.Generic;
using System.Text;

public sealed class SplatBinding
{
    /// <summary>Names of the meshes in the avatar's order, and how many triangles each has.</summary>
    public readonly List<KeyValuePair<string, int>> Meshes = new List<KeyValuePair<string, int>>();
    public readonly uint[] Triangle;
    public readonly float[] Barycentric, Offset, Rotation, Scale, Colour, Opacity;

    public SplatBinding(byte[] content)
    {
        if (content.Length < 20 || Encoding.ASCII.GetString(content, 0, 4) != "A3DS" || Word(content, 4) != 1)
            throw new FormatException("not a .splats file of version 1");
        long count = Word(content, 8), triangles = Word(content, 12), names = Word(content, 16);
        if (content.Length != 20 + names + 64 * count) throw new FormatException("the .splats file was cut");
        foreach (var line in Encoding.UTF8.GetString(content, 20, (int)names).Split(new[] { '\n' }, StringSplitOptions.RemoveEmptyEntries))
            Meshes.Add(new KeyValuePair<string, int>(line.Split('\t')[0], int.Parse(line.Split('\t')[1])));
        var at = 20 + (int)names;
        Triangle = new uint[count];
        Buffer.BlockCopy(content, at, Triangle, 0, 4 * (int)count);
        at += 4 * (int)count;
        Barycentric = Column(content, ref at, 3 * (int)count);
        Offset = Column(content, ref at, (int)count);
        Rotation = Column(content, ref at, 4 * (int)count);
        Scale = Column(content, ref at, 3 * (int)count);
        Colour = Column(content, ref at, 3 * (int)count);
        Opacity = Column(content, ref at, (int)count);
        foreach (var triangle in Triangle)
            if (triangle >= triangles) throw new FormatException("a splat rides on a triangle that is not there");
    }

    private static uint Word(byte[] content, int at) => BitConverter.ToUInt32(content, at);

    private static float[] Column(byte[] content, ref int at, int count)
    {
        var column = new float[count];
        Buffer.BlockCopy(content, at, column, 0, 4 * count);
        at += 4 * count;
        return column;
    }
}
