"""Whether each of the 52 shapes does what its name says, and no two have changed places.

    by itself: far enough, at the right height, on its side, the right way
    beside the others (`rankings`): higher, further out or ahead than those it could be taken for, as strong as its twin

The bounds are wide: they catch a swapped, mirrored, empty or foreign shape, not an unusual face.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.finding import Finding, failed, passed
from avatar3d.formats.motion import Motion
from avatar3d.formats.rankings import WHOLE_NAMES, ranking_faults

_PEAK_M: Final = (2e-4, 0.06)
"""How far a shape's most moved vertex goes: less is invisible, more tears the face."""
_SKIN_M: Final = 1.4e-3
_SKIN_OTHERWISE_M: Final = {"eyeBlink": 3.5e-3, "eyeLook": 6e-4, "jawOpen": 0.01, "mouthClose": 0.01}
"""The least that a shape's most moved vertex of the face mesh itself goes, by the first words of its name.

No other mesh may stand in for the skin. Half or less of the least measured on the heads of nine people and on the
egg of tests/synthetic.py, in mm (heads; egg): eyeBlink 8.7; 7.1, eyeLook 2.2 (In); 1.3 (Out), jawOpen 40; 25,
mouthClose 39; 25, and of all others 3.0 (eyeWide); 2.8 (mouthPress). TongueOut opens the jaw: 12; 3.4.
"""
_TONGUE: Final = "tongueOut"
"""On the skin it is jawOpen in small: where it pushes, and that it is a shape of its own, only the tongue tells."""
_SIDE_SHARE: Final = 0.75
"""Least part of a one-sided shape's motion that lies on its own side."""
_SAME: Final = 0.999
"""Two shapes with more correlation than this are one shape under two names."""

# Height of the motion's centre by the first word of the name: lowest, highest, in IOU from the eyes.
_HEIGHTS: Final[dict[str, tuple[float, float]]] = {
    "brow": (-0.1, 1.5),
    "eye": (-0.6, 0.7),
    "cheek": (-1.6, 0.2),
    "nose": (-1.3, 0.4),
    "mouth": (-2.4, -0.4),
    "jaw": (-2.6, -0.4),
    "tongue": (-2.4, -0.4),
}
# Where a shape pushes on the whole, where that cannot be in doubt: axis and sign.
_PUSHES: Final[dict[str, tuple[int, int]]] = {
    "browDown": (1, -1), "browInnerUp": (1, 1), "browOuterUp": (1, 1), "cheekSquint": (1, 1), "eyeBlink": (1, -1),
    "eyeWide": (1, 1), "jawForward": (2, 1), "jawLeft": (0, 1), "jawOpen": (1, -1), "jawRight": (0, -1),
    "mouthFrown": (1, -1), "mouthFunnel": (2, 1), "mouthLeft": (0, 1), "mouthLowerDown": (1, -1),
    "mouthPucker": (2, 1), "mouthRight": (0, -1), "mouthShrugLower": (1, 1), "mouthSmile": (1, 1),
    "mouthUpperUp": (1, 1), "noseSneer": (1, 1), "tongueOut": (2, 1),
}  # fmt: skip


def check_shapes(face: Motion, whole: Motion) -> Iterator[Finding]:
    """Each shape moves something, where its name says, to where its name says; no two are the same.

    The face alone must do so, and with the teeth, lashes and all others too: neither may hide a dead or foreign other.
    """
    faults = [
        fault
        for shape in range(len(ARKIT_NAMES))
        if (fault := _shape_fault(face, shape) or _shape_fault(whole, shape)) is not None
    ]
    faults += dict.fromkeys(_twins(face) + _twins(whole))
    faults = faults or list(dict.fromkeys([*ranking_faults(face), *ranking_faults(whole)]))
    yield from (failed("shapes", name, reason) for name, reason in faults)
    if not faults:
        peak = face.peaks
        least = int(np.argmin(peak))
        yield passed(
            "shapes",
            "",
            f"all 52 move what their name says, the face by {1000 * peak[least]:.1f} mm ({ARKIT_NAMES[least]}) "
            f"to {1000 * peak.max():.1f} mm ({ARKIT_NAMES[int(np.argmax(peak))]})",
        )


def _shape_fault(motion: Motion, shape: int) -> tuple[str, str] | None:
    name = ARKIT_NAMES[shape]
    energy = motion.energy(shape)
    peak = float(motion.peaks[shape])
    least, most = _PEAK_M
    if motion.face_alone:
        least = next((bound for words, bound in _SKIN_OTHERWISE_M.items() if name.startswith(words)), _SKIN_M)
    if not least <= peak <= most:
        moved = "the face mesh itself" if motion.face_alone else "all"
        return (
            name,
            f"moves {moved} by {1000 * peak:.3f} mm at most; expected {1000 * least:.1f} to {1000 * most:.0f} mm",
        )
    height = float(motion.centre(shape)[1])
    low, high = next(bounds for region, bounds in _HEIGHTS.items() if name.startswith(region))
    if not low <= height <= high:
        return name, f"moves the face {height:+.2f} eye distances from the eyes' height; expected {low} to {high}"
    bare = name if name in WHOLE_NAMES else name.removesuffix("Left").removesuffix("Right")
    if bare != name:
        on_its_side = motion.positions[:, 0] > 0 if name.endswith("Left") else motion.positions[:, 0] < 0
        share = float(energy[on_its_side].sum() / energy.sum())
        if share < _SIDE_SHARE:
            return (
                name,
                f"only {100 * share:.0f} % of its motion is on its own side; expected {100 * _SIDE_SHARE:.0f} %",
            )
    if bare in _PUSHES and not (motion.face_alone and name == _TONGUE):
        axis, sign = _PUSHES[bare]
        if motion.push(shape)[axis] * sign <= 0:
            return name, f"pushes the wrong way along {'xyz'[axis]}"
    return None


def _twins(motion: Motion) -> list[tuple[str, str]]:
    """Shapes that are one shape under two names."""
    flat = motion.morphs.reshape(len(ARKIT_NAMES), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    first, second = np.nonzero(np.triu(unit @ unit.T, 1) > _SAME)
    pairs = [(ARKIT_NAMES[a], ARKIT_NAMES[b]) for a, b in zip(first, second, strict=True)]
    return [(a, f"is the same motion as {b}") for a, b in pairs if not (motion.face_alone and _TONGUE in (a, b))]
