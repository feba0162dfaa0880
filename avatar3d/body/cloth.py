"""A garment's sheet laid over one person's body: smoothed where cloth bridges hollows, off the skin, with a turned hem.

body's surface --means of its vertices--> sheet --tent: hollows bridged--> --off the skin--> --hem turned in--> Draped
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial import KDTree

from avatar3d.body.model import Garment
from avatar3d.body.neck import four_strongest
from avatar3d.render.stage import vertex_normals


@dataclass(frozen=True)
class Cut:
    """How a kind of garment lies."""

    off_m: float
    """From the skin."""
    bridging: int
    """Rounds of smoothing that lift the sheet over hollows; none lets it in."""
    hems_m: tuple[float, ...]
    """What is added to `off_m` at each hem, in the order of the builder's fields."""
    flares_m: tuple[float, ...]
    """How far inside each hem its addition has faded."""
    smooth: int
    """Rounds of smoothing for cloth that does not show what lies under it."""
    stiff: int
    """Rounds of smoothing of the skin weights."""
    thick_m: float = 0.0022
    """Of the turned hem."""


CUTS: Final = {
    "shirt": Cut(0.0090, 14, (-0.0045, 0.0045, 0.009), (0.04, 0.10, 0.25), 8, 10),
    "trousers": Cut(0.0065, 10, (-0.003, 0.0185), (0.06, 0.75), 6, 2),
    "bust": Cut(0.0080, 12, (-0.0045, 0.0, 0.0), (0.04, 0.05, 0.05), 8, 0),
}
_BARE_M: Final = 0.075
"""So near to a hem there is skin below."""
_RING_M: Final = 0.30
"""And so near to other hems than the lowest: at the ring."""
_STIFF_M: Final = 0.03
"""So deep inside a hem cloth bends as stiffly as it does."""
_RIM_ROUNDS: Final = 6
_EVEN_ROUNDS: Final = 5
_FAIR_M: Final = 0.020
"""Smaller than this, what lies below does not show."""
_APART_M: Final = 0.0065
"""Of two garments that lie over one another ..."""
_NEAR_M: Final = 0.03
"""... where they are no further from one another than this."""


@dataclass(frozen=True, eq=False)
class Draped:
    """A garment on a body: what a mesh needs, but for its material."""

    positions: Float32[np.ndarray, "N 3"]
    normals: Float32[np.ndarray, "N 3"]
    uvs: Float32[np.ndarray, "N 2"]
    triangles: Int32[np.ndarray, "T 3"]
    joints: Int32[np.ndarray, "N 4"]
    weights: Float32[np.ndarray, "N 4"]


def drape(
    garment: Garment,
    vertices: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    weights: Float32[np.ndarray, "V J"],
    *,
    middle_m: float = 0.0,
    over: Draped | None = None,
) -> Draped:
    """The garment over the body's vertices (metres), hung on the joints that the skin below it hangs on.

    `middle_m`: a sheet of two legs keeps so far from the sagittal plane. It lies over the garment `over`.
    """
    cut = CUTS[garment.name]
    own = np.flatnonzero(garment.welded == np.arange(len(garment.welded))).astype(np.int32)
    compact = np.zeros(len(garment.welded), np.int64)
    compact[own] = np.arange(len(own))
    triangles = compact[garment.welded[garment.triangles]].astype(np.int32)
    mean = _mean_of(garment, own, len(vertices))
    skin = np.asarray(mean @ vertices.astype(np.float64))
    away = np.asarray(mean @ normals.astype(np.float64))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    average = _average(triangles, len(own))
    depth = garment.depth_m[own].astype(np.float64)
    rim = depth <= 0
    added = np.array(cut.hems_m)[garment.hem[own]] * _fade(depth / np.array(cut.flares_m)[garment.hem[own]])
    base = _fair(skin, triangles, rim)  # cloth tells little of what is small: nipples, a navel
    out = away
    for _ in range(_EVEN_ROUNDS):
        out = 0.5 * (out + np.asarray(average @ out))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    lift = _tent(base, out, average, cut.bridging, rim) + cut.off_m + added
    sheet = _straight_hems(base + lift[:, None] * out, triangles, rim, garment.hem[own])
    for _ in range(cut.smooth):
        sheet = np.where(rim[:, None], sheet, 0.5 * (sheet + np.asarray(average @ sheet)))
    sheet = _even_rims(_straight_hems(sheet, triangles, rim, garment.hem[own]), triangles, rim)
    least = 0.8 * cut.off_m + np.minimum(added, 0)
    bare = (depth < _BARE_M) | ((garment.hem[own] < len(cut.hems_m) - 1) & (depth < _RING_M))
    for _ in range(2):
        sheet += np.maximum(0, least - ((sheet - base) * out).sum(1))[:, None] * out
        sheet += (np.maximum(0, least - ((sheet - skin) * away).sum(1)) * bare)[:, None] * away
    if over is not None:
        sheet = _off(sheet, away, over)
    if middle_m:
        beside = np.abs(skin[:, 0]) > 1e-4
        sheet[beside, 0] = np.where(
            skin[beside, 0] > 0, np.maximum(sheet[beside, 0], middle_m), np.minimum(sheet[beside, 0], -middle_m)
        )
    bound = np.asarray(mean @ weights)
    stiff = (_fade(1 - depth / _STIFF_M))[:, None]
    for _ in range(cut.stiff):  # cloth bends less sharply than skin
        bound += stiff * (0.5 * (bound + np.asarray(average @ bound)) - bound)
    return _with_hem(garment, compact, triangles, sheet, away, bound.astype(np.float32), cut)


