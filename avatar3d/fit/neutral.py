"""One person's calm face, and later pictures laid on it: what is left of a difference is expression.

pictures, landmarks at rest --> Neutral: a crop of the face, its depth, its landmarks
picture, landmarks --affine camera by what moves least, then by the skin of forehead, nose and cheeks--> drawn as if the
head had not turned --> Laid

Crop axes: pixels of the crop, x right, y down, z away from the camera, as the detector gives them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

WIDTH_PX: Final = 128
HEIGHT_PX: Final = 144
_IOD_PX: Final = 44.0
"""Between the eyes' middles in the crop."""
_EYES_Y_PX: Final = 46.0
_EYES: Final = ((33, 133), (263, 362))
"""Corners of the right and the left eye."""
_SKIN: Final = 468
# What expressions move least: corners of the eyes, bridge, tip and wings of the nose, forehead; the outline, less firm.
_FIRM: Final = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 98, 327, 10, 67, 297, 109, 338, 151, 9, 8, 21, 251, 54, 284,
                103, 332, 162, 389)  # fmt: skip
_LOOSE: Final = (127, 356, 234, 454, 93, 323, 132)
_LOOSE_WEIGHT: Final = 0.3
_CAMERA_POINTS: Final = np.array([*_FIRM, *_LOOSE])
_TRUST: Final = np.array([1.0] * len(_FIRM) + [_LOOSE_WEIGHT] * len(_LOOSE))
_NEAR_PX: Final = 2.0
"""Depth between landmarks is their mean, by the inverse fourth power of the distance from here on."""
_LOW_PX, _DROP_IOD = 10.0, 0.4
"""The part of the face from so far below the eyes also counts so much lower: jaws open."""
_REDUCED, _REDUCE_TO = 1.25, 1.15
"""A picture with so many pixels per crop pixel is averaged first, to so many."""
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)

_ROUNDS: Final = 2
_BLUR_PX, _ODD = 1.5, 0.06
"""What pictures are laid on each other at; a difference (shares of the mean luma) from which a pixel counts less."""
_FIRM_PART: Final = 0.92
"""Of the face's outline."""
_HOLES: Final = (
    ((33, 133, 159, 145, 160, 144, 158, 153), 9),
    ((263, 362, 386, 374, 387, 373, 385, 380), 9),
    ((61, 291, 0, 17, 37, 267, 84, 314, 185, 409, 146, 375), 11),
)
"""Eyes and mouth, and by how much they are widened, pixels."""
_CORNERS, _TIP, _ABOVE_PX = (61, 291), 4, 6
"""Skin counts down to the middle between tip of the nose and mouth, and so much lower."""

AffineCamera = Float64[np.ndarray, "2 4"]
"""Picture pixels from crop axes: [x y z 1]."""


@dataclass(frozen=True, eq=False)
class Neutral:
    """A person's calm face."""

    points: Float64[np.ndarray, "478 3"]
    """Landmarks, crop axes."""
    offset: Float64[np.ndarray, "478 2"]
    """How far off they are seen at rest, in the mean, IOD."""
    places: Float64[np.ndarray, "P 4"]
    """Every crop pixel's centre on the face: x, y, z, 1."""
    picture: Float32[np.ndarray, "2 144 128"]
    """Luma, and red less green, sRGB levels; the mean at rest."""
    mask: Float32[np.ndarray, "144 128"]
    """1 on the face and where its chin may come to be, else 0."""
    hold: "Hold"


@dataclass(frozen=True, eq=False)
class Hold:
    """Skin that expressions hardly move, by which later pictures are laid."""

    pixels: Int64[np.ndarray, "S"]
    """Of the flat crop."""
    luma: Float32[np.ndarray, "S"]
    """Blurred, in parts of `mean`."""
    slopes: Float32[np.ndarray, "S 12"]
    """What changes it: eight numbers of an affine camera, four of the light."""
    mean: float


@dataclass(frozen=True, eq=False)
class Laid:
    """A picture laid on a neutral."""

    picture: Float32[np.ndarray, "2 144 128"]
    moved: Float64[np.ndarray, "478 2"]
    """Landmarks, relative to where they are seen at rest, in the crop's x and y, IOD."""
    camera: AffineCamera


