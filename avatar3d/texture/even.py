"""Slow changes over a face that no bare skin has: a side in shade, a rim in coloured bounce, casts of hair and collar.

log ratio of both sides, a quarter as fine --> sides balanced --> rims follow the skin inside --> excess taken back
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.render.lights import LUMINANCE
from avatar3d.texture.complete import pull_push
from avatar3d.texture.planes import reduced, times
from avatar3d.texture.regions import blur

_SLOW: Final = 0.03
"""What is wider than this is slow, atlas edges."""
# Of the slow difference between both sides, these shares (luminance, chroma) are taken out. Chroma costs the likeness
# under the photo's light five times less than luminance does, and is what shows as a stain.
_BALANCED: Final = np.array([0.3, 0.85], np.float32)
_SHADED: Final = 0.15
"""A side this far from the usual skin in log luminance tells e times less what the other should be."""
_RIM: Final = 0.045
"""Width of the rim of what is seen, atlas edges."""
_RIM_FINE: Final = 0.02
_INSIDE: Final = 0.01
_RIM_EVENED: Final = np.array([0.5, 0.95], np.float32)
_EDGE: Final = (0.55, 0.80)
"""Share of seen texels around, below which what is seen ends, above which it does not."""
_RIM_BEARDED: Final = 0.4
"""Share of this for a bearded face, whose rim is hair."""
_RIM_KNEE: Final = 0.06
_HUE: Final = np.array([0.0, 1.0], np.float32)
_STRAND: Final = (1.0, 1.4)
"""At the rim, what is darker than the skin inside by the first may be hair, by the second is, in log luminance."""
# Slow changes of log colour that bare skin may show, luminance and chroma; of what exceeds them these shares are taken out
# (a beard is a slow change too).
_LUMINANCE: Final = 0.20
_CHROMA: Final = 0.07
_EVENED: Final = np.array([0.35, 0.85], np.float32)
_EVENED_BEARDED: Final = np.array([0.15, 0.5], np.float32)
_FINE: Final = 4
"""Texels of the atlas in one of the small pictures on which this is done."""


@dataclass(frozen=True, eq=False)
class Side:
    """One face as the photo or its mirror image shows it, on the atlas."""

    ratio: Float32[np.ndarray, "S S 3"]
    """log(albedo / tone)."""
    weight: Float32[np.ndarray, "S S"]
    drawn: Float32[np.ndarray, "S S"]
    sockets: Float32[np.ndarray, "S S"]


def without_strands(side: Side) -> Float32[np.ndarray, "S S"]:
    """1 where it may be skin, 0 on dark strands at the rim of what is seen: hair that no mask found, or its shadow."""
    small = _Small.of(side)
    core = _core(small)
    inside = _inside(small, core)
    dark = np.clip(((inside - small.ratio) @ LUMINANCE - _STRAND[0]) / (_STRAND[1] - _STRAND[0]), 0, 1)
    hair = (dark * (small.seen > 0.1) * np.clip(3 * (1 - core), 0, 1)).astype(np.float32)
    hair = np.asarray(cv2.dilate(hair, np.ones((3, 3), np.uint8)), np.float32)
    doubt = np.asarray(cv2.resize(blur(hair, 1.0), side.weight.shape, interpolation=cv2.INTER_LINEAR), np.float32)
    return 1 - np.clip(doubt, 0, 1) * (1 - side.drawn)


def even_out(own: Side, opposite: Side, *, bearded: bool) -> tuple[Float32[np.ndarray, "S S 3"], ...]:
    """Log ratios of both, without the slow changes that are light: small things stay to the last texel."""
    small = [_Small.of(side) for side in (own, opposite)]
    before = [picture.ratio for picture in small]
    small = _balanced(*small)
    small = [_rim_evened(picture, bearded=bearded) for picture in small]
    small = [_limited(picture, _EVENED_BEARDED if bearded else _EVENED) for picture in small]
    evened: list[Float32[np.ndarray, "S S 3"]] = []
    for side, first, last in zip((own, opposite), before, small, strict=True):
        change = np.asarray(cv2.resize(last.ratio - first, side.weight.shape, interpolation=cv2.INTER_LINEAR))
        evened.append(side.ratio + times(np.asarray(change, np.float32), (side.weight > 0).astype(np.float32)))
    return tuple(evened)


@dataclass(frozen=True, eq=False)
class _Small:
    """A side, a quarter as fine."""

    ratio: Float32[np.ndarray, "Q Q 3"]
    skin: Float32[np.ndarray, "Q Q"]
    """Weight of what is skin."""
    seen: Float32[np.ndarray, "Q Q"]
    """1 where something of the face is seen, brows, eyes and mouth too."""

    @staticmethod
    def of(side: Side) -> "_Small":
        skin = side.weight * (1 - side.drawn) + np.float32(1e-4)
        seen = np.maximum(side.weight, np.maximum(side.drawn, side.sockets))
        size = len(skin) // _FINE
        packed = reduced(side.ratio, skin, (size, size))
        seen = np.asarray(cv2.resize(seen, (size, size), interpolation=cv2.INTER_AREA), np.float32)
        outlines, _ = cv2.findContours((seen > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        whole = cv2.drawContours(np.zeros((size, size), np.uint8), outlines, -1, (1,), cv2.FILLED)
        seen = np.maximum(seen, whole.astype(np.float32))
        return _Small(packed[..., :3] / packed[..., 3:4], packed[..., 3], seen)

    def plus(self, change: Float32[np.ndarray, "Q Q 3"]) -> "_Small":
        return _Small(self.ratio + change, self.skin, self.seen)

    def mean(self, width: float) -> Float32[np.ndarray, "Q Q 3"]:
        """Over skin, under a Gaussian of `width` atlas edges."""
        sigma = width * len(self.skin)
        packed = blur(np.dstack([times(self.ratio, self.skin), self.skin]), sigma)
        return packed[..., :3] / np.maximum(packed[..., 3:], np.float32(1e-6))


def _balanced(own: _Small, opposite: _Small) -> list[_Small]:
    """Both sides drawn toward what is nearer the usual skin: skin is alike on both sides of a face, light is not."""
    means = [side.mean(_SLOW) for side in (own, opposite)]
    known = [np.clip(2 * blur(side.skin, _SLOW * len(side.skin)) - 0.6, 0, 1) for side in (own, opposite)]
    lit = [np.exp(-np.abs(mean @ LUMINANCE) / np.float32(_SHADED)) + np.float32(1e-6) for mean in means]
    evened: list[_Small] = []
    for side, this, other in ((own, 0, 1), (opposite, 1, 0)):
        # What the other side tells fades out with it: a side in deep shade would believe the last texel of it.
        believed = known[other] * lit[other] / (lit[this] + lit[other])
        evened.append(side.plus(_shares(times(means[other] - means[this], believed), _BALANCED)))
    return evened


def _rim_evened(side: _Small, *, bearded: bool) -> _Small:
    """The rim of what is seen lies in shade, shine or bounce: it follows the skin inside of it, its edge in all its hue."""
    core = _core(side)
    inside = _inside(side, core)
    excess = side.mean(_RIM_FINE) - inside
    luminance = (excess @ LUMINANCE)[..., None]
    excess -= np.clip(luminance, -_RIM_KNEE, _RIM_KNEE)
    part = np.float32(_RIM_BEARDED if bearded else 1)
    evened = side.plus(-((1 - core) * part)[..., None] * _shares(excess, _RIM_EVENED))
    # Brightness at the edge is what the light could not tell, and likeness would miss it; hue is never the skin's.
    stain = _shares(inside - evened.ratio, _HUE)
    return evened.plus((_edge(side) * part)[..., None] * stain)


def _core(side: _Small) -> Float32[np.ndarray, "Q Q"]:
    """1 inside of what is seen, 0 at its rim."""
    return np.clip(2.5 * blur(side.seen, _RIM * len(side.seen)) - 1.5, 0, 1)


def _edge(side: _Small) -> Float32[np.ndarray, "Q Q"]:
    """1 where what is seen ends, 0 inside of it: the outer part of the rim."""
    around = blur(side.seen, _RIM * len(side.seen))
    return np.clip((_EDGE[1] - around) / (_EDGE[1] - _EDGE[0]), 0, 1)


def _inside(side: _Small, core: Float32[np.ndarray, "Q Q"]) -> Float32[np.ndarray, "Q Q 3"]:
    """What the skin within the rim is like, continued over the rim."""
    trusted = _Small(side.ratio, side.skin * core * core + np.float32(1e-5), side.seen)
    known = np.clip(blur(trusted.skin, _INSIDE * len(trusted.skin)), 0, 1)
    return pull_push(np.ascontiguousarray(trusted.mean(_SLOW)), known, decay=0.001)


def _limited(side: _Small, shares: Float32[np.ndarray, "2"]) -> _Small:
    """Shares of what no bare skin shows are taken back."""
    slow = side.mean(_SLOW)
    luminance = (slow @ LUMINANCE)[..., None]
    chroma = slow - luminance
    chroma -= np.clip(chroma, -_CHROMA, _CHROMA)
    return side.plus(-shares[0] * (luminance - np.clip(luminance, -_LUMINANCE, _LUMINANCE)) - shares[1] * chroma)


def _shares(change: Float32[np.ndarray, "Q Q 3"], shares: Float32[np.ndarray, "2"]) -> Float32[np.ndarray, "Q Q 3"]:
    """So much of a change's luminance and of its chroma."""
    luminance = (change @ LUMINANCE)[..., None]
    return shares[0] * luminance + shares[1] * (change - luminance)
