// Loads /avatar.glb with three.js' own GLTFLoader. window.avatar can pose, measure and show it.
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";

const { scene: root } = await new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).loadAsync("/avatar.glb");
const scene = new THREE.Scene();
scene.add(root);

const meshes = [];
const joints = {};
root.traverse((node) => {
  if (node.isMesh) meshes.push(node);
  if (node.isBone) joints[node.name] = node;
});

function pose({ rotations = {}, weights = {} }) {
  for (const [name, bone] of Object.entries(joints)) {
    const [w, x, y, z] = rotations[name] ?? [1, 0, 0, 0];
    bone.quaternion.set(x, y, z, w);
  }
  for (const mesh of meshes) {
    for (const [name, at] of Object.entries(mesh.morphTargetDictionary ?? {})) {
      mesh.morphTargetInfluences[at] = weights[name] ?? 0;
    }
  }
  scene.updateMatrixWorld(true);
}

// Where three.js would draw each vertex: shapes, then skin. Bound meshes have no transform of their own.
function positions(mesh) {
  const count = mesh.geometry.attributes.position.count;
  const out = new Float64Array(count * 3);
  const point = new THREE.Vector3();
  for (let at = 0; at < count; at++) mesh.getVertexPosition(at, point).toArray(out, at * 3);
  return out;
}

function base64(blocks) {
  const bytes = blocks.map((block) => new Uint8Array(new Float32Array(block).buffer));
  let text = "";
  for (const block of bytes) for (let at = 0; at < block.length; at += 8192) text += String.fromCharCode(...block.subarray(at, at + 8192));
  return btoa(text);
}

function measure(poses) {
  return meshes.map((mesh) => {
    const names = Object.entries(mesh.morphTargetDictionary ?? {}).sort((a, b) => a[1] - b[1]).map(([name]) => name);
    pose({});
    const rest = positions(mesh);
    const shapes = names.map((name) => {
      pose({ weights: { [name]: 1 } });
      return positions(mesh).map((value, at) => value - rest[at]);
    });
    const posed = poses.map((asked) => { pose(asked); return positions(mesh); });
    return { name: mesh.name, names, vertices: rest.length / 3, poses: posed.length, rows: base64([rest, ...shapes, ...posed]) };
  });
}

let stage;

// The renderer, its light and its surroundings, made on first use.
function lit() {
  if (stage) return stage;
  stage = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
  stage.setSize(innerWidth, innerHeight);
  stage.toneMapping = THREE.NoToneMapping;
  document.body.append(stage.domElement);
  scene.environment = new THREE.PMREMGenerator(stage).fromScene(new RoomEnvironment(), 0.04).texture;
  scene.environmentIntensity = 0.55;
  const sun = new THREE.DirectionalLight("#fff6ec", 1.6);
  sun.position.set(0.6, 0.9, 1.2);
  scene.add(sun);
  return stage;
}

// Draws one picture. Angles in degrees: yaw > 0 looks at the person's left cheek from +x.
function show({ yaw = 0, pitch = 0, fov = 22, distance = 0.75, weights = {}, rotations = {}, background = "#8a8d91", wireframe = false }) {
  pose({ weights, rotations });
  const renderer = lit();
  scene.background = new THREE.Color(background);
  for (const mesh of meshes) { mesh.material.wireframe = wireframe; mesh.frustumCulled = false; }
  const face = meshes.find((mesh) => mesh.name === "face") ?? meshes[0];
  const eyes = ["leftEye", "rightEye"].map((name) => joints[name]?.getWorldPosition(new THREE.Vector3()));
  const target = eyes[0] && eyes[1] ? eyes[0].add(eyes[1]).multiplyScalar(0.5).add(new THREE.Vector3(0, -0.025, -0.03))
    : new THREE.Box3().setFromObject(face).getCenter(new THREE.Vector3());
  const [turn, tilt] = [yaw, pitch].map(THREE.MathUtils.degToRad);
  const camera = new THREE.PerspectiveCamera(fov, innerWidth / innerHeight, 0.01, 10);
  camera.position.set(Math.sin(turn) * Math.cos(tilt), Math.sin(tilt), Math.cos(turn) * Math.cos(tilt)).multiplyScalar(distance).add(target);
  camera.lookAt(target);
  renderer.render(scene, camera);
}

function pixels() {
  const gl = lit().getContext();
  const out = new Uint8Array(4 * gl.drawingBufferWidth * gl.drawingBufferHeight);
  gl.readPixels(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight, gl.RGBA, gl.UNSIGNED_BYTE, out);
  return out;
}

// The last triangle of a mesh first.
function reverse(mesh) {
  const index = mesh.geometry.index.array;
  for (let low = 0, high = index.length - 3; low < high; low += 3, high -= 3)
    for (let corner = 0; corner < 3; corner++)
      [index[low + corner], index[high + corner]] = [index[high + corner], index[low + corner]];
  mesh.geometry.index.needsUpdate = true;
}

// Per yaw: of the pixels that the mesh `name` changes, the share that looks otherwise once its triangles come in reverse.
function drawOrder({ name, yaws, ...view }) {
  const mesh = meshes.find((one) => one.name === name);
  const drawn = (yaw) => { show({ yaw, ...view }); return pixels(); };
  const unlike = (one, two) => {
    let count = 0;
    for (let at = 0; at < one.length; at += 4)
      count += [0, 1, 2].some((channel) => Math.abs(one[at + channel] - two[at + channel]) > 8);
    return count;
  };
  return yaws.map((yaw) => {
    const first = drawn(yaw);
    reverse(mesh);
    const last = drawn(yaw);
    reverse(mesh);
    mesh.visible = false;
    const without = drawn(yaw);
    mesh.visible = true;
    const covered = unlike(first, without);
    return { yaw, covered, unlike: covered ? unlike(first, last) / covered : 0 };
  });
}

window.avatar = { revision: THREE.REVISION, measure, show, drawOrder };
