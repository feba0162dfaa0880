// A sound file through the face: decoded here, spoken by the bridge, heard and seen on its clock.
import type { Bridge } from "../live/bridge";

const RATE_HZ = 16_000;
const PIECE = 8_000;
const LONGEST_S = 600;
const WAITING_BYTES = 128 << 10;
const PAUSE_MS = 12; // three hundred messages a second are allowed

/** Sends the whole file; resolves to its length in seconds. */
export async function speakFile(bridge: Bridge, face: number, bytes: ArrayBuffer): Promise<number> {
  const decoder = new OfflineAudioContext(1, 1, 48_000);
  const decoded = await decoder.decodeAudioData(bytes).catch(() => { throw new Error("This browser cannot read that sound file."); });
  if (decoded.duration > LONGEST_S) throw new Error("The sound is longer than ten minutes.");
  const context = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * RATE_HZ)), RATE_HZ);
  const source = context.createBufferSource();
  source.buffer = decoded;
  source.connect(context.destination);
  source.start();
  const heard = (await context.startRendering()).getChannelData(0);
  for (let at = 0, seq = 0; at < heard.length; at += PIECE, seq++) {
    const samples = Int16Array.from(heard.subarray(at, at + PIECE), (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767));
    while (bridge.waiting > WAITING_BYTES) await pause(PAUSE_MS);
    if (!bridge.pushSound(face, { rateHz: RATE_HZ, seq, mediaTimeS: NaN, samples }, at + PIECE >= heard.length)) throw new Error("The bridge is gone.");
    await pause(PAUSE_MS);
  }
  return decoded.duration;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
