// VMC beyond its golden datagrams: necks, presets, eyes without bones, and what comes too late.
using System;
using System.Collections.Generic;
using System.Linq;
using Avatar3D.Interop;
using NUnit.Framework;

namespace Avatar3D.Core.Tests
{
    public sealed class VmcTests
    {
        private readonly FramePacket _face = new FramePacket();
        private VmcReader _reader;

        [SetUp]
        public void Begin() => _reader = new VmcReader();

        [Test]
        public void TurnsAreMultipliedAsHamiltonDidEvenInPlace()
        {
            float[] one = { 1, 2, 3, 4 }, two = { 4, -1, 2, 3 };
            Turns.Times(one, two, two);
            Assert.AreEqual(new float[] { -12, 8, 4, 26 }, two);
        }

        [Test]
        public void ANecksTurnComesBeforeTheHeads()
        {
            const float half = 0.70710678f;
            // In Unity's axes x, y, z, w: the neck a quarter about +Y, the head a quarter about +X. Ours about Y is turned back.
            Say(Osc.Said("/VMC/Ext/Bone/Pos", "Neck", 0, 0, 0, 0, half, 0, half), Osc.Said("/VMC/Ext/Bone/Pos", "HEAD", 0, 0, 0, half, 0, 0, half));
            Turned(_face.HeadWxyz, 0.5, 0.5, -0.5, 0.5);
            Say(Osc.Said("/VMC/Ext/Bone/Pos", "Head", 0, 0, 0, 0, 0, 0, 1.2f), Osc.Said("/VMC/Ext/Bone/Pos", "Neck", 0, 0, 0, 0, 0, 0));
            Turned(_face.HeadWxyz, 0.5, 0.5, -0.5, 0.5); // no turns, and not said
        }

        [Test]
        public void APresetMovesItsShapesWhateverItsVersionCallsIt()
        {
            foreach (var row in new[]
            {
                "aa A jawOpen", "ih I mouthStretchLeft mouthStretchRight", "ou U mouthPucker", "ee E jawOpen mouthStretchLeft mouthStretchRight", "oh O jawOpen mouthFunnel",
                "blink Blink eyeBlinkLeft eyeBlinkRight", "blinkLeft Blink_L eyeBlinkLeft", "blinkRight Blink_R eyeBlinkRight",
                "lookUp LookUp eyeLookUpLeft eyeLookUpRight", "lookDown LookDown eyeLookDownLeft eyeLookDownRight",
                "lookLeft LookLeft eyeLookInRight eyeLookOutLeft", "lookRight LookRight eyeLookInLeft eyeLookOutRight",
            })
            {
                var words = row.Split(' ');
                foreach (var name in words.Take(2))
                {
                    _reader.Reset();
                    Say(Osc.Said("/VMC/Ext/Blend/Val", name, 1));
                    Assert.AreEqual(words.Skip(2).OrderBy(shape => shape, StringComparer.Ordinal), Wire.ArkitNames.Where((_, i) => _face.Weights[i] > 0), name);
                    foreach (var shape in words.Skip(2)) Assert.AreEqual(shape == "jawOpen" ? 0.7f : 1, _face.Weights[Array.IndexOf(Wire.ArkitNames, shape)], 1e-6, shape);
                }
            }
        }

        [Test]
        public void EyesWithoutBonesLookWhereTheirShapesSay()
        {
            Say(Osc.Said("/VMC/Ext/Blend/Val", "LookLeft", 1));
            foreach (var eye in new[] { _face.LeftEyeWxyz, _face.RightEyeWxyz }) Turned(eye, Math.Cos(Math.PI / 12), 0, Math.Sin(Math.PI / 12), 0); // 30 degrees about +Y
            _reader.Reset();
            Say(Osc.Said("/VMC/Ext/Blend/Val", "EyeLookUpLeft", 1), Osc.Said("/VMC/Ext/Blend/Val", "EyeLookDownRight", 1));
            Turned(_face.LeftEyeWxyz, Math.Cos(11 * Math.PI / 180), -Math.Sin(11 * Math.PI / 180), 0, 0);
            Turned(_face.RightEyeWxyz, Math.Cos(13.5 * Math.PI / 180), Math.Sin(13.5 * Math.PI / 180), 0, 0);
        }

        [Test]
        public void WhatWasSaidLaterStaysWhicheverComesFirst()
        {
            Say(Osc.Said("/VMC/Ext/T", null, 2), Osc.Said("/VMC/Ext/Blend/Val", "JawOpen", 0.8f), Osc.Said("/VMC/Ext/Bone/Pos", "LeftEye", 0, 0, 0, 1, 0, 0, 0));
            Say(Osc.Said("/VMC/Ext/T", null, 1), Osc.Said("/VMC/Ext/Blend/Val", "JawOpen", 0.1f), Osc.Said("/VMC/Ext/Bone/Pos", "LeftEye", 0, 0, 0, 0, 0, 0, 1),
                Osc.Said("/VMC/Ext/Blend/Val", "TongueOut", 0.5f), Osc.Said("/VMC/Ext/Bone/Pos", "RightEye", 0, 0, 0, 0, 0, 1, 0));
            Assert.AreEqual(0.8f, _face.Weights[Array.IndexOf(Wire.ArkitNames, "jawOpen")]);
            Assert.AreEqual(0.5f, _face.Weights[Array.IndexOf(Wire.ArkitNames, "tongueOut")]);
            Turned(_face.LeftEyeWxyz, 0, 1, 0, 0);
            Turned(_face.RightEyeWxyz, 0, 0, 0, -1);
            _reader.ForgetTimes();
            Say(Osc.Said("/VMC/Ext/T", null, 1), Osc.Said("/VMC/Ext/Blend/Val", "JawOpen", 0.1f));
            Assert.AreEqual(0.1f, _face.Weights[Array.IndexOf(Wire.ArkitNames, "jawOpen")]);
        }

        [Test]
        public void NumbersThatAreNoneSpoilTheWholeDatagram()
        {
            foreach (var lie in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
                foreach (var message in new[] { Osc.Said("/VMC/Ext/Blend/Val", "JawOpen", lie), Osc.Said("/VMC/Ext/T", null, lie), Osc.Said("/VMC/Ext/Bone/Pos", "Head", 0, 0, lie, 0, 0, 0, 1) })
                    Assert.AreEqual(Reading.Malformed, Read(message, Osc.Said("/VMC/Ext/Blend/Apply", null)));
        }

        private Reading Read(params byte[][] messages)
        {
            var bytes = Osc.Bundle(messages);
            return _reader.Read(bytes, bytes.Length);
        }

        private void Say(params byte[][] messages)
        {
            Assert.Greater(Read(messages), Reading.Malformed);
            _reader.Merge();
            _reader.Face(_face);
        }

        private static void Turned(float[] found, params double[] expected)
        {
            for (var i = 0; i < 4; i++) Assert.AreEqual(expected[i], found[i], 1e-5, "part " + i);
        }
    }
}
