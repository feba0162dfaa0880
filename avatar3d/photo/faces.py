"""Where the faces are: whole picture first, then turned pictures, then tiles for small faces.

A box of the detector counts as a face only when the mesh settles on it; a strong box on which it does not settle is
kept apart, since it is most often a face seen from the side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import UInt8

from avatar3d.photo.landmarks import FaceSquare, Landmarks, cut_chip, find_landmarks, square_around
from avatar3d.photo.mediapipe import MESH_REACH, FaceBox, detect_faces

_TILED_SIDE_PX = 1280
"""Side of the picture that is searched in tiles."""
_DETECTED_SIDE_PX = 384
"""The detectors shrink what they get without smoothing, so what is larger is reduced first."""
_SURE = 0.8
"""Upright portraits score 0.84 to 0.98 (short range), the same upside down 0.50 to 0.85: below it, try the turns."""
_NO_FACE = 0.7
"""The same score for what the mesh settled on: faces 0.84 to 0.96 (0.74 turned by 80 degrees), other things to 0.62."""
_WEAK = 0.6
_DOUBT = 0.2
"""Turns whose scores are this close to the best are tried too."""
_LOOSE = 0.03
"""Spread above which a face may be the wrong way up: right ones have 0.01 to 0.02, wrong ones above 0.04."""
_LOOK_PX, _LOOK_MARGIN = 256, 1.35
_TILES = (2, 4)
"""Small faces: tiles of half and a quarter of the shorter side."""
_TILE_STEP = 0.75
"""From one to the next, tiles. What coarser ones miss is mostly under a sixth of a tile from brow to chin and lies whole
in the quarter by which they overlap; of 261 small faces pasted beside large ones, half of them at borders, 2 were missed."""
_OVERLAP = 0.4
_SEEN = 1 / 12
"""The smallest face the full range detector is sure to see, as a share of what it is shown (pasted faces: 1/14 to 1/11)."""
_BESIDE = 0.2
"""Beside the largest face, smaller ones are looked for down to this share of its size."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face, with its landmarks in picture pixels."""

    box: FaceBox
    landmarks: Landmarks
    score: float
    """Of the short range detector when it is shown just this face, upright."""


@dataclass(frozen=True, eq=False)
class Faces:
    """What was found in one picture."""

    found: tuple[Face, ...]
    """Largest first."""
    unsettled: tuple[FaceBox, ...]
    """Boxes of the whole, upright picture, above the detectors' own thresholds, on which the mesh saw no face."""


def find_faces(pixels: UInt8[np.ndarray, "H W 3"]) -> Faces:
    """All faces of a picture, whichever way up they are; beside a large one, those of a fifth of its size and more."""
    small, scale = _reduced(pixels, _TILED_SIDE_PX)
    unsettled: list[FaceBox] = []
    for search in (_whole, _turned, _tiles):
        faces, doubted = _settled(pixels, [_scaled(box, 1 / scale) for box in search(small)], ())
        if search is _whole:
            unsettled = [box for box in doubted if box.score > _WEAK]
        if not faces:
            continue
        if search is not _tiles:
            sought_px = _BESIDE * max(face.box.side_px for face in faces) * scale
            others = _tiles(small, sought_px=sought_px)
            faces += _settled(pixels, [_scaled(box, 1 / scale) for box in others], faces)[0]
        return Faces(tuple(sorted(faces, key=lambda f: -_size(f.landmarks))), tuple(unsettled))
    return Faces((), (*unsettled, *_mirrored(small, scale)))


def glance(pixels: UInt8[np.ndarray, "H W 3"]) -> Face | None:
    """The largest face of an upright picture, if it is not small, by two looks: a fifth of the time of find_faces."""
    small, scale = _reduced(pixels, _TILED_SIDE_PX)
    for box in sorted(_whole(small), key=lambda box: -box.side_px):
        there = _scaled(box, 1 / scale)
        square = FaceSquare(there.centre_px.astype(np.float64), there.side_px * MESH_REACH, _roll(there))
        landmarks = find_landmarks(pixels, square, turns_rad=(0,), scales=(1,)) if there.score > _WEAK else None
        score = 0.0 if landmarks is None else _second_look(pixels, landmarks)
        if landmarks is not None and score >= _NO_FACE:
            return Face(there, landmarks, score)
    return None


