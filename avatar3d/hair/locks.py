"""Locks: ribbons that follow the hair's flow a little above the shell, end hair by hair and break its outline.

places on the hair --> paths along the flow --> ribbons, arched and tilted like shingles
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.hair.atlas import HIGH_PX, WIDE_PX, place_cells
from avatar3d.hair.paint import HairPaint
from avatar3d.hair.shell import HairShell, push_out, sunk_below
from avatar3d.hair.strands import FULL, LONG_PX, RIM, THIN, LockKind
from avatar3d.hair.strips import END_COUNT, FRAME_COUNT, Strips, at_ends, at_rim, beside_face, on_cropped, over_hair
from avatar3d.hair.style import HairStyle
from avatar3d.hair.surface import Surface
from avatar3d.hair.texels import SIZE
from avatar3d.render.raycast import Scene

# Locks over the shell, at the ends of hanging hair and beside its face (taken from the former), single hairs above, and
# along the rim.
_FULL_COUNT: Final = 190
_THIN_COUNT: Final = 40
_SEED: Final = 5
# Lengths and widths of ribbons (metres): least, most, in hair that lies close, that stands off, that hangs.
_SHORT: Final = (0.026, 0.046, 0.008, 0.012)
_HIGH: Final = (0.050, 0.090, 0.010, 0.016)
_HANGING: Final = (0.090, 0.150, 0.012, 0.018)
# How far ribbons stand off the shell: this share of the hair's lift, within limits (metres); single hairs further.
_OFF_SHARE: Final = 0.12
_OFF_M: Final = (0.0006, 0.0026)
_OFF_THIN: Final = 1.9
# Tips of curls stand off, by this share of the lift and at most by so much (metres).
_FLARE: Final = (0.30, 0.010)
# One edge of a ribbon lies higher than the other and its middle higher than both, by these shares of its width.
_TILT: Final = 0.14
_ARCH: Final = 0.10
_LOWEST_M: Final = -0.0002
_BURIED_M: Final = 0.0015
# Below this lift (metres) hair is cropped: so many small tufts instead of locks, so far off the shell.
_CROPPED_M: Final = 0.004
_CROPPED_COUNT: Final = 240
_CROPPED: Final = (0.010, 0.017, 0.011, 0.015)
_OFF_CROPPED_M: Final = 0.0008
# Waves of curly locks: width to either side and length (metres).
_WAVE: Final = (0.006, 0.034)


@dataclass(frozen=True, eq=False)
class Locks:
    """Ribbons, as one soup of triangles and as stripes of the shell."""

    points: Float32[np.ndarray, "N 3"]
    """Metres."""
    normals: Float32[np.ndarray, "N 3"]
    uvs: Float32[np.ndarray, "N 2"]
    """In the hair's whole picture."""
    triangles: Int32[np.ndarray, "T 3"]
    kinds: tuple[LockKind, ...]
    """Per lock."""
    cells: Int32[np.ndarray, "K 2"]
    """Top and left texel of each lock's cell."""
    paths: tuple[Float64[np.ndarray, "_ 2"], ...]
    """Middle line on the shell (turns around, share of the way down), even steps from root to tip."""
    reach: tuple[Float64[np.ndarray, "_ 2"], ...]
    """From the middle line to the right edge, same unit."""


def no_locks() -> Locks:
    """A cap's."""
    none = np.zeros((0, 3), np.float32)
    return Locks(none, none, none[:, :2], none.astype(np.int32), (), place_cells([]), (), ())


def grow_locks(shell: HairShell, paint: HairPaint, style: HairStyle, scene: Scene) -> Locks:
    """Ribbons over one shell; on cropped hair small tufts. `scene` is the bald head, which no ribbon enters."""
    hangs = shell.curtain_from < len(shell.over_line)
    lift = float(np.percentile(style.lift_m, 70))
    rng = np.random.default_rng(_SEED)
    surface = Surface(shell, paint)
    strips: list[Strips] = []
    off = float(np.clip(_OFF_SHARE * lift, *_OFF_M))
    if lift >= _CROPPED_M or hangs:
        full = float(np.clip((lift - _CROPPED_M) / 0.02, 0, 1))
        size = np.array(_HANGING) if hangs else (1 - full) * np.array(_SHORT) + full * np.array(_HIGH)
        own = END_COUNT + FRAME_COUNT if hangs else 0
        strips.append(over_hair(surface, size, _FULL_COUNT - own, off, style, FULL, rng))
        if hangs:
            strips += [at_ends(surface, size, off, rng), beside_face(surface, size, off, rng)]
        strips.append(over_hair(surface, size * [0.8, 0.9, 0.35, 0.35], _THIN_COUNT, _OFF_THIN * off, style, THIN, rng))
    else:
        tufts = np.array(_CROPPED)
        strips.append(on_cropped(surface, tufts, _CROPPED_COUNT, _OFF_CROPPED_M, rng))
    strips.append(at_rim(surface, lift, style, rng))
    flare = min(_FLARE[0] * lift, _FLARE[1]) * style.curl**2
    kinds = tuple(kind for part in strips for kind in [part.kind] * len(part.paths))
    cells = place_cells([kind.wide_px for kind in kinds])
    first = 0
    made: list[Locks] = []
    for part in strips:
        own = cells[first : first + len(part.paths)]
        made.append(_ribbons(surface, part, own, style.curl, flare if part.kind != RIM else 0.0, rng))
        first += len(part.paths)
    whole = _joined(made)
    if len(whole.points) == 0:
        return whole
    outside = push_out(scene, style.skull, whole.points.astype(np.float64))
    # What the push leaves behind an ear or in its folds is no hair.
    buried = sunk_below(scene, style.skull, outside) > _BURIED_M
    free = ~buried[whole.triangles].any(1)
    return replace(whole, points=outside.astype(np.float32), triangles=whole.triangles[free])


