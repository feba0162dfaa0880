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
from avatar3d.core.splats import BoundSplats, SplatCloud
from avatar3d.formats.splat_binding import encode_binding
from avatar3d.live import wire

GOLDEN: Final = Path(__file__).parents[1] / "tests/golden/live"
SPLATS: Final = GOLDEN.with_name("splats") / "three.splats"
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


def splats() -> bytes:
    """Three splats on two meshes, one with a name that is not ASCII; all numbers are multiples of 1/64."""
    cloud = SplatCloud(
        triangle=np.array([0, 6, 4], np.int32),
        barycentric=np.array([[1, 0, 0], [0.25, 0.25, 0.5], [0.5, 0.5, 0]], np.float32),
        offset=np.array([0, -0.5, 1], np.float32),
        rotation_wxyz=np.array([[1, 0, 0, 0], [0.5, 0.5, -0.5, 0.5], [0, 0, 0, 1]], np.float32),
        scale=np.arange(1, 10, dtype=np.float32).reshape(3, 3) / 64,
        colour=np.arange(20, 29, dtype=np.float32).reshape(3, 3) / 64,
        opacity=np.array([1, 0.25, 0.984375], np.float32),
    )
    return encode_binding(BoundSplats(cloud, ("face", "Härchen"), (5, 2)))


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, content in packets().items():
        (GOLDEN / name).write_bytes(content)
        print(f"wrote {GOLDEN / name}")
    SPLATS.parent.mkdir(parents=True, exist_ok=True)
    SPLATS.write_bytes(splats())
    print(f"wrote {SPLATS}")
