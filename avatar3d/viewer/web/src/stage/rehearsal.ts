// Shaders are compiled while the avatar is still on its way: the same materials on meshes of one triangle, with the shapes
// that our heads have. What three.js compiles depends on nothing else, so that the real meshes find their programs made.
import {
  Bone, BufferAttribute, BufferGeometry, DataTexture, DoubleSide, Group, MeshStandardMaterial, Skeleton, SkinnedMesh, Sphere, type Camera, type Material, type Scene, type WebGLRenderer,
} from "three";
import { eyes, hair, mouth, skin } from "../avatar/materials";
import { ALL_NAMES } from "../avatar/shapes";
import { ARKIT_NAMES } from "../wire.generated";

/** Starts compiling, then draws the stand-ins once; the function given back lets go of them, when the real ones are drawn. */
export function rehearse(renderer: WebGLRenderer, scene: Scene, camera: Camera): () => void {
  let over = false;
  const texture = new DataTexture(new Uint8Array([128, 128, 255, 255]), 1, 1);
  const plain = () => new MeshStandardMaterial({ map: texture, alphaTest: 0.5, side: DoubleSide });
  const relief = new MeshStandardMaterial({ map: texture, normalMap: texture });
  const cast: [Material, number, boolean][] = [
    [skin(relief, [0, 1]), ARKIT_NAMES.length, true],
    [eyes(new MeshStandardMaterial({ map: texture })), ARKIT_NAMES.length, true],
    [mouth(texture as never), ALL_NAMES.length, false],
    [hair(plain(), "lashes"), ARKIT_NAMES.length, false],
    [hair(plain(), "hair"), 0, false],
  ];
  const stage = new Group();
  const bone = new Bone();
  stage.add(bone);
  for (const [material, shapes, normals] of cast) {
    const mesh = new SkinnedMesh(triangle(shapes, normals), material);
    mesh.frustumCulled = false;
    mesh.boundingSphere = new Sphere();
    mesh.bind(new Skeleton([bone]));
    mesh.castShadow = mesh.receiveShadow = true;
    stage.add(mesh);
  }
  // A driver in software finishes its work on a program only when it is drawn with.
  void renderer.compileAsync(stage, camera, scene).then(() => {
    if (over) return;
    scene.add(stage);
    renderer.shadowMap.needsUpdate = true;
    renderer.setScissorTest(false);
    renderer.render(scene, camera);
    stage.removeFromParent();
  });
  return () => {
    over = true;
    for (const [material] of cast) material.dispose();
    stage.traverse((node) => { if (node instanceof SkinnedMesh) node.geometry.dispose(); });
    texture.dispose();
  };
}

function triangle(shapes: number, normals: boolean): BufferGeometry {
  const geometry = new BufferGeometry();
  for (const [name, size] of [["position", 3], ["normal", 3], ["uv", 2], ["skinWeight", 4], ["color", 3], ["surface", 2], ["centre", 3]] as const)
    geometry.setAttribute(name, new BufferAttribute(new Float32Array(3 * size), size));
  geometry.setAttribute("skinIndex", new BufferAttribute(new Uint16Array(12), 4));
  if (shapes) {
    const still = () => Array.from({ length: shapes }, () => new BufferAttribute(new Float32Array(9), 3));
    geometry.morphTargetsRelative = true;
    geometry.morphAttributes.position = still();
    if (normals) geometry.morphAttributes.normal = still();
  }
  return geometry;
}
