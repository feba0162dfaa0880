"""Turns as other programs write them: Euler angles in two orders, Unity's axes, directions of gaze.

Ours: +X to the person's left, +Y up, +Z forward, right-handed; positive about x nods down, about y turns to the person's
left, about z tilts to the person's right shoulder (docs/conventions.md). Angles are (x, y, z), radians.
"""

from math import asin, atan2, cos, hypot, pi, sin
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX

Angles = tuple[float, float, float]
_STRAIGHT: Final = 1e-6
"""Where the middle angle is 90 degrees the other two are one; the last of them takes none of it."""
FULL_LOOK: Final = (30 * pi / 180, 22 * pi / 180, 27 * pi / 180)
"""What an eyeLook weight of 1 turns our eyeballs by: to a side, up, down (docs/decisions/0011)."""
_UNIT: Final = (0.9, 1.1)
_LOOKS: Final = {
    side: tuple(ARKIT_INDEX[f"eyeLook{way}{side}"] for way in ("Out", "In", "Up", "Down")) for side in ("Left", "Right")
}


def angles_yxz(wxyz: Float32[np.ndarray, "4"]) -> Angles:
    """The angles of rotation = y * x * z, y outermost: Unity's Euler angles."""
    w, x, y, z = wxyz.tolist()
    pitch = asin(max(-1.0, min(1.0, 2 * (w * x - y * z))))
    aside, ahead = 2 * (x * z + w * y), 1 - 2 * (x * x + y * y)
    if hypot(aside, ahead) < _STRAIGHT:
        return pitch, 0.0, 2 * atan2(z, w)
    return pitch, atan2(aside, ahead), atan2(2 * (x * y + w * z), 1 - 2 * (x * x + z * z))


def wxyz_of_yxz(angles: Angles) -> Float32[np.ndarray, "4"]:
    """The rotation y * x * z of its angles."""
    x, y, z = (_about(axis, angle) for axis, angle in enumerate(angles))
    return np.array(times(times(y, x), z), np.float32)


def unity_xyzw(wxyz: Float32[np.ndarray, "4"]) -> tuple[float, float, float, float]:
    """The same turn in Unity's axes (+X to the person's right, +Y up, +Z forward, left-handed), in Unity's order."""
    w, x, y, z = wxyz.tolist()
    return x, -y, -z, w


def wxyz_of_unity(x: float, y: float, z: float, w: float) -> Float32[np.ndarray, "4"] | None:
    """Our turn of Unity's; None where it is none."""
    length = hypot(x, y, z, w)
    if not _UNIT[0] < length < _UNIT[1]:
        return None
    return np.array([w / length, x / length, -y / length, -z / length], np.float32)


def times(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The quaternion a * b: b first."""
    (aw, ax, ay, az), (bw, bx, by, bz) = a, b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def gaze_of(wxyz: Float32[np.ndarray, "4"]) -> tuple[float, float]:
    """Where an eye looks: to the person's left and up, radians."""
    w, x, y, z = wxyz.tolist()
    ahead = 1 - 2 * (x * x + y * y)
    return atan2(2 * (x * z + w * y), ahead), asin(max(-1.0, min(1.0, 2 * (y * z - w * x))))


def wxyz_of_gaze(aside: float, up: float) -> Float32[np.ndarray, "4"]:
    """The shortest turn of an eye from straight ahead to so far to the person's left and so far up (Listing's law)."""
    x, y, z = cos(up) * sin(aside), sin(up), cos(up) * cos(aside)
    turn = np.array([1 + z, -y, x, 0.0])
    length = float(np.linalg.norm(turn))
    return (turn / length).astype(np.float32) if length > _STRAIGHT else np.array([0, 0, 1, 0], np.float32)


def eye_turns(weights: Float32[np.ndarray, "52"]) -> tuple[Float32[np.ndarray, "4"], Float32[np.ndarray, "4"]]:
    """What the eyeLook weights turn our eyes by: left, right."""
    aside, up, down = FULL_LOOK
    turns: list[Float32[np.ndarray, "4"]] = []
    for side, sign in (("Left", 1), ("Right", -1)):
        out, inward, high, low = (float(weights[index]) for index in _LOOKS[side])
        turns.append(wxyz_of_gaze(sign * (out - inward) * aside, high * up - low * down))
    return turns[0], turns[1]


def look_weights(side: str, aside: float, up: float) -> dict[str, float]:
    """The eyeLook weights of an eye that looks so far to the person's left and so far up."""
    outward = aside if side == "Left" else -aside
    full_aside, full_up, full_down = FULL_LOOK
    told = {"Out": outward / full_aside, "In": -outward / full_aside, "Up": up / full_up, "Down": -up / full_down}
    return {f"eyeLook{way}{side}": max(0.0, min(1.0, weight)) for way, weight in told.items()}


def _about(axis: int, angle: float) -> tuple[float, float, float, float]:
    half = sin(angle / 2)
    return cos(angle / 2), half * (axis == 0), half * (axis == 1), half * (axis == 2)
