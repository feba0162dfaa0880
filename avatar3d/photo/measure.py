"""Numbers about one face: pose, size, crop, sharpness, light, nearness, expression. No verdicts here: see gates.py.

How each number was calibrated stands in docs/decisions/0007-photo-gates.md. IOD is the inter-ocular distance.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.photo.landmarks import Landmarks
from avatar3d.photo.mediapipe import FaceBox
from avatar3d.photo.mesh_layout import (
    INNER_LIPS,
    LEFT_EYE_CORNERS,
    LEFT_LIDS,
    MOUTH_CORNERS,
    OVAL,
    RIGHT_EYE_CORNERS,
    RIGHT_LIDS,
)

_RIGID = np.array([33, 133, 362, 263, 168, 6, 197, 5, 4, 98, 327, 234, 454, 127, 356, 10, 67, 297, 50, 280, 70, 300])
"""Points that an expression hardly moves."""
_MEAN_FACE = np.array(
    [
        [-0.720, 0.062, -0.047], [-0.280, 0.033, 0.040], [0.280, 0.033, 0.040], [0.720, 0.062, -0.047],
        [0.000, 0.118, 0.334], [0.000, -0.003, 0.402], [0.000, -0.123, 0.477], [0.000, -0.353, 0.650],
        [0.000, -0.499, 0.683], [-0.324, -0.625, 0.244], [0.324, -0.625, 0.244], [-1.151, -0.250, -0.949],
        [1.151, -0.250, -0.949], [-1.158, -0.005, -0.859], [1.158, -0.005, -0.859], [0.000, 0.951, 0.302],
        [-0.574, 0.893, 0.160], [0.574, 0.893, 0.160], [-0.844, -0.438, 0.025], [0.844, -0.438, 0.025],
        [-0.929, 0.284, -0.037], [0.929, 0.284, -0.037],
    ]
)  # fmt: skip
"""Where they are on the mean of 94 portraits, in IODs, glTF axes; made symmetric, turned to the front."""
_YAW_SEEN = np.radians([0, 20, 39, 47.3, 54.5, 60.5])
_YAW_TRUE = np.radians([0, 20, 40, 50, 60, 70])
"""The mesh shrinks large turns; measured on five rendered heads."""
_PITCH_DOWN = 1.43
"""It also shrinks heads that look down: 20, 30, 40, 50 degrees are seen as 12, 20, 28, 35."""
_SHARPNESS_IOD_PX = 96.0
_EDGE_WIDTH = 0.0115
"""Blur with a Gaussian of s IODs gives about this over the edge measure (0.02 to 0.08 IOD: within 20 %)."""
_EYES_APART = 0.25
"""Of the detector's box; 0.4 on faces seen from the front."""
_NEARNESS_M = 0.0168
"""Distance in metres times the perspective found in the landmarks; five heads rendered at 0.2 to 0.5 m."""


@dataclass(frozen=True)
class FaceMeasures:
    """What the gates look at."""

    iod_px: float
    yaw_rad: float
    """Positive when the head is turned to the person's left."""
    pitch_rad: float
    """Positive when it looks up."""
    cut_chin: float
    cut_brow: float
    cut_side: float
    """How far the outline reaches beyond the picture, in IODs, below, above and at the sides of the face."""
    blur: float
    """Sigma of the Gaussian that would blur a sharp portrait as much, in IODs."""
    dark: float
    """95th percentile of the face's grey level, 0 to 255: the brightest parts of the face."""
    burnt: float
    """Share of the face whose three channels are all at 250 or more."""
    perspective: float
    """IODs per distance, as the landmarks tell it: weak evidence, see distance_m."""
    mouth_open: float
    mouth_width: float
    """In IODs."""
    eye_open: float
    """Lid gap over eye width, of the eye that is more closed."""

    @property
    def distance_m(self) -> float:
        """From how far the picture seems taken; only meaningful below about 0.5 m."""
        return _NEARNESS_M / max(self.perspective, 1e-3)


