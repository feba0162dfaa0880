"""Headwear from pictures on which we drew it: covers the skull, ends where it was drawn, leaves faces and bare heads alone."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from jaxtyping import UInt8

from avatar3d.core.avatar import Avatar, Material, Mesh
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Light, Photo
from avatar3d.core.segments import KINDS, Segments
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from avatar3d.render.raycast import Scene
from avatar3d.rig.skeleton import place_skeleton
from avatar3d.wear.edge import AROUND, Edge, find_edge
from avatar3d.wear.headwear import Headwear, find_headwear, put_on_headwear
from avatar3d.wear.sheet import Sheet, normals_of, triangles_of
from avatar3d.wear.wearer import Wearer, ways_around

SIZE, SKIN, CLOTH = 600, (208, 158, 134), (60, 96, 52)
EVEN = Light(np.concatenate([np.ones((1, 3)), np.zeros((8, 3))]).astype(np.float32))
EDGE_M = 0.045
"""Over the eyes: where the drawn hats end."""


@lru_cache
def model() -> HeadModel:
    return load_head_model()


@lru_cache
def fitted() -> HeadFit:
    flip = np.array([0, 1, 0, 0], np.float32)
    camera = Camera(1500.0, np.array([300, 330], np.float32), SIZE, SIZE, flip, np.array([0, 0, 1.0], np.float32))
    still, zero = np.array([1, 0, 0, 0], np.float32), np.zeros(52, np.float32)
    rest = model().rest
    return HeadFit(np.zeros(len(model().identity), np.float32), zero, zero, camera, still, still, rest, rest, 0.01)


def skin_mesh(name: str, *, out_m: float = 0.0) -> Mesh:
    """The mean head's skin, or a copy of it that stands off."""
    triangles, points = model().triangles[model().part("face")], model().rest
    away = points - points.mean(0)
    points = points + np.float32(out_m) * away / np.linalg.norm(away, axis=1, keepdims=True)
    count = len(points)
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1
    return Mesh(
        name=name,
        positions=points.astype(np.float32),
        normals=away.astype(np.float32),
        uvs=np.zeros((count, 2), np.float32),
        triangles=triangles,
        material=Material(name),
        morph_names=(),
        morphs=np.zeros((0, count, 3), np.float32),
        joints=np.full((count, 4), model().joint_names.index("head"), np.int32),
        weights=weights,
    )


@lru_cache
def bare(*, hairy: bool = False) -> Avatar:
    hair = (skin_mesh("hair", out_m=0.012),) if hairy else ()
    return Avatar("bare", (skin_mesh("face"), *hair), place_skeleton(model(), model().rest))


def eyes() -> np.ndarray:
    places = model().joint_regressor @ model().rest
    return places[[model().joint_names.index(name) for name in ("leftEye", "rightEye")]].mean(0)


def pixel(x: float, y: float, z: float = -0.07) -> np.ndarray:
    """Where the photo shows a place beside the point between the eyes (metres), in depth about the ears."""
    return fitted().camera.project((eyes() + [x, y, z])[None].astype(np.float32))[0]


