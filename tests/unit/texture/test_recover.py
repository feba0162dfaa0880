"""A known head in known skin and light is photographed; its skin comes back."""

import numpy as np
import pytest

from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.texture.atlas import face_atlas
from avatar3d.texture.eyes import recover_eyes
from avatar3d.texture.project import vertex_normals
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.warp import aligned_pixels
from tests.unit.texture.portrait import GREEN, SKIN, head, plain, portrait

SIZE = 256
Seen = tuple[HeadFit, FaceObservation]


@pytest.fixture(scope="module")
def side_lit() -> Seen:
    return portrait()


def chroma(colour: np.ndarray) -> np.ndarray:
    return colour / np.maximum(colour.sum(axis=-1, keepdims=True), 1e-6)


def test_skin_photographed_in_side_light_comes_back_even(side_lit: Seen) -> None:
    fitted, face = side_lit
    skin = recover_skin(head(), fitted, face, size=SIZE)
    lit = recover_skin(head(), fitted, face, size=SIZE, delight=False)
    known = skin.confidence > 0.9
    assert known.mean() > 0.15

    def unevenness(pixels: np.ndarray) -> float:
        return float(np.log(LINEAR_FROM_SRGB[pixels][known][:, 1] + 1e-3).std())

    assert unevenness(skin.albedo.pixels) < 0.6 * unevenness(lit.albedo.pixels)


def test_albedo_under_the_returned_light_is_the_photo(side_lit: Seen) -> None:
    fitted, face = side_lit
    model = head()
    skin = recover_skin(model, fitted, face, size=SIZE)
    atlas = face_atlas(model, SIZE)
    row, column = np.divmod(atlas.texels, SIZE)
    sure = np.flatnonzero(skin.confidence[row, column] > 0.98)[::37].astype(np.int32)
    points, normals = atlas.blend(model.rest, sure), atlas.blend(vertex_normals(model.rest, model.triangles), sure)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    shown = LINEAR_FROM_SRGB[skin.albedo.pixels][row[sure], column[sure]] * skin.light.shade(normals.astype(np.float32))
    x, y = fitted.camera.project(points).astype(int).T
    photo = LINEAR_FROM_SRGB[face.photo.pixels[y, x]]
    assert np.median(np.abs(shown - photo)) < 0.02


