// Draws a GLB with three.js in Chromium.   usage: node screenshot.mjs FILE OUT.png '{"yaw":30,"weights":{"jawOpen":1}}' SIZE
import { withAvatar } from "./browser.mjs";

const [file, out, options = "{}", size = "768"] = process.argv.slice(2);
const edge = Number(size);
await withAvatar(file, { width: edge, height: edge }, async (page) => {
  await page.evaluate((asked) => window.avatar.show(asked), JSON.parse(options));
  await page.screenshot({ path: out });
});
