// The shapes' names, groups and readable labels, and the expressions one click away.
import { ARKIT_NAMES } from "../wire.generated";

export type ShapeName = (typeof ARKIT_NAMES)[number];

/** Only the tongue of our heads has these, after the 52; no wire carries them, an animation in the file may. */
export const TONGUE_NAMES = ["tongueUp", "tongueTeeth", "tongueBack", "tongueWide"] as const;
export const ALL_NAMES: readonly string[] = [...ARKIT_NAMES, ...TONGUE_NAMES];
export const SHAPE_INDEX = new Map(ALL_NAMES.map((name, at) => [name, at]));

export interface Group { name: string; shapes: ShapeName[] }

const starts = (...heads: string[]) => ARKIT_NAMES.filter((name) => heads.some((head) => name.startsWith(head)));
export const GROUPS: readonly Group[] = [
  { name: "Brows", shapes: starts("brow") },
  { name: "Eyes", shapes: starts("eye") },
  { name: "Jaw", shapes: starts("jaw") },
  { name: "Mouth", shapes: starts("mouth") },
  { name: "Cheeks and nose", shapes: starts("cheek", "nose") },
  { name: "Tongue", shapes: starts("tongue") },
];

/** "mouthSmileLeft" as people read it: "Smile, left". The group says the rest. */
export function label(name: ShapeName): string {
  const words = name.replace(/([A-Z])/g, " $1").toLowerCase().split(" ");
  const side = words.at(-1);
  const sided = words.length > 2 && (side === "left" || side === "right");
  const body = (sided ? words.slice(0, -1) : words).slice(/^(brow|eye|jaw|mouth|tongue)$/.test(words[0] ?? "") ? 1 : 0).join(" ");
  return body.charAt(0).toUpperCase() + body.slice(1) + (sided ? `, ${side}` : "");
}

type Look = Record<string, number>;

// As speech/performance/emotion.py shows them at full intensity. A name without a side means both.
const LOOKS: Record<string, Look> = {
  Joy: { cheekSquint: 0.6, eyeSquint: 0.3, browInnerUp: 0.08, browOuterUp: 0.12, mouthSmile: 0.85, mouthDimple: 0.1, mouthUpperUp: 0.15, mouthLowerDown: 0.12 },
  Sadness: { browInnerUp: 0.85, browDown: 0.22, eyeSquint: 0.08, eyeBlink: 0.06, mouthFrown: 0.8, mouthShrugLower: 0.25 },
  Anger: { browDown: 1, eyeWide: 0.25, eyeSquint: 0.55, cheekSquint: 0.15, noseSneer: 0.5, mouthPress: 0.6, mouthShrugLower: 0.5, mouthFrown: 0.25, jawForward: 0.15 },
  Fear: { browInnerUp: 0.95, browOuterUp: 0.25, browDown: 0.3, eyeWide: 0.85, mouthStretch: 0.75, mouthLowerDown: 0.3, mouthFrown: 0.2, jawOpen: 0.1 },
  Disgust: { browDown: 0.5, eyeSquint: 0.4, cheekSquint: 0.3, noseSneer: 0.7, mouthUpperUp: 0.2, mouthFrown: 0.35, mouthShrugLower: 0.4 },
  Surprise: { browInnerUp: 0.8, browOuterUp: 0.85, eyeWide: 0.7, jawOpen: 0.28, mouthFunnel: 0.12 },
  Contempt: { eyeSquint: 0.2, browOuterUpRight: 0.35, browDownLeft: 0.15, mouthSmileRight: 0.5, mouthDimpleRight: 0.7, mouthPressRight: 0.25, noseSneerRight: 0.12 },
  Tender: { browInnerUp: 0.25, cheekSquint: 0.2, eyeSquint: 0.18, mouthSmile: 0.3 },
  Thinking: { browDownLeft: 0.25, browInnerUp: 0.12, browOuterUpRight: 0.3, eyeSquint: 0.2, mouthPucker: 0.2, mouthLeft: 0.2, mouthPress: 0.2, eyeLookUpLeft: 0.35, eyeLookUpRight: 0.35, eyeLookOutLeft: 0.4, eyeLookInRight: 0.4 },
  "Eyes shut": { eyeBlink: 1 },
  Aah: { jawOpen: 0.7 },
  Ooh: { mouthPucker: 0.9, mouthFunnel: 0.3, jawOpen: 0.08 },
};

function weightsOf(look: Look): Float32Array {
  const weights = new Float32Array(ALL_NAMES.length);
  for (const [name, weight] of Object.entries(look)) {
    for (const each of SHAPE_INDEX.has(name) ? [name] : [`${name}Left`, `${name}Right`]) weights[SHAPE_INDEX.get(each)!] = weight;
  }
  return weights;
}

export const EXPRESSIONS: ReadonlyMap<string, Float32Array> = new Map(Object.entries(LOOKS).map(([name, look]) => [name, weightsOf(look)]));

/** What a director may ask of the performer (emotion.py). */
export const EMOTIONS = ["neutral", "joy", "sadness", "anger", "fear", "disgust", "surprise", "contempt", "tender", "thinking", "animated", "subdued", "auto"] as const;
export const STYLES = ["natural", "calm", "lively", "newsreader", "shy"] as const;
