"""One picture of a film: placed vertices become pixels, band by band, on every core."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from avatar3d.core.avatar import Avatar
from avatar3d.core.errors import UsageError
from avatar3d.core.photo import Camera, Light
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render import raster
from avatar3d.render.finish import Finish, gather_finish
from avatar3d.render.lights import main_direction, studio_light
from avatar3d.render.puppet import Puppet, make_puppet
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear, stage_avatar

THREADS: Final = min(4, os.cpu_count() or 1)
_BAND_PX: Final = 32
"""Rows drawn at a time: their samples fit the processor's second cache."""
_HARMONICS: Final = 9


@dataclass(frozen=True)
class FilmParams:
    """How a film is drawn."""

    samples: int = 2
    """Per pixel and axis."""
    light: Light | None = None
    """In the avatar's frame, of degree 2; a studio when None."""
    background: tuple[int, int, int] = (236, 237, 240)
    """sRGB."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A picture, and what it tells of the next one."""

    picture: UInt8[np.ndarray, "H W 3"]
    order: Int32[np.ndarray, "N"]
    """The triangles seen in it, then the others."""
    likely: int
    """How many were seen."""


@dataclass(frozen=True, eq=False)
class Shot:
    """What pictures of one avatar through one camera share."""

    puppet: Puppet
    finish: Finish
    camera: Camera
    fine: int
    """Samples per pixel and axis."""
    lens: Float32[np.ndarray, "12"]
    light: Float32[np.ndarray, "33"]
    background: Float32[np.ndarray, "3"]
    curve: UInt8[np.ndarray, "65536"]

    def benches(self) -> list["Bench"]:
        """Where its bands are drawn: one bench per thread, for one film at a time."""
        return [Bench(self.camera.width_px, self.fine) for _ in range(THREADS)]

    def draw(
        self,
        vertices: Float32[np.ndarray, "V 16"],
        order: Int32[np.ndarray, "N"],
        likely: int,
        benches: Sequence["Bench"],
        pool: ThreadPoolExecutor,
    ) -> Drawn:
        """The picture of placed vertices, the bands on as many threads as there are benches."""
        height, width = self.camera.height_px, self.camera.width_px
        picture = np.empty((height, width, 3), np.uint8)
        stage = self.puppet.stage
        seen = np.zeros(len(stage.triangles), np.uint8)
        nearness = vertices[:, raster.NEARNESS][stage.triangles[self.finish.glass]].mean(axis=1)
        glass = self.finish.glass[np.argsort(nearness, kind="stable")]
        finish, facing, count = self.finish, np.empty((len(order), 3), np.int32), 0
        for some in order[:likely], order[likely:]:
            likely = count
            found = facing[count:]
            count += raster.find_facing(vertices, stage.triangles, stage.triangle_mesh, some, finish.numbers, found)
        facing = facing[:count]
        tops = iter(range(0, height, _BAND_PX))

        def work(bench: Bench) -> None:
            for top in tops:  # shared: whoever is ready takes the next band
                rows = picture[top : top + _BAND_PX]
                bench.draw(self, vertices, facing, likely, glass, top, rows.reshape(-1, 3), seen)

        list(pool.map(work, benches))
        was_seen = seen[self.finish.solid] > 0
        order = np.concatenate([self.finish.solid[was_seen], self.finish.solid[~was_seen]])
        return Drawn(picture, order, int(np.count_nonzero(was_seen)))


class Bench:
    """Where one thread works: memory for a band."""

    def __init__(self, width_px: int, fine: int) -> None:
        rows, columns = _BAND_PX * fine, width_px * fine
        self._nearness = np.empty((rows, columns), np.float32)
        self._owner = np.empty((rows, columns), np.int32)
        self._farthest = np.empty((-(-rows // raster.TILE), -(-columns // raster.TILE)), np.float32)
        self._looks = np.empty((rows * columns, raster.LOOK), np.float32)
        self._pixels = np.empty((rows * columns, 2), np.int32)
        self._linear = np.empty((_BAND_PX * width_px, 4), np.float32)

    def draw(
        self,
        shot: Shot,
        vertices: Float32[np.ndarray, "V 16"],
        facing: Int32[np.ndarray, "N 3"],
        likely: int,
        glass: Int32[np.ndarray, "G"],
        top: int,
        band: UInt8[np.ndarray, "P 3"],
        seen: UInt8[np.ndarray, "F"],
    ) -> None:
        """A band of rows from row `top` on, into `band`."""
        stage, finish, fine = shot.puppet.stage, shot.finish, shot.fine
        rows = len(band) // shot.camera.width_px * fine
        nearness, owner = self._nearness[:rows], self._owner[:rows]
        linear, looks, pixels = self._linear[: len(band)], self._looks, self._pixels
        triangles, meshes = stage.triangles, stage.triangle_mesh
        painted = (finish.numbers, finish.pictures, finish.colours, finish.reliefs, top * fine)
        raster.find_first(
            vertices, triangles, meshes, finish.kinds, facing, likely, finish.numbers, finish.pictures, finish.alphas,
            top * fine, nearness, owner, self._farthest,
        )  # fmt: skip
        count = raster.look(vertices, triangles, meshes, *painted, owner, fine, looks, pixels, seen)
        raster.light_looks(looks, count, shot.lens, shot.light)
        linear[:] = 0
        raster.lay(looks, pixels, count, False, linear)
        if len(glass):
            count = raster.look_through(vertices, triangles, meshes, glass, *painted, nearness, fine, looks, pixels)
            raster.light_looks(looks, count, shot.lens, shot.light)
            raster.lay(looks, pixels, count, True, linear)
        raster.encode(linear, shot.background, shot.curve, band)


_shots: WeakKeyDictionary[Avatar, tuple[Camera, FilmParams, Shot]] = WeakKeyDictionary()


def set_up(avatar: Avatar, camera: Camera, params: FilmParams) -> Shot:
    """What all pictures share; the last one of each avatar is kept, so that a second film begins at once."""
    kept = _shots.get(avatar)
    if kept is not None and kept[0] is camera and kept[1] == params:
        return kept[2]
    stage = stage_avatar(avatar)
    with ThreadPoolExecutor(1) as beside:
        finish = beside.submit(gather_finish, stage, camera, params.samples)
        shot = Shot(
            light=_light(params.light or studio_light()),
            puppet=make_puppet(stage, camera.position_m),
            camera=camera,
            fine=params.samples,
            lens=_lens(camera, params.samples),
            background=LINEAR_FROM_SRGB[np.array(params.background)],
            curve=srgb_from_linear(np.linspace(0, 1, 65536, dtype=np.float32)),
            finish=finish.result(),
        )
    _shots[avatar] = (camera, params, shot)
    return shot


def _lens(camera: Camera, fine: int) -> Float32[np.ndarray, "12"]:
    rotation = matrix_from_quaternion(camera.rotation_wxyz)
    return np.concatenate([[fine * camera.focal_px], fine * camera.principal_px, rotation.ravel()]).astype(np.float32)


def _light(light: Light) -> Float32[np.ndarray, "33"]:
    """Harmonics, then the direction and colour of the lamp."""
    if len(light.coefficients) != _HARMONICS:
        raise UsageError(f"A film needs light of {_HARMONICS} harmonics, got {len(light.coefficients)}.")
    return np.concatenate([light.coefficients.ravel(), *main_direction(light)]).astype(np.float32)
