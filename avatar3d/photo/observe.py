"""Find the face in a photo, measure it, and refuse what cannot become an avatar, with numbers.

(First version: crop and mesh; the gates follow.)
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.core.errors import NoFaceError
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.photo.mediapipe import FaceBox, detect_faces, mesh_landmarks, person_mask

CROP_PX = 512


def observe_face(photo: Photo, *, face: str = "only") -> FaceObservation:
    """The one face of a photo (or the chosen one): landmarks, relative depth, person mask, warnings."""
    boxes = detect_faces(photo.pixels, full_range=True) or detect_faces(photo.pixels, full_range=False)
    if not boxes:
        raise NoFaceError(f'"{photo.name}": no face was found.', hint="Take a new picture, face to the camera.")
    box = max(boxes, key=lambda b: b.side)
    landmarks = _landmarks(photo.pixels, box)
    if landmarks is None:
        raise NoFaceError(f'"{photo.name}": no face was found.', hint="Take a new picture, face to the camera.")
    return FaceObservation(
        photo=photo,
        landmarks_px=np.ascontiguousarray(landmarks[:, :2]),
        depth_px=np.ascontiguousarray(landmarks[:, 2]),
        person=person_mask(photo.pixels) > 0.5,
    )


def _landmarks(pixels: UInt8[np.ndarray, "H W 3"], box: FaceBox) -> Float32[np.ndarray, "478 3"] | None:
    side = box.side * 2
    centre = np.array([box.left + box.side / 2, box.top + box.side / 2])
    scale = CROP_PX / side
    matrix = np.array([[scale, 0, -scale * (centre[0] - side / 2)], [0, scale, -scale * (centre[1] - side / 2)]])
    matrix[:, 2] += 0.5 * scale - 0.5  # OpenCV's pixel centres are integers, ours are integers + 0.5
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    crop = cv2.warpAffine(pixels, matrix, (CROP_PX, CROP_PX), flags=how, borderMode=cv2.BORDER_REPLICATE)
    points = mesh_landmarks(crop)
    if points is None:
        return None
    points /= np.float32(scale)
    points[:, :2] += np.float32(centre - side / 2)
    return points