def drawn(kind: str | None) -> UInt8[np.ndarray, "H W"]:
    """A mask of it: a dome; with a broad ellipse about its edge; with a narrow one that hangs; a hood around the face."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    if kind is None:
        return mask
    right, left, top = (pixel(-0.082, EDGE_M), pixel(0.082, EDGE_M), pixel(0, 0.150))
    middle, half = (right + left) / 2, (left[0] - right[0]) / 2
    if kind == "scarf":
        low = pixel(0, -0.145)
        cv2.ellipse(mask, _ints(middle), (round(1.15 * half), round(middle[1] - top[1])), 0, 180, 360, (255,), -1)
        cv2.rectangle(mask, _ints(middle - [1.15 * half, 0]), _ints([middle[0] + 1.15 * half, low[1]]), (255,), -1)
        face = pixel(0, -0.03)
        cv2.ellipse(mask, _ints(face), _ints([0.68 * half, 0.085 * 1500]), 0, 0, 360, (0,), -1)
        return mask
    cv2.ellipse(mask, _ints(middle), (round(half), round(middle[1] - top[1])), 0, 180, 360, (255,), -1)
    if kind == "brim":
        cv2.ellipse(mask, _ints(middle), (round(1.6 * half), 14), 0, 0, 360, (255,), -1)
    if kind == "visor":
        cv2.ellipse(mask, _ints(middle), (round(0.72 * half), 34), 0, 0, 180, (255,), -1)
    return mask


def _ints(values: np.ndarray | list[float]) -> tuple[int, int]:
    return round(float(values[0])), round(float(values[1]))


def seen(mask: UInt8[np.ndarray, "H W"]) -> tuple[FaceObservation, Segments]:
    picture = np.where(mask[..., None] > 0, np.array(CLOTH), np.array(SKIN)).astype(np.uint8)
    landmarks = np.zeros((478, 2), np.float32)
    for index, place in {
        33: (-0.045, 0),
        133: (-0.018, 0),
        362: (0.018, 0),
        263: (0.045, 0),
        13: (0, -0.062),
        14: (0, -0.064),
    }.items():
        landmarks[index] = pixel(*place, z=0.01)
    photo = Photo("drawn", picture, None, None, "0" * 64)
    face = FaceObservation(photo=photo, landmarks_px=landmarks, depth_px=landmarks[:, 0], person=mask > -1)
    planes = np.zeros((len(KINDS), 300, 300), np.float32)
    planes[KINDS.index("headwear")] = (
        cv2.resize(mask, (300, 300), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    )
    planes[KINDS.index("skin")] = 1 - planes.sum(0)
    return face, Segments(np.zeros((300, 300, 3), np.uint8), planes, np.array([[0.5, 0, 0], [0, 0.5, 0]]))


@lru_cache
def found(kind: str) -> Headwear:
    headwear = find_headwear(*seen(drawn(kind)))
    assert headwear is not None
    return headwear


def wearer(kind: str) -> Wearer:
    return Wearer.of(bare(), fitted().camera, found(kind).seen, found(kind).sure, found(kind).crop_from_photo)


@lru_cache
def dressed(kind: str, *, hairy: bool = False) -> Avatar:
    return put_on_headwear(bare(hairy=hairy), found(kind), fitted(), seen(drawn(kind))[0], EVEN)


def edge_of(kind: str) -> Edge:
    edge = find_edge(wearer(kind))
    assert edge is not None
    return edge


def scene(mesh: Mesh) -> Scene:
    return Scene(mesh.positions, mesh.triangles)


def test_a_bare_head_wears_nothing() -> None:
    headwear = find_headwear(*seen(drawn(None)))
    assert headwear is None
    assert put_on_headwear(bare(), headwear, fitted(), seen(drawn(None))[0], EVEN) is bare()


def test_a_stain_is_no_hat() -> None:
    mask = drawn(None)
    cv2.circle(mask, _ints(pixel(0.02, 0.09)), 24, (255,), -1)
    assert find_headwear(*seen(mask)) is None


def test_a_band_about_bare_hair_is_left_out() -> None:
    mask = drawn(None)
    cv2.rectangle(mask, _ints(pixel(-0.08, 0.085)), _ints(pixel(0.08, EDGE_M)), (255,), -1)
    assert find_headwear(*seen(mask)) is None


def test_cloth_below_the_mouth_alone_is_no_headwear() -> None:
    mask = drawn(None)
    mask[_ints(pixel(0, -0.09))[1] :] = 255
    assert find_headwear(*seen(mask)) is None


@pytest.mark.parametrize(("kind", "rim"), [("dome", "plain"), ("brim", "brim"), ("visor", "visor")])
def test_a_brim_and_a_visor_are_told_from_a_plain_edge(kind: str, rim: str) -> None:
    assert found(kind).kind == "hat"
    assert edge_of(kind).rim == rim


def shown(kind: str) -> np.ndarray:
    """Which of every third pixel shows cloth before the bare head."""
    at = np.arange(0, SIZE, 3) + 0.5
    x, y = (part.ravel() for part in np.meshgrid(at, at))
    principal, camera = fitted().camera.principal_px, fitted().camera
    # This camera stands straight ahead: its axes are the head's but for y and z, which point the other way.
    ways = np.stack([(x - principal[0]) / 1500, (principal[1] - y) / 1500, -np.ones(len(x))], axis=1).astype(np.float32)
    eye = np.tile(camera.position_m, (len(x), 1))
    cloth, skin = (scene(mesh).cast(eye, ways).distance for mesh in (dressed(kind).mesh("headwear"), bare().meshes[0]))
    return (cloth < skin).reshape(len(at), len(at))


@pytest.mark.parametrize("kind", ["dome", "brim", "visor", "scarf"])
def test_it_is_seen_where_it_was_drawn(kind: str) -> None:
    mask, cloth = drawn(kind)[::3, ::3] > 0, shown(kind)
    assert (mask & cloth).sum() / (mask | cloth).sum() > {"brim": 0.85, "visor": 0.9}.get(kind, 0.93)


@pytest.mark.parametrize("kind", ["dome", "brim", "visor", "scarf"])
def test_no_skin_shows_through(kind: str) -> None:
    cloth, at = dressed(kind).mesh("headwear"), wearer(kind)
    azimuth, polar = (
        part.ravel() for part in np.meshgrid(np.arange(-180.0, 180, 4), np.radians(np.arange(4.0, 100, 3)))
    )
    ways = np.sin(polar)[:, None] * ways_around(azimuth) + np.cos(polar)[:, None] * np.array([0, 1.0, 0])
    start = np.broadcast_to(at.middle, ways.shape)
    skin = at.root(start, ways)
    edge = np.full(len(ways), at.eyes[1] + 0.08) if kind == "scarf" else np.interp(azimuth, AROUND, edge_of(kind).y_m)
    over = (start + skin[:, None] * ways)[:, 1] > edge + 0.004
    outside = scene(cloth).cast(start[over].astype(np.float32), ways[over].astype(np.float32)).distance
    assert over.sum() > 1000
    assert (outside > skin[over]).all()
    assert np.isfinite(outside).all()


def test_the_back_of_a_hat_is_lower_than_its_front() -> None:
    edge = edge_of("dome")
    assert edge.y_m[len(edge.y_m) // 2] - edge.y_m[0] > 0.02


def test_a_brim_reaches_as_far_as_it_was_drawn_beside_and_ahead() -> None:
    brim = dressed("brim").mesh("headwear").positions
    assert brim[:, 0].max() == pytest.approx(1.6 * 0.082, abs=0.012)
    assert brim[:, 2].max() - wearer("brim").middle[2] > 0.13


def test_it_has_the_colour_of_the_cloth_in_the_photo_all_around() -> None:
    for kind in ("dome", "brim", "visor", "scarf"):
        texture = dressed(kind).mesh("headwear").material.base_colour
        assert texture is not None
        assert np.abs(texture.pixels.astype(int) - CLOTH).mean() < 6


def test_a_scarf_leaves_the_face_open_and_covers_the_ears() -> None:
    assert found("scarf").kind == "scarf"
    whole = scene(dressed("scarf").mesh("headwear"))
    eye = fitted().camera.position_m
    face = eyes() + np.array([[-0.03, 0, 0.02], [0.03, 0, 0.02], [0, -0.04, 0.03], [0, -0.063, 0.02]])
    assert not whole.blocked(np.tile(eye, (4, 1)), (face - eye).astype(np.float32), reach=0.97).any()
    for side in (-1.0, 1.0):
        beside = (eyes() + [0.4 * side, -0.005, -0.08])[None].astype(np.float32)
        to_head = np.array([[-side, 0, 0]], np.float32)
        assert whole.cast(beside, to_head).distance < scene(bare().meshes[0]).cast(beside, to_head).distance


def test_a_scarf_goes_with_the_head_above_and_with_the_neck_below() -> None:
    cloth = dressed("scarf").mesh("headwear")
    names = dressed("scarf").skeleton.names
    np.testing.assert_allclose(cloth.weights.sum(1), 1, atol=1e-6)
    on_neck = np.where(cloth.joints == names.index("neck"), cloth.weights, 0).sum(1)
    assert on_neck[cloth.positions[:, 1] > eyes()[1]].max() == 0
    assert on_neck[cloth.positions[:, 1] < cloth.positions[:, 1].min() + 0.002].min() > 0.9


def test_hair_under_a_hat_is_gone_and_comes_out_from_under_it() -> None:
    hair, edge = dressed("dome", hairy=True).mesh("hair"), edge_of("dome")
    away = hair.positions - wearer("dome").middle
    azimuth = np.degrees(np.arctan2(away[:, 0], away[:, 2]))
    below = np.interp(azimuth, AROUND, edge.y_m) - hair.positions[:, 1]
    assert 100 < len(hair.triangles) < len(bare(hairy=True).mesh("hair").triangles)
    assert below.min() > -0.025  # corners of triangles that cross the edge
    near = np.abs(below) < 0.001
    assert (np.hypot(away[:, 0], away[:, 2])[near] < np.interp(azimuth, AROUND, edge.radius_m)[near]).all()


def test_a_scarf_takes_all_hair() -> None:
    assert [mesh.name for mesh in dressed("scarf", hairy=True).meshes] == ["face", "headwear"]


def test_triangles_stay_few() -> None:
    for kind, most in (("dome", 1500), ("brim", 2100), ("visor", 1800), ("scarf", 4300)):
        assert len(dressed(kind).mesh("headwear").triangles) < most


def test_normals_agree_where_a_sheet_closes() -> None:
    turn = np.linspace(0, 2 * np.pi, 9)
    rings = np.stack([np.stack([np.sin(turn), np.full(9, -y), np.cos(turn)], -1) for y in (0.0, 0.5, 1.0)])
    normals = normals_of(Sheet(rings, 8).points)
    np.testing.assert_allclose(normals[:, 0], normals[:, -1])
    assert (normals * rings * [1, 0, 1]).sum(-1).min() > 0.98
    assert len(triangles_of(3, 9)) == 32


@pytest.mark.parametrize("name", ["021738", "022122", "020959", "029778"])
def test_portraits_without_headwear_get_none(name: str, shared: Path) -> None:
    face = observe_face(load_photo(shared / "portraits/congress" / f"{name}.jpg"))
    assert find_headwear(face, segment_face(face)) is None


def test_a_hat_that_the_head_does_not_carry_is_left_out() -> None:
    aside = replace(found("dome"), crop_from_photo=found("dome").crop_from_photo + [[0, 0, 500], [0, 0, 0]])
    assert put_on_headwear(bare(), aside, fitted(), seen(drawn("dome"))[0], EVEN) is bare()
