// The components on stubs against a bridge that runs, called as Unity would: sixty pictures a second, and a thread of sound.
//
//     mono play.exe URL TOKEN SECONDS OUT
//
// OUT gets a line for each picture (when, the jaw's weight as the renderer was told) and each block of sound (when it is heard, how loud),
// and at the end what both threads have allocated after the first seconds.
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Reflection;
using System.Threading;
using Avatar3D;
using Avatar3D.Interop;
using UnityEngine;

public static class Play
{
    private const int Block = 1024, RateHz = 48000, Buffers = 4, Channels = 2;
    private const double WarmS = 3;
    private static readonly Func<long> Meter = (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), typeof(GC).GetMethod("GetAllocatedBytesForCurrentThread", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic));
    private static readonly Stopwatch Watch = Stopwatch.StartNew();
    private static volatile bool _ended;
    private static long _soundBytes;

    public static void Main(string[] words)
    {
        Credentials.Keep(words[0], words[1]);
        var avatar = new GameObject("anna");
        var renderer = new GameObject("face");
        renderer.transform.SetParent(avatar.transform, false);
        var mesh = new Mesh { vertices = new Vector3[1] };
        foreach (var name in Wire.ArkitNames) mesh.AddBlendShapeFrame(name, 1, new Vector3[1], null, null);
        renderer.AddComponent<SkinnedMeshRenderer>().sharedMesh = mesh;
        avatar.AddComponent<AudioSource>();
        var receiver = avatar.AddComponent<AvatarReceiver>();
        receiver.url = words[0];
        var voice = avatar.AddComponent<AvatarVoice>();
        avatar.AddComponent<AvatarSmoothing>().halfLifeS = 0;
        var face = avatar.AddComponent<AvatarFace>();
        foreach (var part in new Component[] { receiver, voice, face }) Call(part, "OnEnable")();
        Action update = Call(receiver, "Update"), late = Call(face, "LateUpdate");
        var lastS = double.Parse(words[2], CultureInfo.InvariantCulture);
        var sound = new double[2 * (int)(lastS * RateHz / Block + 100)];
        var pictures = new double[2 * (int)(lastS * 60 + 100)];
        int sounds = 0, jaw = Array.IndexOf(Wire.ArkitNames, "jawOpen");
        var thread = new Thread(() => Hear(voice, lastS, sound, out sounds));
        thread.Start();
        var count = 0;
        long began = 0;
        while (Watch.Elapsed.TotalSeconds < lastS && 2 * count + 1 < pictures.Length)
        {
            Thread.Sleep(Math.Max(0, (int)(1000 * ((count + 1) / 60.0 - Watch.Elapsed.TotalSeconds))));
            update();
            late();
            pictures[2 * count] = Watch.Elapsed.TotalSeconds;
            pictures[2 * count + 1] = renderer.GetComponent<SkinnedMeshRenderer>().GetBlendShapeWeight(jaw);
            count++;
            if (began == 0 && Watch.Elapsed.TotalSeconds > WarmS) began = Meter();
        }
        var bytes = Meter() - began;
        _ended = true;
        thread.Join();
        foreach (var part in new Component[] { face, voice, receiver }) Call(part, "OnDisable")();
        var rest = renderer.GetComponent<SkinnedMeshRenderer>().GetBlendShapeWeight(jaw);
        using (var file = new StreamWriter(words[3]))
        {
            for (var i = 0; i < count; i++) file.WriteLine("picture " + Real(pictures[2 * i]) + " " + Real(pictures[2 * i + 1]));
            for (var i = 0; i < sounds; i++) file.WriteLine("sound " + Real(sound[2 * i]) + " " + Real(sound[2 * i + 1]));
            file.WriteLine("picture_bytes " + bytes);
            file.WriteLine("sound_bytes " + _soundBytes);
            file.WriteLine("received " + receiver.Received);
            file.WriteLine("at_rest " + Real(rest));
            file.WriteLine("log " + string.Join(" | ", UnityEngine.Debug.Lines.ToArray()));
        }
    }

    // As a sound card asks: a block whenever one has been played, which is heard when those before it have been.
    private static void Hear(AvatarVoice voice, double lastS, double[] table, out int count)
    {
        var read = (Action<float[], int>)Delegate.CreateDelegate(typeof(Action<float[], int>), voice, Method(voice, "OnAudioFilterRead"));
        var data = new float[Block * Channels];
        count = 0;
        long began = 0;
        while (!_ended && 2 * count + 1 < table.Length)
        {
            Thread.Sleep(Math.Max(0, (int)(1000 * ((count + 1) * (double)Block / RateHz - Watch.Elapsed.TotalSeconds))));
            for (var i = 0; i < data.Length; i++) data[i] = 1;
            read(data, Channels);
            var power = 0.0;
            for (var i = 0; i < data.Length; i++) power += data[i] * data[i];
            // Played after the buffers before it; its middle half a block later.
            table[2 * count] = (count + 1 + Buffers + 0.5) * Block / RateHz;
            table[2 * count + 1] = Math.Sqrt(power / data.Length);
            count++;
            if (began == 0 && Watch.Elapsed.TotalSeconds > WarmS) began = Meter();
        }
        _soundBytes = Meter() - began;
    }

    private static Action Call(Component part, string name) => (Action)Delegate.CreateDelegate(typeof(Action), part, Method(part, name));

    private static MethodInfo Method(Component part, string name) => part.GetType().GetMethod(name, BindingFlags.Instance | BindingFlags.NonPublic);

    private static string Real(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
