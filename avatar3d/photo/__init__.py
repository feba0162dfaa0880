"""The photo door: a file becomes a Photo, a Photo becomes a FaceObservation, or an error that says why not."""

from avatar3d.photo.load import decode_photo, load_photo
from avatar3d.photo.observe import observe_face

__all__ = ["decode_photo", "load_photo", "observe_face"]
