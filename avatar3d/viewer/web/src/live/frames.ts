// The frames of one face in the order of their media times: what to show at a time between two of them.
import { HELD, JUMPED, type FramePacket } from "../wire.generated";
import { between, restPose, unit, type Pose, type Wxyz } from "../avatar/pose";

interface Entry { timeS: number; pose: Pose; jumped: boolean; held: boolean }

const KEPT = 240;
// Docs/bridge.md: show nothing older than a quarter of a second; what follows is the face eased to rest.
const HELD_S = 0.25;
const EASED_S = 0.5;
const FORGOTTEN_S = 5;

export class Frames {
  private entries: Entry[] = [];
  private cameS = -Infinity;

  add(packet: FramePacket, atS: number): void {
    const pose = restPose();
    for (let at = 0; at < 52; at++) pose.weights[at] = Math.min(Math.max(packet.weights[at]!, 0), 1);
    pose.head = turn(packet.headWxyz);
    pose.eyes = { left: turn(packet.leftEyeWxyz), right: turn(packet.rightEyeWxyz), whole: true };
    const last = this.entries.at(-1);
    if (last && packet.mediaTimeS <= last.timeS) {
      if (last.timeS - packet.mediaTimeS < 0.5) return; // late: what came after it is there already
      this.entries = []; // the bridge began anew
    }
    this.cameS = atS;
    this.entries.push({ timeS: packet.mediaTimeS, pose, jumped: (packet.flags & JUMPED) !== 0, held: (packet.flags & HELD) !== 0 });
    if (this.entries.length > KEPT) this.entries.splice(0, this.entries.length - KEPT);
  }

  /** Whether frames come. */
  flowing(atS: number): boolean {
    return atS - this.cameS < FORGOTTEN_S;
  }

  at(mediaS: number, nowS: number): Pose | null {
    const { entries } = this;
    if (!entries.length) return null;
    let next = entries.length;
    while (next > 0 && entries[next - 1]!.timeS > mediaS) next--;
    if (next > 1) {
      entries.splice(0, next - 1); // never needed again
      next = 1;
    }
    const [one, two] = [entries[Math.max(next - 1, 0)]!, entries[next]];
    const silent = Math.min(Math.max((nowS - this.cameS - HELD_S) / EASED_S, 0), 1);
    if (silent > 0) return between(one.pose, restPose(), silent * silent * (3 - 2 * silent));
    if (!two || two === one || two.jumped) return one.pose;
    return between(one.pose, two.pose, Math.min(Math.max((mediaS - one.timeS) / (two.timeS - one.timeS), 0), 1));
  }
}

function turn(values: Float32Array): Wxyz {
  return unit([values[0]!, values[1]!, values[2]!, values[3]!]);
}
