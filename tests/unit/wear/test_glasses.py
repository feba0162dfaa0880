"""Glasses from a picture on which we drew them ourselves: found where they are, built where they belong, not invented."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

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

SIZE, SKIN, TORTOISE = 480, (208, 158, 134), (70, 44, 30)
# Apart, aside, high, half width, half height, squareness, taper.
DRAWN = {
    "round": np.array([0.031, 0.0005, -0.004, 0.022, 0.020, 2.2, 0.0]),
    "square": np.array([0.033, -0.001, -0.005, 0.025, 0.015, 4.0, 0.08]),
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


def worn(kind: str | None, *, half: bool = False) -> tuple[FaceObservation, Segments]:
    """A face of plain skin, and on it glasses as both the picture and a coarse net show them; upper rims only if `half`."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    seen = np.zeros((SIZE, SIZE), np.uint8)
    for rim in [] if kind is None else drawn_rims(kind):
        places = place_on_frame(model(), fitted().posed, rim[:181] if half else rim).astype(np.float32)
        line = np.round(fitted().camera.project(places) - 0.5).astype(np.int32)
        cv2.polylines(picture, [line], not half, TORTOISE, thickness=6)  # 2.5 mm
        cv2.polylines(seen, [line], not half, (255,), thickness=6)
    grain = np.random.default_rng(1).normal(0, 4, picture.shape)
    photo = Photo("drawn", np.clip(picture + grain, 0, 255).astype(np.uint8), None, None, "0" * 64)
    landmarks = np.zeros((478, 2), np.float32)
    face = FaceObservation(photo=photo, landmarks_px=landmarks, depth_px=landmarks[:, 0], person=seen > -1)
    planes = np.zeros((len(KINDS), 128, 128), np.float32)
    small = cv2.resize(seen, (128, 128), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    planes[KINDS.index("glasses")] = small
    planes[KINDS.index("skin")] = 1 - small
    to_crop = np.array([[128 / SIZE, 0, 0], [0, 128 / SIZE, 0]])
    return face, Segments(np.zeros((128, 128, 3), np.uint8), planes, to_crop)


def found(kind: str) -> Glasses:
    glasses = find_glasses(model(), fitted(), *worn(kind))
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


def test_half_a_rim_stays_half_and_keeps_its_lens() -> None:
    glasses = find_glasses(model(), fitted(), *worn("round", half=True))
    assert glasses is not None
    upper = glasses.front.rims[..., 1] > DRAWN["round"][2]
    assert (glasses.front.rim_m[upper] > 0).mean() > 0.7
    assert (glasses.front.rim_m[~upper] == 0).mean() > 0.7
    bare = Avatar(name="bare", meshes=(), skeleton=place_skeleton(model(), model().rest))
    lenses = put_on(bare, model(), fitted(), glasses).mesh("lenses").positions
    assert np.ptp(lenses[:, 1]) > 1.4 * DRAWN["round"][4]


def test_colours_lie_on_the_part_of_the_frame_that_has_them() -> None:
    frame, front = frames().mesh("glasses"), found("square").front
    texture = frame.material.base_colour
    assert texture is not None
    height, width = texture.pixels.shape[:2]
    assert (frame.uvs >= 0).all()
    assert (frame.uvs <= 1).all()
    rim = frame.uvs[: int((front.rim_m > 0).sum()) * 3] * [width, height] - 0.5
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
    seen = unseen.copy()
    seen[10:20, 10:20] = 0.8
    assert hidden_by_glasses(model(), fitted(), glasses, seen)[10:20, 10:20].min() == 1
    assert not hidden_by_glasses(model(), fitted(), None, seen).any()


@lru_cache
def frames() -> Avatar:
    bare = Avatar(name="bare", meshes=(), skeleton=place_skeleton(model(), model().rest))
    return put_on(bare, model(), fitted(), found("square"))


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


@pytest.mark.parametrize(
    ("stem", "wears"), [("020959", True), ("031101", True), ("039307", True), ("021979", True), ("022139", True),
                        ("021534", False), ("022122", False), ("029379", False), ("021377", False), ("022107", False)]
)  # fmt: skip
def test_portraits_wear_glasses_or_not(stem: str, wears: bool, shared: Path) -> None:
    face = observe_face(load_photo(next((shared / "portraits").rglob(f"{stem}.jpg"))))
    glasses = find_glasses(model(), fit_head(model(), face), face, segment_face(face))
    assert (glasses is not None) == wears
