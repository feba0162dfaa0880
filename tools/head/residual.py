"""Check the carried linear model on heads registered on their own.

    random ICT identity --> its true surface --> the topology registered to it independently (non-rigid ICP)
                        \\-> our linear head with the same coefficients

Distances, mm: our linear head's vertices to ICT's true surface (what carrying costs), ICT's vertices in the face to our
surface (what the coarser mesh costs), the independent registration to ICT's surface (what registering costs), and vertex
to vertex between the two (how far correspondence drifts along the skin when each head is registered anew).
"""

from dataclasses import replace

import numpy as np

from avatar3d.core.head import HeadModel
from tools.head.parts.source import IctSource
from tools.head.register import Skin, register, similarity, skin_of
from tools.head.surface import closest_points, triangulate, vertex_normals
from tools.head.uv import face_region

HEADS = 50
SEED = 20260


def report(
    ict: IctSource, model: HeadModel, target: Skin, members: np.ndarray, *, heads: int = HEADS
) -> dict[str, float]:
    """Print and return medians and 95th percentiles over all heads and skin vertices, mm."""
    rng = np.random.default_rng(SEED)
    polygons = model.polygons[: _face_polygons(model)]
    count = int(polygons.max()) + 1
    triangles, _ = triangulate(polygons)
    target_triangles, _ = triangulate(target.polygons)
    at_border = np.isin(target_triangles, target.border).any(1)
    no_labels, no_triangle_labels = np.zeros(count, np.int32), np.zeros(len(target_triangles), np.int32)
    seen = face_region(target.vertices)
    names = ("linear to scan", "registered to scan", "scan to linear, face", "linear to registered")
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for _ in range(heads):
        weights = rng.normal(size=len(model.identity))
        truth = target.vertices + np.tensordot(weights, ict.identity[: len(weights), members].astype(float), 1)
        linear = model.rest[:count] + np.tensordot(weights, model.identity[:, :count].astype(float), 1)
        scan = replace(target, vertices=truth)
        start = model.rest[:count].astype(float)
        alone = register(_skin(model, count, polygons), scan, start=_aligned(start, linear)).vertices
        for name, head in (("linear to scan", linear), ("registered to scan", alone)):
            normals = vertex_normals(head, triangles)
            near = closest_points(head, normals, no_labels, truth, target_triangles, no_triangle_labels)
            good = (near.triangle >= 0) & ~at_border[near.triangle]
            found[name].append(near.distance[good])
        back = closest_points(
            truth[seen],
            vertex_normals(truth, target_triangles)[seen],
            np.zeros(seen.sum(), np.int32),
            linear,
            triangles,
            np.zeros(len(triangles), np.int32),
        )
        found["scan to linear, face"].append(back.distance[back.triangle >= 0])
        found["linear to registered"].append(np.linalg.norm(linear - alone, axis=1))
    summary: dict[str, float] = {}
    for name, values in found.items():
        every = np.concatenate(values) * 1e3
        summary[f"{name}, median"], summary[f"{name}, p95"] = float(np.median(every)), float(np.percentile(every, 95))
        print(f"{name}: median {np.median(every):.3f} mm, p95 {np.percentile(every, 95):.3f} mm ({heads} heads)")
    return summary


def _face_polygons(model: HeadModel) -> int:
    """The face part comes first; its polygons are those whose corners the other parts do not share."""
    skin = np.unique(model.triangles[model.part("face")])
    return int(np.isin(model.polygons[:, 0], skin).sum())


def _skin(model: HeadModel, count: int, polygons: np.ndarray) -> Skin:
    return skin_of(model.rest[:count].astype(float), polygons)


def _aligned(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """The mean head, as large and placed as the person's, so that only the shape is left to find."""
    scale, rotation, shift = similarity(start, goal)
    return scale * start @ rotation.T + shift
