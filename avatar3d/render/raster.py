"""The loops that draw a film: triangles to samples, samples to light, light to pixels.

vertices --find_first--> whose each sample is --look--> colour, normal, relief --light_looks--> linear RGB --lay--> picture
                                 glass --look_through--> the same ------------------^                          |
                                                                                       sRGB <--encode---------+

A band of rows at a time, so that it stays in the processor's cache and several threads can work. The light is that of
render/trace.py. All loops share this file because numba keeps machine code by file: it would not see a layout changed
in another one.
"""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32, UInt8, UInt32

from avatar3d.render.numba import compiled

Real = float | np.float32
"""One number."""

# Columns of a vertex: across and down in samples, one over the depth, texture coordinates, normal, openness to the sky,
# tangent; three are empty, so that a vertex is a line of the processor's cache.
X: Final = 0
Y: Final = 1
NEARNESS: Final = 2
U: Final = 3
V: Final = 4
NORMAL: Final = 5
OPENNESS: Final = 8
TANGENT: Final = 9
VERTEX: Final = 16

# Columns of a mesh: alpha from which on a sample is there, both sides seen (1), roughness, specular, colour factor,
# whether its relief says more than normals (1).
CUTOFF: Final = 0
DOUBLE_SIDED: Final = 1
ROUGHNESS: Final = 2
SPECULAR: Final = 3
FACTOR: Final = 4
PROPERTIES: Final = 8
FINISH: Final = 9

# Columns of a mesh's pictures: first texel, width (0: no picture) and height of its colour, relief and alpha.
COLOUR: Final = 0
RELIEF: Final = 3
ALPHA: Final = 6
PICTURES: Final = 9

# Rows of what is looked at.
_NORMAL: Final = 0
_OPENNESS: Final = 3
_COLOUR: Final = 4
_ALPHA: Final = 7
_TANGENT: Final = 8
_ALONG: Final = 11
_ASIDE: Final = 12
_ROUGHNESS: Final = 13
_SPECULAR: Final = 14
_X: Final = 15
_Y: Final = 16
_SHARE: Final = 17
LOOK: Final = 18

# A lens: focal length and principal point (samples), then the camera's rotation, row by row.
LENS: Final = 12
# A light: nine harmonics of three colours, then direction and colour of its lamp.
LIGHT: Final = 33
_LAMP: Final = 27

# What a triangle is, by its alpha: never seen, opaque, to be asked at every sample, glass.
HOLE: Final = 0
SOLID: Final = 1
LACE: Final = 2
GLASS: Final = 3

# What lies between four texels of a cut-out: nothing anywhere, something everywhere; else their four alphas.
NOTHING: Final = 0
ALL: Final = 0xFFFFFFFF
_BYTE: Final = 255

NOBODY: Final = -1
TILE: Final = 8
"""Samples across and down that are asked together whether they hide a triangle."""
_SLACK: Final = 1e-4
"""Samples this near outside an edge count as inside: else pinholes open between triangles."""
_UP: Final = 0.99999999
"""Added before the fraction is cut off, it rounds up: quicker than asking the C library."""
_DIELECTRIC: Final = np.float32(0.04)
_ENVIRONMENT_SHEEN: Final = np.float32(0.35)
_LEAST_ROUGH: Final = np.float32(0.08)
"""These three as in render/trace.py."""
_FADED: Final = np.float32(20)
"""The lamp's reflection, narrower than exp(-x), is not asked for where it is weaker than a 100,000th of a lamp."""
_ROUGH: Final = np.float32(0.5)
"""Surfaces this rough look alike all over a pixel; smoother ones (eyes, teeth, frames) may glint in a corner of it."""
# Else a whole number would make a formula one of double precision.
_ZERO, _HALF, _ONE, _TWO, _THREE = (np.float32(value) for value in (0, 0.5, 1, 2, 3))


@compiled
def bend_shapes(
    weights: Float32[np.ndarray, "S"],
    shapes: Float32[np.ndarray, "S B 3"],
    bending: Int32[np.ndarray, "B"],
    rest: Float32[np.ndarray, "V 3"],
    bent: Float32[np.ndarray, "V 3"],
) -> None:
    """Vertices as shapes bend them; those that no shape moves are left alone."""
    for i in range(len(bending)):
        for k in range(3):
            bent[bending[i], k] = rest[bending[i], k]
    for s in range(len(weights)):
        if weights[s] != 0:
            for i in range(len(bending)):
                for k in range(3):
                    bent[bending[i], k] += weights[s] * shapes[s, i, k]


