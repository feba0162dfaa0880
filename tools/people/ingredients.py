"""What generated people are mixed from: skins and small patches of the calibration portraits, never a whole one.

    portraits (calibration half) --> albedo in the atlas (256 px)                 skins are mixed, at least eight each
                                 --> patches of cloth and background

    python -m tools.people.ingredients FILE.npz

FILE is some 20 MB and no part of the project. bench/splits/congress.json says which portraits may be used.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from threadpoolctl import threadpool_limits

from avatar3d.core.errors import Avatar3dError
from avatar3d.fit.fit import fit_head
from avatar3d.hair.segment import hidden_by_hair, segment_hair
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.rig.assemble import as_rigged
from avatar3d.texture.recover import recover_skin

SKIN_PX: Final = 256
PATCH_PX: Final = 64
_PX_PER_IOD: Final = 56
_PATCHES_EACH: Final = 6
_REPOSITORY: Final = Path(__file__).parents[2]


@dataclass(frozen=True, eq=False)
class Ingredients:
    """Sources of generated people."""

    names: tuple[str, ...]
    """Portraits the skins come from."""
    skins: UInt8[np.ndarray, "N 256 256 3"]
    """sRGB albedo in the head's atlas."""
    cloth: UInt8[np.ndarray, "C 64 64 3"]
    """56 pixels per inter-ocular distance."""
    background: UInt8[np.ndarray, "B 64 64 3"]


def read_ingredients(path: Path) -> Ingredients:
    """Ingredients from their file."""
    with np.load(path) as stored:
        return Ingredients(tuple(stored["names"]), stored["skins"], stored["cloth"], stored["background"])


def calibration_files() -> list[Path]:
    """The portraits training may see."""
    shared = Path(os.environ.get("AVATAR3D_SHARED", _REPOSITORY / "../shared"))
    split = json.loads((_REPOSITORY / "bench/splits/congress.json").read_text())
    return [shared / "data/portraits/congress" / name for name in split["calibration"]]


def gather(files: list[Path]) -> Ingredients:
    """Skins and patches of all portraits that can be used."""
    model = load_head_model()
    rng = np.random.default_rng(0)
    names: list[str] = []
    skins: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {"cloth": [], "background": []}
    for path in files:
        try:
            face = observe_face(load_photo(path))
        except Avatar3dError as error:
            print(path.name, error)
            continue
        fitted = fit_head(model, face)
        picture = segment_hair(model, fitted, face)
        hidden = hidden_by_hair(picture, face)
        skin = recover_skin(model, as_rigged(model, fitted), face, size=1024, hidden=hidden)
        names.append(path.stem)
        skins.append(cv2.resize(skin.albedo.pixels, (SKIN_PX, SKIN_PX), interpolation=cv2.INTER_AREA))
        scale = _PX_PER_IOD / face.interocular_px
        small = cv2.resize(face.photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        size = (small.shape[1], small.shape[0])
        hair = cv2.resize(hidden, size)
        person = cv2.resize(face.person.astype(np.float32), size)
        chin = face.landmarks_px[152, 1] * scale
        rows = np.arange(size[1])[:, None]
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        unlike_skin = np.abs(lab[..., 1:] - picture.skin_lab[1:]).max(2) > 9
        places = {
            "cloth": (person > 0.9) & (rows > chin + 1.0 * _PX_PER_IOD) & (hair < 0.1) & unlike_skin,
            "background": person < 0.05,
        }
        for kind, inside in places.items():
            solid = cv2.boxFilter(inside.astype(np.float32), -1, (PATCH_PX, PATCH_PX))
            half = PATCH_PX // 2
            solid[:half], solid[-half:], solid[:, :half], solid[:, -half:] = 0, 0, 0, 0
            rows_at, columns_at = np.nonzero(solid > 0.99)
            for k in rng.permutation(len(rows_at))[:_PATCHES_EACH]:
                y, x = rows_at[k] - half, columns_at[k] - half
                found[kind].append(small[y : y + PATCH_PX, x : x + PATCH_PX])
    return Ingredients(tuple(names), np.array(skins), np.array(found["cloth"]), np.array(found["background"]))


def mean_skin(skins: UInt8[np.ndarray, "N 256 256 3"]) -> Float32[np.ndarray, "256 256 3"]:
    """The mean of all skins, sRGB in [0, 1]."""
    return skins.astype(np.float32).mean(0) / np.float32(255)


def main() -> None:
    """Gather from the calibration half and write."""
    target = Path(sys.argv[1])
    with threadpool_limits(1):
        made = gather(calibration_files())
    np.savez_compressed(
        target, names=np.array(made.names), skins=made.skins, cloth=made.cloth, background=made.background
    )
    print(f"{len(made.names)} skins, patches: {len(made.cloth)} cloth, {len(made.background)} background")


if __name__ == "__main__":
    main()
