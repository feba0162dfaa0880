// Where the golden packets are: AVATAR3D_GOLDEN, or tests/golden/live of the repository that the package lies in.
using System;
using System.IO;

namespace Avatar3D.Core.Tests
{
    internal static class Golden
    {
        internal static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folder(), name));

        internal static string Folder()
        {
            var told = Environment.GetEnvironmentVariable("AVATAR3D_GOLDEN");
            if (!string.IsNullOrEmpty(told)) return told;
            var folder = Path.Combine(Path.GetFullPath("Packages/com.avatar3d.unity"), "..", "tests", "golden", "live");
            if (!Directory.Exists(folder)) NUnit.Framework.Assert.Ignore("no golden packets: set AVATAR3D_GOLDEN to tests/golden/live of the repository");
            return folder;
        }
    }
}
