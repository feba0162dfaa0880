"""Does a video of a face give its curves back? Films of avatars whose every weight and turn is known.

    python -m bench.performances [PERSON ...] [--films DIR]

    curves, head turns --> film of an avatar --> grain, H.264 --> avatar3d.following --> correlation with the curves

A PERSON is a portrait of the unseen half of congress or `seed` and a number; nobody of these was seen in training
(tools/follow). Four films of each: *alone*, every shape from 0 to 1 and back, one after the other; *mixed*, several at
any time, wandering eyes, a turning head; *held*, a mixed face that stays; *rest*, nothing but the camera's noise. Each
begins with half a second at rest. Kept films are not drawn again.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8
from threadpoolctl import threadpool_limits

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, Frame
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.following import eye_turn, follow_video
from avatar3d.generating import sit
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render.av import write_video
from avatar3d.render.film import draw_frames
from avatar3d.render.shot import FilmParams
from avatar3d.report.pictures import orbit_camera
from bench.measure import save_result, show
from bench.skins import portraits_folder, split_names

RATE_HZ, SIZE_PX = 30, 384
REST: Final = 15
"""Pictures before anything moves."""
_BUMP, _GAP = 12, 2
"""Pictures of one shape alone, and between two shapes."""
_MIXED, _STILL, _COMING = 180, 75, 10
_JAW: Final = 0.6
"""mouthClose shuts the lips of an open jaw; without one it is no face."""
_GRAIN: Final = 2.0
"""Standard deviation of the camera's noise, levels."""
_TURNS_RAD: Final = (0.26, 0.14, 0.07)
"""Yaw, pitch, roll at most."""
_SHAPES: Final = ARKIT_NAMES[:-1]
_PAIRED: Final = tuple(dict.fromkeys(name.removesuffix("Left").removesuffix("Right") for name in _SHAPES))
_LOOKS: Final = tuple(name for name in _PAIRED if name.startswith("eyeLook"))
_ACTIVE: Final = 0.05


@dataclass(frozen=True, eq=False)
class Performance:
    """What is played, picture by picture."""

    name: str
    weights: Float32[np.ndarray, "N 52"]
    head_wxyz: Float32[np.ndarray, "N 4"]
    """Head joint against its rest; the camera is straight before it."""


def each_alone() -> Performance:
    """Every shape from 0 to 1 and back, one after the other."""
    bump = np.sin(np.pi * np.arange(1, _BUMP + 1) / (_BUMP + 1)) ** 2
    bump /= bump.max()
    weights = np.zeros((REST + len(_SHAPES) * (_BUMP + _GAP), len(ARKIT_NAMES)), np.float32)
    for index, name in enumerate(_SHAPES):
        at = REST + index * (_BUMP + _GAP)
        weights[at : at + _BUMP, ARKIT_INDEX[name]] = bump
        if name == "mouthClose":
            weights[at : at + _BUMP, ARKIT_INDEX["jawOpen"]] = _JAW * np.minimum(1, 3 * bump)
            weights[at : at + _BUMP, ARKIT_INDEX[name]] *= _JAW
    return Performance("alone", weights, _unturned(len(weights)))


