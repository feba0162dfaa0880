"""Parts of a face in the photo, as polygons of the 478 landmarks (MediaPipe's face mesh; sides are the person's)."""

from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.core.photo import FaceObservation

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
RIGHT_EYE: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE: Final = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_BROW: Final = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
LEFT_BROW: Final = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH_OPENING: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
NOSTRILS: Final = (98, 97, 2, 326, 327, 294, 278, 344, 440, 275, 4, 45, 220, 115, 48, 64)
# Chin and the corners of the jaw beside it: where beards grow.
CHIN: Final = (204, 182, 83, 18, 313, 406, 424, 431, 262, 428, 199, 208, 32, 211)
# Where skin is skin on nearly everyone: upper cheeks, the bridge and sides of the nose, between the brows.
SURE_SKIN: Final = (50, 280, 101, 330, 117, 346, 118, 347, 205, 425, 197, 195, 5, 9, 151, 36, 266)
RIGHT_IRIS: Final = (469, 470, 471, 472)
LEFT_IRIS: Final = (474, 475, 476, 477)


def fill_polygon(
    shape: tuple[int, int], points: Float32[np.ndarray, "K 2"], *, grow: float = 0.0, soften: float = 0.0
) -> Float32[np.ndarray, "H W"]:
    """1 inside the polygon (pixels, centres at integer + 0.5); grown (or shrunk) and blurred by pixels."""
    canvas = np.zeros(shape, np.uint8)
    fixed = np.round((points - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], (255,), lineType=cv2.LINE_AA, shift=4)
    if grow:
        radius = max(1, round(abs(grow)))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        canvas = cv2.dilate(canvas, kernel) if grow > 0 else cv2.erode(canvas, kernel)
    mask = canvas.astype(np.float32) / np.float32(255)
    return blur(mask, soften) if soften else mask


def blur(image: Float32[np.ndarray, "H W *C"], sigma: float) -> Float32[np.ndarray, "H W *C"]:
    """Gaussian blur, edges replicated."""
    if sigma < 0.3:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def mouth_is_open(face: FaceObservation) -> bool:
    """Whether something shows between the lips: their gap exceeds 2 % of the inter-ocular distance."""
    gap = face.landmarks_px[[13, 82, 312]] - face.landmarks_px[[14, 87, 317]]
    return float(np.linalg.norm(gap, axis=1).mean()) > 0.02 * face.interocular_px
