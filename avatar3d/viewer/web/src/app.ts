// What the page knows and can do; the panels call it, and it tells them when something has changed.
import { Avatar } from "./avatar/avatar";
import { animationClip, csvClip, npzClip, type Clip } from "./avatar/clip";
import { between, type Pose } from "./avatar/pose";
import { Face, type Source } from "./face";
import { Bridge, type Listener, type State } from "./live/bridge";
import { takeCredentials } from "./live/token";
import { Views } from "./stage/views";
import { speakFile } from "./sound/file";
import { Microphone } from "./sound/microphone";
import { Player } from "./sound/player";
import { Recorder, save, screenshot } from "./stage/pictures";
import { Stage } from "./stage/stage";
import { FACE_SHIFT, encodeFrame, type EventFromBridge, type FlushFromBridge, type FramePacket, type IdentifiedFromBridge, type SoundPacket } from "./wire.generated";

const GLB_LIMIT = 512 << 20;
const CLIP_LIMIT = 256 << 20;
const SHARED_MS = 33;

export class App implements Listener {
  readonly stage: Stage;
  readonly bridge = new Bridge(takeCredentials(), this);
  readonly player = new Player(this.bridge.clock, () => this.changed());
  readonly microphone = new Microphone(this.bridge);
  readonly recorder = new Recorder();
  readonly faces = new Map<number, Face>();
  active = 0;
  connection: { state: State; detail: string } = { state: "off", detail: "" };
  rateHz = 0;
  speaking = false;
  panicked = false;
  sharing = false;
  firstPaintMs = 0;
  private readonly watchers: (() => void)[] = [];
  private readonly speakers: ((words: string, urgent: boolean) => void)[] = [];
  private lastS = performance.now() / 1000;
  private shared = 0;
  private wasRecording: Blob | null = null;

  constructor(host: HTMLElement) {
    performance.mark("begun");
    this.bridge.open(); // answers come while the stage is being built
    this.stage = new Stage(host);
    performance.mark("staged");
    this.stage.pose = (now) => this.poseAll(now / 1000);
    setInterval(() => this.share(), SHARED_MS);
  }

  /** Calls back after anything changed that a panel may show. */
  watch(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  /** Calls back with words for a person. */
  listen(speaker: (words: string, urgent: boolean) => void): void {
    this.speakers.push(speaker);
  }

  say(words: string, urgent = false): void {
    for (const speaker of this.speakers) speaker(words, urgent);
  }

  changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  get face(): Face | null {
    return this.faces.get(this.active) ?? null;
  }

  get avatar(): Avatar | null {
    return this.stage.faces.get(this.active) ?? null;
  }

  choose(face: number): void {
    this.active = face;
    if (!this.stage.shown.includes(face)) this.stage.shown = [face];
    this.stage.touch();
    this.changed();
  }

  /** All faces side by side, or the chosen one alone. */
  together(on: boolean): void {
    this.stage.shown = on ? [...this.stage.faces.keys()].sort((one, two) => one - two) : [this.active].filter((face) => this.stage.faces.has(face));
    this.stage.touch();
    this.changed();
  }

  source(source: Source): void {
    if (!this.face) return;
    this.face.choose(source);
    this.face.kept = source !== "live";
    this.changed();
  }

  // Files ------------------------------------------------------------------------------------------------------------

  /** A file that a person gave: an avatar, a clip or a sound. */
  async open(file: File): Promise<void> {
    const kind = file.name.toLowerCase().split(".").at(-1) ?? "";
    try {
      if (kind === "glb") {
        if (file.size > GLB_LIMIT) throw new Error("This file is larger than 512 MB.");
        await this.show(this.active, await file.arrayBuffer(), file.name.replace(/\.glb$/i, ""));
      } else if (kind === "csv" || kind === "npz") {
        if (file.size > CLIP_LIMIT) throw new Error("This clip is larger than 256 MB.");
        this.play(kind === "csv" ? csvClip(await file.text(), file.name) : npzClip(await file.arrayBuffer(), file.name));
      } else {
        await this.speak(file);
      }
    } catch (error) {
      this.say(`${file.name}: ${error instanceof Error ? error.message : "it cannot be read."}`, true);
    }
  }

  async show(number: number, bytes: ArrayBuffer, name: string): Promise<void> {
    performance.mark("fetched");
    const avatar = await Avatar.read(bytes, name);
    performance.mark("read");
    const face = this.faces.get(number) ?? new Face(number, name, null);
    face.name = name;
    face.stale = true;
    this.faces.set(number, face);
    this.stage.put(number, avatar);
    const animation = avatar.animations.find((each) => each.name === "talk") ?? avatar.animations[0];
    face.clip = animation ? animationClip(animation, avatar.targets) : null;
    if (!Views.of(avatar.drawn.map(({ mesh }) => mesh)).includes(this.stage.view)) this.stage.look("Shaded");
    this.changed();
  }

  play(clip: Clip): void {
    if (!this.face) throw new Error("There is no avatar yet to play it.");
    Object.assign(this.face, { clip, clipS: 0, playing: true, kept: true });
    this.source("clip");
    this.say(`Playing ${clip.name}.`);
  }

  async speak(file: File): Promise<void> {
    if (!this.bridge.mayDrive) throw new Error("A sound needs a bridge that this page may drive.");
    void this.player.start();
    this.source("live");
    const seconds = await speakFile(this.bridge, this.active, await file.arrayBuffer());
    this.say(`Speaking ${file.name}, ${seconds.toFixed(0)} seconds.`);
  }

  async takePicture(): Promise<void> {
    save(await screenshot(this.stage), `${this.fileName()}.png`);
    this.say("Picture saved.");
  }

  toggleFilm(): void {
    if (this.recorder.running) this.recorder.stop();
    else {
      this.recorder.start(this.stage, this.player.stream, (film) => {
        this.wasRecording = film;
        save(film, `${this.fileName()}.${film.type.includes("mp4") ? "mp4" : "webm"}`);
        this.say("Film saved.");
        this.changed();
      });
      this.say("Recording.");
    }
    this.changed();
  }

  get lastFilm(): Blob | null {
    return this.wasRecording;
  }

  private fileName(): string {
    return (this.face?.name ?? "avatar").replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 60) || "avatar";
  }

