// How each shape turns the surface. The files carry positions only (normals would double them), and engines keep the rest normals:
// a smile is then lit like a straight face. Computing them takes some ten milliseconds.
import { BufferAttribute, type BufferGeometry } from "three";

/** Gives the geometry morph normals; vertices that share a place (along a seam of the uvs) get the same. */
export function addMorphNormals(geometry: BufferGeometry): void {
  const position = geometry.attributes.position!;
  const morphs = geometry.morphAttributes.position;
  const index = geometry.index;
  if (!morphs?.length || !index || geometry.morphAttributes.normal) return;
  const count = position.count;
  const place = new Int32Array(count);
  const found = new Map<string, number>();
  for (let at = 0; at < count; at++) {
    const key = `${position.getX(at)},${position.getY(at)},${position.getZ(at)}`;
    place[at] = found.get(key) ?? found.set(key, at).get(key)!;
  }
  const rest = new Float32Array(count * 3);
  for (let at = 0; at < count; at++) for (let axis = 0; axis < 3; axis++) rest[3 * at + axis] = position.getComponent(at, axis);
  const corners = new Int32Array(index.count);
  for (let at = 0; at < index.count; at++) corners[at] = index.getX(at);

  const restSums = new Float32Array(count * 3);
  const whole = new Float32Array(corners.length);
  for (let corner = 0; corner < corners.length; corner += 3) facing(rest, corners, corner, whole);
  for (let at = 0; at < corners.length; at++) add(restSums, place[corners[at]!]!, whole, at - (at % 3), 1);

  const shaped = new Float32Array(rest.length);
  const sums = new Float32Array(rest.length);
  const face = new Float32Array(3);
  geometry.morphAttributes.normal = morphs.map((morph) => {
    shaped.set(rest);
    sums.set(restSums);
    const moved = new Uint8Array(count);
    for (let at = 0; at < count; at++) {
      for (let axis = 0; axis < 3; axis++) {
        const way = morph.getComponent(at, axis);
        if (Math.abs(way) > 1e-7) moved[at] = 1;
        shaped[3 * at + axis]! += way;
      }
    }
    const touched = new Uint8Array(count);
    for (let corner = 0; corner < corners.length; corner += 3) {
      if (!moved[corners[corner]!] && !moved[corners[corner + 1]!] && !moved[corners[corner + 2]!]) continue;
      facing(shaped, corners, corner, face, 0);
      for (let at = corner; at < corner + 3; at++) {
        const vertex = place[corners[at]!]!;
        touched[vertex] = 1;
        add(sums, vertex, face, 0, 1);
        add(sums, vertex, whole, corner, -1);
      }
    }
    const normals = new Float32Array(count * 3);
    for (let at = 0; at < count; at++) {
      const from = place[at]! * 3;
      if (!touched[place[at]!]) continue;
      const one = 1 / (Math.hypot(sums[from]!, sums[from + 1]!, sums[from + 2]!) || 1);
      const other = 1 / (Math.hypot(restSums[from]!, restSums[from + 1]!, restSums[from + 2]!) || 1);
      for (let axis = 0; axis < 3; axis++) normals[3 * at + axis] = sums[from + axis]! * one - restSums[from + axis]! * other;
    }
    return new BufferAttribute(normals, 3);
  });
}

/** Twice a triangle's area along its normal, written at `into`. */
function facing(points: Float32Array, corners: Int32Array, corner: number, out: Float32Array, into = corner): void {
  const [a, b, c] = [corners[corner]! * 3, corners[corner + 1]! * 3, corners[corner + 2]! * 3];
  const [ux, uy, uz] = [points[b]! - points[a]!, points[b + 1]! - points[a + 1]!, points[b + 2]! - points[a + 2]!];
  const [vx, vy, vz] = [points[c]! - points[a]!, points[c + 1]! - points[a + 1]!, points[c + 2]! - points[a + 2]!];
  out[into] = uy * vz - uz * vy;
  out[into + 1] = uz * vx - ux * vz;
  out[into + 2] = ux * vy - uy * vx;
}

function add(sums: Float32Array, vertex: number, from: Float32Array, at: number, sign: number): void {
  for (let axis = 0; axis < 3; axis++) sums[3 * vertex + axis]! += sign * from[at + axis]!;
}
