"""Gaussians as loops: shadows on the picture, bands of rows in depth order, and the whole way back.

project --> a shadow per Gaussian --> list_bands --> draw_band, row by row --> trace_band --> sum_slopes --> project_back

A shadow is an ellipse; of every row only the pixels inside it are visited, and those in one plain loop without branches,
which becomes vector code. They share a layout, hence this one long file (see numba.py). The way back sums per (Gaussian, band) and then per Gaussian, so that the order of sums does
not depend on threads.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.render.numba import compiled

Real = float | np.float32
"""One number."""

# Columns of a shadow: centre (pixels), inverse covariance (xx, xy, yy), depth less the reach, opacity, colour,
# the exponent at which it ends (0: not drawn), half its width and height.
X: Final = 0
Y: Final = 1
XX: Final = 2
XY: Final = 3
YY: Final = 4
DEPTH: Final = 5
OPACITY: Final = 6
COLOUR: Final = 7
END: Final = 10
HALF_WIDTH: Final = 11
HALF_HEIGHT: Final = 12
SHADOW: Final = 13

# Rows of a picture: three colours, what is left of the light.
LEFT: Final = 3
# Columns of a band's gradients, in the order of a shadow's without the depth.
SLOPES: Final = 9

# A lens: focal length, principal point, rotation row by row, translation.
LENS: Final = 15

_ZERO, _HALF, _ONE, _TWO = (np.float32(value) for value in (0, 0.5, 1, 2))
# exp(-x) on [0, 0.7] to 1e-6, by Taylor around its middle; three squarings carry it to [0, 5.6].
_EIGHTH: Final = np.float32(1 / 8)
_MIDDLE: Final = np.float32(0.35)
_E0: Final = np.float32(np.exp(-0.35))
_E2, _E3, _E4, _E5 = (np.float32(1 / value) for value in (2, 6, 24, 120))


@compiled
def _falloff(x: Real) -> Real:
    """exp(-x) for x in [0, 5.6], as arithmetic that vector units do."""
    d = _MIDDLE - x * _EIGHTH
    e = _E0 * (_ONE + d * (_ONE + d * (_E2 + d * (_E3 + d * (_E4 + d * _E5)))))
    e = e * e
    e = e * e
    return e * e


@compiled
def project(
    mean: Float32[np.ndarray, "S 3"],
    wxyz: Float32[np.ndarray, "S 4"],
    scale: Float32[np.ndarray, "S 3"],
    colour: Float32[np.ndarray, "S 3"],
    opacity: Float32[np.ndarray, "S"],
    lens: Float32[np.ndarray, "15"],
    limits: Float32[np.ndarray, "5"],
    shadows: Float32[np.ndarray, "S 13"],
) -> None:
    """The shadow of every Gaussian; `limits` are width, height, blur, least alpha, nearest depth."""
    f, cx, cy = lens[0], lens[1], lens[2]
    for s in range(len(mean)):
        shadows[s, END] = _ZERO
        p, q, r = mean[s, 0], mean[s, 1], mean[s, 2]
        x = lens[3] * p + lens[4] * q + lens[5] * r + lens[12]
        y = lens[6] * p + lens[7] * q + lens[8] * r + lens[13]
        z = lens[9] * p + lens[10] * q + lens[11] * r + lens[14]
        if z < limits[4] or opacity[s] <= limits[3]:
            continue
        near = _ONE / z
        length = _ONE / np.sqrt(wxyz[s, 0] ** 2 + wxyz[s, 1] ** 2 + wxyz[s, 2] ** 2 + wxyz[s, 3] ** 2)
        qw, qx, qy, qz = wxyz[s, 0] * length, wxyz[s, 1] * length, wxyz[s, 2] * length, wxyz[s, 3] * length
        xx, xy, yy = limits[2], _ZERO, limits[2]
        for k in range(3):
            if k == 0:
                a, b, c = _ONE - _TWO * (qy * qy + qz * qz), _TWO * (qx * qy + qw * qz), _TWO * (qx * qz - qw * qy)
            elif k == 1:
                a, b, c = _TWO * (qx * qy - qw * qz), _ONE - _TWO * (qx * qx + qz * qz), _TWO * (qy * qz + qw * qx)
            else:
                a, b, c = _TWO * (qx * qz + qw * qy), _TWO * (qy * qz - qw * qx), _ONE - _TWO * (qx * qx + qy * qy)
            across = lens[3] * a + lens[4] * b + lens[5] * c
            down = lens[6] * a + lens[7] * b + lens[8] * c
            deep = lens[9] * a + lens[10] * b + lens[11] * c
            u = f * near * (across - x * near * deep) * scale[s, k]
            v = f * near * (down - y * near * deep) * scale[s, k]
            xx += u * u
            xy += u * v
            yy += v * v
        inverse = _ONE / (xx * yy - xy * xy)
        end = np.log(opacity[s] / limits[3])
        half_width, half_height = np.sqrt(_TWO * end * xx), np.sqrt(_TWO * end * yy)
        px, py = f * x * near + cx, f * y * near + cy
        outside = (
            px + half_width < 0 or px - half_width > limits[0] or py + half_height < 0 or py - half_height > limits[1]
        )
        if outside:
            continue
        shadows[s, X], shadows[s, Y] = px, py
        shadows[s, XX], shadows[s, XY], shadows[s, YY] = yy * inverse, -xy * inverse, xx * inverse
        shadows[s, DEPTH] = z
        shadows[s, OPACITY], shadows[s, END] = opacity[s], end
        for k in range(3):
            shadows[s, COLOUR + k] = colour[s, k]
        shadows[s, HALF_WIDTH], shadows[s, HALF_HEIGHT] = half_width, half_height


@compiled
def count_bands(shadows: Float32[np.ndarray, "S 13"], height: int, rows: int, starts: Int32[np.ndarray, "B1"]) -> None:
    """Where each band's list begins, in `starts`: running sums of how many shadows touch it."""
    starts[:] = 0
    for s in range(len(shadows)):
        if shadows[s, END] > 0:
            first = max(int(np.floor(shadows[s, Y] - shadows[s, HALF_HEIGHT])), 0) // rows
            last = min(int(np.floor(shadows[s, Y] + shadows[s, HALF_HEIGHT])), height - 1) // rows
            for band in range(first, last + 1):
                starts[band + 1] += 1
    for band in range(1, len(starts)):
        starts[band] += starts[band - 1]


