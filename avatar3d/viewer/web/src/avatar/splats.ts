// Gaussians that ride on the triangles of an avatar (KHR_gaussian_splatting with _TRIANGLE; docs/decisions/0031). The posed corners
// are worked out here, a few thousand, and laid into a texture; where each splat is, and how it lies, the vertex shader makes of them.
import {
  BufferAttribute, DataTexture, FloatType, InstancedBufferAttribute, InstancedBufferGeometry, Matrix3, Matrix4, Mesh, NearestFilter, Quaternion, RGBAFormat, Vector2, Vector3,
  type Camera, type InterleavedBufferAttribute, type Points, type SkinnedMesh,
} from "three";
import { SPLAT_TEXELS, splatMaterial } from "./splat_material";
import { ALL_NAMES, SHAPE_INDEX } from "./shapes";

const TEXTURE_WIDTH = SPLAT_TEXELS * 400;
const PREFIX = "khr_gaussian_splatting:"; // as three.js writes the names of attributes
const NEEDED = ["rotation", "scale", "opacity", "sh_degree_0_coef_0"];
const SH_C0 = 0.28209479177387814;
const BINS = 1 << 14;
const TINY = 1e-9;

type Values = BufferAttribute | InterleavedBufferAttribute;

/** The vertices that splats ride on. */
interface Corners {
  rest: Float32Array;
  /** For each shape: which corners it moves, and how far. */
  moved: Map<number, { at: Int32Array; by: Float32Array }>;
  joints: Uint16Array;
  weights: Float32Array;
}

export class Splats {
  readonly mesh: Mesh;
  readonly count: number;
  /** What posing and sorting took last, milliseconds. */
  tookMs = 0;
  private readonly corners: Corners;
  private readonly own: Float32Array;
  private readonly posed: Float32Array;
  private readonly posedTexture: DataTexture;
  private readonly fixedTexture: DataTexture;
  private readonly order: InstancedBufferAttribute;
  private readonly screen = new Vector2(1, 1);
  private readonly depths: Float32Array;
  private readonly bins = new Uint32Array(BINS + 1);
  private readonly lastView = new Matrix4();
  private stale = true;

