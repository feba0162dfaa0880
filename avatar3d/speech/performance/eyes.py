"""From a gaze to two eyes in a turned head: once as eyeLook weights, once as rotations, which say the same.

A Frame holds both, as ARKit and Live Link Face do. On our heads the eyeLook weights turn the eyeballs and take the lids
along, and the eye joints turn them further. So whoever draws a Frame on one of our heads gives the eye joints what
`head.deform.turns_left` leaves of the quaternions, which for these frames is less than a degree, or leaves them at rest;
never the quaternions themselves, or the eyes turn twice. The quaternions are for receivers whose eyes turn by bones alone.
"""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX

_DEG: Final = math.pi / 180
# What a weight of 1 turns our eyeballs by (docs/decisions/0011): out, in, up, down.
_FULL: Final = (30 * _DEG, 30 * _DEG, 22 * _DEG, 27 * _DEG)
# Eyes go no further in the head than this: to the sides, up, down. Comfortable gaze stays within half of it.
LIMITS: Final = (28 * _DEG, 20 * _DEG, 25 * _DEG)
_INDEX: Final = {
    name: ARKIT_INDEX[f"eyeLook{name}"]
    for name in ("OutLeft", "InLeft", "OutRight", "InRight", "UpLeft", "UpRight", "DownLeft", "DownRight")
}


def in_head(yaw: float, pitch: float, head_wxyz: tuple[float, float, float, float]) -> tuple[float, float]:
    """A direction of the avatar's frame as the turned head sees it, within the eyes' limits (yaw to the left, pitch up)."""
    level = math.cos(pitch)
    x, y, z = level * math.sin(yaw), math.sin(pitch), level * math.cos(yaw)
    w, i, j, k = head_wxyz
    # v' = q* v q = v - w t + u x t, with u the vector part and t = 2 u x v.
    tx, ty, tz = 2 * (z * j - y * k), 2 * (x * k - z * i), 2 * (y * i - x * j)
    x, y, z = x - w * tx + (tz * j - ty * k), y - w * ty + (tx * k - tz * i), z - w * tz + (ty * i - tx * j)
    aside, high = math.atan2(x, z), math.atan2(y, math.hypot(x, z))
    most, up, down = LIMITS
    return max(min(aside, most), -most), max(min(high, up), -down)


def look(weights: Float32[np.ndarray, "52"], yaw: float, pitch: float) -> Float32[np.ndarray, "52"]:
    """The weights with both eyes turned so (in the head, radians), lids with them.

    A shape moves what looks ahead, straight to where its full turn would bring it, and two shapes add up: to (w sin a, v sin
    b, 1 - w (1 - cos a) - v (1 - cos b)). The weights are those that bring this on the wanted line.
    """
    turned = weights.copy()
    aside, up = ("OutLeft", "InRight") if yaw > 0 else ("InLeft", "OutRight"), "Up" if pitch > 0 else "Down"
    full_aside, full_up = _FULL[0], _FULL[2] if pitch > 0 else _FULL[3]
    x, y, z = math.cos(pitch) * abs(math.sin(yaw)), abs(math.sin(pitch)), math.cos(pitch) * math.cos(yaw)
    size = 1 / (z + x * math.tan(full_aside / 2) + y * math.tan(full_up / 2))
    for index in aside:
        turned[_INDEX[index]] = size * x / math.sin(full_aside)
    for side in ("Left", "Right"):
        turned[_INDEX[up + side]] = size * y / math.sin(full_up)
    return turned


def eye_wxyz(yaw: float, pitch: float) -> Float32[np.ndarray, "4"]:
    """The same as a unit quaternion: the shortest turn from straight ahead, without torsion (Listing's law)."""
    x, y, z = math.cos(pitch) * math.sin(yaw), math.sin(pitch), math.cos(pitch) * math.cos(yaw)
    half = math.sqrt((1 + z) / 2)
    return np.array([half, -y / (2 * half), x / (2 * half), 0], np.float32)
