"""From a shadow back to its Gaussian: the gradients of `splat_loops.project`, one Gaussian at a time."""

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.render.numba import compiled
from avatar3d.render.splat_loops import END, XX, XY, YY

_ZERO, _ONE, _TWO = (np.float32(value) for value in (0, 1, 2))


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
