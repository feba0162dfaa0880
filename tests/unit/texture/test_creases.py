"""What the photo's smile folds into the skin fades from the neutral face; what belongs to the skin stays."""

import cv2
import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.creases import GROUNDS, VALLEYS, creased_skin, lift_creases, sink_ridges
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.smile import smile_valleys
from tests.unit.texture.portrait import head, plain, portrait

SIZE = 512
FOLD = 206
"""A landmark on the fold between nose and mouth."""


def smiling(strength: float) -> np.ndarray:
    weights = np.zeros(52, np.float32)
    weights[[ARKIT_INDEX["mouthSmileLeft"], ARKIT_INDEX["mouthSmileRight"]]] = strength
    return weights


def everywhere() -> np.ndarray:
    return np.ones((SIZE, SIZE), np.float32)


def test_a_long_line_fades_where_skin_is_creased() -> None:
    ratio = np.zeros((SIZE, SIZE, 3), np.float32)
    ratio[200:300, 250:253] = -0.5
    lifted = lift_creases(ratio, everywhere(), 0 * everywhere(), everywhere())
    assert -0.2 < lifted[220:280, 251].mean() < 0
    half = lift_creases(ratio, everywhere(), 0 * everywhere(), 0.5 * everywhere())
    assert -0.4 < half[220:280, 251].mean() < -0.25


def test_the_ridges_between_folds_lose_their_shine_where_skin_is_creased() -> None:
    ratio = np.zeros((SIZE, SIZE, 3), np.float32)
    for row in range(200, 260, 12):
        ratio[row : row + 4, 150:330] = 0.5
    creased = np.zeros((SIZE, SIZE), np.float32)
    creased[:, :240] = 1
    sunk = sink_ridges(ratio, everywhere(), 0 * everywhere(), creased)
    assert sunk[226:228, 170:225].max() < 0.25
    np.testing.assert_array_equal(sunk[:, 250:], ratio[:, 250:])


def test_moles_and_pores_stay_where_skin_is_creased() -> None:
    ratio = 0.02 * np.random.default_rng(5).standard_normal((SIZE, SIZE, 1)).astype(np.float32).repeat(3, axis=2)
    mole = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (250, 250), 3, (1,), -1) > 0
    ratio[mole] = -0.8
    lifted = lift_creases(ratio, everywhere(), 0 * everywhere(), everywhere())
    assert lifted[mole].max() < -0.7
    assert lifted[~mole].std() > 0.9 * ratio[~mole].std()


def test_a_valley_of_shade_fades_while_a_birthmark_as_dark_stays() -> None:
    ratio = np.zeros((SIZE, SIZE, 3), np.float32)
    ratio[150:330, 240:258] = -0.6
    mark = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (350, 250), 9, (1,), -1) > 0
    ratio[mark] = -0.6
    lifted = lift_creases(ratio, everywhere(), 0 * everywhere(), everywhere(), VALLEYS)
    assert -0.6 * (1 - 0.8 * VALLEYS.lost) < lifted[180:300, 249].mean() < 0
    assert lifted[mark].mean() < -0.5


def test_the_ground_of_a_fold_is_filled_though_it_was_seen_edge_on() -> None:
    ratio = np.zeros((2 * SIZE, 2 * SIZE, 3), np.float32)
    full = np.ones(ratio.shape[:2], np.float32)
    ratio[400:600, 500:503] = -1.5
    weight = full.copy()
    weight[400:600, 500:503] = 0.3
    lifted = lift_creases(ratio, weight, 0 * full, full, GROUNDS)
    assert -1.5 * (1 - 0.8 * GROUNDS.lost) < lifted[420:580, 501].mean() < 0


def test_lips_and_the_open_mouth_are_no_skin_beside_which_a_cheek_would_be_dark() -> None:
    """Nothing is known of the opening: its empty texels must not pass for bright skin around a valley."""
    ratio = np.full((SIZE, SIZE, 3), -0.8, np.float32)
    ratio[240:270, 200:300] = 0
    weight = everywhere()
    weight[240:270, 200:300] = 0
    lifted = lift_creases(ratio, weight, 0 * everywhere(), everywhere(), VALLEYS)
    np.testing.assert_allclose(lifted[weight > 0], -0.8, atol=0.03)


def test_valleys_run_beside_the_mouth_and_spare_moustache_and_forehead() -> None:
    model = head()
    atlas = face_atlas(model, SIZE)
    valleys = smile_valleys(model, atlas).ravel()[atlas.texels]
    points = atlas.blend(model.rest)

    def share(index: int) -> float:
        return float(valleys[np.linalg.norm(points - landmark(index), axis=1) < 0.003].mean())

    assert min(share(FOLD), share(426)) > 0.8
    assert max(share(164), share(151)) < 0.05


def test_lines_stay_where_nothing_is_creased_and_on_lips() -> None:
    ratio = np.zeros((SIZE, SIZE, 3), np.float32)
    ratio[200:300, 250:253] = -0.5
    np.testing.assert_array_equal(lift_creases(ratio, everywhere(), 0 * everywhere(), 0 * everywhere()), ratio)
    np.testing.assert_array_equal(lift_creases(ratio, everywhere(), everywhere(), everywhere()), ratio)


def test_a_smile_creases_cheeks_and_not_the_forehead_and_a_still_face_nothing() -> None:
    model = head()
    atlas = face_atlas(model, SIZE)
    creased = creased_skin(model, portrait(expression=smiling(0.8))[0], atlas).ravel()[atlas.texels]
    points = atlas.blend(model.rest)
    beside = np.linalg.norm(points - landmark(FOLD), axis=1) < 0.004
    forehead = np.linalg.norm(points - landmark(151), axis=1) < 0.015
    assert creased[beside].mean() > 0.5
    assert creased[forehead].max() < 0.1
    assert creased_skin(model, portrait()[0], atlas).max() < 0.01


def test_the_same_fold_fades_from_a_smiling_photo_and_stays_from_a_still_one() -> None:
    """Two photos show as dark a line beside the mouth; an old face's line is its own."""

    def folded(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        for index, far in ((206, 212), (426, 432)):
            start, end = landmark(index), landmark(far)
            along = np.clip((points - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
            away = np.linalg.norm(points - start - along[:, None] * (end - start), axis=1)
            albedo *= 1 - 0.5 * np.exp(-0.5 * (away / 0.0009) ** 2)[:, None]
        return albedo

    def depth(expression: np.ndarray) -> float:
        skin = recover_skin(head(), *portrait(folded, expression=expression), size=SIZE)
        atlas = face_atlas(head(), SIZE)
        points = atlas.blend(head().rest)
        green = LINEAR_FROM_SRGB[skin.albedo.pixels].reshape(-1, 3)[atlas.texels][:, 1]
        middle = (landmark(206) + landmark(212)) / 2
        away = np.linalg.norm(points - middle, axis=1)
        line = green[away < 0.004]
        return float(np.log(np.median(green[(away > 0.004) & (away < 0.009)]) / np.quantile(line, 0.1)))

    still, smile = depth(smiling(0)), depth(smiling(0.8))
    assert still > 0.1
    assert smile < 0.6 * still


def landmark(index: int) -> np.ndarray:
    model = head()
    corners = model.rest[model.triangles[model.landmark_triangles[index]]]
    return np.asarray(model.landmark_barycentric[index] @ corners, np.float32)
