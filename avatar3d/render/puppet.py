"""An avatar made ready to be posed for picture after picture: what never changes is worked out once.

weights --> bent vertices and normals --> openness to the sky --> skinned, seen by the camera
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render import raster
from avatar3d.render.occlusion import FINE, Sky, vertex_openness
from avatar3d.render.pose import tangents_of
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import Stage

_STILL_M: Final = 1e-6
"""A vertex that no shape moves further is not bent."""
_TURNED_AWAY: Final = -0.5
"""Cosine toward the eye below which a vertex cannot come to face it when the head turns."""
# Where openness changes when a face moves: skin that shapes move so far and that something is near to at rest ...
_RESTLESS_M: Final = 1.5e-3
_SHELTERED: Final = 0.97
_SKIN_FACING: Final = -0.2
# ... tongue and palate (of such least openness), which the jaw turns to the eye, and the front of the teeth.
_FLESH: Final = 0.5
_FLESH_FACING: Final = -0.5
_TEETH: Final = 0.7
_TEETH_FACING: Final = 0.3
_QUICK: Final = replace(FINE, rays=16)
"""Two thirds of the rays of a still: the way to a new openness is eased."""


@dataclass(frozen=True, eq=False)
class Puppet:
    """A stage, sorted by what bends."""

    stage: Stage
    tangents: Float32[np.ndarray, "V 4"]
    bending: Int32[np.ndarray, "B"]
    """The vertices that any shape moves."""
    shapes: Float32[np.ndarray, "S B 3"]
    """Their displacements, metres."""
    skin: Int32[np.ndarray, "G 3"]
    """The triangles that have one of them."""
    restless: Int32[np.ndarray, "N"]
    """Vertices whose openness changes, one of each place."""
    followers: Int32[np.ndarray, "K"]
    """All vertices at those places,"""
    leaders: Int32[np.ndarray, "K"]
    """and which of `restless` each is."""
    shelter: Int32[np.ndarray, "T 3"]
    """The triangles near enough to hide the sky from any of them."""
    openness: Float32[np.ndarray, "V"]
    """At rest."""


@dataclass(frozen=True, eq=False)
class Pose:
    """A puppet as its shapes bend it, before its joints turn."""

    bent: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]


def make_puppet(stage: Stage, eye: Float32[np.ndarray, "3"]) -> Puppet:
    """The puppet of a stage that is looked at from the point `eye`."""
    moved = np.sqrt(np.square(stage.morphs).sum(axis=2).max(axis=0))
    bending = np.flatnonzero(moved > _STILL_M).astype(np.int32)
    toward = eye - stage.positions
    facing = (toward * stage.normals).sum(axis=1) / np.sqrt(np.square(toward).sum(axis=1))
    openness = np.ones(len(stage.positions), np.float32)
    chosen = np.flatnonzero(facing > _TURNED_AWAY).astype(np.int32)
    rest = Pose(stage.positions, stage.normals)
    openness[chosen] = _openness(stage, stage.triangles[stage.solid], rest, chosen, FINE)
    skin = (moved > _RESTLESS_M) & (openness < _SHELTERED) & (facing > _SKIN_FACING) & (stage.least_open == 0)
    skin &= _of(stage.triangles[stage.solid], len(moved))
    inside = (stage.least_open > 0) & (stage.least_open < _FLESH) & (facing > _FLESH_FACING)
    inside |= (stage.least_open >= _FLESH) & (stage.least_open < _TEETH) & (facing > _TEETH_FACING)
    restless, leaders = np.unique(stage.welded[skin | inside], return_inverse=True)
    return Puppet(
        stage,
        _tangents(stage),
        bending,
        np.ascontiguousarray(stage.morphs[:, bending]),
        np.ascontiguousarray(stage.triangles[_of(bending, len(moved))[stage.triangles].any(axis=1)]),
        restless.astype(np.int32),
        np.flatnonzero(skin | inside).astype(np.int32),
        leaders.ravel().astype(np.int32),
        _shelter(stage, restless),
        openness,
    )


def bend(puppet: Puppet, weights: Float32[np.ndarray, "S"]) -> Pose:
    """The puppet under the weights of its shapes."""
    stage = puppet.stage
    bent, normals, sums = stage.positions.copy(), stage.normals.copy(), np.empty_like(stage.positions)
    raster.bend_shapes(weights, puppet.shapes, puppet.bending, stage.positions, bent)
    raster.bend_normals(
        bent, puppet.skin, stage.welded, puppet.bending, stage.normals, stage.surface_normals, sums, normals
    )
    return Pose(bent, normals)


def find_openness(puppet: Puppet, pose: Pose) -> Float32[np.ndarray, "N"]:
    """Openness of the restless vertices in a pose."""
    return _openness(puppet.stage, puppet.shelter, pose, puppet.restless, FINE)


def renew_openness(
    puppet: Puppet, pose: Pose, last: Float32[np.ndarray, "N"], seen: Int32[np.ndarray, "K"]
) -> Float32[np.ndarray, "N"]:
    """The same, quicker: less exact, and where none of the `seen` triangles is, as it was last."""
    stage = puppet.stage
    shown = _of(stage.welded[stage.triangles[seen]], len(stage.positions))[puppet.restless]
    found = last.copy()
    found[shown] = _openness(stage, puppet.shelter, pose, puppet.restless[shown], _QUICK)
    return found


def place(
    puppet: Puppet,
    pose: Pose,
    openness: Float32[np.ndarray, "V"],
    rotations: Mapping[str, Float32[np.ndarray, "4"]],
    camera: Camera,
    lens: Float32[np.ndarray, "12"],
) -> Float32[np.ndarray, "V 16"]:
    """The vertices as the loops of raster.py want them; `rotations` (wxyz) by joint name, relative to rest."""
    stage = puppet.stage
    vertices = np.empty((len(stage.positions), raster.VERTEX), np.float32)
    vertices[:, raster.U], vertices[:, raster.V] = stage.uvs.T
    vertices[:, raster.OPENNESS] = openness
    vertices[:, raster.TANGENT + 3] = puppet.tangents[:, 3]
    raster.place_vertices(
        pose.bent,
        pose.normals,
        puppet.tangents,
        stage.joints,
        stage.weights,
        _moves(stage, rotations),
        lens,
        camera.translation_m,
        vertices,
    )
    return vertices


def _moves(stage: Stage, rotations: Mapping[str, Float32[np.ndarray, "4"]]) -> Float32[np.ndarray, "J 12"]:
    """What each joint does to the vertices that hang on it: a 3x4 matrix, row by row."""
    skeleton = stage.skeleton
    moves = np.zeros((len(skeleton.names), 3, 4), np.float32)
    for joint, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        before = moves[parent] if parent >= 0 else np.eye(3, 4, dtype=np.float32)
        moves[joint] = before
        if name in rotations:
            at = skeleton.positions[joint]
            turn = before[:, :3] @ matrix_from_quaternion(rotations[name])
            moves[joint, :, :3] = turn
            moves[joint, :, 3] = before[:, :3] @ at + before[:, 3] - turn @ at
    return moves.reshape(-1, 12)


def _openness(
    stage: Stage, triangles: Int32[np.ndarray, "T 3"], pose: Pose, chosen: Int32[np.ndarray, "N"], sky: Sky
) -> Float32[np.ndarray, "N"]:
    if not len(chosen):
        return np.ones(0, np.float32)
    found = vertex_openness(Scene(pose.bent, triangles), pose.bent, pose.normals, stage.welded[chosen], sky)
    return np.maximum(found, stage.least_open[chosen])


def _shelter(stage: Stage, restless: Int32[np.ndarray, "N"]) -> Int32[np.ndarray, "T 3"]:
    """The solid triangles in the box around the restless vertices, widened by the reach of occlusion."""
    solid = stage.triangles[stage.solid]
    if not len(restless):
        return solid[:0]
    reach = np.float32(FINE.reach_m)
    low, high = stage.positions[restless].min(axis=0) - reach, stage.positions[restless].max(axis=0) + reach
    within: Bool[np.ndarray, "V"] = ((stage.positions > low) & (stage.positions < high)).all(axis=1)
    return np.ascontiguousarray(solid[within[solid].any(axis=1)])


def _of(members: Int32[np.ndarray, "*N"], count: int) -> Bool[np.ndarray, "V"]:
    """Membership as a mask."""
    mask = np.zeros(count, bool)
    mask[members] = True
    return mask


def _tangents(stage: Stage) -> Float32[np.ndarray, "V 4"]:
    """Tangents at rest of the meshes that have relief."""
    tangents = np.zeros((len(stage.positions), 4), np.float32)
    rough = np.array([bool(surface.normal) for surface in stage.surfaces])
    triangles = stage.triangles[rough[stage.triangle_mesh]]
    used = np.unique(triangles)
    tangents[used] = tangents_of(stage.positions, stage.normals, stage.uvs, triangles)[used]
    return tangents
