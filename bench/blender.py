"""What a live frame costs in Blender, and how many arrive, once for each Blender here (tests/engine/blender_pythons.py).

    python -m bench.blender [AVATAR.glb] [SECONDS]      the tests' synthetic avatar and 10 seconds by default

A real bridge at 60 Hz plays a clip in which all 52 shapes move; the extension follows, records, and Blender evaluates the avatar after each
frame (keys, drivers of the other parts, bones), without drawing. CPU is the main thread's; wall says more on a quiet machine.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from avatar3d.core.blendshapes import BlendshapeClip
from avatar3d.formats.clip_npz import save_clip
from avatar3d.formats.gltf import save_glb
from avatar3d.live.dialects import livelink, vmc
from bench.measure import save_result
from tests.engine.blender_pythons import blender_pythons
from tests.engine.test_blender_live import beside_a_bridge, face
from tests.synthetic import synthetic_avatar


def main() -> int:
    """Print the table and write bench/results/blender.json; 1 where there is no Blender."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatar", nargs="?", type=Path, metavar="AVATAR.glb")
    parser.add_argument("seconds", nargs="?", type=float, default=10.0, metavar="SECONDS")
    asked = parser.parse_args()
    if asked.avatar and not asked.avatar.is_file():
        parser.error(f"there is no file {asked.avatar}")
    if not (pythons := blender_pythons()):
        print("needs Blender as a Python module: make .venv-bpy/bpy.stamp, or set AVATAR3D_BPY_PYTHONS")
        return 1
    rows = {}
    print(f"{'Blender':12} {'frames':>7} {'Hz':>6} {'CPU ms':>7} {'p99':>6} {'wall ms':>8} {'p99':>6}  stream")
    for name, python in pythons:
        with tempfile.TemporaryDirectory() as folder:
            glb = asked.avatar or save_glb(synthetic_avatar(), Path(folder) / "egg.glb")
            told = run(python, glb, asked.seconds, Path(folder))
        rows[told["version"]] = told
        print(
            f"{told['version']:12} {told['taken']:7} {told['taken'] / asked.seconds:6.1f} {told['median_ms']:7.2f} {told['p99_ms']:6.2f} "
            f"{told['wall_median_ms']:8.2f} {told['wall_p99_ms']:6.2f}  {told['same']} of {told['recorded']} keys were sent to another client, too, to the bit ({name})"
        )
    save_result("blender", rows)
    return 0


def run(python: Path, avatar: Path, seconds: float, folder: Path) -> dict[str, float | int | str]:
    clip = save_clip(BlendshapeClip(tuple(face(at) for at in range(3600))), folder / "clip.npz")
    asked = {
        "glb": str(avatar), "seconds": seconds, "take": str(folder / "take.npz"), "livelink": [livelink.encode(face(1)).hex()],
        "vmc": [[packet.hex() for packet in vmc.encode(face(1))]], "hostile": ["00"],
    }  # fmt: skip
    sent = asyncio.run(beside_a_bridge(python, asked, clip, folder))
    out = json.loads((folder / "out.json").read_text())
    told = out["follow_a_bridge"]["figures"] | {"version": out["version"]}
    with np.load(folder / "take.npz") as take:
        recorded = take["points"][:, :, 1].astype(np.float32).T
    known = {frame.weights.tobytes() for frame in sent.values()}
    same = sum(np.ascontiguousarray(row).tobytes() in known for row in recorded)
    return told | {"recorded": len(recorded), "same": same}


if __name__ == "__main__":
    sys.exit(main())
