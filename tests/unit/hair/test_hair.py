"""Hair from a picture whose hair we painted ourselves: where it grows, how far it stands off, whom it spares."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import pytest
from scipy.spatial import KDTree

from avatar3d.core.avatar import Mesh, Skin, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Light, Photo
from avatar3d.hair.atlas import HIGH_PX, WIDE_PX, is_shell
from avatar3d.hair.flow import draw_strands, find_flow, smear, usual_flow
from avatar3d.hair.follicles import draw_follicles, find_scalp
from avatar3d.hair.grow import Hair, grow_hair
from avatar3d.hair.scalp import find_skull, usual_hairline
from avatar3d.hair.segment import hidden_by_hair, segment_hair
from avatar3d.hair.tint import tint_scalp
from avatar3d.head.load import load_head_model
from avatar3d.render.raycast import Scene
from avatar3d.texture.atlas import face_atlas

SIZE = 480
BROWN, SKIN, WALL, SHIRT = (62, 40, 26), (208, 158, 134), (120, 150, 190), (235, 235, 240)


@dataclass(frozen=True, eq=False)
class Sitter:
    """A painted portrait of the mean head and what we know about it."""

    model: HeadModel
    fitted: HeadFit
    face: FaceObservation
    skin: Skin
    painted: np.ndarray


def plain_skin() -> Skin:
    light = np.zeros((9, 3), np.float32)
    light[0] = 1
    colour = np.full((256, 256, 3), SKIN, np.uint8)
    flat = np.full((8, 8, 3), (128, 128, 255), np.uint8)
    return Skin(
        Texture("albedo", colour),
        Texture("normal", flat),
        np.ones((256, 256), np.float32),
        Light(light),
        np.array([0.6, 0.35, 0.25], np.float32),
    )


@lru_cache
def sitter(style: str) -> Sitter:
    """The mean head, photographed from 1.2 m with `short`, `long` or `no` hair, a `fringe`, hair over the ears or a
    wreath of it around a bald crown."""
    model = load_head_model()
    flip = np.array([0, 1, 0, 0], np.float32)  # half a turn about X: OpenCV's axes from glTF's
    camera = Camera(760.0, np.array([240, 240], np.float32), SIZE, SIZE, flip, np.array([0, 0.0, 1.2], np.float32))
    still = np.array([1, 0, 0, 0], np.float32)
    zero = np.zeros(52, np.float32)
    identity = np.zeros(len(model.identity), np.float32)
    fitted = HeadFit(identity, zero, zero, camera, still, still, model.rest, model.rest, 0.01)
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    towards = np.stack([(x - 240) / 760, -(y - 240) / 760, -np.ones_like(x)], -1).reshape(-1, 3).astype(np.float32)
    eye = np.broadcast_to(camera.position_m, towards.shape).astype(np.float32)
    triangles = model.triangles[model.part("face")]
    hits = Scene(model.rest, triangles).cast(np.ascontiguousarray(eye), towards)
    points = np.einsum("nc,ncd->nd", hits.barycentric, model.rest[triangles[hits.triangle]]).reshape(SIZE, SIZE, 3)
    head = (hits.triangle >= 0).reshape(SIZE, SIZE)
    skull = find_skull(model, model.rest)
    flat = points.reshape(-1, 3)
    over = (skull.height(flat) - usual_hairline(skull.azimuth(flat))).reshape(SIZE, SIZE)
    scalp = head & (over > 0) & (skull.height(flat).reshape(SIZE, SIZE) > 0.3)
    painted = np.zeros((SIZE, SIZE), bool)
    if style != "no":
        painted = cv2.dilate(scalp.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
        painted &= ~head | scalp
    level, azimuth = skull.height(flat).reshape(SIZE, SIZE), np.abs(skull.azimuth(flat).reshape(SIZE, SIZE))
    if style == "fringe":
        painted |= head & (level > 0.62) & (azimuth < 40)
    if style == "ears":
        painted |= (np.abs(x - 240) > 46) & (np.abs(x - 240) < 70) & (y > 150) & (y < 238)
    if style == "wreath":
        painted &= (level < 1.45) | ~head
        painted &= (y > 175) & ((azimuth > 35) | ~head)
    if style == "long":
        painted |= ~head & (np.abs(x - 240) < 78) & (y > 190) & (y < 330)
    rng = np.random.default_rng(3)
    picture = np.tile(np.array(WALL, np.float32), (SIZE, SIZE, 1))
    picture[head] = SKIN
    picture[head & (points[..., 1] < -0.12)] = SHIRT
    picture[painted] = BROWN
    picture *= 1 + 0.05 * rng.standard_normal((SIZE, SIZE, 1)).astype(np.float32)
    landmarks = np.einsum(
        "lc,lcd->ld", model.landmark_barycentric, model.rest[model.triangles[model.landmark_triangles]]
    )
    face = FaceObservation(
        photo=Photo("painted", np.clip(picture, 0, 255).astype(np.uint8), None, None, "0" * 64),
        landmarks_px=camera.project(landmarks.astype(np.float32)),
        depth_px=np.zeros(478, np.float32),
        person=head | painted,
    )
    return Sitter(model, fitted, face, plain_skin(), painted)


@lru_cache
def hair(style: str) -> Hair | None:
    who = sitter(style)
    return grow_hair(who.model, who.fitted, who.face, who.skin)


def grown(style: str) -> Mesh:
    grown = hair(style)
    assert grown is not None
    assert grown.mesh is not None
    return grown.mesh


@pytest.mark.parametrize("style", ["short", "long"])
def test_hair_is_found_where_it_was_painted(style: str) -> None:
    who = sitter(style)
    picture = segment_hair(who.model, who.fitted, who.face)
    y, x = np.mgrid[0:SIZE:3, 0:SIZE:3] + 0.5
    found = picture.sample(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32), picture.hair) > 0.5
    truth = who.painted[::3, ::3].ravel()
    assert (found & truth).sum() / (found | truth).sum() > 0.8


def test_a_crown_that_the_picture_cuts_off_is_no_chimney() -> None:
    who = sitter("short")
    rows = np.flatnonzero(who.painted.any(1))
    cut = int(rows[0]) + 8
    pixels = np.ascontiguousarray(who.face.photo.pixels[cut:])
    camera = replace(who.fitted.camera, principal_px=who.fitted.camera.principal_px - np.array([0, cut], np.float32))
    face = FaceObservation(
        photo=replace(who.face.photo, pixels=pixels),
        landmarks_px=who.face.landmarks_px - np.array([0, cut], np.float32),
        depth_px=who.face.depth_px,
        person=np.ascontiguousarray(who.face.person[cut:]),
    )
    picture = segment_hair(who.model, replace(who.fitted, camera=camera), face)
    assert picture.hair[: int(picture.crop_from_photo[1, 2])].max(initial=0) < 0.1


def test_a_bald_head_gets_no_hair() -> None:
    assert hair("no") is None


@pytest.mark.parametrize("style", ["short", "long"])
def test_hair_is_one_small_mesh_that_rides_on_the_head(style: str) -> None:
    mesh = grown(style)
    assert len(mesh.triangles) <= 12_000
    assert mesh.morph_names == ()
    assert np.isfinite(mesh.positions).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    assert (mesh.joints[:, 0] == sitter(style).model.joint_names.index("head")).all()
    np.testing.assert_array_equal(mesh.weights[:, 0], 1)
    assert mesh.material.base_colour is not None
    assert mesh.material.base_colour.pixels.shape == (HIGH_PX, WIDE_PX, 4)


def test_hair_stands_above_the_scalp_as_far_as_the_silhouette_says() -> None:
    who, mesh = sitter("short"), grown("short")
    skull = find_skull(who.model, who.model.rest)
    away = mesh.positions - skull.middle.astype(np.float32)
    length = np.linalg.norm(away, axis=1)
    hits = Scene(who.model.rest, who.model.triangles[who.model.part("face")]).cast(
        np.broadcast_to(skull.middle, away.shape).astype(np.float32), (away / length[:, None]).astype(np.float32)
    )
    off = length - hits.distance
    assert off.min() > -0.001
    crown = mesh.positions[:, 1] > who.model.rest[:, 1].max() - 0.03
    assert 0.008 < np.median(off[crown]) < 0.03  # painted twelve pixels, 19 mm, beyond the skull


def drawn(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Points all over the mesh's triangles, and whether hair is drawn there."""
    assert mesh.material.base_colour is not None
    alpha = mesh.material.base_colour.pixels[..., 3] / 255
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 12).astype(np.float32)
    corners, places = mesh.positions[mesh.triangles], mesh.uvs[mesh.triangles]
    points = np.einsum("sc,fcd->fsd", shares, corners).reshape(-1, 3)
    at = (np.einsum("sc,fcd->fsd", shares, places).reshape(-1, 2) * alpha.shape[::-1]).astype(int)
    return points, alpha[at[:, 1], at[:, 0]] > mesh.material.alpha_cutoff