def _mean_of(garment: Garment, own: Int32[np.ndarray, "O"], count: int) -> csr_array:
    slots = garment.vertices.shape[1]
    rows = np.repeat(np.arange(len(own)), slots)
    return csr_array(
        (garment.shares[own].ravel().astype(np.float64), (rows, garment.vertices[own].ravel())), shape=(len(own), count)
    )


def _average(triangles: Int32[np.ndarray, "T 3"], count: int) -> csr_array:
    """The mean of each vertex's neighbours."""
    one, other = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    near = csr_array((np.ones(2 * len(one)), (np.r_[one, other], np.r_[other, one])), shape=(count, count))
    near.data[:] = 1
    return csr_array(near.multiply(1 / near.sum(axis=1)[:, None]))


def _tent(
    skin: Float64[np.ndarray, "O 3"],
    away: Float64[np.ndarray, "O 3"],
    average: csr_array,
    rounds: int,
    held: np.ndarray,
) -> Float64[np.ndarray, "O"]:
    """How far cloth stands off the skin because it spans hollows: stretched smooth over what is highest."""
    cloth = skin.copy()
    for _ in range(rounds):
        even = np.asarray(average @ cloth)
        out = np.maximum(((even - skin) * away).sum(1), 0)
        cloth = np.where(held[:, None], cloth, skin + out[:, None] * away)
    lift = ((cloth - skin) * away).sum(1)
    for _ in range(4):
        lift = np.where(held, lift, np.asarray(average @ lift))
    return np.maximum(lift, 0)


def _fair(
    points: Float64[np.ndarray, "O 3"], triangles: Int32[np.ndarray, "T 3"], rim: Bool[np.ndarray, "O"]
) -> Float64[np.ndarray, "O 3"]:
    """One implicit step of diffusion along the surface (Desbrun et al. 1999); the rim stays."""
    count = len(points)
    corners = points[triangles]
    rows, columns, values = [], [], []
    area = np.zeros(count)
    for k in range(3):
        a, b = triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        one, other = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        double = np.linalg.norm(np.cross(one, other), axis=1)
        cotangent = np.clip((one * other).sum(1) / np.maximum(double, 1e-12), 0, 10)
        rows += [a, b]
        columns += [b, a]
        values += [0.5 * cotangent, 0.5 * cotangent]
        area += np.bincount(triangles[:, k], double / 6, count)
    near = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, count))
    stiff = diags_array(np.asarray(near.sum(axis=1)).ravel(), format="csr") - near
    held = diags_array(np.where(rim, 1e3, 1.0) * area, format="csr")
    return np.asarray(splu((held + _FAIR_M**2 * stiff).tocsc()).solve(held @ points))


def _straight_hems(
    sheet: Float64[np.ndarray, "O 3"],
    triangles: Int32[np.ndarray, "T 3"],
    rim: Bool[np.ndarray, "O"],
    hem: Int32[np.ndarray, "O"],
) -> Float64[np.ndarray, "O 3"]:
    """Each rim goes on straight from what is above it, at the height it has."""
    inner, votes = np.zeros_like(sheet), np.zeros(len(sheet))
    for k in range(3):
        for step in (1, 2):
            here, there = triangles[:, k], triangles[:, (k + step) % 3]
            use = rim[here] & ~rim[there]
            np.add.at(inner, here[use], sheet[there[use]])
            np.add.at(votes, here[use], 1)
    inward = _inward(triangles, sheet, rim)
    straight = sheet.copy()
    for number in range(1, int(hem.max()) + 1):  # the first is neckline or waist, which lies on the skin
        for side in (sheet[:, 0] > 0, sheet[:, 0] <= 0):
            loop = rim & (hem == number) & side & (votes > 0)
            if number == 0 and len(np.unique(hem[rim])) > 1:
                continue  # a neckline or waist lies on the skin
            axis = inward[loop].mean(0)
            axis /= np.linalg.norm(axis)
            ahead = inner[loop] / votes[loop, None] - sheet[loop]
            straight[loop] += ahead - (ahead @ axis)[:, None] * axis
    return straight


