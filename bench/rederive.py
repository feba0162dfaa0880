"""What a remeshed face loses: each of the 52 poses of the edited mesh against the same pose of the head it was made of.

    python -m bench.rederive [--heads 3]

Off: distance between the two posed surfaces, both ways, over what the shape moves by more than .05 mm; the surface at rest
is not the same either (a coarser mesh cuts corners), so the same distance at rest stands beside it. Nothing of the matching
that is measured takes part: where a lip went with the other one, the surfaces part. Sculpted: five strokes of up to 6 mm,
remeshed afterwards; the truth is the head's own topology sculpted alike and rigged anew.
"""

import argparse
import time
from dataclasses import replace
from typing import Any

import numpy as np

from avatar3d.carry.sheet import Sheet, welded
from avatar3d.core.avatar import Avatar, Material
from avatar3d.core.edited import EditedMesh
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model
from avatar3d.rederiving import rederive
from avatar3d.rig.assemble import PART_ORDER, cut_mesh, rig_neutral
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.rig.wet_line import wet_lines
from bench.measure import save_result, show
from bench.remeshes import METHODS, as_edited, face_sheet, sculpt

_MOVES_M = 5e-5


def bare_avatar(seed: int) -> Avatar:
    """Somebody of the head's own people, without a texture."""
    model = load_head_model()
    identity = np.random.default_rng(seed).normal(size=len(model.identity)).astype(np.float32) * (seed > 0)
    head = rig_neutral(model, shape_head(model, identity))
    meshes = [cut_mesh(model, head, part, Material(part)) for part in PART_ORDER]
    meshes.append(wet_lines(model, head.neutral, head.shapes, np.full(3, 0.5, np.float32)))
    return Avatar(f"head-{seed}", tuple(meshes), place_skeleton(model, head.neutral))


def to_surface(points: np.ndarray, sheet: Sheet) -> np.ndarray:
    """Distance to the nearest point, whichever way it looks; metres."""
    return sheet.nearest(points, np.zeros_like(points), least_alike=-2.0, turn_m=0.0).distance_m


def pose_errors(own: Sheet, own_shapes: np.ndarray, mesh: Sheet, shapes: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Distances between the posed surfaces, metres, both ways, of all shapes; `covered`: own vertices that the mesh has."""
    off = []
    for a, b in zip(own_shapes, shapes, strict=True):
        there, here = own.moved(own.points + a), mesh.moved(mesh.points + b)
        off.append(to_surface(here.points[np.linalg.norm(b, axis=1) > _MOVES_M], there))
        off.append(to_surface(there.points[covered & (np.linalg.norm(a, axis=1) > _MOVES_M)], here))
    return np.concatenate(off)


def sculpted_alike(avatar: Avatar, seed: int) -> tuple[Avatar, Sheet]:
    """The avatar with its own face sculpted and all derived anew, and that face."""
    face = avatar.mesh("face")
    own, number = welded(face.positions, face.triangles)
    points = sculpt(own.points, own.normals, seed)[number]
    uvs = np.zeros((face.triangles.size, 2), np.float32)
    starts = np.arange(0, face.triangles.size, 3, dtype=np.int32)
    edited = EditedMesh("face", points.astype(np.float32), face.triangles.ravel(), starts, uvs,
                        np.arange(len(points), dtype=np.int32), (), np.zeros((0, len(points), 3), np.float32))  # fmt: skip
    made = rederive(avatar, edited)
    changed = replace(face, positions=edited.positions, morphs=made.derived.shapes)
    whole = replace(made.avatar, meshes=(changed, *made.avatar.meshes[1:]))
    return whole, face_sheet(whole)


def measure(avatar: Avatar, truth: Avatar, mesh: Sheet, *, every: int = 1) -> dict[str, Any]:
    """One edited mesh of `avatar`; `truth` is what its poses should look like, of which every so-manieth is looked at."""
    began = time.perf_counter(), time.process_time()
    made = rederive(avatar, as_edited(mesh.points, mesh.triangles))
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    face = truth.mesh("face")
    own, number = welded(face.positions, face.triangles)
    first = np.zeros(len(own.points), int)
    first[number[::-1]] = np.arange(len(number))[::-1]
    covered = to_surface(own.points, mesh) < 0.0015
    theirs, ours = face.morphs[::every, first].astype(float), made.derived.shapes[::every].astype(float)
    off = 1000 * pose_errors(own, theirs, mesh, ours, covered)
    rest = 1000 * np.concatenate([to_surface(mesh.points, own), to_surface(own.points[covered], mesh)])
    contacts = made.report["contacts"]
    return {
        "vertices": len(mesh.points),
        "seconds": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "at_rest_mm": round(float(np.mean(rest)), 4),
        "median_mm": round(float(np.median(off)), 4),
        "p95_mm": round(float(np.percentile(off, 95)), 4),
        "p999_mm": round(float(np.percentile(off, 99.9)), 3),
        "reported_median_mm": (made.report["shape_error_mm"] or {}).get("median"),
        "filled": made.report["filled_share"],
        "contacts": sum(each["level"] == "pass" for each in contacts),
        "lips": contacts[0]["reason"],
        "warnings": made.report["warnings"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=3)
    count = parser.parse_args().heads
    rows: list[dict[str, Any]] = []
    for head in range(count):
        avatar = bare_avatar(head)
        own = face_sheet(avatar)
        truth, carved = sculpted_alike(avatar, head + 1)
        for name, remesh in METHODS.items():
            rows.append({"head": head, "mesh": name, **measure(avatar, avatar, remesh(own, head))})
            rows.append({"head": head, "mesh": f"sculpted, {name}", **measure(avatar, truth, remesh(carved, head))})
            print(rows[-2]["mesh"], rows[-2]["median_mm"], rows[-1]["median_mm"], flush=True)
    told = [
        {key: value for key, value in row.items() if key not in ("lips", "warnings", "reported_median_mm")}
        for row in rows
    ]
    show("remeshed faces, pose by pose", told)
    save_result("rederive", {"heads": count, "rows": rows})


if __name__ == "__main__":
    main()
