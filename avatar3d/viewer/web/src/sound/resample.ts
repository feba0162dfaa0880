// A windowed sinc between two rates: shared by the worklets. A sample costs TAPS multiplications.

const PHASES = 256;

/** Coefficients per phase for reading at positions between samples; `cutoff` is a share of the source's Nyquist frequency. */
export class Kernel {
  readonly half: number;
  private readonly table: Float32Array;

  constructor(cutoff: number, taps = 24) {
    const wide = Math.ceil(taps / Math.min(cutoff, 1) / 2) * 2;
    this.half = wide / 2;
    this.table = new Float32Array((PHASES + 1) * wide);
    for (let phase = 0; phase <= PHASES; phase++) {
      let sum = 0;
      for (let tap = 0; tap < wide; tap++) {
        const x = tap - this.half + 1 - phase / PHASES;
        const angle = Math.PI * x * cutoff;
        const window = Math.abs(x) >= this.half ? 0 : 0.5 + 0.5 * Math.cos((Math.PI * x) / this.half);
        const value = (Math.abs(angle) < 1e-9 ? 1 : Math.sin(angle) / angle) * window;
        this.table[phase * wide + tap] = value;
        sum += value;
      }
      for (let tap = 0; tap < wide; tap++) this.table[phase * wide + tap]! /= sum;
    }
  }

  /** The value at a position of a ring buffer. */
  read(ring: Float32Array, position: number): number {
    const whole = Math.floor(position);
    const row = Math.round((position - whole) * PHASES) * this.half * 2;
    const size = ring.length;
    let value = 0;
    for (let tap = 0; tap < 2 * this.half; tap++) {
      const at = whole + tap - this.half + 1;
      value += ring[((at % size) + size) % size]! * this.table[row + tap]!;
    }
    return value;
  }
}
