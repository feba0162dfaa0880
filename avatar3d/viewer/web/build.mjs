// Sources to ../dist: one program, two audio worklets of their own (the page's policy allows no inline script), page, style.
import { cpSync, mkdirSync, rmSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "..", "dist");
const files = ["index.html", "style.css", "icon.svg"];

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { viewer: "src/main.ts", playout: "src/sound/playout.worklet.ts", capture: "src/sound/capture.worklet.ts" },
  outdir: dist,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});
for (const file of files) cpSync(join(here, "src", file), join(dist, file));
// What others wrote is told beside it, as its licence asks.
writeFileSync(join(dist, "LICENSES.txt"), `three.js (MIT)\n\n${readFileSync(join(here, "node_modules/three/LICENSE"), "utf8")}`);
for (const file of ["viewer.js", "playout.js", "capture.js", "style.css", "index.html"]) {
  const bytes = readFileSync(join(dist, file));
  console.log(`${file.padEnd(12)} ${(statSync(join(dist, file)).size / 1000).toFixed(0).padStart(5)} KB  ${(gzipSync(bytes).length / 1000).toFixed(1).padStart(6)} KB gzip`);
}
