"""Splats learn from looks at photos: Adam over a cloud, its state a value that can be kept and goes on to the same bytes.

Sown --begin--> Refinement --advance, over looks--> Refinement --cloud_of--> SplatCloud

The picture that is compared is the splats over the mesh: where no photo tells, they fade and leave the mesh as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.splats import SplatCloud
from avatar3d.render.splats import SplatRenderer
from avatar3d.render.stage import Stage
from avatar3d.splat.bind import Frames, Shown, frames_of, place, pull_back
from avatar3d.splat.draw import show
from avatar3d.splat.look import Look
from avatar3d.splat.loss import compare
from avatar3d.splat.sow import FLAT, NARROWEST, SCALE_LIMIT, Sown

# Columns of what is learnt: barycentric, offset, turn about the normal (radians), two logarithms of width, logit of the
# opacity, logarithm of the albedo.
_PLACE, _OFFSET, _TURN, _WIDTHS, _OPACITY, _COLOUR = slice(0, 3), 3, 4, slice(5, 7), 7, slice(8, 11)
_COLUMNS: Final = 11
_RATES: Final = np.array([0.02] * 3 + [0.01, 0.03] + [0.02] * 2 + [0.05] + [0.03] * 3, np.float32)
"""Of Adam per column, at the first step; by the last they have fallen to a tenth."""
_BETAS: Final = (0.9, 0.99)
_OFFSET_LIMITS: Final = (0.1, 1.0)
"""Of skin and of hair, triangle sizes: skin lies on the surface, hair above the scalp (1.0: GaussianAvatars, 3.3)."""
_TOLD_LIMITS: Final = (np.array([-0.6, 0.25], np.float32), np.array([-1.0, 0.5], np.float32))
"""Natural logarithms by which the albedo of skin and of hair may become darker and lighter than the mesh's: a lamp from
behind that the photo's light does not know would else be taken for white skin, and glow in any other light."""
_LIGHTEST: Final = 0.9
"""Albedo; nothing on a head is lighter."""
_FADE: Final = (0.1, 0.3)
"""Cosines between which a splat's opacity is let go: what is seen aslant is told badly."""
_STAY: Final = 3e-5
"""Weight of the square of how far a logarithm of albedo has moved, times how aslant the splat is seen."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """Where the learning stands: kept, it goes on later to the same bytes."""

    learnt: Float32[np.ndarray, "S 11"]
    first: Float32[np.ndarray, "S 11"]
    """Adam's mean of gradients."""
    second: Float32[np.ndarray, "S 11"]
    step: int
    loss: float


def begin(sown: Sown) -> Refinement:
    """Nothing learnt yet."""
    cloud = sown.cloud
    learnt = np.zeros((len(cloud.triangle), _COLUMNS), np.float32)
    learnt[:, _PLACE] = cloud.barycentric
    learnt[:, _OFFSET] = cloud.offset
    learnt[:, _WIDTHS] = np.log(cloud.scale[:, :2])
    learnt[:, _OPACITY] = np.log(cloud.opacity / (1 - cloud.opacity))
    learnt[:, _COLOUR] = np.log(cloud.colour)
    return Refinement(learnt, np.zeros_like(learnt), np.zeros_like(learnt), 0, np.inf)


def cloud_of(state: Refinement, sown: Sown) -> SplatCloud:
    """The cloud as learnt so far."""
    learnt = state.learnt
    widths = np.exp(learnt[:, _WIDTHS])
    half = learnt[:, _TURN] / 2
    zero = np.zeros_like(half)
    return SplatCloud(
        triangle=sown.cloud.triangle,
        barycentric=learnt[:, _PLACE],
        offset=learnt[:, _OFFSET],
        rotation_wxyz=np.stack([np.cos(half), zero, zero, np.sin(half)], axis=1),
        scale=np.concatenate([widths, FLAT * widths.min(axis=1, keepdims=True)], axis=1).astype(np.float32),
        colour=np.exp(learnt[:, _COLOUR]),
        opacity=_fade(sown) / (1 + np.exp(-learnt[:, _OPACITY])),
    )


def recoloured(state: Refinement, cloud: SplatCloud) -> Refinement:
    """The same state in the colours of a cloud."""
    learnt = state.learnt.copy()
    learnt[:, _COLOUR] = np.log(np.maximum(cloud.colour, np.float32(1e-3)))
    return replace(state, learnt=learnt)


