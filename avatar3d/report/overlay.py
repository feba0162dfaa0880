"""Drawings on the photo: where the face was seen, and how the fitted head lies on it."""

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from PIL import Image, ImageDraw

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation

_SEEN_COLOUR = (64, 220, 120)
_FITTED_COLOUR = (255, 90, 60)
_EDGE_COLOUR = (120, 200, 255)
# A head is about four inter-ocular distances tall; this leaves hair and chin in the crop.
_CROP_IOD = 2.6


def crop_face(face: FaceObservation, size_px: int) -> tuple[UInt8[np.ndarray, "S S 3"], Float32[np.ndarray, "2 3"]]:
    """A square of the photo around the face, and the affine map pixel_crop = A @ (x, y, 1)."""
    centre = face.landmarks_px[:468].mean(0)
    half = _CROP_IOD * face.interocular_px
    scale = size_px / (2 * half)
    corner = centre - half
    picture = Image.fromarray(face.photo.pixels)
    box = (float(corner[0]), float(corner[1]), float(corner[0] + 2 * half), float(corner[1] + 2 * half))
    inside = picture.transform((size_px, size_px), Image.Transform.EXTENT, box, Image.Resampling.BICUBIC)
    to_crop = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]], np.float32)
    return np.asarray(inside, np.uint8), to_crop


def draw_landmarks(
    face: FaceObservation, model: HeadModel, fitted: HeadFit, size_px: int
) -> UInt8[np.ndarray, "S S 3"]:
    """Observed landmarks (green), their fitted places (red) and the residual between (red line)."""
    pixels, to_crop = crop_face(face, size_px)
    corners = fitted.posed[model.triangles[model.landmark_triangles]]
    surface = np.einsum("nc,ncd->nd", model.landmark_barycentric, corners).astype(np.float32)
    placed = _map(to_crop, fitted.camera.project(surface))
    seen = _map(to_crop, face.landmarks_px)
    picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture)
    for index in np.flatnonzero(model.landmark_confidence > 0):
        pen.line([*map(float, seen[index]), *map(float, placed[index])], fill=_FITTED_COLOUR)
        pen.point([*map(float, placed[index])], fill=_FITTED_COLOUR)
        x, y = map(float, seen[index])
        pen.ellipse([x - 1, y - 1, x + 1, y + 1], fill=_SEEN_COLOUR)
    return np.asarray(picture, np.uint8)


def draw_mesh(face: FaceObservation, model: HeadModel, fitted: HeadFit, size_px: int) -> UInt8[np.ndarray, "S S 3"]:
    """The polygons of the fitted face that look at the camera, as lines over the photo."""
    pixels, to_crop = crop_face(face, size_px)
    flat = _map(to_crop, fitted.camera.project(fitted.posed))
    skin = np.unique(model.triangles[model.part("face")])
    polygons = model.polygons[np.isin(model.polygons[:, 0], skin)]
    picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture, "RGBA")
    for polygon in polygons[_faces_camera(fitted, polygons)]:
        ring = flat[polygon[polygon >= 0]]
        pen.polygon([tuple(map(float, point)) for point in ring], outline=(*_EDGE_COLOUR, 110))
    return np.asarray(picture, np.uint8)


def _map(to_crop: Float32[np.ndarray, "2 3"], points: Float32[np.ndarray, "N 2"]) -> Float32[np.ndarray, "N 2"]:
    return (points @ to_crop[:, :2].T + to_crop[:, 2]).astype(np.float32)


def _faces_camera(fitted: HeadFit, polygons: Int32[np.ndarray, "P 4"]) -> np.ndarray:
    corner, second, third = (fitted.posed[polygons[:, i]] for i in range(3))
    normals = np.cross(second - corner, third - corner)
    return np.einsum("nd,nd->n", normals, fitted.camera.position_m - corner) > 0
