"""Find the face in a photo, measure it, and refuse what cannot become an avatar, with numbers."""

import numpy as np

from avatar3d.core.errors import NoFaceError
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.photo.faces import find_faces
from avatar3d.photo.mediapipe import person_mask


def observe_face(photo: Photo, *, face: str = "only") -> FaceObservation:
    """The one face of a photo (or the chosen one): landmarks, relative depth, person mask, warnings."""
    faces = find_faces(photo.pixels)
    if not faces.found:
        raise NoFaceError(f'"{photo.name}": no face was found.', hint="Take a new picture, face to the camera.")
    points = faces.found[0].landmarks.points_px
    return FaceObservation(
        photo=photo,
        landmarks_px=np.ascontiguousarray(points[:, :2]),
        depth_px=np.ascontiguousarray(points[:, 2]),
        person=person_mask(photo.pixels) > 0.5,
    )
