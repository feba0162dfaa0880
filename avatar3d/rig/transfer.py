"""Carries a deformation of the mean head's skin to another head of the same topology.

    mean, mean + expression --> one 3x3 gradient per triangle --> the person's edges bent likewise --> Poisson solve

Sumner & Popovic 2004, "Deformation Transfer for Triangle Meshes", in the cotangent form of Botsch et al. 2006
("Deformation Transfer for Detail-Preserving Surface Editing", eq. 5). The energy is measured on the mean head, so the
matrix does not depend on the person: it is factored once per model, and a person costs 159 back-substitutions.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float32, Float64, Int32
from scipy.sparse.linalg import splu

from avatar3d.core.head import HeadModel
from avatar3d.rig.jaw import plan_jaw

# Vertices that move less than this in all shapes are held: they anchor the solve (metres).
_STILL_M: Final = 1e-5
# A shape fades out where the mean head moves less than this, so that nothing leaks across the face (metres).
_FADE_M: Final = (2e-6, 3e-5)
# Beyond this distance a displacement is drawn to the mean head's own rather than to its neighbours' (metres).
_SCREEN_M: Final = 0.5
# Cotangents are kept in this range: slivers would otherwise rule the matrix.
_COTANGENT: Final = (0.03, 30.0)


@dataclass(frozen=True, eq=False)
class SkinTransfer:
    """A model's shapes as gradients, and the factored system that turns gradients into displacements."""

    fields: Float32[np.ndarray, "S V 3"]
    """What is carried: the 52 shapes, then the part of jawOpen that is the bone's doing (see jaw.py); metres."""
    moving: Int32[np.ndarray, "N"]
    """Skin vertices that any shape moves."""
    triangles: Int32[np.ndarray, "F 3"]
    """Skin triangles that touch a moving vertex."""
    cotangents: Float32[np.ndarray, "F 3"]
    """Half the cotangent at each corner of the mean head's triangles."""
    active: tuple[Int32[np.ndarray, "_"], ...]
    """Per shape: the triangles it bends (rows of `triangles`)."""
    gradients: tuple[Float32[np.ndarray, "_ 3 3"], ...]
    """Per shape and active triangle: displacement gradient (deformation minus identity)."""
    inverse_frames: Float32[np.ndarray, "F 3 3"]
    """Of the mean head's triangles (Sumner & Popovic, eq. 3)."""
    screen: Float32[np.ndarray, "N"]
    """Pull toward the mean's displacement, per moving vertex."""
    support: Float32[np.ndarray, "S N"]
    """1 where the shape acts, 0 where the mean head holds still."""
    row_of: Int32[np.ndarray, "V"]
    """Row of each vertex among the moving ones, -1 otherwise."""
    solve: Any
    """Solves the screened Poisson system for [N R] right-hand sides."""


def transfer_skin(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "53 V 3"]:
    """The model's expressions as displacements (metres) of this neutral's skin; zero elsewhere.

    The last one is the part of jawOpen that is the bone's doing, for `open_jaw`.
    """
    plan = plan_transfer(model)
    corners = neutral[plan.triangles].astype(np.float32)
    # Local stiffness applied to the person's triangle: sum over its two edges at each corner of weight * edge.
    edge = corners[:, [1, 2, 0]] - corners  # edge c runs from corner c to c + 1 and faces corner c + 2
    weighted = plan.cotangents[:, [2, 0, 1], None] * edge
    local = weighted[:, [2, 0, 1]] - weighted
    # The mean head's deformation is told in each triangle's own frame: a smile pulls along this cheek, not the mean's.
    turn = _own_frames(plan, corners)
    local = local @ turn  # row vectors: into the mean's frame
    count = len(plan.moving)
    rows = plan.row_of[plan.triangles]
    right = np.zeros((count, len(plan.active), 3), np.float32)
    for index, (active, gradient) in enumerate(zip(plan.active, plan.gradients, strict=True)):
        pulled = local[active] @ gradient.transpose(0, 2, 1) @ turn[active].transpose(0, 2, 1)
        at = rows[active].ravel()
        kept = at >= 0
        for axis in range(3):
            right[:, index, axis] = np.bincount(at[kept], pulled[..., axis].ravel()[kept], count)
    right += plan.screen[:, None, None] * plan.fields[:, plan.moving].transpose(1, 0, 2)
    moved = plan.solve(right.reshape(count, -1)).reshape(right.shape)
    shapes = np.zeros_like(plan.fields)
    shapes[:, plan.moving] = moved.transpose(1, 0, 2) * plan.support[:, :, None]
    return shapes


