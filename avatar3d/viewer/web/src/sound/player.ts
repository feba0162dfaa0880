// The bridge's sound, and the media time that is being heard: frames are shown by it.
import type { FlushFromBridge, SoundPacket } from "../wire.generated";
import { nowS, type MediaClock } from "../live/clock";
import { Delay } from "../live/delay";

const STEERED_MS = 100;
// What is off by more is put right at once; less is followed at half a per cent.
const JUMP_S = 0.06;
const NOT_WORTH_S = 0.0015;
// One block of the context, and the way of a message to the worklet.
const BLOCK_S = 0.02;
// A picture appears about one refresh after it was drawn, and stays until the next: it shows the middle of its time.
const SHOWN_LATER_S = 0.016;
const LONGEST_PICTURE_S = 0.16;

interface Report { timeS: number; base: number; level: number; onsetS: number }

export class Player {
  readonly delay = new Delay();
  context: AudioContext | null = null;
  level = 0;
  /** Of the last loud beginning: when it was heard, on performance.now() in seconds. Tests measure by it. */
  onsetHeardS = -1;
  private node: AudioWorkletNode | null = null;
  private gain: GainNode | null = null;
  private film: MediaStreamAudioDestinationNode | null = null;
  private pictureS = 0.016;
  private drawnS = 0;
  private base: number | null = null;
  private heardOffset: number | null = null;
  private shownDelayS = 0.06;
  private muted = false;
  private silenced = false;
  private starting: Promise<void> | null = null;
  private early: { face: number; packet: SoundPacket; mediaS: number }[] = [];

  constructor(private readonly clock: MediaClock, private readonly changed: () => void) {
    setInterval(() => this.steer(), STEERED_MS);
  }

  get running(): boolean {
    return this.context?.state === "running" && this.node !== null;
  }

  /** Must be called from a person's click or key: browsers keep pages silent until then. */
  start(): Promise<void> {
    this.starting ??= this.begin();
    return this.starting.then(() => this.context?.resume()).then(() => this.changed());
  }

  mute(on: boolean): void {
    this.muted = on;
    this.apply();
  }

  /** While this page's own microphone speaks through the face, it is not heard again. */
  silence(on: boolean): void {
    this.silenced = on;
    this.apply();
  }

  get stream(): MediaStream | null {
    if (!this.running) return null;
    if (!this.film) {
      this.film = this.context!.createMediaStreamDestination();
      this.gain!.connect(this.film);
    }
    return this.film.stream;
  }

  sound(face: number, packet: SoundPacket): void {
    if (!Number.isFinite(packet.mediaTimeS) || !packet.samples.length) return;
    const at = nowS();
    this.delay.saw(at, this.clock.mediaS(at) - packet.mediaTimeS + this.latencyS + BLOCK_S);
    if (!this.node) {
      this.early = [...this.early.slice(-200), { face, packet, mediaS: packet.mediaTimeS }];
      return;
    }
    const samples = packet.samples.slice();
    this.node.port.postMessage({ face, rateHz: packet.rateHz, mediaS: packet.mediaTimeS, samples }, [samples.buffer]);
  }

  flush({ face, media_time_s: mediaS }: FlushFromBridge): void {
    this.early = this.early.filter((each) => each.face !== face || each.mediaS < mediaS);
    this.node?.port.postMessage({ flush: face, mediaS });
  }

  frame(mediaTimeS: number): void {
    const at = nowS();
    this.delay.saw(at, this.clock.mediaS(at) - mediaTimeS + this.leadS);
  }

  private get leadS(): number {
    return SHOWN_LATER_S + this.pictureS / 2;
  }

  /** The media time to be shown by a picture that is drawn now. */
  shownS(atS: number): number {
    const tookS = atS - this.drawnS;
    this.drawnS = atS;
    if (tookS < 0.5) this.pictureS += 0.1 * (Math.min(tookS, LONGEST_PICTURE_S) - this.pictureS);
    return this.heardS(atS) + this.leadS;
  }

  /** The media time that is heard now, or would be. */
  heardS(atS = nowS()): number {
    if (this.running && this.base !== null && this.heardOffset !== null) return atS + this.heardOffset + this.base;
    return this.clock.mediaS(atS) - this.shownDelayS;
  }

  get delayS(): number {
    return this.clock.mediaS() - this.heardS();
  }

  get latencyS(): number {
    return this.context ? this.context.outputLatency || this.context.baseLatency || 0.02 : 0;
  }

  /** A moment of the context's time, on performance.now() in seconds: when it is heard. */
  heardAtS(contextS: number): number {
    return contextS - (this.heardOffset ?? 0);
  }

  private async begin(): Promise<void> {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.context = context;
    context.onstatechange = () => this.changed();
    await context.audioWorklet.addModule("playout.js");
    const node = new AudioWorkletNode(context, "avatar3d-playout", { numberOfInputs: 0, outputChannelCount: [2] });
    this.gain = context.createGain();
    node.connect(this.gain).connect(context.destination);
    node.port.onmessage = ({ data }) => this.reported(data as Report);
    this.node = node;
    this.apply();
    for (const { face, packet } of this.early.splice(0)) this.sound(face, packet);
    this.steer();
  }

  private reported({ timeS, base, level, onsetS }: Report): void {
    this.base = base;
    this.level = level;
    if (onsetS >= 0) this.onsetHeardS = this.heardAtS(onsetS);
    void timeS;
  }

  private apply(): void {
    if (this.gain) this.gain.gain.setTargetAtTime(this.muted || this.silenced ? 0 : 1, this.context!.currentTime, 0.01);
  }

  private steer(): void {
    const at = nowS();
    const wanted = this.delay.wantedS(at);
    this.shownDelayS += Math.max(-0.01, Math.min(0.01, wanted - this.shownDelayS));
    if (!this.running || !this.clock.known) return;
    this.measure();
    const target = this.clock.mediaS(at) - wanted - (at + this.heardOffset!);
    const way = this.base === null ? Infinity : target - this.base;
    if (Math.abs(way) < NOT_WORTH_S) return;
    const jump = Math.abs(way) > JUMP_S;
    if (this.base === null || jump) this.base = target;
    this.node!.port.postMessage({ base: target, jump });
  }

  /** How the context's time runs beside the page's, at the loudspeaker. */
  private measure(): void {
    const context = this.context!;
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp?.() ?? {};
    const offset = contextTime > 0 && performanceTime > 0
      ? contextTime - performanceTime / 1000
      : context.currentTime - this.latencyS - nowS();
    const far = this.heardOffset === null || Math.abs(offset - this.heardOffset) > 0.04;
    this.heardOffset = far ? offset : this.heardOffset! + 0.08 * (offset - this.heardOffset!);
  }
}
