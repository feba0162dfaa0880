// How long after its media time a frame is shown and a sound is heard: no longer than what comes late needs.

const LEAST_S = 0.05;
const MOST_S = 0.45;
const REMEMBERED_S = 4;
const MARGIN_S = 0.012;

/** Remembers the latest arrivals of the last seconds. */
export class Delay {
  private readonly late: { atS: number; lateS: number }[] = [];

  /** Something should have been there `lateS` ago (negative: it came early). */
  saw(atS: number, lateS: number): void {
    while (this.late.length && (this.late.at(-1)!.lateS <= lateS)) this.late.pop();
    this.late.push({ atS, lateS });
  }

  wantedS(atS: number): number {
    while (this.late.length && atS - this.late[0]!.atS > REMEMBERED_S) this.late.shift();
    return Math.min(Math.max((this.late[0]?.lateS ?? 0) + MARGIN_S, LEAST_S), MOST_S);
  }
}
