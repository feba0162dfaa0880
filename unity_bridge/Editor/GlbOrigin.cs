// Whether a GLB is one of ours: the generator's name in its JSON, read without importing anything.
using System;
using System.IO;
using Avatar3D.Interop;

namespace Avatar3D.Editor
{
    /// <summary>Looks into files of others, too: whatever they hold, the answer is no.</summary>
    internal static class GlbOrigin
    {
        private const uint Magic = 0x46546C67, Json = 0x4E4F534A;
        private const int MostJson = 16 << 20;

        /// <summary>Whether avatar3d has written this file.</summary>
        internal static bool IsOurs(string path)
        {
            if (!path.EndsWith(".glb", StringComparison.OrdinalIgnoreCase)) return false;
            try
            {
                using (var reader = new BinaryReader(File.OpenRead(path)))
                {
                    if (reader.ReadUInt32() != Magic || reader.ReadUInt32() != 2) return false;
                    reader.ReadUInt32();
                    var length = reader.ReadUInt32();
                    if (reader.ReadUInt32() != Json || length > MostJson) return false;
                    var bytes = reader.ReadBytes((int)length);
                    return JsonValue.TryOpen(bytes, bytes.Length, out var document) && document.Find("asset", out var asset)
                        && asset.Find("generator", out var generator) && (generator.Text() ?? "").StartsWith("avatar3d ", StringComparison.Ordinal);
                }
            }
            catch (Exception cause) when (cause is IOException || cause is UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
