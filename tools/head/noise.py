"""Measure the landmark detector's errors where the truth is known.

    random ICT heads in skins of calibration portraits --> picture --> photo door --> observed - true landmarks
    --> mean, main directions, what is left  -->  avatar3d/head/data/NAME_noise.npz

    python -m tools.head.noise [--heads 600] [--cases FILE.npz]

Seeded. About 0.3 s a head on one idle core; --cases keeps what was observed, for measuring a new landmark map.
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.fit.basis import SEEN, SKIN_LANDMARKS, landmark_basis
from avatar3d.fit.camera import View
from avatar3d.fit.energies import Seen, State, depth_term, landmark_term
from avatar3d.fit.noise import LandmarkNoise, upright_term
from avatar3d.head.ict import load_ict
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from bench.skins import Skin, skin_from
from tools.head.landmarks import calibration_portraits, observe_pixels, pair_across
from tools.head.open_skin import SurfacePoints, open_skin
from tools.head.synthetic import Lens, look_at_head, random_light, render_portrait

_SEED: Final = 20261121
_MODES: Final = 60
# Noise that no mode tells has at least this size, IOD: the last digits of a network.
_LEAST_LEFT: Final = 0.004
_SIZE_PX: Final = 320
_INTEROCULAR_M: Final = 0.0635
_MOVES: Final = (
    "mouthSmileLeft", "jawOpen", "browInnerUp", "browDownLeft", "eyeBlinkLeft", "eyeSquintLeft", "mouthPucker",
    "mouthFrownLeft", "mouthStretchLeft", "noseSneerLeft", "cheekSquintLeft", "mouthUpperUpLeft",
    "mouthLowerDownLeft", "eyeWideLeft", "mouthPressLeft", "mouthShrugLower", "mouthRollLower", "mouthRollUpper",
    "browOuterUpLeft", "mouthDimpleLeft",
)  # fmt: skip


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


def random_expression(rng: np.random.Generator) -> Float32[np.ndarray, "52"]:
    """Two in five neutral; else up to four movements, a third of them with a smile."""
    weights = np.zeros(52, np.float32)
    if rng.random() < 0.4:
        return weights
    for name in rng.choice(_MOVES, rng.integers(1, 5), replace=False):
        strength = rng.uniform(0, 0.6) * (0.6 if name in ("jawOpen", "eyeBlinkLeft", "mouthPucker") else 1)
        weights[ARKIT_INDEX[name]] = strength
        if name.endswith("Left"):
            weights[ARKIT_INDEX[f"{name[:-4]}Right"]] = np.clip(strength + rng.normal(0, 0.08), 0, 1)
    if rng.random() < 0.35:
        strength = rng.uniform(0.2, 0.9)
        weights[ARKIT_INDEX["mouthSmileLeft"]] = strength
        weights[ARKIT_INDEX["mouthSmileRight"]] = np.clip(strength + rng.normal(0, 0.07), 0, 1)
        weights[[ARKIT_INDEX["cheekSquintLeft"], ARKIT_INDEX["cheekSquintRight"]]] = 0.4 * strength
    return weights


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


def observe_cases(source: HeadModel, skins: list[Skin], count: int) -> Cases:
    """Render and observe; pictures that the photo door refuses are left out."""
    rng = np.random.default_rng(_SEED)
    rows: list[tuple[np.ndarray, ...]] = []
    for _ in range(count):
        identity = rng.standard_normal(len(source.identity)).astype(np.float32)
        expression, camera = random_expression(rng), random_camera(rng)
        vertices = source.rest + np.tensordot(identity, source.identity, 1)
        vertices = (vertices + np.tensordot(expression, source.expression, 1)).astype(np.float32)
        light, background = random_light(rng, contrast=rng.uniform(0.3, 1.6)), rng.uniform(0, 1, 3) ** 2
        skin = skins[rng.integers(len(skins))]
        picture = render_portrait(source, vertices, skin, camera, light, background=tuple(background.tolist()))  # type: ignore[arg-type]
        grain = rng.normal(0, rng.uniform(0.1, 4), picture.shape)
        face = observe_pixels(np.clip(picture + grain, 0, 255).astype(np.uint8))
        if face is not None:
            points = np.concatenate([face.landmarks_px - camera.principal_px, face.depth_px[:, None]], axis=1)
            rotation = matrix_from_quaternion(camera.rotation_wxyz)
            rows.append((identity, expression, rotation, camera.translation_m, np.array(camera.focal_px), points))
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    return Cases(columns[0], columns[1], *(column.astype(np.float64) for column in columns[2:]))


def errors(model: HeadModel, cases: Cases) -> Float64[np.ndarray, "N L 3"]:
    """Observed - true, upright, IOD. The model shares ICT's identity modes and frame."""
    basis = landmark_basis(model)
    found = np.zeros((len(cases.focal), SKIN_LANDMARKS, 3))
    for row in range(len(found)):
        rotation = cases.rotation[row]
        translation = cases.translation[row] + rotation @ basis.centre
        scale = float(cases.focal[row] / translation[2])
        view = View(rotation, translation[:2] * scale, scale, float(cases.focal[row]))
        identity = cases.identity[row, : len(basis.identity)].astype(np.float64)
        state = State(view, identity, cases.expression[row][SEEN].astype(np.float64))
        points = cases.seen[row]
        eyes = points[[33, 133], :2].mean(0) - points[[263, 362], :2].mean(0)
        seen = Seen(points[basis.index, :2], points[basis.index, 2], float(np.linalg.norm(eyes)))
        even = np.ones(len(basis.index))
        off, _ = upright_term(view, landmark_term(basis, state, seen, even), depth_term(basis, state, seen, even))
        count = len(basis.index)
        found[row, basis.index] = -np.concatenate([off[: 2 * count].reshape(-1, 2), off[2 * count :, None]], axis=1)
    return found


