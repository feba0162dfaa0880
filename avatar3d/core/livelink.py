"""Live Link Face's 61 values: their names and order, and its angles as rotations.

Checked against recordings of the app (1.4.2, and two older ones; public repositories AnimaVR/NeuroSync_Player,
alexdjulin/LiveLinkFace-CSV-Retarget-For-Motionbuilder and sentien-io/SentienLiveLinkFace). Nobody has documented the angles:

- They are **radians**, and a rotation is x * y * z, pitch outermost: the six angles of the two eyes in the recordings are, to
  8 digits, this decomposition of gazes without torsion (yaw -0.2520269752 and pitch -0.1164911389 make roll 0.0291729; the
  file says 0.0291729327). Degrees, another order or another sign of the roll break that.
- **Eyes**: pitch is positive down and yaw to the person's right, as the eyeLook weights beside them tell.
- **Head**: pitch is positive up and yaw to the person's left, the other way round. That is inferred: in the recording whose head
  moves, the actor watches the phone, and head and eyes change with the same sign throughout; eyes that hold a target
  turn against the head (yaw by 1.3 times as much, as for something near). Faceit, a Blender add-on that imports these files, reverses
  the head's signs against the eyes', too. The head's roll follows from the same reversal, about the axis of the phone's camera;
  of all signs it is the least sure.

All this is for a phone held upright; held sideways, the app turns the head's pitch and yaw over.
"""

from math import asin, atan2, cos, hypot, sin
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX

Angles = tuple[float, float, float]
"""Yaw, pitch, roll as the app writes them, radians."""

# The app's own order, which is not that of the packets: right before left for jaw and mouth.
_SHAPES: Final = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
LIVELINK_SHAPES: Final = tuple(name[0].upper() + name[1:] for name in _SHAPES)
LIVELINK_ANGLES: Final = tuple(
    f"{what}{angle}" for what in ("Head", "LeftEye", "RightEye") for angle in ("Yaw", "Pitch", "Roll")
)
LIVELINK_FROM_ARKIT: Final = np.array([ARKIT_INDEX[name] for name in _SHAPES], np.int32)
"""Where each of the app's shapes stands in ARKIT_NAMES."""

_HEAD_SIGNS: Final = (1.0, -1.0, 1.0)
_EYE_SIGNS: Final = (-1.0, 1.0, 1.0)
"""The app's yaw, pitch, roll as rotations about +y, +x, +z: up, to the person's left, forward."""


def head_angles(wxyz: Float32[np.ndarray, "4"]) -> Angles:
    """The app's three angles of a head's rotation (any sign and length)."""
    return _signed(_angles(wxyz), _HEAD_SIGNS)


def eye_angles(wxyz: Float32[np.ndarray, "4"]) -> Angles:
    """The app's three angles of an eye's rotation (any sign and length)."""
    return _signed(_angles(wxyz), _EYE_SIGNS)


def head_rotation(angles: Angles) -> Float32[np.ndarray, "4"]:
    """The head's rotation (unit quaternion wxyz) of the app's three angles."""
    return _rotation(_signed(angles, _HEAD_SIGNS))


def eye_rotation(angles: Angles) -> Float32[np.ndarray, "4"]:
    """An eye's rotation (unit quaternion wxyz) of the app's three angles."""
    return _rotation(_signed(angles, _EYE_SIGNS))


def _signed(angles: Angles, signs: Angles) -> Angles:
    return angles[0] * signs[0], angles[1] * signs[1], angles[2] * signs[2]


def _angles(wxyz: Float32[np.ndarray, "4"]) -> Angles:
    """(y, x, z) of rotation = x * y * z; straight to the side x and z are one, and x takes none of it."""
    w, x, y, z = (float(value) for value in wxyz)
    length = w * w + x * x + y * y + z * z
    sine = max(-1.0, min(1.0, 2 * (x * z + w * y) / length))
    up, side = length - 2 * (x * x + y * y), length - 2 * (y * y + z * z)
    tilt, roll = 2 * (w * x - y * z), 2 * (w * z - x * y)
    if hypot(up, tilt) < 1e-6 * length:
        return asin(sine), 0.0, 2 * atan2(z, w)
    return asin(sine), atan2(tilt, up), atan2(roll, side)


def _rotation(angles: Angles) -> Float32[np.ndarray, "4"]:
    (cy, sy), (cx, sx), (cz, sz) = ((cos(angle / 2), sin(angle / 2)) for angle in angles)
    return np.array(
        [
            cx * cy * cz - sx * sy * sz,
            sx * cy * cz + cx * sy * sz,
            cx * sy * cz - sx * cy * sz,
            cx * cy * sz + sx * sy * cz,
        ],
        np.float32,
    )
