"""A face that somebody sculpted, remeshed or cut has its shapes again: measured in every pose, through the command line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.carry.sheet import Sheet, welded
from avatar3d.cli import main
from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.edited import EditedMesh, HeldMesh
from avatar3d.core.errors import UnreadableError
from avatar3d.formats.edited_npz import write_arrays
from avatar3d.formats.gltf import save_glb
from avatar3d.head.load import load_head_model
from avatar3d.rederiving import Rederivation, rederive
from avatar3d.rig.assemble import rig_neutral
from avatar3d.rig.follow import shown_neutral
from avatar3d.rig.surface import split_part
from bench.rederive import bare_avatar, measure, sculpted_alike
from bench.remeshes import METHODS, as_edited, cut, decimated, face_sheet, fused, retriangulated, sculpt, subdivided


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return bare_avatar(3)


@pytest.fixture(scope="module")
def own(avatar: Avatar) -> Sheet:
    return face_sheet(avatar)


def kept_topology(avatar: Avatar, points: np.ndarray) -> EditedMesh:
    face = avatar.mesh("face")
    return as_edited(points, face.triangles, np.arange(len(points)))


def levels(made: Rederivation) -> set[str]:
    return {each["level"] for each in made.report["contacts"]}


@pytest.mark.parametrize("name", ["retriangulated", "decimated to 70 %"])
def test_a_remeshed_face_poses_as_the_face_it_was_made_of(avatar: Avatar, own: Sheet, name: str) -> None:
    row = measure(avatar, avatar, METHODS[name](own, 2), every=3)
    assert row["median_mm"] < 0.05
    assert row["p95_mm"] < 0.5
    assert row["contacts"] == 3
    assert row["cpu_s"] < 30
    assert not any("joined" in said for said in row["warnings"])


def test_a_face_sculpted_and_then_remeshed_poses_as_the_sculpted_one(avatar: Avatar) -> None:
    truth, carved = sculpted_alike(avatar, 2)
    row = measure(avatar, truth, retriangulated(carved, 2), every=3)
    assert row["median_mm"] < 0.2
    assert row["contacts"] == 3


def test_the_same_mesh_gets_its_own_shapes_back_to_the_bit(avatar: Avatar) -> None:
    face = avatar.mesh("face")
    made = rederive(avatar, kept_topology(avatar, face.positions))
    np.testing.assert_array_equal(made.derived.shapes, face.morphs)
    np.testing.assert_allclose(made.derived.weights.sum(1), 1, atol=1e-6)
    assert made.avatar is avatar
    dense, again = (np.zeros((len(face.positions), 7)) for _ in range(2))
    np.add.at(dense, (np.arange(len(dense))[:, None], face.joints), face.weights)
    np.add.at(again, (np.arange(len(dense))[:, None], made.derived.joints), made.derived.weights)
    np.testing.assert_allclose(again, dense, atol=1e-6)


def test_what_is_between_old_vertices_moves_as_what_is_beside_it(avatar: Avatar, own: Sheet) -> None:
    fine = subdivided(own)
    made = rederive(avatar, as_edited(fine.points, fine.triangles))
    report = made.report["shape_error_mm"]
    assert report["median"] < 0.001
    assert report["p95"] < 0.01
    assert made.report["filled_share"] < 0.001


def test_locked_shapes_are_kept_to_the_bit_and_others_are_not_disturbed(avatar: Avatar, own: Sheet) -> None:
    mesh = retriangulated(own, 4)
    plain = as_edited(mesh.points, mesh.triangles)
    locked = np.random.default_rng(0).normal(0, 0.002, (2, len(mesh.points), 3)).astype(np.float32)
    made = rederive(avatar, EditedMesh(**{**vars(plain), "locked_names": ("jawOpen", "scar"), "locked": locked}))
    names = made.derived.names
    assert names == (*ARKIT_NAMES, "scar")
    np.testing.assert_array_equal(made.derived.shapes[names.index("jawOpen")], locked[0])
    np.testing.assert_array_equal(made.derived.shapes[names.index("scar")], locked[1])
    free = [row for row, name in enumerate(ARKIT_NAMES) if name != "jawOpen"]
    np.testing.assert_array_equal(made.derived.shapes[free], rederive(avatar, plain).derived.shapes[free])
    assert made.report["locked"] == ["jawOpen", "scar"]


def test_a_locked_shape_of_the_old_mesh_parts_the_lips_of_the_new_one(avatar: Avatar, own: Sheet) -> None:
    face, mesh = avatar.mesh("face"), retriangulated(own, 4)
    _, number = welded(face.positions, face.triangles)
    rows = np.unique(number, return_index=True)[1].astype(np.int32)
    sculpted = 1.2 * face.morphs[ARKIT_NAMES.index("jawOpen")][rows]
    plain = as_edited(mesh.points, mesh.triangles)
    told = {"locked_names": ("jawOpen",), "locked_rows": rows, "locked_own": sculpted[None].astype(np.float32)}
    made = rederive(avatar, EditedMesh(**{**vars(plain), "locked": plain.locked[:0], **told}))
    opened = rederive(avatar, plain).derived.shapes[ARKIT_NAMES.index("jawOpen")]
    np.testing.assert_allclose(made.derived.shapes[ARKIT_NAMES.index("jawOpen")], 1.2 * opened, atol=1e-5)


def test_a_locked_shape_of_a_head_remeshed_before_parts_the_lips_of_the_next_one(avatar: Avatar, own: Sheet) -> None:
    before, mesh = retriangulated(own, 4), retriangulated(own, 5)
    middle = rederive(avatar, as_edited(before.points, before.triangles)).derived
    parted = np.stack([middle.shapes[ARKIT_INDEX[name]] for name in ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")])
    held = HeldMesh(before.points.astype(np.float32), before.triangles.astype(np.int32), parted)
    plain = as_edited(mesh.points, mesh.triangles)
    told = {"locked_names": ("jawOpen",), "locked_own": 1.2 * parted[:1], "held": held}
    made = rederive(avatar, EditedMesh(**{**vars(plain), "locked": plain.locked[:0], **told})).derived.shapes
    opened = rederive(avatar, plain).derived.shapes[ARKIT_INDEX["jawOpen"]]
    off = np.linalg.norm(made[ARKIT_INDEX["jawOpen"]] - 1.2 * opened, axis=1)
    assert np.median(off) < 5e-5
    assert (off > 0.004).sum() <= 5, "but in the corners of the mouth"
    assert off.max() < 0.01, "no vertex goes with the other lip"


def test_painted_weights_stay_where_they_were_painted_and_are_carried_to_a_new_mesh(avatar: Avatar, own: Sheet) -> None:
    face = avatar.mesh("face")
    crown = np.flatnonzero(face.positions[:, 1] > face.positions[:, 1].max() - 0.06).astype(np.int32)
    neck = avatar.skeleton.names.index("neck")
    told = {
        "bone_names": ("neck",), "bone_rows": crown, "bones": np.zeros((len(crown), 4), np.int32),
        "bone_weights": np.tile(np.float32([1, 0, 0, 0]), (len(crown), 1)),
    }  # fmt: skip
    for mesh in (
        kept_topology(avatar, face.positions),
        as_edited(retriangulated(own, 4).points, retriangulated(own, 4).triangles),
    ):
        made = rederive(avatar, EditedMesh(**(vars(mesh) | told))).derived
        of_neck = np.where(made.joints == neck, made.weights, 0).sum(axis=1)
        height = mesh.positions[:, 1].max() - mesh.positions[:, 1]
        np.testing.assert_allclose(of_neck[height < 0.02], 1, atol=1e-5)
        plain = rederive(avatar, mesh).derived
        np.testing.assert_array_equal(made.joints[height > 0.1], plain.joints[height > 0.1])
    direct = {"bone_rows": crown[:0], "bones": np.zeros((len(mesh.positions), 4), np.int32),
              "bone_weights": np.tile(np.float32([1, 0, 0, 0]), (len(mesh.positions), 1))}  # fmt: skip
    made = rederive(avatar, EditedMesh(**(vars(mesh) | told | direct))).derived
    assert (made.joints[:, 0] == neck).all()
    with pytest.raises(UnreadableError, match="tail"):
        rederive(avatar, EditedMesh(**(vars(mesh) | told | direct | {"bone_names": ("tail",)})))


@pytest.mark.parametrize("factor", [0.001, 20.0])
def test_a_mesh_in_other_units_is_refused(avatar: Avatar, own: Sheet, factor: float) -> None:
    with pytest.raises(UnreadableError, match="large"):
        rederive(avatar, as_edited(factor * own.points, own.triangles))


def test_lips_and_lids_of_a_sculpted_face_still_meet_and_the_parts_follow(avatar: Avatar) -> None:
    face = avatar.mesh("face")
    points = face.positions.astype(float)
    mouth = points[np.argmax(points[:, 2])] + [0, -0.03, -0.01]
    near = np.exp(-((points - mouth) ** 2).sum(1) / (2 * 0.03**2))
    made = rederive(avatar, kept_topology(avatar, points + near[:, None] * [0, -0.006, 0.003]))
    assert levels(made) == {"pass"}
    for part in ("teethUpper", "teethLower", "tongue"):
        moved = made.avatar.mesh(part).positions - avatar.mesh(part).positions
        assert -0.006 < moved[:, 1].mean() < -0.002
    for part in ("eyeLeft", "lashes"):
        moved = made.avatar.mesh(part).positions - avatar.mesh(part).positions
        assert np.abs(moved).max() < 0.002
    jaw = avatar.skeleton.names.index("jaw")
    assert made.avatar.skeleton.positions.shape == avatar.skeleton.positions.shape
    assert np.abs(made.avatar.skeleton.positions[jaw] - avatar.skeleton.positions[jaw]).max() < 0.006


def test_a_sculpted_face_opens_its_mouth_as_a_head_of_that_form_does(avatar: Avatar) -> None:
    """The truth: the model's head with all that is around the mouth, teeth too, where the sculptor took the skin."""
    model, face = load_head_model(), avatar.mesh("face")
    bare, mouth = shown_neutral(model, avatar), face.positions[np.argmax(face.positions[:, 2])] + [0, -0.03, -0.01]

    def carved(points: np.ndarray) -> np.ndarray:
        near = np.exp(-((points - mouth) ** 2).sum(1) / (2 * 0.06**2))
        return (points + near[:, None] * [0, -0.006, 0.003]).astype(np.float32)

    made = rederive(avatar, kept_topology(avatar, carved(face.positions)))
    truth = rig_neutral(model, carved(bare)).shapes[:, split_part(model, "face").source]
    for name in ("jawOpen", "mouthFunnel", "mouthSmileLeft", "mouthRight"):
        own, shape, old = (shapes[ARKIT_INDEX[name]] for shapes in (truth, made.derived.shapes, face.morphs))
        off, was = np.linalg.norm(shape - own, axis=1), np.linalg.norm(old - own, axis=1)
        assert was.max() > 0.0002, "else sculpting changes nothing"
        assert np.sqrt((off**2).mean()) < 0.4 * np.sqrt((was**2).mean()), name