def _fade(way: Float64[np.ndarray, "O"]) -> Float64[np.ndarray, "O"]:
    """1 at 0, 0 from 1 on, smooth."""
    left = 1 - np.clip(way, 0, 1)
    return left * left * (3 - 2 * left)


def _even_rims(
    sheet: Float64[np.ndarray, "O 3"], triangles: Int32[np.ndarray, "T 3"], rim: Bool[np.ndarray, "O"]
) -> Float64[np.ndarray, "O 3"]:
    """Rims smoothed along themselves: what the cut of triangles left of zigzag."""
    edges = _border(triangles, np.arange(len(sheet)))
    sums = np.zeros_like(sheet)
    for _ in range(_RIM_ROUNDS):
        sums[:] = 0
        np.add.at(sums, edges[:, 0], sheet[edges[:, 1]])
        np.add.at(sums, edges[:, 1], sheet[edges[:, 0]])
        sheet = np.where(rim[:, None], 0.5 * sheet + 0.25 * sums, sheet)
    return sheet


def _with_hem(
    garment: Garment,
    compact: np.ndarray,
    triangles: Int32[np.ndarray, "T 3"],
    sheet: Float64[np.ndarray, "O 3"],
    away: Float64[np.ndarray, "O 3"],
    bound: Float32[np.ndarray, "O J"],
    cut: Cut,
) -> Draped:
    """The sheet split at its UV seams, and along each border a strip that turns in: cloth has a thickness."""
    place = compact[garment.welded]
    border = _border(garment.triangles, place)
    on_rim = np.zeros(len(sheet), bool)
    on_rim[place[border]] = True
    inward = _inward(triangles, sheet, on_rim)
    edge = np.unique(border)
    row = np.full(len(place), -1)
    row[edge] = np.arange(len(edge))
    at = place[edge]
    under = sheet[at] - cut.thick_m * away[at]
    count, rim = len(place), len(edge)
    first = count + row  # the rim again, with normals of its own: a hem is an edge
    faces: list[np.ndarray] = []
    a, b = border[:, 0], border[:, 1]
    inner = first + rim
    faces += [np.stack([first[b], first[a], inner[a]], 1), np.stack([first[b], inner[a], inner[b]], 1)]
    positions = np.concatenate([sheet[place], sheet[at], under])
    normals = vertex_normals(sheet.astype(np.float32), triangles, np.arange(len(sheet), dtype=np.int32))
    down = -inward[at].astype(np.float32)
    whole = np.concatenate([normals[place], down, down])
    joints, weights = four_strongest(np.concatenate([bound[place], bound[at], bound[at]]))
    uvs = np.concatenate([garment.uvs, garment.uvs[edge], garment.uvs[edge]])
    return Draped(
        positions.astype(np.float32),
        whole.astype(np.float32),
        uvs.astype(np.float32),
        np.concatenate([garment.triangles, *faces]).astype(np.int32),
        joints,
        weights,
    )


def _border(triangles: Int32[np.ndarray, "T 3"], place: np.ndarray) -> Int32[np.ndarray, "B 2"]:
    """The edges of the sheet's outline as their triangle runs along them; seams of UVs are no outline."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    run = place[edges]
    known = set(map(tuple, run.tolist()))
    open_ = np.array([(b, a) not in known for a, b in run.tolist()])
    return edges[open_].astype(np.int32)


def _inward(
    triangles: Int32[np.ndarray, "T 3"], sheet: Float64[np.ndarray, "O 3"], rim: Bool[np.ndarray, "O"]
) -> Float64[np.ndarray, "O 3"]:
    """Unit directions from the rim into the sheet, across the hem; zero elsewhere."""
    pull = np.zeros_like(sheet)
    for k in range(3):
        here = triangles[:, k]
        for step in (1, 2):
            there = triangles[:, (k + step) % 3]
            use = rim[here] & ~rim[there]
            np.add.at(pull, here[use], sheet[there[use]] - sheet[here[use]])
    length = np.linalg.norm(pull, axis=1, keepdims=True)
    return np.where(length > 1e-9, pull / np.maximum(length, 1e-9), 0.0)


def _off(
    sheet: Float64[np.ndarray, "O 3"], away: Float64[np.ndarray, "O 3"], over: Draped
) -> Float64[np.ndarray, "O 3"]:
    """Pushed out where the garment below comes too near."""
    below = KDTree(over.positions)
    for _ in range(3):
        distance, nearest = below.query(sheet, k=4)
        gap = ((sheet[:, None] - over.positions[nearest]) * away[:, None]).sum(2)
        lack = np.where(distance < _NEAR_M, _APART_M - gap, 0).max(1)
        sheet = sheet + np.maximum(lack, 0)[:, None] * away
    return sheet
