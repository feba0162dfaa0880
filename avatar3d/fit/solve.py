"""A damped Gauss-Newton step under bounds."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from avatar3d.fit.energies import VIEW, Term

Moving = Literal["pose", "pose and expression", "all but focal", "all"]


def normal_equations(
    terms: Sequence[Term],
) -> tuple[Float64[np.ndarray, "C C"], Float64[np.ndarray, "C"]]:
    """Hessian (Gauss-Newton) and gradient of half the sum of squares."""
    jacobian = np.concatenate([term.jacobian for term in terms])
    residual = np.concatenate([term.residual for term in terms])
    return jacobian.T @ jacobian, jacobian.T @ residual


def cost(terms: Sequence[Term]) -> float:
    """Half the sum of squares."""
    return 0.5 * sum(float(term.residual @ term.residual) for term in terms)


def bounded_step(
    hessian: Float64[np.ndarray, "C C"],
    gradient: Float64[np.ndarray, "C"],
    lower: Float64[np.ndarray, "C"],
    upper: Float64[np.ndarray, "C"],
    *,
    rounds: int = 12,
) -> Float64[np.ndarray, "C"]:
    """The step within [lower, upper] that minimises g.s + s.H.s / 2, by an active set.

    Columns with lower == upper stand still. A column is fixed at the bound it crosses and freed when its gradient
    there points inward; `rounds` limits the exchange (what is left is clipped, and the next iteration goes on).
    """
    fixed: Bool[np.ndarray, "C"] = lower == upper
    step = np.where(fixed, lower, 0.0)
    for _ in range(rounds):
        free = ~fixed
        right = -(gradient[free] + hessian[np.ix_(free, fixed)] @ step[fixed])
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], right)
        below, above = step < lower, step > upper
        step = np.clip(step, lower, upper)
        slope = gradient + hessian @ step
        inward = fixed & (lower < upper) & (((step <= lower) & (slope < -1e-9)) | ((step >= upper) & (slope > 1e-9)))
        if not (below | above | inward).any():
            break
        fixed = (fixed & ~inward) | below | above
    return step


def bounds(
    identities: int, expression: Float64[np.ndarray, "E"], moving: Moving
) -> tuple[Float64[np.ndarray, "C"], Float64[np.ndarray, "C"]]:
    """Of one step: expressions stay in [0, 1], what does not move has none."""
    split = VIEW + identities
    lower, upper = np.full(split + len(expression), -np.inf), np.full(split + len(expression), np.inf)
    lower[split:], upper[split:] = -expression, 1 - expression
    if moving == "pose":
        lower[VIEW:] = upper[VIEW:] = 0
    if moving == "pose and expression":
        lower[VIEW:split] = upper[VIEW:split] = 0
    if moving != "all":
        lower[VIEW - 1] = upper[VIEW - 1] = 0
    return lower, upper
