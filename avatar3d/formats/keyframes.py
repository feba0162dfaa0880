"""Which frames of a motion are keys, so that a player's interpolation between them stays within a stated error of the others.

Greedy: from each key to the furthest frame that a segment can reach. Between frames the error is no larger than at them.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

WEIGHT_ERROR: Final = 0.002
"""jawOpen opens a mouth by some 40 mm: at most 0.1 mm."""
ROTATION_ERROR_RAD: Final = float(np.radians(0.05))
"""At the crown, 0.2 m from the head's joint: at most 0.2 mm."""


def linear_keys(
    times_s: Float64[np.ndarray, "T"], values: Float32[np.ndarray, "T D"], error: float
) -> Int32[np.ndarray, "K"]:
    """Frames between which straight lines stay within `error` of every value; the first and the last are among them."""
    exact = values.astype(np.float64)

    def within(start: int, end: int) -> bool:
        share = _shares(times_s, start, end)[:, None]
        between = exact[start] + share * (exact[end] - exact[start])
        return bool(np.abs(between - exact[start + 1 : end]).max() <= error)

    return _furthest_first(len(times_s), within)


def rotation_keys(
    times_s: Float64[np.ndarray, "T"], wxyz: Float32[np.ndarray, "T 4"], error_rad: float
) -> Int32[np.ndarray, "K"]:
    """The same for unit quaternions and slerp, the shorter way round."""
    exact = wxyz / np.linalg.norm(wxyz.astype(np.float64), axis=1, keepdims=True)

    def within(start: int, end: int) -> bool:
        between = slerp(exact[start], exact[end], _shares(times_s, start, end))
        apart = between - np.sign(np.sum(between * exact[start + 1 : end], axis=1))[:, None] * exact[start + 1 : end]
        # The chord of half the angle, which arccos would lose near 1.
        return bool(4 * np.arcsin(np.linalg.norm(apart, axis=1).max() / 2) <= error_rad)

    return _furthest_first(len(times_s), within)


def slerp(
    start: Float64[np.ndarray, "4"], end: Float64[np.ndarray, "4"], share: Float64[np.ndarray, "N"]
) -> Float64[np.ndarray, "N 4"]:
    """Spherical interpolation of two unit quaternions, the shorter way round (glTF 2.0, appendix C)."""
    cosine = float(start @ end)
    end = end if cosine >= 0 else -end
    angle = 2 * np.arcsin(min(1.0, float(np.linalg.norm(end - start)) / 2))
    if angle < 1e-6:
        return start + share[:, None] * (end - start)
    return (np.sin((1 - share) * angle)[:, None] * start + np.sin(share * angle)[:, None] * end) / np.sin(angle)


def _shares(times_s: Float64[np.ndarray, "T"], start: int, end: int) -> Float64[np.ndarray, "N"]:
    """How far along each frame between two others is."""
    return (times_s[start + 1 : end] - times_s[start]) / (times_s[end] - times_s[start])


def _furthest_first(count: int, within: Callable[[int, int], bool]) -> Int32[np.ndarray, "K"]:
    """Steps double while a segment holds, then the reach is found by halving."""
    keys = [0]
    while keys[-1] < count - 1:
        start, step = keys[-1], 1
        good, bad = start + 1, count
        while good + step < bad:
            if within(start, good + step):
                good, step = good + step, 2 * step
            else:
                bad = good + step
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if within(start, middle) else (good, middle)
        keys.append(good)
    return np.array(keys, np.int32)
