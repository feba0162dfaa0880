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
from avatar3d.wear.glasses import Glasses, find_glasses, outlines, place_on_frame

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


def worn(shape: np.ndarray | None) -> tuple[FaceObservation, Segments]:
    """A face of plain skin, and on it glasses as both the picture and a coarse net show them."""
    picture = np.full((SIZE, SIZE, 3), SKIN, np.uint8)
    seen = np.zeros((SIZE, SIZE), np.uint8)
    for rim in [] if shape is None else outlines(shape[None])[0]:
        places = place_on_frame(model(), fitted().posed, rim).astype(np.float32)
        line = np.round(fitted().camera.project(places) - 0.5).astype(np.int32)
        cv2.polylines(picture, [line], True, TORTOISE, thickness=6)  # 2.5 mm
        cv2.polylines(seen, [line], True, (255,), thickness=6)
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
    glasses = find_glasses(model(), fitted(), *worn(DRAWN[kind]))
    assert glasses is not None
    return glasses


@pytest.mark.parametrize("kind", DRAWN)
def test_rims_are_found_where_they_were_drawn(kind: str) -> None:
    glasses = found(kind)
    drawn, seen = outlines(DRAWN[kind][None])[0], outlines(glasses.shape[None])[0]
    for one, other in ((drawn, seen), (seen, drawn)):
        away = np.linalg.norm(one[:, :, None] - other[:, None], axis=-1).min(-1)
        assert away.mean() < 0.001
        assert away.max() < 0.003
    assert 0.0018 < glasses.thickness_m < 0.0034
    np.testing.assert_allclose(glasses.colour ** (1 / 2.2) * 255, TORTOISE, atol=20)


def test_a_bare_face_wears_no_glasses() -> None:
    assert find_glasses(model(), fitted(), *worn(None)) is None


def test_a_rim_hides_the_skin_behind_it_and_nothing_else() -> None:
    face, segments = worn(DRAWN["square"])
    glasses, unseen = find_glasses(model(), fitted(), face, segments), np.zeros((SIZE, SIZE), np.float32)
    hidden = hidden_by_glasses(model(), fitted(), glasses, unseen)
    frame = (np.abs(face.photo.pixels.astype(int) - SKIN).sum(-1) > 60) & (segments.of("glasses").max() > 0)
    assert hidden[frame].mean() > 0.9
    assert hidden.mean() < 0.2
    seen = unseen.copy()
    seen[10:20, 10:20] = 0.6
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