def test_neither_background_nor_clothes_are_painted_on() -> None:
    def dressed(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        albedo[points[:, 1] < -0.085] = (0.02, 0.05, 0.5)
        return albedo

    fitted, face = portrait(dressed)
    albedo = LINEAR_FROM_SRGB[recover_skin(head(), fitted, face, size=SIZE).albedo.pixels]
    atlas = face_atlas(head(), SIZE)
    colours = albedo.reshape(-1, 3)[atlas.texels]
    off = np.abs(chroma(colours) - chroma(SKIN)).max(axis=1)
    assert np.quantile(off, 0.995) < 0.12
    assert np.abs(chroma(colours) - chroma(GREEN)).max(axis=1).min() > 0.2


def test_the_hidden_side_is_like_the_seen_one() -> None:
    def spotted(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        cheek = np.hypot(np.abs(points[:, 0]) - 0.045, points[:, 1] + 0.012) < 0.008
        albedo[cheek] *= np.float32([0.7, 0.55, 0.55])
        return albedo

    fitted, face = portrait(spotted, yaw_rad=0.75)
    model = head()
    skin = recover_skin(model, fitted, face, size=SIZE)
    atlas = face_atlas(model, SIZE)
    points = atlas.blend(model.rest)
    green = LINEAR_FROM_SRGB[skin.albedo.pixels].reshape(-1, 3)[atlas.texels][:, 1]
    front = points[:, 2] > 0.05
    for side in (-1, 1):
        away = np.hypot(points[:, 0] - side * 0.045, points[:, 1] + 0.012)
        spot, around = front & (away < 0.005), front & (away > 0.012) & (away < 0.018)
        assert np.median(green[spot]) < 0.85 * np.median(green[around])


def test_a_beard_stays() -> None:
    def bearded(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        albedo[(points[:, 1] < -0.045) & (points[:, 1] > -0.08) & (points[:, 2] > 0.08)] = (0.05, 0.035, 0.025)
        return albedo

    fitted, face = portrait(bearded)
    atlas = face_atlas(head(), SIZE)
    albedo = LINEAR_FROM_SRGB[recover_skin(head(), fitted, face, size=SIZE).albedo.pixels].reshape(-1, 3)[atlas.texels]
    points = atlas.blend(head().rest)
    chin = (np.abs(points[:, 0]) < 0.01) & (points[:, 1] < -0.05) & (points[:, 1] > -0.07) & (points[:, 2] > 0.09)
    assert chin.sum() > 20
    assert np.median(albedo[chin, 1]) < 0.4 * SKIN[1]


def test_a_beard_that_is_known_of_reaches_to_the_rim_of_the_face() -> None:
    def along_the_jaw(points: np.ndarray) -> np.ndarray:
        return (
            (points[:, 1] < -0.02) & (points[:, 1] > -0.085) & (points[:, 2] > 0.035) & (np.abs(points[:, 0]) > 0.042)
        )

    def bearded(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        albedo[along_the_jaw(points)] = (0.10, 0.065, 0.048)
        return albedo

    fitted, face = portrait(bearded)
    linear = LINEAR_FROM_SRGB[face.photo.pixels]
    beard = ((linear.sum(-1) < 0.35) & (linear[..., 0] > linear[..., 2])).astype(np.float32)
    atlas = face_atlas(head(), SIZE)
    points = atlas.blend(head().rest)
    jaw = along_the_jaw(points) & (points[:, 2] > 0.05) & (np.abs(points[:, 0]) > 0.05)
    assert jaw.sum() > 20
    painted = [
        recover_skin(head(), fitted, face, size=SIZE, beard=known).confidence.ravel()[atlas.texels][jaw].mean()
        for known in (None, beard)
    ]
    assert painted[1] > painted[0] + 0.1


def test_the_same_photo_gives_the_same_bytes(side_lit: Seen) -> None:
    first, second = (recover_skin(head(), *side_lit, size=SIZE) for _ in range(2))
    assert (first.albedo.pixels == second.albedo.pixels).all()
    assert (first.normal.pixels == second.normal.pixels).all()


def test_pixels_follow_landmarks_that_the_fit_missed(side_lit: Seen) -> None:
    fitted, face = side_lit
    moved = FaceObservation(face.photo, face.landmarks_px + np.float32([2, 0]), face.depth_px, face.person)
    model = head()
    shift = aligned_pixels(model, fitted, moved) - fitted.camera.project(fitted.posed)
    lip, cheek = model.triangles[model.landmark_triangles[[0, 205]], 0]
    assert 1.2 < shift[lip, 0] < 2.2
    assert abs(shift[cheek, 0]) < 0.2  # what a detector says of a cheek is no measurement
    bust = int(model.rest[:, 1].argmin())
    assert abs(shift[bust, 0]) < 0.5


@pytest.mark.parametrize(("iris", "warm"), [((0.11, 0.06, 0.03), True), ((0.12, 0.17, 0.23), False)])
def test_the_iris_takes_the_photos_colour(iris: tuple[float, float, float], warm: bool) -> None:
    fitted, face = portrait(iris=iris)
    eyes = recover_eyes(head(), fitted, face).pixels
    middle = eyes.shape[0] // 2
    ring = LINEAR_FROM_SRGB[eyes[middle, middle + 80 : middle + 100]].mean(axis=0)
    assert (ring[0] > ring[2]) == warm
    assert eyes[middle, middle].max() < 40
    assert eyes[middle, middle + 170].min() > 90


def test_hair_over_the_forehead_is_not_painted_on_it() -> None:
    def fringed(points: np.ndarray) -> np.ndarray:
        albedo = plain(points)
        albedo[_fringe(points)] = np.float32([0.30, 0.16, 0.06])
        return albedo

    def _fringe(points: np.ndarray) -> np.ndarray:
        return (points[:, 1] > 0.055) & (points[:, 0] > 0.0) & (points[:, 2] > 0.03)

    fitted, face = portrait(fringed)
    bald = portrait()[1].photo.pixels
    hidden = (np.abs(face.photo.pixels.astype(int) - bald).max(axis=2) > 8).astype(np.float32)
    atlas = face_atlas(head(), SIZE)
    points = atlas.blend(head().rest)
    covered = _fringe(points) & (points[:, 1] < 0.075) & (points[:, 0] < 0.03)
    assert covered.sum() > 100

    def off(skin_pixels: np.ndarray) -> float:
        colours = LINEAR_FROM_SRGB[skin_pixels].reshape(-1, 3)[atlas.texels][covered]
        return float(np.abs(chroma(colours) - chroma(SKIN)).max(axis=1).mean())

    seen = off(recover_skin(head(), fitted, face, size=SIZE).albedo.pixels)
    told = off(recover_skin(head(), fitted, face, size=SIZE, hidden=hidden).albedo.pixels)
    assert told < 0.02
    assert told <= seen


def test_a_mask_of_hair_that_is_wrong_about_a_bald_forehead_costs_nothing(side_lit: Seen) -> None:
    fitted, face = side_lit
    everywhere = np.ones(face.photo.pixels.shape[:2], np.float32)
    known = recover_skin(head(), fitted, face, size=SIZE).confidence
    doubted = recover_skin(head(), fitted, face, size=SIZE, hidden=everywhere).confidence
    assert doubted[known > 0.9].mean() > 0.85


def test_the_two_sides_of_the_atlas_meet_behind_the_neck() -> None:
    def flushed(points: np.ndarray) -> np.ndarray:
        """The left half redder and darker, as in side light that no model of light explains."""
        return plain(points) * np.where(points[:, :1] > 0, [[0.5, 0.32, 0.32]], 1.0)

    model = head()
    skin = recover_skin(model, *portrait(flushed), size=512)
    atlas = face_atlas(model, 512)
    places = atlas.blend(model.rest)
    colour = LINEAR_FROM_SRGB[skin.albedo.pixels.reshape(-1, 3)[atlas.texels]]

    def step(chosen: np.ndarray) -> float:
        left, right = (colour[chosen & (side * places[:, 0] > 0)] for side in (1, -1))
        assert min(len(left), len(right)) > 50
        return float(np.abs(left.mean(0) / right.mean(0) - 1).max())

    neck = (places[:, 2] < np.quantile(places[:, 2], 0.25)) & (places[:, 1] < 0)
    assert step(neck & (np.abs(places[:, 0]) > 0.04)) > 0.04  # what is guessed of the sides differs
    assert step(neck & (np.abs(places[:, 0]) < 0.006)) < 0.02