def _ribbons(
    surface: Surface,
    strips: Strips,
    cells: Int32[np.ndarray, "K 2"],
    curl: float,
    flare: float,
    rng: np.random.Generator,
) -> Locks:
    """Points across each path: edge, ridge (if any), edge."""
    paths, count, steps = strips.paths, len(strips.paths), strips.kind.steps
    flat = paths.reshape(-1, 2)
    middle, up = (array.reshape(count, steps, 3) for array in surface.at(flat))
    along = np.gradient(middle, axis=1)
    travelled = np.concatenate([np.zeros((count, 1)), np.cumsum(np.linalg.norm(np.diff(middle, axis=1), axis=2), 1)], 1)
    whole = travelled[:, -1:]
    share = travelled / np.maximum(whole, 1e-6)
    side = np.cross(up, along)
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    # The picture tapers a lock; the ribbon is a little narrower at the root and at the tip.
    profile = np.minimum(1, 0.6 + 1.5 * share) * (1 - 0.35 * np.clip((share - 0.6) / 0.4, 0, 1))
    half = 0.5 * strips.width_m[:, None] * profile * np.minimum(1, whole / 0.012)
    height = strips.off_m[:, None] * np.clip(4 * share, 0, 1) * (0.4 + 0.6 * np.clip(3 * (1 - share), 0, 1))
    height = height + flare * rng.random((count, 1)) * share**1.5
    phase = 2 * np.pi * rng.random((count, 1))
    wave = (
        curl * _WAVE[0] * np.clip(4 * share * (1 - share) + 0.2, 0, 1) * np.minimum(1, strips.width_m[:, None] / 0.012)
    )
    swing = wave * np.sin(2 * np.pi * travelled / _WAVE[1] + phase)
    height = height + 0.35 * wave * (1 + np.cos(2 * np.pi * travelled / _WAVE[1] + phase))
    tilt = _TILT * np.where(rng.random(count) < 0.5, -1, 1)[:, None] * half
    # Edges may touch the shell, not dive below it.
    raised = np.maximum(height + 0.5 * (tilt - 2 * _ARCH * half), _LOWEST_M)
    sunk = np.maximum(height + 0.5 * (-tilt - 2 * _ARCH * half), _LOWEST_M)
    swung = middle + swing[..., None] * side
    left = swung - half[..., None] * side + raised[..., None] * up
    right = swung + half[..., None] * side + sunk[..., None] * up
    # Raised on its left side a ribbon looks to the right.
    lean = 2 * _ARCH
    looks = up + (0.5 * tilt / np.maximum(half, 1e-6))[..., None] * side
    points, normals, places = [left, right], [looks - lean * side, looks + lean * side], [0.0, 1.0]
    if strips.kind.ridge:
        points.insert(1, swung + (height + _ARCH * half)[..., None] * up)
        normals.insert(1, looks)
        places.insert(1, 0.5)
    across = len(points)
    normal = np.stack(normals, axis=2)
    normal /= np.maximum(np.linalg.norm(normal, axis=3, keepdims=True), 1e-9)
    wide = strips.kind.wide_px
    u = cells[:, 1, None, None] + 1 + (wide - 2) * np.array(places)
    v = cells[:, 0, None] + 0.5 + (LONG_PX - 1) * share
    uvs = np.stack(np.broadcast_arrays(u, v[..., None]), axis=3) / (WIDE_PX, HIGH_PX)
    first = np.arange(count)[:, None, None] * (across * steps)
    first = first + np.arange(steps - 1)[None, :, None] * across + np.arange(across - 1)
    a, b, c, d = first, first + across, first + across + 1, first + 1
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Locks(
        np.stack(points, axis=2).reshape(-1, 3).astype(np.float32),
        normal.reshape(-1, 3).astype(np.float32),
        uvs.reshape(-1, 2).astype(np.float32),
        triangles.astype(np.int32),
        (strips.kind,) * count,
        cells,
        tuple(paths),
        tuple(_reach(surface, paths, middle, side, half)),
    )


def _reach(
    surface: Surface,
    paths: Float64[np.ndarray, "K S 2"],
    middle: Float64[np.ndarray, "K S 3"],
    side: Float64[np.ndarray, "K S 3"],
    half: Float64[np.ndarray, "K S"],
) -> Float64[np.ndarray, "K S 2"]:
    """How far on the shell each ribbon reaches to its right edge."""
    tiny = 1 / SIZE
    ahead = np.gradient(paths, axis=1)
    across = np.stack([-ahead[..., 1], ahead[..., 0]], axis=2)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
    shifted = surface.at((paths + tiny * across).reshape(-1, 2))[0].reshape(middle.shape)
    pace = np.maximum(np.linalg.norm(shifted - middle, axis=2) / tiny, 0.03)
    facing = np.sign(np.sum((shifted - middle) * side, axis=2, keepdims=True))
    return across * facing * np.minimum(half / pace, 0.05)[..., None]


def _joined(parts: list[Locks]) -> Locks:
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    return Locks(
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uvs for part in parts]),
        np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=False)]).astype(np.int32),
        tuple(kind for part in parts for kind in part.kinds),
        np.concatenate([part.cells for part in parts]),
        tuple(path for part in parts for path in part.paths),
        tuple(reach for part in parts for reach in part.reach),
    )
