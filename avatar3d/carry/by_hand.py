"""What hands made on a mesh, carried to what became of it: locked shapes and painted skin weights.

made on the edited mesh itself --> kept to the bit
made on the avatar's own mesh  --> carried by the matching of all other shapes
made on a remeshed one between --> that one laid and matched likewise
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from avatar3d.carry.derive import Laid, lay, match_all, read_off, read_weights
from avatar3d.carry.match import Match
from avatar3d.carry.sheet import Sheet, firsts, welded
from avatar3d.core.avatar import Mesh
from avatar3d.core.clock import Progress
from avatar3d.core.edited import EditedMesh, HeldMesh


@dataclass(frozen=True, eq=False)
class HeldMatch:
    """Where each edited vertex lies on the mesh that was remeshed before."""

    laid: Laid
    found: Match
    first: Int64[np.ndarray, "W"]
    """A vertex of the held mesh for each welded one."""


def match_held(held: HeldMesh, mesh: Sheet, progress: Progress) -> HeldMatch:
    """The held mesh laid on the edited one."""
    own, number = welded(held.positions, held.triangles)
    first = firsts(number)
    laid = lay(own, mesh, np.full(len(mesh.points), -1, np.int64))
    return HeldMatch(laid, match_all(laid, list(held.parted[:, first]), progress), first)


def locked_shapes(
    edited: EditedMesh,
    laid: Laid,
    found: Match,
    held: HeldMatch | None,
    number: Int64[np.ndarray, "N"],
    place: Int64[np.ndarray, "V"],
    progress: Progress,
) -> Float32[np.ndarray, "L V 3"]:
    """Displacements of the locked shapes at the edited mesh's vertices, metres.

    number: welded vertex of each of the avatar's own. place: welded vertex of each edited one.
    """
    if not len(edited.locked_own):
        return edited.locked
    if held is not None:
        return read_off(held.laid, held.found, edited.locked_own[:, held.first], progress)[:, place]
    own = np.zeros((len(edited.locked_own), len(laid.own.points), 3), np.float32)
    own[:, number[edited.locked_rows]] = edited.locked_own
    return read_off(laid, found, own, progress)[:, place]


def skin_weights(
    edited: EditedMesh,
    laid: Laid,
    found: Match,
    held: HeldMatch | None,
    before: Mesh,
    number: Int64[np.ndarray, "N"],
    place: Int64[np.ndarray, "V"],
    joint_names: Sequence[str],
) -> tuple[Int32[np.ndarray, "V 4"], Float32[np.ndarray, "V 4"]]:
    """Joints of the skeleton and their weights at the edited mesh's vertices: painted ones, or the avatar's own."""
    first = firsts(number)
    joints, weights = before.joints[first], before.weights[first]
    if len(edited.bones):
        numbers = np.array([joint_names.index(name) for name in edited.bone_names], np.int32)
        painted = np.where(edited.bone_weights > 0, numbers[edited.bones], 0).astype(np.int32)
        if held is not None:
            laid, found, joints, weights = held.laid, held.found, painted[held.first], edited.bone_weights[held.first]
        elif not len(edited.bone_rows):
            return painted, edited.bone_weights
        else:
            joints[number[edited.bone_rows]] = painted
            weights[number[edited.bone_rows]] = edited.bone_weights
    there, share = read_weights(laid, found, joints, weights)
    return there[place], share[place]
