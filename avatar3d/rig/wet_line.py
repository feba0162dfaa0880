"""The wet line: where the lower lid meets the eyeball stands a thin line of tears, and eyes without it look dry and cut out.

lower lid margin --up the ball--> three rows from behind the lid's edge onto the ball; normals turn from up to ahead
"""

from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.avatar import Material, Mesh
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.rig.lids import eyeball_profile, find_lid_margins

WET_LINES: Final = "wetLines"
"""The mesh's name."""
# Rows: how far up the ball from the lid's margin, how much of the margin's distance from the ball is left, how far off the
# ball besides (metres), and how far up their normals turn (degrees): like a drop between two walls.
_UP_M: Final = np.array([-0.00015, 0.00012, 0.00032])
_KEPT: Final = np.array([0.9, 0.35, 0.0])
_OFF_M: Final = np.array([-0.00005, 0.00010, 0.00003])
_TURNED_DEG: Final = np.array([85.0, 50.0, 5.0])
# Toward the corners it is so narrow; over so many of the margin's points.
_NARROW: Final = 0.15
_TAPER: Final = 3.0
# Linear: the lid's moist edge, of which this share is the skin's own tone.
_FLESH: Final = np.array([0.30, 0.13, 0.11])
_OWN: Final = 0.5
# Wet, but as broad a gloss as a curved surface so thin shows from a face's distance.
_ROUGHNESS: Final = 0.28


def wet_lines(
    model: HeadModel,
    neutral: Float32[np.ndarray, "V 3"],
    shapes: Float32[np.ndarray, "52 V 3"],
    tone: Float32[np.ndarray, "3"],
) -> Mesh:
    """Both eyes' as one glossy mesh (metres) that goes with the lower lids and hides behind them when they close."""
    centres = (model.joint_regressor @ neutral).astype(np.float64)
    points, normals, morphs, triangles, sources = [], [], [], [], []
    for lids in find_lid_margins(model):
        centre, lower = centres[lids.joint], lids.lower[1:-1]  # the corners themselves are flesh
        away = neutral[lower].astype(np.float64) - centre
        radius = np.linalg.norm(away, axis=1)
        azimuth, height = np.arctan2(away[:, 0], away[:, 2]), np.arcsin(away[:, 1] / radius)
        ends = np.minimum(np.arange(len(lower)), np.arange(len(lower))[::-1])
        broad = _NARROW + (1 - _NARROW) * np.clip(ends / _TAPER, 0, 1)
        up = height + broad * _UP_M[:, None] / radius
        ahead = _direction(azimuth, up)
        surface = np.interp(
            np.arccos(np.clip(ahead[..., 2], -1, 1)), *eyeball_profile((neutral[lids.ball] - centre).astype(np.float32))
        )
        far = surface + _KEPT[:, None] * np.maximum(radius - surface, 0) + broad * _OFF_M[:, None]
        rows = centre + far[..., None] * ahead
        moved = shapes[:, lower][:, None] + 0 * rows.astype(np.float32)
        moved[lids.shape] += (rows[:1] - rows).astype(np.float32)
        index = np.arange(rows[..., 0].size).reshape(len(_UP_M), -1) + sum(len(one) for one in points)
        a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
        points.append(rows.reshape(-1, 3))
        normals.append(_direction(azimuth, up + np.radians(_TURNED_DEG)[:, None]).reshape(-1, 3))
        morphs.append(moved.reshape(len(shapes), -1, 3))
        triangles += [np.stack([a, b, c], -1), np.stack([a, c, d], -1)]
        sources.append(np.tile(lower, len(_UP_M)))
    source, count = np.concatenate(sources), sum(len(one) for one in points)
    flesh = _FLESH ** (1 - _OWN) * np.maximum(tone, 0.01) ** _OWN
    red, green, blue = (float(part) for part in flesh)
    return Mesh(
        name=WET_LINES,
        positions=np.concatenate(points).astype(np.float32),
        normals=np.concatenate(normals).astype(np.float32),
        uvs=np.zeros((count, 2), np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        material=Material(WET_LINES, colour_factor=(red, green, blue, 1.0), roughness=_ROUGHNESS),
        morph_names=ARKIT_NAMES,
        morphs=np.concatenate(morphs, axis=1),
        joints=model.skin_joints[source].astype(np.int32),
        weights=model.skin_weights[source].astype(np.float32),
    )


def _direction(azimuth: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Unit vectors from an eye's centre; angles in radians."""
    return np.stack([np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth)], axis=-1)
