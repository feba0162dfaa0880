"""The few hundred points of a head model that the fit looks at."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.errors import ModelError
from avatar3d.core.head import HeadModel

# The first ten are irises, which turn with the eyeball and speak of gaze, not of shape.
SKIN_LANDMARKS: Final = 468
FEWEST_LANDMARKS: Final = 100
# The face's outline slides over the skin as the head turns; the rest are the "inner" landmarks. MediaPipe's own list.
FACE_OVAL: Final = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
                    176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
# Lid and lip lines, where a millimetre shows: they count more when the head is laid on the picture.
LIDS: Final = (246, 161, 160, 159, 158, 157, 173, 33, 7, 163, 144, 145, 153, 154, 155, 133,
               466, 388, 387, 386, 385, 384, 398, 263, 249, 390, 373, 374, 380, 381, 382, 362)  # fmt: skip
LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
               78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415)  # fmt: skip
# What landmarks on skin cannot tell, or what gaze decides: held at zero in the skin fit.
UNSEEN: Final = tuple(name for name in ARKIT_NAMES if name == "tongueOut" or name.startswith("eyeLook"))
SEEN: Final = np.array([ARKIT_INDEX[name] for name in ARKIT_NAMES if name not in UNSEEN], np.int32)
_IS_LOOK: Final = np.array([name.startswith("eyeLook") for name in ARKIT_NAMES], np.float32)


@dataclass(frozen=True, eq=False)
class LandmarkBasis:
    """The linear head restricted to its skin landmarks, metres, relative to their mean `centre`."""

    index: Int32[np.ndarray, "L"]
    """Which MediaPipe landmarks these are."""
    rest: Float64[np.ndarray, "L 3"]
    identity: Float64[np.ndarray, "K L 3"]
    expression: Float64[np.ndarray, "E L 3"]
    """Rows follow SEEN."""
    confidence: Float64[np.ndarray, "L"]
    centre: Float64[np.ndarray, "3"]
    looks: Float64[np.ndarray, "52 L 3"]
    """The shapes that gaze decides (eyeLook), zero for the others."""

    def points(
        self, identity: Float64[np.ndarray, "K"], expression: Float64[np.ndarray, "E"]
    ) -> Float64[np.ndarray, "L 3"]:
        """Landmarks of one head, metres, relative to `centre`."""
        moved = np.tensordot(identity, self.identity, 1) + np.tensordot(expression, self.expression, 1)
        return self.rest + moved

    def looking(self, weights: Float64[np.ndarray, "52"]) -> "LandmarkBasis":
        """The same head with its gaze turned: lids where the eyeLook weights put them."""
        return replace(self, rest=self.rest + np.tensordot(weights, self.looks, 1))


def landmark_basis(model: HeadModel) -> LandmarkBasis:
    """Gather the rows of the skin landmarks that the model can place (confidence above zero).

    Raises ModelError when the head was never calibrated.
    """
    index = np.flatnonzero(model.landmark_confidence[:SKIN_LANDMARKS] > 0).astype(np.int32)
    if len(index) < FEWEST_LANDMARKS:
        raise ModelError(
            f"the head {model.name!r} places {len(index)} landmarks, a fit needs {FEWEST_LANDMARKS}.",
            hint="Rebuild the head with calibrated landmarks (tools/head/landmarks.py).",
        )
    corners = model.triangles[model.landmark_triangles[index]]
    weights = model.landmark_barycentric[index].astype(np.float64)

    def at(field: np.ndarray) -> np.ndarray:
        return np.einsum("lc,...lcd->...ld", weights, field[..., corners, :].astype(np.float64))

    rest = at(model.rest)
    centre = rest.mean(0)
    return LandmarkBasis(
        index=index,
        rest=rest - centre,
        identity=at(model.identity),
        expression=at(model.expression[SEEN]),
        confidence=model.landmark_confidence[index].astype(np.float64),
        centre=centre,
        looks=at(model.expression * _IS_LOOK[:, None, None]),
    )
