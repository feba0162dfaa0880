"""What the 52 shapes of some meshes do, as one cloud of moving points."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from avatar3d.core.avatar import Mesh, Skeleton

_FURTHEST: Final = 0.7
"""The part of a shape's peak from which on a vertex counts as moved furthest."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Morphing meshes as one cloud: all of them, or the face alone."""

    face_alone: bool
    positions: Float64[np.ndarray, "V 3"]
    """IOU from the point between the eyes."""
    across: Float64[np.ndarray, "3"]
    """From the right eye to the left one, metres."""
    on_eyes: Bool[np.ndarray, "V"]
    """Whether it hangs on an eye's joint."""
    morphs: Float64[np.ndarray, "52 V 3"]
    """Metres."""

    def centre(self, shape: int) -> Float64[np.ndarray, "3"]:
        """Where the motion is, weighted by its energy."""
        energy = self.energy(shape)
        return energy @ self.positions / energy.sum()

    def energy(self, shape: int) -> Float64[np.ndarray, "V"]:
        """Squared displacement, square metres."""
        return self._energies[shape]

    @cached_property
    def peaks(self) -> Float64[np.ndarray, "52"]:
        """How far each shape's most moved vertex goes, metres."""
        return np.sqrt(self._energies.max(axis=1))

    @cached_property
    def _energies(self) -> Float64[np.ndarray, "52 V"]:
        return np.einsum("svc,svc->sv", self.morphs, self.morphs)

    def push(self, shape: int) -> Float64[np.ndarray, "3"]:
        """Mean displacement of what moves furthest: the tongue's tip, though the jaw goes back for it."""
        length = np.sqrt(self.energy(shape))
        return self.morphs[shape][length > _FURTHEST * length.max()].mean(axis=0)


def measure_motion(meshes: list[Mesh], skeleton: Skeleton, *, face_alone: bool) -> Motion:
    """The motion of meshes that all carry the 52 shapes."""
    left, right = (
        skeleton.positions[skeleton.names.index(name)].astype(np.float64) for name in ("leftEye", "rightEye")
    )
    eyes = [skeleton.names.index(name) for name in ("leftEye", "rightEye")]
    positions = np.concatenate([mesh.positions for mesh in meshes]).astype(np.float64)
    on_eyes = [(mesh.weights * np.isin(mesh.joints, eyes)).sum(axis=1) > 0.5 for mesh in meshes]
    return Motion(
        face_alone=face_alone,
        positions=(positions - (left + right) / 2) / np.linalg.norm(left - right),
        across=left - right,
        on_eyes=np.concatenate(on_eyes),
        morphs=np.concatenate([mesh.morphs for mesh in meshes], axis=1).astype(np.float64),
    )
