"""Pictures to learn expressions from: avatars of many people, moved by weights that are known.

    portrait or seed --pipeline--> avatar --random weights, turns, light, camera--> JPEG, landmarks --> PERSON.npz

    python -m tools.follow.feed FOLDER [PERSON ...]      # people that the folder has already are not drawn again

A PERSON is a portrait of the calibration half (bench/splits/congress.json) or `seed` and a number.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from threadpoolctl import threadpool_limits

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.generating import sit
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.photo.faces import glance
from avatar3d.photo.landmarks import find_landmarks, square_around
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render.puppet import bend, place, renew_openness
from avatar3d.render.shot import FilmParams, set_up
from tools.head.landmarks import calibration_portraits
from tools.head.synthetic import random_light

SIDE_PX: Final = 224
FIRST_SEED: Final = 110
"""Of generated people to train on; the benchmark's are below 100."""
_SEEDS: Final = 40
_RESTING, _MIXED = 10, 110
_TURNS_RAD: Final = (0.22, 0.14, 0.08)
"""Standard deviations of yaw, pitch and roll."""
_PAIRS: Final = ("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown",
                 "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer")  # fmt: skip
_SINGLES: Final = ("browInnerUp", "cheekPuff", "jawForward", "mouthFunnel", "mouthPucker", "mouthRollLower",
                   "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper")  # fmt: skip
_EITHER: Final = ("jaw", "mouth")
"""To the left or to the right."""
_HAIR: Final = ("none", "cap", "cards")
Face = tuple[Float32[np.ndarray, "52"], float]
"""Weights, and how freely the head turns."""


def people() -> list[str]:
    """Everybody to train on, photographed and generated in turn."""
    photographed = [path.stem for path in calibration_portraits()]
    generated = [f"seed{FIRST_SEED + number}" for number in range(_SEEDS)]
    longer = max(len(photographed), len(generated))
    return [name for at in range(longer) for name in (*photographed[at : at + 1], *generated[at : at + 1])]


def faces(rng: np.random.Generator) -> Iterator[Face]:
    """At rest, each shape alone, looks, blinks, mixtures."""
    still = np.zeros(len(ARKIT_NAMES), np.float32)
    yield still, 0.25
    yield still, 0.25
    for _ in range(_RESTING - 2):
        yield still, 1.0
    for index, name in enumerate(ARKIT_NAMES[:-1]):
        face = still.copy()
        face[index] = rng.uniform(0.3, 1)
        if name == "mouthClose":
            face[ARKIT_INDEX["jawOpen"]] = rng.uniform(0.3, 0.9)
            face[index] = face[ARKIT_INDEX["jawOpen"]] * rng.uniform(0.5, 1)
        yield face, 0.6
    for _ in range(5):
        yield looking(still, rng.normal(0, 0.5), rng.normal(0, 0.4)), 0.6
    for _ in range(6):
        face = looking(still, 0.0, -rng.uniform(0, 0.4))
        face[[ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]] = rng.uniform(0.3, 1)
        yield face, 0.6
    for _ in range(_MIXED):
        yield mixture(rng), 1.0


def mixture(rng: np.random.Generator) -> Float32[np.ndarray, "52"]:
    """Up to six movements at once."""
    face = np.zeros(len(ARKIT_NAMES), np.float32)
    if rng.random() < 0.5:
        face[ARKIT_INDEX["jawOpen"]] = rng.beta(1, 1.6)
        if rng.random() < 0.3:
            face[ARKIT_INDEX["mouthClose"]] = face[ARKIT_INDEX["jawOpen"]] * rng.uniform(0.2, 1)
    for name in rng.choice([*_PAIRS, *_SINGLES, *_EITHER], rng.integers(1, 7), replace=False):
        strength = rng.beta(1.2, 1.5)
        if name in _EITHER or (name in _PAIRS and rng.random() < 0.4):
            face[ARKIT_INDEX[name + rng.choice(["Left", "Right"])]] = strength
        elif name in _PAIRS:
            for side in ("Left", "Right"):
                face[ARKIT_INDEX[name + side]] = np.clip(strength * (1 + rng.normal(0, 0.25)), 0, 1)
        else:
            face[ARKIT_INDEX[name]] = strength
    return looking(face, rng.normal(0, 0.35), rng.normal(0, 0.3)) if rng.random() < 0.5 else face


def looking(face: Float32[np.ndarray, "52"], left: float, up: float) -> Float32[np.ndarray, "52"]:
    """Both eyes turned."""
    turned = face.copy()
    for side, outward in (("Left", left), ("Right", -left)):
        for way, angle in (("Out", outward), ("In", -outward), ("Up", up), ("Down", -up)):
            turned[ARKIT_INDEX[f"eyeLook{way}{side}"]] = np.clip(angle, 0, 1)
    return turned


