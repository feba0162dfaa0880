// A GLB as a face that can be posed: read, gathered into few meshes, given studio materials when it is one of ours.
import { Bone, Box3, BufferAttribute, Group, LoadingManager, Mesh, Points, SkinnedMesh, Sphere, Vector3, type AnimationClip, type Camera, type Material, type MeshStandardMaterial, type Object3D } from "three";
import { GLTFLoader, type GLTF, type GLTFParser } from "three/examples/jsm/loaders/GLTFLoader.js";
import { Eyeball } from "./gaze";
import { eyes, hair, isStandard, mouth, skin } from "./materials";
import { intoAtlas, mergeGeometries, type Part } from "./merge";
import { addMorphNormals } from "./normals";
import { restPose, type Pose, type Wxyz } from "./pose";
import { SHAPE_INDEX } from "./shapes";
import { Splats, ridden } from "./splats";

const INNER = ["teethUpper", "teethLower", "tongueMesh", "tongue", "mouth", "wetLines"];
const EYES = ["eyeLeft", "eyeRight"];
const HAIRY = ["hair", "lashes", "brows"];
const JOINTS = { head: "head", left: "leftEye", right: "rightEye" } as const;
// From between the eyes to the middle of a portrait, metres.
const PORTRAIT = new Vector3(0, -0.032, -0.03);

// Heights over the root joint, between the shoulders, from which the bust fades into the backdrop: its cut is no part of a portrait.
const FADE_M = [0, 0.075] as const;

export interface Drawn { mesh: Mesh; parts: Part[]; shapes: Int16Array }

/** What the file says about itself; strangers wrote it, so it is text and nothing else. */
export interface Provenance {
  generator: string; copyright: string; licences: string[]; synthetic: boolean; source: string;
}

export class Avatar {
  readonly root = new Group();
  readonly drawn: Drawn[] = [];
  readonly joints = new Map<string, Bone>();
  readonly target = new Vector3(0, 0, 0.05);
  /** Height of what a portrait shows, metres. */
  height = 0.35;
  readonly provenance: Provenance;
  readonly animations: readonly AnimationClip[];
  /** Names of the morph targets of each node of the file, in the file's order. */
  readonly targets = new Map<string, string[]>();
  /** Materials of others, which need surroundings to mirror. */
  readonly foreign: Material[] = [];
  readonly lods: number[] = [];
  hasSplats = false;
  triangles = 0;
  vertices = 0;
  private readonly eyeballs: Partial<Record<"left" | "right", Eyeball>> = {};
  /** Gaussians that ride on the meshes. */
  splats: Splats | null = null;
  private readonly clouds: Object3D[] = [];
  private weights: Float32Array = restPose().weights;
  private splatsWanted = true;
  private over = true;

  private constructor(readonly name: string, readonly bytes: number, { scene, animations, parser }: GLTF) {
    this.animations = animations;
    this.provenance = provenanceOf(parser.json as Json);
    this.root.add(scene);
    scene.updateMatrixWorld(true);
    this.bind(scene, parser);
    this.gather(scene, this.provenance.generator.startsWith("avatar3d"));
    this.aim();
    this.show(restPose());
  }

  /** Reads a GLB. Nothing it names is fetched: only what it carries is used. */
  static async read(bytes: ArrayBuffer, name: string): Promise<Avatar> {
    const manager = new LoadingManager();
    manager.setURLModifier((url) => (/^(blob|data):/.test(url) ? url : "data:,refused"));
    return new Avatar(name, bytes.byteLength, await new GLTFLoader(manager).parseAsync(bytes, ""));
  }

  show(pose: Pose): void {
    for (const { mesh, shapes } of this.drawn) {
      const influences = mesh.morphTargetInfluences;
      if (influences) for (let at = 0; at < shapes.length; at++) influences[at] = shapes[at]! < 0 ? 0 : pose.weights[shapes[at]!]!;
    }
    this.weights = pose.weights;
    this.splats?.touch();
    this.turn(JOINTS.head, pose.head);
    for (const side of ["left", "right"] as const) {
      const gaze = pose.eyes?.[side] ?? [1, 0, 0, 0];
      this.turn(JOINTS[side], (pose.eyes?.whole && this.eyeballs[side]?.leftToTurn(pose.weights, gaze)) || gaze);
    }
  }

  /** Level of detail 0 is the finest. */
  chooseLod(level: number): void {
    for (const { mesh } of this.drawn) {
      const own = lodOf(mesh.name);
      if (own !== null) mesh.visible = own === level;
    }
  }

  /** Those bound to the mesh lie over it; a cloud of others stands in its place. */
  showSplats(on: boolean): void {
    this.splatsWanted = on;
    this.splatsOver = this.over;
    for (const cloud of this.clouds) cloud.visible = on;
    if (this.clouds.length) for (const { mesh } of this.drawn) mesh.visible = !on;
  }

