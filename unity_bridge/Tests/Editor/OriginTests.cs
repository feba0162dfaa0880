// Which GLBs are ours: the sample is, damaged and foreign files are not, and none makes an exception.
using System;
using System.IO;
using System.Text;
using NUnit.Framework;

namespace Avatar3D.Editor.Tests
{
    public sealed class OriginTests
    {
        private string _path;

        [SetUp]
        public void Begin() => _path = Path.Combine(Path.GetTempPath(), "avatar3d_" + Guid.NewGuid().ToString("N") + ".glb");

        [TearDown]
        public void End() => File.Delete(_path);

        [Test]
        public void OurOwnIsKnownByItsGenerator()
        {
            Assert.IsTrue(GlbOrigin.IsOurs(Path.GetFullPath("Packages/com.avatar3d.unity/Tests/Editor/Sample/egg.glb")));
            Assert.IsTrue(GlbOrigin.IsOurs(Write("{\"asset\":{\"generator\":\"avatar3d 0.1.0\"}}")));
        }

        [Test]
        public void OthersAndDamagedOnesAreNot()
        {
            Assert.IsFalse(GlbOrigin.IsOurs(Write("{\"asset\":{\"generator\":\"Khronos\"}}")));
            Assert.IsFalse(GlbOrigin.IsOurs(Write("{\"asset\":{\"generator\":5}}")));
            Assert.IsFalse(GlbOrigin.IsOurs(Write("{\"asset\":")));
            Assert.IsFalse(GlbOrigin.IsOurs(Write("")));
            Assert.IsFalse(GlbOrigin.IsOurs(_path + ".glb"), "no such file");
            Assert.IsFalse(GlbOrigin.IsOurs(Path.ChangeExtension(_path, ".png")));
            File.WriteAllBytes(_path, new byte[] { 0x67, 0x6C, 0x54, 0x46, 2, 0, 0 });
            Assert.IsFalse(GlbOrigin.IsOurs(_path));
            var cut = File.ReadAllBytes(Write("{\"asset\":{\"generator\":\"avatar3d 0.1.0\"}}"));
            Array.Resize(ref cut, cut.Length - 5);
            File.WriteAllBytes(_path, cut);
            Assert.IsFalse(GlbOrigin.IsOurs(_path));
        }

        private string Write(string json)
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            using (var writer = new BinaryWriter(File.Create(_path)))
            {
                writer.Write(0x46546C67u);
                writer.Write(2u);
                writer.Write(20u + (uint)bytes.Length);
                writer.Write((uint)bytes.Length);
                writer.Write(0x4E4F534Au);
                writer.Write(bytes);
            }
            return _path;
        }
    }
}
