// The canvas: one renderer, one scene, a view for each face on show. It draws when something has changed, and as fine as the
// machine allows.
import { Color, NeutralToneMapping, PCFShadowMap, Scene, Vector3, WebGLRenderer, type Mesh } from "three";
import type { Avatar } from "../avatar/avatar";
import { Mark } from "./mark";
import { rehearse } from "./rehearsal";
import { Orbit } from "./orbit";
import { Studio, type Tone } from "./studio";
import { Views, type View } from "./views";

const SLOW_MS = 42;
const QUICK_MS = 19;
const PATIENCE = 14;
const COARSEST = 0.5;
// Several faces stand above the tools, which lie over the shoulders of a single one.
const TOOLS_PX = 84;
// Where the face is met in a headset: standing before it.
const MET_AT = new Vector3(0, 1.48, -0.72);
const APART_M = 0.55;

export interface Cell { face: number; left: number; top: number; width: number; height: number }

export class Stage {
  readonly canvas: HTMLCanvasElement;
  readonly renderer: WebGLRenderer;
  readonly orbit: Orbit;
  readonly studio: Studio;
  /** Faces by number, and which are on show. */
  readonly faces = new Map<number, Avatar>();
  shown: number[] = [];
  view: View = "Shaded";
  /** Draws the words "AI-generated avatar" into the picture: while recording. */
  marked = false;
  /** Called before each picture with its time (performance.now()); true when a face moved. */
  pose: (nowMs: number) => boolean = () => false;
  drawn = 0;
  calls = 0;
  private readonly scene = new Scene();
  private readonly views = new Views();
  private readonly mark = new Mark();
  private lastMs = performance.now();
  private rehearsed: (() => void) | null = null;
  private stale = true;
  private ratio = 1;
  /** Until the first face is there, half the edge: it is seen sooner. */
  private coarse = COARSEST;
  private slow = 0;
  private quick = 0;
  private lastDrawMs = 0;
  private insetTop = 0;
  private insetRight = 0;
  private insetBottom = 0;

  constructor(private readonly host: HTMLElement) {
    this.canvas = document.createElement("canvas");
    // Without alpha: hair whose edges are smoothed by coverage would let the page shine through.
    const context = this.canvas.getContext("webgl2", { alpha: false, antialias: true, powerPreference: "high-performance" });
    if (!context) throw new Error("This browser has no WebGL 2.");
    this.renderer = new WebGLRenderer({ canvas: this.canvas, context });
    this.renderer.debug.checkShaderErrors = false;
    host.append(this.canvas);
    this.renderer.toneMapping = NeutralToneMapping;
    this.renderer.toneMappingExposure = 1.06;
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.shadowMap.autoUpdate = false;
    this.renderer.autoClear = false;
    this.renderer.info.autoReset = false;
    this.studio = new Studio(this.scene, this.renderer);
    this.orbit = new Orbit(host, () => this.touch());
    this.rehearsed = rehearse(this.renderer, this.scene, this.orbit.camera);
    new ResizeObserver(() => this.resize()).observe(host);
    this.resize();
    this.renderer.setAnimationLoop((now) => this.tick(now));
  }

  /** Something has changed: draw again. */
  touch(): void {
    this.stale = true;
  }

  tone(tone: Tone): void {
    this.studio.tone(tone);
    this.touch();
  }

  /** Keeps faces clear of what lies over the canvas, in CSS pixels. */
  inset(top: number, right: number, bottom: number): void {
    if (top === this.insetTop && right === this.insetRight && bottom === this.insetBottom) return;
    [this.insetTop, this.insetRight, this.insetBottom] = [top, right, bottom];
    this.touch();
  }

  put(face: number, avatar: Avatar): void {
    this.take(face);
    this.faces.set(face, avatar);
    this.scene.add(avatar.root);
    for (const material of avatar.foreign) if ("envMap" in material) material.envMap = this.studio.surroundings();
    this.views.choose(this.view, meshesOf(avatar));
    avatar.splatsOver = this.view === "Shaded";
    if (!this.shown.length) this.shown = [face];
    this.touch();
  }

  take(face: number): void {
    const avatar = this.faces.get(face);
    if (!avatar) return;
    this.views.forget(meshesOf(avatar));
    avatar.dispose();
    this.faces.delete(face);
    this.shown = this.shown.filter((each) => each !== face);
    this.touch();
  }

  look(view: View): void {
    this.view = view;
    for (const avatar of this.faces.values()) {
      this.views.choose(view, meshesOf(avatar));
      avatar.splatsOver = view === "Shaded";
    }
    this.touch();
  }

  /** Where each face on show is, in CSS pixels of the host. */
  cells(): Cell[] {
    const width = Math.max(this.host.clientWidth - this.insetRight, 1);
    const count = Math.max(this.shown.length, 1);
    const height = Math.max(this.host.clientHeight - this.insetTop - this.insetBottom - (count > 1 ? TOOLS_PX : 0), 1);
    let columns = 1;
    while (columns < count && width / columns / (height / Math.ceil(count / columns)) > 1.15) columns++;
    const rows = Math.ceil(count / columns);
    return this.shown.map((face, at) => ({
      face, left: ((at % columns) * width) / columns, top: this.insetTop + (Math.floor(at / columns) * height) / rows, width: width / columns, height: height / rows,
    }));
  }

  /** The picture as it is now, full size: the canvas keeps it until the task ends. */
  drawNow(marked = false): HTMLCanvasElement {
    this.refine(1);
    const before = this.marked;
    this.marked = marked || before;
    this.draw(true);
    this.marked = before;
    return this.canvas;
  }

