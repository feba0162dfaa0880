"""Which ray caster: embreex (directly and through trimesh) beside Open3D, on a head and the rays we cast.

    python -m bench.raycast [--json FILE]

Rays: a 512 x 512 picture (with misses), one shadow ray per texel of a 1024 atlas (starting on the surface). Each caster
builds its own tree; the best of five runs counts. Agreement: the share of rays with the same triangle as embreex.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from avatar3d.head.ict import load_ict

_RUNS = 5


def primary_rays(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A pinhole 1.2 m in front of the head."""
    across, down = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    directions = np.stack([across / size - 0.5, 0.5 - down / size, np.full_like(across, -3.3)], -1).reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.tile(np.float32([0, 0, 1.2]), (size * size, 1)), directions.astype(np.float32)


def shadow_rays(vertices: np.ndarray, triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """From points on the surface toward a camera."""
    generator = np.random.default_rng(7)
    chosen = np.sort(generator.integers(0, len(triangles), count))
    weights = generator.dirichlet([1, 1, 1], count)
    corners = vertices[triangles[chosen]]
    points = np.einsum("nij,ni->nj", corners, weights)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    toward = np.array([0.3, 0.1, 1.0]) - points
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    return (points + 1e-4 * normals).astype(np.float32), toward.astype(np.float32)


def embreex_caster(vertices: np.ndarray, triangles: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """embreex without a wrapper: primID per ray."""
    from embreex import rtcore_scene
    from embreex.mesh_construction import TriangleMesh

    scene = rtcore_scene.EmbreeScene()
    TriangleMesh(scene, vertices.astype(np.float32), triangles.astype(np.int32))
    return lambda origins, directions: scene.run(origins, directions, output=1)["primID"]


def trimesh_caster(vertices: np.ndarray, triangles: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """trimesh's intersector on top of embreex."""
    import trimesh
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    intersector = RayMeshIntersector(trimesh.Trimesh(vertices, triangles, process=False), scale_to_box=False)
    return lambda origins, directions: intersector.intersects_first(origins, directions)


def open3d_caster(vertices: np.ndarray, triangles: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Open3D's RaycastingScene (Embree 4, threaded)."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(vertices), o3d.core.Tensor(triangles.astype(np.uint32)))

    def cast(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        found = scene.cast_rays(o3d.core.Tensor(np.concatenate([origins, directions], 1)))
        triangle = found["primitive_ids"].numpy()
        return np.where(triangle == o3d.t.geometry.RaycastingScene.INVALID_ID, -1, triangle.astype(np.int64))

    return cast


def our_caster(vertices: np.ndarray, triangles: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """render/raycast.py: embreex in batches on threads, with barycentrics."""
    from avatar3d.render.raycast import Scene

    scene = Scene(vertices, triangles)
    return lambda origins, directions: scene.cast(origins, directions).triangle


CASTERS = {
    "embreex": embreex_caster,
    "render.raycast": our_caster,
    "trimesh + embreex": trimesh_caster,
    "open3d": open3d_caster,
}


def measure() -> list[dict[str, Any]]:
    """One row per caster."""
    model = load_ict()
    vertices, triangles = model.rest, model.triangles
    workloads = {"picture": primary_rays(512), "shadow": shadow_rays(vertices, triangles, 700_000)}
    rows: list[dict[str, Any]] = []
    reference: dict[str, np.ndarray] = {}
    for name, build in CASTERS.items():
        began = time.perf_counter()
        cast = build(vertices, triangles)
        cast(*(part[:1] for part in workloads["picture"]))
        row: dict[str, Any] = {"caster": name, "import and build, ms": 1e3 * (time.perf_counter() - began)}
        for workload, rays in workloads.items():
            seconds = []
            for _ in range(_RUNS):
                began = time.perf_counter()
                found = cast(*rays)
                seconds.append(time.perf_counter() - began)
            reference.setdefault(workload, found)
            row[f"{workload}, Mrays/s"] = len(rays[0]) / min(seconds) / 1e6
            row[f"{workload}, same triangle"] = float((found == reference[workload]).mean())
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    rows = measure()
    for row in rows:
        print(
            "  ".join(
                f"{key}: {value:.4g}" if isinstance(value, float) else f"{value:18}" for key, value in row.items()
            )
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
