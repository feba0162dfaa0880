// Between the connection's threads and Unity's: frames and sound pass at once, everything else waits for Update().
using System.Collections.Generic;
using Avatar3D.Interop;
using Avatar3D.Internal;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>A receiver's ear.</summary>
    internal sealed class Guest : IBridgeListener
    {
        private const int Most = 64; // so many events wait for a main thread that sleeps; then the oldest go
        private readonly AvatarReceiver _receiver;
        private readonly Queue<Said> _waiting = new Queue<Said>();
        private volatile string _status = "";
        private volatile string[] _faces = new string[0];
        private int _count;

        internal Guest(AvatarReceiver receiver) => _receiver = receiver;

        internal string Status => _status;

        internal string[] Faces => _faces;

        void IBridgeListener.State(BridgeState state, string detail)
        {
            _status = state.ToString().ToLowerInvariant() + (string.IsNullOrEmpty(detail) ? "" : ": " + detail);
            if (state == BridgeState.Refused) Add(new Said { Name = null, Text = "the bridge refused us: " + detail });
        }

        void IBridgeListener.Identified(string[] faces, string token)
        {
            _faces = faces;
            if (token != null) Add(new Said { Name = "token", Text = token });
        }

        void IBridgeListener.Frame(FramePacket frame, double nowS)
        {
            if (frame.Face == _receiver.face) _receiver.Take(frame, nowS);
        }

        void IBridgeListener.Sound(SoundPacket sound, double nowS)
        {
            if (sound.Face == _receiver.face) _receiver.Take(sound, nowS);
        }

        void IBridgeListener.Flush(int face, double mediaS)
        {
            if (face == _receiver.face) _receiver.Sound.Flush(mediaS);
        }

        void IBridgeListener.Event(string name, int face, string text) => Add(new Said { Name = name, Face = face, Text = text });

        internal void Tell(string line) => Add(new Said { Text = line });

        /// <summary>On the main thread. Where nothing waits it costs a comparison.</summary>
        internal void Deliver()
        {
            while (_count > 0)
            {
                Said said;
                lock (_waiting)
                {
                    said = _waiting.Dequeue();
                    _count = _waiting.Count;
                }
                if (said.Name == null) Debug.Log("avatar3d: " + said.Text, _receiver);
                else if (said.Name == "token") Credentials.Keep(_receiver.url, said.Text);
                else _receiver.Happens(said.Name, said.Face, said.Text);
            }
        }

        private void Add(Said said)
        {
            lock (_waiting)
            {
                if (_waiting.Count == Most) _waiting.Dequeue();
                _waiting.Enqueue(said);
                _count = _waiting.Count;
            }
        }

        private struct Said
        {
            public string Name, Text;
            public int Face;
        }
    }
}
