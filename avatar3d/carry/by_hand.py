"""What hands made on a mesh, carried to what became of it: locked shapes and painted skin weights.

made on the edited mesh itself --> kept to the bit
made on the avatar's own mesh  --> carried by the matching of all other shapes
made on a remeshed one between --> that one laid and matched likewise
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int32, Int64

from avatar3d.carry.derive import Laid, lay, match_all, read_off, read_weights
from avatar3d.carry.match import Match
from avatar3d.carry.sheet import Sheet, welded
from avatar3d.core.avatar import Mesh
from avatar3d.core.clock import Progress
from avatar3d.core.edited import EditedMesh, HeldMesh


def locked_shapes(
    edited: EditedMesh,
    laid: Laid,
    found: Match,
    number: Int64[np.ndarray, "N"],
    place: Int64[np.ndarray, "V"],
    progress: Progress,
) -> Float32[np.ndarray, "L V 3"]:
    """Displacements of the locked shapes at the edited mesh's vertices, metres.

    number: welded vertex of each of the avatar's own. place: welded vertex of each edited one.
    """
    if not len(edited.locked_own):
        return edited.locked
    if edited.held is not None:
        return _carried(edited.held, edited.locked_own, laid.edited, progress)[:, place]
    own = np.zeros((len(edited.locked_own), len(laid.own.points), 3), np.float32)
    own[:, number[edited.locked_rows]] = edited.locked_own
    return read_off(laid, found, own, progress)[:, place]


def skin_weights(
    edited: EditedMesh,
    laid: Laid,
    found: Match,
    before: Mesh,
    number: Int64[np.ndarray, "N"],
    place: Int64[np.ndarray, "V"],
    joint_names: Sequence[str],
) -> tuple[Int32[np.ndarray, "V 4"], Float32[np.ndarray, "V 4"]]:
    """Joints of the skeleton and their weights at the edited mesh's vertices: painted ones, or the avatar's own."""
    first = np.zeros(len(laid.own.points), np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    joints, weights = before.joints[first], before.weights[first]
    if len(edited.bones):
        numbers = np.array([joint_names.index(name) for name in edited.bone_names], np.int32)
        painted = np.where(edited.bone_weights > 0, numbers[edited.bones], 0).astype(np.int32)
        if not len(edited.bone_rows):
            return painted, edited.bone_weights
        joints[number[edited.bone_rows]] = painted
        weights[number[edited.bone_rows]] = edited.bone_weights
    there, share = read_weights(laid, found, joints, weights)
    return there[place], share[place]


def _carried(
    held: HeldMesh, shapes: Float32[np.ndarray, "L U 3"], mesh: Sheet, progress: Progress
) -> Float32[np.ndarray, "L W 3"]:
    """Shapes of a mesh that is neither the avatar's nor the edited one."""
    own, number = welded(held.positions, held.triangles)
    first = np.zeros(len(own.points), np.int64)
    first[number[::-1]] = np.arange(len(number))[::-1]
    laid = lay(own, mesh, np.full(len(mesh.points), -1, np.int64))
    found = match_all(laid, list(held.parted[:, first]), progress)
    return read_off(laid, found, shapes[:, first], progress)
