"""Small patches of cloth and background of the calibration portraits: what the net's people are also dressed in.

    python -m tools.people.patches FILE.npz

FILE is some 10 MB and no part of the project. bench/splits/congress.json says which portraits may be used.
"""

import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from avatar3d.core.errors import Avatar3dError
from avatar3d.core.photo import FaceObservation
from avatar3d.fit.fit import fit_head
from avatar3d.hair.segment import HairPicture, hidden_by_hair, segment_hair
from avatar3d.head.load import load_head_model
from avatar3d.people.wardrobe import Wardrobe
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from tools.people.skins import calibration_files

PATCH_PX: Final = 64
_PX_PER_IOD: Final = 56
_PATCHES_EACH: Final = 6


def read_wardrobe(path: Path) -> Wardrobe:
    """Anything at all, with the file's patches."""
    with np.load(path) as stored:
        return Wardrobe(stored["cloth"], stored["background"], plain=False)


def gather(files: list[Path]) -> Wardrobe:
    """Patches of all portraits that can be used."""
    model = load_head_model()
    rng = np.random.default_rng(0)
    found: dict[str, list[np.ndarray]] = {"cloth": [], "background": []}
    for path in files:
        try:
            face = observe_face(load_photo(path))
        except Avatar3dError as error:
            print(path.name, error)
            continue
        picture = segment_hair(model, fit_head(model, face), face)
        scale = _PX_PER_IOD / face.interocular_px
        small = cv2.resize(face.photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for kind, inside in _places(face, picture, small, scale).items():
            solid = cv2.boxFilter(inside.astype(np.float32), -1, (PATCH_PX, PATCH_PX))
            half = PATCH_PX // 2
            solid[:half], solid[-half:], solid[:, :half], solid[:, -half:] = 0, 0, 0, 0
            rows_at, columns_at = np.nonzero(solid > 0.99)
            for k in rng.permutation(len(rows_at))[:_PATCHES_EACH]:
                y, x = rows_at[k] - half, columns_at[k] - half
                found[kind].append(small[y : y + PATCH_PX, x : x + PATCH_PX])
    return Wardrobe(np.array(found["cloth"]), np.array(found["background"]), plain=False)


def _places(face: FaceObservation, picture: HairPicture, small: np.ndarray, scale: float) -> dict[str, np.ndarray]:
    """Where a reduced portrait shows cloth and where background."""
    size = (small.shape[1], small.shape[0])
    hair = cv2.resize(hidden_by_hair(picture, face), size)
    person = cv2.resize(face.person.astype(np.float32), size)
    below_chin = np.arange(size[1])[:, None] > face.landmarks_px[152, 1] * scale + 1.0 * _PX_PER_IOD
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    unlike_skin = np.abs(lab[..., 1:] - picture.skin_lab[1:]).max(2) > 9
    return {"cloth": (person > 0.9) & below_chin & (hair < 0.1) & unlike_skin, "background": person < 0.05}


def main() -> None:
    """Gather from the calibration half and write."""
    with threadpool_limits(1):
        made = gather(calibration_files())
    np.savez_compressed(Path(sys.argv[1]), cloth=made.cloth, background=made.background)
    print(f"patches: {len(made.cloth)} cloth, {len(made.background)} background")


if __name__ == "__main__":
    main()