  /** Whether this view of the mesh has splats over it: wires and normals have none. */
  set splatsOver(over: boolean) {
    this.over = over;
    if (this.splats) this.splats.mesh.visible = over && this.splatsWanted;
  }

  /** Before a picture of so many pixels is drawn. */
  prepare(camera: Camera, width: number, height: number): void {
    if (!this.splats?.mesh.visible) return;
    this.root.updateMatrixWorld();
    this.splats.prepare(camera, this.weights, width, height);
  }

  dispose(): void {
    this.root.removeFromParent();
    this.splats?.dispose();
    this.root.traverse((node) => {
      if (!(node instanceof Mesh)) return;
      node.geometry.dispose();
      for (const material of [node.material].flat() as MeshStandardMaterial[]) {
        for (const value of Object.values(material)) if (value && typeof value === "object" && "isTexture" in value) (value as { dispose(): void }).dispose();
        material.dispose();
      }
    });
  }

  private turn(joint: string, [w, x, y, z]: Wxyz): void {
    this.joints.get(joint)?.quaternion.set(x, y, z, w);
  }

  /** Finds splats that say what they ride on, while the meshes are still as in the file. */
  private bind(scene: Group, parser: GLTFParser): void {
    const meshes = new Map<number, SkinnedMesh>();
    const clouds: Points[] = [];
    scene.traverse((node) => {
      const number = parser.associations.get(node)?.meshes;
      if (node instanceof SkinnedMesh && number !== undefined) meshes.set(number, node);
      else if (node instanceof Points) clouds.push(node);
    });
    for (const cloud of clouds) {
      const under = ridden(cloud, (mesh) => meshes.get(mesh));
      if (!under || this.splats) continue;
      this.splats = new Splats(cloud, under);
      cloud.removeFromParent();
      cloud.geometry.dispose();
      this.root.add(this.splats.mesh);
    }
  }

  private gather(scene: Group, ours: boolean): void {
    const skinned: SkinnedMesh[] = [];
    const others: Mesh[] = [];
    scene.traverse((node) => {
      if (node instanceof Bone) this.joints.set(node.name, node);
      else if (node instanceof SkinnedMesh) skinned.push(node);
      else if (node instanceof Mesh) others.push(node);
      else if ("isPoints" in node) this.clouds.push(node);
    });
    for (const mesh of skinned) this.targets.set(mesh.name, inOrder(mesh.morphTargetDictionary));
    this.hasSplats = this.clouds.length > 0 || this.splats !== null;
    for (const cloud of this.clouds) cloud.visible = false;
    for (const side of ["left", "right"] as const) this.eyeballs[side] = this.eyeball(skinned, side);

    const rest = new Set<Mesh>([...skinned, ...others]);
    if (ours) {
      for (const [names, make] of [[EYES, mergedEyes], [INNER, mergedMouth]] as const) {
        const group = skinned.filter((mesh) => names.includes(mesh.name) && isStandard(mesh.material) && mesh.geometry.index);
        if (group.length < 2 || new Set(group.map((mesh) => mesh.skeleton)).size > 1) continue;
        const { mesh, parts } = make(group, this.joints);
        for (const one of group) {
          rest.delete(one);
          one.removeFromParent();
          one.geometry.dispose();
        }
        scene.add(mesh);
        this.add(mesh, parts);
      }
    }
    const clothed = skinned.some((mesh) => mesh.name === "body");
    for (const mesh of rest) {
      if (ours && isStandard(mesh.material)) dress(mesh, this.joints, clothed);
      else this.foreign.push(mesh.material as Material);
      this.add(mesh, [{ name: mesh.name, start: 0, count: mesh.geometry.attributes.position!.count }]);
    }
    this.lods.push(...new Set(this.drawn.map(({ mesh }) => lodOf(mesh.name)).filter((level) => level !== null)));
    this.lods.sort((one, two) => one - two);
    if (this.lods.length > 1) this.chooseLod(this.lods[0]!);
  }

  private add(mesh: Mesh, parts: Part[]): void {
    mesh.frustumCulled = false;
    // Never asked for, as nothing is culled; three.js would measure every vertex for it.
    if (mesh instanceof SkinnedMesh) mesh.boundingSphere = new Sphere();
    mesh.castShadow = mesh.name === "face" || mesh.name === "hair";
    mesh.receiveShadow = true;
    const names = Object.entries(mesh.morphTargetDictionary ?? {});
    const shapes = new Int16Array(mesh.morphTargetInfluences?.length ?? 0).fill(-1);
    for (const [name, at] of names) shapes[at] = SHAPE_INDEX.get(name) ?? -1;
    this.drawn.push({ mesh, parts, shapes });
    this.vertices += mesh.geometry.attributes.position!.count;
    this.triangles += (mesh.geometry.index?.count ?? mesh.geometry.attributes.position!.count) / 3;
  }