def noise_from(
    found: Float64[np.ndarray, "N L 3"], pairs: Int32[np.ndarray, "L"], *, modes: int = _MODES
) -> LandmarkNoise:
    """Principal components of the errors and of the same errors in a mirror (`pairs`: the point across the face).

    Heads whose picture went wrong altogether are left out.
    """
    size = np.linalg.norm(found[..., :2], axis=2).mean(1)
    good = found[size < 3 * np.median(size)]
    good = np.concatenate([good, good[:, pairs] * [-1, 1, 1]])
    mean = good.mean(0)
    centred = (good - mean).reshape(len(good), -1)
    _, strength, directions = np.linalg.svd(centred, full_matrices=False)
    main = directions[:modes]
    left = np.sqrt((centred - centred @ main.T @ main).var(0) + _LEAST_LEFT**2)
    scaled = main * (strength[:modes, None] / np.sqrt(len(good)))
    return LandmarkNoise(mean, scaled.reshape(modes, -1, 3), left.reshape(-1, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=600)
    parser.add_argument("--cases", type=Path, default=None)
    choices = parser.parse_args()
    if choices.cases is not None and choices.cases.is_file():
        with np.load(choices.cases, allow_pickle=False) as archive:
            cases = Cases(**{key: archive[key] for key in archive.files})
    else:
        source = load_ict()
        faces = [face for path in calibration_portraits() if (face := observe_pixels(load_photo(path).pixels))]
        cases = observe_cases(source, [skin_from(source, face, seed=i) for i, face in enumerate(faces)], choices.heads)
        if choices.cases is not None:
            np.savez_compressed(choices.cases, **vars(cases))
    model = load_head_model()
    skin = open_skin(model)
    points = SurfacePoints(model.landmark_triangles, model.landmark_barycentric)
    noise = noise_from(errors(model, cases), pair_across(skin.at(points, model)))
    target = Path(__file__).parents[2] / f"avatar3d/head/data/{model.name}_noise.npz"
    np.savez_compressed(target, **{key: value.astype(np.float16) for key, value in vars(noise).items()})
    bill = {
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "what": "mean, main directions and remainder of the landmark detector's errors on renders (numbers only)",
        "licence": "Apache-2.0",
        "builder": "python -m tools.head.noise",
        "seed": _SEED,
        "pictures": len(cases.focal),
        "sources": [
            {
                "name": "ICT-FaceKit light",
                "licence": "MIT",
                "copyright": "2020 USC Institute for Creative Technologies",
            },
            {
                "name": "official portraits of members of the US Congress (voteview/member_photos)",
                "licence": "public domain, works of the US government",
                "files": [path.name for path in calibration_portraits()],
            },
            {"name": "MediaPipe face mesh (the detector that is measured)", "licence": "Apache-2.0"},
        ],
    }
    target.with_suffix(".json").write_text(json.dumps(bill, indent=1) + "\n")
    print(
        f"{target}: {len(cases.focal)} pictures, mean error {np.linalg.norm(noise.mean[:, :2], axis=1).mean():.4f} IOD"
    )


if __name__ == "__main__":
    main()