def neutral_of(
    pictures: Sequence[UInt8[np.ndarray, "H W 3"]], landmarks_px: Sequence[Float32[np.ndarray, "478 3"]]
) -> Neutral:
    """The neutral that pictures of a face at rest show; the first one says from where it is seen."""
    points = _at_home(landmarks_px[0].astype(np.float64))
    off = np.mean([_moved(points, _camera(points, seen), seen) for seen in landmarks_px], axis=0)
    points[:, :2] += off * _IOD_PX
    places, mask = _places(points), _mask(points)
    cameras = [_camera(points, seen) for seen in landmarks_px]
    hold = _hold(_drawn(pictures[0], cameras[0], places), points, places)
    cameras = [_laid_on(hold, picture, start, places) for picture, start in zip(pictures, cameras, strict=True)]
    mean = np.mean([_drawn(*each, places) for each in zip(pictures, cameras, strict=True)], axis=0, dtype=np.float32)
    offset = np.mean([_moved(points, *each) for each in zip(cameras, landmarks_px, strict=True)], axis=0)
    return Neutral(points, offset, places, mean, mask, _hold(mean, points, places))


def lay(neutral: Neutral, picture: UInt8[np.ndarray, "H W 3"], landmarks_px: Float32[np.ndarray, "478 3"]) -> Laid:
    """The picture as the camera of the neutral would have seen it, had the head not turned."""
    camera = _laid_on(neutral.hold, picture, _camera(neutral.points, landmarks_px), neutral.places)
    moved = _moved(neutral.points, camera, landmarks_px) - neutral.offset
    return Laid(_drawn(picture, camera, neutral.places), moved, camera)


def lean_of(camera: AffineCamera) -> Float64[np.ndarray, "2"]:
    """How far the head is turned since the neutral: the sideways and the upward slope of its new axis."""
    return np.linalg.solve(camera[:, :2], camera[:, 2])


def turn_of(camera: AffineCamera, depth_gain: float) -> Float64[np.ndarray, "3 3"]:
    """The head's rotation since the neutral (glTF axes of a head that looks into the camera there).

    `depth_gain`: true depth over the detector's.
    """
    plane = camera[:, :2]
    lean = lean_of(camera) / depth_gain
    forward = np.array([-lean[0], -lean[1], 1.0]) / np.sqrt(1 + lean @ lean)  # the camera's axis in the neutral's frame
    upright = _shortest_turn(forward)
    rolled = plane @ np.linalg.inv(upright[:2, :2])
    angle = np.arctan2(rolled[1, 0] - rolled[0, 1], rolled[0, 0] + rolled[1, 1])
    c, s = np.cos(angle), np.sin(angle)
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ upright
    flip = np.diag([1.0, -1.0, -1.0])
    return flip @ turned @ flip


def _shortest_turn(forward: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """The rotation that brings a direction to +z on the shortest way."""
    x, y, z = forward
    return np.array(
        [[1 - x * x / (1 + z), -x * y / (1 + z), -x], [-x * y / (1 + z), 1 - y * y / (1 + z), -y], [x, y, z]]
    )


def _at_home(seen: Float64[np.ndarray, "478 3"]) -> Float64[np.ndarray, "478 3"]:
    """Landmarks moved, turned and scaled so that the eyes lie where the crop has them."""
    right, left = (seen[list(corners), :2].mean(0) for corners in _EYES)
    across = (left - right) / float(_IOD_PX)
    size2 = across @ across
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]]) / size2
    home = np.empty_like(seen)
    home[:, :2] = (seen[:, :2] - (left + right) / 2) @ turn.T + [WIDTH_PX / 2, _EYES_Y_PX]
    home[:, 2] = (seen[:, 2] - seen[:, 2].mean()) / np.sqrt(size2)
    return home


def _camera(points: Float64[np.ndarray, "478 3"], seen_px: Float32[np.ndarray, "478 3"]) -> AffineCamera:
    """The affine camera that sees the firm points where they are seen."""
    design = np.column_stack([points[_CAMERA_POINTS], np.ones(len(_CAMERA_POINTS))]) * _TRUST[:, None]
    return np.linalg.lstsq(design, seen_px[_CAMERA_POINTS, :2] * _TRUST[:, None], rcond=None)[0].T


def _moved(
    points: Float64[np.ndarray, "478 3"], camera: AffineCamera, seen_px: Float32[np.ndarray, "478 3"]
) -> Float64[np.ndarray, "478 2"]:
    off = seen_px[:, :2] - (points @ camera[:, :3].T + camera[:, 3])
    return off @ np.linalg.inv(camera[:, :2]).T / _IOD_PX


def _places(points: Float64[np.ndarray, "478 3"]) -> Float64[np.ndarray, "P 4"]:
    """Where crop pixels lie on the face."""
    x, y = np.meshgrid(np.arange(WIDTH_PX) + 0.5, np.arange(HEIGHT_PX) + 0.5)
    flat = np.stack([x.ravel(), y.ravel()], axis=1)
    skin = points[:_SKIN]
    apart2 = (flat**2).sum(1)[:, None] - 2 * flat @ skin[:, :2].T + (skin[:, :2] ** 2).sum(1)
    weights = 1 / (np.maximum(apart2, 0) + _NEAR_PX**2) ** 2
    return np.column_stack([flat, weights @ skin[:, 2] / weights.sum(1), np.ones(len(flat))])


