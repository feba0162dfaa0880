// Prints a .splats file as the sample's reader sees it, one column a line, for test_splats.py.
using System;
using System.Globalization;
using System.IO;
using System.Linq;

public static class PrintSplats
{
    public static int Main(string[] words)
    {
        try
        {
            var read = new SplatBinding(File.ReadAllBytes(words[0]));
            Func<float[], string> told = column => string.Join(" ", column.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
            Console.WriteLine("meshes\t" + string.Join("\t", read.Meshes.Select(mesh => mesh.Key + "\t" + mesh.Value)));
            Console.WriteLine("triangle\t" + string.Join(" ", read.Triangle));
            Console.WriteLine("barycentric\t" + told(read.Barycentric));
            Console.WriteLine("offset\t" + told(read.Offset));
            Console.WriteLine("rotation\t" + told(read.Rotation));
            Console.WriteLine("scale\t" + told(read.Scale));
            Console.WriteLine("colour\t" + told(read.Colour));
            Console.WriteLine("opacity\t" + told(read.Opacity));
            return 0;
        }
        catch (FormatException error)
        {
            Console.WriteLine(error.Message);
            return 3;
        }
    }
}