  async toggleMicrophone(): Promise<void> {
    if (this.microphone.on) this.microphone.stop(this.active);
    else {
      await this.player.start();
      this.source("live");
      await this.microphone.start(() => this.active).catch((error: Error) =>
        this.say(error.name === "NotAllowedError" ? "The browser does not let this page use the microphone." : `No microphone: ${error.message}`, true));
    }
    this.player.silence(this.microphone.on);
    this.changed();
  }

  panic(): void {
    if (this.bridge.send({ type: "panic" })) {
      this.panicked = true;
      this.say("Everything is stopped.", true);
    }
    this.changed();
  }

  resume(): void {
    if (this.bridge.send({ type: "resume" })) this.panicked = false;
    this.changed();
  }

  // The bridge --------------------------------------------------------------------------------------------------------

  state(state: State, detail: string): void {
    const before = this.connection.state;
    this.connection = { state, detail };
    if (state === "refused" && before !== state) this.say(detail, true);
    if (state !== "live") this.microphone.stop(this.active);
    this.player.silence(this.microphone.on);
    this.changed();
  }

  identified(who: IdentifiedFromBridge): void {
    performance.mark("identified");
    this.rateHz = who.rate_hz;
    this.panicked = who.panicking ?? false;
    void this.meet(who.faces);
  }

  private async meet(told: readonly Record<string, unknown>[]): Promise<void> {
    const wanted = told.flatMap(({ number, name, avatar }) =>
      typeof number === "number" ? [{ number, name: typeof name === "string" ? name : `Face ${number}`, path: typeof avatar === "string" ? avatar : null }] : []);
    if (wanted.length && !wanted.some(({ number }) => number === this.active)) this.active = wanted[0]!.number;
    for (const { number, name, path } of [...wanted].sort((one, two) => Number(two.number === this.active) - Number(one.number === this.active))) {
      const known = this.faces.get(number);
      if (known && known.path === path && this.stage.faces.has(number)) continue;
      const face = known ?? new Face(number, name, path);
      this.faces.set(number, face);
      if (!path) continue;
      try {
        await this.show(number, await this.fetch(path), name);
        face.path = path;
      } catch (error) {
        this.say(`${name}: ${error instanceof Error ? error.message : "it cannot be read."}`, true);
      }
    }
    if (wanted.length > 1) this.together(true);
    this.changed();
  }

  private async fetch(path: string): Promise<ArrayBuffer> {
    if (!path.startsWith("/") || path.startsWith("//")) throw new Error("The avatar is not at this bridge.");
    const answer = await fetch(path, { headers: { Authorization: `Bearer ${this.bridge.token ?? ""}` } });
    if (!answer.ok) throw new Error(`The bridge does not give the avatar (${answer.status}).`);
    return answer.arrayBuffer();
  }

  frame(number: number, packet: FramePacket): void {
    let face = this.faces.get(number);
    if (!face) this.faces.set(number, (face = new Face(number, `Face ${number}`, null)));
    face.frames.add(packet, performance.now() / 1000);
    this.player.frame(packet.mediaTimeS);
    if (face.source === "pose" && !face.kept && !this.sharing) {
      face.choose("live");
      this.changed();
    }
  }

  sound(face: number, packet: SoundPacket): void {
    this.player.sound(face, packet);
  }

  flush(message: FlushFromBridge): void {
    this.player.flush(message);
  }

  event({ name }: EventFromBridge): void {
    if (name === "speech_started") this.speaking = true;
    if (name === "speech_ended") this.speaking = false;
    if (name === "neutral") this.panicked = true;
    if (name === "resumed") this.panicked = false;
    if (name === "source_lost") this.say("The source is silent.");
    if (name === "source_back") this.say("The source is back.");
    this.changed();
  }

  trouble(message: string): void {
    this.say(message, true);
  }

  // Pictures ----------------------------------------------------------------------------------------------------------

  private poseAll(atS: number): boolean {
    const elapsed = Math.min(Math.max(atS - this.lastS, 0), 0.25);
    this.lastS = atS;
    const mediaS = this.player.shownS(atS);
    let moved = false;
    for (const number of this.stage.shown) {
      const pose = this.faces.get(number)?.next(mediaS, atS, elapsed);
      if (!pose) continue;
      this.stage.faces.get(number)?.show(pose);
      moved = true;
    }
    return moved;
  }

  /** Sends the posed face to the bridge, while that is wanted. */
  private share(): void {
    if (!this.sharing || !this.face || !this.bridge.mayDrive) return;
    const pose: Pose = between(this.face.last, this.face.last, 0);
    const still = Float32Array.of(1, 0, 0, 0);
    this.bridge.sendBytes(encodeFrame({
      flags: this.active << FACE_SHIFT, seq: this.shared++, mediaTimeS: this.bridge.clock.mediaS(),
      weights: pose.weights, headWxyz: Float32Array.from(pose.head), leftEyeWxyz: still, rightEyeWxyz: still,
    }));
  }
}

