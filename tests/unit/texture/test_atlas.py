"""The face's atlas: which texels show skin, and what lies beside them."""

import numpy as np

from avatar3d.head.load import load_head_model
from avatar3d.texture.atlas import beyond_skin, face_atlas


def test_texels_that_show_no_skin_are_like_the_nearest_that_does() -> None:
    atlas = face_atlas(load_head_model(), 256)
    outside, nearest = beyond_skin(load_head_model(), atlas)
    inside = np.isin(np.arange(256 * 256), atlas.texels)
    assert sorted(outside) == np.flatnonzero(~inside).tolist()
    assert inside[nearest].all()
    rows, columns = np.divmod(atlas.texels, 256)
    for texel, found in list(zip(outside, nearest, strict=True))[::97]:
        away = np.hypot(rows - texel // 256, columns - texel % 256)
        assert np.hypot(found // 256 - texel // 256, found % 256 - texel % 256) <= away.min() + 0.5
