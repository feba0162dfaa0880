// The core against a bridge that runs: what arrives, how late, whether whole, and how much garbage it makes.
//
//     mono probe.exe key=value ...     url token fingerprint pairing_code livelink vmc frames seconds out
//
// Waits until each receiver that was asked for has so many frames, or for so many seconds; the table goes to OUT as JSON lines,
// states to stdout as they come. A frame's fault is counted as torn: all its 52 weights are meant to be equal.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Reflection;
using System.Threading;
using Avatar3D.Interop;
using Avatar3D.Internal;

public static class Probe
{
    private static readonly Dictionary<string, string> Told = new Dictionary<string, string>();

    public static int Main(string[] words)
    {
        foreach (var word in words) Told[word.Split('=')[0]] = word.Substring(word.IndexOf('=') + 1);
        var count = int.Parse(Get("frames", "600"), CultureInfo.InvariantCulture);
        var meter = (Func<long>)Delegate.CreateDelegate(typeof(Func<long>), typeof(GC).GetMethod("GetAllocatedBytesForCurrentThread", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic));
        var socket = new Table(count);
        var listener = new Listener(socket);
        var client = new BridgeClient(new BridgeParams { Url = Get("url", ""), Token = Get("token", null), Fingerprint = Get("fingerprint", null), PairingCode = Get("pairing_code", null) }, listener) { Meter = meter };
        var tables = new Dictionary<string, Table> { { "websocket", socket } };
        var receivers = new Dictionary<string, UdpReceiver>();
        Listen("livelink", new LiveLinkReader(), count, meter, tables, receivers);
        Listen("vmc", new VmcReader(), count, meter, tables, receivers);
        if (Get("url", "") != "") client.Open();
        else tables.Remove("websocket");
        var endS = Now.S + double.Parse(Get("seconds", "30"), CultureInfo.InvariantCulture);
        int collections = -1;
        long memory = 0;
        while (Now.S < endS && !All(tables, table => table.Count >= count))
        {
            Thread.Sleep(20);
            if (collections >= 0 || !All(tables, table => table.Count >= count / 10)) continue;
            collections = GC.CollectionCount(0);
            memory = GC.GetTotalMemory(false);
        }
        var grown = GC.GetTotalMemory(false) - memory;
        collections = GC.CollectionCount(0) - collections;
        using (var file = new StreamWriter(Get("out", "probe.txt")))
        {
            file.WriteLine(Line("process", "collections", collections, "grown_bytes", grown, "clock_error_ms", 1000 * client.Clock.ErrorS));
            foreach (var pair in tables)
            {
                var receiver = receivers.ContainsKey(pair.Key) ? receivers[pair.Key] : null;
                var allocated = receiver != null ? receiver.AllocatedBytes : client.AllocatedBytes;
                var table = pair.Value;
                file.WriteLine(Line(pair.Key, "frames", table.Count, "torn", table.Torn, "allocated_bytes", allocated, "sounds", listener.Sounds, "reconnections", client.Reconnections));
                for (var i = 0; i < Math.Min(table.Count, count); i++)
                    file.WriteLine(Line(pair.Key + "_frame", "told_s", table.ToldS[i], "media_s", client.Clock.MediaS(table.ArrivedS[i]), "weight", table.Weight[i], "seq", table.Seq[i]));
            }
        }
        client.Close();
        foreach (var receiver in receivers.Values) receiver.Close();
        return 0;
    }

    private static void Listen(string name, IDatagramReader reader, int count, Func<long> meter, Dictionary<string, Table> tables, Dictionary<string, UdpReceiver> receivers)
    {
        var port = Get(name, null);
        if (port == null) return;
        var table = new Table(count);
        UdpReceiver receiver = null;
        receiver = new UdpReceiver(reader, "127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture), (frame, nowS) => table.Add(frame, receiver.SenderS, nowS), Say) { Meter = meter };
        receiver.Open();
        tables[name] = table;
        receivers[name] = receiver;
    }

    private static string Get(string name, string otherwise) => Told.ContainsKey(name) ? Told[name] : otherwise;

    private static bool All(Dictionary<string, Table> tables, Func<Table, bool> holds)
    {
        foreach (var table in tables.Values)
            if (!holds(table)) return false;
        return true;
    }

    private static void Say(string line)
    {
        Console.WriteLine(Now.S.ToString("F4", CultureInfo.InvariantCulture) + " " + line);
        Console.Out.Flush();
    }

    private static string Line(string kind, params object[] pairs)
    {
        var text = "{\"kind\": \"" + kind + "\"";
        for (var i = 0; i < pairs.Length; i += 2)
            text += ", \"" + pairs[i] + "\": " + (pairs[i + 1] is double real ? double.IsNaN(real) ? "null" : real.ToString("R", CultureInfo.InvariantCulture) : Convert.ToString(pairs[i + 1], CultureInfo.InvariantCulture));
        return text + "}";
    }

    private sealed class Table
    {
        public readonly double[] ToldS, ArrivedS;
        public readonly float[] Weight;
        public readonly uint[] Seq;
        public volatile int Count;
        public int Torn;

        public Table(int count)
        {
            ToldS = new double[count];
            ArrivedS = new double[count];
            Weight = new float[count];
            Seq = new uint[count];
        }

        public void Add(FramePacket frame, double toldS, double nowS)
        {
            for (var i = 1; i < Wire.Shapes; i++)
            {
                if (Math.Abs(frame.Weights[i] - frame.Weights[0]) <= 1e-6f) continue;
                Torn++;
                break;
            }
            if (Count < ToldS.Length)
            {
                ToldS[Count] = toldS;
                ArrivedS[Count] = nowS;
                Weight[Count] = frame.Weights[0];
                Seq[Count] = frame.Seq;
            }
            Count++;
        }
    }

    private sealed class Listener : IBridgeListener
    {
        private readonly Table _table;
        public int Sounds;

        public Listener(Table table) => _table = table;

        public void State(BridgeState state, string detail) => Say("state " + state + " " + detail);

        public void Identified(string[] faces, string token) => Say("faces " + string.Join(",", faces) + (token == null ? "" : " token given"));

        public void Frame(FramePacket frame, double nowS) => _table.Add(frame, frame.MediaTimeS, nowS);

        public void Sound(SoundPacket sound, double nowS) => Sounds++;

        public void Flush(int face, double mediaS) => Say("flush " + face);

        public void Event(string name, int face, string text) => Say("event " + name);
    }
}