@compiled
def bend_normals(
    bent: Float32[np.ndarray, "V 3"],
    triangles: Int32[np.ndarray, "F 3"],
    welded: Int32[np.ndarray, "V"],
    bending: Int32[np.ndarray, "B"],
    rest: Float32[np.ndarray, "V 3"],
    surface: Float32[np.ndarray, "V 3"],
    sums: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
) -> None:
    """Normals of the bending vertices: their own ones at rest, turned as the surface turned (its normal: `surface`)."""
    sums[:] = _ZERO
    for f in range(len(triangles)):
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        x1, y1, z1 = bent[b, 0] - bent[a, 0], bent[b, 1] - bent[a, 1], bent[b, 2] - bent[a, 2]
        x2, y2, z2 = bent[c, 0] - bent[a, 0], bent[c, 1] - bent[a, 1], bent[c, 2] - bent[a, 2]
        x, y, z = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        for corner in range(3):
            vertex = welded[triangles[f, corner]]
            sums[vertex, 0] += x
            sums[vertex, 1] += y
            sums[vertex, 2] += z
    for i in range(len(bending)):
        vertex = bending[i]
        x, y, z = sums[welded[vertex], 0], sums[welded[vertex], 1], sums[welded[vertex], 2]
        scale = _ONE / math.sqrt(max(x * x + y * y + z * z, np.float32(1e-30)))
        x = rest[vertex, 0] + x * scale - surface[vertex, 0]
        y = rest[vertex, 1] + y * scale - surface[vertex, 1]
        z = rest[vertex, 2] + z * scale - surface[vertex, 2]
        scale = _ONE / math.sqrt(max(x * x + y * y + z * z, np.float32(1e-30)))
        normals[vertex, 0], normals[vertex, 1], normals[vertex, 2] = x * scale, y * scale, z * scale


@compiled
def place_vertices(
    bent: Float32[np.ndarray, "V 3"],
    normals: Float32[np.ndarray, "V 3"],
    tangents: Float32[np.ndarray, "V 4"],
    joints: Int32[np.ndarray, "V 4"],
    weights: Float32[np.ndarray, "V 4"],
    moves: Float32[np.ndarray, "J 12"],
    lens: Float32[np.ndarray, "12"],
    shift: Float32[np.ndarray, "3"],
    vertices: Float32[np.ndarray, "V 16"],
) -> None:
    """Linear blend skinning by each joint's matrix (row by row, 3x4), then the camera: `lens`, and `shift` in its axes."""
    for i in range(len(bent)):
        for row in range(3):
            place = normal = tangent = _ZERO
            for slot in range(4):
                share, j = weights[i, slot], joints[i, slot]
                if share != 0:
                    x, y, z = moves[j, 4 * row], moves[j, 4 * row + 1], moves[j, 4 * row + 2]
                    place += share * (x * bent[i, 0] + y * bent[i, 1] + z * bent[i, 2] + moves[j, 4 * row + 3])
                    normal += share * (x * normals[i, 0] + y * normals[i, 1] + z * normals[i, 2])
                    tangent += share * (x * tangents[i, 0] + y * tangents[i, 1] + z * tangents[i, 2])
            vertices[i, row] = place
            vertices[i, NORMAL + row] = normal
            vertices[i, TANGENT + row] = tangent
        px, py, pz = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        across = lens[3] * px + lens[4] * py + lens[5] * pz + shift[0]
        down = lens[6] * px + lens[7] * py + lens[8] * pz + shift[1]
        away = lens[9] * px + lens[10] * py + lens[11] * pz + shift[2]
        vertices[i, NEARNESS] = _ONE / away if away > np.float32(1e-3) else _ZERO
        vertices[i, X] = lens[0] * across * vertices[i, NEARNESS] + lens[1]
        vertices[i, Y] = lens[0] * down * vertices[i, NEARNESS] + lens[2]