def test_hair_faces_outward_and_its_seam_is_welded() -> None:
    mesh = grown("short")
    corners = mesh.positions[mesh.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(normal * mesh.normals[mesh.triangles].mean(1), axis=1) > 0).mean() > 0.98
    middle = find_skull(sitter("short").model, sitter("short").model.rest).middle
    assert (np.sum(normal * (corners.mean(1) - middle), axis=1) > 0).mean() > 0.95
    own = np.flatnonzero(is_shell(mesh.uvs))
    u = mesh.uvs[own, 0]
    left, right = own[u == u.min()], own[u == u.max()]
    _, first, second = np.intersect1d(mesh.uvs[left, 1], mesh.uvs[right, 1], return_indices=True)
    left, right = left[first], right[second]
    assert len(left) > 10
    np.testing.assert_allclose(mesh.positions[left], mesh.positions[right], atol=1e-5)
    np.testing.assert_allclose(mesh.normals[left], mesh.normals[right], atol=1e-5)


def test_the_forehead_stays_free_and_the_crown_is_covered() -> None:
    who, mesh = sitter("short"), grown("short")
    skull = find_skull(who.model, who.model.rest)
    assert mesh.material.base_colour is not None
    points, shown = drawn(mesh)
    height = skull.height(points)
    front = np.abs(skull.azimuth(points)) < 25
    assert not shown[front & (height < 0.8)].any()
    crown = height > 1.6
    covered, _ = KDTree(points[shown]).query(points[crown])
    assert np.percentile(covered, 99) < 0.006


