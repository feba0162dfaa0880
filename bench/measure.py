"""What the benchmarks share: alignment, scan-to-mesh error, bootstrap, tables and result files."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import cKDTree  # pyright: ignore[reportUnknownVariableType]

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


def nearest_on_mesh(
    points: Float64[np.ndarray, "N 3"], vertices: Float64[np.ndarray, "V 3"], triangles: Int32[np.ndarray, "F 3"]
) -> Float64[np.ndarray, "N 3"]:
    """The nearest surface point of a mesh to each point (exact among the 16 nearest triangles)."""
    corners = vertices[triangles]
    around = np.asarray(cKDTree(corners.mean(1)).query(points, 16)[1])
    asked = np.repeat(points, 16, axis=0)
    candidates = corners[around].reshape(-1, 3, 3)
    places = np.einsum("nc,ncd->nd", closest_barycentric(asked, candidates), candidates)
    best = np.linalg.norm(places - asked, axis=1).reshape(-1, 16).argmin(1)
    return places.reshape(-1, 16, 3)[np.arange(len(points)), best]


def scan_error_mm(
    scan: Float64[np.ndarray, "N 3"],
    vertices: Float64[np.ndarray, "V 3"],
    triangles: Int32[np.ndarray, "F 3"],
    *,
    scale: bool = False,
    rounds: int = 15,
) -> Float64[np.ndarray, "N"]:
    """Distance of every scan point to the mesh after ICP of the scan onto it (rigid unless `scale`), millimetres."""
    moved = scan
    for _ in range(rounds):
        motion = similarity(moved, nearest_on_mesh(moved, vertices, triangles), scale=scale)
        moved = moved @ motion[:3, :3].T + motion[:3, 3]
        if np.abs(motion - np.eye(4)).max() < 1e-6:
            break
    return 1000 * np.linalg.norm(moved - nearest_on_mesh(moved, vertices, triangles), axis=1)


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