def mixed(seed: int) -> Performance:
    """Every shape once at a time of its own, several at any time, eyes that wander and a head that turns."""
    rng = np.random.default_rng([92, seed])
    weights = np.zeros((_MIXED, len(ARKIT_NAMES)), np.float32)
    moves = [name for name in _PAIRED if name not in (*_LOOKS, "mouthClose")]
    starts = rng.permutation(np.linspace(REST, _MIXED - 34, len(moves)))
    for name, start in zip(moves, starts.round().astype(int), strict=True):
        lasts, high = int(rng.integers(20, 34)), rng.uniform(0.45, 0.95)
        bump = high * np.sin(np.pi * np.arange(1, lasts + 1) / (lasts + 1)) ** 2
        sides = [side for side in (name, f"{name}Left", f"{name}Right") if side in ARKIT_INDEX]
        late = int(rng.integers(0, 8)) if name not in ("jaw", "mouth") else 0
        for index, side in enumerate(sides[-2:] if len(sides) > 2 else sides):
            share = rng.uniform(0.5, 1.0) if index else 1.0
            at = min(start + index * late, _MIXED - lasts)
            if name in ("jaw", "mouth") and index != int(rng.integers(2)):
                continue
            weights[at : at + lasts, ARKIT_INDEX[side]] = share * bump
        if name == "jawOpen":  # and half a second later once more, with lips that close over it
            at = min(start + lasts, _MIXED - lasts)
            weights[at : at + lasts, ARKIT_INDEX["jawOpen"]] = bump
            weights[at : at + lasts, ARKIT_INDEX["mouthClose"]] = 0.8 * bump
    time_s = np.arange(_MIXED) / RATE_HZ
    fade = np.clip((np.arange(_MIXED) - REST) / 10, 0, 1)
    phase = rng.uniform(0, 2 * np.pi, 8)
    yaw = 0.7 * fade * np.sin(2 * np.pi * time_s / 2.3 + phase[0])
    pitch = 0.6 * fade * np.sin(2 * np.pi * time_s / 1.7 + phase[1])
    for side, outward in (("Left", yaw), ("Right", -yaw)):
        for way, angle in (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch)):
            weights[:, ARKIT_INDEX[f"eyeLook{way}{side}"]] = np.maximum(angle, 0)
    turns = [high * fade * np.sin(2 * np.pi * time_s / period + shift)
             for high, period, shift in zip(_TURNS_RAD, (3.1, 2.4, 4.0), phase[2:5], strict=True)]  # fmt: skip
    return Performance("mixed", weights, np.stack([turned(*each) for each in zip(*turns, strict=True)]))


def held() -> Performance:
    """A face that comes and then stays."""
    weights = np.zeros((REST + _COMING + _STILL, len(ARKIT_NAMES)), np.float32)
    coming = np.clip((np.arange(len(weights)) - REST) / _COMING, 0, 1)
    for name, weight in {"jawOpen": 0.3, "mouthSmileLeft": 0.5, "mouthSmileRight": 0.6, "browInnerUp": 0.5}.items():
        weights[:, ARKIT_INDEX[name]] = weight * coming
    return Performance("held", weights, _unturned(len(weights)))


def still() -> Performance:
    """Nothing moves but the camera's noise."""
    return Performance("rest", np.zeros((_STILL, len(ARKIT_NAMES)), np.float32), _unturned(_STILL))


def turned(yaw_rad: float, pitch_rad: float, roll_rad: float) -> Float32[np.ndarray, "4"]:
    """To the person's left, up, to the person's right shoulder; yaw last."""
    axes = np.diag([-pitch_rad, yaw_rad, roll_rad]).astype(np.float32)
    pitch, yaw, roll = (quaternion_from_rotation_vector(axis) for axis in axes)
    return multiplied(multiplied(yaw, pitch), roll)


def multiplied(one: Float32[np.ndarray, "4"], other: Float32[np.ndarray, "4"]) -> Float32[np.ndarray, "4"]:
    """Hamilton's product: the other turn first."""
    w, x, y, z = one
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]], np.float32)
    return left @ other


def film(avatar: Avatar, played: Performance, folder: Path, *, seed: int) -> Path:
    """The film of a performance, or the one that the folder has already."""
    path = folder / f"{played.name}.mp4"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_video(_pictures(avatar, played, seed), path, rate_hz=RATE_HZ, comment="synthetic")
    return path


def _pictures(avatar: Avatar, played: Performance, seed: int) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    rng = np.random.default_rng([93, seed])
    background = tuple(rng.integers(30, 220, 3).tolist())
    drawn = draw_frames(
        avatar, frames_of(played), orbit_camera(avatar, 0, SIZE_PX), params=FilmParams(background=background)
    )
    for picture in drawn:
        yield np.clip(picture + rng.normal(0, _GRAIN, picture.shape), 0, 255).astype(np.uint8)