def test_skin_raised_by_2_mm_lies_2_mm_away_and_a_plate_in_front_is_filled_in(avatar: Avatar, own: Sheet) -> None:
    tip, count = int(np.argmax(own.points[:, 2])), len(own.points)
    near = np.exp(-((own.points - own.points[tip]) ** 2).sum(1) / (2 * 0.012**2))
    raised = own.points + 0.002 * near[:, None] * own.normals[tip]
    plate = own.points[tip] + np.array(
        [[-0.01, -0.01, 0.03], [0.01, -0.01, 0.03], [0.01, 0.01, 0.03], [-0.01, 0.01, 0.03]]
    )
    made = rederive(
        avatar,
        as_edited(
            np.concatenate([raised, plate]),
            np.concatenate([own.triangles, np.array([[0, 1, 2], [0, 2, 3]]) + count]),
        ),
    )
    away, filled = made.derived.moved_m, made.derived.filled
    assert abs(away[tip] - 0.002) < 0.0003
    assert away[:count][near < 1e-4].max() < 0.0003
    assert np.all((away[count:] > 0.028) & (away[count:] < 0.04))
    assert filled[count:].all()
    assert not filled[:count].any()
    np.testing.assert_allclose(made.report["surface_mm"]["max"], 1000 * away.max(), atol=1e-3)
    np.testing.assert_allclose(made.report["filled_share"], filled.mean(), atol=1e-4)


