"""Write the golden packets: `python tools/regenerate_golden.py`. They change only with the protocol's version.

tests/golden/live/ frame.bin, sound.bin, ack.bin, and frame.json, which is frame.bin in the JSON dialect. Python, JavaScript and C# read
them and must find the values below (tests/unit/live/test_bindings.py, test_wire.mjs).
"""

import json
import math
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.live import wire

GOLDEN: Final = Path(__file__).parents[1] / "tests/golden/live"
COUNT: Final = len(ARKIT_NAMES)


def frame() -> wire.FramePacket:
    """Weights are multiples of 1/64, exact in every language; head and eyes turn about three axes."""
    weights = np.arange(COUNT, dtype=np.float32) / 64
    half = np.float32(math.sqrt(0.5))
    head, left, right = np.eye(4, dtype=np.float32)[:3] * half + np.eye(4, dtype=np.float32)[1:] * half
    return wire.FramePacket(Frame(12.75, weights, head, left, right), seq=4_000_000_001, face=3, held=True)


def sound() -> wire.SoundPacket:
    """Five samples, both ends of the scale among them; media time NaN: "next"."""
    samples = np.array([0, 32767, -32767, 1, -2], np.float32) / 32767
    return wire.SoundPacket(AudioChunk(math.nan, 16_000, samples), seq=7, face=31, last=True)


def packets() -> dict[str, bytes]:
    """Every golden file's bytes."""
    shown = wire.encode_frame(frame())
    return {
        "frame.bin": shown,
        "sound.bin": wire.encode_sound(sound()),
        "ack.bin": wire.encode_ack(0xFEDCBA98),
        "frame.json": (json.dumps(wire.frame_json(shown), indent=1) + "\n").encode(),
    }


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, content in packets().items():
        (GOLDEN / name).write_bytes(content)
        print(f"wrote {GOLDEN / name}")
