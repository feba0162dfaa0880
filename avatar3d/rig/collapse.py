"""Fewer triangles for a mesh that moves: edges collapse where neutral face and expressions lose least.

    mesh -> welded surface in several states -> quadrics per state -> cheapest half-edge goes, its mirror twin with it -> levels

Half-edge collapse (Garland & Heckbert 1997; Hoppe 1999 on wedges): what is left is a subset of the vertices, so that UVs, skin
weights and every displacement stay to the bit. A vertex is judged in the neutral face and in each of its expressions, because
lips and lids lie shut at rest: the neutral surface alone would let them be torn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32, Int64
from scipy.spatial import KDTree

from avatar3d.core.avatar import Mesh

_RIM: Final = 40.0
"""How much dearer than its triangles a rim is: lids end in one."""
_SEAM: Final = 4.0
"""The same for a seam of the texture."""
_STRAIN: Final = 12.0
"""How much dearer what stretches with the face is: lips and lids, not the back of the head."""
_SHORTEST: Final = 1e-4
"""Share of squared length in a cost: on flat ground the short edge goes first."""
_TURNED: Final = 0.25
"""Cosine that a triangle's normal keeps to what it was, in the neutral face; in expressions it may not turn over."""
_ROUND: Final = 0.02
"""Least area of a new triangle, in squares of its longest edge; one that was thinner before may stay so."""
_SAME_UV: Final = 1e-6
_UPPER: Final = np.triu_indices(4)
_TWICE: Final = np.where(_UPPER[0] == _UPPER[1], 1.0, 2.0)


def collapse(
    mesh: Mesh,
    targets: Sequence[int],
    *,
    mirrored: bool = True,
    states: Iterable[str] = (),
    dear: Float64[np.ndarray, "F"] | None = None,
) -> list[Mesh]:
    """The mesh at each of `targets` (triangles, falling), or as near above it as its topology allows.

    `states` are names joined by + of morphs in which it is judged besides the neutral one. `mirrored` keeps the left
    and the right half alike where the texture's layout says which vertex is whose twin. `dear` is how much more an error in a triangle counts.
    """
    dear = np.ones(len(mesh.triangles)) if dear is None else dear
    work = _Surface.of(mesh, _states(mesh, states), dear, mirrored=mirrored)
    levels: list[Mesh] = []
    for target in targets:
        work.reduce(target)
        levels.append(keep_triangles(mesh, work.remaining()))
    return levels


def keep_triangles(mesh: Mesh, triangles: Int32[np.ndarray, "F 3"]) -> Mesh:
    """The mesh with only these triangles, and only the vertices that they use, in their order."""
    used = np.zeros(len(mesh.positions), bool)
    used[triangles] = True
    place = np.cumsum(used, dtype=np.int32) - 1
    return replace(
        mesh,
        positions=mesh.positions[used],
        normals=mesh.normals[used],
        uvs=mesh.uvs[used],
        triangles=place[triangles].astype(np.int32),
        morphs=mesh.morphs[:, used],
        joints=mesh.joints[used],
        weights=mesh.weights[used],
    )


