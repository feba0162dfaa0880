// Recorded performances: the file's own animation `talk`, our csv, our npz. A clip is a pose at every time.
import type { AnimationClip } from "three";
import { ARKIT_NAMES } from "../wire.generated";
import { between, restPose, unit, type Pose, type Wxyz } from "./pose";
import { ALL_NAMES, SHAPE_INDEX, TONGUE_NAMES } from "./shapes";

export interface Clip { name: string; durationS: number; at(timeS: number): Pose }

const MOST_FRAMES = 500_000;

/** An animation of a GLB of ours: its eye joints turn what the weights leave of a gaze, so they are taken as they are. */
export function animationClip(animation: AnimationClip, targets: ReadonlyMap<string, readonly string[]>): Clip {
  const tracks = animation.tracks.map((track) => {
    const dot = track.name.lastIndexOf(".");
    return { node: track.name.slice(0, dot), path: track.name.slice(dot + 1), times: track.times, values: track.values };
  });
  return {
    name: animation.name,
    durationS: animation.duration,
    at(timeS) {
      const pose = restPose();
      const eyes = { left: restPose().head, right: restPose().head, whole: false };
      for (const { node, path, times, values } of tracks) {
        if (path === "morphTargetInfluences") {
          const shapes = (targets.get(node) ?? []).map((name) => SHAPE_INDEX.get(name));
          const found = sample(times, values, timeS);
          shapes.forEach((shape, at) => { if (shape !== undefined) pose.weights[shape] = found[at] ?? 0; });
        } else if (path === "quaternion") {
          const [x = 0, y = 0, z = 0, w = 1] = sample(times, values, timeS);
          const turn = unit([w, x, y, z]);
          if (node === "head") pose.head = turn;
          else if (node === "leftEye") eyes.left = turn;
          else if (node === "rightEye") eyes.right = turn;
        }
      }
      pose.eyes = eyes;
      return pose;
    },
  };
}

/** Linear between keys; close keys make a plain blend of quaternions good enough. */
function sample(times: ArrayLike<number>, values: ArrayLike<number>, timeS: number): number[] {
  const size = values.length / times.length;
  const next = after(times, timeS);
  const [one, two] = [Math.max(next - 1, 0), Math.min(next, times.length - 1)];
  const part = one === two ? 0 : (timeS - times[one]!) / (times[two]! - times[one]!);
  return Array.from({ length: size }, (_, at) => (1 - part) * values[one * size + at]! + part * values[two * size + at]!);
}

/** The first index whose time is later. */
function after(times: ArrayLike<number>, timeS: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= timeS) low = middle + 1;
    else high = middle;
  }
  return low;
}

function framesClip(name: string, timesS: Float64Array, poses: Pose[]): Clip {
  const began = timesS[0] ?? 0;
  return {
    name,
    durationS: (timesS.at(-1) ?? 0) - began,
    at(timeS) {
      const next = after(timesS, timeS + began);
      const [one, two] = [Math.max(next - 1, 0), Math.min(next, poses.length - 1)];
      const span = timesS[two]! - timesS[one]!;
      return between(poses[one]!, poses[two]!, span > 0 ? Math.min(Math.max((timeS + began - timesS[one]!) / span, 0), 1) : 0);
    },
  };
}

/** Our csv: time, then the 52 by name, in any order of columns. */
export function csvClip(text: string, name: string): Clip {
  const lines = text.split(/\r?\n/).filter(Boolean);
  const header = (lines.shift() ?? "").split(",").map((word) => word.trim());
  const time = header.indexOf("time");
  const columns = ARKIT_NAMES.map((shape) => header.indexOf(shape));
  if (time < 0 || columns.some((at) => at < 0)) throw new Error("This is no clip of avatar3d: its first line should name time and the 52 shapes.");
  if (!lines.length || lines.length > MOST_FRAMES) throw new Error("This clip is empty or too long.");
  const timesS = new Float64Array(lines.length);
  const poses = lines.map((line, row) => {
    const values = line.split(",").map(Number);
    if (values.length !== header.length || values.some((value) => !Number.isFinite(value))) throw new Error(`Line ${row + 2} of the clip is broken.`);
    timesS[row] = values[time]!;
    const pose = restPose();
    columns.forEach((at, shape) => { pose.weights[shape] = clamped(values[at]!); });
    return pose;
  });
  return framesClip(name, timesS, poses);
}