  private eyeball(meshes: SkinnedMesh[], side: "left" | "right"): Eyeball | undefined {
    const mesh = meshes.find(({ name }) => name === (side === "left" ? EYES[0] : EYES[1]));
    const joint = mesh?.skeleton.bones.findIndex((bone) => bone.name === JOINTS[side]) ?? -1;
    if (!mesh || joint < 0) return undefined;
    return new Eyeball(mesh.geometry, inOrder(mesh.morphTargetDictionary), joint);
  }

  private aim(): void {
    const [left, right] = [this.joints.get(JOINTS.left), this.joints.get(JOINTS.right)];
    if (left && right) {
      this.target.addVectors(left.getWorldPosition(new Vector3()), right.getWorldPosition(new Vector3())).multiplyScalar(0.5).add(PORTRAIT);
      return;
    }
    const box = new Box3().setFromObject(this.root);
    box.getCenter(this.target);
    this.height = Math.max(box.getSize(new Vector3()).y, 0.01) * 1.2;
  }
}

function mergedEyes(group: SkinnedMesh[], joints: Map<string, Bone>): { mesh: SkinnedMesh; parts: Part[] } {
  const merged = mergeGeometries(group);
  const { geometry, parts } = merged;
  const centres = new Float32Array(geometry.attributes.position!.count * 3);
  for (const { name, start, count } of parts) {
    const centre = joints.get(name === EYES[0] ? JOINTS.left : JOINTS.right)?.getWorldPosition(new Vector3()) ?? new Vector3();
    for (let at = start; at < start + count; at++) centre.toArray(centres, at * 3);
  }
  geometry.setAttribute("centre", new BufferAttribute(centres, 3));
  addMorphNormals(geometry);
  return { mesh: bound("eyes", geometry, eyes(group[0]!.material as MeshStandardMaterial), group[0]!, merged.names), parts };
}

function mergedMouth(group: SkinnedMesh[]): { mesh: SkinnedMesh; parts: Part[] } {
  const merged = mergeGeometries(group);
  const atlas = intoAtlas(merged, group.map((mesh) => mesh.material as Material));
  return { mesh: bound("inner", merged.geometry, mouth(atlas), group[0]!, merged.names), parts: merged.parts };
}

function bound(name: string, geometry: SkinnedMesh["geometry"], material: Material, like: SkinnedMesh, names: string[]): SkinnedMesh {
  const mesh = new SkinnedMesh(geometry, material);
  mesh.name = name;
  mesh.bind(like.skeleton, like.bindMatrix);
  mesh.morphTargetDictionary = Object.fromEntries(names.map((each, at) => [each, at]));
  mesh.morphTargetInfluences = names.map(() => 0);
  return mesh;
}

function dress(mesh: Mesh, joints: Map<string, Bone>, clothed: boolean): void {
  const material = mesh.material as MeshStandardMaterial;
  if (mesh.name === "face") {
    // Where a body goes on below, the bust has no cut to hide.
    const low = clothed ? -10 : (joints.get("root")?.getWorldPosition(new Vector3()).y ?? -1);
    mesh.material = skin(material, [low + FADE_M[0], low + FADE_M[1]]);
    // Tangents do not follow the shapes; without them the relief is turned along the surface as drawn.
    mesh.geometry.deleteAttribute("tangent");
    addMorphNormals(mesh.geometry);
  } else if (HAIRY.includes(mesh.name)) {
    mesh.material = hair(material, mesh.name);
  }
}

function inOrder(dictionary: Record<string, number> | undefined): string[] {
  return Object.entries(dictionary ?? {}).sort((one, two) => one[1] - two[1]).map(([name]) => name);
}

function lodOf(name: string): number | null {
  const found = /[_-]lod(\d)/i.exec(name);
  return found ? Number(found[1]) : null;
}

type Json = { asset?: Record<string, unknown> };

function provenanceOf({ asset = {} }: Json): Provenance {
  const extras = (typeof asset.extras === "object" && asset.extras ? asset.extras : {}) as Record<string, unknown>;
  const words = (value: unknown, otherwise = "") => (typeof value === "string" ? value.slice(0, 2000) : otherwise);
  const source = (typeof extras.source === "object" && extras.source ? extras.source : {}) as Record<string, unknown>;
  return {
    generator: words(asset.generator),
    copyright: words(asset.copyright) || words(extras.copyright),
    licences: Array.isArray(extras.licences) ? extras.licences.slice(0, 20).map((line) => words(line)) : [],
    synthetic: extras.synthetic === true,
    source: words(source.kind),
  };
}
