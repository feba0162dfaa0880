"""Clips for tests: a mouth that talks, eyes that jump, a head that sways; every value different."""

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, BlendshapeClip, Frame
from avatar3d.core.transforms import quaternion_from_rotation_vector

FULL_LOOK_RAD = 0.52


def talking_clip(seconds: float = 2.0, rate_hz: int = 60) -> BlendshapeClip:
    """Looks about with eyes and the eyeLook weights that belong to them, as a performance does."""
    return BlendshapeClip(tuple(_frame(at / rate_hz) for at in range(round(seconds * rate_hz) + 1)))


def turn(x: float, y: float, z: float) -> np.ndarray:
    """Quaternion of a rotation vector (radians)."""
    return quaternion_from_rotation_vector(np.array([x, y, z], np.float32))


def _frame(time_s: float) -> Frame:
    phases = np.arange(len(ARKIT_NAMES))
    weights = (
        0.04
        * (1 + np.sin(2 * time_s + phases))
        * np.array([name.startswith(("mouth", "brow")) for name in ARKIT_NAMES])
    )
    weights[ARKIT_INDEX["jawOpen"]] = 0.15 * (1 - np.cos(14 * time_s))
    side = 0.3 * np.sign(np.sin(3 * time_s))  # to the person's left: jumps
    look = {"OutLeft": side, "InRight": side, "InLeft": -side, "OutRight": -side}
    for name, angle in look.items():
        weights[ARKIT_INDEX[f"eyeLook{name}"]] = np.clip(angle / FULL_LOOK_RAD, 0, 1)
    return Frame(
        time_s=time_s,
        weights=weights.astype(np.float32),
        head_wxyz=turn(0.1 * np.sin(5 * time_s), 0.2 * np.sin(3 * time_s), 0.05 * np.cos(4 * time_s)),
        left_eye_wxyz=turn(0.02, side, 0),
        right_eye_wxyz=turn(0.02, side - 0.05, 0),
        tongue=(0.5 + 0.5 * np.sin(9 * time_s + np.arange(4))).astype(np.float32),
    )