@compiled
def sort_by_alpha(
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    uvs: Float32[np.ndarray, "V 2"],
    finishes: Float32[np.ndarray, "M 9"],
    pictures: Int32[np.ndarray, "M 9"],
    alphas: UInt32[np.ndarray, "T"],
    kinds: UInt8[np.ndarray, "F"],
) -> None:
    """For triangles with an alpha cut-off: HOLE, SOLID or LACE, by the least and most of the texels around each."""
    for f in range(len(triangles)):
        mesh = meshes[f]
        width, height = pictures[mesh, ALPHA + 1], pictures[mesh, ALPHA + 2]
        if finishes[mesh, CUTOFF] == 0 or width == 0:
            continue
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        left, right = min(uvs[a, 0], uvs[b, 0], uvs[c, 0]), max(uvs[a, 0], uvs[b, 0], uvs[c, 0])
        upper, lower = min(uvs[a, 1], uvs[b, 1], uvs[c, 1]), max(uvs[a, 1], uvs[b, 1], uvs[c, 1])
        kinds[f] = LACE
        if left < 0 or upper < 0 or right > 1 or lower > 1:
            continue
        least, most = 255, 0
        for row in range(max(int(upper * height - 1), 0), min(int(lower * height + 2), height)):
            for column in range(max(int(left * width - 1), 0), min(int(right * width + 2), width)):
                alpha = alphas[pictures[mesh, ALPHA] + row * width + column] & _BYTE
                least, most = min(least, alpha), max(most, alpha)
        if least >= np.float32(255) * finishes[mesh, CUTOFF]:
            kinds[f] = SOLID
        elif most < np.float32(255) * finishes[mesh, CUTOFF]:
            kinds[f] = HOLE


@compiled
def find_facing(
    vertices: Float32[np.ndarray, "V 16"],
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    order: Int32[np.ndarray, "N"],
    finishes: Float32[np.ndarray, "M 9"],
    facing: Int32[np.ndarray, "N 3"],
) -> int:
    """Of the triangles those that turn a side to the eye that is seen: which, first row of samples, row after the last.

    Returns how many. Whatever passes the camera is left out.
    """
    count = 0
    for place in range(len(order)):
        f = order[place]
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, bx, by = vertices[a, X], vertices[a, Y], vertices[b, X], vertices[b, Y]
        cx, cy = vertices[c, X], vertices[c, Y]
        if min(vertices[a, NEARNESS], vertices[b, NEARNESS], vertices[c, NEARNESS]) <= 0:
            continue
        # Of double precision, as everything that decides whose a sample is.
        area = (float(bx) - ax) * (float(cy) - ay) - (float(cx) - ax) * (float(by) - ay)
        if area == 0 or (area > 0 and finishes[meshes[f], DOUBLE_SIDED] == 0):
            continue
        low, high = int(float(min(ay, by, cy)) - 0.5 + _UP), int(float(max(ay, by, cy)) + 0.5)
        if high > max(low, 0):
            facing[count, 0], facing[count, 1], facing[count, 2] = f, low, high
            count += 1
    return count