def _settled(
    pixels: UInt8[np.ndarray, "H W 3"], boxes: list[FaceBox], known: Sequence[Face]
) -> tuple[list[Face], list[FaceBox]]:
    """The faces among the boxes, without those known already; and the boxes on which the mesh saw no face."""
    faces: list[Face] = []
    doubted: list[FaceBox] = []
    for box in boxes:
        if any(_same(box, face.box) for face in (*known, *faces)) or any(_within(box, face) for face in known):
            continue
        landmarks = _settle(pixels, box)
        score = 0.0 if landmarks is None else _second_look(pixels, landmarks)
        if landmarks is None or score < _NO_FACE:
            doubted.append(box)
        elif not any(_same_face(landmarks, face.landmarks) for face in (*known, *faces)):
            faces.append(Face(box, landmarks, score))
    return faces, doubted


def _mirrored(small: UInt8[np.ndarray, "H W 3"], scale: float) -> list[FaceBox]:
    """Strong boxes in the picture's mirror image: the detectors miss more faces that look to the right of the picture."""
    width = small.shape[1]
    boxes: list[FaceBox] = []
    for box in _whole(np.ascontiguousarray(small[:, ::-1])):
        back = replace(
            box,
            centre_px=(box.centre_px * [-1, 1] + [width, 0]).astype(np.float32),
            keypoints_px=(box.keypoints_px[[1, 0, 2, 3, 5, 4]] * [-1, 1] + [width, 0]).astype(np.float32),
        )
        boxes.extend([_scaled(back, 1 / scale)] if box.score > _WEAK else [])
    return boxes


def _size(landmarks: Landmarks) -> float:
    points = landmarks.points_px[:468, :2]
    return float((points.max(0) - points.min(0)).max())


def _reduced(pixels: UInt8[np.ndarray, "H W 3"], side: int) -> tuple[UInt8[np.ndarray, "h w 3"], float]:
    scale = min(1.0, side / max(pixels.shape[:2]))
    if scale == 1:
        return pixels, 1.0
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def _whole(pixels: UInt8[np.ndarray, "H W 3"]) -> list[FaceBox]:
    small, scale = _reduced(pixels, _DETECTED_SIDE_PX)
    boxes = [*detect_faces(small, full_range=False), *detect_faces(small, full_range=True)]
    return [_scaled(box, 1 / scale) for box in boxes]


def _turned(pixels: UInt8[np.ndarray, "H W 3"]) -> list[FaceBox]:
    """Faces in the picture turned by quarters and eighths, best first."""
    boxes: list[FaceBox] = []
    height, width = pixels.shape[:2]
    side = int(np.ceil(np.hypot(height, width)))
    for degrees in (180, 90, 270, 45, 315, 135, 225):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        matrix[:, 2] += side / 2 - np.array([width / 2, height / 2])
        turned = cv2.warpAffine(pixels, matrix, (side, side))
        back = cv2.invertAffineTransform(matrix)
        boxes.extend(_moved(box, back) for box in _whole(turned) if box.score > _WEAK)
    return sorted(boxes, key=lambda b: -b.score)


def _tiles(pixels: UInt8[np.ndarray, "H W 3"], *, sought_px: float = 0.0) -> list[FaceBox]:
    """Faces too small for the whole picture; the tiles are no smaller than a face of `sought_px` needs."""
    boxes: list[FaceBox] = []
    height, width = pixels.shape[:2]
    shown_px = max(height, width)
    for parts in _TILES:
        side = min(height, width) // parts
        tops, lefts = _starts(height, max(1, side)), _starts(width, max(1, side))
        if sought_px > _SEEN * shown_px or side < 64 or len(tops) * len(lefts) > 256:
            break
        shown_px = side
        for top in tops:
            for left in lefts:
                for box in detect_faces(pixels[top : top + side, left : left + side], full_range=True):
                    shift = np.array([left, top], np.float32)
                    boxes.append(replace(box, centre_px=box.centre_px + shift, keypoints_px=box.keypoints_px + shift))
    return sorted(boxes, key=lambda b: -b.score)


def _starts(length: int, side: int) -> list[int]:
    count = max(1, int(np.ceil((length - side) / (side * _TILE_STEP))) + 1)
    return [round(k * (length - side) / max(1, count - 1)) for k in range(count)]


