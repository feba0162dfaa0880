// What the bridge says, taken apart: who we are, frames, sound, the time, and what happened.
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>The conversation of one client; lives on the reading thread.</summary>
    internal sealed class Messages
    {
        private const int MostSamples = (Link.MostBytes - Wire.SoundBytes) / 2, MostFaces = Wire.Faces;
        private readonly BridgeParams _params;
        private readonly IBridgeListener _listener;
        private readonly MediaClock _clock;
        private readonly FramePacket _frame = new FramePacket();
        private readonly SoundPacket _sound = new SoundPacket(MostSamples);
        private readonly AckPacket _ack = new AckPacket();
        private readonly byte[] _bytes = new byte[Wire.AckBytes];
        private int _ackEvery = Wire.AckEvery, _unanswered;
        private long _seq;

        internal Messages(BridgeParams told, IBridgeListener listener, MediaClock clock)
        {
            _params = told;
            _listener = listener;
            _clock = clock;
        }

        /// <summary>Hello, identify, identified. Throws LinkClosedException.</summary>
        internal void Meet(Link link)
        {
            var hello = Expect(link, "hello");
            if (!Speaks(hello)) throw new LinkClosedException(Wire.CloseVersion, "the bridge speaks another version");
            var pairs = !string.IsNullOrEmpty(_params.PairingCode) && string.IsNullOrEmpty(_params.Token);
            link.Send(new JsonText("identify").With("version", Wire.Version).With("token", pairs ? null : _params.Token ?? "")
                .With("pairing_code", pairs ? _params.PairingCode : null).With("name", _params.Name)
                .With("frames", _params.Frames).With("sound", _params.Sound).With("faces", _params.Faces).ToString());
            var identified = Expect(link, "identified");
            if (identified.Find("ack_every", out var every) && every.Number(out var told) && told >= 1) _ackEvery = (int)told;
            _clock.Restart();
            if (identified.Find("media_time_s", out var media) && media.Number(out var mediaS)) _clock.Guess(mediaS, Now.S);
            string token = null;
            if (identified.Find("token", out var given) && (token = given.Text()) != null)
            {
                _params.Token = token;
                _params.PairingCode = null;
            }
            _seq = -1;
            _unanswered = 0;
            _listener.Identified(Names(identified), token);
        }

        /// <summary>The message that has just come.</summary>
        internal void Take(Link link, double nowS)
        {
            if (link.IsText) TakeText(link, nowS);
            else if (_frame.TryDecode(link.Message, link.Length)) TakeFrame(link, nowS);
            else if (_sound.TryDecode(link.Message, link.Length)) _listener.Sound(_sound, nowS);
        }

        private void TakeFrame(Link link, double nowS)
        {
            if (!(_frame.MediaTimeS >= -1e12 && _frame.MediaTimeS <= 1e12)) return;
            _listener.Frame(_frame, nowS);
            if (_frame.Seq == _seq) return; // another face of the same tick
            _seq = _frame.Seq;
            if (++_unanswered < _ackEvery) return;
            _unanswered = 0;
            _ack.Seq = _frame.Seq;
            link.Send(_bytes, _ack.Encode(_bytes));
        }

        private void TakeText(Link link, double nowS)
        {
            if (!JsonValue.TryOpen(link.Message, link.Length, out var message) || !message.Find("type", out var type)) return;
            if (type.Is("clock"))
            {
                if (Number(message, "sent_s", out var sentS) && Number(message, "received_s", out var receivedS) && Number(message, "media_time_s", out var mediaS))
                    _clock.Answered(sentS, receivedS, mediaS, nowS);
            }
            else if (type.Is("flush"))
            {
                if (Number(message, "face", out var face) && Number(message, "media_time_s", out var mediaS)) _listener.Flush((int)face, mediaS);
            }
            else if (type.Is("event") && message.Find("name", out var name))
            {
                var face = Number(message, "face", out var number) ? (int)number : -1;
                _listener.Event(name.Text(), face, message.Find("text", out var text) ? text.Text() : null);
            }
            else if (type.Is("error") && message.Find("message", out var what)) _listener.Event("error", -1, what.Text());
        }

        private static JsonValue Expect(Link link, string expected)
        {
            link.Receive();
            if (link.IsText && JsonValue.TryOpen(link.Message, link.Length, out var message) && message.Find("type", out var type) && type.Is(expected)) return message;
            throw new LinkClosedException(LinkClosedException.Lost, "expected " + expected);
        }

        private static bool Speaks(JsonValue hello)
        {
            if (!hello.Find("versions", out var versions)) return false;
            for (var at = 0; versions.Next(ref at, out var each);)
                if (each.Number(out var version) && version == Wire.Version) return true;
            return false;
        }

        private static string[] Names(JsonValue identified)
        {
            var names = new string[MostFaces];
            var count = 0;
            if (identified.Find("faces", out var faces))
                for (var at = 0; count < MostFaces && faces.Next(ref at, out var face);)
                    names[count++] = (face.Find("name", out var name) ? name.Text() : null) ?? "";
            System.Array.Resize(ref names, count);
            return names;
        }

        private static bool Number(JsonValue message, string name, out double value)
        {
            value = 0;
            return message.Find(name, out var found) && found.Number(out value);
        }
    }
}
