// What @pixiv/three-vrm makes of a .vrm, in node, without a browser: no pixel is decoded, everything else is real.
// usage: node read_vrm.mjs FILE REQUEST.json OUT_FOLDER      (the formats are in vrm_motion.py)
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

globalThis.self ??= globalThis;
globalThis.createImageBitmap = async () => ({ width: 1, height: 1, close() {} });
const THREE = await import("three");
const { GLTFLoader } = await import("three/addons/loaders/GLTFLoader.js");
const { VRMExpressionLoaderPlugin, VRMLoaderPlugin, VRMUtils } = await import("@pixiv/three-vrm");

const [file, requestFile, out] = process.argv.slice(2);
const { faces, looks, swing } = JSON.parse(readFileSync(requestFile, "utf8"));
const warnings = [];
let groups = [];
console.warn = (...words) => warnings.push(words.join(" "));

async function load() {
  const loader = new GLTFLoader();
  loader.register((parser) => new VRMLoaderPlugin(parser));
  const bytes = readFileSync(file);
  const { userData, parser } = await loader.parseAsync(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), "");
  const { vrm } = userData;
  if (!vrm) throw new Error(`three-vrm found no VRM: ${warnings.join("; ")}`);
  VRMUtils.rotateVRM0(vrm); // turns 0.x to +Z, leaves 1.0
  vrm.scene.updateMatrixWorld(true);
  vrm.springBoneManager?.reset(); // or hair would fly from where it was before that turn
  groups = parser.json.extensions.VRM?.blendShapeMaster.blendShapeGroups ?? [];
  return vrm;
}

// The expression that a program means by a name: in 0.x the name of a clip, which three-vrm replaces by 1.0's.
function meant(name) {
  const preset = groups.find((group) => group.name === name)?.presetName;
  return VRMExpressionLoaderPlugin.v0v1PresetNameMap[preset] ?? name;
}

// Sets all expressions and turns bones (of three-vrm's normalized humanoid, quaternions xyzw).
function show(vrm, { weights = {}, bones = {} }) {
  vrm.expressionManager.resetValues();
  for (const [name, weight] of Object.entries(weights)) {
    if (!vrm.expressionManager.getExpression(meant(name))) throw new Error(`there is no expression ${name}`);
    vrm.expressionManager.setValue(meant(name), weight);
  }
  vrm.expressionManager.update();
  vrm.humanoid.resetNormalizedPose();
  for (const [name, xyzw] of Object.entries(bones)) vrm.humanoid.getNormalizedBoneNode(name).quaternion.fromArray(xyzw);
  vrm.humanoid.update();
  vrm.scene.updateMatrixWorld(true);
}

function meshesOf(vrm) {
  const found = [];
  vrm.scene.traverse((node) => node.isMesh && found.push(node));
  return found;
}

// Where each vertex is in the world: shapes, then skin, then the scene's turn.
function positions(mesh) {
  const count = mesh.geometry.attributes.position.count;
  const rows = new Float32Array(count * 3);
  const point = new THREE.Vector3();
  for (let at = 0; at < count; at++) mesh.getVertexPosition(at, point).applyMatrix4(mesh.matrixWorld).toArray(rows, at * 3);
  return rows;
}

// Along which way a bone that rested along +Z of the world points now.
function ahead(bone, restWorld) {
  const turn = bone.getWorldQuaternion(new THREE.Quaternion()).multiply(restWorld.clone().invert());
  return new THREE.Vector3(0, 0, 1).applyQuaternion(turn).toArray();
}

// Looks at points two metres away, told by yaw (to the person's left) and pitch (down), degrees.
function gazes(vrm) {
  const bones = ["leftEye", "rightEye"].map((name) => vrm.humanoid.getRawBoneNode(name));
  const rests = bones.map((bone) => bone.getWorldQuaternion(new THREE.Quaternion()));
  const from = vrm.lookAt.getLookAtWorldPosition(new THREE.Vector3());
  const target = new THREE.Object3D();
  vrm.lookAt.target = target;
  return looks.map(([yaw, pitch]) => {
    const [turn, down] = [yaw, pitch].map(THREE.MathUtils.degToRad);
    target.position.set(Math.sin(turn) * Math.cos(down), -Math.sin(down), Math.cos(turn) * Math.cos(down)).multiplyScalar(2).add(from);
    target.updateMatrixWorld(true);
    vrm.update(0);
    vrm.scene.updateMatrixWorld(true);
    return bones.map((bone, at) => ahead(bone, rests[at]));
  });
}

// How far hair leaves the places where stiff hair would be: while nothing moves, and after the head has tilted.
function swings(vrm) {
  const joints = [...(vrm.springBoneManager?.joints ?? [])].filter((joint) => joint.child);
  const head = vrm.humanoid.getRawBoneNode("head");
  const tips = joints.map((joint) => joint.child);
  const stiff = tips.map((tip) => head.worldToLocal(tip.getWorldPosition(new THREE.Vector3())));
  const apart = () => Math.max(0, ...tips.map((tip, at) =>
    tip.getWorldPosition(new THREE.Vector3()).distanceTo(head.localToWorld(stiff[at].clone()))));
  const run = (frames) => {
    let most = 0;
    for (let frame = 0; frame < frames; frame++) {
      vrm.update(1 / 60);
      vrm.scene.updateMatrixWorld(true);
      most = Math.max(most, apart());
    }
    return most;
  };
  const resting = run(60);
  vrm.humanoid.getNormalizedBoneNode("head").rotation.z = 0.5;
  return { joints: joints.length, colliders: vrm.springBoneManager?.colliders.length ?? 0, resting, moving: run(30), after: (run(300), apart()) };
}

const vrm = await load();
const meshes = meshesOf(vrm);
const blocks = meshes.map((mesh) => [positions(mesh)]);
for (const face of faces) {
  show(vrm, face);
  meshes.forEach((mesh, at) => blocks[at].push(positions(mesh)));
}
show(vrm, {});
const gazed = gazes(vrm);
const sprung = swing ? swings(await load()) : null; // hair remembers, so a fresh one
const annotations = vrm.firstPerson.meshAnnotations.map(({ meshes: of, type }) => ({ type, meshes: of.map((mesh) => mesh.name) }));
const viewed = await load();
viewed.firstPerson.setup();
const parts = meshesOf(viewed).map((mesh) => ({ name: mesh.name, layers: mesh.layers.mask, triangles: mesh.geometry.index.count / 3 }));
const bones = Object.fromEntries(Object.entries(vrm.humanoid.humanBones).map(([name, { node }]) =>
  [name, node.getWorldPosition(new THREE.Vector3()).toArray()]));

mkdirSync(out, { recursive: true });
const told = meshes.map((mesh, at) => {
  writeFileSync(join(out, `mesh${at}.f32`), Buffer.concat(blocks[at].map((rows) => Buffer.from(rows.buffer))));
  return { name: mesh.name, vertices: mesh.geometry.attributes.position.count, file: `mesh${at}.f32` };
});
writeFileSync(join(out, "vrm.json"), JSON.stringify({
  meta: vrm.meta, expressions: Object.keys(vrm.expressionManager.expressionMap), meshes: told, bones, gazes: gazed, springs: sprung, annotations, parts,
  materials: meshes.map((mesh) => [mesh.material].flat()[0].type), warnings,
}));
