"""The UDP dialects: what a frame costs, how large it is, and whether mutated datagrams do harm (robustness.md L13).

    python -m bench.dialects [PACKETS]      1,000,000 mutated datagrams by default, a quarter to each dialect

Must hold: no exception but InputError, no face out of bounds, no datagram of ours over 1,200 bytes; a frame there and back within a tenth
of a tick of 60 Hz.
"""

import random
import sys
import time
from typing import Any

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.errors import InputError
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.dialects.dialect import DATAGRAM_BYTES, Dialect
from avatar3d.live.receive import Receiver
from bench.measure import save_result, show

FRAMES = 600
TICK_S = 1 / 60
SENDER = ("127.0.0.1", 5000)
WORDS = (
    b"#bundle\0",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xc0\0\0",
    b"\x7f\x80\0\0",
    bytes(4),
    b"nan",
    b"=head#",
    b"|",
)


def faces(seed: int = 0) -> list[Frame]:
    """A face of which everything moves."""
    rng = np.random.default_rng(seed)
    turns = [[quaternion_from_rotation_vector(turn.astype(np.float32)) for turn in rng.normal(0, 0.3, (3, 3))] for _ in range(FRAMES)]  # fmt: skip
    return [
        Frame(at / 60, rng.random(len(ARKIT_NAMES), np.float32), *turned) for at, turned in enumerate(turns)
    ]  # fmt: skip


def cost(dialect: Dialect) -> dict[str, Any]:
    """Of one frame, on one core: encoded, decoded, and through the Receiver."""
    encode, decode, shown = dialect.encoder({}), dialect.decoder({}), faces()
    began_s = time.process_time()
    packets = [encode(frame) for frame in shown]
    encoded_s = time.process_time()
    for parts in packets:
        for part in parts:
            decode(part)
    decoded_s = time.process_time()
    receiver = Receiver(dialect)
    for at, parts in enumerate(packets):
        for part in parts:
            receiver = receiver.step(at / 60, SENDER, part).receiver
    received_s = time.process_time()
    sizes = [len(part) for parts in packets for part in parts]
    return {
        "dialect": dialect.name,
        "datagrams": max(map(len, packets)),
        "bytes": max(sum(map(len, parts)) for parts in packets),
        "largest": max(sizes),
        "encoded/s": round(FRAMES / (encoded_s - began_s)),
        "decoded/s": round(FRAMES / (decoded_s - encoded_s)),
        "received/s": round(FRAMES / (received_s - decoded_s)),
        "% of a core at 60 Hz": round(100 * 60 * (received_s - began_s - (decoded_s - encoded_s)) / FRAMES, 2),
    }


def mutated(packet: bytes, chance: random.Random) -> bytes:
    """A datagram with up to eight wounds, most often one."""
    wounded = bytearray(packet)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8))):
        at = chance.randrange(len(wounded) + 1)
        match chance.choice((0, 0, 0, 0, 1, 2, 3, 4, 5, 6)):
            case 0:
                wounded[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del wounded[at : at + chance.randrange(64)]
            case 2:
                wounded[at:at] = chance.randbytes(chance.randrange(12))
            case 3:
                word = chance.choice(WORDS)
                wounded[at // 4 * 4 : at // 4 * 4 + len(word)] = word
            case 4:
                wounded[at:at] = wounded[at : at + 40]
            case 5 if len(wounded) < 4_000:
                size = len(wounded).to_bytes(4, "big")
                wounded = bytearray(b"#bundle\0" + bytes(8) + size + wounded)  # one bundle deeper
            case _:
                wounded[at:at] = chance.choice(WORDS)
    return bytes(wounded)


def fuzz(dialect: Dialect, count: int) -> dict[str, Any]:
    """What mutated datagrams do to a decoder that holds on to what it has heard."""
    chance = random.Random(1)
    seeds = [part for frame in faces()[:20] for part in dialect.encoder({})(frame)]
    decode = dialect.decoder({})
    told = {"shown": 0, "nothing": 0, "refused": 0, "crashes": 0, "out of bounds": 0}
    longest_s, began_s = 0.0, time.perf_counter()
    for _ in range(count):
        packet = mutated(chance.choice(seeds), chance)
        decoded_s = time.process_time()
        try:
            frame = decode(packet)
        except InputError:
            told["refused"] += 1
        except Exception as error:  # noqa: BLE001  a crash is what is looked for
            told["crashes"] += 1
            print(f"{dialect.name}: {error!r} from {packet!r}")
        else:
            told["shown" if frame else "nothing"] += 1
            told["out of bounds"] += frame is not None and not within(frame)
        longest_s = max(longest_s, time.process_time() - decoded_s)
    rate = round(count / (time.perf_counter() - began_s))
    return {"dialect": dialect.name, "mutated": count, **told, "longest ms": 1000 * longest_s, "fuzzed/s": rate}


def within(frame: Frame) -> bool:
    """Weights in 0..1, turns of unit length."""
    turns = np.array([frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz])
    return bool(
        (frame.weights >= 0).all() and (frame.weights <= 1).all() and np.allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-3)
    )  # fmt: skip


def main() -> int:
    """Print the tables and write bench/results/dialects.json; 1 if anything crashed or is too large or too slow."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    costs = [cost(dialect) for dialect in DIALECTS.values()]
    show("a frame", costs)
    fuzzed = [fuzz(dialect, count // len(DIALECTS)) for dialect in DIALECTS.values()]
    show("mutated datagrams", fuzzed)
    save_result("dialects", {"costs": costs, "fuzzed": fuzzed})
    harm = sum(row["crashes"] + row["out of bounds"] for row in fuzzed)
    slow = [row["dialect"] for row in costs if 1 / row["encoded/s"] + 1 / row["received/s"] > TICK_S / 10]
    large = [row["dialect"] for row in costs if row["largest"] > DATAGRAM_BYTES]
    if harm or slow or large:
        print(f"FAILED: {harm} crashes or faces out of bounds; too slow: {slow}; too large: {large}")
    return bool(harm or slow or large)


if __name__ == "__main__":
    sys.exit(main())
