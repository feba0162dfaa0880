// A microphone's sound at 16 kHz, in pieces of 20 ms with the time of this context at which each began.
import { Kernel } from "./resample";

declare const sampleRate: number;
declare const currentFrame: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor { readonly port: MessagePort }

const RATE_HZ = 16_000;
const PIECE = 320;

class Capture extends AudioWorkletProcessor {
  private readonly kernel = new Kernel(Math.min(1, RATE_HZ / sampleRate) * 0.95);
  private readonly ring = new Float32Array(8192);
  private written = 0;
  /** The next sample to be made, in samples of the source since it began. */
  private next = 0;
  private began = 0;
  private piece = new Int16Array(PIECE);
  private filled = 0;
  private peak = 0;

  process([input]: Float32Array[][]): boolean {
    const heard = input?.[0];
    if (!heard) return true;
    for (const value of heard) this.ring[this.written++ % this.ring.length] = value;
    const ratio = sampleRate / RATE_HZ;
    while (this.next + this.kernel.half < this.written) {
      if (!this.filled) this.began = (currentFrame + heard.length - (this.written - this.next)) / sampleRate;
      const value = Math.max(-1, Math.min(1, this.kernel.read(this.ring, this.next)));
      this.peak = Math.max(this.peak, Math.abs(value));
      this.piece[this.filled++] = Math.round(value * 32767);
      this.next += ratio;
      if (this.filled === PIECE) this.give();
    }
    return true;
  }

  private give(): void {
    this.port.postMessage({ samples: this.piece, beganS: this.began, peak: this.peak }, [this.piece.buffer]);
    this.piece = new Int16Array(PIECE);
    this.filled = 0;
    this.peak = 0;
  }
}

registerProcessor("avatar3d-capture", Capture);