def test_a_fringe_hides_the_forehead_and_lies_before_it() -> None:
    who, mesh = sitter("fringe"), grown("fringe")
    skull = find_skull(who.model, who.model.rest)
    hidden = hidden_by_hair(segment_hair(who.model, who.fitted, who.face), who.face)
    assert hidden.shape == who.painted.shape
    below, bare = landmark(who, 9), landmark(who, 5)
    brow = int(below[1] - 0.45 * who.face.interocular_px)
    assert hidden[brow, int(below[0])] > 0.5
    assert hidden[int(bare[1]), int(bare[0])] == 0
    points, shown = drawn(mesh)
    low = shown & (np.abs(skull.azimuth(points)) < 30)
    assert skull.height(points[low]).min() < 0.85


def landmark(who: Sitter, index: int) -> np.ndarray:
    return who.face.landmarks_px[index]


def test_hair_over_the_ears_is_grown_over_the_ears() -> None:
    skull = find_skull(sitter("short").model, sitter("short").model.rest)
    covered = {}
    for style in ("short", "ears"):
        mesh = grown(style)
        side = np.abs(np.abs(skull.azimuth(mesh.positions)) - 95) < 12
        covered[style] = skull.height(mesh.positions[side]).min()
    assert covered["ears"] < covered["short"] - 0.3


def test_a_wreath_of_hair_leaves_the_crown_bald() -> None:
    who, mesh = sitter("wreath"), grown("wreath")
    skull = find_skull(who.model, who.model.rest)
    points, shown = drawn(mesh)
    height = skull.height(points)
    assert shown[height > 1.65].mean() < 0.05
    behind = (np.abs(skull.azimuth(points)) > 150) & (np.abs(height) < 0.4)
    covered, _ = KDTree(points[shown]).query(points[behind])
    assert np.percentile(covered, 99) < 0.006


def test_a_wreath_thins_out_on_the_skin_above_its_mesh_and_lies_flat_there() -> None:
    who, grown = sitter("wreath"), hair("wreath")
    assert grown is not None
    assert grown.mesh is not None
    skull = grown.style.skull
    points, shown = drawn(grown.mesh)
    ends = float(np.percentile(skull.height(points[shown]), 98))
    texels, opacity, _ = draw_follicles(who.model, who.fitted, grown, 512)
    scalp = find_scalp(who.model, 512)
    on_skin = np.zeros(512 * 512, np.float32)
    on_skin[texels] = opacity
    places = np.einsum("nc,ncd->nd", scalp.barycentric, who.fitted.neutral[scalp.corners])
    behind, height = np.abs(skull.azimuth(places)) > 120, skull.height(places)
    dense = [on_skin[scalp.texels][behind & (np.abs(height - ends - up) < 0.05)].mean() for up in np.arange(5) / 8]
    assert dense[0] > 0.75
    assert dense[-1] < 0.25
    assert (np.diff(dense) < 0).all()
    rim = points[shown & (skull.height(points) > ends - 0.02)]
    bare, _ = KDTree(places).query(rim)
    assert np.median(bare) < 0.004


