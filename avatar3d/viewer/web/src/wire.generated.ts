// Made by tools/generate_bindings.py of avatar3d/live/schema.py. Do not edit: change the schema.

export const VERSION = 1;
export const SUBPROTOCOLS = ["avatar3d.v1.binary", "avatar3d.v1.json"] as const;
export const SCOPES = ["view", "drive", "admin"] as const;
export const GESTURES = ["nod", "shake", "tilt", "brows", "wink_left", "wink_right", "blink"] as const;
export const FACES = 32;
export const ACK_EVERY = 4;
export const CREDIT = 8;
export const SOUND_KIND = 97;
export const ACK_KIND = 107;
export const HELD = 1;
export const JUMPED = 2;
export const LAST = 1;
export const FACE_SHIFT = 3;
export const SHAPES = 52;
export const FRAME_BYTES = 272;
export const SOUND_BYTES = 16;
export const ACK_BYTES = 8;
export const CLOSE = { NOT_IDENTIFIED: 4001, VERSION: 4002, TOKEN: 4003, TOO_MANY_TRIES: 4004, MALFORMED: 4005, RATE: 4006, TOO_SLOW: 4007, STOPPING: 4008, REVOKED: 4009 } as const;
export const RECONNECTS: readonly (keyof typeof CLOSE)[] = ["NOT_IDENTIFIED", "TOO_SLOW", "STOPPING"];
export const ARKIT_NAMES = [
  "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
  "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
  "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
  "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
  "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
  "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
  "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
  "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
  "noseSneerLeft", "noseSneerRight", "tongueOut",
] as const;

export interface FramePacket {
  version: number;
  flags: number;
  n: number;
  seq: number;
  mediaTimeS: number;
  weights: Float32Array;
  headWxyz: Float32Array;
  leftEyeWxyz: Float32Array;
  rightEyeWxyz: Float32Array;
}

/** The packet in these bytes (arrays are views of them), or null: wrong size, version or kind, values that are no numbers. */
export function decodeFrame(bytes: ArrayBuffer): FramePacket | null {
  if (bytes.byteLength !== FRAME_BYTES) return null;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== VERSION || view.getUint16(2, true) !== SHAPES) return null;
  for (let at = 16; at < 272; at += 4) if (!Number.isFinite(view.getFloat32(at, true))) return null;
  return {
    version: view.getUint8(0),
    flags: view.getUint8(1),
    n: view.getUint16(2, true),
    seq: view.getUint32(4, true),
    mediaTimeS: view.getFloat64(8, true),
    weights: new Float32Array(bytes, 16, 52),
    headWxyz: new Float32Array(bytes, 224, 4),
    leftEyeWxyz: new Float32Array(bytes, 240, 4),
    rightEyeWxyz: new Float32Array(bytes, 256, 4),
  };
}

export function encodeFrame(packet: Pick<FramePacket, "flags" | "seq" | "mediaTimeS" | "weights" | "headWxyz" | "leftEyeWxyz" | "rightEyeWxyz">): ArrayBuffer {
  const bytes = new ArrayBuffer(FRAME_BYTES);
  const view = new DataView(bytes);
  view.setUint8(0, VERSION);
  view.setUint8(1, packet.flags);
  view.setUint16(2, SHAPES, true);
  view.setUint32(4, packet.seq, true);
  view.setFloat64(8, packet.mediaTimeS, true);
  for (let i = 0; i < 52; i++) view.setFloat32(16 + 4 * i, packet.weights[i] ?? 0, true);
  for (let i = 0; i < 4; i++) view.setFloat32(224 + 4 * i, packet.headWxyz[i] ?? 0, true);
  for (let i = 0; i < 4; i++) view.setFloat32(240 + 4 * i, packet.leftEyeWxyz[i] ?? 0, true);
  for (let i = 0; i < 4; i++) view.setFloat32(256 + 4 * i, packet.rightEyeWxyz[i] ?? 0, true);
  return bytes;
}

export interface SoundPacket {
  kind: number;
  flags: number;
  rateHz: number;
  seq: number;
  mediaTimeS: number;
  samples: Int16Array;
}

/** The packet in these bytes (arrays are views of them), or null: wrong size, version or kind, values that are no numbers. */
export function decodeSound(bytes: ArrayBuffer): SoundPacket | null {
  if (bytes.byteLength < SOUND_BYTES || bytes.byteLength % 2) return null;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== SOUND_KIND) return null;
  return {
    kind: view.getUint8(0),
    flags: view.getUint8(1),
    rateHz: view.getUint16(2, true),
    seq: view.getUint32(4, true),
    mediaTimeS: view.getFloat64(8, true),
    samples: new Int16Array(bytes, 16),
  };
}

