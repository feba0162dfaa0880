"""Shapes that could be taken for one another, told apart by which goes further: higher, outward, ahead, apart.

Anatomy alone, and only the order, no amount: what a smile does outward, a raised upper lip does less on any head. So
two exchanged shapes always break an order that both keep in their own places. What cannot be told: eyeLookUp from
eyeWide where no eyeball morphs, mouthFunnel from mouthPucker where neither parts the lips, and the strength of what has
no twin (but for jawOpen and mouthClose: the lips tell).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.formats.contacts import lip_pairs
from avatar3d.formats.motion import Motion

WHOLE_NAMES: Final = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Left and right here are where the mouth goes, not which half of the face moves."""
_TWIN: Final = 0.6
"""How strong the weaker of two mirrored shapes is at least; .95 on 34 fitted heads."""

_Chain = tuple[tuple[str, ...], ...]
"""Every shape of a group goes further than every shape of the next group. Names without Left and Right stand for both."""


@dataclass(frozen=True)
class _Ranking:
    says: str
    measure: Callable[[Motion, int], float]
    chains: tuple[_Chain, ...]
    face_alone: bool = True
    """Measured on the face mesh, or on all that morphs."""


def _way(motion: Motion, shape: int, axis: int) -> float:
    push = motion.push(shape)
    return float(push[axis] / np.linalg.norm(push))


def _outward(shape: int) -> float:
    """-1 for shapes of the person's right half."""
    return -1.0 if ARKIT_NAMES[shape].endswith("Right") and ARKIT_NAMES[shape] not in WHOLE_NAMES else 1.0


def _breadth(motion: Motion, shape: int) -> float:
    energy = motion.energy(shape)
    return float(energy @ np.abs(motion.positions[:, 0]) / energy.sum())


def _parting(motion: Motion, shape: int) -> float:
    jaw_open = motion.morphs[ARKIT_INDEX["jawOpen"]]
    upper, lower = lip_pairs(motion.positions * np.linalg.norm(motion.across), jaw_open, motion.across)
    apart = motion.morphs[shape][upper, 1] - motion.morphs[shape][lower, 1]
    return float(apart.mean()) if len(apart) else 0.0


def _turning(motion: Motion, shape: int) -> float:
    return float(np.sqrt(motion.energy(shape)[motion.on_eyes].max(initial=0)))


_MIDDLE: Final = (
    "browInnerUp", "cheekPuff", "jawForward", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower",
    "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "tongueOut",
)  # fmt: skip
_LOOKS: Final = ("eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp")
_RANKINGS: Final = (
    _Ranking("lies no higher than", lambda m, s: float(m.centre(s)[1]), (
        (("browOuterUp",), ("eyeLookUp", "eyeWide"), ("eyeSquint",), ("cheekSquint", "noseSneer"), ("mouthUpperUp",), ("mouthPress",)),
        (("browDown",), ("eyeBlink", "eyeLookDown")),
        (("cheekPuff", "mouthFunnel", "mouthPucker"), ("jawForward",)),
        (("mouthShrugUpper",), ("mouthShrugLower",)),
        (("mouthRollUpper",), ("mouthRollLower",)),
        (("mouthLeft", "mouthRight"), ("jawLeft", "jawRight")),
    )),
    _Ranking("lies no further out than", lambda m, s: _outward(s) * float(m.centre(s)[0]), (
        (("cheekSquint",), ("noseSneer",)),
        (("mouthFrown",), ("mouthLowerDown",)),
    )),
    _Ranking("pushes no further up than", lambda m, s: _way(m, s, 1), (
        (("eyeLookUp", "eyeSquint"), ("eyeLookIn", "eyeLookOut"), ("eyeLookDown",)),
        (("mouthSmile",), ("mouthDimple",)),
        (("cheekPuff", "jawForward", "mouthFunnel", "mouthPucker", "mouthShrugUpper"), ("tongueOut",)),
    )),
    _Ranking("pushes no further out than", lambda m, s: _outward(s) * _way(m, s, 0), (
        (("eyeLookOut",), ("eyeLookIn",)),
        (("mouthStretch",), ("mouthSmile",), ("cheekSquint", "mouthPress", "mouthUpperUp", "noseSneer")),
        (("mouthStretch",), ("mouthDimple", "mouthFrown", "mouthLowerDown")),
    )),
    _Ranking("pushes no further to the left than", lambda m, s: _way(m, s, 0), (
        (("jawLeft", "mouthLeft"), _MIDDLE, ("jawRight", "mouthRight")),
    )),
    _Ranking("pushes no further ahead than", lambda m, s: _way(m, s, 2), (
        (("cheekPuff", "jawForward", "mouthFunnel", "mouthPucker"), ("mouthShrugLower", "mouthShrugUpper"),
         ("mouthRollLower", "mouthRollUpper")),
        (("cheekSquint", "mouthPress", "mouthUpperUp", "noseSneer"), ("mouthDimple",)),
    )),
    _Ranking("is no broader than", _breadth, ((("cheekPuff",), ("mouthFunnel", "mouthPucker")),)),
    _Ranking("parts the lips no further than", _parting, ((("mouthFunnel",), ("mouthPucker",)),)),
    _Ranking("moves the lids no further than", lambda m, s: float(m.peaks[s]), ((("eyeBlink",), ("eyeLookDown",)),)),
    _Ranking("turns the eyeball no further than", _turning, ((_LOOKS, ("eyeSquint", "eyeWide")),), False),
)  # fmt: skip


def ranking_faults(motion: Motion) -> Iterator[tuple[str, str]]:
    """Name and reason of every shape that goes less far than one it could be taken for, or is half of its twin."""
    for ranking in _RANKINGS:
        if ranking.face_alone != motion.face_alone:
            continue
        names = dict.fromkeys(
            name for chain in ranking.chains for group in chain for bare in group for name in _both(bare)
        )
        value = {name: ranking.measure(motion, ARKIT_INDEX[name]) for name in names}
        for chain in ranking.chains:
            for more, less in pairwise(chain):
                yield from (
                    (one, f"{ranking.says} {other}: exchanged?")
                    for first in more
                    for second in less
                    for one, other in zip(_both(first), _both(second), strict=True)
                    if value[one] < value[other]
                )
    for name in ARKIT_NAMES:
        if name.endswith("Left"):
            yield from _uneven(motion, name, name.removesuffix("Left") + "Right")


def _both(bare: str) -> tuple[str, ...]:
    return (bare,) if bare in ARKIT_INDEX else (f"{bare}Left", f"{bare}Right")


def _uneven(motion: Motion, left: str, right: str) -> Iterator[tuple[str, str]]:
    far = {name: float(motion.peaks[ARKIT_INDEX[name]]) for name in (left, right)}
    weak, strong = sorted(far, key=lambda name: far[name])
    if far[weak] < _TWIN * far[strong]:
        yield weak, f"moves {far[weak] / far[strong]:.0%} as far as {strong}; expected at least {_TWIN:.0%}"