def test_strands_run_the_way_the_photo_s_streaks_do() -> None:
    rows, columns = np.mgrid[0:512, 0:512].astype(np.float32)
    streaks = np.sin(2 * np.pi * (columns - 0.5 * rows) / 12).astype(np.float32)  # half a texel across per texel down
    known = ((columns > 150) & (columns < 360)).astype(np.float32)
    flow = find_flow(streaks, known, usual_flow(512, 0.0))
    inside = (columns > 190) & (columns < 320)
    assert np.median(flow.across[inside] / flow.down[inside]) == pytest.approx(0.5, abs=0.08)
    far = np.abs(columns - 256) > 235
    assert np.abs(flow.across[far]).mean() < 0.35
    strands = draw_strands(flow, run_px=34, locks=0.6, curl=0.0)
    assert strands.std() == pytest.approx(1, abs=0.01)
    along = strands[100:400, 200:300] * strands[120:420, 210:310]
    beside = strands[100:400, 200:300] * strands[120:420, 190:290]
    assert along.mean() > beside.mean() + 0.2


def test_blots_of_a_photo_have_no_say_in_where_hair_runs() -> None:
    noise = np.random.default_rng(3).standard_normal((512, 512)).astype(np.float32)
    blots = cv2.GaussianBlur(noise, (0, 0), 4)
    everywhere = np.ones((512, 512), np.float32)
    flow = find_flow(blots / blots.std(), everywhere, usual_flow(512, 0.0))
    assert (flow.down > np.cos(np.radians(35))).mean() > 0.9


def test_smearing_draws_blots_out_along_the_hair_and_over_the_seam_behind_the_head() -> None:
    flow = find_flow(np.zeros((512, 512), np.float32), np.zeros((512, 512), np.float32), usual_flow(512, 0.0))
    dots = np.zeros((512, 512, 4), np.float32)
    dots[250:254, 0:2] = dots[250:254, 510:512] = 1
    drawn = smear(dots, flow, 16.0)[..., 0]
    column = drawn[:, [0, 1, 510, 511]].sum(1)
    assert drawn.sum() == pytest.approx(dots[..., 0].sum(), rel=0.02)
    assert np.flatnonzero(column > 0.02).min() == pytest.approx(251.5 - 16, abs=3)
    assert np.flatnonzero(column > 0.02).max() == pytest.approx(251.5 + 16, abs=3)
    np.testing.assert_allclose(drawn[252, 0], drawn[252, 511], atol=0.05)


def test_hair_cut_short_lies_close_at_the_nape() -> None:
    grown_hair = hair("short")
    assert grown_hair is not None
    model, skull = sitter("short").model, grown_hair.style.skull
    behind = grown_hair.shell.points[:, 0].astype(np.float64)  # the first column is the middle of the back
    away = behind - skull.middle
    outward = away / np.linalg.norm(away, axis=1, keepdims=True)
    scene = Scene(model.rest, model.triangles[model.part("face")])
    origins = np.tile(skull.middle.astype(np.float32), (len(away), 1))
    hits = scene.cast(origins, outward.astype(np.float32))
    off = np.linalg.norm(away, axis=1) - hits.distance
    heights = skull.height(behind)
    low, high = (float(np.median(off[(heights > start) & (heights < start + 0.4)])) for start in (-0.9, 0.9))
    assert 0 < low < 0.5 * high


def test_hair_on_the_skin_fades_out_down_the_nape_without_a_gap() -> None:
    who, grown_hair = sitter("short"), hair("short")
    assert grown_hair is not None
    texels, opacity, _ = draw_follicles(who.model, who.fitted, grown_hair, 512)
    shown = np.zeros(512 * 512, np.float32)
    shown[texels] = opacity
    atlas = face_atlas(who.model, 512)
    places = atlas.blend(who.model.rest)
    behind = (np.abs(places[:, 0]) < 0.004) & (places[:, 2] < grown_hair.style.skull.middle[2]) & (places[:, 1] > -0.1)
    height, drawn = places[behind, 1], shown[atlas.texels[behind]]
    levels = np.arange(-0.1, 0.0, 0.002)
    mean = [drawn[np.abs(height - level) < 0.001] for level in levels]
    steps = np.diff([each.mean() for each in mean if len(each)])
    assert drawn.max() > 0.8
    assert steps.min() > -0.05  # upward it only grows denser