@compiled
def list_bands(
    shadows: Float32[np.ndarray, "S 13"],
    order: Int32[np.ndarray, "S"],
    height: int,
    rows: int,
    filled: Int32[np.ndarray, "B"],
    members: Int32[np.ndarray, "M"],
) -> None:
    """The shadows that touch each band, from the nearest; `filled` begins as the bands' starts."""
    for s in order:
        if shadows[s, END] > 0:
            first = max(int(np.floor(shadows[s, Y] - shadows[s, HALF_HEIGHT])), 0) // rows
            last = min(int(np.floor(shadows[s, Y] + shadows[s, HALF_HEIGHT])), height - 1) // rows
            for band in range(first, last + 1):
                members[filled[band]] = s
                filled[band] += 1


@compiled
def draw_band(
    top: int,
    bottom: int,
    members: Int32[np.ndarray, "M"],
    shadows: Float32[np.ndarray, "S 13"],
    depth: Float32[np.ndarray, "H W"],
    limits: Float32[np.ndarray, "3"],
    picture: Float32[np.ndarray, "4 H W"],
    last: Int32[np.ndarray, "H W"],
) -> None:
    """Rows `top` to `bottom` of the picture; `limits` are the reach, the most alpha and the least light."""
    width = picture.shape[2]
    for row in range(top, bottom):
        for column in range(width):
            picture[0, row, column] = picture[1, row, column] = picture[2, row, column] = _ZERO
            picture[LEFT, row, column] = _ONE
            last[row, column] = -1
    most, least = limits[1], limits[2]
    for k in range(len(members)):
        s = members[k]
        x, y, xx, xy, yy = shadows[s, X], shadows[s, Y], shadows[s, XX], shadows[s, XY], shadows[s, YY]
        opacity, end, nearest = shadows[s, OPACITY], shadows[s, END], shadows[s, DEPTH] - limits[0]
        red, green, blue = shadows[s, COLOUR], shadows[s, COLOUR + 1], shadows[s, COLOUR + 2]
        half = shadows[s, HALF_HEIGHT]
        for row in range(max(int(np.ceil(y - half - _HALF)), top), min(int(np.floor(y + half - _HALF)) + 1, bottom)):
            dy = np.float32(row) + _HALF - y
            reach2 = (xy * dy) ** 2 - xx * (yy * dy * dy - _TWO * end)
            if reach2 <= 0:
                continue
            reach, middle = np.sqrt(reach2) / xx, x - xy * dy / xx
            begin = max(int(np.ceil(middle - reach - _HALF)), 0)
            stop = min(int(np.floor(middle + reach - _HALF)) + 1, width)
            for column in range(begin, stop):
                dx = np.float32(column) + _HALF - x
                power = _HALF * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
                left = picture[LEFT, row, column]
                alpha = min(opacity * _falloff(power), most)
                drawn = (left >= least) & (depth[row, column] >= nearest)
                alpha = alpha if drawn else _ZERO
                share = left * alpha
                picture[0, row, column] += share * red
                picture[1, row, column] += share * green
                picture[2, row, column] += share * blue
                picture[LEFT, row, column] = left - share
                last[row, column] = k if left >= least else last[row, column]


