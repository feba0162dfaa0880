// A recorded take as an AnimationClip: one curve for each shape of each renderer, and the turns of head and eyes.
using System;
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
                    var binding = EditorCurveBinding.FloatCurve(path, typeof(SkinnedMeshRenderer), "blendShape." + targets.Name(i));
                    AnimationUtility.SetEditorCurve(clip, binding, Curve(take, at => take[at].Weights[weight] * scale));
                }
            }
            Turn(clip, take, face, face.Head, at => take[at].HeadWxyz);
            Turn(clip, take, face, face.LeftEye, at => take[at].LeftEyeWxyz);
            Turn(clip, take, face, face.RightEye, at => take[at].RightEyeWxyz);
            clip.EnsureQuaternionContinuity();
            return clip;
        }

        private static void Turn(AnimationClip clip, Take take, AvatarFace face, AvatarJoint joint, Func<int, float[]> wxyz)
        {
            if (!joint.Exists) return;
            var path = AnimationUtility.CalculateTransformPath(joint.Transform, face.transform);
            for (var part = 0; part < Parts.Length; part++)
            {
                var index = part;
                AnimationUtility.SetEditorCurve(clip, EditorCurveBinding.FloatCurve(path, typeof(Transform), Parts[part]), Curve(take, at => joint.Turned(UnityTurn.From(wxyz(at)))[index]));
            }
        }

        // Straight between keys; keys between two of the same value say nothing.
        private static AnimationCurve Curve(Take take, Func<int, float> value)
        {
            var curve = new AnimationCurve();
            for (var at = 0; at < take.Count; at++)
            {
                var now = value(at);
                var needless = at > 0 && at < take.Count - 1 && now == value(at - 1) && now == value(at + 1);
                if (!needless) curve.AddKey(new Keyframe(take.TimeS(at), now));
            }
            for (var key = 0; key < curve.length; key++)
            {
                AnimationUtility.SetKeyLeftTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
                AnimationUtility.SetKeyRightTangentMode(curve, key, AnimationUtility.TangentMode.Linear);
            }
            return curve;
        }
    }
}