@pytest.mark.parametrize("style", ["short", "long"])
def test_locks_lie_on_the_hair_and_face_outward(style: str) -> None:
    mesh = grown(style)
    corners = mesh.positions[mesh.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(normal * mesh.normals[mesh.triangles].sum(1), axis=1) >= 0).all()
    locks = ~is_shell(mesh.uvs)[mesh.triangles].any(1)
    assert locks.sum() > 1000
    shell = np.unique(mesh.triangles[~locks])
    near, _ = KDTree(mesh.positions[shell]).query(mesh.positions[np.unique(mesh.triangles[locks])])
    assert np.percentile(near, 99) < 0.02


def test_long_hair_thins_out_toward_its_ends() -> None:
    points, shown = drawn(grown("long"))
    behind = points[:, 2] < 0
    low = points[behind & shown, 1]
    lowest = low.min()
    share = [shown[behind & (np.abs(points[:, 1] - lowest - up) < 0.004)].mean() for up in (0.004, 0.012, 0.024, 0.045)]
    assert share[0] < 0.6 * share[3]
    assert share[1] < share[3]


def test_the_same_photo_gives_the_same_hair() -> None:
    who, mesh = sitter("long"), grown("long")
    again = grow_hair(who.model, who.fitted, who.face, who.skin)
    assert again is not None
    again = again.mesh
    assert again is not None
    assert again.positions.tobytes() == mesh.positions.tobytes()
    assert again.material.base_colour is not None
    assert mesh.material.base_colour is not None
    assert again.material.base_colour.pixels.tobytes() == mesh.material.base_colour.pixels.tobytes()


def test_hair_has_the_pictures_colour() -> None:
    texture = grown("short").material.base_colour
    assert texture is not None
    seen = texture.pixels[texture.pixels[..., 3] > 128][:, :3]
    assert np.abs(np.median(seen, axis=0) - BROWN).max() < 30


def test_only_long_hair_hangs_to_the_neck() -> None:
    assert grown("long").positions[:, 1].min() < grown("short").positions[:, 1].min() - 0.015
    beside = np.abs(grown("long").positions[:, 0]) > 0.06
    assert grown("long").positions[beside, 1].min() < -0.05


def test_the_scalp_under_the_hair_takes_its_colour_and_the_face_keeps_its_own() -> None:
    who = sitter("short")
    tinted = tint_scalp(who.model, who.fitted, who.skin, hair("short"))
    faces = who.model.part("face")
    centre = who.model.rest[who.model.triangles[faces]].mean(1)
    spots = np.clip((who.model.uvs[who.model.triangle_uvs[faces]].mean(1) * 256).astype(int), 0, 255)
    colours = tinted.albedo.pixels[spots[:, 1], spots[:, 0]].astype(float)
    skull = find_skull(who.model, who.model.rest)
    crown, cheeks = skull.height(centre) > 1.7, (skull.height(centre) < 0.3) & (centre[:, 2] > 0.07)
    assert np.abs(np.median(colours[crown], axis=0) - BROWN).max() < 45
    np.testing.assert_array_equal(np.median(colours[cheeks], axis=0), SKIN)
    assert tint_scalp(who.model, who.fitted, who.skin, None) is who.skin


def test_short_hair_thins_out_on_the_skin_instead_of_ending_at_an_edge() -> None:
    who, grown = sitter("short"), hair("short")
    assert grown is not None
    texels, opacity, _ = draw_follicles(who.model, who.fitted, grown, 512)
    scalp = find_scalp(who.model, 512)
    places = np.full((512 * 512, 3), np.nan, np.float32)
    places[scalp.texels] = np.einsum("nc,ncd->nd", scalp.barycentric, who.fitted.neutral[scalp.corners])
    shown = np.zeros(512 * 512, np.float32)
    shown[texels] = opacity
    skull = grown.style.skull
    azimuth, height = skull.azimuth(places[scalp.texels]), skull.height(places[scalp.texels])
    over_mm = 1000 * skull.iod_m * (height - grown.style.line(azimuth))
    for side in ((np.abs(azimuth) < 30), (np.abs(azimuth) > 150)):
        dense = [shown[scalp.texels][side & (np.abs(over_mm - at) < 1.5)].mean() for at in (-25, -3, 3, 6, 40)]
        assert dense[0] < 0.02
        assert dense[-1] > 0.85
        assert (np.diff(dense) > 0).all()
    # Single hairs, no wash: at one height beside the sideburn some texels are far more hair than others.
    sideburn = shown[scalp.texels][(np.abs(np.abs(azimuth) - 70) < 4) & (np.abs(over_mm + 5) < 1.5)]
    assert np.percentile(sideburn, 90) > 2 * np.percentile(sideburn, 10)
