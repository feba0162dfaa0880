// Many small meshes become one, so that an avatar costs few draw calls: teeth, gums, tongue, mouth and wet lines share an atlas,
// the two eyes one mesh. A part keeps its place in the merged arrays, so that tests and views can still find it.
import { BufferAttribute, BufferGeometry, CanvasTexture, SRGBColorSpace, Uint16BufferAttribute } from "three";
import type { Material, MeshStandardMaterial, SkinnedMesh, TypedArray } from "three";

/** Where the vertices of a mesh of the file are drawn. */
export interface Part { name: string; start: number; count: number }

export interface Merged { geometry: BufferGeometry; names: string[]; parts: Part[] }

const KEPT = ["position", "normal", "uv", "skinIndex", "skinWeight"] as const;

/** One geometry of several that hang on one skeleton; morph targets meet by name. */
export function mergeGeometries(meshes: readonly SkinnedMesh[]): Merged {
  const names = [...new Set(meshes.flatMap((mesh) => Object.keys(mesh.morphTargetDictionary ?? {})))];
  const parts: Part[] = [];
  let total = 0;
  for (const mesh of meshes) {
    const count = mesh.geometry.attributes.position!.count;
    parts.push({ name: mesh.name, start: total, count });
    total += count;
  }
  const geometry = new BufferGeometry();
  for (const name of KEPT) {
    const size = meshes[0]!.geometry.attributes[name]!.itemSize;
    const values = name === "skinIndex" ? new Uint16Array(total * size) : new Float32Array(total * size);
    meshes.forEach((mesh, at) => copy(mesh.geometry.attributes[name]!, values, parts[at]!.start, size));
    geometry.setAttribute(name, name === "skinIndex" ? new Uint16BufferAttribute(values as Uint16Array, size) : new BufferAttribute(values, size));
  }
  const indices: number[] = [];
  meshes.forEach((mesh, at) => {
    const index = mesh.geometry.index!;
    for (let corner = 0; corner < index.count; corner++) indices.push(index.getX(corner) + parts[at]!.start);
  });
  geometry.setIndex(indices);
  if (names.length) {
    geometry.morphTargetsRelative = true;
    geometry.morphAttributes.position = names.map((name) => {
      const values = new Float32Array(total * 3);
      meshes.forEach((mesh, at) => {
        const number = mesh.morphTargetDictionary?.[name];
        const morph = number === undefined ? undefined : mesh.geometry.morphAttributes.position?.[number];
        if (morph) copy(morph, values, parts[at]!.start, 3);
      });
      const attribute = new BufferAttribute(values, 3);
      attribute.name = name;
      return attribute;
    });
  }
  return { geometry, names, parts };
}

type Readable = { count: number; getComponent(at: number, slot: number): number };

function copy(from: Readable, into: TypedArray, start: number, size: number): void {
  for (let at = 0; at < from.count; at++) for (let slot = 0; slot < size; slot++) into[(start + at) * size + slot] = from.getComponent(at, slot);
}

/** Colour, roughness and openness (how much of the room reaches there) of each part as vertex attributes, its picture in one atlas; uvs are moved there. */
export function intoAtlas(merged: Merged, materials: readonly Material[]): CanvasTexture {
  const cell = 512;
  const margin = 8; // as much as a small mipmap bleeds
  const columns = Math.ceil(Math.sqrt(materials.length));
  const rows = Math.ceil(materials.length / columns);
  const canvas = document.createElement("canvas");
  canvas.width = columns * cell;
  canvas.height = rows * cell;
  const pen = canvas.getContext("2d")!;
  const { geometry, parts } = merged;
  const uv = geometry.attributes.uv!;
  const colours = new Float32Array(uv.count * 3);
  const surface = new Float32Array(uv.count * 2);
  const position = geometry.attributes.position!;
  const teeth = parts.filter(({ name }) => name.startsWith("teeth"));
  const front = Math.max(...teeth.flatMap(({ start, count }) => Array.from({ length: count }, (_, at) => position.getZ(start + at))));
  parts.forEach(({ start, count }, at) => {
    const material = materials[at] as MeshStandardMaterial;
    const [left, top] = [(at % columns) * cell, Math.floor(at / columns) * cell];
    const picture = material.map?.image as CanvasImageSource | undefined;
    if (picture) {
      pen.drawImage(picture, left, top, cell, cell); // what a clamped sampler would find beyond the edge, nearly
      pen.drawImage(picture, left + margin, top + margin, cell - 2 * margin, cell - 2 * margin);
    } else {
      pen.fillStyle = "#fff";
      pen.fillRect(left, top, cell, cell);
    }
    for (let vertex = start; vertex < start + count; vertex++) {
      const inside = (value: number) => margin + Math.min(Math.max(value, 0), 1) * (cell - 2 * margin);
      uv.setXY(vertex, (left + inside(uv.getX(vertex))) / canvas.width, (top + inside(uv.getY(vertex))) / canvas.height);
      material.color.toArray(colours, vertex * 3);
      surface[2 * vertex] = material.roughness;
      surface[2 * vertex + 1] = parts[at]!.name === "wetLines" ? 1 : openness(front - position.getZ(vertex));
    }
  });
  geometry.setAttribute("color", new BufferAttribute(colours, 3));
  geometry.setAttribute("surface", new BufferAttribute(surface, 2));
  const atlas = new CanvasTexture(canvas);
  atlas.flipY = false;
  atlas.colorSpace = SRGBColorSpace;
  atlas.anisotropy = 4;
  return atlas;
}

/** Light fades behind the front teeth, metres: cheeks and lips stand in its way, and no engine casts that shade. */
function openness(depth: number): number {
  const part = Math.min(Math.max(1 - (depth - 0.004) / 0.034, 0), 1);
  return part * part * (3 - 2 * part);
}