def _mask(points: Float64[np.ndarray, "478 3"]) -> Float32[np.ndarray, "144 128"]:
    skin = points[:_SKIN, :2]
    dropped = skin[skin[:, 1] > _EYES_Y_PX + _LOW_PX] + [0, _DROP_IOD * _IOD_PX]
    outline = cv2.convexHull(np.concatenate([skin, dropped]).astype(np.float32))
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), (1,))
    return mask.astype(np.float32)


def _hold(
    picture: Float32[np.ndarray, "2 144 128"], points: Float64[np.ndarray, "478 3"], places: Float64[np.ndarray, "P 4"]
) -> Hold:
    """The firm skin of a neutral picture."""
    chosen = _firm_skin(points)
    pixels = np.flatnonzero(chosen)
    mean = float(picture[0].ravel()[pixels].mean())
    luma = cv2.GaussianBlur(picture[0] / mean, (0, 0), _BLUR_PX)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, *way, ksize=3).ravel()[pixels] / 8 for way in ((1, 0), (0, 1)))
    here = places[pixels] / [_IOD_PX, _IOD_PX, _IOD_PX, 1.0]
    flat = luma.ravel()[pixels]
    light = np.stack([flat, flat * here[:, 0], flat * here[:, 1], np.ones_like(flat)], axis=1)
    slopes = np.concatenate([across[:, None] * here, down[:, None] * here, light], axis=1)
    return Hold(pixels, flat, slopes.astype(np.float32), mean)


def _firm_skin(points: Float64[np.ndarray, "478 3"]) -> UInt8[np.ndarray, "144 128"]:
    """1 on forehead, nose and cheeks, without eyes and mouth."""
    skin = points[:_SKIN, :2].astype(np.float32)
    outline = cv2.convexHull(skin)
    chosen = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    middle = outline.mean(0)
    cv2.fillConvexPoly(chosen, np.round(middle + (outline - middle) * _FIRM_PART).astype(np.int32), (1,))
    for rim, wider in _HOLES:
        hole = np.zeros_like(chosen)
        cv2.fillConvexPoly(hole, np.round(cv2.convexHull(skin[list(rim)])).astype(np.int32), (1,))
        chosen[cv2.dilate(hole, np.ones((wider, wider), np.uint8)) > 0] = 0
    chosen[int((skin[list(_CORNERS), 1].mean() + skin[_TIP, 1]) / 2) + _ABOVE_PX :] = 0
    return chosen


def _laid_on(
    hold: Hold, picture: UInt8[np.ndarray, "H W 3"], camera: AffineCamera, places: Float64[np.ndarray, "P 4"]
) -> AffineCamera:
    """The camera moved until the firm skin falls where it was at rest (Lucas and Kanade 1981; light follows freely)."""
    found = np.zeros(hold.slopes.shape[1], np.float32)
    for number in range(_ROUNDS):
        luma = cv2.GaussianBlur(_drawn(picture, camera, places)[0] / np.float32(hold.mean), (0, 0), _BLUR_PX)
        off = luma.ravel()[hold.pixels] - hold.luma
        trust = 1 / (1 + ((off - hold.slopes @ found) / _ODD) ** 2) if number else np.ones_like(off)
        weighed = hold.slopes * trust[:, None]
        normal = (weighed.T @ hold.slopes).astype(np.float64)
        normal += np.eye(len(normal)) * (1e-4 * np.trace(normal) / len(normal) + 1e-6)
        solved = np.linalg.solve(normal, (weighed.T @ off).astype(np.float64))
        found = solved.astype(np.float32)
        step = -solved[:8].reshape(2, 4) / [_IOD_PX, _IOD_PX, _IOD_PX, 1.0]
        camera = camera + camera[:, :2] @ step
    return camera


def _drawn(
    picture: UInt8[np.ndarray, "H W 3"], camera: AffineCamera, places: Float64[np.ndarray, "P 4"]
) -> Float32[np.ndarray, "2 144 128"]:
    """Luma, and red less green, where the camera sees every place."""
    ratio = float(np.sqrt(abs(np.linalg.det(camera[:, :2]))))
    if ratio > _REDUCED:
        height, width = picture.shape[:2]
        size = max(1, round(width * _REDUCE_TO / ratio)), max(1, round(height * _REDUCE_TO / ratio))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        camera = camera * (np.array(size) / [width, height])[:, None]
    # OpenCV's pixel centres are integers, ours are integers + 0.5.
    at = (places @ camera.T - 0.5).astype(np.float32).reshape(HEIGHT_PX, WIDTH_PX, 2)
    drawn = cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colours = drawn.astype(np.float32)
    return np.stack([colours @ _LUMA, colours[..., 0] - colours[..., 1]])
