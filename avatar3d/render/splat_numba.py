"""Gaussians on the CPU, compiled by numba (extra `film`), in bands of rows on every core."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.photo import Camera
from avatar3d.core.splats import Gaussians
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render import splat_loops
from avatar3d.render.numba import require_numba
from avatar3d.render.splats import (
    BLUR_PX2,
    LEAST_ALPHA,
    LEAST_LEFT,
    MOST_ALPHA,
    NEAREST_M,
    Hiding,
    SplatPicture,
)

_BAND_PX: Final = 16
"""Rows drawn at a time: their planes fit the processor's second cache."""
_THREADS: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class _Trace:
    """What the way back needs."""

    shadows: Float32[np.ndarray, "S 13"]
    starts: Int32[np.ndarray, "B1"]
    members: Int32[np.ndarray, "M"]
    depth: Float32[np.ndarray, "H W"]
    limits: Float32[np.ndarray, "3"]
    left: Float32[np.ndarray, "H W"]
    last: Int32[np.ndarray, "H W"]


class NumbaSplats:
    """The default. Raises MissingExtraError without numba."""

    def __init__(self, threads: int = _THREADS) -> None:
        require_numba("Drawing splats")
        self._threads = threads

    def draw(self, gaussians: Gaussians, camera: Camera, hiding: Hiding | None = None) -> SplatPicture:
        """See SplatRenderer."""
        height, width = camera.height_px, camera.width_px
        count = len(gaussians.mean)
        shadows = np.empty((count, splat_loops.SHADOW), np.float32)
        seen = np.array([width, height, BLUR_PX2, LEAST_ALPHA, NEAREST_M], np.float32)
        splat_loops.project(*_arrays(gaussians), gaussians.colour, gaussians.opacity, _lens(camera), seen, shadows)
        order = np.argsort(shadows[:, splat_loops.DEPTH], kind="stable").astype(np.int32)
        bands = -(-height // _BAND_PX)
        starts = np.empty(bands + 1, np.int32)
        splat_loops.count_bands(shadows, height, _BAND_PX, starts)
        members = np.empty(starts[-1], np.int32)
        splat_loops.list_bands(shadows, order, height, _BAND_PX, starts[:-1].copy(), members)
        depth = np.full((height, width), np.inf, np.float32) if hiding is None else hiding.depth_m
        limits = np.array([0 if hiding is None else hiding.reach_m, MOST_ALPHA, LEAST_LEFT], np.float32)
        picture = np.empty((4, height, width), np.float32)
        last = np.empty((height, width), np.int32)

        def band(b: int) -> None:
            own = members[starts[b] : starts[b + 1]]
            rows = b * _BAND_PX, min((b + 1) * _BAND_PX, height)
            splat_loops.draw_band(*rows, own, shadows, depth, limits, picture, last)

        self._each(band, bands)
        left = picture[splat_loops.LEFT]
        trace = _Trace(shadows, starts, members, depth, limits, left, last)
        return SplatPicture(np.moveaxis(picture[:3], 0, 2), 1 - left, gaussians, camera, trace)

    def gradients(
        self, drawn: SplatPicture, colour: Float32[np.ndarray, "H W 3"], coverage: Float32[np.ndarray, "H W"]
    ) -> Gaussians:
        """See SplatRenderer."""
        trace, gaussians = drawn.trace, drawn.gaussians
        assert isinstance(trace, _Trace)
        toward = np.ascontiguousarray(np.moveaxis(colour, 2, 0), np.float32)
        left, behind = trace.left.copy(), (-trace.left * coverage).astype(np.float32)
        slopes = np.empty((len(trace.members), splat_loops.SLOPES), np.float32)

        def band(b: int) -> None:
            own = slice(trace.starts[b], trace.starts[b + 1])
            rows = b * _BAND_PX, min((b + 1) * _BAND_PX, drawn.camera.height_px)
            splat_loops.trace_band(
                *rows, trace.members[own], trace.shadows, trace.depth, trace.limits, trace.last, toward, left, behind,
                slopes[own],
            )  # fmt: skip

        self._each(band, len(trace.starts) - 1)
        sums = np.empty((len(gaussians.mean), splat_loops.SLOPES), np.float32)
        splat_loops.sum_slopes(trace.members, slopes, sums)
        mean, wxyz, scale = (np.empty_like(array) for array in _arrays(gaussians))
        splat_loops.project_back(*_arrays(gaussians), _lens(drawn.camera), trace.shadows, sums, mean, wxyz, scale)
        return Gaussians(mean, wxyz, scale, colour=sums[:, 6:9].copy(), opacity=sums[:, 5].copy())

    def _each(self, band: Callable[[int], None], count: int) -> None:
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(band, range(count)))


def _arrays(
    gaussians: Gaussians,
) -> tuple[Float32[np.ndarray, "S 3"], Float32[np.ndarray, "S 4"], Float32[np.ndarray, "S 3"]]:
    return gaussians.mean, gaussians.rotation_wxyz, gaussians.scale


def _lens(camera: Camera) -> Float32[np.ndarray, "15"]:
    turn = matrix_from_quaternion(camera.rotation_wxyz).ravel()
    return np.concatenate([[camera.focal_px], camera.principal_px, turn, camera.translation_m]).astype(np.float32)
