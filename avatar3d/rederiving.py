"""An avatar whose mesh somebody sculpted, remeshed or cut gets its shapes and weights back, on one page.

GLB, edited mesh -> own surface laid on it -> sculpted? the head rigged anew : its own shapes -> read off -> locked ones kept
                                                       +-> teeth, eyes, lashes, hair, joints follow
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int32, Int64
from threadpoolctl import threadpool_limits

from avatar3d.carry.by_hand import locked_shapes, match_held, skin_weights
from avatar3d.carry.derive import Laid, believable, lay, match_all, read_off, shape_errors, with_frames
from avatar3d.carry.match import Match
from avatar3d.carry.sheet import firsts, welded
from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.clock import Progress
from avatar3d.core.edited import EditedMesh, Rederived
from avatar3d.core.errors import UnreadableError
from avatar3d.formats.contacts import check_lids, check_lips
from avatar3d.formats.edited_npz import read_edited, write_arrays
from avatar3d.formats.gltf import load_glb
from avatar3d.rig.follow import own_head, resculpt
from avatar3d.rig.surface import smooth_normals

_PARTING: Final = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
_FACE: Final = "face"
_LARGER: Final = 4.0
"""An edited part is at most so many times as large, or small, as it was: else it counts in other units."""
_MM: Final = 1000.0


@dataclass(frozen=True, eq=False)
class Rederivation:
    """An edited mesh with all it needs, and what else must change with it."""

    edited: EditedMesh
    derived: Rederived
    avatar: Avatar
    """The avatar with every other part, and the joints, where the edit takes them; the edited part itself as it was."""
    report: dict[str, Any]


def rederive_files(glb: Path, edited: Path, out: Path, *, progress: Progress = str) -> dict[str, Any]:
    """Write RESULT.npz for an edited mesh (see docs/conventions.md) and return its report.

    Raises UnreadableError (10) for files that cannot be used, LimitError (12) for meshes too large.
    """
    progress("read")
    made = rederive(load_glb(glb), read_edited(edited), progress=progress)
    progress("write")
    report = {"result": str(out), **made.report}
    derived, avatar = made.derived, made.avatar
    arrays: dict[str, Any] = {
        "names": np.array(derived.names, dtype=np.str_),
        "shapes": derived.shapes,
        "joint_names": np.array(avatar.skeleton.names, dtype=np.str_),
        "joints": derived.joints,
        "weights": derived.weights,
        "normals": derived.normals,
        "filled": derived.filled,
        "distance_m": derived.moved_m,
        "locked_names": np.array(made.edited.locked_names, dtype=np.str_),
        "report": np.array(json.dumps(report)),
        "skeleton_names": np.array(avatar.skeleton.names, dtype=np.str_),
        "skeleton_positions": avatar.skeleton.positions,
    }
    others = [mesh for mesh in avatar.meshes if mesh.name != made.edited.part] if made.edited.part == _FACE else []
    arrays["follow_names"] = np.array([mesh.name for mesh in others], dtype=np.str_)
    for mesh in others:
        arrays[f"positions_{mesh.name}"] = mesh.positions
        if len(mesh.morphs):
            arrays[f"shapes_{mesh.name}"] = mesh.morphs
    write_arrays(out, arrays)
    return report


def rederive(avatar: Avatar, edited: EditedMesh, *, progress: Progress = str) -> Rederivation:
    """Shapes and weights for the edited part; the avatar's other parts where the edit takes them.

    Raises UnreadableError (10, EDITED_FOREIGN) for a part that the avatar has not.
    """
    began_s = time.perf_counter()
    with threadpool_limits(1):
        before = _part(avatar, edited)
        own, number = welded(before.positions, before.triangles)
        first = firsts(number)
        mesh, place = welded(edited.positions, edited.triangles())
        if not len(mesh.triangles):
            raise UnreadableError(
                "the edited mesh has no triangle with an area.", hint="Export it again.", id="EDITED_INVALID"
            )
        progress("lay")
        kept = _kept(edited, number, place, len(mesh.points))
        believed = believable(own, mesh, kept)
        laid = lay(own, mesh, kept if believed else np.full_like(kept, -1))
        parted = [
            before.morphs[before.morph_names.index(name)][first] for name in _PARTING if name in before.morph_names
        ]
        found = match_all(laid, parted, progress)
        shapes, after = before.morphs[:, first], avatar
        if before.name == _FACE and (head := own_head(avatar)) is not None and laid.sculpted.any():
            progress("rig")
            again = resculpt(avatar, head, laid.moves[number].astype(np.float32))
            shapes, after = (before.morphs + again.change)[:, first], again.avatar
        elif laid.sculpted.any():
            shapes = with_frames(laid, shapes)
        carried = read_off(laid, found, shapes, progress) if len(shapes) else shapes[:, :0]
        held = match_held(edited.held, mesh, progress) if edited.held is not None else None
        bound = skin_weights(edited, laid, found, held, before, number, place, avatar.skeleton.names)
        report = _report(laid, found, shapes, carried, before)
        locked = locked_shapes(edited, laid, found, held, number, place, progress)
        derived = _derived(edited, place, before.morph_names, carried, locked, bound, laid, found)
        progress("check")
        report |= _contacts(edited, derived, after, before)
        if not believed:
            report["warnings"].append(
                "What the edited mesh says its vertices were cannot be; they are matched by place."
            )
        report = {
            "part": edited.part,
            "vertices": len(edited.positions),
            "polygons": len(edited.polygon_starts),
            "seconds": round(time.perf_counter() - began_s, 3),
            "locked": list(edited.locked_names),
            **report,
        }
    return Rederivation(edited, derived, after, report)


def _part(avatar: Avatar, edited: EditedMesh) -> Mesh:
    names = [mesh.name for mesh in avatar.meshes]
    if edited.part not in names:
        raise UnreadableError(
            f"the avatar has no part {edited.part[:40]!r}; it has {', '.join(names)}.",
            hint="Give the avatar that the mesh was made of.",
            id="EDITED_FOREIGN",
        )
    before = avatar.mesh(edited.part)
    size, was = np.ptp(edited.positions, axis=0).max(), np.ptp(before.positions, axis=0).max()
    apart = np.linalg.norm(edited.positions.mean(0) - before.positions.mean(0))
    if size > 0 and (not was / _LARGER < size < _LARGER * was or apart > was):
        raise UnreadableError(
            f"the edited mesh is {size:.3g} m large and lies {apart:.3g} m away from {edited.part}, which is {was:.3g} m.",
            hint="Metres, +Y up, face to +Z, where the avatar stands: apply the object's scale and place before you export.",
            id="EDITED_FOREIGN",
        )
    last = max(each.max(initial=-1) for each in (edited.source, edited.locked_rows, edited.bone_rows))
    if last >= len(before.positions):
        raise UnreadableError(
            f"the edited mesh says it has vertex {last} of {edited.part}, which has {len(before.positions)}.",
            hint="Give the avatar that the mesh was made of.",
            id="EDITED_FOREIGN",
        )
    bones = [name for name in edited.bone_names if name not in avatar.skeleton.names]
    if bones:
        raise UnreadableError(
            f"skin weights were painted for {bones[0][:40]!r}, which is no bone of the avatar.",
            hint=f"Its bones: {', '.join(avatar.skeleton.names)}.",
            id="EDITED_FOREIGN",
        )
    return before


def _kept(
    edited: EditedMesh, number: Int64[np.ndarray, "N"], place: Int64[np.ndarray, "V"], count: int
) -> Int64[np.ndarray, "W"]:
    """For each welded vertex of the edited mesh the own welded vertex it was, -1 for a new one."""
    kept = np.full(count, -1, np.int64)
    told = edited.source >= 0
    kept[place[told]] = number[edited.source[told]]
    return kept


def _derived(
    edited: EditedMesh,
    place: Int64[np.ndarray, "V"],
    names: tuple[str, ...],
    carried: Float32[np.ndarray, "M W 3"],
    locked: Float32[np.ndarray, "L V 3"],
    bound: tuple[Int32[np.ndarray, "V 4"], Float32[np.ndarray, "V 4"]],
    laid: Laid,
    found: Match,
) -> Rederived:
    """Welded vertices back to those given; locked shapes as they came, also such as the avatar has not."""
    shapes = {name: carried[row][place] for row, name in enumerate(names)}
    shapes |= dict(zip(edited.locked_names, locked, strict=True))
    own = laid.own.nearest(laid.edited.points, laid.edited.normals, least_alike=0.0, turn_m=0.002).distance_m
    triangles = place[edited.triangles()].astype(np.int32)
    stacked = np.stack(list(shapes.values())) if shapes else np.zeros((0, len(place), 3), np.float32)
    return Rederived(
        names=tuple(shapes),
        shapes=stacked.astype(np.float32),
        joints=bound[0],
        weights=bound[1],
        normals=smooth_normals(laid.edited.points.astype(np.float32), triangles)[place],
        filled=~found.trusted[place],
        moved_m=own[place].astype(np.float32),
    )


def _report(
    laid: Laid, found: Match, shapes: Float32[np.ndarray, "M V 3"], carried: Float32[np.ndarray, "M W 3"], before: Mesh
) -> dict[str, Any]:
    """Distances in mm; what cannot be as it was, in sentences."""
    off = _MM * laid.own.nearest(laid.edited.points, laid.edited.normals, least_alike=0.0, turn_m=0.002).distance_m
    report: dict[str, Any] = {
        "surface_mm": {
            "median": _round(np.median(off)),
            "p95": _round(np.percentile(off, 95)),
            "max": _round(off.max()),
        },
        "filled_share": _round(np.mean(~found.trusted)),
        "sculpted_share": _round(np.mean(laid.sculpted > 0.5)),
        "shape_error_mm": None,
        "warnings": [],
    }
    if len(shapes):
        errors, at = shape_errors(laid, shapes, carried)
        if len(at):
            moving = np.linalg.norm(shapes[:, at], axis=2) > 1e-5
            each = {
                name: {
                    "median": _round(_MM * np.median(error[moves])),
                    "p95": _round(_MM * np.percentile(error[moves], 95)),
                }
                for name, error, moves in zip(before.morph_names, errors, moving, strict=True)
                if moves.any()
            }
            worst = max(each, key=lambda name: each[name]["p95"])
            every = _MM * errors[moving]
            report["shape_error_mm"] = {
                "median": _round(np.median(every)), "p95": _round(np.percentile(every, 95)), "worst_shape": worst,
                "worst_mm": each[worst]["p95"], "points": len(at), "each": each,
            }  # fmt: skip
    return report | {"warnings": _warnings(laid, found, before)}


def _warnings(laid: Laid, found: Match, before: Mesh) -> list[str]:
    said: list[str] = []
    lost = np.mean(~laid.met)
    if lost > 0.02:
        said.append(f"The edited mesh lacks {lost:.0%} of the part's surface; what is left moves as it did.")
    filled = np.mean(~found.trusted)
    if filled > 0.02:
        said.append(f"{filled:.0%} of the vertices match no point of the avatar: they move as their neighbours do.")
    joined = laid.edited.edges[found.torn]
    if before.name == _FACE and len(joined):
        middle = laid.edited.points[joined].mean(1)
        eyes = middle[:, 1] > before.positions[:, 1].max() - 0.16  # crown to eyes: 13 cm
        for where, count, shape in (("lips", (~eyes).sum(), "jawOpen"), ("lids", eyes.sum(), "a blink")):
            if count:
                said.append(
                    f"The two {where} are joined by {count} edges: {shape} stretches the skin between them. Cut them open."
                )
    return said


def _contacts(edited: EditedMesh, derived: Rederived, after: Avatar, before: Mesh) -> dict[str, Any]:
    """Whether lips and lids of the edited face meet, in the words of `avatar3d check`."""
    if edited.part != _FACE or derived.names[: len(ARKIT_NAMES)] != ARKIT_NAMES:
        return {}
    face = replace(
        before,
        positions=edited.positions,
        normals=derived.normals,
        uvs=np.zeros((len(edited.positions), 2), np.float32),
        triangles=edited.triangles(),
        morph_names=derived.names,
        morphs=derived.shapes,
        joints=derived.joints,
        weights=derived.weights,
    )
    joints = after.skeleton
    left, right = (joints.positions[joints.names.index(name)].astype(np.float64) for name in ("leftEye", "rightEye"))
    findings = [check_lips(face, left - right), *check_lids(face, joints)]
    return {"contacts": [finding.as_json() for finding in findings]}


def _round(value: Any) -> float:
    return round(float(value), 4)
