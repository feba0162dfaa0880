// Sound by its media time: added as it comes, ahead of its time, and read by whoever plays it, at the rate of his card.
using System;
using Avatar3D.Interop;

namespace Avatar3D.Internal
{
    /// <summary>One thread adds, another reads; what has been read, taken back or never came is silence.</summary>
    public sealed class SoundTrack
    {
        private const double RingS = 12, FadeS = 0.004;
        private readonly object _lock = new object();
        private float[] _ring = new float[0];
        private int _rateHz;
        private long _end = long.MinValue, _cleared;

        /// <summary>A piece that has just come. The first of a new rate begins anew.</summary>
        public void Add(SoundPacket sound)
        {
            if (sound.RateHz < 8000 || double.IsNaN(sound.MediaTimeS) || double.IsInfinity(sound.MediaTimeS) || Math.Abs(sound.MediaTimeS) > 1e9) return;
            lock (_lock)
            {
                var told = (long)Math.Round(sound.MediaTimeS * sound.RateHz);
                if (sound.RateHz != _rateHz) Begin(sound.RateHz, told);
                if (_end != long.MinValue && told + sound.Count < _cleared - _ring.Length) Begin(_rateHz, told); // the bridge began anew
                // Rounded media times of what follows on must leave no gap of a sample.
                var start = _end != long.MinValue && Math.Abs(told - _end) <= 2 ? _end : told;
                for (var i = 0; i < sound.Count; i++)
                {
                    var place = start + i;
                    if (place < _cleared || place >= _cleared + _ring.Length) continue;
                    _ring[Index(place)] = sound.Samples[i] / 32767f;
                }
                _end = Math.Max(start + sound.Count, _end);
            }
        }

        /// <summary>From that media time on nothing is to be heard.</summary>
        public void Flush(double mediaS)
        {
            lock (_lock)
            {
                if (_rateHz == 0 || double.IsNaN(mediaS)) return;
                var fade = (int)(FadeS * _rateHz);
                var start = Math.Max((long)Math.Ceiling(mediaS * _rateHz), _cleared);
                var end = Math.Min(_end, _cleared + _ring.Length);
                for (var place = start; place < end; place++) _ring[Index(place)] *= Math.Max(0f, 1 - (place - start) / (float)fade);
                _end = Math.Min(_end, start + fade);
            }
        }

        /// <summary>
        /// Multiplies every channel of a block by the sound from media time `fromS` on, `stepS` a sample, and forgets what was before it.
        /// A block of ones becomes the sound; one that an engine has panned stays panned. Gives the sound's power.
        /// </summary>
        public double Multiply(float[] block, int channels, double fromS, double stepS)
        {
            lock (_lock)
            {
                var power = 0.0;
                var frames = block.Length / channels;
                for (var i = 0; i < frames; i++)
                {
                    var value = _rateHz == 0 ? 0 : Value((fromS + i * stepS) * _rateHz);
                    power += value * value;
                    for (var channel = 0; channel < channels; channel++) block[i * channels + channel] *= value;
                }
                Clear((long)Math.Floor((fromS + frames * stepS) * _rateHz) - 2);
                return frames > 0 ? power / frames : 0;
            }
        }

        /// <summary>Nothing has come.</summary>
        public void Reset()
        {
            lock (_lock) _rateHz = 0;
        }

        private void Begin(int rateHz, long start)
        {
            if (rateHz != _rateHz) _ring = new float[(int)(RingS * rateHz)];
            else Array.Clear(_ring, 0, _ring.Length);
            _rateHz = rateHz;
            _end = long.MinValue;
            _cleared = start - rateHz / 2;
        }

        // Catmull and Rom's cubic through four samples.
        private float Value(double position)
        {
            var at = (long)Math.Floor(position);
            if (at >= _end + 2 || at < _cleared) return 0;
            var part = (float)(position - at);
            float a = Sample(at - 1), b = Sample(at), c = Sample(at + 1), d = Sample(at + 2);
            return b + 0.5f * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)));
        }

        private float Sample(long place) => place < _cleared || place >= _end || place >= _cleared + _ring.Length ? 0 : _ring[Index(place)];

        private int Index(long place)
        {
            var index = (int)(place % _ring.Length);
            return index < 0 ? index + _ring.Length : index;
        }

        // What has been heard is silence when the ring comes round again.
        private void Clear(long upto)
        {
            if (_rateHz == 0 || upto <= _cleared) return;
            for (var place = Math.Max(_cleared, upto - _ring.Length); place < upto; place++) _ring[Index(place)] = 0;
            _cleared = upto;
        }
    }
}