@compiled
def find_first(
    vertices: Float32[np.ndarray, "V 16"],
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    kinds: UInt8[np.ndarray, "F"],
    facing: Int32[np.ndarray, "N 3"],
    likely: int,
    finishes: Float32[np.ndarray, "M 9"],
    pictures: Int32[np.ndarray, "M 9"],
    alphas: UInt32[np.ndarray, "T"],
    top: int,
    nearness: Float32[np.ndarray, "R C"],
    owner: Int32[np.ndarray, "R C"],
    farthest: Float32[np.ndarray, "P Q"],
) -> None:
    """Whose each sample of the band from row `top` on is (NOBODY: background), and one over its depth.

    Triangles are drawn as they come in `facing`, of which the first `likely` ones probably hide the others: after them
    every tile knows its `farthest` sample, and whole triangles behind that are skipped.
    """
    rows, columns = owner.shape
    owner[:] = NOBODY
    nearness[:] = _ZERO
    farthest[:] = _ZERO
    for place in range(len(facing)):
        if place == likely:
            _find_farthest(nearness, farthest)
        low, high = max(facing[place, 1] - top, 0), min(facing[place, 2] - top, rows)
        if low >= high:
            continue
        f = facing[place, 0]
        a, b, c, mesh = triangles[f, 0], triangles[f, 1], triangles[f, 2], meshes[f]
        ax, ay, an = float(vertices[a, X]), float(vertices[a, Y]), float(vertices[a, NEARNESS])
        bx, by, bn = float(vertices[b, X]), float(vertices[b, Y]), float(vertices[b, NEARNESS])
        cx, cy, cn = float(vertices[c, X]), float(vertices[c, Y]), float(vertices[c, NEARNESS])
        west, east = max(int(min(ax, bx, cx) - 0.5 + _UP), 0), min(int(max(ax, bx, cx) + 0.5), columns)
        if west >= east or _hidden(farthest, low, high, west, east, max(an, bn, cn)):
            continue
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        # The shares of b and c grow by these across and down; a has the rest.
        b_across, b_down, c_across, c_down = (cy - ay) / area, (ax - cx) / area, (ay - by) / area, (bx - ax) / area
        a_across, a_down = -b_across - c_across, -b_down - c_down
        n_across, n_down = b_across * (bn - an) + c_across * (cn - an), b_down * (bn - an) + c_down * (cn - an)
        # Texture coordinates over the depth grow evenly, too.
        ua, va = vertices[a, U] * an, vertices[a, V] * an
        ub, vb, uc, vc = (
            vertices[b, U] * bn - ua,
            vertices[b, V] * bn - va,
            vertices[c, U] * cn - ua,
            vertices[c, V] * cn - va,
        )
        u_across, v_across = np.float32(b_across * ub + c_across * uc), np.float32(b_across * vb + c_across * vc)
        u_down, v_down = b_down * ub + c_down * uc, b_down * vb + c_down * vc
        n_step = np.float32(n_across)
        b_inverse, c_inverse, a_inverse = -1 / b_across, -1 / c_across, -1 / a_across
        for row in range(low, high):
            down = row + top + 0.5 - ay
            left, right = west + 0.5 - ax, east - 0.5 - ax
            for slope, inverse, start in (
                (b_across, b_inverse, b_down * down),
                (c_across, c_inverse, c_down * down),
                (a_across, a_inverse, 1 + a_down * down),
            ):
                if slope > 0:
                    left = max(left, inverse * start - _SLACK)
                elif slope < 0:
                    right = min(right, inverse * start + _SLACK)
                elif start < 0:
                    right = left - 1
            if right < left:
                continue
            first, last = int(left + ax - 0.5 + _UP), int(right + ax + 0.5)
            across = first + 0.5 - ax
            n_row = np.float32(an + n_across * across + n_down * down)
            if kinds[f] == SOLID:
                for step in range(last - first):
                    n = n_row + np.float32(step) * n_step
                    if n > nearness[row, first + step]:
                        nearness[row, first + step] = n
                        owner[row, first + step] = f
                continue
            u_row = np.float32(ua + u_across * across + u_down * down)
            v_row = np.float32(va + v_across * across + v_down * down)
            for step in range(last - first):
                n = n_row + np.float32(step) * n_step
                if n > nearness[row, first + step]:
                    u = (u_row + np.float32(step) * u_across) / n
                    v = (v_row + np.float32(step) * v_across) / n
                    if is_there(alphas, pictures, mesh, u, v, finishes[mesh, CUTOFF]):
                        nearness[row, first + step] = n
                        owner[row, first + step] = f


@compiled
def _find_farthest(nearness: Float32[np.ndarray, "R C"], farthest: Float32[np.ndarray, "P Q"]) -> None:
    """One over the depth of each tile's farthest sample: 0 where the background shows."""
    for p in range(farthest.shape[0]):
        for q in range(farthest.shape[1]):
            least = np.float32(1e9)
            for row in range(p * TILE, min(p * TILE + TILE, nearness.shape[0])):
                for column in range(q * TILE, min(q * TILE + TILE, nearness.shape[1])):
                    least = min(least, nearness[row, column])
            farthest[p, q] = least