  private tick(now: number): void {
    const elapsed = Math.min(Math.max(now - this.lastMs, 0) / 1000, 0.1);
    this.lastMs = now;
    if (this.renderer.xr.isPresenting) return this.drawHeadset(now);
    const moving = this.orbit.step(elapsed);
    const posed = this.pose(now);
    const busy = moving || posed || this.marked;
    if (busy) this.adapt(now);
    else if (this.coarse < 1 && !this.rehearsed && now - this.lastDrawMs > 250) this.refine(1);
    if (busy || this.stale) {
      this.draw(posed || this.stale);
      this.lastDrawMs = now;
    }
  }

  private draw(shadows: boolean): void {
    const { renderer } = this;
    this.stale = false;
    renderer.info.reset();
    renderer.setScissorTest(false);
    const whole = { left: 0, top: 0, width: this.host.clientWidth, height: this.host.clientHeight };
    renderer.setViewport(0, 0, whole.width, whole.height);
    this.studio.area(0, 0, this.canvas.width, this.canvas.height);
    renderer.clear();
    renderer.render(this.studio.backdrop, this.orbit.camera);
    for (const avatar of this.faces.values()) avatar.root.visible = false;
    const cells = this.cells();
    for (const cell of cells) {
      // A single face shares the whole canvas with what lies over it.
      const avatar = this.faces.get(cell.face);
      if (avatar) this.drawCell(avatar, cells.length === 1 ? whole : cell, shadows || cells.length > 1, cell);
    }
    if (this.marked) this.mark.draw(renderer, this.host.clientWidth, this.host.clientHeight);
    this.calls = renderer.info.render.calls;
    this.drawn += 1;
    if (cells.length && this.rehearsed) {
      this.rehearsed();
      this.rehearsed = null;
      performance.mark("face-drawn");
      setTimeout(() => this.refine(1), 0);
    }
  }

  /** Draws a face into an area, with the camera of its cell and what is seen around it. */
  private drawCell(avatar: Avatar, area: Omit<Cell, "face">, shadows: boolean, cell: Omit<Cell, "face">): void {
    const { renderer, host } = this;
    avatar.root.visible = true;
    const bottom = host.clientHeight - area.top - area.height;
    renderer.setViewport(area.left, bottom, area.width, area.height);
    renderer.setScissor(area.left, bottom, area.width, area.height);
    renderer.setScissorTest(true);
    renderer.shadowMap.needsUpdate = shadows;
    this.studio.place(avatar.target);
    const camera = this.orbit.aim(avatar.target, avatar.height, cell.width, cell.height);
    if (area !== cell) camera.setViewOffset(cell.width, cell.height, area.left - cell.left, area.top - cell.top, area.width, area.height);
    camera.updateMatrixWorld();
    avatar.prepare(camera, area.width * this.canvas.width / host.clientWidth, area.height * this.canvas.height / host.clientHeight);
    renderer.render(this.scene, camera);
    camera.clearViewOffset();
    avatar.root.visible = false;
  }

  /** Enters a headset: the faces on show stand before the person, a little apart. */
  async enter(session: XRSession, ended: () => void): Promise<void> {
    const { xr } = this.renderer;
    xr.enabled = true;
    xr.setReferenceSpaceType("local-floor");
    this.scene.background = new Color("#202226");
    this.shown.forEach((face, at) => {
      const avatar = this.faces.get(face)!;
      avatar.root.visible = true;
      avatar.root.position.copy(MET_AT).sub(avatar.target);
      avatar.root.position.x += (at - (this.shown.length - 1) / 2) * APART_M;
    });
    this.studio.place(MET_AT);
    session.addEventListener("end", () => {
      xr.enabled = false;
      this.scene.background = null;
      for (const avatar of this.faces.values()) avatar.root.position.set(0, 0, 0);
      this.resize();
      ended();
    });
    await xr.setSession(session);
  }

  private drawHeadset(now: number): void {
    this.pose(now);
    this.renderer.shadowMap.needsUpdate = true;
    this.renderer.info.reset();
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    // As seen by the eyes of the last picture, and as large as one of them sees it.
    const eyes = this.renderer.xr.getCamera();
    const [eye] = eyes.cameras;
    for (const face of this.shown) this.faces.get(face)?.prepare(eyes, eye?.viewport?.z ?? 1, eye?.viewport?.w ?? 1);
    this.renderer.render(this.scene, this.orbit.camera);
    this.calls = this.renderer.info.render.calls;
    this.drawn += 1;
  }

  private resize(): void {
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    const ratio = this.ratio * this.coarse;
    const [width, height] = [this.host.clientWidth, this.host.clientHeight];
    // Making the canvas anew costs a tenth of a second on software GL.
    if (this.canvas.width === Math.floor(width * ratio) && this.canvas.height === Math.floor(height * ratio)) return;
    this.renderer.setDrawingBufferSize(width, height, ratio);
    this.touch();
  }

  /** Fewer pixels on a slow machine while something moves, all of them when it rests. */
  private adapt(now: number): void {
    const took = now - this.lastDrawMs;
    if (took > 400) return;
    this.slow = took > SLOW_MS ? this.slow + 1 : 0;
    this.quick = took < QUICK_MS ? this.quick + 1 : 0;
    if (this.slow > PATIENCE) this.refine(Math.max(this.coarse * 0.75, COARSEST / this.ratio));
    else if (this.quick > 8 * PATIENCE) this.refine(Math.min(this.coarse * 1.25, 1));
  }

  private refine(coarse: number): void {
    this.slow = this.quick = 0;
    if (coarse === this.coarse) return;
    this.coarse = coarse;
    this.resize();
  }
}

function meshesOf(avatar: Avatar): Mesh[] {
  return avatar.drawn.map(({ mesh }) => mesh);
}
