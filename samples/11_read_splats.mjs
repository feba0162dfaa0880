// 11. Read NAME.splats in a browser or node, without packages; 11_read_splats.py tells what it is.   node 11_read_splats.mjs ana.splats

const COLUMNS = [["triangle", 1], ["barycentric", 3], ["offset", 1], ["rotation", 4], ["scale", 3], ["colour", 3], ["opacity", 1]];

/** Columns of all splats by name, and meshes: pairs of a name and a number of triangles. */
export function read(/** @type {ArrayBuffer} */ content) {
  const view = new DataView(content);
  const [magic, version, count, triangles, names] = [0, 4, 8, 12, 16].map((at) => view.getUint32(at, true));
  if (magic !== 0x53443341 || version !== 1 || content.byteLength !== 20 + names + 64 * count) throw new Error("not a whole .splats file of version 1");
  const lines = new TextDecoder().decode(new Uint8Array(content, 20, names)).split("\n").filter(Boolean);
  const told = { meshes: lines.map((line) => [line.split("\t")[0], Number(line.split("\t")[1])]) };
  let at = 20 + names;
  for (const [name, width] of COLUMNS) { // every machine with a browser is little-endian
    told[name] = name === "triangle" ? new Uint32Array(content, at, count) : new Float32Array(content, at, count * width);
    at += 4 * width * count;
  }
  if (told.triangle.some((triangle) => triangle >= triangles)) throw new Error("a splat rides on a triangle that is not there");
  return told;
}

const minus = (one, two) => one.map((value, at) => value - two[at]);
const cross = ([a, b, c], [d, e, f]) => [b * f - c * e, c * d - a * f, a * e - b * d];

/** Where a splat is, and its triangle's frame (x, y, z) and size, from the posed corners. */
export function place(a, b, c, barycentric, offset) {
  const side = minus(b, a);
  const across = cross(side, minus(c, a));
  const [length, area] = [Math.hypot(...side), Math.hypot(...across)];
  const [x, z, size] = [side.map((value) => value / length), across.map((value) => value / area), (length + area / length) / 2];
  const centre = [0, 1, 2].map((axis) => barycentric[0] * a[axis] + barycentric[1] * b[axis] + barycentric[2] * c[axis] + offset * size * z[axis]);
  return { centre, frame: [x, cross(z, x), z], size };
}

if (globalThis.process?.argv[1]?.endsWith("11_read_splats.mjs")) {
  const bytes = (await import("node:fs")).readFileSync(process.argv[2]);
  const told = read(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  console.log(JSON.stringify(told, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value)));
}
