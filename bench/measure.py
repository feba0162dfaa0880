"""What the benchmarks share: alignment, scan-to-mesh error, bootstrap, tables and result files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import cKDTree  # pyright: ignore[reportUnknownVariableType]

from avatar3d.fit.camera import rotation_matrix
from tools.head.open_skin import closest_barycentric

RESULTS: Final = Path(__file__).parent / "results"


def similarity(
    source: Float64[np.ndarray, "N 3"], target: Float64[np.ndarray, "N 3"], *, scale: bool
) -> Float64[np.ndarray, "4 4"]:
    """Least-squares rigid motion (and scale) of source onto target; Umeyama 1991."""
    a, b = source.mean(0), target.mean(0)
    u, s, vt = np.linalg.svd((target - b).T @ (source - a))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    factor = float((s * np.diag(sign)).sum() / ((source - a) ** 2).sum()) if scale else 1.0
    motion = np.eye(4)
    motion[:3, :3] = factor * u @ sign @ vt
    motion[:3, 3] = b - motion[:3, :3] @ a
    return motion


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh to measure against, its triangles in a tree."""

    corners: Float64[np.ndarray, "F 3 3"]
    normals: Float64[np.ndarray, "F 3"]
    tree: Any

    def nearest(self, points: Float64[np.ndarray, "N 3"]) -> tuple[Float64[np.ndarray, "N 3"], Int32[np.ndarray, "N"]]:
        """The nearest surface point (exact among the triangles with the 16 nearest middles) and its triangle."""
        around = np.asarray(self.tree.query(points, 16)[1])
        asked = np.repeat(points, 16, axis=0)
        candidates = self.corners[around].reshape(-1, 3, 3)
        places = np.einsum("nc,ncd->nd", closest_barycentric(asked, candidates), candidates)
        best = np.linalg.norm(places - asked, axis=1).reshape(-1, 16).argmin(1)
        rows = np.arange(len(points))
        return places.reshape(-1, 16, 3)[rows, best], around[rows, best].astype(np.int32)


def surface(vertices: Float64[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]) -> Surface:
    """A mesh ready to be measured against."""
    corners = vertices.astype(np.float64)[triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)
    return Surface(corners, normals, cKDTree(corners.mean(1)))


def scan_error_mm(scan: Float64[np.ndarray, "N 3"], mesh: Surface, *, rounds: int = 12) -> Float64[np.ndarray, "N"]:
    """Distance of every scan point to the mesh after ICP of the scan onto it, millimetres of the scan.

    Point to plane, Huber at 1 mm, with scale (a photo cannot tell the size of a head), from where the scan lies.
    """
    moved, size = scan.copy(), 1.0
    for _ in range(rounds):
        place, triangle = mesh.nearest(moved)
        normal = mesh.normals[triangle]
        middle = moved.mean(0)
        off = ((moved - place) * normal).sum(1)
        arm = moved - middle
        design = np.concatenate([np.cross(arm, normal), normal, (arm * normal).sum(1, keepdims=True)], axis=1)
        weight = np.minimum(1, 0.001 / np.maximum(np.abs(off), 1e-9))[:, None]
        step = np.linalg.solve(design.T @ (weight * design), -(design * weight).T @ off)
        moved = arm @ rotation_matrix(step[:3]).T * np.exp(step[6]) + middle + step[3:6]
        size *= float(np.exp(step[6]))
        if np.abs(step[3:6]).max() < 1e-6:
            break
    return 1000 * np.linalg.norm(moved - mesh.nearest(moved)[0], axis=1) / size


def paired_gain(before: Sequence[float], after: Sequence[float], *, seed: int = 0) -> tuple[float, float, float]:
    """Gain of `after` over `before` as a share of before: mean, and the 95 % paired bootstrap interval."""
    a, b = np.asarray(before), np.asarray(after)
    picks = np.random.default_rng(seed).integers(len(a), size=(10_000, len(a)))
    gains = 1 - b[picks].mean(1) / a[picks].mean(1)
    low, high = np.percentile(gains, [2.5, 97.5])
    return float(1 - b.mean() / a.mean()), float(low), float(high)


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """A plain table; floats to three places."""
    print(f"\n{title}")
    keys = list(rows[0])
    cells = [keys, *[[f"{v:.3f}" if isinstance(v := row[key], float) else str(v) for key in keys] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(keys))]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def save_result(name: str, result: dict[str, Any]) -> Path:
    """bench/results/NAME.json, which git ignores."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, default=float) + "\n")
    return path
