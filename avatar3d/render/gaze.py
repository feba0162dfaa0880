"""What the eyes' joints of an avatar must turn, so that its eyeballs look along a clip's gazes.

A frame gives the whole gaze of each eye, and eyeLook weights that belong to it. In our heads those weights turn the
eyeballs already (the lids must go with them), so a joint that turned the whole gaze would turn them twice. The joint gets
what is left, as in head/deform.py:

    gaze = joint * turned already; the latter is the eyeball's own rotation under the weights, from its morphs (Kabsch 1976)

An eyeball without morphs leaves the whole gaze to its joint.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.spatial.transform import Rotation

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX

# A vertex that hangs on the joint further than this is the eyeball's.
_HELD: Final = 0.5


@dataclass(frozen=True, eq=False)
class Eyeball:
    """How the 52 weights turn one eyeball of an avatar."""

    still: Float64[np.ndarray, "3 3"]
    """Sum of (arm) (arm at rest)^T over its vertices at rest ..."""
    moving: Float64[np.ndarray, "52 3 3"]
    """... and what each shape adds to it; identity and nothing for an eyeball without morphs."""

    @classmethod
    def of(cls, avatar: Avatar, joint: str) -> "Eyeball":
        """What hangs on that joint."""
        number = avatar.skeleton.names.index(joint)
        still, moving = np.zeros((3, 3)), np.zeros((len(ARKIT_INDEX), 3, 3))
        for mesh in avatar.meshes:
            held = (mesh.weights * (mesh.joints == number)).sum(1) > _HELD
            if not mesh.morph_names or not held.any():
                continue
            rest = mesh.positions[held].astype(np.float64)
            arms = rest - rest.mean(0)
            still += arms.T @ arms
            for name, morph in zip(mesh.morph_names, mesh.morphs[:, held].astype(np.float64), strict=True):
                if name in ARKIT_INDEX:
                    moving[ARKIT_INDEX[name]] += (morph - morph.mean(0)).T @ arms
        return cls(still if still.any() else np.eye(3), moving)

    def left_to_turn(
        self, weights: Float32[np.ndarray, "T 52"], gaze_wxyz: Float32[np.ndarray, "T 4"]
    ) -> Float32[np.ndarray, "T 4"]:
        """Rotations of its joint relative to rest, unit quaternions wxyz."""
        together = self.still + np.einsum("ts,sij->tij", weights.astype(np.float64), self.moving)
        already = Rotation.from_matrix(_nearest_rotations(together))
        gaze = Rotation.from_quat(gaze_wxyz[:, [1, 2, 3, 0]])
        return (gaze * already.inv()).as_quat()[:, [3, 0, 1, 2]].astype(np.float32)


def _nearest_rotations(covariances: Float64[np.ndarray, "T 3 3"]) -> Float64[np.ndarray, "T 3 3"]:
    u, _, vt = np.linalg.svd(covariances)
    signs = np.ones((len(u), 3))
    signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    return (u * signs[:, None]) @ vt
