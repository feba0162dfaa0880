"""A talking video: how many pictures a second, how soon the first one, where the time goes, how like the reference.

    python -m bench.film [AVATAR.glb] [--seconds 8] [--size 512] [--threads N]

Without an avatar one is made from a portrait with long hair (about 25,000 triangles, the most that hair makes). Wall
time is what counts, on idle cores; processor time per picture tells what is possible where others are at work, too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, TONGUE_NAMES, Frame
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render import film, raster, shot
from avatar3d.render.preview import render_avatar
from avatar3d.report.pictures import orbit_camera
from bench.measure import save_result, show

PORTRAIT: Final = Path(__file__).parents[2] / "shared/data/portraits/congress/022122.jpg"
FRAMES_HZ: Final = 60
FILM_HZ: Final = 25
SOUND_HZ: Final = 16_000
LOOPS: Final = (
    "bend_shapes", "bend_normals", "place_vertices", "find_facing", "find_first", "look", "light_looks", "lay", "encode",
)  # fmt: skip


def talk(seconds: float) -> list[Frame]:
    """A mouth at four syllables a second that rounds, spreads and closes, a head and eyes that never rest, blinks."""
    frames = []
    for time_s in np.arange(round(seconds * FRAMES_HZ)) / FRAMES_HZ:
        slow, syllable = 2 * np.pi * time_s, max(0.0, float(np.sin(8 * np.pi * time_s)))
        weights = np.zeros(52, np.float32)
        blink = max(0.0, 1 - abs(time_s % 3 - 1.5) / 0.1)
        for name, weight in {
            "jawOpen": 0.45 * syllable,
            "mouthFunnel": 0.5 * syllable * max(0.0, np.sin(1.3 * slow)),
            "mouthPucker": 0.4 * max(0.0, np.sin(0.9 * slow)),
            "mouthUpperUpLeft": 0.25 * syllable,
            "mouthUpperUpRight": 0.25 * syllable,
            "mouthLowerDownLeft": 0.3 * syllable,
            "mouthLowerDownRight": 0.3 * syllable,
            "mouthStretchLeft": 0.2 * max(0.0, np.sin(1.7 * slow)),
            "mouthStretchRight": 0.2 * max(0.0, np.sin(1.7 * slow)),
            "browInnerUp": 0.3 * max(0.0, np.sin(0.4 * slow)),
            "eyeBlinkLeft": blink,
            "eyeBlinkRight": blink,
        }.items():
            weights[ARKIT_INDEX[name]] = weight
        tongue = np.zeros(len(TONGUE_NAMES), np.float32)
        tongue[0] = 0.6 * max(0.0, np.sin(2.1 * slow))
        head = [0.06 * np.sin(0.31 * slow), 0.12 * np.sin(0.23 * slow), 0.04 * np.sin(0.17 * slow)]
        eyes = turned([0.02 * np.sin(0.7 * slow), 0.1 * np.sin(0.5 * slow), 0])
        frames.append(Frame(float(time_s), weights, turned(head), eyes, eyes, tongue))
    return frames


def turned(rotation_rad: list[float]) -> np.ndarray:
    return quaternion_from_rotation_vector(np.array(rotation_rad, np.float32))


def clocked(avatar: Avatar, camera: Camera, frames: list[Frame]) -> dict[str, Any]:
    """Pictures alone: the first one, median and mean of the others (every fourth is dear), processor time of all threads."""
    pictures = film.draw_frames(avatar, frames, camera)
    first_s = seconds_of(lambda: next(pictures))
    began_cpu_s, walls_s = time.process_time(), []
    for _ in range(len(frames) - 1):
        walls_s.append(seconds_of(lambda: next(pictures)))
    cpu_ms = 1e3 * (time.process_time() - began_cpu_s) / len(walls_s)
    median_ms, mean_ms = 1e3 * float(np.median(walls_s)), 1e3 * float(np.mean(walls_s))
    return {"first, s": first_s, "median, ms": median_ms, "p95, ms": 1e3 * float(np.percentile(walls_s, 95)),
            "mean, ms": mean_ms, "pictures/s": 1e3 / mean_ms, "CPU, ms": cpu_ms}  # fmt: skip


def filmed(avatar: Avatar, camera: Camera, frames: list[Frame], folder: Path) -> dict[str, Any]:
    """The whole film: pictures, H.264, sound."""
    seconds = frames[-1].time_s
    hum = (0.1 * np.sin(np.arange(int(seconds * SOUND_HZ)) * 0.06)).astype(np.float32)
    began_cpu_s = time.process_time()
    path = folder / "film.mp4"
    sound = AudioChunk(0.0, SOUND_HZ, hum)
    wall_s = seconds_of(lambda: film.film_clip(avatar, frames, camera, path, sound=sound, rate_hz=FILM_HZ))
    pictures = int(seconds * FILM_HZ) + 1
    return {"pictures": pictures, "wall, s": wall_s, "pictures/s": pictures / wall_s,
            "CPU, ms": 1e3 * (time.process_time() - began_cpu_s) / pictures,
            "kbit/s": path.stat().st_size * 8 / seconds / 1e3}  # fmt: skip


def stages(avatar: Avatar, camera: Camera, frames: list[Frame]) -> list[dict[str, Any]]:
    """Processor time of each part per picture: the mean, and the least, which is nearest to an idle machine's."""
    spent: dict[str, list[float]] = defaultdict(list)

    def watched(module: Any, name: str) -> Callable[[], None]:
        loop = getattr(module, name)

        def timed(*parts: Any, **choices: Any) -> Any:
            began_s = time.thread_time()
            found = loop(*parts, **choices)
            spent[name][-1] += time.thread_time() - began_s
            return found

        setattr(module, name, timed)
        return lambda: setattr(module, name, loop)

    modules = dict.fromkeys(LOOPS, raster) | {"renew_openness": film}
    threads, shot.THREADS = shot.THREADS, 1
    pictures = film.draw_frames(avatar, frames, camera)
    next(pictures)
    undo = [watched(module, name) for name, module in modules.items()]
    for _ in range(60):
        for name in modules:
            spent[name].append(0.0)
        next(pictures)
    for each in undo:
        each()
    pictures.close()
    shot.THREADS = threads
    rows = []
    for name, times in spent.items():
        ms = 1e3 * np.array(times)
        least = ms[ms > 0].min() / 4 if name == "renew_openness" else ms.min()  # every fourth picture
        rows.append({"loop": name, "mean, ms": float(ms.mean()), "least, ms": float(least)})
    return rows