  /** `meshes` are those that the splats count their triangles through, in that order; all hang on one skeleton. */
  constructor(points: Points, private readonly meshes: readonly SkinnedMesh[]) {
    const { attributes } = points.geometry;
    this.count = attributes.position!.count;
    const corner = cornersOf(attributes._triangle!, meshes, this.count);
    this.corners = corner.corners;
    this.posed = new Float32Array(rows(corner.corners.rest.length / 3, TEXTURE_WIDTH) * TEXTURE_WIDTH * 4);
    const fixed = new Float32Array(rows(this.count * SPLAT_TEXELS, TEXTURE_WIDTH) * TEXTURE_WIDTH * 4);
    fill(fixed, attributes, corner, meshes);
    this.own = fixed;
    this.posedTexture = texture(this.posed);
    this.fixedTexture = texture(fixed);
    this.depths = new Float32Array(this.count);
    this.order = new InstancedBufferAttribute(new Float32Array(this.count), 1);
    const geometry = new InstancedBufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(Float32Array.of(-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0), 3));
    geometry.setAttribute("normal", new BufferAttribute(new Float32Array(12), 3));
    geometry.setAttribute("splat", this.order);
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    geometry.instanceCount = this.count;
    this.mesh = new Mesh(geometry, splatMaterial({ posed: this.posedTexture, fixed: this.fixedTexture, screen: this.screen }));
    this.mesh.name = "splats";
    this.mesh.frustumCulled = false;
    this.mesh.receiveShadow = true;
    this.mesh.renderOrder = 10;
    this.mesh.matrixWorldAutoUpdate = false; // its places are the world's already
  }

  /** The pose has changed. */
  touch(): void {
    this.stale = true;
  }

  /** Poses and sorts for a picture of so many pixels; bones must be where the picture has them. */
  prepare(camera: Camera, weights: Float32Array, width: number, height: number): void {
    const began = performance.now();
    this.screen.set(width, height);
    const turned = !this.lastView.equals(camera.matrixWorldInverse);
    if (!this.stale && !turned) return;
    if (this.stale) {
      this.pose(weights);
      this.posedTexture.needsUpdate = true;
      this.stale = false;
    }
    this.lastView.copy(camera.matrixWorldInverse);
    this.sort(camera.matrixWorldInverse.elements);
    this.tookMs = performance.now() - began;
  }

  dispose(): void {
    this.posedTexture.dispose();
    this.fixedTexture.dispose();
  }

  /** Where splat number `at` is: for tests. */
  place(at: number): [number, number, number] {
    return placeOf(this.own, this.posed, at);
  }

  /** Shapes, then bones, as three.js draws the mesh itself. */
  private pose(weights: Float32Array): void {
    const { rest, moved, joints, weights: shares } = this.corners;
    const { posed } = this;
    const count = rest.length / 3;
    for (let at = 0, from = 0, into = 0; at < count; at++, from += 3, into += 4) {
      posed[into] = rest[from]!;
      posed[into + 1] = rest[from + 1]!;
      posed[into + 2] = rest[from + 2]!;
    }
    for (const [shape, { at, by }] of moved) {
      const weight = weights[shape]!;
      if (weight === 0) continue;
      for (let row = 0, from = 0; row < at.length; row++, from += 3) {
        const into = at[row]! * 4;
        posed[into]! += weight * by[from]!;
        posed[into + 1]! += weight * by[from + 1]!;
        posed[into + 2]! += weight * by[from + 2]!;
      }
    }
    const { skeleton, bindMatrix } = this.meshes[0]!;
    skeleton.update();
    const bones = skeleton.boneMatrices!;
    const bind = bindMatrix.elements;
    for (let at = 0; at < count; at++) {
      const into = at * 4;
      const [rx, ry, rz] = [posed[into]!, posed[into + 1]!, posed[into + 2]!];
      const px = bind[0]! * rx + bind[4]! * ry + bind[8]! * rz + bind[12]!;
      const py = bind[1]! * rx + bind[5]! * ry + bind[9]! * rz + bind[13]!;
      const pz = bind[2]! * rx + bind[6]! * ry + bind[10]! * rz + bind[14]!;
      let [x, y, z] = [0, 0, 0];
      for (let slot = into; slot < into + 4; slot++) {
        const share = shares[slot]!;
        if (share === 0) continue;
        const bone = joints[slot]! * 16;
        x += share * (bones[bone]! * px + bones[bone + 4]! * py + bones[bone + 8]! * pz + bones[bone + 12]!);
        y += share * (bones[bone + 1]! * px + bones[bone + 5]! * py + bones[bone + 9]! * pz + bones[bone + 13]!);
        z += share * (bones[bone + 2]! * px + bones[bone + 6]! * py + bones[bone + 10]! * pz + bones[bone + 14]!);
      }
      posed[into] = x;
      posed[into + 1] = y;
      posed[into + 2] = z;
    }
  }

  /** The furthest first, by counting: places on the surface tell the order, heights above it are less than their distances. */
  private sort(view: readonly number[]): void {
    const { own, posed, depths, bins, count } = this;
    let [least, most] = [Infinity, -Infinity];
    const [vx, vy, vz] = [view[2]!, view[6]!, view[10]!];
    for (let at = 0, from = 0; at < count; at++, from += 4 * SPLAT_TEXELS) {
      const [a, b, c] = [own[from]! * 4, own[from + 1]! * 4, own[from + 2]! * 4];
      const [second, third] = [own[from + 4]!, own[from + 5]!];
      const first = 1 - second - third;
      const depth = vx * (first * posed[a]! + second * posed[b]! + third * posed[c]!) + vy * (first * posed[a + 1]! + second * posed[b + 1]! + third * posed[c + 1]!) + vz * (first * posed[a + 2]! + second * posed[b + 2]! + third * posed[c + 2]!);
      depths[at] = depth;
      if (depth < least) least = depth;
      if (depth > most) most = depth;
    }
    const scale = (BINS - 1) / Math.max(most - least, TINY);
    bins.fill(0);
    for (let at = 0; at < count; at++) bins[1 + (((depths[at]! - least) * scale) | 0)]!++;
    for (let bin = 0; bin < BINS; bin++) bins[bin + 1]! += bins[bin]!;
    const order = this.order.array as Float32Array;
    for (let at = 0; at < count; at++) order[bins[((depths[at]! - least) * scale) | 0]!++] = at;
    this.order.needsUpdate = true;
  }
}