def weld(mesh: Mesh) -> Int64[np.ndarray, "V"]:
    """A number per vertex, the same for vertices that always lie in one place: lips that touch at rest stay two."""
    moved = mesh.morphs.transpose(1, 0, 2).reshape(len(mesh.positions), -1)
    rows = np.ascontiguousarray(np.concatenate([mesh.positions, moved], axis=1)) + np.float32(0)  # -0 is 0
    keys = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    return np.unique(keys, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _states(mesh: Mesh, names: Iterable[str]) -> Float64[np.ndarray, "S V 3"]:
    at = {name: index for index, name in enumerate(mesh.morph_names)}
    moves = [sum(mesh.morphs[at[part]] for part in name.split("+") if part in at) for name in names]
    moved = [mesh.positions + move for move in moves if np.any(move)]
    return np.stack([mesh.positions, *moved]).astype(np.float64)


def _twins(mesh: Mesh, number: Int64[np.ndarray, "V"]) -> Int64[np.ndarray, "N"] | None:
    """For each welded vertex the one on the other side, by the layout of the texture; None where that is not symmetric."""
    distance, found = map(np.asarray, KDTree(mesh.uvs).query(mesh.uvs * [-1, 1] + [1, 0]))
    if len(mesh.uvs) == 0 or float(distance.max()) > _SAME_UV or np.ptp(mesh.uvs[:, 0]) == 0:
        return None
    twin = np.full(number.max() + 1, -1, np.int64)
    twin[number] = number[found]
    both = bool(np.all(twin[number] == number[found]) and np.all(twin[twin] == np.arange(len(twin))))
    return twin if both else None


@dataclass(eq=False)
class _Surface:
    """The mesh while it shrinks; the one place here that changes in steps."""

    points: Float64[np.ndarray, "N S 4"]
    """Homogeneous, per welded vertex and state."""
    corners: list[list[int]]
    """Welded vertices per triangle; emptied when it is gone."""
    wedges: list[list[int]]
    """The mesh's own vertices there."""
    uvs: Float64[np.ndarray, "V 2"]
    around: list[set[int]]
    """Triangles per vertex."""
    quadrics: Float64[np.ndarray, "N D"]
    """The upper triangles of 4 x 4, state after state."""
    products: Float64[np.ndarray, "N D"]
    """What a vertex multiplies a quadric with: x x, 2 x y and so on, over the number of states."""
    twin: Int64[np.ndarray, "N"] | None
    alive: int
    heap: list[tuple[float, int, int, int]]
    stamp: list[int]

    @staticmethod
    def of(
        mesh: Mesh, states: Float64[np.ndarray, "S V 3"], dear: Float64[np.ndarray, "F"], *, mirrored: bool
    ) -> "_Surface":
        number = weld(mesh)
        first = np.unique(number, return_index=True)[1]
        welded = number[mesh.triangles]
        whole = (welded[:, 0] != welded[:, 1]) & (welded[:, 1] != welded[:, 2]) & (welded[:, 2] != welded[:, 0])
        corners, wedges = welded[whole], mesh.triangles[whole]
        points = np.concatenate([states[:, first], np.ones((len(states), len(first), 1))], axis=2).transpose(1, 0, 2)
        around: list[set[int]] = [set() for _ in first]
        for triangle, row in enumerate(corners.tolist()):
            for vertex in row:
                around[vertex].add(triangle)
        made = _Surface(
            points=np.ascontiguousarray(points),
            corners=corners.tolist(),
            wedges=wedges.tolist(),
            uvs=mesh.uvs.astype(np.float64),
            around=around,
            quadrics=_packed(_quadrics(points, corners, wedges, dear[whole])),
            products=_packed(np.einsum("nsi,nsj->nsij", points, points)) * np.tile(_TWICE / len(states), len(states)),
            twin=_twins(mesh, number) if mirrored else None,
            alive=len(corners),
            heap=[],
            stamp=[0] * len(first),
        )
        edges = np.unique(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=0)
        edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
        costs = made.costs(edges[:, 0], edges[:, 1])
        made.heap = [(cost, start, end, 0) for cost, (start, end) in zip(costs.tolist(), edges.tolist(), strict=True)]
        heapify(made.heap)
        return made

    def costs(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """What it costs to move `start` into `end` [K]: both halves alike count as their mean."""
        cost = self._cost(start, end)
        if self.twin is not None:
            cost = (cost + self._cost(self.twin[start], self.twin[end])) / 2
        return cost

    def _cost(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        lost = np.einsum("kd,kd->k", self.products[end], self.quadrics[start])
        step = self.points[start, 0, :3] - self.points[end, 0, :3]
        return np.maximum(lost, 0) + _SHORTEST * np.einsum("kc,kc->k", step, step) ** 2

    def reduce(self, target: int) -> None:
        """Collapse until at most `target` triangles are left, or nothing may go."""
        while self.alive > target and self.heap:
            _, start, end, stamp = heappop(self.heap)
            if stamp != self.stamp[start] + self.stamp[end] or not self.around[start] or not self.around[end]:
                continue
            pairs = [(start, end)]
            if self.twin is not None:
                other = (int(self.twin[start]), int(self.twin[end]))
                if other[0] in pairs[0] or other[1] == start:
                    if other != pairs[0]:
                        continue
                else:
                    pairs.append(other)
            plan, *others = (self._plan(*pair) for pair in pairs)
            if plan is None or None in others:
                continue
            self._do(*pairs[0], plan)
            for pair in pairs[1:]:
                plan = self._plan(*pair)  # anew: twins side by side change each other
                if plan is not None:
                    self._do(*pair, plan)

    def _plan(self, start: int, end: int) -> list[tuple[int, int]] | None:
        """For each triangle that will follow, the vertex of the mesh that takes the corner's place; None: it may not be."""
        mine, theirs = self.around[start], self.around[end]
        shared = mine & theirs
        if not shared:
            return None
        ring = {vertex for triangle in mine for vertex in self.corners[triangle]}
        other = {vertex for triangle in theirs for vertex in self.corners[triangle]}
        if len(ring & other) != len(shared) + 2:  # the link condition: no fold, no pinch
            return None
        if len(shared) == 1 and len(mine) == 1 and len(theirs) == 1:
            return None  # the last triangle of a piece
        on_rim = len(ring) - 1 != len(mine)
        if on_rim and len(shared) != 1:
            return None
        moves: dict[int, int] = {}
        for triangle in shared:
            row, wedge = self.corners[triangle], self.wedges[triangle]
            moves[wedge[row.index(start)]] = wedge[row.index(end)]
        plan: list[tuple[int, int]] = []
        for triangle in mine - shared:
            wedge = moves.get(self.wedges[triangle][self.corners[triangle].index(start)])
            if wedge is None:  # on the far side of a seam
                return None
            plan.append((triangle, wedge))
        return plan if not plan or self._sound(start, end, plan) else None

    def _sound(self, start: int, end: int, plan: list[tuple[int, int]]) -> bool:
        """No triangle turns over, in any state or in the texture, and none becomes a splinter."""
        rows = np.array([self.corners[triangle] for triangle, _ in plan])
        after = np.where(rows == start, end, rows)
        before_points, after_points = self.points[rows][..., :3], self.points[after][..., :3]
        was = _cross(before_points[:, 1] - before_points[:, 0], before_points[:, 2] - before_points[:, 0])
        edges = after_points[:, [1, 2, 0]] - after_points
        now = _cross(edges[:, 0], -edges[:, 2])
        along = np.einsum("tsc,tsc->ts", was, now)
        size_was, size_now = (np.sqrt(np.einsum("tsc,tsc->ts", normal, normal)) for normal in (was, now))
        if np.any(along[:, 0] < _TURNED * size_was[:, 0] * size_now[:, 0]) or np.any(along < 0):
            return False
        longest = np.einsum("tkc,tkc->tk", edges[:, :, 0], edges[:, :, 0]).max(1)
        if np.any((size_now[:, 0] < _ROUND * longest) & (size_now[:, 0] < size_was[:, 0])):
            return False
        wedges = np.array([self.wedges[triangle] for triangle, _ in plan])
        taken = np.array([wedge for _, wedge in plan])
        moved = np.where(rows == start, taken[:, None], wedges)
        return bool(np.all(_uv_areas(self.uvs[wedges]) * _uv_areas(self.uvs[moved]) >= 0))

    def _do(self, start: int, end: int, plan: list[tuple[int, int]]) -> None:
        for triangle in self.around[start] & self.around[end]:
            for vertex in self.corners[triangle]:
                self.around[vertex].discard(triangle)
            self.corners[triangle] = []
            self.alive -= 1
        for triangle, wedge in plan:
            place = self.corners[triangle].index(start)
            self.corners[triangle][place], self.wedges[triangle][place] = end, wedge
            self.around[end].add(triangle)
        self.around[start] = set()
        self.quadrics[end] += self.quadrics[start]
        self.stamp[end] += 1
        self._offer(end)

    def _offer(self, vertex: int) -> None:
        """Price anew what may happen around a vertex."""
        ring = sorted({near for triangle in self.around[vertex] for near in self.corners[triangle]} - {vertex})
        if not ring:
            return
        count = len(ring)
        start = np.array([vertex] * count + ring)
        end = np.array(ring + [vertex] * count)
        for cost, a, b in zip(self.costs(start, end).tolist(), start.tolist(), end.tolist(), strict=True):
            heappush(self.heap, (cost, a, b, self.stamp[a] + self.stamp[b]))

    def remaining(self) -> Int32[np.ndarray, "F 3"]:
        """Triangles of the mesh's own vertices."""
        left = [wedge for corner, wedge in zip(self.corners, self.wedges, strict=True) if corner]
        return np.array(left, np.int32).reshape(-1, 3)


def _cross(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """As numpy's of [... 3], in a third of its time for a handful."""
    a, b, c = one[..., 0], one[..., 1], one[..., 2]
    d, e, f = two[..., 0], two[..., 1], two[..., 2]
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=-1)


def _packed(matrices: Float64[np.ndarray, "N S 4 4"]) -> Float64[np.ndarray, "N D"]:
    return np.ascontiguousarray(matrices[:, :, _UPPER[0], _UPPER[1]].reshape(len(matrices), -1))


def _uv_areas(corners: np.ndarray) -> np.ndarray:
    """Twice the signed area of triangles [F 3 2] in the texture."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _quadrics(
    points: Float64[np.ndarray, "N S 4"],
    corners: Int64[np.ndarray, "F 3"],
    wedges: Int32[np.ndarray, "F 3"],
    dear: Float64[np.ndarray, "F"],
) -> Float64[np.ndarray, "N S 4 4"]:
    """Per vertex and state: the squared distance to its planes, by their area, dearer where the face stretches.

    Rims and seams add planes that stand on their edges (Garland & Heckbert 1997, section 6).
    """
    total = np.zeros((*points.shape[:2], 4, 4))
    where = points[:, :, :3][corners]  # F 3 S 3
    edges = where[:, [1, 2, 0]] - where
    normal = _cross(edges[:, 0], -edges[:, 2])
    area = np.linalg.norm(normal, axis=2, keepdims=True)
    normal = np.divide(normal, area, out=np.zeros_like(normal), where=area > 0)
    length = np.maximum(np.linalg.norm(edges, axis=3), 1e-9)  # F 3 S
    strain = np.abs(length / length[:, :, :1] - 1).max(axis=(1, 2))
    dear = dear * (1 + _STRAIN * np.minimum(strain, 1))
    plane = np.concatenate([normal, -np.einsum("fsc,fsc->fs", normal, where[:, 0])[..., None]], axis=2)
    own = np.einsum("fsi,fsj->fsij", plane, plane) * (area[..., None] * dear[:, None, None, None])
    for corner in range(3):
        np.add.at(total, corners[:, corner], own)

    sides = np.concatenate([corners[:, [k, (k + 1) % 3]] for k in range(3)])
    wedged = np.concatenate([wedges[:, [k, (k + 1) % 3]] for k in range(3)])
    triangle, place = np.tile(np.arange(len(corners)), 3), np.repeat(np.arange(3), len(corners))
    order = np.sort(sides, axis=1)
    _, kind, count = np.unique(order, axis=0, return_inverse=True, return_counts=True)
    kind = kind.reshape(-1)
    _, one_side = np.unique(np.sort(wedged, axis=1), axis=0, return_inverse=True)
    alone = np.bincount(one_side.reshape(-1))[one_side.reshape(-1)] == 1
    rim, seam = count[kind] == 1, (count[kind] > 1) & alone
    chosen = np.flatnonzero(rim | seam)
    if len(chosen):
        along = edges[triangle[chosen], place[chosen]]
        upright = _cross(along, normal[triangle[chosen]])
        size = np.linalg.norm(upright, axis=2, keepdims=True)
        upright = np.divide(upright, size, out=np.zeros_like(upright), where=size > 0)
        at = where[triangle[chosen], place[chosen]]
        plane = np.concatenate([upright, -np.einsum("fsc,fsc->fs", upright, at)[..., None]], axis=2)
        price = np.where(rim[chosen], _RIM, _SEAM) * dear[triangle[chosen]]
        weight = np.einsum("fsc,fsc->fs", along, along) * price[:, None]
        own = np.einsum("fsi,fsj->fsij", plane, plane) * weight[..., None, None]
        for end in range(2):
            np.add.at(total, sides[chosen, end], own)
    return total
