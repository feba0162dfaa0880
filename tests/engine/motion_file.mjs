// Writes what an engine saw: motion.json and one float32 file per mesh (rest, shapes, poses; see motion.py).
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class MotionFile {
  constructor(engine, folder) {
    this.folder = folder;
    this.contents = { engine, meshes: [] };
    mkdirSync(folder, { recursive: true });
  }

  add(name, shapeNames, rest, shapes, poses) {
    const blocks = [rest, ...shapes, ...poses].map((block) => Buffer.from(new Float32Array(block).buffer));
    const file = `mesh${this.contents.meshes.length}.f32`;
    writeFileSync(join(this.folder, file), Buffer.concat(blocks));
    this.contents.meshes.push({ name, shapes: shapeNames, poses: poses.length, vertices: rest.length / 3, file });
  }

  save() {
    writeFileSync(join(this.folder, "motion.json"), JSON.stringify(this.contents));
  }
}