def measure_face(pixels: UInt8[np.ndarray, "H W 3"], landmarks: Landmarks) -> FaceMeasures:
    """All measures of one face; about 3 ms."""
    points = landmarks.points_px.astype(np.float64)
    iod = float(np.linalg.norm(points[[*LEFT_EYE_CORNERS], :2].mean(0) - points[[*RIGHT_EYE_CORNERS], :2].mean(0)))
    iod = max(iod, 1e-3)
    rotation = _rotation(points)
    yaw, pitch = _angles(rotation)
    chin, brow, side = _cut(points, pixels.shape[1], pixels.shape[0], iod, rotation)
    dark, burnt = _light(pixels, points)
    return FaceMeasures(
        iod_px=iod,
        yaw_rad=yaw,
        pitch_rad=pitch,
        cut_chin=chin,
        cut_brow=brow,
        cut_side=side,
        blur=_blur(pixels, points, iod),
        dark=dark,
        burnt=burnt,
        perspective=_perspective(points, iod, rotation),
        mouth_open=_gap(points, INNER_LIPS) / iod,
        mouth_width=_gap(points, MOUTH_CORNERS) / iod,
        eye_open=min(_lids(points, RIGHT_LIDS, RIGHT_EYE_CORNERS), _lids(points, LEFT_LIDS, LEFT_EYE_CORNERS)),
    )


def yaw_of_box(box: FaceBox) -> float:
    """Roughly how far a face is turned (radians, positive to the person's left) from the detector's own six points.

    For faces on which the mesh does not settle. Ears at +-7.5 cm, the nose 13 cm before them. In a profile the eyes
    coincide and tell no roll; the picture is then taken as upright.
    """
    right_eye, left_eye, nose, _mouth, right_ear, left_ear = box.keypoints_px.astype(np.float64)
    across = left_eye - right_eye
    apart = float(np.linalg.norm(across))
    across = across / apart if apart > _EYES_APART * box.side_px else np.array([1.0, 0.0])
    right, left = float((nose - right_ear) @ across), float((left_ear - nose) @ across)
    return float(np.arctan2(right - left, 13 / 7.5 * abs(right + left)))


def _gap(points: Float64[np.ndarray, "478 3"], pair: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[pair[0], :2] - points[pair[1], :2]))


def _lids(points: Float64[np.ndarray, "478 3"], lids: tuple[tuple[int, int], ...], corners: tuple[int, int]) -> float:
    return float(np.mean([_gap(points, pair) for pair in lids])) / max(_gap(points, corners), 1e-6)


def _rotation(points: Float64[np.ndarray, "478 3"]) -> Float64[np.ndarray, "3 3"]:
    """picture_from_face (glTF axes both) by Kabsch on the rigid points."""
    seen = points[_RIGID] * np.array([1.0, -1.0, -1.0])
    seen -= seen.mean(0)
    mean = _MEAN_FACE - _MEAN_FACE.mean(0)
    u, _s, vt = np.linalg.svd(mean.T @ seen)
    proper = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return (u @ proper @ vt).T


def _angles(rotation: Float64[np.ndarray, "3 3"]) -> tuple[float, float]:
    """Yaw and pitch of where the face looks, in the frame of its own (rolled) picture."""
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    upright = np.array([[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]]) @ rotation
    forward = upright[:, 2]
    yaw = float(np.arctan2(forward[0], forward[2]))
    pitch = float(np.arcsin(np.clip(forward[1], -1, 1)))
    beyond = max(0.0, abs(yaw) - float(_YAW_SEEN[-1]))
    yaw = float(np.sign(yaw) * (np.interp(abs(yaw), _YAW_SEEN, _YAW_TRUE) + 2 * beyond))
    return yaw, pitch * (_PITCH_DOWN if pitch < 0 else 1.0)


def _cut(
    points: Float64[np.ndarray, "478 3"], width: int, height: int, iod: float, rotation: Float64[np.ndarray, "3 3"]
) -> tuple[float, float, float]:
    """How far the outline leaves the picture, told apart by where on the face it does."""
    outline = points[OVAL, :2]
    beyond = np.maximum(np.maximum(-outline, outline - np.array([width, height])), 0).max(1) / iod
    up = rotation[:2, 1] * np.array([1.0, -1.0])
    along = (outline - points[[*RIGHT_EYE_CORNERS, *LEFT_EYE_CORNERS], :2].mean(0)) @ up
    low, high = float(along.min()), float(along.max())
    chin, brow = along < 0.6 * low, along > 0.6 * high
    return float(beyond[chin].max()), float(beyond[brow].max()), float(beyond[~chin & ~brow].max(initial=0))


