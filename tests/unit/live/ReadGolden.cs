// The golden packets through Wire.cs.   usage: mono read.exe GOLDEN_FOLDER
using System;
using System.IO;
using System.Linq;
using Avatar3D.Interop;

public static class ReadGolden
{
    private static void Holds(bool so, string what)
    {
        if (!so) throw new Exception(what);
    }

    private static string folder;

    private static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(folder, name));

    public static void Main(string[] words)
    {
        folder = words[0];
        var written = new byte[512];

        var bytes = Bytes("frame.bin");
        var frame = new FramePacket();
        Holds(frame.TryDecode(bytes, bytes.Length), "frame");
        Holds(frame.Seq == 4000000001 && frame.MediaTimeS == 12.75 && frame.Face == 3, "head of the frame");
        Holds((frame.Flags & Wire.Held) != 0 && (frame.Flags & Wire.Jumped) == 0, "flags");
        for (var i = 0; i < Wire.Shapes; i++) Holds(frame.Weights[i] == i / 64f, Wire.ArkitNames[i]);
        var half = (float)Math.Sqrt(0.5);
        Holds(frame.LeftEyeWxyz.SequenceEqual(new[] { 0f, half, half, 0f }), "left eye");
        Holds(frame.Encode(written) == bytes.Length && written.Take(bytes.Length).SequenceEqual(bytes), "frame again");
        Holds(!frame.TryDecode(bytes, 271), "a short frame");
        bytes[18] = 0xC0;
        bytes[19] = 0x7F;
        Holds(!frame.TryDecode(bytes, bytes.Length), "a weight that is no number");

        bytes = Bytes("sound.bin");
        var sound = new SoundPacket(16);
        Holds(sound.TryDecode(bytes, bytes.Length), "sound");
        Holds(sound.RateHz == 16000 && sound.Face == 31 && double.IsNaN(sound.MediaTimeS), "head of the sound");
        Holds(sound.Samples.Take(sound.Count).SequenceEqual(new short[] { 0, 32767, -32767, 1, -2 }), "samples");
        Holds(sound.Encode(written) == bytes.Length && written.Take(bytes.Length).SequenceEqual(bytes), "sound again");
        Holds(!new SoundPacket(4).TryDecode(bytes, bytes.Length), "more than fits");

        bytes = Bytes("ack.bin");
        var ack = new AckPacket();
        Holds(ack.TryDecode(bytes, bytes.Length) && ack.Seq == 0xFEDCBA98, "ack");
        Holds(ack.Encode(written) == bytes.Length && written.Take(bytes.Length).SequenceEqual(bytes), "ack again");
        Console.WriteLine("as written");
    }
}