def advance(
    state: Refinement,
    sown: Sown,
    stage: Stage,
    looks: Sequence[Look],
    renderer: SplatRenderer,
    *,
    until: int,
    last: int,
) -> Refinement:
    """Steps up to number `until`; `last` is the number of the last one there will be, at which rates are lowest.

    Each step looks at one of the looks, in turn.
    """
    seen = [_Seen(look, frames_of(look.posed.vertices, stage.triangles, sown.cloud.triangle),
                  show(sown.cloud, stage, look.posed, look.camera, look.light)) for look in looks]  # fmt: skip
    while state.step < until:
        state = _step(state, sown, seen[state.step % len(seen)], renderer, state.step / last)
    return state


@dataclass(frozen=True, eq=False)
class _Seen:
    look: Look
    frames: Frames
    shown: Shown


def _step(state: Refinement, sown: Sown, seen: _Seen, renderer: SplatRenderer, done: float) -> Refinement:
    cloud = cloud_of(state, sown)
    drawn = renderer.draw(place(cloud, seen.frames, seen.shown), seen.look.camera, seen.look.hiding)
    loss, colour, coverage = compare(drawn.colour, drawn.coverage, seen.look)
    gradient = _columns(
        pull_back(renderer.gradients(drawn, colour, coverage), seen.frames, seen.shown), cloud, state, sown
    )
    step, (b1, b2) = state.step + 1, _BETAS
    first = b1 * state.first + (1 - b1) * gradient
    second = b2 * state.second + (1 - b2) * gradient * gradient
    rate = _RATES * np.float32(0.1**done)
    learnt = state.learnt - rate * (first / (1 - b1**step)) / (np.sqrt(second / (1 - b2**step)) + np.float32(1e-12))
    kept = np.where(sown.frozen[:, None], state.learnt, _within(learnt.astype(np.float32), sown))
    return Refinement(kept, first, second, step, loss)


def _columns(back: SplatCloud, cloud: SplatCloud, state: Refinement, sown: Sown) -> Float32[np.ndarray, "S 11"]:
    """A cloud's gradients as those of what is learnt."""
    gradient = np.empty_like(state.learnt)
    gradient[:, _PLACE] = back.barycentric
    gradient[:, _OFFSET] = back.offset
    half = state.learnt[:, _TURN] / 2
    gradient[:, _TURN] = (back.rotation_wxyz[:, 3] * np.cos(half) - back.rotation_wxyz[:, 0] * np.sin(half)) / 2
    gradient[:, _WIDTHS] = back.scale[:, :2] * cloud.scale[:, :2]
    sigmoid = 1 / (1 + np.exp(-state.learnt[:, _OPACITY]))
    gradient[:, _OPACITY] = back.opacity * _fade(sown) * sigmoid * (1 - sigmoid)
    aslant = np.float32(_STAY) * (1 - sown.confidence[:, None]) ** 2
    gradient[:, _COLOUR] = back.colour * cloud.colour + aslant * (state.learnt[:, _COLOUR] - np.log(sown.cloud.colour))
    return gradient


def _within(learnt: Float32[np.ndarray, "S 11"], sown: Sown) -> Float32[np.ndarray, "S 11"]:
    """Back to where a splat may be: in its triangle, near its surface, no wider than its triangle allows."""
    place = np.clip(learnt[:, _PLACE], 0, 1)
    learnt[:, _PLACE] = place / np.maximum(place.sum(axis=1, keepdims=True), np.float32(1e-6))
    limit = np.where(sown.on_hair, np.float32(_OFFSET_LIMITS[1]), np.float32(_OFFSET_LIMITS[0]))
    learnt[:, _OFFSET] = np.clip(learnt[:, _OFFSET], -np.float32(_OFFSET_LIMITS[0]), limit)
    learnt[:, _WIDTHS] = np.clip(learnt[:, _WIDTHS], np.log(NARROWEST), np.log(SCALE_LIMIT))
    learnt[:, _OPACITY] = np.clip(learnt[:, _OPACITY], -6, 6)
    told = learnt[:, _COLOUR] - np.log(sown.cloud.colour)
    darker, lighter = (np.where(sown.on_hair, hair, skin)[:, None] for skin, hair in zip(*_TOLD_LIMITS, strict=True))
    learnt[:, _COLOUR] = np.log(sown.cloud.colour) + np.clip(told, darker, lighter)
    learnt[:, _COLOUR] = np.clip(learnt[:, _COLOUR], np.log(1e-3), np.log(_LIGHTEST))
    return learnt


def _fade(sown: Sown) -> Float32[np.ndarray, "S"]:
    way = np.clip((sown.confidence - _FADE[0]) / (_FADE[1] - _FADE[0]), 0, 1)
    return (way * way * (3 - 2 * way)).astype(np.float32)