def turned(yaw_rad: float, pitch_rad: float, roll_rad: float) -> Float32[np.ndarray, "4"]:
    """To the person's left, up, to the person's right shoulder; yaw last."""
    axes = np.diag([-pitch_rad, yaw_rad, roll_rad]).astype(np.float32)
    pitch, yaw, roll = (quaternion_from_rotation_vector(axis) for axis in axes)
    return _multiplied(_multiplied(yaw, pitch), roll)


def draw_person(name: str) -> Mapping[str, np.ndarray] | None:
    """Pictures and truth of one person; None when the detector sees no face."""
    rng = np.random.default_rng([94, *name.encode()])
    portraits = {path.stem: path for path in calibration_portraits()}
    source = sit(int(name[4:]))[1] if name.startswith("seed") else portraits[name]
    hair = str(rng.choice(_HAIR, p=(0.35, 0.45, 0.2)))
    avatar = make_avatar(source, CreateParams(report=False, hair=hair), name=name).avatar  # type: ignore[arg-type]
    light = random_light(rng, contrast=rng.uniform(0.3, 1.4)) if rng.random() < 0.75 else None
    background = tuple(int(level) for level in rng.integers(10, 245, 3))
    chosen = list(faces(rng))
    heads = [turned(*(rng.normal(0, 1, 3) * _TURNS_RAD * free)) for _, free in chosen]
    weights = np.stack([face for face, _ in chosen])
    params = FilmParams(light=light, background=background)  # type: ignore[arg-type]
    grain, quality = rng.uniform(0.3, 4), int(rng.integers(70, 96))
    files, seen, kept, square = [], [], [], None
    for index, picture in enumerate(_drawn(avatar, _camera(rng, avatar), weights, heads, params)):
        noisy = np.clip(picture + rng.normal(0, grain, picture.shape), 0, 255).astype(np.uint8)
        file = cv2.imencode(".jpg", noisy[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])
        if square is None:
            face = glance(decoded)
            if face is None:
                return None
            square = square_around(face.landmarks.points_px)
        landmarks = find_landmarks(decoded, square, turns_rad=(-0.06, 0.06), scales=(1,))
        if landmarks is None:
            continue
        square = square_around(landmarks.points_px)
        files.append(file)
        seen.append(landmarks.points_px)
        kept.append(index)
    ends = np.cumsum([len(file) for file in files])
    return {"files": np.concatenate(files), "ends": ends, "landmarks": np.stack(seen), "weights": weights[kept]}


def _camera(rng: np.random.Generator, avatar: Avatar) -> Camera:
    eyes = avatar.skeleton.positions[[avatar.skeleton.names.index(name) for name in ("leftEye", "rightEye")]]
    distance_m = float(np.exp(rng.uniform(np.log(0.45), np.log(1.5))))
    focal_px = rng.uniform(44, 60) / float(np.linalg.norm(eyes[0] - eyes[1])) * distance_m
    target = eyes.mean(0) + [0, -0.035, 0] + rng.normal(0, 0.006, 3)
    return look_at_head(
        Lens(SIDE_PX, SIDE_PX, focal_px),
        distance_m=distance_m,
        yaw_rad=rng.normal(0, 0.06),
        pitch_rad=rng.normal(0, 0.08),
        roll_rad=rng.normal(0, 0.03),
        target_m=tuple(target.tolist()),
    )


def _drawn(
    avatar: Avatar,
    camera: Camera,
    weights: Float32[np.ndarray, "N 52"],
    heads: Sequence[Float32[np.ndarray, "4"]],
    params: FilmParams,
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """As render.film draws, but no picture knows of the one before."""
    from concurrent.futures import ThreadPoolExecutor

    shot = set_up(avatar, camera, params)
    puppet, benches, order, likely = shot.puppet, shot.benches(), shot.finish.solid, 0
    openness, open_to = puppet.openness.copy(), np.ones(len(puppet.restless), np.float32)
    with ThreadPoolExecutor(1) as pool:
        for face, head in zip(weights, heads, strict=True):
            pose = bend(puppet, np.concatenate([face, np.zeros(4, np.float32)]))
            open_to = renew_openness(puppet, pose, open_to, order[:likely] if likely else order)
            openness[puppet.followers] = open_to[puppet.leaders]
            vertices = place(puppet, pose, openness, {"head": head}, camera, shot.lens)
            drawn = shot.draw(vertices, order, likely, benches, pool)
            order, likely = drawn.order, drawn.likely
            yield drawn.picture


def _multiplied(one: Float32[np.ndarray, "4"], other: Float32[np.ndarray, "4"]) -> Float32[np.ndarray, "4"]:
    """Hamilton's product: the other turn first."""
    w, x, y, z = one
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]], np.float32)
    return left @ other


def main() -> None:
    """Draw everybody who is missing."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    for name in sys.argv[2:] or people():
        path = folder / f"{name}.npz"
        if path.is_file():
            continue
        with threadpool_limits(1):
            drawn = draw_person(name)
        if drawn is None:
            print(f"{name}: no face", flush=True)
            continue
        np.savez(path, **drawn)
        print(f"{name}: {len(drawn['ends'])} pictures", flush=True)


if __name__ == "__main__":
    main()
