// Which bridge, and what is wanted of it.
using System;

namespace Avatar3D.Internal
{
    /// <summary>Where the bridge is and who we are. Never put the token into a log or a scene that others get.</summary>
    public sealed class BridgeParams
    {
        /// <summary>ws:// or wss://; http:// and https:// mean the same.</summary>
        public string Url = "ws://127.0.0.1:8765/";

        /// <summary>As the bridge has printed it, or as it was given for a pairing code.</summary>
        public string Token;

        /// <summary>With --lan, the first time.</summary>
        public string PairingCode;

        /// <summary>With wss://: SHA-256 of the bridge's certificate, as it has shown it.</summary>
        public string Fingerprint;

        /// <summary>Numbers of the faces that are wanted; null: all.</summary>
        public int[] Faces;

        public bool Frames = true;
        public bool Sound = true;
        public string Name = "unity";

        /// <summary>Throws ArgumentException where it is no address of a bridge.</summary>
        internal Uri Uri()
        {
            var told = Url ?? "";
            if (told.StartsWith("http", StringComparison.Ordinal)) told = "ws" + told.Substring(4);
            if (!System.Uri.TryCreate(told, UriKind.Absolute, out var uri) || (uri.Scheme != "ws" && uri.Scheme != "wss")) throw new ArgumentException("expected ws:// or wss://, got \"" + Url + "\"");
            return new Uri(uri.Scheme + "://" + uri.Authority + "/");
        }
    }

    /// <summary>How it goes.</summary>
    public enum BridgeState
    {
        Off,
        Connecting,
        Live,

        /// <summary>The bridge is away; it is tried again.</summary>
        Waiting,

        /// <summary>It does not want us: a person must act.</summary>
        Refused,
    }

    /// <summary>What the bridge brings, on the connection's own thread: return soon, and copy what you keep.</summary>
    public interface IBridgeListener
    {
        void State(BridgeState state, string detail);

        /// <summary>Names of the faces, by their number, and the token that was given for a pairing code (or null).</summary>
        void Identified(string[] faces, string token);

        void Frame(Interop.FramePacket frame, double nowS);

        void Sound(Interop.SoundPacket sound, double nowS);

        /// <summary>Of that face nothing from that media time on is to be heard.</summary>
        void Flush(int face, double mediaS);

        /// <summary>speech_started, speech_ended, speech_failed, source_lost, source_back, neutral, resumed; face -1 where it means all.</summary>
        void Event(string name, int face, string text);
    }
}
