// The golden packets through the viewer's codec.   usage: node test_wire.mjs wire.generated.ts GOLDEN_FOLDER ESBUILD_MODULE
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [source, golden, esbuild] = process.argv.slice(2);
const { transformSync } = (await import(pathToFileURL(esbuild).href)).default;
const { code } = transformSync(readFileSync(source, "utf8"), { loader: "ts", format: "esm" });
const wire = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);
const file = (name) => new Uint8Array(readFileSync(join(golden, name))).buffer;
const half = Math.fround(Math.SQRT1_2);

const frame = wire.decodeFrame(file("frame.bin"));
assert.equal(frame.seq, 4000000001);
assert.equal(frame.mediaTimeS, 12.75);
assert.equal(frame.flags, (3 << wire.FACE_SHIFT) | wire.HELD);
assert.deepEqual([...frame.weights], Array.from({ length: 52 }, (_, at) => at / 64));
assert.deepEqual([...frame.headWxyz], [half, half, 0, 0]);
assert.deepEqual([...frame.leftEyeWxyz], [0, half, half, 0]);
assert.deepEqual([...frame.rightEyeWxyz], [0, 0, half, half]);
assert.deepEqual(wire.encodeFrame(frame), file("frame.bin"));

const said = JSON.parse(readFileSync(join(golden, "frame.json"), "utf8"));
assert.equal(said.seq, frame.seq);
assert.equal(said.media_time_s, frame.mediaTimeS);
assert.equal(said.flags, frame.flags);
said.weights.forEach((weight, at) => assert.ok(Math.abs(weight - frame.weights[at]) <= 5e-7));

const sound = wire.decodeSound(file("sound.bin"));
assert.equal(sound.rateHz, 16000);
assert.equal(sound.seq, 7);
assert.equal(sound.flags, (31 << wire.FACE_SHIFT) | wire.LAST);
assert.ok(Number.isNaN(sound.mediaTimeS));
assert.deepEqual([...sound.samples], [0, 32767, -32767, 1, -2]);
assert.deepEqual(wire.encodeSound(sound), file("sound.bin"));

assert.equal(wire.decodeAck(file("ack.bin")).seq, 0xfedcba98);
assert.deepEqual(wire.encodeAck({ seq: 0xfedcba98 }), file("ack.bin"));

// What is no packet is refused, and nothing is thrown.
assert.equal(wire.decodeFrame(file("frame.bin").slice(0, 271)), null);
assert.equal(wire.decodeFrame(file("sound.bin")), null);
assert.equal(wire.decodeSound(file("frame.bin")), null);
assert.equal(wire.decodeSound(file("sound.bin").slice(0, 17)), null);
assert.equal(wire.decodeAck(new ArrayBuffer(8)), null);
const broken = file("frame.bin");
new DataView(broken).setFloat32(16, NaN, true);
assert.equal(wire.decodeFrame(broken), null);
