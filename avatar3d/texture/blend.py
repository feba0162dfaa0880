"""Skin that several photos show: each texel from the one that sees it most squarely.

layers --tones matched to the first--> shares by squareness, feathered --> one layer
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.texture.complete import smooth
from avatar3d.texture.regions import blur

_SHARPNESS: Final = 6
"""Shares go with this power of how well a photo sees a texel: two photos are mixed only where they see it alike, for a
mole in two places is worse than a seam."""
_FIRST: Final = 1.5
"""The first photo counts so much more: its head lies more truly on it than on one from the side."""
_FEATHER: Final = 0.008
"""Standard deviation of the Gaussian over which one photo goes over into another, atlas edges."""
_SLOW: Final = 0.02
"""What is wider than this is slow, atlas edges."""
_CALMED: Final = 0.8
"""Share of slow changes that is taken out of the further photos: most of them are light. On generated people the
albedo is nearer to the truth the more is taken out, and less of a beard is left."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Skin on the atlas, as one photo or its mirror image shows it, without its light."""

    ratio: Float32[np.ndarray, "S S 3"]
    """log(albedo / tone)."""
    weight: Float32[np.ndarray, "S S"]
    """How far it is believed."""
    drawn: Float32[np.ndarray, "S S"]
    """1 on brows, lid margins, lips and nostrils."""
    sockets: Float32[np.ndarray, "S S"]
    """1 around eyes and brows."""
    cosine: Float32[np.ndarray, "S S"]
    """Between normal and view: 1 seen squarely, 0 edge-on or not at all."""


def blend_layers(layers: Sequence[Layer], expected: Float32[np.ndarray, "S S 3"]) -> Layer:
    """One layer of all; around eyes, brows and mouth the first counts wherever it shows them, for its expression.

    `expected` is how skin goes on (log ratio) for all that the first shows.
    """
    main, *others = layers
    features = np.minimum(np.maximum(main.drawn, main.sockets), main.weight)
    features = np.clip(2 * blur(features, _FEATHER * len(features)), 0, 1)
    matched = [main, *(_in_tone(main, other, expected) for other in others)]
    scores = np.stack([_FIRST * main.weight * main.cosine, *(o.weight * o.cosine * (1 - features) for o in others)])
    raw = (scores / np.maximum(scores.max(0), np.float32(1e-6))) ** _SHARPNESS * (scores > 0)
    shares = np.stack(
        [blur(share, _FEATHER * len(share)) * (score > 0) for share, score in zip(raw, scores, strict=True)]
    )
    shares /= np.maximum(shares.sum(0), np.float32(1e-6))
    return Layer(
        ratio=_mixed(shares, [layer.ratio for layer in matched]),
        weight=_mixed(shares, [layer.weight for layer in layers]),
        drawn=np.maximum(main.drawn, _mixed(shares, [layer.drawn for layer in layers])),
        sockets=np.maximum(main.sockets, _mixed(shares, [layer.sockets for layer in layers])),
        cosine=_mixed(shares, [layer.cosine for layer in layers]),
    )


def _mixed(
    shares: Float32[np.ndarray, "N S S"], parts: Sequence[Float32[np.ndarray, "S S *C"]]
) -> Float32[np.ndarray, "S S *C"]:
    return np.einsum("nst,nst...->st...", shares, np.stack(parts))


def _in_tone(main: Layer, other: Layer, expected: Float32[np.ndarray, "S S 3"]) -> Layer:
    """The other's skin in the tone that the first has where both see it, its slow changes as the first lets expect."""
    both = main.weight * other.weight * (1 - np.maximum(main.drawn, other.drawn))
    if not (both > 0).any():
        return other
    whole = ((main.ratio - other.ratio) * both[..., None]).sum((0, 1)) / both.sum()
    matched = other.ratio + whole
    slow = smooth(matched - expected, other.weight * (1 - other.drawn), _SLOW)
    return replace(other, ratio=matched - np.float32(_CALMED) * slow * (other.weight > 0)[..., None])
