"""What people do to a face's mesh, without a modelling program: sculpted, refined, coarsened, cut, fused."""

from collections.abc import Callable

import numpy as np
import open3d as o3d

from avatar3d.carry.sheet import Sheet, welded
from avatar3d.core.avatar import Avatar
from avatar3d.core.edited import EditedMesh


def as_edited(points: np.ndarray, triangles: np.ndarray, source: np.ndarray | None = None) -> EditedMesh:
    """A triangle mesh with no UVs worth the name."""
    return EditedMesh(
        part="face",
        positions=np.ascontiguousarray(points, np.float32),
        corners=np.ascontiguousarray(triangles, np.int32).ravel(),
        polygon_starts=np.arange(0, 3 * len(triangles), 3, dtype=np.int32),
        uvs=np.zeros((3 * len(triangles), 2), np.float32),
        source=np.full(len(points), -1, np.int32) if source is None else source.astype(np.int32),
        locked_names=(),
        locked=np.zeros((0, len(points), 3), np.float32),
    )


def face_sheet(avatar: Avatar) -> Sheet:
    face = avatar.mesh("face")
    return welded(face.positions, face.triangles)[0]


def _open3d(sheet: Sheet) -> o3d.geometry.TriangleMesh:
    return o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(sheet.points), o3d.utility.Vector3iVector(sheet.triangles.astype(np.int32))
    )


def _sheet(mesh: o3d.geometry.TriangleMesh) -> Sheet:
    mesh.remove_degenerate_triangles().remove_unreferenced_vertices()
    return Sheet(np.asarray(mesh.vertices).copy(), np.asarray(mesh.triangles).astype(np.int64))


def subdivided(sheet: Sheet) -> Sheet:
    """Each triangle in four; vertices in between are new."""
    return _sheet(_open3d(sheet).subdivide_midpoint(1))


def decimated(sheet: Sheet, share: float) -> Sheet:
    """Quadric decimation: fewer triangles, vertices elsewhere."""
    return _sheet(_open3d(sheet).simplify_quadric_decimation(round(share * len(sheet.triangles)), boundary_weight=10.0))


def retriangulated(sheet: Sheet, seed: int) -> Sheet:
    """Another triangulation of the same surface: refined, every vertex slid along it at random, and coarsened again."""
    fine = subdivided(sheet)
    rng = np.random.default_rng(seed)
    mean = fine.laplacian
    aside = -(mean @ fine.points) * rng.uniform(-0.5, 1.0, (len(fine.points), 1))
    aside += rng.normal(0, 0.0004, fine.points.shape)
    aside -= (aside * fine.normals).sum(1, keepdims=True) * fine.normals
    aside[fine.on_rim] = 0
    slid = fine.points + aside
    back = sheet.nearest(slid, fine.normals, least_alike=0.5, turn_m=0.005)
    lost = back.distance_m > 0.0008
    return decimated(fine.moved(np.where(lost[:, None], fine.points, back.point)), 0.45)


def smoothed_finer(sheet: Sheet) -> Sheet:
    """Loop subdivision: smoother and a little smaller, as a modifier would make it."""
    return _sheet(_open3d(sheet).subdivide_loop(1))


def cut(sheet: Sheet) -> Sheet:
    """Without ears, neck and the back of the head."""
    middle = sheet.points[sheet.triangles].mean(1)
    low, high = sheet.points.min(0), sheet.points.max(0)
    keep = (
        (np.abs(middle[:, 0]) < 0.06) & (middle[:, 2] > 0.0) & (middle[:, 1] > low[1] + 0.5 * (high[1] - low[1]) * 0.9)
    )
    kept = Sheet(sheet.points, sheet.triangles[keep])
    return _sheet(_open3d(kept))


def fused(sheet: Sheet, cell_m: float = 0.004) -> Sheet:
    """Vertices within a cell made one, as voxels do: lips that touch become one."""
    return _sheet(_open3d(sheet).simplify_vertex_clustering(cell_m))


def sculpt(points: np.ndarray, normals: np.ndarray, seed: int, most_m: float = 0.006) -> np.ndarray:
    """A few broad strokes of a brush on the front of the face: where each point comes to lie."""
    rng = np.random.default_rng(seed)
    front = np.flatnonzero((points[:, 2] > 0.05) & (np.abs(points[:, 1]) < 0.11))
    moved = points.copy()
    for _ in range(5):
        centre = points[rng.choice(front)]
        width, height = rng.uniform(0.012, 0.03), rng.uniform(-most_m, most_m)
        near = np.exp(-((points - centre) ** 2).sum(1) / (2 * width**2))
        direction = np.average(normals, axis=0, weights=near + 1e-12)
        moved = moved + height * near[:, None] * direction / np.linalg.norm(direction)
    return moved


METHODS: dict[str, Callable[[Sheet, int], Sheet]] = {
    "subdivided": lambda sheet, _: subdivided(sheet),
    "Loop": lambda sheet, _: smoothed_finer(sheet),
    "retriangulated": retriangulated,
    "decimated to 70 %": lambda sheet, _: decimated(sheet, 0.7),
    "decimated to 40 %": lambda sheet, _: decimated(sheet, 0.4),
    "cut to the mask": lambda sheet, _: cut(sheet),
    "fused lips": lambda sheet, _: fused(sheet),
}