def _settle(pixels: UInt8[np.ndarray, "H W 3"], box: FaceBox) -> Landmarks | None:
    """The landmarks of the face in a box, whichever way up it is: of the likely turns, the one whose looks agree."""
    first = FaceSquare(box.centre_px.astype(np.float64), box.side_px * MESH_REACH, _roll(box))
    best = find_landmarks(pixels, first) if box.score > _SURE else None
    if best is not None and best.spread < _LOOSE:
        return best
    looks = [find_landmarks(pixels, square) for square in [first, *_other_ways_up(pixels, box)]]
    return min((one for one in looks if one is not None), key=lambda one: one.spread, default=None)


def _second_look(pixels: UInt8[np.ndarray, "H W 3"], landmarks: Landmarks) -> float:
    """The short range detector's best score near the middle of the settled square, seen upright and at a good size."""
    square = square_around(landmarks.points_px)
    side = _LOOK_PX / _LOOK_MARGIN
    chip = cut_chip(pixels, square.centre_px, 2 * square.side_px, round(2 * side))
    scale = side / (square.side_px * chip.scale)
    middle = (square.centre_px - chip.corner_px) * chip.scale
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), np.degrees(square.roll_rad), scale)
    matrix[:, 2] += _LOOK_PX / 2 - middle
    boxes = detect_faces(cv2.warpAffine(chip.pixels, matrix, (_LOOK_PX, _LOOK_PX)), full_range=False)
    near = [box.score for box in boxes if np.linalg.norm(box.centre_px - _LOOK_PX / 2) < 0.15 * _LOOK_PX]
    return max(near, default=0.0)


def _other_ways_up(pixels: UInt8[np.ndarray, "H W 3"], box: FaceBox) -> list[FaceSquare]:
    """What the detector sees around a box when the picture is turned by eighths: the likeliest, three at most.

    Upside down, a face is found with its mouth taken for its eyes: its box is off, so it is looked for again.
    """
    chip = cut_chip(pixels, box.centre_px.astype(np.float64), 3 * box.side_px, 320)
    size = chip.pixels.shape[0]
    seen: list[tuple[float, FaceSquare]] = []
    for degrees in range(0, 360, 45):
        matrix = cv2.getRotationMatrix2D((size / 2, size / 2), degrees, 1.0)
        back = cv2.invertAffineTransform(matrix)
        for found in detect_faces(cv2.warpAffine(chip.pixels, matrix, (size, size)), full_range=False)[:1]:
            there = _moved(found, back)
            centre = there.centre_px / chip.scale + chip.corner_px
            square = FaceSquare(centre.astype(np.float64), found.side_px / chip.scale * MESH_REACH, _roll(there))
            seen.append((found.score, square))
    seen.sort(key=lambda one: -one[0])
    return [square for score, square in seen[:3] if score > seen[0][0] - _DOUBT]


def _roll(box: FaceBox) -> float:
    across = box.keypoints_px[1] - box.keypoints_px[0]
    return float(np.arctan2(across[1], across[0]))


def _scaled(box: FaceBox, scale: float) -> FaceBox:
    return replace(
        box, centre_px=box.centre_px * scale, side_px=box.side_px * scale, keypoints_px=box.keypoints_px * scale
    )


def _moved(box: FaceBox, matrix: np.ndarray) -> FaceBox:
    linear, offset = matrix[:, :2].T.astype(np.float32), matrix[:, 2].astype(np.float32)
    return replace(box, centre_px=box.centre_px @ linear + offset, keypoints_px=box.keypoints_px @ linear + offset)


def _same(one: FaceBox, other: FaceBox) -> bool:
    near = float(np.linalg.norm(one.centre_px - other.centre_px))
    return near < _OVERLAP * max(one.side_px, other.side_px)


def _within(box: FaceBox, face: Face) -> bool:
    """Whether a box lies on a face: an eye or a mouth that a tile took for one."""
    points = face.landmarks.points_px[:468, :2]
    return bool((points.min(0) < box.centre_px).all() and (box.centre_px < points.max(0)).all())


def _same_face(one: Landmarks, other: Landmarks) -> bool:
    near = float(np.linalg.norm(one.points_px[:468, :2].mean(0) - other.points_px[:468, :2].mean(0)))
    return near < _OVERLAP * max(_size(one), _size(other))
