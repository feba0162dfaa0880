"""The bust's cut edge: no photo shows it and scan statistics are noise there, which folds single triangles over.

neutral - mean head --> smoothed below the neck --> mean head + that
"""

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.sparse import coo_array, csr_array, diags_array

from avatar3d.core.head import HeadModel

# Height of the mean head (metres) below which the whole of the smoothed shape counts, and above which none of it.
_ALL_BELOW_M: Final = -0.13
_NONE_ABOVE_M: Final = -0.10
_ROUNDS: Final = 12


def even_bust(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "V 3"]:
    """The neutral with the shoulders' outline as smooth as the mean head's; nothing above the collar bones moves."""
    average, share = _plan(model)
    own = (neutral - model.rest).astype(np.float64)
    even = own.copy()
    for _ in range(_ROUNDS):
        even = average @ even
    return (neutral + share[:, None] * (even - own)).astype(np.float32)


@lru_cache(maxsize=2)
def _plan(model: HeadModel) -> tuple[csr_array, Float32[np.ndarray, "V"]]:
    """Mean of each skin vertex and its neighbours; how far it follows."""
    triangles, count = model.triangles[model.part("face")], len(model.rest)
    one = np.concatenate([triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()])
    other = np.concatenate([triangles[:, [1, 2, 0]].ravel(), triangles[:, [0, 1, 2]].ravel()])
    near = coo_array((np.ones(len(one)), (one, other)), shape=(count, count)).tocsr()
    near.data[:] = 1
    near = (near + diags_array(np.ones(count), format="csr")).tocsr()
    average = csr_array(diags_array(1 / near.sum(axis=1)) @ near)
    share = np.clip((_NONE_ABOVE_M - model.rest[:, 1]) / (_NONE_ABOVE_M - _ALL_BELOW_M), 0, 1)
    share[np.setdiff1d(np.arange(count), triangles)] = 0
    return average, share.astype(np.float32)