def _blur(pixels: UInt8[np.ndarray, "H W 3"], points: Float64[np.ndarray, "478 3"], iod: float) -> float:
    """From the steepest edges of the face at a fixed size, relative to its contrast."""
    scale = _SHARPNESS_IOD_PX / iod
    side = int(1.75 * _SHARPNESS_IOD_PX)
    centre = points[[33, 133, 263, 362, 61, 291], :2].mean(0)
    left, top = np.maximum(np.floor(centre - 1.2 * iod - 8), 0).astype(int)
    right, bottom = np.ceil(centre + 1.2 * iod + 8).astype(int)
    piece = pixels[top:bottom, left:right]
    if piece.size == 0:
        return 1.0
    grey = cv2.cvtColor(np.ascontiguousarray(piece), cv2.COLOR_RGB2GRAY)
    if scale < 1:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.35 / scale)
    offset = side / 2 - scale * (centre - np.array([left, top])) - 0.5 + 0.5 * scale
    matrix = np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
    seen = cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    seen = seen.astype(np.float32)
    slope = np.hypot(cv2.Sobel(seen, cv2.CV_32F, 1, 0), cv2.Sobel(seen, cv2.CV_32F, 0, 1)) / 8
    edge = float(np.percentile(slope, 98)) / (float(seen.std()) + 4)
    return min(1.0, _EDGE_WIDTH / max(edge, 1e-3))


def _light(pixels: UInt8[np.ndarray, "H W 3"], points: Float64[np.ndarray, "478 3"]) -> tuple[float, float]:
    height, width = pixels.shape[:2]
    hull = cv2.convexHull(points[:468, :2].astype(np.float32))
    left, top = np.clip(np.floor(hull.min((0, 1))), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(hull.max((0, 1))), [left + 1, top + 1], [width, height]).astype(int)
    piece = np.ascontiguousarray(pixels[top:bottom, left:right])
    shrink = min(1.0, 200 / piece.shape[1])
    if shrink < 1:
        piece = cv2.resize(piece, (200, max(1, round(piece.shape[0] * shrink))), interpolation=cv2.INTER_AREA)
    inside = np.zeros(piece.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, ((hull - [left, top]) * shrink).astype(np.int32), (1,))
    face = piece[inside > 0]
    if len(face) == 0:
        return 0.0, 0.0
    return float(np.percentile(face.mean(-1), 95)), float((face.min(-1) >= 250).mean())


def _perspective(points: Float64[np.ndarray, "478 3"], iod: float, rotation: Float64[np.ndarray, "3 3"]) -> float:
    """IODs per distance: the one number k for which (1 + k z) times the mean face's x, y fits the landmarks best.

    Linear in scale, shift and k once the rotation is known; four alternations let the rotation follow.
    """
    seen = points[_RIGID, :2] / iod * np.array([1.0, -1.0])
    seen -= seen.mean(0)
    turned = _MEAN_FACE @ rotation.T
    strength = 0.0
    for _ in range(4):
        x, y, z = turned.T
        rows: Float32[np.ndarray, "R 6"] = np.zeros((2 * len(seen), 6), np.float32)
        # columns: shift x, shift y, scale, scale * k, small turns about y and x
        rows[0::2] = np.stack([np.ones_like(x), 0 * x, x, x * z, z, 0 * x], axis=1)
        rows[1::2] = np.stack([0 * x, np.ones_like(x), y, y * z, 0 * x, -z], axis=1)
        found = np.linalg.lstsq(rows.astype(np.float64), seen.ravel(), rcond=None)[0]
        scale = max(float(found[2]), 0.2)
        strength = float(found[3]) / scale
        about_y, about_x = float(found[4]) / scale, float(found[5]) / scale
        small = np.array([[1, 0, about_y], [0, 1, -about_x], [-about_y, about_x, 1]])
        u, _s, vt = np.linalg.svd(small)
        turned = turned @ (u @ vt).T
    return strength
