"""What must meet: lips that mouthClose brings back together, lids that eyeBlink shuts over the eye."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int64
from scipy.spatial import KDTree

from avatar3d.core.avatar import Mesh, Skeleton
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.formats.finding import Finding, failed, passed
from avatar3d.render.raycast import Scene

_LIP_PAIR_M: Final = 0.004
_LIPS_CLOSED: Final = 0.35
"""What may be left of the gap that jawOpen makes, once mouthClose is added."""
_LIDS_CLOSED: Final = 0.35
"""What a blink may leave of the eye's opening, seen from the front: 0 on ours, .19 to .27 on ICT's; half a blink .45 to .61."""
_WINDOW: Final = (0.33, 0.20)
"""Half width and half height of what is looked through around an eye, in distances between the eyes."""
_RAYS: Final = (128, 80)
_LEAST_OPENING: Final = 0.004
"""Share of the window: less is an eye that rests shut, and a blink has nothing to do."""


def check_lips(face: Mesh, across: Float64[np.ndarray, "3"]) -> Finding:
    """MouthClose on top of jawOpen brings back together the lips that jawOpen parted.

    `across` leads from the right eye to the left one, metres.
    """
    jaw_open, mouth_close = (face.morphs[ARKIT_INDEX[name]].astype(np.float64) for name in ("jawOpen", "mouthClose"))
    rest = face.positions.astype(np.float64)
    upper, lower = lip_pairs(rest, jaw_open, across)
    if len(upper) == 0:
        return failed("lips", face.name, "jawOpen parts no lips that touch at rest; expected it to open the mouth")
    opened = rest + jaw_open
    closed = opened + mouth_close
    gaps = [float(np.mean(np.linalg.norm(at[upper] - at[lower], axis=1))) for at in (rest, opened, closed)]
    parted, left_over = gaps[1] - gaps[0], gaps[2] - gaps[0]
    text = f"jawOpen parts {len(upper)} lip pairs by {1000 * parted:.1f} mm, with mouthClose {1000 * left_over:.1f} mm are left"
    return (passed if left_over <= _LIPS_CLOSED * parted else failed)("lips", face.name, text)


def lip_pairs(
    rest: Float64[np.ndarray, "V 3"], jaw_open: Float64[np.ndarray, "V 3"], across: Float64[np.ndarray, "3"]
) -> tuple[Int64[np.ndarray, "P"], Int64[np.ndarray, "P"]]:
    """Vertices of the upper lip, each with its nearest of the lower lip, that touch at rest and part with the jaw.

    Upper: hardly moved by jawOpen. Lower: moved by more than half of its peak. Both in the middle of the face.
    """
    drop = -jaw_open[:, 1]
    middle = np.abs(rest @ across / np.linalg.norm(across) ** 2) < 0.25
    lower = np.flatnonzero(middle & (drop > 0.5 * drop.max()))
    upper = np.flatnonzero(middle & (drop < 0.15 * drop.max()))
    if len(lower) == 0 or len(upper) == 0:
        return upper[:0], lower[:0]
    distance, nearest = map(np.asarray, KDTree(rest[lower]).query(rest[upper]))
    close = distance < _LIP_PAIR_M
    return upper[close], lower[nearest[close]]


def check_lids(face: Mesh, skeleton: Skeleton) -> Iterator[Finding]:
    """A full blink shuts the opening of the lids. A face whose lids do not surround the eye is not judged."""
    left, right = (skeleton.positions[skeleton.names.index(name)] for name in ("leftEye", "rightEye"))
    distance = float(np.linalg.norm(left - right))
    for eye, name in ((left, "eyeBlinkLeft"), (right, "eyeBlinkRight")):
        rest = _opening(face, face.positions, eye, distance)
        if rest < _LEAST_OPENING:
            continue
        left_over = _opening(face, face.positions + face.morphs[ARKIT_INDEX[name]], eye, distance) / rest
        text = f"leaves {left_over:.0%} of the eye's opening; a blink may leave {_LIDS_CLOSED:.0%}"
        yield (passed if left_over <= _LIDS_CLOSED else failed)("lids", name, text)


def _opening(
    face: Mesh, positions: Float32[np.ndarray, "V 3"], eye: Float32[np.ndarray, "3"], distance: float
) -> float:
    """Share of the window through which the eye's middle looks straight ahead past the skin; 0 when that has no rim."""
    across, up = (np.linspace(-half, half, count) * distance for half, count in zip(_WINDOW, _RAYS, strict=True))
    x, y = np.meshgrid(across, up)
    origins = (eye + np.stack([x, y, np.zeros_like(x)], axis=2).reshape(-1, 3)).astype(np.float32)
    ahead = np.tile(np.array([0, 0, 1], np.float32), (len(origins), 1))
    seen = ~Scene(positions, face.triangles).blocked(origins, ahead).reshape(x.shape)
    rim = seen[[0, -1]].any() or seen[:, [0, -1]].any()
    return 0.0 if rim else float(seen.mean())
