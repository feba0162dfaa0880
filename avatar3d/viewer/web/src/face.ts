// One face of the page: where its pose comes from now.
import type { Clip } from "./avatar/clip";
import { restPose, type Pose } from "./avatar/pose";
import { Frames } from "./live/frames";

export type Source = "live" | "pose" | "clip";

export class Face {
  readonly frames = new Frames();
  posed: Pose = restPose();
  source: Source = "pose";
  /** A person chose it; frames that come do not take the face away. */
  kept = false;
  clip: Clip | null = null;
  playing = false;
  clipS = 0;
  stale = true;
  last: Pose = restPose();

  constructor(readonly number: number, public name: string, public path: string | null) {}

  /** What is shown now; null when it is what was shown before. */
  next(mediaS: number, atS: number, elapsedS: number): Pose | null {
    if (this.source === "live") {
      const pose = this.frames.flowing(atS) ? this.frames.at(mediaS, atS) : null;
      if (!pose && !this.stale) return null;
      this.stale = false;
      return (this.last = pose ?? restPose());
    }
    if (this.source === "clip" && this.clip) {
      if (this.playing) {
        this.clipS += elapsedS;
        if (this.clipS >= this.clip.durationS) {
          this.clipS = this.clip.durationS;
          this.playing = false;
        }
      } else if (!this.stale) return null;
      this.stale = false;
      return (this.last = this.clip.at(this.clipS));
    }
    if (!this.stale) return null;
    this.stale = false;
    return (this.last = this.posed);
  }

  choose(source: Source): void {
    if (source === "pose" && this.source !== "pose") this.posed = { ...this.last, weights: this.last.weights.slice() };
    this.source = source;
    this.stale = true;
  }

  pose(at: number, weight: number): void {
    if (this.source !== "pose") this.choose("pose");
    this.kept = true;
    this.posed.weights[at] = weight;
    this.stale = true;
  }

  poseAll(weights: Float32Array): void {
    this.source = "pose";
    this.kept = true;
    this.posed = { ...restPose(), weights: weights.slice() };
    this.stale = true;
  }
}
