// Plays sound by its media time. Sound is a function of media time; the page says which media time this context's zero is
// (`base`), and a base that moves a little is followed at half a per cent, which nobody hears.
//
//   in    {base, jump}   {face, rateHz, mediaS, samples}   {flush: face, mediaS}
//   out   {timeS, base, level, onsetS}     twenty times a second
import { Kernel } from "./resample";

declare const sampleRate: number;
declare const currentTime: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor { readonly port: MessagePort }

const RING_S = 12;
const SLEW = 0.005;
const FADE_S = 0.004;
const REPORT_S = 0.05;
const LOUD = 0.3;
const QUIET_S = 0.2;

interface Voice { rateHz: number; ring: Float32Array; kernel: Kernel; end: number; cleared: number }

class Playout extends AudioWorkletProcessor {
  private base: number | null = null;
  private wanted = 0;
  private readonly voices = new Map<number, Voice>();
  private reported = 0;
  private power = 0;
  private counted = 0;
  private quietSince = 0;
  private onsetS = -1;
  private fade = 1;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if ("base" in data) this.move(data.base as number, data.jump as boolean);
      else if ("flush" in data) this.flush(data.flush as number, data.mediaS as number);
      else this.add(data.face as number, data.rateHz as number, data.mediaS as number, data.samples as Int16Array);
    };
  }

  process(_inputs: Float32Array[][], [output]: Float32Array[][]): boolean {
    const out = output?.[0];
    if (!out || this.base === null) return true;
    const step = 1 / sampleRate;
    const way = this.wanted - this.base;
    const slew = Math.max(-SLEW, Math.min(SLEW, way / (out.length * step)));
    for (let at = 0; at < out.length; at++) {
      const mediaS = currentTime + at * step + this.base;
      let value = 0;
      for (const voice of this.voices.values()) {
        const position = mediaS * voice.rateHz;
        if (position < voice.end + voice.kernel.half) value += voice.kernel.read(voice.ring, position);
      }
      if (this.fade < 1) {
        this.fade = Math.min(1, this.fade + step / FADE_S);
        value *= this.fade;
      }
      out[at] = value;
      this.power += value * value;
      this.listen(value, currentTime + at * step);
      this.base += slew * step;
    }
    this.counted += out.length;
    for (const channel of output.slice(1)) channel.set(out);
    this.clear();
    if (currentTime - this.reported >= REPORT_S) this.report();
    return true;
  }

  private listen(value: number, timeS: number): void {
    if (Math.abs(value) < LOUD) return;
    if (timeS - this.quietSince > QUIET_S) this.onsetS = timeS;
    this.quietSince = timeS;
  }

  private report(): void {
    this.reported = currentTime;
    this.port.postMessage({ timeS: currentTime, base: this.base, level: Math.sqrt(this.power / Math.max(this.counted, 1)), onsetS: this.onsetS });
    this.power = this.counted = 0;
  }

  private move(base: number, jump: boolean): void {
    this.wanted = base;
    if (this.base !== null && !jump) return;
    this.base = base;
    this.fade = 0;
    for (const voice of this.voices.values()) voice.cleared = Math.min(voice.cleared, Math.floor((currentTime + base) * voice.rateHz) - voice.kernel.half);
  }

  private add(face: number, rateHz: number, mediaS: number, samples: Int16Array): void {
    let voice = this.voices.get(face);
    const now = (currentTime + (this.base ?? this.wanted)) * rateHz;
    if (!voice || voice.rateHz !== rateHz) {
      voice = { rateHz, ring: new Float32Array(RING_S * rateHz), kernel: new Kernel(Math.min(1, sampleRate / rateHz) * 0.95), end: -Infinity, cleared: Math.floor(now) - 64 };
      this.voices.set(face, voice);
    }
    // Rounded media times of what follows on must leave no gap of a sample.
    const told = Math.round(mediaS * rateHz);
    const start = Math.abs(told - voice.end) <= 2 ? voice.end : told;
    const { ring } = voice;
    for (let at = 0; at < samples.length; at++) {
      const place = start + at;
      if (place < voice.cleared || place >= now + ring.length - 2 * voice.kernel.half) continue;
      ring[((place % ring.length) + ring.length) % ring.length] = samples[at]! / 32767;
    }
    voice.end = Math.max(start + samples.length, voice.end === -Infinity ? start : voice.end);
    if (start < voice.end - samples.length - 2 && voice.end - start > ring.length) voice.end = start + samples.length; // it began anew
  }

  private flush(face: number, mediaS: number): void {
    const voice = this.voices.get(face);
    if (!voice) return;
    const fade = Math.round(FADE_S * voice.rateHz);
    const now = (currentTime + (this.base ?? 0)) * voice.rateHz;
    const start = Math.ceil(Math.max(mediaS * voice.rateHz, now));
    const { ring } = voice;
    for (let place = start; place < Math.min(voice.end, start + ring.length - 2 * voice.kernel.half); place++) {
      const at = ((place % ring.length) + ring.length) % ring.length;
      ring[at]! *= Math.max(0, 1 - (place - start) / fade);
    }
    voice.end = Math.min(voice.end, start + fade);
  }

  /** What has been heard is silence when the ring comes round again. */
  private clear(): void {
    for (const voice of this.voices.values()) {
      const upto = Math.floor((currentTime + this.base!) * voice.rateHz) - voice.kernel.half - 8;
      const { ring } = voice;
      const from = Math.max(voice.cleared, upto - ring.length);
      for (let place = from; place < upto; place++) ring[((place % ring.length) + ring.length) % ring.length] = 0;
      voice.cleared = Math.max(voice.cleared, upto);
    }
  }
}

registerProcessor("avatar3d-playout", Playout);
