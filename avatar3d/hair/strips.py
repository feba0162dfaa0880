"""Where locks lie on the hair: all over it, at the ends of what hangs, beside the face, and across the hairline."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float64

from avatar3d.hair.edges import FRINGE_FROM, grows_out
from avatar3d.hair.scalp import usual_hairline
from avatar3d.hair.strands import CROPPED, FULL, RIM, LockKind
from avatar3d.hair.style import HairStyle
from avatar3d.hair.surface import COVERED, Surface, follow, spread_roots
from avatar3d.hair.texels import SIZE

# Locks at the ends of hanging hair, beside its face, and across the hairline.
END_COUNT: Final = 56
FRAME_COUNT: Final = 16
_RIM_COUNT: Final = 156
# Lengths and widths of locks across the hairline (metres): least, most; and how far they stand off.
_RIM: Final = (0.010, 0.022, 0.005, 0.008)
_OFF_RIM_M: Final = 0.0004
# Curls show less of their length than straight hair, and are drawn wider.
_SHORTER: Final = 0.25
_WIDER: Final = 0.80
# The ends of hanging hair begin so far above its end and pass it by so much at most (metres).
_END_ABOVE_M: Final = (0.025, 0.080)
_END_PASS_M: Final = (-0.018, 0.009)
# Locks beside the face lie up to so far inside the hair's front edge and sway so far across it (turns).
_FRAME_INSIDE: Final = 0.022
_FRAME_SWAY: Final = 0.014
# The forehead ends so far around.
_FOREHEAD_DEG: Final = 70.0
# Share of a rim lock's length that lies outside the hair: of a fringe, and where hair grows out of the skin.
_RIM_OUTSIDE: Final = (0.45, 0.28)
# Cropped hair stands so far away from its common way (radians).
_CROPPED_TURN: Final = 0.2
# Around the face (so many turns to either side) the rim is so much denser.
_FRONT: Final = 0.27
_FRONT_MORE: Final = 2.5


@dataclass(frozen=True, eq=False)
class Strips:
    """Locks of one kind before they have a width in space."""

    kind: LockKind
    paths: Float64[np.ndarray, "K S 2"]
    width_m: Float64[np.ndarray, "K"]
    off_m: Float64[np.ndarray, "K"]


def no_strips(kind: LockKind) -> Strips:
    return Strips(kind, np.zeros((0, kind.steps, 2)), np.zeros(0), np.zeros(0))


def over_hair(
    surface: Surface,
    size: Float64[np.ndarray, "4"],
    count: int,
    off: float,
    style: HairStyle,
    kind: LockKind,
    rng: np.random.Generator,
) -> Strips:
    """Locks all over the hair."""
    roots = spread_roots(surface, count, rng)
    length = (size[0] + (size[1] - size[0]) * rng.random(len(roots))) * (1 - _SHORTER * style.curl)
    width = (size[2] + (size[3] - size[2]) * rng.random(len(roots))) * (1 + _WIDER * style.curl)
    # Where the photo shows the hair its own curls are in the picture.
    turn = style.curl * rng.normal(0, 0.5, len(roots)) * (1 - 0.6 * surface.seen(roots))
    paths = _rooted(surface, follow(surface, roots, length, turn, kind.steps), style)
    return Strips(kind, paths, width, off * (0.3 + 0.7 * rng.random(len(roots))))


def on_cropped(
    surface: Surface, size: Float64[np.ndarray, "4"], count: int, off: float, rng: np.random.Generator
) -> Strips:
    """Small tufts all over cropped hair, but where the photo shows it, which draws it better."""
    roots = spread_roots(surface, count, rng)
    roots = roots[surface.seen(roots) < rng.random(len(roots))]
    length = size[0] + (size[1] - size[0]) * rng.random(len(roots))
    width = size[2] + (size[3] - size[2]) * rng.random(len(roots))
    turn = rng.normal(0, _CROPPED_TURN, len(roots))
    paths = follow(surface, roots, length, turn, CROPPED.steps)
    return Strips(CROPPED, paths, width, off * (0.3 + 0.7 * rng.random(len(roots))))


def _rooted(surface: Surface, paths: Float64[np.ndarray, "K S 2"], style: HairStyle) -> Float64[np.ndarray, "K S 2"]:
    """Hair over a bare forehead has its roots at the hairline and is combed back; only a fringe has its tips there."""
    tip = paths[:, -1]
    azimuth = 360 * (np.mod(tip[:, 0], 1) - 0.5)
    bare = style.line(azimuth) > usual_hairline(azimuth) - FRINGE_FROM
    at_line = (surface.covered(tip) <= COVERED) & (np.abs(azimuth) < _FOREHEAD_DEG) & (tip[:, 1] < surface.curtain_v)
    return np.where((bare & at_line)[:, None, None], paths[:, ::-1], paths)


def at_ends(surface: Surface, size: Float64[np.ndarray, "4"], off: float, rng: np.random.Generator) -> Strips:
    """The ends of hanging hair: side by side, each of its own length."""
    u = (np.arange(END_COUNT) + rng.random(END_COUNT)) / END_COUNT
    # Only where hair hangs, and there evenly.
    v, grid_u = np.meshgrid(np.linspace(surface.curtain_v, 1, 24), np.linspace(0, 1, 256), indexing="ij")
    hanging = surface.covered(np.stack([grid_u.ravel(), v.ravel()], 1)).reshape(v.shape)[4:-2].mean(0) > COVERED
    total = np.cumsum(hanging)
    if total[-1] == 0:
        return no_strips(FULL)
    u = np.interp(u, total / total[-1], np.linspace(0, 1, 256))
    low = surface.at(np.stack([u, np.ones_like(u)], 1))[0]
    high = surface.at(np.stack([u, np.full_like(u, surface.curtain_v)], 1))[0]
    tall = np.linalg.norm(low - high, axis=1)
    above = _END_ABOVE_M[0] + (_END_ABOVE_M[1] - _END_ABOVE_M[0]) * rng.random(END_COUNT)
    past = _END_PASS_M[0] + (_END_PASS_M[1] - _END_PASS_M[0]) * rng.random(END_COUNT)
    per_m = (1 - surface.curtain_v) / np.maximum(tall, 0.01)
    top = np.maximum(1 - above * per_m, 0.3)
    bottom = np.minimum(1 + past * per_m, surface.most_v)
    share = np.linspace(0, 1, FULL.steps)[None]
    down = top[:, None] + (bottom - top)[:, None] * share
    drift = 0.012 * rng.standard_normal((END_COUNT, 1)) * share
    width = size[2] + (size[3] - size[2]) * rng.random(END_COUNT)
    paths = np.stack([u[:, None] + drift, down], axis=2)
    return Strips(FULL, paths, width, off * (0.2 + 0.8 * rng.random(END_COUNT)))


def beside_face(surface: Surface, size: Float64[np.ndarray, "4"], off: float, rng: np.random.Generator) -> Strips:
    """Locks along the front edge of hanging hair, swaying across it."""
    v = np.linspace(surface.curtain_v, 1, FULL.steps)
    grid_u = np.linspace(0.5, 1, 128)
    edges: list[Float64[np.ndarray, "S"]] = []
    for u in (grid_u, 1 - grid_u):
        covered = surface.covered(np.stack([np.tile(u, len(v)), np.repeat(v, len(u))], 1)).reshape(len(v), -1)
        if (covered[: len(v) // 2].max(1) <= COVERED).any():
            return no_strips(FULL)
        edges.append(u[np.argmax(covered > COVERED, axis=1)])
    half = FRAME_COUNT // 2
    share = np.linspace(0, 1, FULL.steps)[None]
    parts: list[Float64[np.ndarray, "K S 2"]] = []
    for edge, outward in zip(edges, (1, -1), strict=True):
        top = surface.curtain_v * (0.75 + 0.35 * rng.random((half, 1)))
        bottom = 1 - (1 - surface.curtain_v) * 0.55 * rng.random((half, 1)) ** 1.5
        down = top + (bottom - top) * share
        sway = np.sin(2 * np.pi * (share * rng.uniform(0.5, 1.1, (half, 1)) + rng.random((half, 1))))
        inside = _FRAME_INSIDE * rng.random((half, 1)) + _FRAME_SWAY * sway * np.clip(3 * share, 0, 1)
        parts.append(np.stack([np.interp(down, v, edge) + outward * inside, down], axis=2))
    width = size[2] + (size[3] - size[2]) * rng.random(2 * half)
    return Strips(FULL, np.concatenate(parts), 0.8 * width, off * (0.3 + 0.7 * rng.random(2 * half)))


def at_rim(surface: Surface, lift: float, style: HairStyle, rng: np.random.Generator) -> Strips:
    """Single short hairs across the line where hair begins, so that no line is left."""
    presence = surface.paint.presence > COVERED
    border = cv2.morphologyEx(presence.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    border[: SIZE // 24] = False
    border[-2:] = False
    rows, columns = np.nonzero(border)
    if len(rows) == 0:
        return no_strips(RIM)
    order = np.lexsort((rows, columns))
    uv = np.stack([(columns[order] + 0.5) / SIZE, (rows[order] + 0.5) / SIZE], axis=1)
    # Even in metres: texels are narrow near the crown.
    texel = np.sqrt(surface.area(uv, 0.5 / SIZE)) * np.where(np.abs(uv[:, 0] - 0.5) < _FRONT, _FRONT_MORE, 1)
    total = np.cumsum(texel)
    at = np.searchsorted(total, (np.arange(_RIM_COUNT) + rng.random(_RIM_COUNT)) / _RIM_COUNT * total[-1])
    roots = uv[np.minimum(at, len(uv) - 1)]
    longer = float(np.clip(lift / 0.015, 0, 1))
    low, high, thin, thick = np.array(_RIM) * [0.6 + 0.4 * longer, 0.5 + 0.5 * longer, 1, 1]
    length = low + (high - low) * rng.random(_RIM_COUNT)
    rooted = grows_out(style)[np.minimum((roots[:, 0] * SIZE).astype(int), SIZE - 1)]
    beyond = _RIM_OUTSIDE[0] + (_RIM_OUTSIDE[1] - _RIM_OUTSIDE[0]) * rooted
    outside = follow(surface, roots, beyond * length, np.zeros(_RIM_COUNT), RIM.steps, free=True)[:, -1]
    turn = np.pi + rng.normal(0, 0.18, _RIM_COUNT)
    paths = follow(surface, outside, length, turn, RIM.steps, free=True)[:, ::-1]
    width = thin + (thick - thin) * rng.random(_RIM_COUNT)
    return Strips(RIM, paths, width, np.full(_RIM_COUNT, _OFF_RIM_M))
