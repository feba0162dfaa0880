// What three.js sees in a GLB, in Chromium: every shape and every pose, as vertex positions.
// usage: node read_three.mjs FILE REQUEST.json OUT_FOLDER      (the formats are in motion.py)
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withAvatar } from "./browser.mjs";

const [file, requestFile, out] = process.argv.slice(2);
const { poses } = JSON.parse(readFileSync(requestFile, "utf8"));

const { revision, meshes } = await withAvatar(file, {}, (page) =>
  page.evaluate((asked) => ({ revision: window.avatar.revision, meshes: window.avatar.measure(asked) }), poses));
mkdirSync(out, { recursive: true });
const told = meshes.map(({ name, names, vertices, poses: count, rows }, at) => {
  writeFileSync(join(out, `mesh${at}.f32`), Buffer.from(rows, "base64"));
  return { name, shapes: names, poses: count, vertices, file: `mesh${at}.f32` };
});
writeFileSync(join(out, "motion.json"), JSON.stringify({ engine: `three.js r${revision}`, meshes: told }));
