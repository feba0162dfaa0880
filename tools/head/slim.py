"""Flatten with little distortion: scalable locally injective mapping (Rabinovich et al. 2017), symmetric Dirichlet energy.

Each round replaces the energy by a quadratic one that shares its gradient, solves it, and walks towards the solution
as far as no triangle turns over. Border points may slide along the edge of the square they lie on.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int32
from scipy.sparse import coo_matrix, csr_matrix, diags, hstack, vstack
from scipy.sparse.linalg import splu

_DAMPING: Final = 1e-8


@dataclass(frozen=True, eq=False)
class Flattening:
    """Triangles with the shape they wish for."""

    triangles: Int32[np.ndarray, "f 3"]
    along: csr_matrix
    """[f t] derivative along the first axis of each triangle's wished shape."""
    across: csr_matrix
    weight: Float64[np.ndarray, "f"]


def wish_for(
    triangles: Int32[np.ndarray, "f 3"],
    points: Float64[np.ndarray, "t 3"],
    scale: Float64[np.ndarray, "f"],
    softness: Float64[np.ndarray, "f"],
) -> Flattening:
    """Each triangle wishes for its shape in space, enlarged by `scale`; `softness` weighs its area."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    ab, ac = b - a, c - a
    base = np.maximum(np.linalg.norm(ab, axis=1), 1e-9)
    x = (ab * ac).sum(1) / base
    y = np.maximum(np.linalg.norm(np.cross(ab, ac), axis=1) / base, 0.02 * base)
    base, x, y = base * scale, x * scale, y * scale
    area = 0.5 * base * y
    zero = np.zeros_like(base)
    grad_x = np.stack([-1 / base, 1 / base, zero], 1)
    grad_y = np.stack([(x - base) / (base * y), -x / (base * y), 1 / y], 1)
    rows = np.repeat(np.arange(len(triangles)), 3)
    shape = (len(triangles), len(points))
    along, across = (coo_matrix((g.ravel(), (rows, triangles.ravel())), shape=shape).tocsr() for g in (grad_x, grad_y))
    return Flattening(triangles, along, across, area * softness)


def flatten(
    wish: Flattening, start: Float64[np.ndarray, "t 2"], fixed: Bool[np.ndarray, "t 2"], rounds: int
) -> Float64[np.ndarray, "t 2"]:
    """Lower the distortion of a map without flips; coordinates marked `fixed` stay."""
    uvs = start.copy()
    free = np.flatnonzero(~fixed.T.ravel())
    for _ in range(rounds):
        flat = _solve(wish, uvs, free)
        step = flat.reshape(2, -1).T - uvs
        size = min(1.0, 0.9 * _largest_step(uvs, step, wish.triangles))
        before = _energy(wish, uvs)
        while size > 1e-6 and _energy(wish, uvs + size * step) > before:
            size *= 0.6
        uvs = uvs + size * step
    return uvs


def _jacobians(wish: Flattening, uvs: np.ndarray) -> np.ndarray:
    """[f 2 2]: rows u and v, columns along and across."""
    return np.stack([wish.along @ uvs, wish.across @ uvs], 2)


def _energy(wish: Flattening, uvs: np.ndarray) -> float:
    jacobian = _jacobians(wish, uvs)
    squares = (jacobian**2).sum((1, 2))
    det = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
    if (det <= 0).any():
        return float("inf")
    return float((wish.weight * squares * (1 + 1 / det**2)).sum())


def _solve(wish: Flattening, uvs: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The proxy's minimum: sum weight |W (J - R)|^2 with R the nearest rotation."""
    u, s, vt = np.linalg.svd(_jacobians(wish, uvs))
    s = np.maximum(s, 1e-6)
    near = np.abs(s - 1) < 1e-6
    gain = np.where(near, 2.0, np.sqrt(np.abs((s - s**-3.0) / np.where(near, 1.0, s - 1))))
    proxy = u @ (gain[:, :, None] * np.swapaxes(u, 1, 2))
    rotation = u @ vt
    root = np.sqrt(wish.weight)
    blocks: list[csr_matrix] = []
    right: list[np.ndarray] = []
    for row in range(2):
        for column, operator in enumerate((wish.along, wish.across)):
            to_u, to_v = root * proxy[:, row, 0], root * proxy[:, row, 1]
            blocks.append(hstack([diags(to_u) @ operator, diags(to_v) @ operator]))
            right.append(to_u * rotation[:, 0, column] + to_v * rotation[:, 1, column])
    system, target = vstack(blocks).tocsr(), np.concatenate(right)
    flat = uvs.T.ravel().copy()
    now = flat.copy()
    held = now.copy()
    held[free] = 0
    reduced = system[:, free]
    normal = (reduced.T @ reduced).tocsc()
    damping = _DAMPING * normal.diagonal().mean()
    normal = normal + damping * diags(np.ones(len(free))).tocsc()
    flat[free] = splu(normal).solve(reduced.T @ (target - system @ held) + damping * now[free])
    return flat


def _largest_step(uvs: np.ndarray, step: np.ndarray, triangles: np.ndarray) -> float:
    """How far along the step the first triangle loses its area."""
    p, d = uvs[triangles], step[triangles]
    e, f = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    g, h = d[:, 1] - d[:, 0], d[:, 2] - d[:, 0]

    def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]

    quadratic, linear, constant = cross(g, h), cross(e, h) + cross(g, f), cross(e, f)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(linear**2 - 4 * quadratic * constant)
        first = -2 * constant / (linear + np.where(linear < 0, -1, 1) * root)
        second = (linear + np.where(linear < 0, -1, 1) * root) / (-2 * quadratic)
    roots = np.concatenate([first, second])
    roots = roots[np.isfinite(roots) & (roots > 0)]
    return float(roots.min(initial=np.inf))
