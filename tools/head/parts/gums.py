"""The gum around a row of teeth, with a scalloped margin, and the palate or mouth floor between its arms.

Columns run along the arc from the person's right to the left (three a tooth: papilla, near side, far side);
rows run from the fold at the lip over the margin to the tongue's side:

    fold 0   high 1   bulge 2   margin 3 | margin 4   bulge 5   deep 6 | palate 7 8 9 (right arm to left arm)
"""

from typing import Final

import numpy as np

from tools.head.parts.dentition import FORMS, Form, Socket, Surface

MARGIN_HEIGHT: Final = -0.14
"""Crown height at which the gum meets the middle of a tooth."""
MARGIN_ASIDE: Final = 0.74
"""Half-width of a tooth at which its margin turns to the papilla; the nearer to its middle, the more of it lies under a
triangle of gum."""
PAPILLA_HEIGHT: Final = 0.22
"""Crown height of the gum's point between two teeth, at the lip's side."""
ROWS: Final = 7
PALATE_STEPS: Final = (0.25, 0.5, 0.75)


def build_gum(sockets: list[Socket], *, upper: bool, band: tuple[float, float]) -> Surface:
    """Gum and palate (or floor) of one jaw; the texture takes the full width between v = band[0] and band[1]."""
    columns = [_column(sockets, index) for index in range(3 * len(sockets) + 1)]
    count = len(columns)
    grid = np.array(columns)
    grid = (grid + (grid * [-1, 1, 1])[::-1]) / 2
    vertices = [grid.transpose(1, 0, 2).reshape(-1, 3)]
    polygons: list[list[int]] = []
    for r in range(ROWS - 1):
        for c in range(count - 1):
            polygons.append([r * count + c, (r + 1) * count + c, (r + 1) * count + c + 1, r * count + c + 1])
    for end, order in ((0, 1), (count - 1, -1)):
        for r in (0, 1, 2):
            ring = [r * count + end, (r + 1) * count + end, (5 - r) * count + end, (6 - r) * count + end]
            ring = ring if r < 2 else [2 * count + end, 3 * count + end, 4 * count + end, 5 * count + end]
            if r == 1:
                continue
            polygons.append(ring[::-order])
    row_v = np.linspace(0, 0.72, ROWS)
    uv = [np.c_[np.tile(np.linspace(0, 1, count), ROWS), np.repeat(row_v, count)]]
    middle = count // 2
    deep = grid[:, ROWS - 1]
    arch = _arch(deep, upper=upper)
    vertices.append(arch.reshape(-1, 3))
    base, steps = ROWS * count, len(PALATE_STEPS)
    side_u = np.linspace(0, 1, middle)
    uv.append(
        np.stack(np.broadcast_arrays(np.array(PALATE_STEPS)[None, :], 0.8 + 0.2 * side_u[:, None]), -1).reshape(-1, 2)
    )
    edge_uv = sum(len(part) for part in uv)
    uv.append(np.c_[np.zeros(middle), 0.8 + 0.2 * side_u])
    uv.append(np.c_[np.ones(middle), 0.8 + 0.2 * side_u])
    uv.append(np.array([[0.5, 1.0]]))
    texture = [list(polygon) for polygon in polygons]
    right = [(ROWS - 1) * count + i for i in range(middle)]
    left = [(ROWS - 1) * count + count - 1 - i for i in range(middle)]
    for i in range(middle - 1):
        row = [right[i], *(base + i * steps + k for k in range(steps)), left[i]]
        following = [right[i + 1], *(base + (i + 1) * steps + k for k in range(steps)), left[i + 1]]
        row_uv = [edge_uv + i, *row[1:-1], edge_uv + middle + i]
        following_uv = [edge_uv + i + 1, *following[1:-1], edge_uv + middle + i + 1]
        for k in range(steps + 1):
            polygons.append([row[k], row[k + 1], following[k + 1], following[k]])
            texture.append([row_uv[k], row_uv[k + 1], following_uv[k + 1], following_uv[k]])
    tip, tip_uv = (ROWS - 1) * count + middle, edge_uv + 2 * middle
    row = [right[-1], *(base + (middle - 1) * steps + k for k in range(steps)), left[-1]]
    row_uv = [edge_uv + middle - 1, *row[1:-1], edge_uv + 2 * middle - 1]
    for k in range(steps + 1):
        polygons.append([row[k], row[k + 1], tip, -1])
        texture.append([row_uv[k], row_uv[k + 1], tip_uv, -1])
    uvs = np.concatenate(uv)
    uvs[:, 1] = band[0] + (band[1] - band[0]) * uvs[:, 1]
    mirror = [np.arange(ROWS)[:, None] * count + np.arange(count)[::-1][None, :]]
    mirror.append(base + np.arange(middle)[:, None] * steps + np.arange(steps)[::-1][None, :])
    faces, corners = np.array(polygons, np.int32), np.array(texture, np.int32)
    if not upper:
        faces, corners = _reversed(faces), _reversed_like(corners, faces)
    return Surface(np.concatenate(vertices), faces, corners, uvs, np.concatenate([part.ravel() for part in mirror]))


