"""A talking video: an avatar moved by frames becomes pictures, quickly, on any CPU.

frames --at the film's rate--> Puppet, posed --bands of rows, on every core--> picture --write_film, with sound--> MP4

Light, textures, relief and the shadow in mouth and eye sockets are the reference renderer's; how near the pictures come
to its own, and how fast, is measured by bench/film.py.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.audio import AudioChunk
from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import BlendshapeClip, Frame
from avatar3d.core.clock import Progress
from avatar3d.core.errors import UsageError
from avatar3d.core.photo import Camera
from avatar3d.render.av import require_av, write_film
from avatar3d.render.gaze import Eyeball
from avatar3d.render.numba import require_numba
from avatar3d.render.puppet import bend, find_openness, place, renew_openness
from avatar3d.render.retime import frames_at
from avatar3d.render.shot import THREADS, FilmParams, set_up

_LIGHT_ANEW: Final = 4
"""Openness to the sky is found anew in every fourth picture,"""
_EASE: Final = np.float32(0.5)
"""and reached by so much of the way in each: one ray more or less that gets away must not flash."""
_MARK: Final = "synthetic likeness; made with avatar3d"
"""In the film's metadata."""
_TOLD_S: Final = 10
_AHEAD: Final = 2
"""Pictures: with one, nobody draws until whoever encodes has been woken and has asked."""
_T = TypeVar("_T")


def film_clip(
    avatar: Avatar,
    clip: BlendshapeClip | Iterable[Frame],
    camera: Camera,
    path: Path,
    *,
    sound: AudioChunk | Iterable[AudioChunk] = (),
    rate_hz: int = 25,
    params: FilmParams | None = None,
    progress: Progress = str,
) -> Path:
    """An MP4 of the avatar as the clip moves it, as large as the camera's pictures (even numbers), with its sound.

    Clip and sound begin at time 0. Both are taken as they come: hours need no memory.
    Raises MissingExtraError without PyAV or numba, and DiskError when it cannot be written.
    """
    require_av()
    require_numba()
    if camera.width_px % 2 or camera.height_px % 2:
        raise UsageError(f"A film's width and height are even, got {camera.width_px} x {camera.height_px} pixels.")
    frames = frames_at(clip.frames if isinstance(clip, BlendshapeClip) else clip, rate_hz)
    pictures = _told(draw_frames(avatar, frames, camera, params=params), rate_hz, progress)
    chunks = (sound,) if isinstance(sound, AudioChunk) else sound
    return write_film(_ahead(pictures), path, sound=chunks, rate_hz=rate_hz, comment=_MARK)


def _told(pictures: Iterator[_T], rate_hz: int, progress: Progress) -> Iterator[_T]:
    """The same pictures; every ten seconds of them are told."""
    for index, picture in enumerate(pictures, start=1):
        yield picture
        if index % (_TOLD_S * rate_hz) == 0:
            progress(f"  {index // rate_hz} seconds of film")


def _ahead(pictures: Iterator[_T]) -> Iterator[_T]:
    """The same pictures; while one is encoded the next ones are drawn."""
    with ThreadPoolExecutor(1) as beside:
        coming = deque(beside.submit(next, pictures, None) for _ in range(_AHEAD))
        while (picture := coming.popleft().result()) is not None:
            coming.append(beside.submit(next, pictures, None))
            yield picture


def draw_frames(
    avatar: Avatar, clip: BlendshapeClip | Iterable[Frame], camera: Camera, *, params: FilmParams | None = None
) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """One picture (sRGB) per frame, whatever its time, as they come: for a film or a live view.

    Raises MissingExtraError without numba.
    """
    require_numba()
    shot = set_up(avatar, camera, params or FilmParams())
    puppet, openness = shot.puppet, shot.puppet.openness.copy()
    order, likely, benches = shot.finish.solid, 0, shot.benches()
    goal = np.ones(len(puppet.restless), np.float32)
    renewed: Future[Float32[np.ndarray, "N"]] | None = None
    eyes = {name: Eyeball.of(avatar, name) for name in ("leftEye", "rightEye") if name in avatar.skeleton.names}
    with ThreadPoolExecutor(THREADS) as pool:
        for index, frame in enumerate(clip.frames if isinstance(clip, BlendshapeClip) else clip):
            pose = bend(puppet, np.concatenate([frame.weights, frame.tongue]))
            goal = renewed.result() if renewed else find_openness(puppet, pose)
            way = goal[puppet.leaders] - openness[puppet.followers]
            openness[puppet.followers] += way * (_EASE if renewed else 1)
            if index % _LIGHT_ANEW == 0:  # beside the drawing, and seen from the next picture on
                renewed = pool.submit(renew_openness, puppet, pose, goal, order[:likely])
            vertices = place(puppet, pose, openness, _rotations(frame, eyes), camera, shot.lens)
            drawn = shot.draw(vertices, order, likely, benches, pool)
            order, likely = drawn.order, drawn.likely
            yield drawn.picture


def _rotations(frame: Frame, eyes: Mapping[str, Eyeball]) -> dict[str, Float32[np.ndarray, "4"]]:
    """The head's, and what the eyeLook weights leave to the eyes' joints of the whole gaze."""
    gazes = {"leftEye": frame.left_eye_wxyz, "rightEye": frame.right_eye_wxyz}
    left = {
        name: eyes[name].left_to_turn(frame.weights[None], gaze[None])[0]
        for name, gaze in gazes.items()
        if name in eyes
    }
    return {"head": frame.head_wxyz} | left
