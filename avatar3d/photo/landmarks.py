"""478 landmarks of one face, averaged over turned, scaled and mirrored looks at it.

A single run of the mesh moves by 1.9 % of the inter-ocular distance (IOD) on inner points when the same portrait is
shifted, turned, scaled, mirrored or re-compressed; the average of these twelve runs moves by 0.3 % (32 portraits x 3
changes; docs/decisions/0007-photo-gates.md). It costs 40 ms of one core.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.photo.mediapipe import MESH_REACH, MESH_SIDE_PX, mesh_landmarks
from avatar3d.photo.mesh_layout import MIRROR

_TURNS_RAD = (-0.105, 0.0, 0.105)
_SCALES = (0.95, 1.05)
_SETTLING_RUNS = 8


@dataclass(frozen=True, eq=False)
class FaceSquare:
    """Where the mesh looks: a square in the picture, turned with the face."""

    centre_px: Float64[np.ndarray, "2"]
    side_px: float
    roll_rad: float
    """Angle of the face's own horizontal (its right eye to its left eye) in the picture, y down."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """The mesh of one face, in picture pixels."""

    points_px: Float32[np.ndarray, "478 3"]
    """x, y and relative depth (smaller is nearer)."""
    spread: float
    """How far the looks disagree: median over points of their standard deviation, as a fraction of the IOD."""
    presence: float
    """How sure the model is that a face is there: the mean of its scores, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Chip:
    """A square piece of the picture, reduced so that the face has a size the mesh can use."""

    pixels: UInt8[np.ndarray, "S S 3"]
    corner_px: Float64[np.ndarray, "2"]
    scale: float
    """Chip pixels per picture pixel."""


def cut_chip(
    pixels: UInt8[np.ndarray, "H W 3"], centre_px: Float64[np.ndarray, "2"], side_px: float, size: int
) -> Chip:
    """An upright square around a point, at most `size` pixels wide; black beyond the picture's edges."""
    side = max(8, round(side_px))
    left, top = round(float(centre_px[0]) - side / 2), round(float(centre_px[1]) - side / 2)
    height, width = pixels.shape[:2]
    inside = pixels[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    margins = (max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width))
    if inside.size == 0:
        inside = np.zeros((side, side, 3), np.uint8)
    elif any(margins):
        inside = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    scale = min(1.0, size / side)
    if scale < 1:
        inside = cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA)
        scale = size / side
    return Chip(np.ascontiguousarray(inside), np.array([left, top], np.float64), scale)


def find_landmarks(
    pixels: UInt8[np.ndarray, "H W 3"],
    square: FaceSquare,
    *,
    turns_rad: Sequence[float] = _TURNS_RAD,
    scales: Sequence[float] = _SCALES,
) -> Landmarks | None:
    """Settle the square on the face, then average looks, twelve unless said otherwise; None when the mesh sees no face there."""
    chip = cut_chip(pixels, square.centre_px, 2 * square.side_px, 640)
    looked = FaceSquare((square.centre_px - chip.corner_px) * chip.scale, square.side_px * chip.scale, square.roll_rad)
    for _ in range(_SETTLING_RUNS):
        points, _score = _look(chip.pixels, looked)
        if points is None:
            return None
        before, looked = looked, square_around(points)
        if _settled(before, looked):
            break
    looks: list[Float32[np.ndarray, "478 3"]] = []
    scores: list[float] = []
    for mirrored in (False, True):
        for turn in turns_rad:
            for scale in scales:
                here = FaceSquare(looked.centre_px, looked.side_px * scale, looked.roll_rad + turn)
                points, score = _look(chip.pixels, here, mirrored=mirrored)
                scores.append(score)
                if points is not None:
                    looks.append(points)
    if 2 * len(looks) < len(scores):
        return None
    stack = np.stack(looks)
    mean = stack.mean(0)
    deviation = np.sqrt(((stack[:, :, :2] - mean[:, :2]) ** 2).sum(-1).mean(0))
    iod = float(np.linalg.norm(mean[[33, 133], :2].mean(0) - mean[[263, 362], :2].mean(0)))
    mean /= np.float32(chip.scale)
    mean[:, :2] += chip.corner_px.astype(np.float32)
    return Landmarks(mean, float(np.median(deviation)) / max(iod, 1e-6), float(np.mean(scores)))


def square_around(points: Float32[np.ndarray, "478 3"]) -> FaceSquare:
    """The square the mesh wants for these landmarks: upright in the face's own frame, MESH_REACH times their box."""
    eyes = points[[263, 362], :2].mean(0) - points[[33, 133], :2].mean(0)
    roll = float(np.arctan2(eyes[1], eyes[0]))
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    turned = points[:468, :2] @ turn.T
    low, high = turned.min(0), turned.max(0)
    return FaceSquare((low + high) / 2 @ turn, float((high - low).max()) * MESH_REACH, roll)


def _settled(before: FaceSquare, after: FaceSquare) -> bool:
    moved = float(np.linalg.norm(after.centre_px - before.centre_px)) / after.side_px
    turned = abs(np.angle(np.exp(1j * (after.roll_rad - before.roll_rad))))
    return bool(moved < 0.01 and abs(np.log(after.side_px / before.side_px)) < 0.02 and turned < 0.02)


def _look(
    pixels: UInt8[np.ndarray, "H W 3"], square: FaceSquare, *, mirrored: bool = False
) -> tuple[Float32[np.ndarray, "478 3"] | None, float]:
    """One run of the mesh on one square; its points in the pixels of the picture it came from."""
    scale = MESH_SIDE_PX / square.side_px
    c, s = np.cos(square.roll_rad) * scale, np.sin(square.roll_rad) * scale
    linear = np.array([[c, s], [-s, c]])
    if mirrored:
        linear[0] *= -1
    offset = MESH_SIDE_PX / 2 - linear @ square.centre_px
    # OpenCV's pixel centres are integers, ours are integers + 0.5.
    for_cv = np.column_stack([linear, offset + linear @ [0.5, 0.5] - 0.5])
    how = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    small = cv2.warpAffine(pixels, for_cv, (MESH_SIDE_PX, MESH_SIDE_PX), flags=how)
    points, score = mesh_landmarks(small)
    if points is None:
        return None, score
    found = np.empty_like(points)
    found[:, :2] = (points[:, :2] - offset) @ np.linalg.inv(linear).T
    found[:, 2] = points[:, 2] / scale
    return (found[MIRROR] if mirrored else found), score
