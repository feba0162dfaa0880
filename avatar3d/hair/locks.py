"""Locks: tapered ribbons that follow the hair's flow a little above the shell and break its outline.

roots spread evenly over the shell --> paths along the flow, as long as hair covers the shell --> ribbons, arched and
tilted like shingles
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.hair.paint import SIZE, HairPaint
from avatar3d.hair.shell import HairShell, push_out
from avatar3d.hair.style import HairStyle
from avatar3d.render.raycast import Scene

_COUNT: Final = 190
_STEPS: Final = 10
_SEED: Final = 5
# Lengths and widths of ribbons (metres): least, most, in hair that lies close and in hair that stands off or hangs.
_SHORT: Final = (0.028, 0.050, 0.006, 0.010)
_LONG: Final = (0.060, 0.120, 0.010, 0.018)
# How far ribbons stand off the shell: this share of the hair's lift, within limits (metres).
_OFF_SHARE: Final = 0.12
_OFF_M: Final = (0.0006, 0.0024)
# One edge of a ribbon lies higher than the other and its middle higher than both, by these shares of its width.
_TILT: Final = 0.16
_ARCH: Final = 0.12
_LOWEST_M: Final = -0.0002
# Cropped hair gets no locks below this lift (metres).
_CROPPED_M: Final = 0.004
# Waves of curly locks: width to either side and length (metres).
_WAVE: Final = (0.007, 0.030)
# Curls show less of their length than straight hair.
_SHORTER: Final = 0.45
# Share of a step by which a lock's free end passes the edge of the hair.
_FREE: Final = 0.4
_COVERED: Final = 0.5


@dataclass(frozen=True, eq=False)
class Locks:
    """Ribbons as one soup of triangles."""

    points: Float32[np.ndarray, "N 3"]
    """Metres."""
    normals: Float32[np.ndarray, "N 3"]
    uvs: Float32[np.ndarray, "N 2"]
    """Place on the shell: turns around (from slightly below 0 to slightly above 1), share of the way down."""
    triangles: Int32[np.ndarray, "T 3"]


def grow_locks(shell: HairShell, paint: HairPaint, style: HairStyle, scene: Scene) -> Locks:
    """Ribbons over one shell; none on cropped hair. `scene` is the bald head, which no ribbon enters."""
    hangs = shell.curtain_from < len(shell.over_line)
    lift = float(np.percentile(style.lift_m, 70))
    if lift < _CROPPED_M and not hangs:
        return _none()
    rng = np.random.default_rng(_SEED)
    full = 1.0 if hangs else float(np.clip((lift - _CROPPED_M) / 0.02, 0, 1))
    low, high, thin, thick = (1 - full) * np.array(_SHORT) + full * np.array(_LONG)
    length = (low + (high - low) * rng.random(_COUNT)) * (1 - _SHORTER * style.curl)
    width = thin + (thick - thin) * rng.random(_COUNT)
    off = float(np.clip(_OFF_SHARE * lift, *_OFF_M)) * (0.4 + 0.6 * rng.random(_COUNT))
    surface = _Surface(shell, paint)
    roots = _roots(surface, rng)
    paths = _follow(surface, roots, length, style.curl, rng)
    locks = _ribbons(surface, paths, width, off, style.curl, rng)
    if len(locks.points) == 0:
        return locks
    outside = push_out(scene, style.skull, locks.points.astype(np.float64))
    return replace(locks, points=outside.astype(np.float32))


def _none() -> Locks:
    empty = np.zeros((0, 3), np.float32)
    return Locks(empty, empty, np.zeros((0, 2), np.float32), np.zeros((0, 3), np.int32))


class _Surface:
    """The shell as functions of (turns around, share down); beyond its last row it goes straight on."""

    def __init__(self, shell: HairShell, paint: HairPaint) -> None:
        points = shell.points.astype(np.float64)
        beyond = points[-1:] + (points[-1:] - points[-2:-1])
        self._points = np.concatenate([points, beyond])
        normals = shell.normals.astype(np.float64)
        self._normals = np.concatenate([normals, normals[-1:]])
        self._rows, self._columns = shell.over_line.shape
        self.paint = paint

    @property
    def most_v(self) -> float:
        """The row that was added."""
        return self._rows / (self._rows - 1)

    def at(self, uv: Float64[np.ndarray, "N 2"]) -> tuple[Float64[np.ndarray, "N 3"], Float64[np.ndarray, "N 3"]]:
        """Points and unit normals."""
        x = np.mod(uv[:, 0], 1) * (self._columns - 1)
        y = np.clip(uv[:, 1], 0, self.most_v) * (self._rows - 1)
        i, j = np.minimum(x.astype(int), self._columns - 2), np.minimum(y.astype(int), self._rows - 1)
        s, t = (x - i)[:, None], (y - j)[:, None]
        found: list[Float64[np.ndarray, "N 3"]] = []
        for grid in (self._points, self._normals):
            upper = (1 - s) * grid[j, i] + s * grid[j, i + 1]
            lower = (1 - s) * grid[j + 1, i] + s * grid[j + 1, i + 1]
            found.append((1 - t) * upper + t * lower)
        normals = found[1] / np.maximum(np.linalg.norm(found[1], axis=1, keepdims=True), 1e-9)
        return found[0], normals

    def texel(self, uv: Float64[np.ndarray, "N 2"]) -> tuple[Int32[np.ndarray, "N"], Int32[np.ndarray, "N"]]:
        column = np.mod((uv[:, 0] * SIZE).astype(np.int32), SIZE)
        return np.clip(uv[:, 1] * SIZE, 0, SIZE - 1).astype(np.int32), column

    def covered(self, uv: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N"]:
        return self.paint.presence[self.texel(uv)].astype(np.float64)

    def seen(self, uv: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N"]:
        return self.paint.seen[self.texel(uv)].astype(np.float64)

    def flow(self, uv: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 2"]:
        """Unit direction in the picture."""
        at = self.texel(uv)
        return np.stack([self.paint.flow.across[at], self.paint.flow.down[at]], axis=1).astype(np.float64)


def _roots(surface: _Surface, rng: np.random.Generator) -> Float64[np.ndarray, "K 2"]:
    """Places on the shell, evenly by area, in rows from below upward so that upper ribbons lie over lower ones."""
    v, u = np.meshgrid((np.arange(64) + 0.5) / 64, (np.arange(64) + 0.5) / 64, indexing="ij")
    uv = np.stack([u.ravel(), v.ravel()], axis=1)
    step = 0.5 / 64
    across = surface.at(uv + [step, 0])[0] - surface.at(uv - [step, 0])[0]
    down = surface.at(uv + [0, step])[0] - surface.at(np.maximum(uv - [0, step], 0))[0]
    area = np.linalg.norm(np.cross(across, down), axis=1) * (surface.covered(uv) > _COVERED)
    total = np.cumsum(area)
    if total[-1] <= 0:
        return np.zeros((0, 2))
    # Even steps along the snake of cells, jittered within the cell.
    order = np.searchsorted(total, (np.arange(_COUNT) + rng.random(_COUNT)) / _COUNT * total[-1])
    chosen = uv[np.minimum(order, len(uv) - 1)]
    return chosen + (rng.random(chosen.shape) - 0.5) / 64


def _follow(
    surface: _Surface,
    roots: Float64[np.ndarray, "K 2"],
    length: Float64[np.ndarray, "K"],
    curl: float,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "K T 2"]:
    """Paths in (turns, share down), equal steps in metres; a path stops where hair ends."""
    # Where the photo shows the hair its own curls are in the picture.
    turn = curl * rng.normal(0, 0.5, len(roots)) * (1 - surface.seen(roots))
    cos, sin = np.cos(turn), np.sin(turn)
    place, path = roots.copy(), [roots.copy()]
    alive = np.ones(len(roots), bool)
    for _ in range(_STEPS - 1):
        flow = surface.flow(place)
        flow = np.stack([cos * flow[:, 0] - sin * flow[:, 1], sin * flow[:, 0] + cos * flow[:, 1]], axis=1)
        tiny = 1.5 / SIZE
        pace = np.linalg.norm(surface.at(place + tiny * flow)[0] - surface.at(place)[0], axis=1) / tiny
        step = flow * (length / (_STEPS - 1) / np.maximum(pace, 0.02))[:, None]
        step *= np.minimum(1, 0.12 / np.maximum(np.abs(step[:, 0]), 1e-9))[:, None]
        ahead = place + step
        ahead[:, 1] = np.clip(ahead[:, 1], 0.01, surface.most_v)
        # A little beyond the edge is the free end.
        inside = surface.covered(ahead) > _COVERED
        ahead = np.where(inside[:, None], ahead, place + _FREE * (ahead - place))
        place = np.where(alive[:, None], ahead, place)
        alive = alive & inside
        path.append(place.copy())
    return np.stack(path, axis=1)


def _ribbons(
    surface: _Surface,
    paths: Float64[np.ndarray, "K T 2"],
    width: Float64[np.ndarray, "K"],
    off: Float64[np.ndarray, "K"],
    curl: float,
    rng: np.random.Generator,
) -> Locks:
    """Three points across each path: edge, ridge, edge."""
    count = len(paths)
    if count == 0:
        return _none()
    flat = paths.reshape(-1, 2)
    middle, up = (array.reshape(count, _STEPS, 3) for array in surface.at(flat))
    along = np.gradient(middle, axis=1)
    travelled = np.concatenate([np.zeros((count, 1)), np.cumsum(np.linalg.norm(np.diff(middle, axis=1), axis=2), 1)], 1)
    whole = travelled[:, -1:]
    share = travelled / np.maximum(whole, 1e-6)
    side = np.cross(up, along)
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    # Widths taper at the root and run to a point at the tip.
    profile = np.minimum(1, 0.35 + 2.2 * share) * np.clip(1.15 * (1 - share**2.5), 0.02, 1)
    half = 0.5 * width[:, None] * profile * np.minimum(1, whole / 0.02)
    height = off[:, None] * np.clip(4 * share, 0, 1) * (0.3 + 0.7 * np.clip(3 * (1 - share), 0, 1))
    phase = 2 * np.pi * rng.random((count, 1))
    unseen = 1 - 0.5 * surface.seen(flat).reshape(count, _STEPS)
    wave = curl * _WAVE[0] * np.clip(4 * share * (1 - share) + 0.2, 0, 1) * unseen
    swing = wave * np.sin(2 * np.pi * travelled / _WAVE[1] + phase)
    height = height + 0.35 * wave * (1 + np.cos(2 * np.pi * travelled / _WAVE[1] + phase))
    tilt = _TILT * np.where(rng.random(count) < 0.5, -1, 1)[:, None] * half
    # Edges may touch the shell, not dive below it.
    raised = np.maximum(height + 0.5 * (tilt - 2 * _ARCH * half), _LOWEST_M)
    sunk = np.maximum(height + 0.5 * (-tilt - 2 * _ARCH * half), _LOWEST_M)
    swung = middle + swing[..., None] * side
    left = swung - half[..., None] * side + raised[..., None] * up
    right = swung + half[..., None] * side + sunk[..., None] * up
    points = np.stack([left, swung + (height + _ARCH * half)[..., None] * up, right], axis=2)
    # Raised on its left side a ribbon looks to the right.
    lean = 2 * _ARCH
    looks = up + (0.5 * tilt / np.maximum(half, 1e-6))[..., None] * side
    normals = np.stack([looks - lean * side, looks, looks + lean * side], axis=2)
    normals /= np.linalg.norm(normals, axis=3, keepdims=True)
    # A texel to either side of the path for each part of the ribbon's width.
    tiny = 1 / SIZE
    ahead = np.gradient(paths, axis=1)
    across = np.stack([-ahead[..., 1], ahead[..., 0]], axis=2)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
    shifted = surface.at((paths + tiny * across).reshape(-1, 2))[0].reshape(middle.shape)
    pace = np.maximum(np.linalg.norm(shifted - middle, axis=2) / tiny, 0.03)
    facing = np.sign(np.sum((shifted - middle) * side, axis=2, keepdims=True))
    reach = across * facing * np.minimum(half / pace, 0.05)[..., None]
    uvs = np.stack([paths - reach, paths, paths + reach], axis=2)
    uvs[..., 0] -= np.floor(uvs[..., 0].mean(axis=(1, 2)))[:, None, None]
    uvs[..., 1] = np.clip(uvs[..., 1], 0.002, 0.998)
    first = np.arange(count)[:, None, None] * (3 * _STEPS) + np.arange(_STEPS - 1)[None, :, None] * 3 + np.arange(2)
    a, b, c, d = first, first + 3, first + 4, first + 1
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Locks(
        points.reshape(-1, 3).astype(np.float32),
        normals.reshape(-1, 3).astype(np.float32),
        uvs.reshape(-1, 2).astype(np.float32),
        triangles.astype(np.int32),
    )
