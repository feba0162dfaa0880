"""A stage in one pose, as light meets it.

weights, rotations --> vertices, normals --> openness to the sky, or what a resting pose had where nothing near moved
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.occlusion import Sky, vertex_openness
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import Stage, gather, unit, vertex_normals

_TURNED_AWAY = 0.2
"""Cosine beyond which a vertex faces away so far that no visible triangle has it."""
_STILL_PX = 0.03
"""Less is no movement."""
_COVERING_PX = 0.7
"""What moves less covers no more sky than before, but for itself."""
_STILL = 1 / 128
"""Nor is this a change of a normal or of openness: a level or two."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A stage in one pose."""

    vertices: Float32[np.ndarray, "V 3"]
    normals: Float32[np.ndarray, "V 3"]
    openness: Float32[np.ndarray, "V"]
    """1 under the open sky, 0 in a closed mouth; ones when no occlusion was asked for and where nobody looks."""

    def steps_from(self, other: "Posed") -> Float32[np.ndarray, "V"]:
        """How far each vertex lies from where another pose has it, metres."""
        return np.sqrt(np.square(self.vertices - other.vertices) @ np.ones(3, np.float32))

    def differs_from(self, other: "Posed", pixel_m: float) -> Bool[np.ndarray, "V"]:
        """The vertices that light meets in another way than in another pose, seen in pixels so wide."""
        turned = np.abs(self.normals - other.normals).max(axis=1) > _STILL
        return (
            (self.steps_from(other) > _STILL_PX * pixel_m) | turned | (np.abs(self.openness - other.openness) > _STILL)
        )


def pose_stage(
    stage: Stage,
    weights: Float32[np.ndarray, "K"] | None,
    rotations: Mapping[str, Float32[np.ndarray, "4"]],
    eye: Float32[np.ndarray, "3"],
    *,
    sky: Sky | None,
    near: Posed | None = None,
    pixel_m: float,
) -> Posed:
    """Blendshapes, then linear blend skinning, then normals of the result, then occlusion.

    Occlusion is found only for vertices that face the point `eye`, and not at all without a sky. With another pose
    `near` this one, it is found only where something within its reach moved, seen in pixels `pixel_m` wide.
    """
    vertices = stage.positions
    if weights is not None and np.any(weights):
        active = np.flatnonzero(weights)
        moved = np.tensordot(weights[active], stage.morphs[active], axes=1)
        vertices = (vertices + moved).astype(np.float32)
    if rotations:
        vertices = _skin(stage, vertices, rotations)
    normals = stage.normals
    if vertices is not stage.positions:
        turned = vertex_normals(vertices, stage.triangles, stage.welded) - stage.surface_normals
        normals = unit(normals + turned)  # the mesh keeps its own normals, turned as its surface turned
    posed = Posed(vertices, normals, np.ones(len(vertices), np.float32) if near is None else near.openness)
    if sky is None:
        return posed
    chosen = ((eye - vertices) * normals).sum(axis=1) > -_TURNED_AWAY * np.linalg.norm(eye)
    if near is not None:
        steps = posed.steps_from(near)
        chosen &= (steps > _STILL_PX * pixel_m) | _in_reach(vertices, steps > _COVERING_PX * pixel_m, sky)
    return replace(posed, openness=_occlude(stage, posed, np.flatnonzero(chosen).astype(np.int32), sky))


def _occlude(stage: Stage, posed: Posed, chosen: Int32[np.ndarray, "N"], sky: Sky) -> Float32[np.ndarray, "V"]:
    """Openness, anew where chosen: under the solid triangles that lie in reach."""
    openness = posed.openness.copy()
    if len(chosen):
        low, high = _reach_of(posed.vertices[chosen], sky)
        solid = stage.triangles[stage.solid]
        corners = [posed.vertices[solid[:, corner]] for corner in range(3)]
        casting = (np.maximum.reduce(corners) > low).all(axis=1) & (np.minimum.reduce(corners) < high).all(axis=1)
        scene = Scene(posed.vertices, solid[casting])
        found = vertex_openness(scene, posed.vertices, posed.normals, stage.welded[chosen], sky)
        openness[chosen] = np.maximum(found, stage.least_open[chosen])
    return openness


def _in_reach(vertices: Float32[np.ndarray, "V 3"], chosen: Bool[np.ndarray, "V"], sky: Sky) -> Bool[np.ndarray, "V"]:
    """The vertices in the box around the chosen ones, widened by the reach of occlusion."""
    if not chosen.any():
        return chosen
    low, high = _reach_of(vertices[chosen], sky)
    return ((vertices > low) & (vertices < high)).all(axis=1)


def _reach_of(
    points: Float32[np.ndarray, "N 3"], sky: Sky
) -> tuple[Float32[np.ndarray, "3"], Float32[np.ndarray, "3"]]:
    """Two corners of the box around the points, widened by the reach of occlusion."""
    return points.min(axis=0) - np.float32(sky.reach_m), points.max(axis=0) + np.float32(sky.reach_m)


def _skin(
    stage: Stage, vertices: Float32[np.ndarray, "V 3"], rotations: Mapping[str, Float32[np.ndarray, "4"]]
) -> Float32[np.ndarray, "V 3"]:
    """Linear blend skinning; joints not named keep their rest rotation."""
    skeleton = stage.skeleton
    turns = np.tile(np.eye(3, dtype=np.float32), (len(skeleton.names), 1, 1))
    places = skeleton.positions.copy()
    for joint, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        own = matrix_from_quaternion(rotations[name]) if name in rotations else np.eye(3, dtype=np.float32)
        if parent >= 0:
            places[joint] = places[parent] + turns[parent] @ (skeleton.positions[joint] - skeleton.positions[parent])
            turns[joint] = turns[parent] @ own
        else:
            turns[joint] = own
    skinned = np.zeros_like(vertices)
    for joint in range(len(skeleton.names)):
        share = (stage.weights * (stage.joints == joint)).sum(axis=1)
        members = np.flatnonzero(share)
        placed = (vertices[members] - skeleton.positions[joint]) @ turns[joint].T + places[joint]
        skinned[members] += share[members, None] * placed
    return skinned


def tangents_of(
    vertices: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    uvs: Float32[np.ndarray, "V 2"],
    triangles: Int32[np.ndarray, "F 3"],
) -> Float32[np.ndarray, "V 4"]:
    corners, places = vertices[triangles], uvs[triangles]
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    (u1, v1), (u2, v2) = (places[:, 1] - places[:, 0]).T, (places[:, 2] - places[:, 0]).T
    facing = np.sign(u1 * v2 - u2 * v1)[:, None]
    along_u = (edge1 * v2[:, None] - edge2 * v1[:, None]) * facing
    along_v = (edge2 * u1[:, None] - edge1 * u2[:, None]) * facing
    both = gather(triangles, np.concatenate([along_u, along_v], axis=1), len(vertices))
    tangents = both[:, :3] - normals * (normals * both[:, :3]).sum(axis=1, keepdims=True)
    up = -(np.cross(normals, tangents) * both[:, 3:]).sum(axis=1)
    return np.concatenate([unit(tangents), np.where(up < 0, -1, 1)[:, None]], axis=1).astype(np.float32)
