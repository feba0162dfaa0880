"""A shard of real portraits for the net to learn from, labelled by two nets of which neither may see what is not there.

    python -m tools.segment.portraits CHECKPOINT.pt FOLDER [--repeat 12]      FOLDER/people_real_0000.npy, marks_real_0000.npy

Nets trained on generated people alone come to call glossy hair a scarf and suits things (docs/decisions/0015). Nobody in the
calibration half of the portraits wears a hat or holds something before the face, so these kinds are struck out; otherwise
a pixel is what the stored net and the checkpoint together think most likely. The unseen half is never looked at.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from avatar3d.core.errors import Avatar3dError
from avatar3d.core.segments import KINDS
from avatar3d.photo.crop import crop_from_photo, warp_into
from avatar3d.photo.load import load_photo
from avatar3d.photo.network import Weights, run_network
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import load_network
from bench.skins import portraits_folder, split_names
from tools.segment.evaluate import as_stored, read_checkpoint
from tools.segment.feed import as_planes

_ABSENT: Final = [KINDS.index("headwear"), KINDS.index("occluder")]


def main() -> None:
    """Write the shard."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=12, help="how often each portrait is in the shard")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        nets = [dict(load_network()), as_stored(read_checkpoint(chosen.checkpoint))]
        found = [_labelled(portraits_folder() / name, nets) for name in split_names("calibration")]
    kept = [one for one in found if one is not None]
    planes, marks = (np.stack([one[part] for one in kept for _ in range(chosen.repeat)]) for part in (0, 1))
    np.save(chosen.folder / "marks_real_0000.npy", marks)
    np.save(chosen.folder / "people_real_0000.npy", planes)
    print(f"{len(kept)} portraits of {len(found)}, each {chosen.repeat} times")


def _labelled(
    path: Path, nets: Sequence[Weights]
) -> tuple[UInt8[np.ndarray, "256 256 5"], Float32[np.ndarray, "478 2"]] | None:
    """Colour, label and person mask as in a shard of generated people, and the landmarks; None without one face."""
    try:
        face = observe_face(load_photo(path))
    except Avatar3dError:
        return None
    crop = crop_from_photo(face.landmarks_px)
    pixels = warp_into(face.photo.pixels, crop)
    person = warp_into(face.person.astype(np.uint8) * np.uint8(255), crop) > 127
    marks = (face.landmarks_px.astype(np.float64) @ crop[:, :2].T + crop[:, 2]).astype(np.float32)
    likely = np.sum([softmax(run_network(net, as_planes(pixels, marks, person)), axis=0) for net in nets], axis=0)
    likely[_ABSENT] = 0
    label = likely.argmax(0).astype(np.uint8)
    return np.concatenate([pixels, label[..., None], person[..., None].astype(np.uint8)], axis=2), marks


if __name__ == "__main__":
    main()
