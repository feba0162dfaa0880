"""The parametric head and the head fitted to one face."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.photo import Camera


@dataclass(frozen=True, eq=False)
class HeadModel:
    """A linear head: rest + identity modes + ARKit expressions, with skeleton, UVs and landmarks.

    Geometry vertices (V) are shared by every part; UVs are per corner, as in an OBJ file.
    Frame: glTF axes (+Y up, face looks to +Z, +X is the person's left), metres.
    """

    name: str
    licence: str
    rest: Float32[np.ndarray, "V 3"]
    """The mean head, neutral, metres."""
    identity: Float32[np.ndarray, "K V 3"]
    """Identity modes, each scaled so that its coefficient is N(0, 1) over people; metres."""
    expression: Float32[np.ndarray, "52 V 3"]
    """Displacements of the mean head in ARKIT_NAMES order, metres."""
    tongue: Float32[np.ndarray, "U V 3"]
    """The same in TONGUE_NAMES order, zero but for the tongue; U is 0 for a head without them."""
    polygons: Int32[np.ndarray, "P 4"]
    """Quads as modelled; the last index is -1 for a triangle."""
    triangles: Int32[np.ndarray, "F 3"]
    """The polygons split into triangles, counter-clockwise from outside."""
    triangle_uvs: Int32[np.ndarray, "F 3"]
    """Index into `uvs` per triangle corner."""
    uvs: Float32[np.ndarray, "T 2"]
    """glTF convention: (0, 0) is the image's upper left corner."""
    part_names: tuple[str, ...]
    """face, eyeLeft, eyeRight, teethUpper, teethLower, tongue, mouthCavity?, lashes, brows."""
    triangle_parts: Int32[np.ndarray, "F"]
    """Index into `part_names` per triangle."""
    mirror: Int32[np.ndarray, "V"]
    """The vertex on the other side of the sagittal plane (itself on the midline)."""
    joint_names: tuple[str, ...]
    joint_parents: Int32[np.ndarray, "J"]
    """-1 for the root."""
    joint_regressor: Float32[np.ndarray, "J V"]
    """joint positions = joint_regressor @ vertices."""
    skin_joints: Int32[np.ndarray, "V 4"]
    skin_weights: Float32[np.ndarray, "V 4"]
    """Sum to 1 per vertex."""
    landmark_triangles: Int32[np.ndarray, "478"]
    landmark_barycentric: Float32[np.ndarray, "478 3"]
    landmark_confidence: Float32[np.ndarray, "478"]
    """0 (ignore) to 1; zero for points this head cannot place."""

    def part(self, name: str) -> Int32[np.ndarray, "N"]:
        """Triangle indices of one part."""
        return np.flatnonzero(self.triangle_parts == self.part_names.index(name)).astype(np.int32)


@dataclass(frozen=True, eq=False)
class HeadFit:
    """A head model fitted to one face: who, with which expression, seen from where."""

    identity: Float32[np.ndarray, "K"]
    expression: Float32[np.ndarray, "52"]
    """ARKit weights of the photo's expression, [0, 1], on top of `resting`: of this person's own shapes."""
    resting: Float32[np.ndarray, "52"]
    """ARKit weights folded into `neutral`: how this person's lids rest. Zero but for the lids.
    neutral = shape_head(model, identity) + resting @ model.expression + bend_field(model, pins, pin_shifts_m)."""
    camera: Camera
    """The photo's camera in the head's own frame (the head stands still, the camera moves)."""
    left_eye_wxyz: Float32[np.ndarray, "4"]
    right_eye_wxyz: Float32[np.ndarray, "4"]
    """What the eye joints turn beyond the eyeLook weights of `expression`, which already turn the eyeballs."""
    neutral: Float32[np.ndarray, "V 3"]
    """This person's neutral head (their lids as they rest), metres."""
    posed: Float32[np.ndarray, "V 3"]
    """The head as the photo shows it: neutral + expression + gaze, same frame, metres."""
    residual_iod: float
    """Mean reprojection error of the inner landmarks over the inter-ocular distance."""
    smile_lean: float = 0.0
    """This person smiles more with the left corner: mouthSmileLeft is 1 + this times as strong as the model's,
    mouthSmileRight 1 - this."""
    pins: Int32[np.ndarray, "P"] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Landmarks that somebody put elsewhere by hand (MediaPipe's numbers) ..."""
    pin_shifts_m: Float32[np.ndarray, "P 3"] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    """... and how far the skin is bent there, beyond what identity and expression reach; metres."""