/** Our npz (formats/clip_npz.py): a zip whose members are stored, each a npy file. */
export function npzClip(bytes: ArrayBuffer, name: string): Clip {
  const members = stored(new DataView(bytes));
  const array = (member: string, kind: "<f4" | "<f8") => {
    const at = members.get(`${member}.npy`);
    if (!at) throw new Error(`This is no clip of avatar3d: it has no ${member}.`);
    return npy(bytes, at, kind);
  };
  const timesS = array("time_s", "<f8");
  const [weights, head, eyes, tongue] = [array("weights", "<f4"), array("head", "<f4"), array("eyes", "<f4"), array("tongue", "<f4")];
  const count = timesS.length;
  if (!count || count > MOST_FRAMES || weights.length !== 52 * count || head.length !== 4 * count || eyes.length !== 8 * count || tongue.length !== 4 * count)
    throw new Error("This clip is empty, too long or broken.");
  const turn = (values: ArrayLike<number>, at: number) => unit([values[at]!, values[at + 1]!, values[at + 2]!, values[at + 3]!] as Wxyz);
  const poses = Array.from({ length: count }, (_, row) => {
    const pose = restPose();
    for (let at = 0; at < 52; at++) pose.weights[at] = clamped(weights[52 * row + at]!);
    for (let at = 0; at < TONGUE_NAMES.length; at++) pose.weights[ALL_NAMES.length - TONGUE_NAMES.length + at] = clamped(tongue[4 * row + at]!);
    pose.head = turn(head, 4 * row);
    pose.eyes = { left: turn(eyes, 8 * row), right: turn(eyes, 8 * row + 4), whole: true };
    return pose;
  });
  return framesClip(name, Float64Array.from(timesS), poses);
}

function clamped(value: number): number {
  return value > 0 ? Math.min(value, 1) : 0;
}

/** Where each stored member of a zip lies (PKWARE APPNOTE 4.3.7). */
function stored(view: DataView): Map<string, { start: number; size: number }> {
  const members = new Map<string, { start: number; size: number }>();
  let at = 0;
  while (at + 30 <= view.byteLength && view.getUint32(at, true) === 0x04034b50) {
    const size = view.getUint32(at + 18, true);
    const [name, extra] = [view.getUint16(at + 26, true), view.getUint16(at + 28, true)];
    const start = at + 30 + name + extra;
    if (view.getUint16(at + 8, true) !== 0 || view.getUint16(at + 6, true) & 8 || start + size > view.byteLength) break;
    members.set(new TextDecoder().decode(new Uint8Array(view.buffer, at + 30, name)), { start, size });
    at = start + size;
  }
  return members;
}

/** The numbers of a npy member (numpy.lib.format, versions 1 to 3), C order. */
function npy(bytes: ArrayBuffer, { start, size }: { start: number; size: number }, kind: "<f4" | "<f8"): Float32Array | Float64Array {
  const view = new DataView(bytes, start, size);
  const old = view.getUint8(6) === 1;
  const told = old ? view.getUint16(8, true) : view.getUint32(8, true);
  const values = (old ? 10 : 12) + told;
  const header = new TextDecoder("latin1").decode(new Uint8Array(bytes, start + (old ? 10 : 12), told));
  if (view.getUint8(0) !== 0x93 || !header.includes(`'${kind}'`) || !header.includes("'fortran_order': False")) throw new Error("This clip is broken.");
  const copy = bytes.slice(start + values, start + size);
  return kind === "<f4" ? new Float32Array(copy) : new Float64Array(copy);
}