def test_a_face_cut_to_a_mask_moves_as_it_did_and_the_loss_is_told(avatar: Avatar, own: Sheet) -> None:
    mesh = cut(own)
    made = rederive(avatar, as_edited(mesh.points, mesh.triangles))
    assert made.report["shape_error_mm"]["p95"] < 0.01
    assert any("lacks" in said for said in made.report["warnings"])
    assert levels(made) == {"pass"}


def test_lips_that_were_fused_are_told_and_nothing_is_torn_elsewhere(avatar: Avatar, own: Sheet) -> None:
    mesh = fused(own)
    made = rederive(avatar, as_edited(mesh.points, mesh.triangles))
    assert any("lips are joined by" in said for said in made.report["warnings"])
    assert np.isfinite(made.derived.shapes).all()
    brow = made.derived.shapes[ARKIT_INDEX["browInnerUp"]]
    assert np.abs(brow[mesh.points[:, 1] < -0.05]).max() < 1e-4


def test_skin_with_a_back_side_opens_its_mouth(avatar: Avatar, own: Sheet) -> None:
    """Front and back 2 mm apart, as after Solidify: the back goes with the front."""
    back = own.points - 0.002 * own.normals
    points = np.concatenate([own.points, back])
    triangles = np.concatenate([own.triangles, own.triangles[:, ::-1] + len(own.points)])
    made = rederive(avatar, as_edited(points, triangles))
    jaw = made.derived.shapes[ARKIT_INDEX["jawOpen"]]
    apart = np.linalg.norm(jaw[: len(back)] - jaw[len(back) :], axis=1)
    assert np.percentile(apart, 95) < 0.002
    assert made.report["filled_share"] < 0.02


