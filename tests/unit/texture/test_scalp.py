"""A bald head goes on in the colour of its forehead, with no border and not as plastic does."""

from typing import Final

import cv2
import numpy as np

from avatar3d.render.lights import add_lights, ambient_light, directional_light
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.evidence import gather_evidence
from avatar3d.texture.pores import even_texels, mottling
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.scalp import above_eyes
from tests.unit.texture.portrait import SKIN, head, portrait

SIZE: Final = 512
PALE: Final = np.array([0.56, 0.36, 0.27], np.float32)
FROM_BEFORE: Final = add_lights(ambient_light((0.5, 0.5, 0.5)), directional_light((0.0, -0.3, 1.0), (0.6, 0.6, 0.6)))


def balding(points: np.ndarray) -> np.ndarray:
    """A face whose skin grows paler up the forehead."""
    share = np.clip((points[:, 1:2] - 0.02) / 0.03, 0, 1)
    return (SKIN + share * (PALE - SKIN)).astype(np.float32)


def test_an_unseen_scalp_has_the_colour_of_the_forehead_without_a_step() -> None:
    fitted, face = portrait(balding, light=FROM_BEFORE)
    bare = np.zeros(face.photo.pixels.shape[:2], np.float32)
    skin = recover_skin(head(), fitted, face, size=SIZE, hidden=bare)
    atlas = face_atlas(head(), SIZE)
    albedo = LINEAR_FROM_SRGB[skin.albedo.pixels[..., :3]].reshape(-1, 3)[atlas.texels]
    places, above = atlas.blend(head().rest), above_eyes(head(), atlas).reshape(-1)[atlas.texels]
    middle = (np.abs(places[:, 0]) < 0.03) & (above > 0.8)
    ahead = np.degrees(np.arctan2(places[:, 2] - np.median(places[middle, 2]), places[:, 1]))
    along = [np.median(albedo[middle & (np.abs(ahead - at) < 4)], axis=0) for at in range(-24, 48, 8)]
    assert np.abs(np.log(along) - np.log(along[-1])).max() < 0.07  # the last is seen
    assert np.abs(np.diff(np.log(along), axis=0)).max() < 0.05


def test_a_head_is_bald_when_no_hair_grows_over_its_forehead() -> None:
    _, face = portrait()
    hair = np.zeros(face.photo.pixels.shape[:2], np.float32)
    assert gather_evidence(face, 1.0, hair).bald == 1
    top = int(face.landmarks_px[10, 1])
    hair[:top] = 1
    assert gather_evidence(face, 1.0, hair).bald == 0
    assert gather_evidence(face, 1.0).bald == 0  # nobody looked for hair


def test_long_texels_are_mottled_evenly_and_small_ones_are_left_to_pores() -> None:
    atlas = face_atlas(head(), SIZE)
    even, blotches = even_texels(head(), atlas), mottling(head(), atlas)
    assert not blotches[even == 1].any()
    long = atlas.image(np.ones(len(atlas.texels), np.float32)) * (even == 0) > 0
    assert 0.008 < blotches[long].std() < 0.03
    assert abs(float(blotches[long].mean())) < 0.003
    assert cv2.countNonZero(long.astype(np.uint8)) > 1000
