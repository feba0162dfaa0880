"""A neck is paler and less red than its face, without a border between them."""

import numpy as np

from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.neck import neck_tint
from tests.unit.texture.portrait import head


def test_a_neck_is_paler_and_less_red_and_the_face_is_its_own() -> None:
    atlas = face_atlas(head(), 256)
    height = atlas.blend(head().rest)[:, 1]
    chin = head().landmark_barycentric[152] @ head().rest[head().triangles[head().landmark_triangles[152]], 1]
    tint = neck_tint(head(), atlas)
    assert not tint[height > chin].any()
    low = tint[height < chin - 0.08]
    assert (low > 0).all()
    assert (low[:, 0] < low[:, 1]).all()


def test_the_change_is_soft() -> None:
    atlas = face_atlas(head(), 256)
    height = atlas.blend(head().rest)[:, 1]
    order = np.argsort(height)
    steps = np.abs(np.diff(neck_tint(head(), atlas)[order], axis=0)).max(axis=1)
    assert (steps <= 4.0 * np.diff(height[order]) + 1e-6).all()