@compiled
def _hidden(farthest: Float32[np.ndarray, "P Q"], low: int, high: int, west: int, east: int, n: Real) -> bool:
    """Whether the tiles of a rectangle hide whatever is not nearer than `n`."""
    for p in range(low // TILE, (high - 1) // TILE + 1):
        for q in range(west // TILE, (east - 1) // TILE + 1):
            if farthest[p, q] < n:
                return False
    return True


@compiled
def is_there(
    alphas: UInt32[np.ndarray, "T"], pictures: Int32[np.ndarray, "M 9"], mesh: int, u: Real, v: Real, cutoff: Real
) -> bool:
    """Whether a cut-out leaves something at a place in its picture: by the alpha between its texels."""
    width = pictures[mesh, ALPHA + 1]
    x, y = _texel(u, width), _texel(v, pictures[mesh, ALPHA + 2])
    left, upper = int(x), int(y)
    around = alphas[pictures[mesh, ALPHA] + upper * width + left]
    if around in (NOTHING, ALL):  # most places
        return around == ALL
    across, down = x - np.float32(left), y - np.float32(upper)
    one = np.float32(around & _BYTE)
    two = np.float32(around >> 16 & _BYTE)
    one += (np.float32(around >> 8 & _BYTE) - one) * across
    two += (np.float32(around >> 24) - two) * across
    return bool((one + (two - one) * down) * np.float32(1 / 255) >= cutoff)


@compiled
def _texel(u: Real, size: int) -> Real:
    """Where a texture coordinate lies between the centres of a picture's first and last texel; pictures repeat."""
    part = u - np.float32(int(u))
    part = part + _ONE if part < 0 else part
    return min(max(part * np.float32(size) - _HALF, _ZERO), np.float32(size - 1))


@compiled
def look(
    vertices: Float32[np.ndarray, "V 16"],
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    finishes: Float32[np.ndarray, "M 9"],
    pictures: Int32[np.ndarray, "M 9"],
    colours: UInt8[np.ndarray, "T 4"],
    reliefs: UInt8[np.ndarray, "S 4"],
    top: int,
    owner: Int32[np.ndarray, "R C"],
    fine: int,
    looks: Float32[np.ndarray, "N 18"],
    pixels: Int32[np.ndarray, "N 2"],
    seen: UInt8[np.ndarray, "F"],
) -> int:
    """What the band's pixels see: once per surface and pixel, at the middle of its samples (`fine` x `fine` a pixel).

    Into `looks`, and (which pixel of the band) `pixels`; returns how many. Marks in `seen` whose samples there are.
    """
    count = 0
    width = owner.shape[1] // fine
    share, middle = _ONE / np.float32(fine * fine), np.float32(fine) * _HALF
    # First what there is to look at, then the looks, one after the other: their waits for memory overlap.
    for row in range(owner.shape[0] // fine):
        for column in range(width):
            first, alike = owner[row * fine, column * fine], True
            for i in range(fine):
                for j in range(fine):
                    alike &= owner[row * fine + i, column * fine + j] == first
            if alike:  # most pixels
                if first != NOBODY:
                    seen[first] = 1
                    looks[count, _X] = np.float32(column * fine) + middle
                    looks[count, _Y] = np.float32(top + row * fine) + middle
                    looks[count, _SHARE] = _ONE
                    pixels[count, 0], pixels[count, 1] = row * width + column, first
                    count += 1
                continue
            done = 0
            for i in range(fine):
                for j in range(fine):
                    f = owner[row * fine + i, column * fine + j]
                    if f == NOBODY or done >> (i * fine + j) & 1:
                        continue
                    across = down = together = 0
                    rough = finishes[meshes[f], ROUGHNESS] >= _ROUGH
                    for k in range(i, fine):
                        for l in range(fine):
                            other = owner[row * fine + k, column * fine + l]
                            if done >> (k * fine + l) & 1:
                                continue
                            if other != f and not (rough and _touch(triangles, f, other)):
                                continue
                            done |= 1 << (k * fine + l)
                            across += l
                            down += k
                            together += 1
                            seen[other] = 1
                    looks[count, _X] = np.float32(column * fine) + np.float32(across) / np.float32(together) + _HALF
                    looks[count, _Y] = np.float32(top + row * fine) + np.float32(down) / np.float32(together) + _HALF
                    looks[count, _SHARE] = share * np.float32(together)
                    pixels[count, 0], pixels[count, 1] = row * width + column, f
                    count += 1
    for i in range(count):
        _look(vertices, triangles, meshes, finishes, pictures, colours, reliefs, pixels[i, 1], False, looks, i)
    return count


@compiled
def _touch(triangles: Int32[np.ndarray, "F 3"], one: int, other: int) -> bool:
    """Whether two triangles share a corner: one surface, then, that one look is enough for."""
    if other == NOBODY:
        return False
    for i in range(3):
        for j in range(3):
            if triangles[one, i] == triangles[other, j]:
                return True
    return False


@compiled
def look_through(
    vertices: Float32[np.ndarray, "V 16"],
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    glass: Int32[np.ndarray, "N"],
    finishes: Float32[np.ndarray, "M 9"],
    pictures: Int32[np.ndarray, "M 9"],
    colours: UInt8[np.ndarray, "T 4"],
    reliefs: UInt8[np.ndarray, "S 4"],
    top: int,
    nearness: Float32[np.ndarray, "R C"],
    fine: int,
    looks: Float32[np.ndarray, "N 18"],
    pixels: Int32[np.ndarray, "N 2"],
) -> int:
    """As `look`, of triangles one sees through, in their order (far ones first), where nothing lies before them."""
    count = 0
    rows, columns = nearness.shape
    share = _ONE / np.float32(fine * fine)
    for place in range(len(glass)):
        f = glass[place]
        a, b, c = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay, an = float(vertices[a, X]), float(vertices[a, Y]), float(vertices[a, NEARNESS])
        bx, by, bn = float(vertices[b, X]), float(vertices[b, Y]), float(vertices[b, NEARNESS])
        cx, cy, cn = float(vertices[c, X]), float(vertices[c, Y]), float(vertices[c, NEARNESS])
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if min(an, bn, cn) <= 0 or area == 0 or (area > 0 and finishes[meshes[f], DOUBLE_SIDED] == 0):
            continue
        low, high = max(int(min(ay, by, cy)) - top, 0) // fine, min(int(max(ay, by, cy)) + fine - top, rows) // fine
        west, east = max(int(min(ax, bx, cx)), 0) // fine, min(int(max(ax, bx, cx)) + fine, columns) // fine
        for row in range(low, high):
            for column in range(west, east):
                across = down = together = 0
                for s in range(fine * fine):
                    k, l = row * fine + s // fine, column * fine + s % fine
                    x, y = l + 0.5 - ax, k + top + 0.5 - ay
                    at_b = (x * (cy - ay) - y * (cx - ax)) / area
                    at_c = (y * (bx - ax) - x * (by - ay)) / area
                    n = an + at_b * (bn - an) + at_c * (cn - an)
                    # An edge's own samples belong to one of its two sides, else they would be laid on twice.
                    if at_b >= 0 and at_c >= 0 and at_b + at_c < 1 and n > nearness[k, l]:
                        across += l
                        down += k
                        together += 1
                if together and count < len(pixels):
                    looks[count, _X] = np.float32(across) / np.float32(together) + _HALF
                    looks[count, _Y] = np.float32(down) / np.float32(together) + _HALF + np.float32(top)
                    _look(vertices, triangles, meshes, finishes, pictures, colours, reliefs, f, True, looks, count)
                    looks[count, _SHARE] = share * np.float32(together) * looks[count, _ALPHA]
                    pixels[count, 0], pixels[count, 1] = row * (columns // fine) + column, f
                    count += 1
    return count


@compiled
def _look(
    vertices: Float32[np.ndarray, "V 16"],
    triangles: Int32[np.ndarray, "F 3"],
    meshes: Int32[np.ndarray, "F"],
    finishes: Float32[np.ndarray, "M 9"],
    pictures: Int32[np.ndarray, "M 9"],
    colours: UInt8[np.ndarray, "T 4"],
    reliefs: UInt8[np.ndarray, "S 4"],
    f: int,
    glass: bool,
    looks: Float32[np.ndarray, "N 18"],
    at: int,
) -> None:
    """A triangle at a place of the picture (samples; both are there already), into a row of `looks`."""
    a, b, c, mesh = triangles[f, 0], triangles[f, 1], triangles[f, 2], meshes[f]
    x1, y1 = vertices[b, X] - vertices[a, X], vertices[b, Y] - vertices[a, Y]
    x2, y2 = vertices[c, X] - vertices[a, X], vertices[c, Y] - vertices[a, Y]
    area = x1 * y2 - x2 * y1
    across, down = looks[at, _X] - vertices[a, X], looks[at, _Y] - vertices[a, Y]
    at_b, at_c = across * y2 - down * x2, down * x1 - across * y1
    at_a = (area - at_b - at_c) * vertices[a, NEARNESS]
    at_b, at_c = at_b * vertices[b, NEARNESS], at_c * vertices[c, NEARNESS]
    scale = _ONE / (at_a + at_b + at_c)
    at_a, at_b, at_c = at_a * scale, at_b * scale, at_c * scale
    turned = _ONE if area < 0 else -_ONE  # seen from behind
    u = at_a * vertices[a, U] + at_b * vertices[b, U] + at_c * vertices[c, U]
    v = at_a * vertices[a, V] + at_b * vertices[b, V] + at_c * vertices[c, V]
    for k in range(3):
        normal = at_a * vertices[a, NORMAL + k] + at_b * vertices[b, NORMAL + k] + at_c * vertices[c, NORMAL + k]
        looks[at, _NORMAL + k] = turned * normal
    openness = at_a * vertices[a, OPENNESS] + at_b * vertices[b, OPENNESS] + at_c * vertices[c, OPENNESS]
    if pictures[mesh, COLOUR + 1]:
        p, q, r, s, across, down = _around(pictures, mesh, COLOUR, u, v)
        red, green, blue, alpha = _between(colours, p, q, r, s, across, down)
        red *= red * finishes[mesh, FACTOR]  # they are roots
        green *= green * finishes[mesh, FACTOR + 1]
        blue *= blue * finishes[mesh, FACTOR + 2]
        alpha = alpha * finishes[mesh, FACTOR + 3] if glass else _ONE
    else:
        red, green, blue = finishes[mesh, FACTOR], finishes[mesh, FACTOR + 1], finishes[mesh, FACTOR + 2]
        alpha = finishes[mesh, FACTOR + 3]
    looks[at, _COLOUR], looks[at, _COLOUR + 1], looks[at, _COLOUR + 2], looks[at, _ALPHA] = red, green, blue, alpha
    roughness = finishes[mesh, ROUGHNESS]
    along = aside = _ZERO
    if pictures[mesh, RELIEF + 1]:
        p, q, r, s, across, down = _around(pictures, mesh, RELIEF, u, v)
        along, aside, occlusion, rough = _between(reliefs, p, q, r, s, across, down)
        along = _TWO * along - _ONE
        aside = (_TWO * aside - _ONE) * vertices[a, TANGENT + 3]
        if finishes[mesh, PROPERTIES]:
            openness *= occlusion
            roughness *= rough
        for k in range(3):
            looks[at, _TANGENT + k] = (
                at_a * vertices[a, TANGENT + k] + at_b * vertices[b, TANGENT + k] + at_c * vertices[c, TANGENT + k]
            )
    looks[at, _OPENNESS] = openness
    looks[at, _ALONG] = along
    looks[at, _ASIDE] = aside
    looks[at, _ROUGHNESS] = roughness
    looks[at, _SPECULAR] = finishes[mesh, SPECULAR]


@compiled
def _around(
    pictures: Int32[np.ndarray, "M 9"], mesh: int, which: int, u: Real, v: Real
) -> tuple[int, int, int, int, Real, Real]:
    """The four texels around a place in a picture, and how far it lies to the right and down from the first."""
    begin, width, height = pictures[mesh, which], pictures[mesh, which + 1], pictures[mesh, which + 2]
    x, y = _texel(u, width), _texel(v, height)
    left, upper = int(x), int(y)
    right, lower = min(left + 1, width - 1), min(upper + 1, height - 1)
    above, below = begin + upper * width, begin + lower * width
    return above + left, above + right, below + left, below + right, x - np.float32(left), y - np.float32(upper)


@compiled
def _between(
    texels: UInt8[np.ndarray, "T 4"], p: int, q: int, r: int, s: int, across: Real, down: Real
) -> tuple[Real, Real, Real, Real]:
    """The four channels between four texels, 0 to 1."""
    at_s = across * down
    at_q, at_r = across - at_s, down - at_s
    at_p = _ONE - across - at_r
    scale = np.float32(1 / 255)
    at_p, at_q, at_r, at_s = at_p * scale, at_q * scale, at_r * scale, at_s * scale
    one = at_p * texels[p, 0] + at_q * texels[q, 0] + at_r * texels[r, 0] + at_s * texels[s, 0]
    two = at_p * texels[p, 1] + at_q * texels[q, 1] + at_r * texels[r, 1] + at_s * texels[s, 1]
    three = at_p * texels[p, 2] + at_q * texels[q, 2] + at_r * texels[r, 2] + at_s * texels[s, 2]
    four = at_p * texels[p, 3] + at_q * texels[q, 3] + at_r * texels[r, 3] + at_s * texels[s, 3]
    return one, two, three, four


@compiled
def light_looks(
    looks: Float32[np.ndarray, "N 18"],
    count: int,
    lens: Float32[np.ndarray, "12"],
    light: Float32[np.ndarray, "33"],
) -> None:
    """Linear RGB of what was looked at, in the place of its colour: diffuse light under occlusion, a lamp, a sheen."""
    lx, ly, lz = light[_LAMP], light[_LAMP + 1], light[_LAMP + 2]
    middle_x, middle_y, per_sample = lens[1], lens[2], _ONE / lens[0]
    for i in range(count):
        nx, ny, nz = looks[i, _NORMAL], looks[i, _NORMAL + 1], looks[i, _NORMAL + 2]
        scale = _ONE / math.sqrt(nx * nx + ny * ny + nz * nz)
        nx, ny, nz = nx * scale, ny * scale, nz * scale
        along, aside = looks[i, _ALONG], looks[i, _ASIDE]
        if along != 0 or aside != 0:  # relief: along the tangent, aside of it, and out
            tx, ty, tz = looks[i, _TANGENT], looks[i, _TANGENT + 1], looks[i, _TANGENT + 2]
            out = math.sqrt(max(_ONE - along * along - aside * aside, _ZERO))
            rx = along * tx + aside * (ny * tz - nz * ty) + out * nx
            ry = along * ty + aside * (nz * tx - nx * tz) + out * ny
            rz = along * tz + aside * (nx * ty - ny * tx) + out * nz
            scale = _ONE / math.sqrt(rx * rx + ry * ry + rz * rz)
            nx, ny, nz = rx * scale, ry * scale, rz * scale

        # The way the eye looks, in the head's frame.
        across, down = (looks[i, _X] - middle_x) * per_sample, (looks[i, _Y] - middle_y) * per_sample
        scale = _ONE / math.sqrt(across * across + down * down + _ONE)
        vx = (across * lens[3] + down * lens[6] + lens[9]) * scale
        vy = (across * lens[4] + down * lens[7] + lens[10]) * scale
        vz = (across * lens[5] + down * lens[8] + lens[11]) * scale

        roughness = min(max(looks[i, _ROUGHNESS], _LEAST_ROUGH), _ONE)
        power = _TWO / (roughness * roughness * roughness * roughness) - _TWO
        hx, hy, hz = lx - vx, ly - vy, lz - vz
        between = max((nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz), np.float32(1e-6))
        facing = max(nx * lx + ny * ly + nz * lz, _ZERO)
        glint = _ZERO
        if facing > 0 and power * (_ONE - between) < _FADED:
            peak = _DIELECTRIC * (power + np.float32(8)) * np.float32(0.125)
            glint = facing * peak * math.exp(power * math.log(between))
        grazing = _ONE - min(max(-(nx * vx + ny * vy + nz * vz), _ZERO), _ONE)
        fresnel = max(_ONE - roughness, _DIELECTRIC) - _DIELECTRIC
        fresnel = _DIELECTRIC + fresnel * grazing * grazing * grazing * grazing * grazing
        upward = min(max((_ONE + ny) * _HALF, _ZERO), _ONE)
        sheen = _ENVIRONMENT_SHEEN * fresnel * upward * upward
        for k in range(3):
            diffuse = (
                light[k] + light[3 + k] * ny + light[6 + k] * nz + light[9 + k] * nx
                + light[12 + k] * nx * ny + light[15 + k] * ny * nz + light[18 + k] * (_THREE * nz * nz - _ONE)
                + light[21 + k] * nx * nz + light[24 + k] * (nx * nx - ny * ny)
            )  # fmt: skip
            gloss = glint * light[_LAMP + 3 + k] + sheen * max(light[k], _ZERO)
            lit = looks[i, _COLOUR + k] * max(diffuse, _ZERO) + looks[i, _SPECULAR] * gloss
            looks[i, _COLOUR + k] = lit * looks[i, _OPENNESS]


@compiled
def lay(
    looks: Float32[np.ndarray, "N 18"],
    pixels: Int32[np.ndarray, "N 2"],
    count: int,
    over: bool,
    picture: Float32[np.ndarray, "P 4"],
) -> None:
    """Into pixels of linear RGB and coverage: beside what is there, or (glass) over it."""
    for i in range(count):
        share = looks[i, _SHARE]
        kept = _ONE - share if over else _ONE
        for k in range(3):
            picture[pixels[i, 0], k] = kept * picture[pixels[i, 0], k] + share * looks[i, _COLOUR + k]
        picture[pixels[i, 0], 3] = kept * picture[pixels[i, 0], 3] + share


@compiled
def encode(
    picture: Float32[np.ndarray, "P 4"],
    background: Float32[np.ndarray, "3"],
    curve: UInt8[np.ndarray, "65536"],
    encoded: UInt8[np.ndarray, "P 3"],
) -> None:
    """Linear RGB before a background, by the curve of 65,536 steps."""
    for pixel in range(len(picture)):
        behind = _ONE - picture[pixel, 3]
        for k in range(3):
            value = min(max(picture[pixel, k] + behind * background[k], _ZERO), _ONE)
            encoded[pixel, k] = curve[int(value * np.float32(65535) + _HALF)]
