// What Babylon.js sees in a GLB: every shape and every pose, as vertex positions. Headless (NullEngine).
// usage: node read_babylon.mjs FILE REQUEST.json OUT_FOLDER      (the formats are in motion.py)
import { readFileSync } from "node:fs";
import { Engine } from "@babylonjs/core/Engines/engine.js";
import { NullEngine } from "@babylonjs/core/Engines/nullEngine.js";
import { LoadAssetContainerAsync } from "@babylonjs/core/Loading/sceneLoader.js";
import { Quaternion } from "@babylonjs/core/Maths/math.vector.js";
import { Scene } from "@babylonjs/core/scene.js";
import "@babylonjs/loaders/glTF/2.0/index.js";
import { MotionFile } from "./motion_file.mjs";

const [file, requestFile, out] = process.argv.slice(2);
const request = JSON.parse(readFileSync(requestFile, "utf8"));

// Babylon sorts splats (KHR_gaussian_splatting) in a worker, which node calls otherwise; nothing is drawn here.
globalThis.Worker ??= class { postMessage() {} terminate() {} };

const scene = new Scene(new NullEngine());
scene.useRightHandedSystem = true;
const container = await LoadAssetContainerAsync(new Uint8Array(readFileSync(file)), scene, { pluginExtension: ".glb" });
container.addAllToScene();

const skeleton = container.skeletons[0];
const meshes = container.meshes.filter((mesh) => mesh.getTotalVertices() > 0 && mesh.getClassName() !== "GaussianSplattingMesh");
const joints = Object.fromEntries(skeleton.bones.map((bone) => [bone.name, bone.getTransformNode()]));

function setWeights(mesh, weights) {
  const manager = mesh.morphTargetManager;
  for (let i = 0; manager && i < manager.numTargets; i++) {
    manager.getTarget(i).influence = weights[manager.getTarget(i).name] ?? 0;
  }
}

function setPose(rotations) {
  for (const [name, node] of Object.entries(joints)) {
    const [w, x, y, z] = rotations[name] ?? [1, 0, 0, 0];
    node.rotationQuaternion = new Quaternion(x, y, z, w);
    node.computeWorldMatrix(true);
  }
  for (const bone of skeleton.bones) bone.getTransformNode().computeWorldMatrix(true);
  skeleton.prepare(true);
}

const positions = (mesh) => mesh.getPositionData(true, true);

const written = new MotionFile(`Babylon.js ${Engine.Version}`, out);
for (const mesh of meshes) {
  const manager = mesh.morphTargetManager;
  const names = manager ? Array.from({ length: manager.numTargets }, (_, i) => manager.getTarget(i).name) : [];
  setPose({});
  setWeights(mesh, {});
  const rest = positions(mesh).slice();
  const shapes = names.map((name) => {
    setWeights(mesh, { [name]: 1 });
    return positions(mesh).map((value, at) => value - rest[at]);
  });
  const poses = request.poses.map((pose) => {
    setPose(pose.rotations);
    setWeights(mesh, pose.weights);
    return positions(mesh).slice();
  });
  written.add(mesh.name, names, rest, shapes, poses);
}
written.save();
process.exit(0);
