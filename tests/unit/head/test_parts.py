"""The head's own parts as their modellers hand them over. Needs the measured head of the shared inputs."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX

NAMES = ["eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth", "lashes", "brows"]


@pytest.fixture(scope="module")
def measured(shared: Path):
    from tools.head.parts.source import load_ict_source

    path = shared / "head/ict_facekit.npz"
    if not path.is_file():
        pytest.skip(f"the measured head is not there: {path}")
    return load_ict_source(path)


@pytest.fixture(scope="module")
def parts(measured):
    from tools.head.parts.build import build_parts

    return {part.name: part for part in build_parts(measured)}


def test_all_parts_come_in_order_and_within_the_vertex_budget(parts) -> None:
    assert list(parts) == NAMES
    assert sum(len(part.vertices) for part in parts.values()) <= 4_000


def test_every_polygon_has_its_texture_corner_inside_the_unit_square(parts) -> None:
    for part in parts.values():
        assert ((part.polygons < 0) == (part.polygon_uvs < 0)).all(), part.name
        assert part.polygons.max() < len(part.vertices), part.name
        assert part.polygon_uvs.max() < len(part.uvs), part.name
        assert part.uvs.min() >= 0, part.name
        assert part.uvs.max() <= 1, part.name


def test_parts_are_symmetric_and_know_their_mirror_vertices(parts) -> None:
    flip = np.array([-1, 1, 1], np.float32)
    for part in parts.values():
        other = {"eyeLeft": "eyeRight", "eyeRight": "eyeLeft"}.get(part.name, part.name)
        np.testing.assert_allclose(part.vertices * flip, parts[other].vertices[part.mirror], atol=1e-6)


def test_joint_weights_sum_to_one_over_at_most_four_joints(parts) -> None:
    for part in parts.values():
        assert len(part.joint_weights) <= 4
        np.testing.assert_allclose(sum(part.joint_weights.values()), 1, atol=1e-5, err_msg=part.name)


def test_upper_teeth_never_move_and_lower_teeth_move_as_measured(parts, measured) -> None:
    from tools.head.parts.teeth import jaw_vertices

    assert not parts["teethUpper"].expression.any()
    lower, source = parts["teethLower"], jaw_vertices(measured, upper=False)
    moving = {name for name, index in ARKIT_INDEX.items() if np.abs(lower.expression[index]).max() > 1e-6}
    assert moving == {"jawOpen", "jawForward", "jawLeft", "jawRight", "tongueOut"}
    for name in moving - {"tongueOut"}:
        # Both are one rigid motion, so the affine map through the measured teeth must carry ours.
        shape = ARKIT_INDEX[name]
        rows = np.c_[measured.mean[source], np.ones(len(source))].astype(np.float64)
        motion = np.linalg.lstsq(rows, measured.expression[shape][source].astype(np.float64), rcond=None)[0]
        wanted = np.c_[lower.vertices, np.ones(len(lower.vertices))] @ motion
        np.testing.assert_allclose(lower.expression[shape], wanted, atol=4e-4, err_msg=name)


def test_eyes_only_turn_and_only_for_looking(parts) -> None:
    for side in ("Left", "Right"):
        eye = parts[f"eye{side}"]
        centre = (eye.vertices[[0, -1]]).mean(0)
        moving = {name for name, index in ARKIT_INDEX.items() if np.abs(eye.expression[index]).max() > 1e-7}
        assert moving == {f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out")}
        down = eye.vertices[0] + eye.expression[ARKIT_INDEX[f"eyeLookDown{side}"]][0]
        inward = eye.vertices[0] + eye.expression[ARKIT_INDEX[f"eyeLookIn{side}"]][0]
        assert down[1] < eye.vertices[0][1] - 5e-3
        assert abs(inward[0]) < abs(eye.vertices[0][0]) - 5e-3
        radii = np.linalg.norm(eye.vertices - centre, axis=1)
        assert 13.5e-3 < radii.min() < radii.max() < 17e-3


def test_the_pupil_is_in_the_middle_of_the_eye_texture(parts) -> None:
    for side in ("Left", "Right"):
        eye = parts[f"eye{side}"]
        front = int(eye.vertices[:, 2].argmax())
        corner = eye.polygon_uvs[eye.polygons == front]
        np.testing.assert_allclose(eye.uvs[corner], 0.5, atol=1e-6)


def test_the_tongue_comes_out_between_the_lips(parts) -> None:
    tongue, lip_front = parts["tongue"], 0.1185
    out = tongue.vertices + tongue.expression[ARKIT_INDEX["tongueOut"]]
    assert tongue.vertices[:, 2].max() < 0.099
    assert out[:, 2].max() > lip_front + 5e-3


def test_closed_pieces_face_outward(parts) -> None:
    for name in ("eyeLeft", "eyeRight", "tongue"):
        part = parts[name]
        local = part.vertices.astype(np.float64) - part.vertices.mean(0)
        quads = part.polygons[part.polygons[:, 3] >= 0]
        triangles = np.concatenate([part.polygons[:, :3], quads[:, [0, 2, 3]]])
        assert np.linalg.det(local[triangles]).sum() > 0, name


def test_teeth_gums_and_palate_show_their_outer_side(parts) -> None:
    from avatar3d.render.raycast import Scene

    for name, looks in (("teethUpper", [(0, 0, -1), (0, 1, -0.3)]), ("teethLower", [(0, 0, -1), (0, -1, -0.3)])):
        part = parts[name]
        quads = part.polygons[part.polygons[:, 3] >= 0]
        triangles = np.concatenate([part.polygons[:, :3], quads[:, [0, 2, 3]]])
        corners = part.vertices[triangles]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        heights = part.vertices[:, 1]
        neck = heights.min() + 0.008 if name == "teethUpper" else heights.max() - 0.008
        for look in looks:
            front = look == looks[0]  # where lips part; above the gum's fold one would see the palate's other side
            middle = np.array([0, neck if front else heights.mean(), part.vertices[:, 2].mean()])
            direction = np.array(look, np.float32) / np.float32(np.linalg.norm(look))
            aside = np.cross(direction, [1, 0, 0])
            step = np.linspace(-0.02, 0.02, 60)
            grid = step[:, None, None] * np.array([1, 0, 0]) + (0.25 if front else 1) * step[None, :, None] * aside
            origins = (middle - 0.2 * direction + grid.reshape(-1, 3)).astype(np.float32)
            hits = Scene(part.vertices, triangles.astype(np.int32)).cast(origins, np.tile(direction, (3600, 1)))
            met = normals[hits.triangle[hits.triangle >= 0]]
            assert len(met) > 300
            assert ((met @ direction) < 0).mean() > 0.99, (name, look)


def test_painted_textures_are_the_ones_shipped() -> None:
    from PIL import Image

    from tools.head.parts.paint import DATA, FILES, texture

    sizes = 0
    for stem, part in {stem: part for part, stem in FILES.items()}.items():
        path = DATA / f"{stem}.png"
        sizes += path.stat().st_size
        with Image.open(path) as shipped:
            difference = np.abs(np.asarray(shipped).astype(int) - texture(part).astype(int))
        assert difference.max() <= 1, stem
    assert sizes < 300_000


def test_the_shipped_head_has_the_parts_that_are_built_here(parts) -> None:
    from avatar3d.head.own import load_own
    from tools.build_head import with_parts

    shipped = load_own()
    again = with_parts(shipped, list(parts.values()))
    np.testing.assert_allclose(again.rest, shipped.rest, atol=1e-7)
    np.testing.assert_allclose(again.expression, shipped.expression, atol=1e-4)


def test_gum_leaves_the_front_of_a_tooth_free(measured) -> None:
    from tools.head.parts.dentition import measure_sockets
    from tools.head.parts.gums import MARGIN_ASIDE, build_gum

    sockets = measure_sockets(measured, upper=True)
    gum = build_gum(sockets, upper=True, band=(0.62, 0.99))
    socket = sockets[7]
    out = gum.vertices - socket.edge
    across, height = out @ socket.along / (socket.width / 2), 1 - out @ socket.root / socket.height
    before = np.abs(across) < 0.9 * MARGIN_ASIDE
    assert height[before & (out @ socket.out > 0)].max(initial=-1) < 0.1
