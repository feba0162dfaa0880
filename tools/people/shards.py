"""Generated people on disk, shard by shard, so that a folder can be continued and read while it grows.

    python -m tools.people.shards PATCHES.npz FOLDER --seed 0 --first 0 --shards 30

A shard is SHARD people in one .npy of [N 256 256 5] (colour, label, person) and their landmarks in another.
"""

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from avatar3d.people.skin import load_skin_model
from tools.people.crops import people
from tools.people.patches import read_wardrobe

SHARD: Final = 240


def write_shard(folder: Path, seed: int, number: int, patches: Path) -> None:
    """One shard; the same seed and number give the same people."""
    crowd = people(seed * 100_003 + number, load_skin_model(), read_wardrobe(patches))
    made = [next(crowd) for _ in range(SHARD)]
    planes = np.stack(
        [np.concatenate([one.pixels, one.label[..., None], one.person[..., None].astype(np.uint8)], 2) for one in made]
    )
    np.save(folder / f"marks_{seed}_{number:04d}.npy", np.stack([one.landmarks for one in made]))
    part = folder / f"part_{seed}_{number:04d}.npy"
    np.save(part, planes)
    part.rename(folder / f"people_{seed}_{number:04d}.npy")


def main() -> None:
    """Write what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patches", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--shards", type=int, default=10)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        for number in range(chosen.first, chosen.first + chosen.shards):
            if not (chosen.folder / f"people_{chosen.seed}_{number:04d}.npy").is_file():
                began = time.process_time()
                write_shard(chosen.folder, chosen.seed, number, chosen.patches)
                print(f"shard {number}: {(time.process_time() - began) / SHARD:.3f} CPU s a picture", flush=True)


if __name__ == "__main__":
    main()