/** Which meshes a cloud of points counts its triangles through; null when it is no cloud of ours, or does not fit the file. */
export function ridden(points: Points, meshOf: (mesh: number) => SkinnedMesh | undefined): SkinnedMesh[] | null {
  const told = points.geometry.userData.triangles as { mesh: number; count: number }[] | undefined;
  const triangle = points.geometry.attributes._triangle;
  if (!triangle || !Array.isArray(told) || !told.length) return null;
  for (const name of NEEDED) if (points.geometry.attributes[`${PREFIX}${name}`]?.count !== triangle.count) return null;
  const meshes = told.map(({ mesh }) => meshOf(mesh));
  let total = 0;
  for (const [at, mesh] of meshes.entries()) {
    if (!mesh?.geometry.index || mesh.skeleton !== meshes[0]!.skeleton || mesh.geometry.index.count !== 3 * told[at]!.count) return null;
    total += told[at]!.count;
  }
  for (let at = 0; at < triangle.count; at++) if (!(triangle.getX(at) >= 0 && triangle.getX(at) < total)) return null;
  return meshes as SkinnedMesh[];
}

interface Riding { corners: Corners; of: Int32Array; normals: Float32Array; mesh: Uint8Array }

/** The corners of each splat's triangle, gathered from the meshes without doubles. */
function cornersOf(triangle: Values, meshes: readonly SkinnedMesh[], count: number): Riding {
  const of = new Int32Array(count * 3);
  const mesh = new Uint8Array(count);
  const known = meshes.map(() => new Map<number, number>());
  const places: number[] = [];
  const normals: number[] = [];
  const joints: number[] = [];
  const weights: number[] = [];
  for (let splat = 0; splat < count; splat++) {
    let number = triangle.getX(splat);
    let which = 0;
    while (number >= meshes[which]!.geometry.index!.count / 3) number -= meshes[which++]!.geometry.index!.count / 3;
    const { index, attributes } = meshes[which]!.geometry;
    mesh[splat] = which;
    for (let corner = 0; corner < 3; corner++) {
      const vertex = index!.getX(3 * number + corner);
      let at = known[which]!.get(vertex);
      if (at === undefined) {
        at = places.length / 3;
        known[which]!.set(vertex, at);
        for (let axis = 0; axis < 3; axis++) {
          places.push(attributes.position!.getComponent(vertex, axis));
          normals.push(attributes.normal!.getComponent(vertex, axis));
        }
        for (let slot = 0; slot < 4; slot++) {
          joints.push(attributes.skinIndex!.getComponent(vertex, slot));
          weights.push(attributes.skinWeight!.getComponent(vertex, slot));
        }
      }
      of[3 * splat + corner] = at;
    }
  }
  const shapes = ALL_NAMES.map(() => ({ at: [] as number[], by: [] as number[] }));
  meshes.forEach((each, which) => {
    for (const [name, slot] of Object.entries(each.morphTargetDictionary ?? {})) {
      const shape = shapes[SHAPE_INDEX.get(name) ?? -1];
      const morph = each.geometry.morphAttributes.position?.[slot];
      if (!shape || !morph) continue;
      for (const [vertex, at] of known[which]!) {
        const [x, y, z] = [morph.getX(vertex), morph.getY(vertex), morph.getZ(vertex)];
        if (x === 0 && y === 0 && z === 0) continue;
        shape.at.push(at);
        shape.by.push(x, y, z);
      }
    }
  });
  const moved = new Map(shapes.flatMap(({ at, by }, shape) => (at.length ? [[shape, { at: Int32Array.from(at), by: Float32Array.from(by) }] as const] : [])));
  return { corners: { rest: Float32Array.from(places), moved, joints: Uint16Array.from(joints), weights: Float32Array.from(weights) }, of, normals: Float32Array.from(normals), mesh };
}

/**
 * What never changes of each splat, in its triangle's frame and size (GaussianAvatars, section 3.2), five texels:
 * corners and offset; weights of b and c, opacity, two-sided; covariance xx xy xz yy; yz zz and normal x y; colour and normal z.
 */
