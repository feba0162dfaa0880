// Opens page/index.html in Chromium with one GLB beside it. Nothing listens on a port and nothing is fetched from
// outside: every request of the page is answered from disk, any other is refused.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
const origin = "http://avatar3d.test/";
const types = { ".html": "text/html", ".js": "text/javascript", ".glb": "model/gltf-binary" };
const flags = ["--no-sandbox", "--use-angle=gl-egl", "--ignore-gpu-blocklist", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-dev-shm-usage"];

function findChromium() {
  if (process.env.AVATAR3D_CHROMIUM) return process.env.AVATAR3D_CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    try {
      return execFileSync(process.platform === "win32" ? "where" : "which", [name], { encoding: "utf8" }).split("\n")[0].trim();
    } catch { /* the next name */ }
  }
  throw new Error("no Chromium: install it (apt-get install chromium) or set AVATAR3D_CHROMIUM");
}

function answer(url, glb) {
  const path = normalize(decodeURIComponent(new URL(url).pathname)).replace(/^[/\\]+/, "");
  if (path === "avatar.glb") return glb;
  const file = join(here, path.startsWith("node_modules") ? path : join("page", path || "index.html"));
  return file.startsWith(here) && existsSync(file) ? file : null;
}

// Calls use(page) with the avatar loaded as window.avatar; resolves to what it returns. `html` is a file of page/.
export async function withAvatar(glb, { width = 512, height = 512, html = "" }, use) {
  const browser = await chromium.launch({ executablePath: findChromium(), args: flags });
  try {
    const page = await browser.newPage({ viewport: { width, height } });
    const troubles = [];
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    await page.route("**/*", (route) => {
      const url = route.request().url();
      if (url.startsWith("blob:") || url.startsWith("data:")) return route.continue();
      const file = url.startsWith(origin) ? answer(url, glb) : null;
      if (!file) return route.abort();
      return route.fulfill({ body: readFileSync(file), contentType: types[extname(file)] ?? "application/octet-stream" });
    });
    await page.goto(origin + html);
    try {
      await page.waitForFunction(() => window.avatar, null, { timeout: 60000 });
    } catch (error) {
      throw new Error(`the avatar did not load: ${troubles.join("; ") || error}`);
    }
    const result = await use(page);
    if (troubles.length) throw new Error(troubles.join("; "));
    return result;
  } finally {
    await browser.close();
  }
}
