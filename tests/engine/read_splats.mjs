// What splat-transform (PlayCanvas) and three.js read of our files of splats, as JSON.   node read_splats.mjs FILE.{ply,spz,glb}
import { readFileSync } from "node:fs";

const [file] = process.argv.slice(2);
const bytes = readFileSync(file);
const told = {};
if (file.endsWith(".glb")) {
  globalThis.self = globalThis;
  globalThis.ProgressEvent ??= class extends Event {};
  const { GLTFLoader } = await import("three/examples/jsm/loaders/GLTFLoader.js");
  const { GLTFGaussianSplatLoaderExtension } = await import("three/examples/jsm/loaders/GLTFGaussianSplatLoaderExtension.js");
  const loader = new GLTFLoader();
  loader.register((parser) => new GLTFGaussianSplatLoaderExtension(parser));
  loader.register((parser) => ({ name: "no pictures in node", loadTexture: () => Promise.resolve(null), parser }));
  const { scene } = await loader.parseAsync(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), "");
  scene.updateMatrixWorld(true);
  scene.traverse((node) => {
    if (!node.isGaussianSplat) return;
    told.kind = node.constructor.name;
    told.parent = node.parent.name;
    told.world = node.matrixWorld.toArray();
    told.attributes = Object.fromEntries(Object.entries(node.splatGeometry.attributes).map(([name, { itemSize, count, array }]) => [name, { itemSize, count, array: [...array] }]));
  });
} else {
  const { MemoryReadFileSystem, getInputFormat, readFile } = await import("@playcanvas/splat-transform");
  const fileSystem = new MemoryReadFileSystem();
  const name = file.split("/").at(-1);
  fileSystem.set(name, new Uint8Array(bytes));
  const [table] = await readFile({ filename: name, inputFormat: getInputFormat(name), options: {}, params: [], fileSystem });
  for (const column of table.columns) told[column.name] = [...column.data];
}
process.stdout.write(JSON.stringify(told));