function fill(into: Float32Array, attributes: Points["geometry"]["attributes"], riding: Riding, meshes: readonly SkinnedMesh[]): void {
  const named = (name: string) => attributes[`${PREFIX}${name}`]!;
  const [turn, scale, opacity, colour] = [named("rotation"), named("scale"), named("opacity"), named("sh_degree_0_coef_0")];
  const twoSided = meshes.map(({ material }) => [material].flat().some(({ side }) => side !== 0));
  const { rest } = riding.corners;
  const [a, b, c, x, y, z, arm, normal] = Array.from({ length: 8 }, () => new Vector3()) as [Vector3, Vector3, Vector3, Vector3, Vector3, Vector3, Vector3, Vector3];
  const quaternion = new Quaternion();
  const matrix = new Matrix4();
  const [frame, own] = [new Matrix3(), new Matrix3()];
  for (let splat = 0; splat < riding.mesh.length; splat++) {
    const [ia, ib, ic] = [riding.of[3 * splat]!, riding.of[3 * splat + 1]!, riding.of[3 * splat + 2]!];
    a.fromArray(rest, 3 * ia);
    b.fromArray(rest, 3 * ib).sub(a);
    c.fromArray(rest, 3 * ic).sub(a);
    const length = Math.max(b.length(), TINY);
    x.copy(b).divideScalar(length);
    z.crossVectors(b, c);
    const area = Math.max(z.length(), TINY * length);
    z.divideScalar(area);
    y.crossVectors(z, x);
    const size = (length + area / length) / 2;
    arm.fromBufferAttribute(attributes.position!, splat).sub(a);
    const third = arm.dot(y) / Math.max(c.dot(y), TINY);
    const second = (arm.dot(x) - third * c.dot(x)) / length;
    normal.set(0, 0, 0);
    for (const [corner, share] of [[ia, 1 - second - third], [ib, second], [ic, third]] as const) {
      for (let axis = 0; axis < 3; axis++) normal.setComponent(axis, normal.getComponent(axis) + share * riding.normals[3 * corner + axis]!);
    }
    normal.normalize();
    frame.set(x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z); // triangle from world
    own.setFromMatrix4(matrix.makeRotationFromQuaternion(quaternion.set(turn.getX(splat), turn.getY(splat), turn.getZ(splat), turn.getW(splat))));
    own.premultiply(frame);
    const e = own.elements;
    const s = [scale.getX(splat) / size, scale.getY(splat) / size, scale.getZ(splat) / size];
    const spread = (row: number, column: number) => [0, 1, 2].reduce((sum, axis) => sum + e[3 * axis + row]! * e[3 * axis + column]! * s[axis]! ** 2, 0);
    normal.applyMatrix3(frame);
    into.set([
      ia, ib, ic, arm.dot(z) / size,
      second, third, opacity.getX(splat), twoSided[riding.mesh[splat]!] ? 1 : 0,
      spread(0, 0), spread(0, 1), spread(0, 2), spread(1, 1),
      spread(1, 2), spread(2, 2), normal.x, normal.y,
      linear(colour.getX(splat)), linear(colour.getY(splat)), linear(colour.getZ(splat)), normal.z,
    ], splat * 4 * SPLAT_TEXELS);
  }
}

/** The same as in the vertex shader. */
function placeOf(own: Float32Array, posed: Float32Array, splat: number): [number, number, number] {
  const from = splat * 4 * SPLAT_TEXELS;
  const [a, b, c] = [0, 1, 2].map((corner) => new Vector3().fromArray(posed, own[from + corner]! * 4)) as [Vector3, Vector3, Vector3];
  const [second, third] = [own[from + 4]!, own[from + 5]!];
  const [side, other] = [b.clone().sub(a), c.clone().sub(a)];
  const z = side.clone().cross(other);
  const length = side.length();
  const size = (length + z.length() / length) / 2;
  return a.multiplyScalar(1 - second - third).addScaledVector(b, second).addScaledVector(c, third).addScaledVector(z.normalize(), own[from + 3]! * size).toArray();
}

/** A coefficient of degree 0, sRGB, as linear light. */
function linear(coefficient: number): number {
  const value = Math.max(0.5 + SH_C0 * coefficient, 0);
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function rows(texels: number, width: number): number {
  return Math.max(Math.ceil(texels / width), 1);
}

function texture(values: Float32Array): DataTexture {
  const made = new DataTexture(values, TEXTURE_WIDTH, values.length / 4 / TEXTURE_WIDTH, RGBAFormat, FloatType);
  made.minFilter = made.magFilter = NearestFilter;
  made.needsUpdate = true;
  return made;
}
