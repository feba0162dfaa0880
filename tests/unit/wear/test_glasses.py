"""Glasses from a picture on which we drew them ourselves: found where they are, built where they belong, not invented."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from avatar3d.core.avatar import Avatar
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Photo
from avatar3d.core.segments import KINDS, Segments
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from avatar3d.render.raycast import Scene
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.wear.frames import hidden_by_glasses, put_on
from avatar3d.wear.glasses import Glasses, find_glasses, outlines
from avatar3d.wear.plane import PIXEL_M, in_picture, place_on_frame

SIZE, SKIN, TORTOISE, CLOTH = 480, (208, 158, 134), (70, 44, 30), (50, 70, 170)
# Apart, aside, high, half width, half height, squareness, taper, tilt.
DRAWN = {
    "round": np.array([0.031, 0.0005, -0.004, 0.022, 0.020, 2.2, 0.0, 0.0]),
    "square": np.array([0.033, -0.001, -0.005, 0.025, 0.015, 4.0, 0.08, 0.0]),
}


@lru_cache
def model() -> HeadModel:
    return load_head_model()


@lru_cache
def fitted() -> HeadFit:
    flip = np.array([0, 1, 0, 0], np.float32)
    camera = Camera(2400.0, np.array([240, 330], np.float32), SIZE, SIZE, flip, np.array([0, 0, 1.0], np.float32))
    still, zero = np.array([1, 0, 0, 0], np.float32), np.zeros(52, np.float32)
    rest = model().rest
    return HeadFit(np.zeros(len(model().identity), np.float32), zero, zero, camera, still, still, rest, rest, 0.01)


def drawn_rims(kind: str) -> np.ndarray:
    """What was drawn: the square pair is worn askew, 1.5 mm higher on the left, and 1 mm further out there."""
    left, right = outlines(DRAWN[kind][None], points=360)[0]
    return np.stack([left + ([0.001, 0.0015] if kind == "square" else [0, 0]), right])


def drawn_lines(kind: str, *, half: bool) -> list[np.ndarray]:
    """Both rims, closed or their upper halves, and the bridge between them."""
    left, right = drawn_rims(kind)
    rims = [rim[:181] if half else np.concatenate([rim, rim[:1]]) for rim in (left, right)]
    return [*rims, np.stack([left[150], right[150]])]


def worn(kind: str | None, *, half: bool = False, flag: bool = False) -> tuple[FaceObservation, Segments]:
    """A face of plain skin, and on it glasses as both the picture and a coarse net show them; upper rims only if `half`.

    With a `flag`, the frame is of wire, a blue cloth shows in the right lens and, as background, behind its outer end.
    """
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    seen, behind = np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.float32)
    if flag:
        places = place_on_frame(model(), fitted().posed, np.array([[-0.048, 0.0], [-0.054, 0.0]]))
        lens, end = fitted().camera.project(places.astype(np.float32))[:, 0].astype(int)
        picture[:, :lens] = CLOTH
        behind[:, :end] = 1
    for line in [] if kind is None else drawn_lines(kind, half=half):
        places = place_on_frame(model(), fitted().posed, line).astype(np.float32)
        line_px = np.round(fitted().camera.project(places) - 0.5).astype(np.int32)
        cv2.polylines(picture, [line_px], False, TORTOISE, thickness=3 if flag else 6)  # 1.3 mm or 2.5
        cv2.polylines(seen, [line_px], False, (255,), thickness=6)
    if flag:
        picture = cv2.GaussianBlur(picture, (0, 0), 1.5)
    grain = np.random.default_rng(1).normal(0, 4, picture.shape)
    photo = Photo("drawn", np.clip(picture + grain, 0, 255).astype(np.uint8), None, None, "0" * 64)
    landmarks = np.zeros((478, 2), np.float32)
    face = FaceObservation(photo=photo, landmarks_px=landmarks, depth_px=landmarks[:, 0], person=seen > -1)
    planes = np.zeros((len(KINDS), 128, 128), np.float32)
    small = cv2.resize(seen, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    planes[KINDS.index("glasses")] = small
    planes[KINDS.index("background")] = cv2.resize(behind, (128, 128), interpolation=cv2.INTER_AREA) * (1 - small)
    planes[KINDS.index("skin")] = 1 - planes.sum(0)
    to_crop = np.array([[128 / SIZE, 0, 0], [0, 128 / SIZE, 0]])
    return face, Segments(np.zeros((128, 128, 3), np.uint8), planes, to_crop)


def bare() -> Avatar:
    return Avatar(name="bare", meshes=(), skeleton=place_skeleton(model(), model().rest))


@lru_cache
def found(kind: str, *, half: bool = False, flag: bool = False) -> Glasses:
    glasses = find_glasses(model(), fitted(), *worn(kind, half=half, flag=flag))
    assert glasses is not None
    return glasses


@pytest.mark.parametrize("kind", DRAWN)
def test_rims_lie_where_they_were_drawn_each_for_itself(kind: str) -> None:
    front = found(kind).front
    for drawn, seen in zip(drawn_rims(kind), front.rims, strict=True):
        away = np.linalg.norm(drawn[:, None] - seen, axis=-1)
        assert away.min(0).mean() < 0.0005
        assert away.min(0).max() < 0.0015
        assert away.min(1).max() < 0.003


@pytest.mark.parametrize("kind", DRAWN)
def test_rims_are_as_thick_and_as_coloured_as_they_were_drawn(kind: str) -> None:
    front = found(kind).front
    assert 0.0020 < np.median(front.rim_m) < 0.0030
    assert front.rim_m.min() > 0.0015
    x, y = np.round(in_picture(front.rims)).astype(int).reshape(-1, 2).T
    np.testing.assert_allclose(np.median(front.paint[y, x], axis=0), TORTOISE, atol=12)


def test_a_frame_takes_no_colour_from_what_shows_in_and_behind_it() -> None:
    frame = put_on(bare(), model(), fitted(), found("square", flag=True)).mesh("glasses")
    texture = frame.material.base_colour
    assert texture is not None
    height, width = texture.pixels.shape[:2]
    x, y = np.floor(frame.uvs * [width, height]).astype(int).T
    shown = texture.pixels[np.minimum(y, height - 1), np.minimum(x, width - 1)].astype(int)
    assert (shown[:, 2] < shown[:, 0]).all()  # nowhere blue
    np.testing.assert_allclose(
        *(np.median(shown[frame.positions[:, 0] * sign > 0.02], axis=0) for sign in (1, -1)), atol=15
    )


@pytest.mark.parametrize("flag", [False, True])
def test_a_frame_is_its_own_mirror_image(flag: bool) -> None:
    front = found("square", flag=flag).front
    left, right = (rim - rim.mean(0) for rim in front.rims)
    assert np.abs(left - right * [-1, 1]).max() < 0.0015
    np.testing.assert_allclose(*front.rim_m, atol=0.0003)
    np.testing.assert_allclose(*front.hinge_m, atol=0.0003)


def test_half_a_rim_stays_half_and_keeps_its_lens() -> None:
    glasses = found("round", half=True)
    upper = glasses.front.rims[..., 1] > DRAWN["round"][2]
    assert (glasses.front.rim_m[upper] > 0).mean() > 0.7
    assert (glasses.front.rim_m[~upper] == 0).mean() > 0.7
    lenses = put_on(bare(), model(), fitted(), glasses).mesh("lenses").positions
    assert np.ptp(lenses[:, 1]) > 1.4 * DRAWN["round"][4]


def test_colours_lie_on_the_part_of_the_frame_that_has_them() -> None:
    frame, front = frames().mesh("glasses"), found("square").front
    texture = frame.material.base_colour
    assert texture is not None
    height, width = texture.pixels.shape[:2]
    assert (frame.uvs >= 0).all()
    assert (frame.uvs <= 1).all()
    ends = frame.triangles.ravel(), np.roll(frame.triangles, 1, axis=1).ravel()
    links = csr_array((np.ones(len(ends[0])), ends), shape=(len(frame.uvs),) * 2)
    _, piece = connected_components(links, directed=False)
    assert len(np.unique(piece)) == 5  # rims, bridge, temples, in this order
    rim = frame.uvs[piece < 2] * [width, height] - 0.5
    away = np.linalg.norm(rim[:, None] - in_picture(front.rims).reshape(1, -1, 2), axis=-1).min(1) * PIXEL_M
    assert away.max() < front.rim_m.max()


def test_a_bare_face_wears_no_glasses() -> None:
    assert find_glasses(model(), fitted(), *worn(None)) is None


def test_a_rim_hides_the_skin_behind_it_and_nothing_else() -> None:
    face, segments = worn("square")
    glasses, unseen = find_glasses(model(), fitted(), face, segments), np.zeros((SIZE, SIZE), np.float32)
    hidden = hidden_by_glasses(model(), fitted(), glasses, unseen)
    frame = (np.abs(face.photo.pixels.astype(int) - SKIN).sum(-1) > 60) & (segments.of("glasses").max() > 0)
    widened = cv2.dilate(hidden, np.ones((7, 7)))  # less than texture.evidence does
    assert widened[frame].mean() > 0.95
    assert hidden[frame].mean() > 0.4
    assert hidden.mean() < 0.2
    half = hidden_by_glasses(model(), fitted(), glasses, np.zeros((SIZE // 2, SIZE // 2), np.float32))
    again = cv2.resize(hidden, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(half.ravel(), again.ravel())[0, 1] > 0.85
    seen, rows = np.full_like(unseen, 0.8), np.flatnonzero(hidden.max(1) > 0.5)
    believed = hidden_by_glasses(model(), fitted(), glasses, seen)
    above = believed[: rows[0] + 1, hidden[rows[0]].argmax()]
    assert above[-3:].min() == 1  # a shadow beside the rim
    assert above[: rows[0] - 12].max() == 0  # a brow over it
    assert not hidden_by_glasses(model(), fitted(), None, seen).any()


@lru_cache
def frames() -> Avatar:
    return put_on(bare(), model(), fitted(), found("square"))


def test_frames_stay_off_the_skin_and_reach_over_both_ears() -> None:
    frame = frames().mesh("glasses").positions
    skin = Scene(model().rest, model().triangles[model().part("face")])
    before = frame[frame[:, 2] > 0.06]
    back = np.tile(np.array([[0, 0, -1]], np.float32), (len(before), 1))
    assert (skin.cast(before, back).distance > 0.0005).all()
    assert not np.isfinite(skin.cast(before, -back).distance).any()
    for side in (frame[frame[:, 0] > 0], frame[frame[:, 0] < 0]):
        assert side[:, 2].min() < -0.02
        assert np.abs(side[:, 0]).max() < 0.09


@pytest.mark.parametrize("side", [1, -1])
def test_temples_lie_along_the_head_from_the_hinges_on(side: int) -> None:
    frame, front = frames().mesh("glasses").positions * [side, 1, 1], found("square").front
    skin = Scene(model().rest, model().triangles[model().part("face")])
    hinge = np.abs(front.hinges[..., 0]).max() + 0.003
    temple = frame[(frame[:, 2] < 0.07) & (frame[:, 2] > 0.0) & (frame[:, 0] > 0)]
    inward = np.tile(np.array([[-side, 0, 0]], np.float32), (len(temple), 1))
    hits = skin.cast((temple * [0, 1, 1] + [0.2 * side, 0, 0]).astype(np.float32), inward)
    beside = np.where(hits.triangle >= 0, 0.2 - hits.distance, 0)
    assert len(temple) > 20
    assert (temple[:, 0] < np.maximum(beside + 0.008, hinge)).all()
    assert (temple[:, 0] > beside).all()


@pytest.mark.parametrize("name", ["glasses", "lenses"])
def test_frame_and_lenses_are_sound_meshes_that_ride_on_the_head(name: str) -> None:
    mesh = frames().mesh(name)
    corners = mesh.positions[mesh.triangles]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.linalg.norm(outward, axis=1) > 0).all()
    assert ((outward * mesh.normals[mesh.triangles].sum(1)).sum(1) > 0).mean() > 0.99
    assert (mesh.joints[:, 0] == frames().skeleton.names.index("head")).all()
    assert mesh.morph_names == ()
    assert len(mesh.triangles) < 2500


def test_lenses_without_rims_are_whole_and_even(shared: Path) -> None:
    face = observe_face(load_photo(next((shared / "portraits").rglob("021553.jpg"))))
    fit = fit_head(model(), face)
    glasses = find_glasses(model(), fit, face, segment_face(face))
    assert glasses is not None
    assert not glasses.front.rim_m.any()
    left, right = (rim - rim.mean(0) for rim in glasses.front.rims)
    assert np.abs(left - right * [-1, 1]).max() < 0.003
    worn_pair = put_on(bare(), model(), fit, glasses)
    lenses = worn_pair.mesh("lenses").positions
    frame = worn_pair.mesh("glasses").positions
    away = np.linalg.norm(lenses[:, None] - frame[None], axis=-1).min(1)
    assert (away < 0.001).mean() > 0.95  # all but the middles of the lenses


@pytest.mark.parametrize(
    ("stem", "wears"), [("020959", True), ("031101", True), ("039307", True), ("021979", True), ("022139", True), ("029373", True), ("021550", True),
                        ("021534", False), ("022122", False), ("029379", False), ("021377", False), ("022107", False), ("020962", False), ("021761", False)]
)  # fmt: skip
def test_portraits_wear_glasses_or_not(stem: str, wears: bool, shared: Path) -> None:
    face = observe_face(load_photo(next((shared / "portraits").rglob(f"{stem}.jpg"))))
    glasses = find_glasses(model(), fit_head(model(), face), face, segment_face(face))
    assert (glasses is not None) == wears
