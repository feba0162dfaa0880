// A quiet photo studio: the room's light (light.ts), a warm key with a soft shadow, a cool rim, and a backdrop.
import {
  BufferGeometry, DirectionalLight, Float32BufferAttribute, Mesh, Object3D, PMREMGenerator, Scene, ShaderMaterial, type Texture,
  type WebGLRenderer,
} from "three";
import { RoomEnvironment } from "three/examples/jsm/environments/RoomEnvironment.js";
import { BACKDROP_GLSL, backdropUniforms, turned } from "./light";

export type Tone = "light" | "dark";

const BACKDROPS: Record<Tone, { centre: string; edge: string }> = {
  light: { centre: "#dddbd7", edge: "#aaa9a6" },
  dark: { centre: "#3d4046", edge: "#111215" },
};

export class Studio {
  readonly lights = new Object3D();
  readonly backdrop = backdrop();
  private readonly key = new DirectionalLight("#fff1e2", 2.25);
  private readonly rim = new DirectionalLight("#dfe9ff", 1.3);
  private room: Texture | null = null;

  constructor(scene: Scene, private readonly renderer: WebGLRenderer) {
    this.key.castShadow = true;
    const { shadow } = this.key;
    shadow.mapSize.set(1024, 1024);
    [shadow.radius, shadow.bias, shadow.normalBias, shadow.intensity] = [5, -0.0006, 0.0022, 0.72];
    const { camera } = shadow;
    [camera.left, camera.right, camera.top, camera.bottom, camera.near, camera.far] = [-0.24, 0.24, 0.24, -0.24, 0.2, 2.2];
    this.lights.add(this.key, this.key.target, this.rim, this.rim.target);
    scene.add(this.lights);
    this.turn(0);
  }

  /** Lights around the face at this place. */
  place(target: { x: number; y: number; z: number }): void {
    this.lights.position.set(target.x, target.y, target.z);
  }

  /** Turns all light about the face, by radians to the person's left. */
  turn(angle: number): void {
    const side = angle + 0.62;
    this.key.position.set(Math.sin(side) * 0.95, 0.72, Math.cos(side) * 0.95);
    this.rim.position.set(-Math.sin(side) * 0.9, 0.5, -Math.cos(side) * 0.9);
    turned.value.set(Math.cos(angle), Math.sin(angle));
  }

  tone(tone: Tone): void {
    backdropUniforms.backdropCentre.value.set(BACKDROPS[tone].centre);
    backdropUniforms.backdropEdge.value.set(BACKDROPS[tone].edge);
  }

  area(left: number, bottom: number, width: number, height: number): void {
    backdropUniforms.backdropArea.value = [left, bottom, width, height];
  }

  /** Surroundings for materials that others made; ours need none, and making them takes a second on software GL. */
  surroundings(): Texture {
    if (!this.room) {
      const generator = new PMREMGenerator(this.renderer);
      this.room = generator.fromScene(new RoomEnvironment(), 0.04).texture;
      generator.dispose();
    }
    return this.room;
  }
}

/** One triangle over the whole view: light behind the head, darker to the edges, dithered against banding. */
function backdrop(): Mesh {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute([-1, -1, 0, 3, -1, 0, -1, 3, 0], 3));
  const material = new ShaderMaterial({
    uniforms: backdropUniforms, depthTest: false, depthWrite: false, toneMapped: false,
    vertexShader: "void main() { gl_Position = vec4( position.xy, 1.0, 1.0 ); }",
    fragmentShader: `${BACKDROP_GLSL}
      void main() {
        gl_FragColor = vec4( backdropColour(), 1.0 );
        #include <colorspace_fragment>
        gl_FragColor.rgb += backdropNoise();
      }`,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