def test_another_part_is_carried_too(avatar: Avatar) -> None:
    teeth = avatar.mesh("teethLower")
    plain = as_edited(teeth.positions * np.float32(1.0), teeth.triangles, np.arange(len(teeth.positions)))
    made = rederive(avatar, EditedMesh(**{**vars(plain), "part": "teethLower"}))
    np.testing.assert_allclose(made.derived.shapes, teeth.morphs, atol=1e-6)


def test_a_mesh_of_another_avatar_is_refused(avatar: Avatar, own: Sheet) -> None:
    plain = as_edited(own.points, own.triangles)
    for wrong in ({"part": "nose"}, {"source": np.full(len(own.points), 10**6, np.int32)}):
        with pytest.raises(UnreadableError) as caught:
            rederive(avatar, EditedMesh(**{**vars(plain), **wrong}))
        assert caught.value.id == "EDITED_FOREIGN"


def test_vertices_that_cannot_have_been_what_they_say_are_matched_by_place(avatar: Avatar, own: Sheet) -> None:
    mesh = decimated(own, 0.7)
    wrong = rederive(avatar, as_edited(mesh.points, mesh.triangles, np.arange(len(mesh.points))))
    assert any("cannot be" in said for said in wrong.report["warnings"])
    right = rederive(avatar, as_edited(mesh.points, mesh.triangles))
    np.testing.assert_array_equal(wrong.derived.shapes, right.derived.shapes)


def test_a_mesh_without_a_surface_is_refused(avatar: Avatar) -> None:
    with pytest.raises(UnreadableError) as caught:
        rederive(avatar, as_edited(np.zeros((3, 3)), np.array([[0, 1, 2]])))
    assert caught.value.id == "EDITED_INVALID"


def test_the_command_writes_what_blender_reads(
    avatar: Avatar, own: Sheet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mesh = decimated(own.moved(sculpt(own.points, own.normals, 5)), 0.8)
    edited = vars(as_edited(mesh.points, mesh.triangles))
    arrays: dict[str, Any] = {name: edited[name] for name in ("positions", "corners", "polygon_starts", "uvs")}
    write_arrays(tmp_path / "edited.npz", arrays)
    words = [str(save_glb(avatar, tmp_path / "a.glb")), str(tmp_path / "edited.npz"), "-o", str(tmp_path / "r.npz")]
    for _ in range(2):
        with pytest.raises(SystemExit) as left:
            main(["rederive", *words, "--json", "--quiet"])
        assert left.value.code == 0
    first, second = capsys.readouterr().out.splitlines()
    report = json.loads(first)
    result = np.load(tmp_path / "r.npz")
    count = len(mesh.points)
    assert result["names"].tolist() == list(ARKIT_NAMES)
    assert result["shapes"].shape == (52, count, 3)
    assert result["joints"].shape == result["weights"].shape == (count, 4)
    assert result["normals"].shape == (count, 3)
    assert json.loads(str(result["report"]))["part"] == "face"
    assert result["joint_names"].tolist() == list(avatar.skeleton.names)
    for name in result["follow_names"]:
        assert result[f"positions_{name}"].shape == avatar.mesh(name).positions.shape
    told = report["surface_mm"]
    np.testing.assert_allclose(1000 * np.median(result["distance_m"]), told["median"], atol=1e-3)
    np.testing.assert_allclose(1000 * result["distance_m"].max(), told["max"], atol=1e-3)
    assert told["max"] > 1
    np.testing.assert_allclose(result["filled"].mean(), report["filled_share"], atol=1e-4)
    assert {"surface_mm", "shape_error_mm", "filled_share", "contacts", "warnings"} <= set(report)
    timeless = [json.loads(each) | {"seconds": 0} for each in (first, second)]
    assert timeless[0] == timeless[1]


def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path: Path, avatar: Avatar) -> None:
    save_glb(avatar, tmp_path / "a.glb")
    (tmp_path / "edited.npz").write_bytes(b"PK")
    with pytest.raises(SystemExit) as left:
        main(["rederive", str(tmp_path / "a.glb"), str(tmp_path / "edited.npz"), "-o", str(tmp_path / "r.npz"), "-q"])
    assert left.value.code == 10
    assert not (tmp_path / "r.npz").exists()
