// A recorded take as an AnimationClip: one curve for each shape of each renderer, and the turns of head and eyes.
using System;
using System.Collections.Generic;
using UnityEditor;
using UnityEngine;

namespace Avatar3D.Editor
{
    /// <summary>The clip plays on any avatar whose renderers and joints have the same paths.</summary>
    internal static class TakeClip
    {
        private static readonly string[] Parts = { "m_LocalRotation.x", "m_LocalRotation.y", "m_LocalRotation.z", "m_LocalRotation.w" };

        internal static AnimationClip Make(Take take, AvatarFace face, string name)
        {
            var clip = new AnimationClip { name = name, frameRate = 60 };
            foreach (var targets in face.Targets)
            {
                var path = AnimationUtility.CalculateTransformPath(targets.Renderer.transform, face.transform);
                for (var i = 0; i < targets.Count; i++)
                {
                    int weight = targets.Weight(i);
                    var scale = targets.Scale(i);
                    var keys = Keys(take.Count, (one, other) => take[one].Weights[weight] == take[other].Weights[weight]);
                    var binding = EditorCurveBinding.FloatCurve(path, typeof(SkinnedMeshRenderer), "blendShape." + targets.Name(i));
                    AnimationUtility.SetEditorCurve(clip, binding, Curve(take, keys, at => take[at].Weights[weight] * scale));
                }
            }
            Turn(clip, take, face, face.Head, at => take[at].HeadWxyz);
            Turn(clip, take, face, face.LeftEye, at => take[at].LeftEyeWxyz);
            Turn(clip, take, face, face.RightEye, at => take[at].RightEyeWxyz);
            return clip;
        }

        // The four curves of a turn are Unity's one: they have their keys at the same times. And of q and -q, which are the same turn, it
        // is the one nearer to the key before: clip.EnsureQuaternionContinuity() would do that too, but rounds off what is straight.
        private static void Turn(AnimationClip clip, Take take, AvatarFace face, AvatarJoint joint, Func<int, float[]> wxyz)
        {
            if (!joint.Exists) return;
            var turns = new Quaternion[take.Count];
            for (var at = 0; at < turns.Length; at++)
            {
                var turn = joint.Turned(UnityTurn.From(wxyz(at)));
                turns[at] = at > 0 && Dot(turns[at - 1], turn) < 0 ? new Quaternion(-turn.x, -turn.y, -turn.z, -turn.w) : turn;
            }
            var keys = Keys(take.Count, (one, other) => Same(turns[one], turns[other]));
            var path = AnimationUtility.CalculateTransformPath(joint.Transform, face.transform);
            for (var part = 0; part < Parts.Length; part++)
            {
                var index = part;
                AnimationUtility.SetEditorCurve(clip, EditorCurveBinding.FloatCurve(path, typeof(Transform), Parts[part]), Curve(take, keys, at => turns[at][index]));
            }
        }

        private static float Dot(Quaternion a, Quaternion b) => a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;

        // To the last bit: Unity's own == lets small movements pass.
        private static bool Same(Quaternion a, Quaternion b) => a.x == b.x && a.y == b.y && a.z == b.z && a.w == b.w;

        // The frames that a curve needs: one between two of the same says nothing.
        private static List<int> Keys(int count, Func<int, int, bool> same)
        {
            var keys = new List<int>();
            for (var at = 0; at < count; at++)
                if (at == 0 || at == count - 1 || !same(at - 1, at) || !same(at, at + 1)) keys.Add(at);
            return keys;
        }

        // Straight between keys.
        private static AnimationCurve Curve(Take take, List<int> keys, Func<int, float> value)
        {
            var curve = new AnimationCurve();
            foreach (var at in keys) curve.AddKey(new Keyframe(take.TimeS(at), value(at)));
            for (var key = 0; key < curve.length; key++)
            {
                AnimationUtility.SetKeyLeftTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
                AnimationUtility.SetKeyRightTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
            }
            return curve;
        }
    }
}
