"""Generated people whose truth is known, and what the landmark detector saw of them.

    random ICT heads in skins of calibration portraits --> picture --> photo door --> landmarks
                                                                \\--> JPEG --> what the face net answers

Seeded batch by batch, so that a folder of batches can be continued; about 0.3 s a head on one idle core.
"""

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float16, Float32, Float64, UInt8
from PIL import Image

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.basis import SKIN_LANDMARKS
from avatar3d.fit.look import two_looks
from avatar3d.fit.trunk import Trunk
from avatar3d.head.ict import load_ict
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.people.heads import random_expression
from avatar3d.photo.load import load_photo
from avatar3d.photo.mesh_layout import MIRROR
from bench.skins import Skin, skin_from
from tools.head.landmarks import calibration_portraits, observe_pixels
from tools.head.synthetic import random_light, render_portrait
from tools.head.trunk import mesh_file, read_trunk

CASES_SEED: Final = 20261121
BATCH: Final = 100
_SIZE_PX: Final = 320
_INTEROCULAR_M: Final = 0.0635
_JPEG: Final = 92


@dataclass(frozen=True, eq=False)
class Cases:
    """Heads, cameras and what the detector saw."""

    identity: Float32[np.ndarray, "N 100"]
    expression: Float32[np.ndarray, "N 52"]
    rotation: Float64[np.ndarray, "N 3 3"]
    """camera_from_head."""
    translation: Float64[np.ndarray, "N 3"]
    focal: Float64[np.ndarray, "N"]
    seen: Float64[np.ndarray, "N 478 3"]
    """Pixels from the principal point; relative depth, pixels."""
    looks: Float16[np.ndarray, "N 2 F"]
    """The face net's answers to the face and to its mirror image."""


def random_camera(rng: np.random.Generator) -> Camera:
    """0.3 to 2.5 m away, 55 to 95 pixels between the eyes, turned as people turn."""
    distance = float(np.exp(rng.uniform(np.log(0.3), np.log(2.5))))
    focal = rng.uniform(55, 95) / _INTEROCULAR_M * (distance - 0.03)
    return look_at_head(
        Lens(_SIZE_PX, _SIZE_PX, focal),
        distance_m=distance,
        yaw_rad=rng.normal(0, 0.2),
        pitch_rad=rng.normal(0, 0.1),
        roll_rad=rng.normal(0, 0.05),
        shift_px=(rng.normal(0, 12), rng.normal(0, 12)),
    )


def collect_cases(folder: Path, batches: int) -> Cases:
    """All batches, those that the folder holds already read from there."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(batches) if not _batch_file(folder, n).is_file()]
    if missing:
        source = load_ict()
        faces = [face for path in calibration_portraits() if (face := observe_pixels(load_photo(path).pixels))]
        skins = [skin_from(source, face, seed=i) for i, face in enumerate(faces)]
        trunk = read_trunk(mesh_file().read_bytes())
        for batch in missing:
            np.savez_compressed(_batch_file(folder, batch), **vars(observe_batch(source, skins, trunk, batch)))
            print(f"batch {batch + 1} of {batches}", flush=True)
    stored: list[dict[str, np.ndarray]] = []
    for batch in range(batches):
        with np.load(_batch_file(folder, batch), allow_pickle=False) as archive:
            stored.append({key: archive[key] for key in archive.files})
    return Cases(**{key: np.concatenate([one[key] for one in stored]) for key in stored[0]})


def with_mirrored(cases: Cases, model: HeadModel) -> Cases:
    """All cases, then the same in a mirror: whoever learns from them learns to treat both sides alike."""
    turned = mirrored_identity(model)
    sides = [ARKIT_INDEX[_other_side(name)] for name in ARKIT_NAMES]
    flip = np.array([-1.0, 1, 1])
    mirrored = Cases(
        identity=(cases.identity[:, : len(turned)] @ turned).astype(np.float32),
        expression=cases.expression[:, sides],
        rotation=cases.rotation * flip[:, None] * flip,
        translation=cases.translation * flip,
        focal=cases.focal,
        seen=cases.seen[:, MIRROR] * flip,
        looks=cases.looks[:, ::-1],
    )
    own = replace(cases, identity=cases.identity[:, : len(turned)])
    return Cases(**{key: np.concatenate([value, vars(mirrored)[key]]) for key, value in vars(own).items()})


def mirrored_identity(model: HeadModel) -> Float64[np.ndarray, "K K"]:
    """identity @ this is that of the mirrored head: mirrored mode i = sum of [i, k] mode k."""
    skin = np.unique(model.triangles[model.part("face")])
    modes = model.identity[:, skin].reshape(len(model.identity), -1).astype(np.float64)
    across = (model.identity[:, model.mirror] * [-1, 1, 1])[:, skin].reshape(len(modes), -1)
    return np.linalg.lstsq(modes.T, across.T, rcond=None)[0].T


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return f"{name[:-4]}Right"
    return f"{name[:-5]}Left" if name.endswith("Right") else name


def _batch_file(folder: Path, batch: int) -> Path:
    return folder / f"batch_{batch:03d}.npz"


def observe_batch(source: HeadModel, skins: list[Skin], trunk: Trunk, batch: int) -> Cases:
    """Render and observe; pictures that the photo door refuses are left out."""
    rng = np.random.default_rng([CASES_SEED, batch])
    rows: list[tuple[np.ndarray, ...]] = []
    for _ in range(BATCH):
        identity = rng.standard_normal(len(source.identity)).astype(np.float32)
        expression, camera = random_expression(rng), random_camera(rng)
        vertices = source.rest + np.tensordot(identity, source.identity, 1)
        vertices = (vertices + np.tensordot(expression, source.expression, 1)).astype(np.float32)
        light, background = random_light(rng, contrast=rng.uniform(0.3, 1.6)), rng.uniform(0, 1, 3) ** 2
        skin = skins[rng.integers(len(skins))]
        picture = render_portrait(source, vertices, skin, camera, light, background=tuple(background.tolist()))  # type: ignore[arg-type]
        grain = rng.normal(0, rng.uniform(0.1, 4), picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
        face = observe_pixels(picture)
        if face is not None:
            points = np.concatenate([face.landmarks_px - camera.principal_px, face.depth_px[:, None]], axis=1)
            rotation = matrix_from_quaternion(camera.rotation_wxyz)
            looks = two_looks(trunk, _as_jpeg(picture), face.landmarks_px[:SKIN_LANDMARKS].astype(np.float64))
            rows.append(
                (identity, expression, rotation, camera.translation_m, np.array(camera.focal_px), points, looks)
            )
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    measured = (column.astype(np.float64) for column in columns[2:-1])
    return Cases(columns[0], columns[1], *measured, looks=columns[-1].astype(np.float16))


def _as_jpeg(pixels: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """As photos come: the net shall not learn what only a picture without losses shows."""
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=_JPEG)
        return np.asarray(Image.open(file).convert("RGB"))