def frames_of(played: Performance) -> Iterator[Frame]:
    """The performance as frames; the eyes turn as their weights say."""
    for index, (face, head) in enumerate(zip(played.weights, played.head_wxyz, strict=True)):
        yield Frame(index / RATE_HZ, face, head, eye_turn(face, "Left"), eye_turn(face, "Right"))


def _unturned(count: int) -> Float32[np.ndarray, "N 4"]:
    return np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))


def person(name: str) -> Avatar:
    """The avatar of somebody who was not trained on."""
    source = sit(int(name[4:]))[1] if name.startswith("seed") else portraits_folder() / f"{name}.jpg"
    return make_avatar(source, CreateParams(report=False), name=name).avatar


def default_people() -> list[str]:
    """Two of whom there are photos, two generated."""
    unseen = [Path(name).stem for name in split_names("unseen")]
    return [unseen[0], "seed11", unseen[1], "seed12"]


def correlations(true: Float32[np.ndarray, "N 52"], found: Float32[np.ndarray, "N 52"]) -> dict[str, float]:
    """Of every shape that is active; 0 where nothing was found of it."""
    told: dict[str, float] = {}
    for index, name in enumerate(_SHAPES):
        if true[:, index].max() > _ACTIVE:
            dull = found[:, index].std() < 1e-6
            told[name] = 0.0 if dull else float(np.corrcoef(true[:, index], found[:, index])[0, 1])
    return told


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", nargs="*")
    parser.add_argument("--films", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, threadpool_limits(1):
        folder = given.films or Path(scratch)
        told: dict[str, dict[str, list[float]]] = {"alone": {}, "mixed": {}}
        neutral, exact, jitter, angles, seconds, pictures = [], True, [], [], 0.0, 0
        for number, name in enumerate(given.people or default_people()):
            kinds = [each_alone(), mixed(number), held(), still()]
            missing = [kind for kind in kinds if not (folder / name / f"{kind.name}.mp4").is_file()]
            avatar = person(name) if missing else None
            for kind in kinds:
                path = folder / name / f"{kind.name}.mp4"
                if avatar is not None:
                    film(avatar, kind, folder / name, seed=number)
                began = time.process_time()
                frames = list(follow_video(path))
                seconds, pictures = seconds + time.process_time() - began, pictures + len(frames)
                found = np.stack([frame.weights for frame in frames])
                true = kind.weights[: len(found)]
                if kind.name in told:
                    for shape, value in correlations(true, found).items():
                        told[kind.name].setdefault(shape, []).append(value)
                if kind.name == "mixed":
                    heads = np.stack([frame.head_wxyz for frame in frames])
                    angles.append([np.corrcoef(kind.head_wxyz[: len(heads), axis], heads[:, axis])[0, 1] for axis in (1, 2, 3)])  # fmt: skip
                if kind.name == "held":
                    jitter.append(float(np.diff(found[-45:], axis=0).std(0).max()))
                if kind.name == "rest":
                    neutral.append(float(found.max()))
                    exact &= all((frame.head_wxyz == frames[0].head_wxyz).all() for frame in frames)
        rows = [
            {"shape": name} | {kind: float(np.mean(told[kind].get(name, [np.nan]))) for kind in told}
            for name in _SHAPES
        ]
        show("Correlation with the true curve, mean over people", rows)
        for kind, values in told.items():
            means = np.array([np.mean(each) for each in values.values()])
            print(f"{kind}: mean {means.mean():.3f}, median {np.median(means):.3f}, {(means >= 0.8).sum()} of {len(means)} shapes at .8 or more")  # fmt: skip
        print(f"head (pitch, yaw, roll): {np.round(np.mean(angles, axis=0), 3).tolist()}")
        print(f"rest: largest weight {max(neutral)}, head still: {exact}; held: jitter {max(jitter):.4f}")
        print(f"{pictures / seconds:.1f} pictures a second of processor time")
        save_result("performances", {"shapes": rows, "jitter": max(jitter), "rest": max(neutral)})


if __name__ == "__main__":
    main()
