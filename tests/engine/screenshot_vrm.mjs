// Pictures of a .vrm in three-vrm, in Chromium.
// usage: node screenshot_vrm.mjs FILE OUT_FOLDER VIEWS.json [SIZE_PX]      VIEWS: {name: what show() of page/vrm.js takes}
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { withAvatar } from "./browser.mjs";

const [file, out, viewsFile, size = "512"] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
await withAvatar(file, { width: Number(size), height: Number(size), html: "vrm.html" }, async (page) => {
  for (const [name, view] of Object.entries(JSON.parse(readFileSync(viewsFile, "utf8")))) {
    await page.evaluate((asked) => window.avatar.show(asked), view);
    await page.screenshot({ path: join(out, `${name}.png`) });
  }
});
