"""What a look at the picture tells of a person besides the landmarks: shading, outlines, how parts go together.

photo --aligned square, and its mirror image--> a face net's lower layers --+
                                                             landmarks --+--> linear regression --> identity

Like a glance at the landmarks (prior.py), the regression was learnt on renders of generated people (tools/head/noise.py);
the layers were learnt on photos. Where they see nothing like a face, the landmarks alone have to tell.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8
from safetensors.numpy import load_file

from avatar3d.core.photo import FaceObservation
from avatar3d.fit.basis import SKIN_LANDMARKS
from avatar3d.fit.prior import Glance
from avatar3d.fit.trunk import SIDE_PX, Trunk, run_trunk

_FOLDER: Final = Path(__file__).parents[1] / "head/data"
# Side of the square that the net was trained on, in sides of the box round its landmarks.
_REACH: Final = 1.5
_RIGHT_EYE, _LEFT_EYE = (33, 133), (263, 362)
# Root mean square of an answer in the spreads of the renders': theirs are .5 to 1.5, those of 95 portraits .5 to 1.2, a
# grey picture's 2.3.
_STRANGE: Final = 1.8


@dataclass(frozen=True, eq=False)
class Look:
    """A learnt linear regression from landmarks and what the net answers."""

    trunk: Trunk
    glance: Glance
    """The landmarks' part."""
    usual: Float64[np.ndarray, "F"]
    """The mean answer."""
    spread: Float64[np.ndarray, "F"]
    slopes: Float64[np.ndarray, "F K"]
    """Per spread."""
    mirrored: Float64[np.ndarray, "K K"]
    """identity @ this is that of the mirrored head."""

    def at(self, face: FaceObservation) -> Glance | None:
        """A glance at the landmarks of one picture that knows what the net sees in it; None if it sees no face."""
        seen = two_looks(self.trunk, face.photo.pixels, face.landmarks_px[:SKIN_LANDMARKS].astype(np.float64))
        answer = (seen - self.usual) / self.spread
        if np.sqrt((answer**2).mean()) > _STRANGE:
            return None
        straight, flipped = answer @ self.slopes
        return replace(self.glance, offset=self.glance.offset + (straight + flipped @ self.mirrored) / 2)


def two_looks(
    trunk: Trunk, pixels: UInt8[np.ndarray, "H W 3"], landmarks_px: Float64[np.ndarray, "468 2"]
) -> Float32[np.ndarray, "2 F"]:
    """The net's answers to the face and to its mirror image."""
    square = face_square(pixels, landmarks_px)
    return np.stack([run_trunk(trunk, square), run_trunk(trunk, np.ascontiguousarray(square[:, ::-1]))])


def face_square(
    pixels: UInt8[np.ndarray, "H W 3"], landmarks_px: Float64[np.ndarray, "468 2"]
) -> UInt8[np.ndarray, "192 192 3"]:
    """The face upright, as large as the net was trained to see it; black beyond the picture."""
    across = landmarks_px[list(_LEFT_EYE)].mean(0) - landmarks_px[list(_RIGHT_EYE)].mean(0)
    across /= np.linalg.norm(across)
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    turned = landmarks_px @ turn.T
    low, high = turned.min(0), turned.max(0)
    scale = SIDE_PX / (_REACH * float((high - low).max()))
    height, width = pixels.shape[:2]
    reduced = np.array([1.0, 1.0])
    if 2 * scale < 1:  # averaged first, so that no pixel is skipped
        size = max(1, round(2 * scale * width)), max(1, round(2 * scale * height))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        reduced = np.array(size) / [width, height]
    linear = turn * scale / reduced
    # OpenCV's pixel centres are integers, ours are integers + 0.5.
    offset = SIDE_PX / 2 - scale * (low + high) / 2 + linear @ [0.5, 0.5] - 0.5
    matrix = np.column_stack([linear, offset])
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR), np.uint8)


@lru_cache(maxsize=4)
def learnt_look(head: str) -> Look | None:
    """The regression learnt for a head; None for heads it was not learnt for."""
    path = _FOLDER / f"{head}_noise.safetensors"
    if not path.is_file():
        return None
    stored = {key: value.astype(np.float64) for key, value in load_file(path).items()}
    weights = {key.removeprefix("trunk."): stored[key].astype(np.float32) for key in stored if key.startswith("trunk.")}
    glance = Glance(stored["look.glance.offset"], stored["look.glance.slopes"])
    return Look(weights, glance, *(stored[f"look.{key}"] for key in ("usual", "spread", "slopes", "mirrored")))
