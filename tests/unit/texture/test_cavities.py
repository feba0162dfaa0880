"""Where lids begin and end on the atlas."""

import numpy as np
import pytest

from avatar3d.head.load import load_head_model
from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.cavities import lid_skin


@pytest.mark.parametrize("landmark", [161, 160, 159, 158, 157, 384, 385, 386, 387, 388])
def test_an_upper_lid_is_skin_from_corner_to_corner_and_its_margin_is_not(landmark: int) -> None:
    model = load_head_model()
    atlas = face_atlas(model, 512)
    places, lid = atlas.blend(model.rest), lid_skin(model, atlas)
    corners = model.triangles[model.landmark_triangles[landmark]]
    lashes = model.landmark_barycentric[landmark] @ model.rest[corners]

    def at(height_m: float) -> float:
        aim = lashes + np.array([0, height_m, -0.001])
        return float(lid[np.linalg.norm(places - aim, axis=1).argmin()])

    assert at(0.0042) > 0.9
    assert at(-0.001) == 0