@lru_cache(maxsize=2)
def plan_transfer(model: HeadModel) -> SkinTransfer:
    """What every person on this model shares; kept in memory for the last two models."""
    skin = model.triangles[model.part("face")]
    fields = np.concatenate([model.expression, plan_jaw(model).by_bone[None]])
    reach = np.linalg.norm(fields, axis=2)
    moves = np.zeros(len(model.rest), bool)
    moves[skin] = True
    moves &= (reach > _STILL_M).any(0)
    triangles = skin[moves[skin].any(1)]
    moving = np.flatnonzero(moves).astype(np.int32)
    row_of = np.full(len(model.rest), -1, np.int32)
    row_of[moving] = np.arange(len(moving))
    cotangents = _half_cotangents(model.rest[triangles].astype(np.float64))
    frames = _frames(model.rest[triangles].astype(np.float64))
    inverse = np.linalg.inv(frames)
    active: list[Int32[np.ndarray, "_"]] = []
    gradients: list[Float32[np.ndarray, "_ 3 3"]] = []
    for shape, how_far in zip(fields, reach, strict=True):
        bent = np.flatnonzero((how_far[triangles] > _FADE_M[0]).any(1)).astype(np.int32)
        deformed = _frames((model.rest + shape)[triangles[bent]].astype(np.float64))
        active.append(bent)
        gradients.append(((deformed - frames[bent]) @ inverse[bent]).astype(np.float32))
    matrix, screen = _system(model.rest, triangles, cotangents, row_of, len(moving))
    support = np.clip((reach[:, moving] - _FADE_M[0]) / (_FADE_M[1] - _FADE_M[0]), 0, 1)
    factored = splu(matrix)
    return SkinTransfer(
        fields=fields,
        moving=moving,
        triangles=triangles.astype(np.int32),
        cotangents=cotangents.astype(np.float32),
        active=tuple(active),
        gradients=tuple(gradients),
        inverse_frames=inverse.astype(np.float32),
        screen=screen.astype(np.float32),
        support=support.astype(np.float32),
        row_of=row_of,
        solve=lambda right: factored.solve(right.astype(np.float32)),
    )


def _own_frames(plan: SkinTransfer, corners: Float32[np.ndarray, "F 3 3"]) -> Float32[np.ndarray, "F 3 3"]:
    """Per triangle: the rotation from the mean head's surface to this one (polar part of the deformation)."""
    u, _, vt = np.linalg.svd(_frames(corners.astype(np.float64)) @ plan.inverse_frames)
    return (u @ vt).astype(np.float32)


def _frames(corners: Float64[np.ndarray, "F 3 3"]) -> Float64[np.ndarray, "F 3 3"]:
    """Columns: two edges and the normal, scaled like the edges (Sumner & Popovic, eq. 1)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(first, second)
    normal /= np.sqrt(np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-14))
    return np.stack([first, second, normal], axis=2)


def _half_cotangents(corners: Float64[np.ndarray, "F 3 3"]) -> Float64[np.ndarray, "F 3"]:
    a = corners[:, [1, 2, 0]] - corners
    b = corners[:, [2, 0, 1]] - corners
    area = np.linalg.norm(np.cross(a, b), axis=2)
    return 0.5 * np.clip(np.sum(a * b, axis=2) / np.maximum(area, 1e-14), *_COTANGENT)


def _system(
    rest: Float32[np.ndarray, "V 3"],
    triangles: Int32[np.ndarray, "F 3"],
    cotangents: Float64[np.ndarray, "F 3"],
    row_of: Int32[np.ndarray, "V"],
    count: int,
) -> tuple[Any, Float64[np.ndarray, "N"]]:
    """The screened cotangent Laplacian over the moving vertices (still ones are held at zero), and the screen."""
    corners = rest[triangles].astype(np.float64)
    area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    rows = row_of[triangles]
    screen = np.bincount(rows[rows >= 0], np.repeat(area / 3, 3).reshape(-1, 3)[rows >= 0], count) / _SCREEN_M**2
    here, there, weight = [], [], []
    for corner in range(3):
        a, b = rows[:, (corner + 1) % 3], rows[:, (corner + 2) % 3]
        for i, j in ((a, b), (b, a)):
            both = (i >= 0) & (j >= 0)
            here += [i[both], i[i >= 0]]
            there += [j[both], i[i >= 0]]
            weight += [-cotangents[both, corner], cotangents[i >= 0, corner]]
    laplacian = sp.coo_matrix(
        (np.concatenate(weight), (np.concatenate(here), np.concatenate(there))), shape=(count, count)
    )
    return (laplacian + sp.diags(screen)).tocsc().astype(np.float32), screen