def likeness(avatar: Avatar, camera: Camera, frames: list[Frame]) -> list[dict[str, Any]]:
    """Against render_avatar: decibels over the picture and where the avatar is, and the reference's own time."""
    rows = []
    for shown in frames[7 :: len(frames) // 4]:
        rotations = {"head": shown.head_wxyz, "leftEye": shown.left_eye_wxyz, "rightEye": shown.right_eye_wxyz}
        weights = np.concatenate([shown.weights, shown.tongue])
        began_s = time.process_time()
        reference = render_avatar(avatar, camera, weights=weights, rotations=rotations).astype(float)
        cpu_ms = 1e3 * (time.process_time() - began_s)
        wrong = (next(film.draw_frames(avatar, [shown], camera)) - reference) ** 2
        there = (reference != reference[0, 0]).any(axis=2)
        rows.append({"time, s": shown.time_s, "whole, dB": decibels(wrong), "avatar, dB": decibels(wrong[there]),
                     "reference, CPU ms": cpu_ms})  # fmt: skip
    return rows


def shimmer(avatar: Avatar, camera: Camera, count: int = 8) -> dict[str, Any]:
    """Mean second difference in time while the head turns slowly: what flickers. The reference's, too."""
    still = np.zeros(52, np.float32)
    frames = [
        Frame(k / FILM_HZ, still, turned([0, 0.004 * k, 0]), turned([0, 0, 0]), turned([0, 0, 0])) for k in range(count)
    ]
    ours = np.stack([picture.astype(float) for picture in film.draw_frames(avatar, frames, camera)])
    theirs = np.stack([render_avatar(avatar, camera, rotations={"head": f.head_wxyz}).astype(float) for f in frames])
    return {
        name: float(np.abs(np.diff(seen, 2, axis=0)).mean()) for name, seen in (("film", ours), ("reference", theirs))
    }


def starts(glb: Path) -> Iterator[dict[str, Any]]:
    """Fresh processes: the very first on a machine compiles, later ones find what was kept."""
    with tempfile.TemporaryDirectory() as cache:
        for name in ("first on this machine", "later", "later"):
            told = subprocess.run(
                [sys.executable, "-m", "bench.film", "--start", str(glb)],
                env=os.environ | {"NUMBA_CACHE_DIR": cache}, check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
            yield {"process": name} | json.loads(told.splitlines()[-1])


def start(glb: Path) -> dict[str, Any]:
    """One start, step by step."""
    avatar = load_glb(glb)
    camera = orbit_camera(avatar, 0, 512)
    began_cpu_s = time.process_time()
    first_s = seconds_of(lambda: next(film.draw_frames(avatar, talk(0.1), camera)))
    cpu_s = time.process_time() - began_cpu_s
    again_s = seconds_of(lambda: next(film.draw_frames(avatar, talk(0.1), camera)))
    return {"first picture, s": first_s, "its CPU, s": cpu_s, "first of a second film, s": again_s}


def seconds_of(work: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def decibels(squares: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / squares.mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatar", type=Path, nargs="?")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=shot.THREADS)
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.start:
        print(json.dumps(start(chosen.start)))
        return
    shot.THREADS = chosen.threads
    with tempfile.TemporaryDirectory() as folder:
        glb = chosen.avatar or save_glb(make_avatar(PORTRAIT, CreateParams()).avatar, Path(folder) / "portrait.glb")
        avatar = load_glb(glb)
        camera, frames = orbit_camera(avatar, 0, chosen.size), talk(chosen.seconds)
        triangles = sum(len(mesh.triangles) for mesh in avatar.meshes)
        began = list(starts(glb))
        show(f"starts ({triangles} triangles)", began)
        clocked(avatar, camera, frames[:10])
        drawn = clocked(avatar, camera, frames)
        show(
            f"pictures of {chosen.size} x {chosen.size} on {shot.THREADS} threads, load {os.getloadavg()[0]:.1f}",
            [drawn],
        )
        whole = filmed(avatar, camera, frames, Path(folder))
        show("film with sound", [whole])
        parts = stages(avatar, camera, frames)
        show("processor time per picture, one thread", parts)
        alike = likeness(avatar, camera, frames)
        show("beside the reference", alike)
        flicker = shimmer(avatar, camera)
        show("shimmer", [flicker])
    result = {"triangles": triangles, "starts": began, "pictures": drawn, "film": whole, "stages": parts,
              "likeness": alike, "shimmer": flicker}  # fmt: skip
    print(save_result("film", result))


if __name__ == "__main__":
    main()