def _column(sockets: list[Socket], index: int) -> np.ndarray:
    """The seven gum points [7 3] of one column."""
    tooth, place = divmod(index, 3)
    if place:
        socket = sockets[tooth]
        return _cross_section(socket, -MARGIN_ASIDE if place == 1 else MARGIN_ASIDE, MARGIN_HEIGHT, 1.0)
    if tooth == 0:
        return _cross_section(sockets[0], -1.0, 0.12, 0.75)
    if tooth == len(sockets):
        return _cross_section(sockets[-1], 1.0, 0.12, 0.75)
    before, after = sockets[tooth - 1], sockets[tooth]
    return (_cross_section(before, 1.0, PAPILLA_HEIGHT, 0.55) + _cross_section(after, -1.0, PAPILLA_HEIGHT, 0.55)) / 2


def _cross_section(socket: Socket, a: float, margin: float, reach: float) -> np.ndarray:
    """Fold to tongue's side at half-width `a`; `reach` pulls the margin toward the middle between teeth."""
    form = FORMS[socket.position]
    outer, inner = (float(np.interp(margin, form.heights, side)) for side in (form.outer, form.inner))
    if reach == 1.0:  # the margin lies on the crown, which turns back to its sides
        middle, round_ = (outer + inner) / 2, _roundness(form, a, margin)
        outer, inner = middle + (outer - middle) * round_, middle + (inner - middle) * round_
    outer, inner = outer * reach, inner * reach
    mm = 1e-3 / (socket.depth / 2)
    up = 1e-3 / socket.height
    neck_outer, neck_inner = form.outer[1], form.inner[1]
    full = 1.0 if reach == 1.0 else 0.85
    swell = (1.4, 1.4, 1.3, 1.0, 0.9, 0.8, 0.7)[socket.position]
    # The lower lip's flesh is thin where the chin begins: the lower gum ends sooner.
    fold = 6.5 if socket.root[1] > 0 else 4.2
    profile = [
        (neck_outer * full + (swell - 0.7) * mm, -fold * up),
        (neck_outer * full + (swell - 0.2) * mm, -0.55 * fold * up),
        (neck_outer * full * (0.5 + 0.5 * reach) + 0.9 * mm, margin - 1.3 * up),
        (outer - 0.25 * mm, margin),
        (inner + 0.25 * mm, margin),
        (neck_inner * full * (0.5 + 0.5 * reach) - 0.9 * mm, margin - 1.5 * up),
        (neck_inner * full - 2.2 * mm, -5.0 * up),
    ]
    b, h = np.array(profile).T
    return socket.place(np.full(7, a), b, h)


def _roundness(form: Form, a: float, height: float) -> float:
    """Half-depth of a crown at half-width `a`, as a share of that at its middle."""
    aside = min(abs(a) / float(np.interp(height, form.heights, form.widths)), 1.0)
    return (1 - aside**form.squareness) ** (1 / form.squareness)


def _arch(deep: np.ndarray, *, upper: bool) -> np.ndarray:
    """Inner points [middle steps 3] of the palate (arched up) or of the mouth's floor (sunk)."""
    middle = len(deep) // 2
    right, left = deep[:middle], deep[::-1][:middle]
    rise = np.clip(np.linalg.norm(right - left, axis=1) / 30e-3, 0, 1)
    height = rise**1.2 * (7e-3 if upper else -5e-3)
    points = []
    for t in PALATE_STEPS:
        point = (1 - t) * right + t * left
        point[:, 1] += height * (1 - (1 - 2 * t) ** 2)
        points.append(point)
    return np.stack(points, axis=1)


def _reversed(polygons: np.ndarray) -> np.ndarray:
    return _reversed_like(polygons, polygons)


def _reversed_like(source: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    flipped = source[:, [0, 3, 2, 1]].copy()
    triangle = polygons[:, 3] < 0
    flipped[triangle] = source[triangle][:, [0, 2, 1, 3]]
    return flipped
