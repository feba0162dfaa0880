// Loads /avatar.glb, a .vrm of either version, with three-vrm. window.avatar can show it.
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";

const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
const { userData: { vrm } } = await loader.loadAsync("/avatar.glb");
VRMUtils.rotateVRM0(vrm);
const scene = new THREE.Scene();
scene.add(vrm.scene);
scene.updateMatrixWorld(true);
vrm.springBoneManager?.reset();
vrm.scene.traverse((node) => { node.frustumCulled = false; });

const renderer = new THREE.WebGLRenderer({ antialias: true, preserveDrawingBuffer: true });
renderer.setSize(innerWidth, innerHeight);
renderer.toneMapping = THREE.NoToneMapping;
document.body.append(renderer.domElement);
scene.environment = new THREE.PMREMGenerator(renderer).fromScene(new RoomEnvironment(), 0.04).texture;
scene.environmentIntensity = 0.55;
const sun = new THREE.DirectionalLight("#fff6ec", 1.6);
sun.position.set(0.6, 2.5, 1.2);
scene.add(sun);

// Draws one picture: expressions by three-vrm's names, `look` a point two metres away [yaw to the left, pitch down] in degrees.
function show({ weights = {}, yaw = 0, look = null, tilt = 0, seconds = 0, distance = 0.75, fov = 22, firstPerson = false, background = "#8a8d91" }) {
  vrm.expressionManager.resetValues();
  for (const [name, weight] of Object.entries(weights)) vrm.expressionManager.setValue(name, weight);
  vrm.humanoid.getNormalizedBoneNode("head").rotation.z = tilt;
  const eyes = vrm.lookAt.getLookAtWorldPosition(new THREE.Vector3());
  const target = new THREE.Object3D();
  const [turn, down] = (look ?? [0, 0]).map(THREE.MathUtils.degToRad);
  target.position.set(Math.sin(turn) * Math.cos(down), -Math.sin(down), Math.cos(turn) * Math.cos(down)).multiplyScalar(2).add(eyes);
  target.updateMatrixWorld(true);
  vrm.lookAt.target = target;
  for (let frame = 0; frame <= 60 * seconds; frame++) vrm.update(seconds ? 1 / 60 : 0);
  const middle = eyes.clone().add(new THREE.Vector3(0, -0.025, -0.08));
  const angle = THREE.MathUtils.degToRad(yaw);
  const camera = new THREE.PerspectiveCamera(fov, innerWidth / innerHeight, 0.01, 10);
  camera.position.set(Math.sin(angle), 0, Math.cos(angle)).multiplyScalar(distance).add(middle);
  camera.lookAt(middle);
  if (firstPerson) {
    vrm.firstPerson.setup();
    camera.layers.enable(vrm.firstPerson.firstPersonOnlyLayer);
  } else if (vrm.firstPerson) camera.layers.enable(vrm.firstPerson.thirdPersonOnlyLayer);
  scene.background = new THREE.Color(background);
  renderer.render(scene, camera);
}

window.avatar = { revision: THREE.REVISION, show };
