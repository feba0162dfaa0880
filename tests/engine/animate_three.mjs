// What three.js makes of a GLB's animation, in Chromium: shapes and joints at some times.
// usage: node animate_three.mjs FILE REQUEST.json OUT_FOLDER      (the formats are in test_animation.py)
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withAvatar } from "./browser.mjs";

const [file, requestFile, out] = process.argv.slice(2);
const { times } = JSON.parse(readFileSync(requestFile, "utf8"));

const told = await withAvatar(file, {}, (page) =>
  page.evaluate(async (asked) => {
    const THREE = await import("three");
    const { GLTFLoader } = await import("three/addons/loaders/GLTFLoader.js");
    const { scene, animations } = await new GLTFLoader().loadAsync("/avatar.glb");
    const talk = animations.find((each) => each.name === "talk");
    const mixer = new THREE.AnimationMixer(scene);
    const action = mixer.clipAction(talk);
    action.setLoop(THREE.LoopOnce);
    action.clampWhenFinished = true;
    action.play();
    const samples = asked.map((time) => {
      mixer.setTime(time);
      const weights = {};
      const rotations = {};
      scene.traverse((node) => {
        if (node.isBone) rotations[node.name] = [node.quaternion.w, node.quaternion.x, node.quaternion.y, node.quaternion.z];
        if (node.isMesh && node.morphTargetDictionary) {
          weights[node.name] = Object.fromEntries(
            Object.entries(node.morphTargetDictionary).map(([name, at]) => [name, node.morphTargetInfluences[at]]));
        }
      });
      return { weights, rotations };
    });
    return { engine: `three.js r${THREE.REVISION}`, duration: talk.duration, samples };
  }, times));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "animation.json"), JSON.stringify(told));
