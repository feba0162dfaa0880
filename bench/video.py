"""Does a short video of a turning head tell it better than one photo?

    python -m bench.video [--heads 12]

ICT heads as in bench.geometry, filmed: one lens, one light, the head turning by 50 degrees to each side and nodding a
little, a blink, a smile that comes and goes, noise, H.264. Error: median over the scan of the distance to the mesh, mm,
averaged over heads, and the paired gain over the video's own main still.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import InputError
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.head.load import load_head_model
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.photo.choose import choose_stills
from avatar3d.photo.gates import BESIDE
from avatar3d.photo.observe import observe_face
from avatar3d.photo.video import load_video, stills
from avatar3d.render.av import write_video
from bench.geometry import skin_surface
from bench.heads import (
    INTEROCULAR_M,
    REGIONS,
    SEED,
    as_photo,
    ict,
    random_expression,
    scanned,
    true_identities,
    unseen_skins,
)
from bench.measure import paired_gain, save_result, scan_error_mm, show
from bench.skins import Skin
from bench.together import fitted_neutral
from tools.head.synthetic import random_light, render_portrait

PICTURES, RATE_HZ, SIZE_PX, TURN_DEG = 40, 10, 560, 50.0


def turned_rad(phase: float) -> np.ndarray:
    """Yaw of every picture: once to each side and back."""
    return np.radians(TURN_DEG) * np.sin(2 * np.pi * np.arange(PICTURES) / PICTURES + phase)


def film(
    source: HeadModel, neutral: np.ndarray, skin: Skin, phase: float, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The pictures of one person's video."""
    distance = float(np.exp(rng.uniform(np.log(0.4), np.log(1.2))))
    lens = Lens(SIZE_PX, SIZE_PX, rng.uniform(0.18, 0.24) * SIZE_PX / INTEROCULAR_M * (distance - 0.04))
    light = random_light(rng, contrast=rng.uniform(0.4, 1.4))
    calm, smiling = random_expression(rng, smile=False), random_expression(rng, smile=True)
    background = tuple(float(v) for v in rng.uniform(0.05, 0.8, 3))
    smiles_at, blinks_at, pitch = rng.uniform(0, 1), rng.uniform(0, 1), rng.normal(0, 0.06)
    for at, yaw in zip(np.arange(PICTURES) / PICTURES, turned_rad(phase), strict=True):
        smile = max(0.0, np.cos(2 * np.pi * (at - smiles_at)))
        weights = ((1 - smile) * calm + smile * smiling).astype(np.float32)
        if abs(at - blinks_at) < 1.5 / PICTURES:
            weights[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = 0.9
        active = np.flatnonzero(weights)
        posed = neutral + np.tensordot(weights[active], source.expression[active], 1)
        camera = look_at_head(
            lens,
            distance_m=distance,
            yaw_rad=float(yaw),
            pitch_rad=float(pitch + 0.06 * np.sin(4 * np.pi * at + 2 * phase)),
        )
        pixels = render_portrait(source, posed.astype(np.float32), skin, camera, light, background=background)  # type: ignore[arg-type]
        yield np.clip(pixels + rng.normal(0, 2, pixels.shape), 0, 255).astype(np.uint8)


def observed_all(photos: list[Photo]) -> list[FaceObservation]:
    """The main photo and those beside it, as the pipeline sees them."""
    return [observe_face(photos[0]), *(observe_face(photo, limits=BESIDE) for photo in photos[1:])]


def any_still(path: Path, yaws_rad: np.ndarray, rng: np.random.Generator) -> FaceObservation | None:
    """One of the pictures turned by no more than 15 degrees, as somebody might take it, whatever its expression."""
    frontal = np.flatnonzero(np.abs(yaws_rad) < np.radians(15))
    chosen = list(stills(load_video(path), PICTURES))[int(rng.choice(frontal))]
    try:
        return observe_face(as_photo(chosen.pixels()))
    except InputError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=12)
    count = parser.parse_args().heads
    model, source = load_head_model(), ict()
    regions = {region: scanned(source, region=region) for region in REGIONS}
    skins = unseen_skins(source, count)
    names = ("main still", "any still", "with two near", "with two far", "with all four")
    errors = {(name, region): list[float]() for name in names for region in regions}
    for index, identity in enumerate(true_identities(count, seed=8)):
        neutral = source.rest + np.tensordot(identity, source.identity, 1)
        rng = np.random.default_rng(SEED + 8000 + index)
        with tempfile.TemporaryDirectory() as folder:
            phase = float(rng.uniform(0, 2 * np.pi))
            pictures = film(source, neutral, skins[index % len(skins)], phase, rng)
            path = write_video(pictures, Path(folder) / "head.mp4", rate_hz=RATE_HZ)
            faces, other = observed_all(choose_stills(path)), any_still(path, turned_rad(phase), rng)
        if len(faces) < 5 or other is None:
            continue
        sets = dict(zip(names, (faces[:1], [other], faces[:3], [faces[0], *faces[3:]], faces), strict=True))
        for name, chosen in sets.items():
            fitted = skin_surface(model, fitted_neutral(model, chosen))
            for region, where in regions.items():
                error = np.median(scan_error_mm(neutral[where].astype(np.float64), fitted))
                errors[name, region].append(float(error))
    rows = [
        {"stills": name, "region": region, "n": len(found), "mm": float(np.mean(found)),
         **dict(zip(("gain", "95 % from", "to"), paired_gain(errors["main still", region], found), strict=True))}
        for (name, region), found in errors.items()
    ]  # fmt: skip
    show("a video", rows)
    print(save_result("video", {"rows": rows}))


if __name__ == "__main__":
    main()
