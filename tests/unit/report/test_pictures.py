"""What the preview shows."""

from dataclasses import replace

import numpy as np

from avatar3d.report.pictures import View, draw_views
from tests.synthetic import synthetic_avatar


def test_a_high_crown_stays_in_the_picture() -> None:
    avatar = synthetic_avatar()
    names = avatar.skeleton.names
    face = avatar.meshes[0]
    eyes_m = float(avatar.skeleton.positions[names.index("leftEye"), 1])
    positions = face.positions.copy()
    above = positions[:, 1] > eyes_m
    positions[above, 1] = eyes_m + (positions[above, 1] - eyes_m) * 0.25 / float(np.ptp(positions[above, 1]))
    tall = replace(avatar, meshes=(replace(face, positions=positions), *avatar.meshes[1:]))
    picture = draw_views(tall, [View("front")], 160)[0].astype(int)
    background = picture[0, 0]
    assert (np.abs(picture[0] - background).max(axis=-1) < 12).all()
    assert (np.abs(picture[2:20] - background).max(axis=-1) > 12).any()
