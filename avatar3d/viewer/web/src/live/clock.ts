// The bridge's media time on this page's clock: offsets of question and answer, the one with the quickest way of the last minute wins.

interface Sample { atS: number; offsetS: number; wayS: number }

const KEPT_S = 60;
// A sample's worth falls with its age: clocks of two machines drift by 50 ppm, here with room to spare.
const DRIFT = 200e-6;

export function nowS(): number {
  return performance.now() / 1000;
}

export class MediaClock {
  private samples: Sample[] = [];
  private offset: number | null = null;

  get known(): boolean {
    return this.offset !== null;
  }

  /** Of a frame or greeting that just came: no better than its way was short, so only until an answer is there. */
  guess(mediaTimeS: number): void {
    if (!this.samples.length) this.offset = Math.max(this.offset ?? -Infinity, mediaTimeS - nowS());
  }

  answered(sentS: number, receivedS: number, mediaTimeS: number): void {
    const backS = nowS();
    const wayS = backS - sentS - (mediaTimeS - receivedS);
    if (!(wayS >= 0) || wayS > 5) return;
    const sample = { atS: backS, offsetS: (receivedS - sentS + mediaTimeS - backS) / 2, wayS };
    this.samples = [...this.samples.filter(({ atS }) => backS - atS < KEPT_S), sample];
    const worth = (each: Sample) => each.wayS / 2 + DRIFT * (backS - each.atS);
    this.offset = this.samples.reduce((best, each) => (worth(each) < worth(best) ? each : best)).offsetS;
  }

  restart(): void {
    this.samples = [];
    this.offset = null;
  }

  /** Media time at a moment of performance.now(), in seconds. */
  mediaS(atS = nowS()): number {
    return atS + (this.offset ?? 0);
  }
}
