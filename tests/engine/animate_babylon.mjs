// What Babylon.js makes of a GLB's animation: shapes and joints at some times. Headless (NullEngine).
// usage: node animate_babylon.mjs FILE REQUEST.json OUT_FOLDER      (the formats are in test_animation.py)
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Engine } from "@babylonjs/core/Engines/engine.js";
import { NullEngine } from "@babylonjs/core/Engines/nullEngine.js";
import { LoadAssetContainerAsync } from "@babylonjs/core/Loading/sceneLoader.js";
import { Scene } from "@babylonjs/core/scene.js";
import "@babylonjs/core/Animations/animatable.js";
import "@babylonjs/loaders/glTF/2.0/index.js";

const [file, requestFile, out] = process.argv.slice(2);
const { times } = JSON.parse(readFileSync(requestFile, "utf8"));

const scene = new Scene(new NullEngine());
scene.useRightHandedSystem = true;
const container = await LoadAssetContainerAsync(new Uint8Array(readFileSync(file)), scene, { pluginExtension: ".glb" });
container.addAllToScene();
const group = container.animationGroups.find((each) => each.name === "talk");
const rate = group.targetedAnimations[0].animation.framePerSecond;

const joints = Object.fromEntries(container.skeletons[0].bones.map((bone) => [bone.name, bone.getTransformNode()]));
const meshes = container.meshes.filter((mesh) => mesh.morphTargetManager);
group.start(false, 1, group.from, group.to);
group.pause();
const samples = times.map((time) => {
  group.goToFrame(time * rate);
  const weights = {};
  for (const mesh of meshes) {
    const manager = mesh.morphTargetManager;
    weights[mesh.name] = Object.fromEntries(
      Array.from({ length: manager.numTargets }, (_, at) => [manager.getTarget(at).name, manager.getTarget(at).influence]));
  }
  const rotations = {};
  for (const [name, node] of Object.entries(joints)) {
    const { x, y, z, w } = node.rotationQuaternion;
    rotations[name] = [w, x, y, z];
  }
  return { weights, rotations };
});
const duration = (group.to - group.from) / rate;
writeFileSync(join(out, "animation.json"), JSON.stringify({ engine: `Babylon.js ${Engine.Version}`, duration, samples }));
process.exit(0);
