// The person's microphone, to the bridge: 16 kHz, with the media time at which it was spoken.
import type { Bridge } from "../live/bridge";
import { nowS } from "../live/clock";

const RATE_HZ = 16_000;
// Of the way from the lips into the context; few browsers tell it.
const INPUT_LATENCY_S = 0.012;

export class Microphone {
  level = 0;
  private stream: MediaStream | null = null;
  private context: AudioContext | null = null;
  private number = 0;

  constructor(private readonly bridge: Bridge) {}

  static get supported(): boolean {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  get on(): boolean {
    return this.stream !== null;
  }

  async start(face: () => number): Promise<void> {
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    const context = new AudioContext({ latencyHint: "interactive" });
    await context.audioWorklet.addModule("capture.js");
    const source = context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(context, "avatar3d-capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    source.connect(node);
    [this.stream, this.context] = [stream, context];
    node.port.onmessage = ({ data }: MessageEvent<{ samples: Int16Array; beganS: number; peak: number }>) => {
      if (this.context !== context) return;
      this.level = Math.max(data.peak, this.level * 0.85);
      const spokenS = nowS() - (context.currentTime - data.beganS) - INPUT_LATENCY_S;
      this.bridge.pushSound(face(), { rateHz: RATE_HZ, seq: this.number++, mediaTimeS: this.bridge.clock.mediaS(spokenS), samples: data.samples }, false);
    };
    for (const track of stream.getAudioTracks()) track.onended = () => this.stop(face());
  }

  stop(face: number): void {
    if (!this.stream) return;
    for (const track of this.stream.getTracks()) track.stop();
    void this.context?.close();
    this.stream = this.context = null;
    this.level = 0;
    const samples = new Int16Array(320);
    this.bridge.pushSound(face, { rateHz: RATE_HZ, seq: this.number++, mediaTimeS: this.bridge.clock.mediaS(nowS()), samples }, true);
  }
}
