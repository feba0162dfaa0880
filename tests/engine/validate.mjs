// Runs the Khronos glTF validator on one file and prints its report as JSON.
// usage: node validate.mjs FILE [FOLDER_WITH_NODE_MODULES]
import { readFileSync } from "node:fs";
import validator from "gltf-validator";

const bytes = new Uint8Array(readFileSync(process.argv[2]));
const report = await validator.validateBytes(bytes, { format: "glb", maxIssues: 200, writeTimestamp: false });
console.log(JSON.stringify(report));