@compiled
def trace_band(
    top: int,
    bottom: int,
    members: Int32[np.ndarray, "M"],
    shadows: Float32[np.ndarray, "S 13"],
    depth: Float32[np.ndarray, "H W"],
    limits: Float32[np.ndarray, "3"],
    last: Int32[np.ndarray, "H W"],
    toward: Float32[np.ndarray, "3 H W"],
    left: Float32[np.ndarray, "H W"],
    behind: Float32[np.ndarray, "H W"],
    slopes: Float32[np.ndarray, "M 9"],
) -> None:
    """Gradients of a band's shadows: of X to YY, opacity and colour.

    `toward` is the loss' gradient for the colour. `left` begins as what the picture left of the light, `behind` as that
    times the gradient for it; both are written over.
    """
    width = left.shape[1]
    most = limits[1]
    for back in range(len(members)):
        k = len(members) - 1 - back
        s = members[k]
        x, y, xx, xy, yy = shadows[s, X], shadows[s, Y], shadows[s, XX], shadows[s, XY], shadows[s, YY]
        opacity, end, nearest = shadows[s, OPACITY], shadows[s, END], shadows[s, DEPTH] - limits[0]
        red, green, blue = shadows[s, COLOUR], shadows[s, COLOUR + 1], shadows[s, COLOUR + 2]
        half = shadows[s, HALF_HEIGHT]
        to_x = to_y = to_xx = to_xy = to_yy = to_opacity = to_red = to_green = to_blue = _ZERO
        for row in range(max(int(np.ceil(y - half - _HALF)), top), min(int(np.floor(y + half - _HALF)) + 1, bottom)):
            dy = np.float32(row) + _HALF - y
            reach2 = (xy * dy) ** 2 - xx * (yy * dy * dy - _TWO * end)
            if reach2 <= 0:
                continue
            reach, middle = np.sqrt(reach2) / xx, x - xy * dy / xx
            begin = max(int(np.ceil(middle - reach - _HALF)), 0)
            stop = min(int(np.floor(middle + reach - _HALF)) + 1, width)
            for column in range(begin, stop):
                dx = np.float32(column) + _HALF - x
                power = _HALF * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
                fall = _falloff(power)
                alpha = opacity * fall
                clipped = alpha > most
                alpha = most if clipped else alpha
                drawn = (last[row, column] >= k) & (depth[row, column] >= nearest)
                alpha = alpha if drawn else _ZERO
                through = _ONE / (_ONE - alpha)
                before = left[row, column] * through
                share = before * alpha
                t0, t1, t2 = toward[0, row, column], toward[1, row, column], toward[2, row, column]
                along = red * t0 + green * t1 + blue * t2
                slope = before * along - behind[row, column] * through
                slope = slope if drawn & ~clipped else _ZERO
                behind[row, column] += share * along
                left[row, column] = before
                to_red += share * t0
                to_green += share * t1
                to_blue += share * t2
                to_opacity += slope * fall
                steep = -slope * alpha
                to_x -= steep * (xx * dx + xy * dy)
                to_y -= steep * (xy * dx + yy * dy)
                to_xx += steep * _HALF * dx * dx
                to_xy += steep * dx * dy
                to_yy += steep * _HALF * dy * dy
        slopes[k, 0], slopes[k, 1] = to_x, to_y
        slopes[k, 2], slopes[k, 3], slopes[k, 4] = to_xx, to_xy, to_yy
        slopes[k, 5] = to_opacity
        slopes[k, 6], slopes[k, 7], slopes[k, 8] = to_red, to_green, to_blue


