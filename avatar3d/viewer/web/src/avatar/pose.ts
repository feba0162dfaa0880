// One instant of a face, and what lies between two of them.
import { ALL_NAMES } from "./shapes";

export type Wxyz = [number, number, number, number];

export interface Pose {
  /** In ALL_NAMES order, each 0 to 1. */
  weights: Float32Array;
  head: Wxyz;
  /** Of whole gazes relative to rest, which eyeLook weights repeat, the joints turn only the rest; others they turn as they are. */
  eyes: { left: Wxyz; right: Wxyz; whole: boolean } | null;
}

const REST: Wxyz = [1, 0, 0, 0];

export function restPose(): Pose {
  return { weights: new Float32Array(ALL_NAMES.length), head: [...REST], eyes: null };
}

/** `part` of the way from one to the other; rotations along the shorter way. */
export function between(one: Pose, two: Pose, part: number): Pose {
  const weights = new Float32Array(ALL_NAMES.length);
  for (let at = 0; at < weights.length; at++) weights[at] = (1 - part) * one.weights[at]! + part * two.weights[at]!;
  const eyes = one.eyes && two.eyes
    ? { left: turned(one.eyes.left, two.eyes.left, part), right: turned(one.eyes.right, two.eyes.right, part), whole: one.eyes.whole }
    : part < 0.5 ? one.eyes : two.eyes;
  return { weights, head: turned(one.head, two.head, part), eyes };
}

function turned(one: Wxyz, two: Wxyz, part: number): Wxyz {
  const sign = one[0] * two[0] + one[1] * two[1] + one[2] * two[2] + one[3] * two[3] < 0 ? -1 : 1;
  return unit(one.map((value, at) => (1 - part) * value + part * sign * two[at]!) as Wxyz);
}

export function unit(wxyz: Wxyz): Wxyz {
  const length = Math.hypot(...wxyz);
  return length > 1e-6 ? (wxyz.map((value) => value / length) as Wxyz) : [...REST];
}
