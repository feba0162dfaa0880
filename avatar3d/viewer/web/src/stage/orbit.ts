// The camera walks around the face: drag, pinch, wheel, arrow keys, by itself. Angles in radians, distances in metres.
import { MathUtils, PerspectiveCamera, Vector3 } from "three";

const HOME = { yaw: 0.24, pitch: 0.03 };
const FOV = 20;
const TURNS_PER_WIDTH = 0.75 * 2 * Math.PI;
const KEY_STEP = Math.PI / 24;
const IDLE_TURN = 0.28; // radians a second
const SETTLING_S = 0.12;

export class Orbit {
  readonly camera = new PerspectiveCamera(FOV, 1, 0.02, 12);
  turning = false;
  /** Moves at once instead of gliding. */
  still = false;
  private wanted = { ...HOME, zoom: 1 };
  private now = { ...HOME, zoom: 1 };
  private readonly pointers = new Map<number, { x: number; y: number }>();

  constructor(private readonly element: HTMLElement, private readonly changed: () => void) {
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"] as const) element.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("dblclick", () => this.home());
  }

  home(): void {
    this.wanted = { ...HOME, yaw: HOME.yaw + 2 * Math.PI * Math.round((this.now.yaw - HOME.yaw) / (2 * Math.PI)), zoom: 1 };
    this.changed();
  }

  /** Places the camera at once. Degrees; tests and pictures use it. */
  set(yaw: number, pitch: number, zoom = 1): void {
    this.wanted = { yaw: MathUtils.degToRad(yaw), pitch: MathUtils.degToRad(pitch), zoom };
    this.now = { ...this.wanted };
    this.changed();
  }

  get yaw(): number {
    return MathUtils.radToDeg(this.now.yaw);
  }

  /** Glides on by so many seconds; whether the camera still moves. */
  step(elapsedS: number): boolean {
    if (this.turning && !this.pointers.size) this.wanted.yaw += IDLE_TURN * elapsedS;
    const part = this.still ? 1 : 1 - Math.exp(-elapsedS / SETTLING_S);
    let moving = this.turning;
    for (const axis of ["yaw", "pitch", "zoom"] as const) {
      const way = this.wanted[axis] - this.now[axis];
      if (Math.abs(way) > 1e-4) moving = true;
      this.now[axis] += way * part;
    }
    return moving;
  }

  /** For a view of this shape; `height` metres around the target are seen, and the width of a head. */
  aim(target: Vector3, height: number, width: number, tall: number): PerspectiveCamera {
    const aspect = width / tall;
    const shown = Math.max(height, (height * 0.8) / aspect) / this.now.zoom;
    const distance = shown / 2 / Math.tan(MathUtils.degToRad(FOV / 2));
    const { yaw, pitch } = this.now;
    this.camera.aspect = aspect;
    this.camera.position.set(Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), Math.cos(yaw) * Math.cos(pitch)).multiplyScalar(distance).add(target);
    this.camera.lookAt(target);
    this.camera.updateProjectionMatrix();
    return this.camera;
  }

  private down(event: PointerEvent): void {
    if (event.button > 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  private move(event: PointerEvent): void {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const next = { x: event.clientX, y: event.clientY };
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (others[0]) this.zoom(apart(next, others[0]) / Math.max(apart(last, others[0]), 1));
    else {
      const width = Math.min(this.element.clientWidth, this.element.clientHeight);
      this.turn((-(next.x - last.x) / width) * TURNS_PER_WIDTH * 0.5, ((next.y - last.y) / width) * TURNS_PER_WIDTH * 0.4);
    }
    this.pointers.set(event.pointerId, next);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    const turns: Record<string, () => void> = {
      ArrowLeft: () => this.turn(-KEY_STEP, 0), ArrowRight: () => this.turn(KEY_STEP, 0),
      ArrowUp: () => this.turn(0, KEY_STEP / 2), ArrowDown: () => this.turn(0, -KEY_STEP / 2),
      "+": () => this.zoom(1.15), "=": () => this.zoom(1.15), "-": () => this.zoom(1 / 1.15), Home: () => this.home(),
    };
    const act = turns[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  }

  private turn(yaw: number, pitch: number): void {
    this.wanted.yaw += yaw;
    this.wanted.pitch = MathUtils.clamp(this.wanted.pitch + pitch, -1.2, 1.2);
    this.changed();
  }

  private zoom(by: number): void {
    this.wanted.zoom = MathUtils.clamp(this.wanted.zoom * by, 0.45, 5);
    this.changed();
  }
}

function apart(one: { x: number; y: number }, two: { x: number; y: number }): number {
  return Math.hypot(one.x - two.x, one.y - two.y);
}
