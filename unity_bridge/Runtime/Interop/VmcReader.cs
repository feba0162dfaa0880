// VMC, the protocol of Virtual Motion Capture: OSC by UDP, read as avatar3d/live/dialects/vmc.py reads it.
//
// Read are T, Blend and the bones of head, neck and eyes alone. What would make a receiver open a file or an address is ignored.
using System;
using System.Text;

namespace Avatar3D.Interop
{
    /// <summary>Reads VMC. A frame may be spread over many datagrams, and any may be lost: what is not said again stays.</summary>
    public sealed class VmcReader : IDatagramReader
    {
        public const int Port = 39539;
        private const int Head = 0, Neck = 1, LeftEye = 2, RightEye = 3, Bones = 4;
        private const float FullJaw = 0.7f; // an avatar's A is as open as it ever speaks (avatar3d/live/dialects/vrm.py)

        private static readonly byte[] TimeAddress = Encoding.ASCII.GetBytes("/VMC/Ext/T");
        private static readonly byte[] ValueAddress = Encoding.ASCII.GetBytes("/VMC/Ext/Blend/Val");
        private static readonly byte[] ApplyAddress = Encoding.ASCII.GetBytes("/VMC/Ext/Blend/Apply");
        private static readonly byte[] BoneAddress = Encoding.ASCII.GetBytes("/VMC/Ext/Bone/Pos");
        private static readonly string[] BoneNames = { "head", "neck", "lefteye", "righteye" };

        private readonly OscMessages _osc = new OscMessages();
        private readonly Said _read = new Said();
        private readonly Said _said = new Said();
        private readonly float[] _weights = new float[Wire.Shapes];

        public string Name => "vmc";

        public int DatagramsPerFrame => 160; // some send every bone and blendshape as a datagram of its own

        public double TimeS { get; private set; } = double.NaN;

        public Reading Read(byte[] bytes, int length)
        {
            TimeS = double.NaN;
            _read.Clear();
            var whole = false;
            _osc.Open(bytes, length);
            while (_osc.Next())
            {
                if (_osc.Is(ValueAddress)) ReadValue(bytes);
                else if (_osc.Is(BoneAddress)) ReadBone(bytes);
                else if (_osc.Is(ApplyAddress)) whole = true;
                else if (_osc.Is(TimeAddress) && _osc.Number(0, out var timeS)) TimeS = Checked(timeS);
            }
            if (_osc.Failed || _read.Spoilt || double.IsInfinity(TimeS)) return Reading.Malformed;
            return whole ? Reading.Whole : _read.Any ? Reading.Part : Reading.Nothing;
        }

        public void Merge() => _said.Take(_read, TimeS);

        public void ForgetTimes() => _said.ForgetTimes();

        public void Reset() => _said.Clear();

        public void Face(FramePacket into)
        {
            Weigh();
            Array.Copy(_weights, into.Weights, Wire.Shapes);
            Turns.OfLooks(_weights, into.LeftEyeWxyz, into.RightEyeWxyz);
            Turns.Rest(into.HeadWxyz);
            Copy(Head, into.HeadWxyz);
            if (_said.HasTurn[Neck]) Turns.Times(_said.Turned[Neck], into.HeadWxyz, into.HeadWxyz);
            Copy(LeftEye, into.LeftEyeWxyz);
            Copy(RightEye, into.RightEyeWxyz);
        }

        private void Copy(int bone, float[] into)
        {
            if (_said.HasTurn[bone]) Array.Copy(_said.Turned[bone], into, 4);
        }

        private void ReadValue(byte[] bytes)
        {
            if (!_osc.Text(0, out var begin, out var length) || !_osc.Number(1, out var value)) return;
            var told = (float)Checked(value);
            var number = ShapeNames.Find(bytes, begin, length);
            if (number < 0) return;
            _read.Has[number] = _read.Any = true;
            _read.Values[number] = Math.Min(Math.Max(told, 0), 1);
        }

        private void ReadBone(byte[] bytes)
        {
            if (!_osc.Text(0, out var begin, out var length)) return;
            var bone = FindBone(bytes, begin, length);
            if (bone < 0) return;
            for (var i = 0; i < 7; i++)
            {
                if (!_osc.Number(1 + i, out var value)) return;
                _read.Scratch[i] = (float)Checked(value);
            }
            var told = _read.Scratch;
            if (Turns.FromUnity(told[3], told[4], told[5], told[6], _read.Turned[bone])) _read.HasTurn[bone] = _read.Any = true;
        }

        private static int FindBone(byte[] bytes, int begin, int length)
        {
            for (var bone = 0; bone < Bones; bone++)
            {
                var name = BoneNames[bone];
                var same = name.Length == length;
                for (var i = 0; same && i < length; i++) same = (bytes[begin + i] | 0x20) == name[i];
                if (same) return bone;
            }
            return -1;
        }

        private double Checked(double value)
        {
            if (double.IsNaN(value) || double.IsInfinity(value)) _read.Spoilt = true;
            return value;
        }

        // ARKit's names count where one was ever said; otherwise the presets, as vrm.py shares them out.
        private void Weigh()
        {
            Array.Clear(_weights, 0, Wire.Shapes);
            var any = false;
            for (var i = 0; i < Wire.Shapes; i++)
            {
                any |= _said.Has[i];
                _weights[i] = _said.Has[i] ? _said.Values[i] : 0;
            }
            if (!any) Presets.Weigh(_said.Values, FullJaw, _weights);
        }

        // What was said, and when by the sender's clock.
        private sealed class Said
        {
            public readonly float[] Values = new float[ShapeNames.Count];
            public readonly bool[] Has = new bool[ShapeNames.Count];
            public readonly float[][] Turned = { new float[4], new float[4], new float[4], new float[4] };
            public readonly bool[] HasTurn = new bool[Bones];
            public readonly float[] Scratch = new float[7];
            public bool Any, Spoilt;
            private readonly double[] _timesS = new double[ShapeNames.Count + Bones];

            public void Clear()
            {
                Array.Clear(Values, 0, Values.Length);
                Array.Clear(Has, 0, Has.Length);
                Array.Clear(HasTurn, 0, Bones);
                Any = Spoilt = false;
                ForgetTimes();
            }

            public void ForgetTimes()
            {
                for (var i = 0; i < _timesS.Length; i++) _timesS[i] = double.NegativeInfinity;
            }

            public void Take(Said read, double timeS)
            {
                for (var i = 0; i < Values.Length; i++)
                {
                    if (!read.Has[i] || !Newer(i, timeS)) continue;
                    Values[i] = read.Values[i];
                    Has[i] = true;
                }
                for (var bone = 0; bone < Bones; bone++)
                {
                    if (!read.HasTurn[bone] || !Newer(ShapeNames.Count + bone, timeS)) continue;
                    Array.Copy(read.Turned[bone], Turned[bone], 4);
                    HasTurn[bone] = true;
                }
            }

            private bool Newer(int place, double timeS)
            {
                if (double.IsNaN(timeS)) return true;
                if (_timesS[place] > timeS) return false;
                _timesS[place] = timeS;
                return true;
            }
        }
    }
}
