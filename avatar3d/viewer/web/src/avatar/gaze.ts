// What an eye's joint must still turn, so that the eyeball looks along a gaze that eyeLook weights turned part of the way.
//
//     gaze = joint * turned already;  the latter is the eyeball's own rotation under the weights, from its morphs
//
// As avatar3d/render/gaze.py has it, with Horn's quaternion (JOSA A 4, 1987) for the rotation: its 4x4 matrix is linear in the
// weights, so a frame costs a sum and a few multiplications.
import type { BufferGeometry } from "three";
import type { Wxyz } from "./pose";
import { SHAPE_INDEX } from "./shapes";

// A vertex that hangs on the joint further than this is the eyeball's.
const HELD = 0.5;
const STEPS = 24;

export class Eyeball {
  private still: Float64Array = new Float64Array(9);
  private readonly moving: { shape: number; sums: Float64Array }[] = [];

  /** Of the eyeball's geometry, its shapes' names, and the number of its joint in the skeleton. */
  constructor(geometry: BufferGeometry, names: readonly string[], joint: number) {
    const { position, skinIndex, skinWeight } = geometry.attributes;
    const held: number[] = [];
    for (let at = 0; position && skinIndex && skinWeight && at < position.count; at++) {
      let weight = 0;
      for (let slot = 0; slot < 4; slot++) if (skinIndex.getComponent(at, slot) === joint) weight += skinWeight.getComponent(at, slot);
      if (weight > HELD) held.push(at);
    }
    const morphs = geometry.morphAttributes.position ?? [];
    if (!position || !held.length || !morphs.length) return;
    const arms = centred(held, (at, axis) => position.getComponent(at, axis));
    this.still = product(arms, arms);
    names.forEach((name, number) => {
      const shape = SHAPE_INDEX.get(name);
      const morph = morphs[number];
      if (shape === undefined || !morph) return;
      const sums = product(centred(held, (at, axis) => morph.getComponent(at, axis)), arms);
      if (sums.some((value) => Math.abs(value) > 1e-12)) this.moving.push({ shape, sums });
    });
  }

  /** Rotation of the joint relative to rest. */
  leftToTurn(weights: Float32Array, gaze: Wxyz): Wxyz {
    if (!this.moving.length) return gaze;
    const sums = this.still.slice();
    for (const { shape, sums: added } of this.moving) {
      const weight = weights[shape] ?? 0;
      if (weight) for (let at = 0; at < 9; at++) sums[at]! += weight * added[at]!;
    }
    const [w, x, y, z] = rotation(sums);
    return multiply(gaze, [w, -x, -y, -z]);
  }
}

/** Positions [N 3] about their mean. */
function centred(held: number[], read: (at: number, axis: number) => number): Float64Array {
  const points = new Float64Array(held.length * 3);
  for (let axis = 0; axis < 3; axis++) {
    const mean = held.reduce((sum, at) => sum + read(at, axis), 0) / held.length;
    held.forEach((at, row) => { points[3 * row + axis] = read(at, axis) - mean; });
  }
  return points;
}

/** Sum over the points of now * rest^T, row by row. */
function product(now: Float64Array, rest: Float64Array): Float64Array {
  const sums = new Float64Array(9);
  for (let at = 0; at < now.length; at += 3)
    for (let row = 0; row < 3; row++) for (let column = 0; column < 3; column++) sums[3 * row + column]! += now[at + row]! * rest[at + column]!;
  return sums;
}

/** The rotation nearest to now * rest^T: the largest eigenvector of Horn's matrix, by power iteration from rest. */
function rotation(sums: Float64Array): Wxyz {
  const [xx, yx, zx, xy, yy, zy, xz, yz, zz] = sums as unknown as [number, number, number, number, number, number, number, number, number];
  // s(a, b) = sum of rest_a * now_b; `sums` holds now_row * rest_column.
  const matrix = [
    [xx + yy + zz, yz - zy, zx - xz, xy - yx],
    [yz - zy, xx - yy - zz, xy + yx, zx + xz],
    [zx - xz, xy + yx, yy - xx - zz, yz + zy],
    [xy - yx, zx + xz, yz + zy, zz - xx - yy],
  ];
  const lift = Math.abs(xx) + Math.abs(yy) + Math.abs(zz);
  let best: Wxyz = [1, 0, 0, 0];
  for (let step = 0; step < STEPS; step++) {
    const next = matrix.map((row, at) => lift * best[at]! + row.reduce((sum, value, column) => sum + value * best[column]!, 0));
    const length = Math.hypot(...next);
    if (!(length > 0)) return [1, 0, 0, 0];
    best = next.map((value) => value / length) as Wxyz;
  }
  return best;
}

export function multiply(one: Wxyz, two: Wxyz): Wxyz {
  const [a, b, c, d] = one;
  const [e, f, g, h] = two;
  return [a * e - b * f - c * g - d * h, a * f + b * e + c * h - d * g, a * g - b * h + c * e + d * f, a * h + b * g - c * f + d * e];
}