@compiled
def sum_slopes(
    members: Int32[np.ndarray, "M"], slopes: Float32[np.ndarray, "M 9"], sums: Float32[np.ndarray, "S 9"]
) -> None:
    """The gradients of all bands, added per Gaussian in the order of the bands."""
    sums[:] = _ZERO
    for m in range(len(members)):
        for k in range(9):
            sums[members[m], k] += slopes[m, k]


@compiled
def project_back(
    mean: Float32[np.ndarray, "S 3"],
    wxyz: Float32[np.ndarray, "S 4"],
    scale: Float32[np.ndarray, "S 3"],
    lens: Float32[np.ndarray, "15"],
    shadows: Float32[np.ndarray, "S 13"],
    sums: Float32[np.ndarray, "S 9"],
    to_mean: Float32[np.ndarray, "S 3"],
    to_wxyz: Float32[np.ndarray, "S 4"],
    to_scale: Float32[np.ndarray, "S 3"],
) -> None:
    """Gradients of centre, rotation and scale, from those of a shadow's X, Y, XX, XY, YY.

    With Q the inverse covariance, dL/dC = -Q (dL/dQ) Q; C = V V^T + blur, V = J W R S row by row.
    """
    f = lens[0]
    for s in range(len(mean)):
        for k in range(3):
            to_mean[s, k] = to_scale[s, k] = _ZERO
        for k in range(4):
            to_wxyz[s, k] = _ZERO
        if shadows[s, END] <= 0:
            continue
        p, q, r = mean[s, 0], mean[s, 1], mean[s, 2]
        x = lens[3] * p + lens[4] * q + lens[5] * r + lens[12]
        y = lens[6] * p + lens[7] * q + lens[8] * r + lens[13]
        z = lens[9] * p + lens[10] * q + lens[11] * r + lens[14]
        near = _ONE / z
        # -Q G Q, G symmetric with half of the gradient of XY beside the diagonal.
        a, b, c = shadows[s, XX], shadows[s, XY], shadows[s, YY]
        ga, gb, gc = sums[s, 2], sums[s, 3] / _TWO, sums[s, 4]
        m00, m01, m10, m11 = a * ga + b * gb, a * gb + b * gc, b * ga + c * gb, b * gb + c * gc
        g00, g01, g11 = -(m00 * a + m01 * b), -(m00 * b + m01 * c), -(m10 * b + m11 * c)
        length = _ONE / np.sqrt(wxyz[s, 0] ** 2 + wxyz[s, 1] ** 2 + wxyz[s, 2] ** 2 + wxyz[s, 3] ** 2)
        qw, qx, qy, qz = wxyz[s, 0] * length, wxyz[s, 1] * length, wxyz[s, 2] * length, wxyz[s, 3] * length
        f_near = f * near
        # Gradients of the rows of J: f/z and -f x/z^2, f/z and -f y/z^2.
        to_xz = to_yz = to_f = _ZERO
        tw = tx = ty = tz = _ZERO
        for k in range(3):
            if k == 0:
                e0, e1, e2 = _ONE - _TWO * (qy * qy + qz * qz), _TWO * (qx * qy + qw * qz), _TWO * (qx * qz - qw * qy)
            elif k == 1:
                e0, e1, e2 = _TWO * (qx * qy - qw * qz), _ONE - _TWO * (qx * qx + qz * qz), _TWO * (qy * qz + qw * qx)
            else:
                e0, e1, e2 = _TWO * (qx * qz + qw * qy), _TWO * (qy * qz - qw * qx), _ONE - _TWO * (qx * qx + qy * qy)
            across = lens[3] * e0 + lens[4] * e1 + lens[5] * e2
            down = lens[6] * e0 + lens[7] * e1 + lens[8] * e2
            deep = lens[9] * e0 + lens[10] * e1 + lens[11] * e2
            u, v = f_near * (across - x * near * deep), f_near * (down - y * near * deep)
            size = scale[s, k]
            gu, gv = _TWO * (g00 * u + g01 * v) * size, _TWO * (g01 * u + g11 * v) * size
            to_scale[s, k] = gu * u + gv * v
            gu, gv = gu * size, gv * size
            to_f += gu * across + gv * down
            to_xz += gu * deep
            to_yz += gv * deep
            to_across, to_down = f_near * gu, f_near * gv
            to_deep = -f_near * near * (x * gu + y * gv)
            d0 = lens[3] * to_across + lens[6] * to_down + lens[9] * to_deep
            d1 = lens[4] * to_across + lens[7] * to_down + lens[10] * to_deep
            d2 = lens[5] * to_across + lens[8] * to_down + lens[11] * to_deep
            if k == 0:
                tw += _TWO * (qz * d1 - qy * d2)
                tx += _TWO * (qy * d1 + qz * d2)
                ty += _TWO * (-_TWO * qy * d0 + qx * d1 - qw * d2)
                tz += _TWO * (-_TWO * qz * d0 + qw * d1 + qx * d2)
            elif k == 1:
                tw += _TWO * (-qz * d0 + qx * d2)
                tx += _TWO * (qy * d0 - _TWO * qx * d1 + qw * d2)
                ty += _TWO * (qx * d0 + qz * d2)
                tz += _TWO * (-qw * d0 - _TWO * qz * d1 + qy * d2)
            else:
                tw += _TWO * (qy * d0 - qx * d1)
                tx += _TWO * (qz * d0 - qw * d1 - _TWO * qx * d2)
                ty += _TWO * (qw * d0 + qz * d1 - _TWO * qy * d2)
                tz += _TWO * (qx * d0 + qy * d1)
        along = tw * qw + tx * qx + ty * qy + tz * qz
        to_wxyz[s, 0], to_wxyz[s, 1] = (tw - along * qw) * length, (tx - along * qx) * length
        to_wxyz[s, 2], to_wxyz[s, 3] = (ty - along * qy) * length, (tz - along * qz) * length
        near2 = near * near
        to_x = f_near * sums[s, 0] - f * near2 * to_xz
        to_y = f_near * sums[s, 1] - f * near2 * to_yz
        to_z = -f * near2 * (x * sums[s, 0] + y * sums[s, 1]) - f * near2 * to_f
        to_z += _TWO * f * near2 * near * (x * to_xz + y * to_yz)
        to_mean[s, 0] = lens[3] * to_x + lens[6] * to_y + lens[9] * to_z
        to_mean[s, 1] = lens[4] * to_x + lens[7] * to_y + lens[10] * to_z
        to_mean[s, 2] = lens[5] * to_x + lens[8] * to_y + lens[11] * to_z
