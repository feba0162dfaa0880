// Whether three.js needs triangles sorted to draw a mesh right.   usage: node draw_order.mjs FILE '{"name":"hair","yaws":[0,90]}'
import { withAvatar } from "./browser.mjs";

const [file, asked] = process.argv.slice(2);
const seen = await withAvatar(file, {}, (page) => page.evaluate((what) => window.avatar.drawOrder(what), JSON.parse(asked)));
console.log(JSON.stringify(seen));
