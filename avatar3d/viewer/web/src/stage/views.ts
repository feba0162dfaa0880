// Other ways to look at the same avatar: its wires, its normals, its pictures.
import { DoubleSide, Mesh, MeshBasicMaterial, MeshNormalMaterial, SRGBColorSpace, SkinnedMesh, type Material, type MeshStandardMaterial, type Texture } from "three";

export const VIEWS = ["Shaded", "Wireframe", "Normals", "Base colour", "Normal map", "ORM"] as const;
export type View = (typeof VIEWS)[number];

const WIRE = "#2f4a86";
const CLAY = "#cfd3da";

/** Remembers what each mesh looks like in truth. */
export class Views {
  private readonly made = new Map<Mesh, Partial<Record<View, Material>>>();
  private readonly wires = new Map<Mesh, Mesh>();

  choose(view: View, meshes: readonly Mesh[]): void {
    for (const mesh of meshes) {
      const known = this.made.get(mesh) ?? { Shaded: mesh.material as Material };
      this.made.set(mesh, known);
      mesh.material = known[view] ??= this.make(view, known.Shaded as MeshStandardMaterial);
      this.draw(mesh, view === "Wireframe");
    }
  }

  forget(meshes: readonly Mesh[]): void {
    for (const mesh of meshes) {
      const { Shaded: truth, ...others } = this.made.get(mesh) ?? {};
      if (truth) mesh.material = truth;
      for (const material of Object.values(others)) material.dispose();
      this.made.delete(mesh);
      this.draw(mesh, false);
    }
  }

  /** Wires over a surface that hides those behind it: the same geometry, shapes and bones once more. */
  private draw(mesh: Mesh, wires: boolean): void {
    const known = this.wires.get(mesh);
    if (!wires) {
      known?.removeFromParent();
      (known?.material as Material | undefined)?.dispose();
      this.wires.delete(mesh);
    } else if (!known) {
      const material = new MeshBasicMaterial({ color: WIRE, wireframe: true, toneMapped: false });
      const copy = mesh instanceof SkinnedMesh ? new SkinnedMesh(mesh.geometry, material) : new Mesh(mesh.geometry, material);
      if (copy instanceof SkinnedMesh) {
        copy.bind((mesh as SkinnedMesh).skeleton, (mesh as SkinnedMesh).bindMatrix);
        copy.boundingSphere = (mesh as SkinnedMesh).boundingSphere;
      }
      if (mesh.morphTargetInfluences) copy.morphTargetInfluences = mesh.morphTargetInfluences;
      copy.frustumCulled = false;
      mesh.add(copy);
      this.wires.set(mesh, copy);
    }
  }

  /** Which views show something of these meshes. */
  static of(meshes: readonly Mesh[]): View[] {
    const has = (name: "normalMap" | "roughnessMap") => meshes.some((mesh) => (mesh.material as MeshStandardMaterial)[name]);
    return VIEWS.filter((view) => (view === "Normal map" ? has("normalMap") : view === "ORM" ? has("roughnessMap") : true));
  }

  private make(view: View, truth: MeshStandardMaterial): Material {
    const cut = { alphaTest: truth.alphaTest, side: truth.side };
    if (view === "Wireframe") return new MeshBasicMaterial({ color: CLAY, toneMapped: false, side: DoubleSide, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    if (view === "Normals") return new MeshNormalMaterial({ side: truth.side, normalMap: truth.normalMap ?? null });
    const map = view === "Base colour" ? truth.map : view === "Normal map" ? truth.normalMap : truth.roughnessMap;
    if (view === "Base colour") return new MeshBasicMaterial({ map, color: truth.color, vertexColors: truth.vertexColors, toneMapped: false, ...cut });
    return new MeshBasicMaterial({ map: raw(map), color: map ? "#ffffff" : view === "Normal map" ? "#8080ff" : "#404040", toneMapped: false, ...cut, ...(map ? {} : { alphaTest: 0 }) });
  }
}

/** Numbers, not colours: decoded and encoded again they are shown as they are stored. */
function raw(map: Texture | null | undefined): Texture | null {
  if (!map) return null;
  const copy = map.clone();
  copy.colorSpace = SRGBColorSpace;
  return copy;
}
