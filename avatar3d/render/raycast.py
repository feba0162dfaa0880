"""The one door to Embree (through embreex): which triangle does each ray meet first?

embreex against Open3D: docs/decisions/0003-ray-caster.md and bench/raycast.py.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from embreex.mesh_construction import TriangleMesh  # pyright: ignore[reportMissingTypeStubs]
from embreex.rtcore_scene import EmbreeScene  # pyright: ignore[reportMissingTypeStubs]
from jaxtyping import Bool, Float32, Int32

_RAYS_PER_TASK: Final = 32_768
"""Embree releases Python's lock; below this a thread costs more than it saves."""
_THREADS: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, eq=False)
class Hits:
    """Where each ray met the scene first."""

    triangle: Int32[np.ndarray, "N"]
    """-1 where the ray met nothing."""
    barycentric: Float32[np.ndarray, "N 3"]
    """Weights of the triangle's three corners; zero where it met nothing."""
    distance: Float32[np.ndarray, "N"]
    """In lengths of the ray's direction (metres for unit directions); infinite where it met nothing."""


class Scene:
    """Triangles in a tree, ready to be asked. Both sides of a triangle are hit."""

    def __init__(self, vertices: Float32[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> None:
        self._tree: Any = EmbreeScene()
        used = np.zeros(len(vertices), bool)
        used[triangles] = True
        places = np.cumsum(used, dtype=np.int32) - 1  # embreex copies every vertex, one by one
        TriangleMesh(self._tree, np.ascontiguousarray(vertices[used], np.float32), places[triangles])

    def cast(self, origins: Float32[np.ndarray, "N 3"], directions: Float32[np.ndarray, "N 3"]) -> Hits:
        """The first hit of each ray. A ray that starts on a surface should start slightly above it."""
        parts = self._ask(origins, directions, output=1)
        triangle: Int32[np.ndarray, "N"] = np.concatenate([part["primID"] for part in parts])
        u = np.concatenate([part["u"] for part in parts])
        v = np.concatenate([part["v"] for part in parts])
        hit = triangle >= 0
        barycentric = np.stack([1 - u - v, u, v], axis=1)
        barycentric[~hit] = 0
        distance = np.concatenate([part["tfar"] for part in parts])
        return Hits(triangle, barycentric, np.where(hit, distance, np.float32(np.inf)).astype(np.float32))

    def blocked(
        self,
        origins: Float32[np.ndarray, "N 3"],
        directions: Float32[np.ndarray, "N 3"],
        reach: float | None = None,
    ) -> Bool[np.ndarray, "N"]:
        """Whether anything lies along each ray, within `reach` direction lengths when given. Faster than cast."""
        return np.concatenate(self._ask(origins, directions, query="OCCLUDED", reach=reach)) >= 0

    def _ask(
        self,
        origins: Float32[np.ndarray, "N 3"],
        directions: Float32[np.ndarray, "N 3"],
        *,
        reach: float | None = None,
        **choices: Any,
    ) -> list[Any]:
        """Embree's answers in order, at least one batch (which may be empty), large ones on threads."""

        def run(start: int) -> Any:
            batch = slice(start, start + _RAYS_PER_TASK)
            begin = np.ascontiguousarray(origins[batch], np.float32)
            toward = np.ascontiguousarray(directions[batch], np.float32)
            far = None if reach is None else np.full(len(begin), reach, np.float32)
            return self._tree.run(begin, toward, dists=far, **choices)

        starts = range(0, max(len(origins), 1), _RAYS_PER_TASK)
        if len(starts) == 1 or _THREADS == 1:
            return [run(start) for start in starts]
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(run, starts))
