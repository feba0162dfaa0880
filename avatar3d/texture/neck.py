"""Necks are paler and less red than faces: less sun, less blood."""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel
from avatar3d.texture.atlas import Atlas, once_per_atlas

_CHIN: Final = 152
"""Landmark."""
_BELOW_CHIN_M: Final = (0.000, 0.060)
"""Depth below the chin from which skin is a neck's, and from which it is so fully."""
_PALER: Final = np.array([0.03, 0.08, 0.14], np.float32)
"""What a neck's log colour has over the face's; judged by eye on portraits, against necks that looked painted."""


@once_per_atlas
def neck_tint(model: HeadModel, atlas: Atlas) -> Float32[np.ndarray, "N 3"]:
    """What to add to the log colour of each texel of the atlas: 0 on head and jaw."""
    corners = model.triangles[model.landmark_triangles[_CHIN]]
    chin = float(model.landmark_barycentric[_CHIN] @ model.rest[corners, 1])
    below = chin - atlas.blend(model.rest[:, 1:2])
    share = np.clip((below - _BELOW_CHIN_M[0]) / (_BELOW_CHIN_M[1] - _BELOW_CHIN_M[0]), 0, 1)
    return (share * share * (3 - 2 * share) * _PALER).astype(np.float32)