export function encodeSound(packet: Pick<SoundPacket, "flags" | "rateHz" | "seq" | "mediaTimeS" | "samples">): ArrayBuffer {
  const bytes = new ArrayBuffer(SOUND_BYTES + 2 * packet.samples.length);
  const view = new DataView(bytes);
  view.setUint8(0, SOUND_KIND);
  view.setUint8(1, packet.flags);
  view.setUint16(2, packet.rateHz, true);
  view.setUint32(4, packet.seq, true);
  view.setFloat64(8, packet.mediaTimeS, true);
  for (let i = 0; i < packet.samples.length; i++) view.setInt16(16 + 2 * i, packet.samples[i] ?? 0, true);
  return bytes;
}

export interface AckPacket {
  kind: number;
  flags: number;
  n: number;
  seq: number;
}

/** The packet in these bytes (arrays are views of them), or null: wrong size, version or kind, values that are no numbers. */
export function decodeAck(bytes: ArrayBuffer): AckPacket | null {
  if (bytes.byteLength !== ACK_BYTES) return null;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== ACK_KIND) return null;
  return {
    kind: view.getUint8(0),
    flags: view.getUint8(1),
    n: view.getUint16(2, true),
    seq: view.getUint32(4, true),
  };
}

export function encodeAck(packet: Pick<AckPacket, "seq">): ArrayBuffer {
  const bytes = new ArrayBuffer(ACK_BYTES);
  const view = new DataView(bytes);
  view.setUint8(0, ACK_KIND);
  view.setUint8(1, 0);
  view.setUint16(2, 0, true);
  view.setUint32(4, packet.seq, true);
  return bytes;
}

export interface HelloFromBridge { type: "hello"; versions: number[]; server: string }
export interface IdentifiedFromBridge { type: "identified"; version: number; client: string; scopes: string[]; rate_hz: number; ack_every: number; credit: number; media_time_s: number; faces: Record<string, unknown>[]; panicking?: boolean; token?: string }
export interface FrameFromBridge { type: "frame"; seq: number; flags: number; media_time_s: number; weights: number[]; head_wxyz: number[]; left_eye_wxyz: number[]; right_eye_wxyz: number[] }
export interface SoundFromBridge { type: "sound"; flags: number; rate_hz: number; seq: number; media_time_s: number; pcm16_base64: string }
export interface FlushFromBridge { type: "flush"; face: number; media_time_s: number }
export interface ClockFromBridge { type: "clock"; sent_s: number; received_s: number; media_time_s: number }
export interface EventFromBridge { type: "event"; name: string; face?: number; text?: string }
export interface DoneFromBridge { type: "done"; id?: number; token?: string; clients?: Record<string, unknown>[] }
export interface ErrorFromBridge { type: "error"; id?: number; error: string; message: string; hint: string }
export type FromBridge = HelloFromBridge | IdentifiedFromBridge | FrameFromBridge | SoundFromBridge | FlushFromBridge | ClockFromBridge | EventFromBridge | DoneFromBridge | ErrorFromBridge;

export interface IdentifyToBridge { type: "identify"; version: number; token?: string; pairing_code?: string; name?: string; frames?: boolean; sound?: boolean; faces?: number[] }
export interface AckToBridge { type: "ack"; seq: number }
export interface ClockToBridge { type: "clock"; sent_s: number }
export interface ControlToBridge { type: "control"; id?: number; face?: number; emotion?: string; intensity?: number; gaze?: number[]; head_motion?: number; style?: string; gesture?: string; interrupt?: boolean; listener?: boolean }
export interface SayToBridge { type: "say"; id?: number; face?: number; text: string; language?: string; voice?: string }
export interface FrameToBridge { type: "frame"; seq?: number; flags: number; media_time_s: number; weights: number[]; head_wxyz: number[]; left_eye_wxyz: number[]; right_eye_wxyz: number[] }
export interface SoundToBridge { type: "sound"; flags: number; rate_hz: number; seq?: number; media_time_s?: number; pcm16_base64: string }
export interface PanicToBridge { type: "panic"; id?: number }
export interface ResumeToBridge { type: "resume"; id?: number }
export interface IssueToBridge { type: "issue"; id?: number; scopes: string[]; name?: string }
export interface RevokeToBridge { type: "revoke"; id?: number; client: string }
export interface ClientsToBridge { type: "clients"; id?: number }
export interface StopToBridge { type: "stop"; id?: number }
export type ToBridge = IdentifyToBridge | AckToBridge | ClockToBridge | ControlToBridge | SayToBridge | FrameToBridge | SoundToBridge | PanicToBridge | ResumeToBridge | IssueToBridge | RevokeToBridge | ClientsToBridge | StopToBridge;

