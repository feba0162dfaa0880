// A GLB made small for the web: pictures as WebP (normal maps without loss), numbers packed by meshopt, not one of them changed.
// usage: node web_build.mjs NODE_MODULES IN.glb OUT.glb
// Neither weld, join, flatten, simplify, reorder nor quantise: every vertex stays, in its order, to the bit.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const QUALITY = 88; // of colour; albedo of skin shows blocks from 80 down
const [modules, source, target] = process.argv.slice(2);
const require = createRequire(join(modules, "here.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const { NodeIO } = await load("@gltf-transform/core");
const { ALL_EXTENSIONS, EXTMeshoptCompression } = await load("@gltf-transform/extensions");
const { textureCompress } = await load("@gltf-transform/functions");
const { MeshoptEncoder } = await load("meshoptimizer");
const { default: sharp } = await load("sharp");

await MeshoptEncoder.ready;
const io = new NodeIO().registerExtensions(ALL_EXTENSIONS).registerDependencies({ "meshopt.encoder": MeshoptEncoder });
const document = await io.read(source);
await document.transform(
  textureCompress({ encoder: sharp, targetFormat: "webp", slots: /^normal/, lossless: true, effort: 80 }),
  textureCompress({ encoder: sharp, targetFormat: "webp", slots: /^(?!normal)/, quality: QUALITY, effort: 80 }),
);
document.createExtension(EXTMeshoptCompression)
  .setRequired(true)
  .setEncoderOptions({ method: EXTMeshoptCompression.EncoderMethod.QUANTIZE });
await io.write(target, document);
