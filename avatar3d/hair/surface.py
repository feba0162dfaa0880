"""The shell as a surface to walk on: roots spread evenly over it, and paths along the hair's flow."""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int32

from avatar3d.hair.paint import HairPaint
from avatar3d.hair.shell import HairShell
from avatar3d.hair.texels import SIZE

# Share of a step by which a lock's free end passes the edge of the hair.
_FREE: Final = 0.4
# How often a path's points are drawn to the middle of their neighbours.
_SOFTENED: Final = 4
COVERED: Final = 0.5


class Surface:
    """The shell as functions of (turns around, share down); beyond its last row it goes straight on."""

    def __init__(self, shell: HairShell, paint: HairPaint) -> None:
        points = shell.points.astype(np.float64)
        self.hangs = shell.curtain_from < len(shell.over_line)
        self._extra = 4 if self.hangs else 1
        step = points[-1:] - points[-2:-1]
        self._points = np.concatenate([points, *(points[-1:] + n * step for n in range(1, self._extra + 1))])
        normals = shell.normals.astype(np.float64)
        self._normals = np.concatenate([normals, *[normals[-1:]] * self._extra])
        self._rows, self._columns = shell.over_line.shape
        self.curtain_v = (shell.curtain_from - 1) / (self._rows - 1)
        self.paint = paint

    @property
    def most_v(self) -> float:
        """The last row that was added."""
        return (self._rows - 1 + self._extra) / (self._rows - 1)

    def at(self, uv: Float64[np.ndarray, "N 2"]) -> tuple[Float64[np.ndarray, "N 3"], Float64[np.ndarray, "N 3"]]:
        """Points and unit normals."""
        x = np.mod(uv[:, 0], 1) * (self._columns - 1)
        y = np.clip(uv[:, 1], 0, self.most_v) * (self._rows - 1)
        last = self._rows + self._extra - 2
        i, j = np.minimum(x.astype(int), self._columns - 2), np.minimum(y.astype(int), last)
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

    def area(self, uv: Float64[np.ndarray, "N 2"], step: float) -> Float64[np.ndarray, "N"]:
        """Square metres per cell of 2 x 2 `step`."""
        across = self.at(uv + [step, 0])[0] - self.at(uv - [step, 0])[0]
        down = self.at(uv + [0, step])[0] - self.at(np.maximum(uv - [0, step], 0))[0]
        return np.linalg.norm(np.cross(across, down), axis=1)


def spread_roots(surface: Surface, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "K 2"]:
    """Places on the shell, evenly by area, in rows from below upward so that upper ribbons lie over lower ones."""
    v, u = np.meshgrid((np.arange(64) + 0.5) / 64, (np.arange(64) + 0.5) / 64, indexing="ij")
    uv = np.stack([u.ravel(), v.ravel()], axis=1)
    area = surface.area(uv, 0.5 / 64) * (surface.covered(uv) > COVERED)
    total = np.cumsum(area)
    if total[-1] <= 0:
        return np.zeros((0, 2))
    # Even steps along the snake of cells, jittered within the cell.
    order = np.searchsorted(total, (np.arange(count) + rng.random(count)) / count * total[-1])
    chosen = uv[np.minimum(order, len(uv) - 1)]
    return chosen + (rng.random(chosen.shape) - 0.5) / 64


def follow(
    surface: Surface,
    roots: Float64[np.ndarray, "K 2"],
    length: Float64[np.ndarray, "K"],
    turn: Float64[np.ndarray, "K"],
    steps: int,
    *,
    free: bool = False,
) -> Float64[np.ndarray, "K S 2"]:
    """Paths in (turns, share down), equal steps in metres; a path stops where hair ends, unless it is free."""
    cos, sin = np.cos(turn), np.sin(turn)
    place, path = roots.copy(), [roots.copy()]
    alive: Bool[np.ndarray, "K"] = np.ones(len(roots), bool)
    for _ in range(steps - 1):
        flow = surface.flow(place)
        flow = np.stack([cos * flow[:, 0] - sin * flow[:, 1], sin * flow[:, 0] + cos * flow[:, 1]], axis=1)
        tiny = 1.5 / SIZE
        pace = np.linalg.norm(surface.at(place + tiny * flow)[0] - surface.at(place)[0], axis=1) / tiny
        step = flow * (length / (steps - 1) / np.maximum(pace, 0.02))[:, None]
        step *= np.minimum(1, 0.12 / np.maximum(np.abs(step[:, 0]), 1e-9))[:, None]
        ahead = place + step
        ahead[:, 1] = np.clip(ahead[:, 1], 0.01, 1.0 if free else surface.most_v)
        if not free:
            # A little beyond the edge is the free end.
            inside = surface.covered(ahead) > COVERED
            inside &= ahead[:, 1] < 1
            ahead = np.where(inside[:, None], ahead, place + _FREE * (ahead - place))
            place = np.where(alive[:, None], ahead, place)
            alive = alive & inside
        else:
            place = ahead
        path.append(place.copy())
    return _evenly(surface, _softened(np.stack(path, axis=1)))


def _softened(paths: Float64[np.ndarray, "K S 2"]) -> Float64[np.ndarray, "K S 2"]:
    """Without kinks: a lock bends, it does not break."""
    soft = paths.copy()
    for _ in range(_SOFTENED):
        soft[:, 1:-1] = 0.25 * soft[:, :-2] + 0.5 * soft[:, 1:-1] + 0.25 * soft[:, 2:]
    return soft


def _evenly(surface: Surface, paths: Float64[np.ndarray, "K S 2"]) -> Float64[np.ndarray, "K S 2"]:
    """The same paths in even steps: those that stopped early have all their steps in what is left of them."""
    places = surface.at(paths.reshape(-1, 2))[0].reshape(*paths.shape[:2], 3)
    gone = np.cumsum(np.linalg.norm(np.diff(places, axis=1), axis=2), axis=1)
    share = np.concatenate([np.zeros((len(paths), 1)), gone / np.maximum(gone[:, -1:], 1e-9)], axis=1)
    wanted = np.linspace(0, 1, paths.shape[1])
    even = paths.copy()
    for index in range(len(paths)):
        for axis in range(2):
            even[index, :, axis] = np.interp(wanted, share[index], paths[index, :, axis])
    return even
