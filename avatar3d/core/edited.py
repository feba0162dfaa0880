"""A part of an avatar after somebody sculpted, remeshed or cut it, and what was derived anew for it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Int32


@dataclass(frozen=True, eq=False)
class HeldMesh:
    """The mesh on which shapes and skin weights were made by hand, where that was remeshed, too, so that none of its vertices is the file's."""

    positions: Float32[np.ndarray, "U 3"]
    triangles: Int32[np.ndarray, "T 3"]
    parted: Float32[np.ndarray, "P U 3"]
    """Displacements that part what touches at rest: its jawOpen and blinks."""


@dataclass(frozen=True, eq=False)
class EditedMesh:
    """What comes back from a modelling program. Frame: glTF axes, metres."""

    part: str
    """Name of the avatar's mesh that this was made of."""
    positions: Float32[np.ndarray, "V 3"]
    corners: Int32[np.ndarray, "C"]
    """Vertex of every polygon corner."""
    polygon_starts: Int32[np.ndarray, "P"]
    """Where each polygon's corners begin; the last one ends with `corners`."""
    uvs: Float32[np.ndarray, "C 2"]
    """glTF convention, per corner."""
    source: Int32[np.ndarray, "V"]
    """The avatar's own vertex that this one was, -1 for a new one."""
    locked_names: tuple[str, ...]
    locked: Float32[np.ndarray, "L V 3"]
    """Shapes made by hand, displacements in metres: they are kept to the bit. Empty where `locked_own` tells them ..."""
    locked_rows: Int32[np.ndarray, "U"] = field(default_factory=lambda: np.zeros(0, np.int32))
    """... at these vertices of the avatar's own mesh, from which they are carried like all others ..."""
    locked_own: Float32[np.ndarray, "K H 3"] = field(default_factory=lambda: np.zeros((0, 0, 3), np.float32))
    """... by so much; metres. Or at the vertices of `held`, where that is told."""
    held: HeldMesh | None = None
    bone_names: tuple[str, ...] = ()
    """Joints of the skin weights that somebody painted; empty where nobody did."""
    bone_rows: Int32[np.ndarray, "R"] = field(default_factory=lambda: np.zeros(0, np.int32))
    """They stand at these vertices of the avatar's own mesh; empty where they stand at `held`'s, or, without one, at this mesh's."""
    bones: Int32[np.ndarray, "B 4"] = field(default_factory=lambda: np.zeros((0, 4), np.int32))
    """Numbers of `bone_names`."""
    bone_weights: Float32[np.ndarray, "B 4"] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """Each row's sum is 1."""

    def triangle_corners(self) -> Int32[np.ndarray, "F 3"]:
        """Polygons as fans of triangles: numbers of corners."""
        ends = np.append(self.polygon_starts[1:], len(self.corners))
        fans = np.maximum(ends - self.polygon_starts - 2, 0)
        start = np.repeat(self.polygon_starts, fans)
        step = np.arange(fans.sum()) - np.repeat(np.cumsum(fans) - fans, fans)
        return np.stack([start, start + step + 1, start + step + 2], axis=1).astype(np.int32)

    def triangles(self) -> Int32[np.ndarray, "F 3"]:
        """The same as vertices."""
        return self.corners[self.triangle_corners()]


@dataclass(frozen=True, eq=False)
class Rederived:
    """Shapes and skin weights of an edited mesh, a row per vertex of it."""

    names: tuple[str, ...]
    shapes: Float32[np.ndarray, "M V 3"]
    """Displacements, metres; those that were locked as they came."""
    joints: Int32[np.ndarray, "V 4"]
    weights: Float32[np.ndarray, "V 4"]
    """Sum to 1."""
    normals: Float32[np.ndarray, "V 3"]
    filled: Bool[np.ndarray, "V"]
    """Where no point of the avatar matched, so that its neighbours told."""
    moved_m: Float32[np.ndarray, "V"]
    """Distance from the surface that the avatar had."""
