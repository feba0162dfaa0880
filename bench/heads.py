"""Synthetic people for the benchmarks: ICT heads nobody has seen, in skins of unseen portraits, before a phone.

identity ~ N(0, 1) x skin of the unseen half x expression x pose x light x lens  -->  picture  -->  the photo door
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import InputError
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Photo
from avatar3d.head.ict import load_ict
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.render.raycast import Scene
from bench.skins import Skin, portraits_folder, skin_from, split_names
from tools.head.synthetic import Colouring, random_light, render_portrait

# Added to every benchmark's seed; builders and calibration use other numbers.
SEED: Final = 740_000
# Light expressions of people who try to look neutral, and a smile.
_SLIGHT: Final = ("browInnerUp", "browDown", "eyeSquint", "eyeBlink", "mouthPress", "mouthFrown", "mouthStretch", "mouthDimple")  # fmt: skip
INTEROCULAR_M: Final = 0.0635
# Centre from the tip of the nose and radius, metres. "face": FG2018's rule (Feng 2018) on ICT's mean head, 1.2 times the
# mean of eye width and nose length about the foot of the nose. "wide": temples and throat come in; "inner": brows to chin.
REGIONS: Final = {
    "inner": ((0.0, 0.0, 0.0), 0.07),
    "face": ((0.0, -0.0161, -0.0150), 0.0836),
    "wide": ((0.0, 0.0, 0.0), 0.095),
}


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture of one synthetic person."""

    pixels: UInt8[np.ndarray, "H W 3"]
    camera: Camera
    expression: Float32[np.ndarray, "52"]


def true_identities(count: int, *, seed: int) -> Float32[np.ndarray, "N 100"]:
    """People of ICT's population."""
    return np.random.default_rng(SEED + seed).standard_normal((count, 100)).astype(np.float32)


def unseen_skins(model: HeadModel, count: int) -> list[Skin]:
    """One skin per unseen portrait that the photo door accepts, at most `count`."""
    skins: list[Skin] = []
    for index, name in enumerate(split_names("unseen")):
        face = observed(load_photo(portraits_folder() / name))
        if face is not None and len(skins) < count:
            skins.append(skin_from(model, face, seed=SEED + index))
    return skins


def observed(photo: Photo) -> FaceObservation | None:
    """Through the product's photo door; None when it refuses."""
    try:
        return observe_face(photo)
    except InputError:
        return None


def as_photo(pixels: UInt8[np.ndarray, "H W 3"], *, name: str = "synthetic") -> Photo:
    """A picture without EXIF."""
    return Photo(name=name, pixels=pixels, alpha=None, focal_px=None, sha256="")


def random_expression(rng: np.random.Generator, *, smile: bool) -> Float32[np.ndarray, "52"]:
    """Nearly neutral, or smiling."""
    weights = np.zeros(52, np.float32)
    for stem in _SLIGHT:
        strength = max(0.0, rng.normal(-0.05, 0.12))
        for name in (stem,) if stem == "browInnerUp" else (f"{stem}Left", f"{stem}Right"):
            weights[ARKIT_INDEX[name]] = np.clip(strength + rng.normal(0, 0.02), 0, 1)
    if smile:
        strength = rng.uniform(0.3, 0.8)
        for side in ("Left", "Right"):
            weights[ARKIT_INDEX[f"mouthSmile{side}"]] = strength + rng.normal(0, 0.04)
            weights[ARKIT_INDEX[f"cheekSquint{side}"]] = 0.5 * strength
    return weights


def shoot(
    model: HeadModel,
    neutral: Float32[np.ndarray, "V 3"],
    skin: Colouring,
    rng: np.random.Generator,
    *,
    smile: bool = False,
    still: bool = False,
    yaw_rad: float | None = None,
    size: int = 480,
) -> Shot:
    """A portrait of about 100 pixels between the eyes; lens and distance vary together as croppings of photos do.
    `still`: without any expression (a model that has none); `yaw_rad`: turned so far to the person's left."""
    distance = float(np.exp(rng.uniform(np.log(0.4), np.log(2.0))))
    focal = rng.uniform(0.18, 0.24) * size / INTEROCULAR_M * (distance - 0.04)
    about_front = float(np.clip(rng.normal(0, 0.15), -0.35, 0.35))
    camera = look_at_head(
        Lens(size, size, focal),
        distance_m=distance,
        yaw_rad=about_front if yaw_rad is None else yaw_rad,
        pitch_rad=float(np.clip(rng.normal(0, 0.08), -0.2, 0.2)),
        roll_rad=rng.normal(0, 0.05),
        shift_px=(rng.normal(0, 0.03 * size), rng.normal(0, 0.03 * size)),
    )
    expression = np.zeros(52, np.float32) if still else random_expression(rng, smile=smile)
    active = np.flatnonzero(expression)
    posed = neutral + np.tensordot(expression[active], model.expression[active], 1) if len(active) else neutral
    background = tuple(float(v) for v in rng.uniform(0.05, 0.8, 3))
    light = random_light(rng, contrast=rng.uniform(0.4, 1.4))
    pixels = render_portrait(model, posed.astype(np.float32), skin, camera, light, background=background)  # type: ignore[arg-type]
    grain = rng.normal(0, 2, pixels.shape)
    return Shot(np.clip(pixels + grain, 0, 255).astype(np.uint8), camera, expression)


def scanned(model: HeadModel, *, region: str = "face") -> Int32[np.ndarray, "N"]:
    """Vertices that stand for a face scan: skin of the region that a scanner before the face sees.

    Without what no photo shows: insides of mouth, nostrils and lids.
    """
    face = np.unique(model.triangles[model.part("face")])
    scene = Scene(model.rest, model.triangles)
    seen = np.zeros(len(face), bool)
    for angle in (-0.6, 0.0, 0.6):
        eye = 1.2 * np.array([np.sin(angle), 0, np.cos(angle)])
        ray = model.rest[face] - eye
        distance = np.linalg.norm(ray, axis=1)
        hits = scene.cast(np.tile(eye, (len(face), 1)).astype(np.float32), (ray / distance[:, None]).astype(np.float32))
        seen |= hits.distance > distance - 5e-4
    tip = model.rest[face[model.rest[face, 2].argmax()]]
    from_tip, radius = REGIONS[region]
    near = np.linalg.norm(model.rest[face] - tip - from_tip, axis=1) < radius
    return face[seen & near].astype(np.int32)


def ict() -> HeadModel:
    """ICT with the landmarks the skins were projected with."""
    return load_ict()
