"""VRM 1.0 and 0.x through three-vrm: expressions, bones, gaze, hair and first person; a corrupted file fails each."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.transforms import IDENTITY_WXYZ, quaternion_from_rotation_vector
from avatar3d.core.vrm import preset_expressions
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.vrm import VrmParams, VrmVersion, encode_vrm
from avatar3d.live.dialects import vmc
from avatar3d.rig.humanoid import as_humanoid
from tests.engine.conftest import _node
from tests.engine.motion import Pose, posed_positions
from tests.engine.vrm_motion import (
    TOLERANCE_M,
    SeenVrm,
    assert_bones,
    assert_expressions,
    assert_first_person,
    assert_looks,
    assert_springs,
    expected_expressions,
    see_vrm,
)
from tests.unit.formats.vrm_examples import META, hairy_egg

VERSIONS: tuple[VrmVersion, ...] = ("1.0", "0.x")


@pytest.fixture(scope="session")
def three_vrm() -> list[str]:
    """Command of the reader in three-vrm, which runs in node."""
    return [*_node("@pixiv/three-vrm"), str(Path(__file__).with_name("read_vrm.mjs"))]


@pytest.fixture(scope="module", params=VERSIONS)
def seen_egg(
    request: pytest.FixtureRequest, three_vrm: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Avatar, Path, SeenVrm]:
    avatar, folder = hairy_egg(), tmp_path_factory.mktemp("vrm")
    file = folder / "egg.vrm"
    file.write_bytes(encode_vrm(avatar, META, VrmParams(request.param)))
    return request.param, avatar, file, see(three_vrm, avatar, file, folder, request.param)


def names_of(avatar: Avatar, version: str) -> list[str]:
    return list(expected_expressions(avatar, of_0=version == "0.x"))


def see(command: list[str], avatar: Avatar, file: Path, folder: Path, version: str) -> SeenVrm:
    faces = [{"weights": {name: 1.0}} for name in names_of(avatar, version)]
    return see_vrm(command, file, folder / "seen", faces, swing=True)


SeenEgg = tuple[str, Avatar, Path, SeenVrm]


def test_all_18_and_52_expressions_move_every_vertex_as_the_shapes_do(seen_egg: SeenEgg) -> None:
    version, avatar, _, seen = seen_egg
    assert len(seen.told["expressions"]) == 18 + 52
    assert seen.told["warnings"] == []
    assert_expressions(avatar, seen, names_of(avatar, version), of_0=version == "0.x")


def test_winking_left_closes_the_eye_on_the_persons_left(seen_egg: SeenEgg) -> None:
    version, avatar, _, seen = seen_egg
    rows = seen.rows[0]
    moved = np.linalg.norm(rows[1 + names_of(avatar, version).index("blinkLeft")] - rows[0], axis=1)
    assert rows[0][moved > 0.5 * moved.max(), 0].min() > 0.01


def test_the_humanoid_is_found_bone_by_bone(seen_egg: SeenEgg) -> None:
    assert_bones(seen_egg[1], seen_egg[3])


def test_the_eyes_look_where_they_are_told(seen_egg: SeenEgg) -> None:
    assert_looks(seen_egg[3])


def test_hair_swings_when_the_head_tilts(seen_egg: SeenEgg) -> None:
    assert_springs(seen_egg[3])


def test_the_wearer_does_not_see_the_inside_of_the_head(seen_egg: SeenEgg) -> None:
    assert_first_person(seen_egg[1], seen_egg[3])


def test_the_answers_about_rights_arrive(seen_egg: SeenEgg) -> None:
    version, _, _, seen = seen_egg
    meta = seen.told["meta"]
    if version == "1.0":
        assert (meta["authors"], meta["avatarPermission"], meta["allowRedistribution"]) == (
            ["Somebody"],
            "onlyAuthor",
            False,
        )
    else:
        assert (meta["author"], meta["allowedUserName"], meta["licenseName"]) == (
            "Somebody",
            "OnlyAuthor",
            "Redistribution_Prohibited",
        )


@pytest.mark.engine
def test_mtoon_is_what_three_vrm_draws_with_when_asked(three_vrm: list[str], tmp_path: Path) -> None:
    for version in VERSIONS:
        file = tmp_path / f"{version}.vrm"
        file.write_bytes(encode_vrm(hairy_egg(), META, VrmParams(version, mtoon=True)))
        seen = see_vrm(three_vrm, file, tmp_path / version)
        assert set(seen.told["materials"]) == {"ShaderMaterial"}


Extensions = dict[str, Any]


def _shift_a_morph(document: dict[str, Any], _extension: Extensions, binary: bytearray) -> None:
    target = document["meshes"][0]["primitives"][0]["targets"][ARKIT_NAMES.index("mouthPucker")]["POSITION"]
    place = document["bufferViews"][document["accessors"][target]["bufferView"]]
    numbers = np.frombuffer(binary, "<f4", place["byteLength"] // 4, place["byteOffset"])
    numbers[int(np.argmax(np.abs(numbers)))] += 2e-5


def _swap_blinks(_document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    if "expressions" in extension:
        preset = extension["expressions"]["preset"]
        preset["blinkLeft"], preset["blinkRight"] = preset["blinkRight"], preset["blinkLeft"]
    else:
        clips = {clip["name"]: clip for clip in extension["blendShapeMaster"]["blendShapeGroups"]}
        clips["Blink_L"]["binds"], clips["Blink_R"]["binds"] = clips["Blink_R"]["binds"], clips["Blink_L"]["binds"]


def _forget_an_expression(_document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    if "expressions" in extension:
        del extension["expressions"]["custom"]["JawOpen"]
    else:
        clips = extension["blendShapeMaster"]["blendShapeGroups"]
        clips[:] = [clip for clip in clips if clip["name"] != "JawOpen"]


def _bones(extension: Extensions) -> dict[str, dict[str, Any]]:
    told = extension["humanoid"]["humanBones"]
    return told if isinstance(told, dict) else {bone["bone"]: bone for bone in told}


def _swap_hands(_document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    bones = _bones(extension)
    bones["leftHand"]["node"], bones["rightHand"]["node"] = bones["rightHand"]["node"], bones["leftHand"]["node"]


def _cross_the_eyes(_document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    if "lookAt" in extension:
        extension["lookAt"]["rangeMapHorizontalInner"]["outputScale"] = 10
    else:
        extension["firstPerson"]["lookAtHorizontalInner"]["yRange"] = 10


def _stiffen_the_hair(document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    if "secondaryAnimation" in extension:
        extension["secondaryAnimation"]["boneGroups"] = []
    else:
        document["extensions"]["VRMC_springBone"]["springs"] = []


def _show_the_teeth(_document: dict[str, Any], extension: Extensions, _binary: bytearray) -> None:
    note = extension["firstPerson"]["meshAnnotations"][3]
    note.update({"type": "both"} if "type" in note else {"firstPersonFlag": "Both"})


FAULTS: dict[str, tuple[Callable[[dict[str, Any], Extensions, bytearray], None], str]] = {
    "a morph that is off by 20 micrometres": (_shift_a_morph, "expressions"),
    "blinks that are swapped": (_swap_blinks, "expressions"),
    "an expression that is absent": (_forget_an_expression, "expressions"),
    "hands that are swapped": (_swap_hands, "bones"),
    "eyes that cross": (_cross_the_eyes, "looks"),
    "hair without springs": (_stiffen_the_hair, "springs"),
    "teeth before the wearer's eyes": (_show_the_teeth, "first person"),
}


@pytest.mark.engine
@pytest.mark.parametrize("fault", FAULTS)
def test_a_corrupted_file_is_caught(fault: str, seen_egg: SeenEgg, three_vrm: list[str], tmp_path: Path) -> None:
    version, avatar, file, _ = seen_egg
    plant, where = FAULTS[fault]
    names = names_of(avatar, version)
    document = read_glb(file)
    binary = bytearray(document.binary)
    plant(
        document.json,
        next(value for key, value in document.json["extensions"].items() if key in ("VRM", "VRMC_vrm")),
        binary,
    )
    broken = tmp_path / "broken.vrm"
    broken.write_bytes(glb_bytes(document.json, bytes(binary)))
    present = [name for name in names if fault != "an expression that is absent" or name != "JawOpen"]
    faces = [{"weights": {name: 1.0}} for name in present] if where == "expressions" else []
    seen = see_vrm(three_vrm, broken, tmp_path / "seen", faces, swing=where == "springs")
    with pytest.raises(AssertionError):
        {
            "expressions": lambda: assert_expressions(avatar, seen, present, of_0=version == "0.x"),
            "bones": lambda: assert_bones(avatar, seen),
            "looks": lambda: assert_looks(seen),
            "springs": lambda: assert_springs(seen),
            "first person": lambda: assert_first_person(avatar, seen),
        }[where]()


def test_three_vrm_refuses_a_humanoid_without_hips(seen_egg: SeenEgg, three_vrm: list[str], tmp_path: Path) -> None:
    document = read_glb(seen_egg[2])
    extension = next(value for key, value in document.json["extensions"].items() if key in ("VRM", "VRMC_vrm"))
    told = extension["humanoid"]["humanBones"]
    extension["humanoid"]["humanBones"] = (
        {bone: node for bone, node in told.items() if bone != "hips"}
        if isinstance(told, dict)
        else [each for each in told if each["bone"] != "hips"]
    )
    broken = tmp_path / "broken.vrm"
    broken.write_bytes(glb_bytes(document.json, document.binary))
    with pytest.raises(AssertionError, match="hips"):
        see_vrm(three_vrm, broken, tmp_path / "seen")


def a_frame() -> Frame:
    """Weights as a camera gives them, all on; the head turned left, down and a little to the side; eyes ahead."""
    weights = np.random.default_rng(8).uniform(0.05, 0.6, len(ARKIT_NAMES)).astype(np.float32)
    return Frame(
        1.0,
        weights,
        quaternion_from_rotation_vector(np.array([0.2, 0.3, -0.1], np.float32)),
        IDENTITY_WXYZ,
        IDENTITY_WXYZ,
    )


def heard(packets: list[bytes]) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Names and weights, bones and their quaternions (xyzw, Unity's axes), as python-osc reads them."""
    from pythonosc.osc_bundle import OscBundle

    weights, bones = dict[str, float](), dict[str, list[float]]()
    for packet in packets:
        for message in OscBundle(packet):
            if message.address == "/VMC/Ext/Blend/Val":
                weights[message.params[0]] = message.params[1]
            elif message.address == "/VMC/Ext/Bone/Pos":
                bones[message.params[0]] = message.params[4:]
    return weights, bones


@pytest.mark.parametrize(
    ("version", "file_names", "sent_names"),
    [("1.0", "perfect-sync", "arkit"), ("1.0", "arkit", "camel"), ("1.0", "perfect-sync", "vrm1"), ("0.x", "perfect-sync", "arkit"), ("0.x", "perfect-sync", "vrm0")],
)  # fmt: skip
def test_our_vmc_bytes_move_the_vertices_to_where_the_frame_says(
    version: VrmVersion, file_names: Any, sent_names: str, three_vrm: list[str], tmp_path: Path
) -> None:
    avatar, frame = hairy_egg(), a_frame()
    file = tmp_path / "egg.vrm"
    file.write_bytes(encode_vrm(avatar, META, VrmParams(version, custom_names=file_names)))
    weights, bones = heard(vmc.encode(frame, names=sent_names))
    x, y, z, w = bones["Head"]
    # Unity's axes are the file's with x (1.0) or z (0.x) turned about; a mirrored axis turns the two other ways.
    head = [x, -y, -z, w] if version == "1.0" else [-x, -y, z, w]
    seen = see_vrm(three_vrm, file, tmp_path / "seen", [{"weights": weights, "bones": {"head": head}}])
    shown = frame.weights
    if sent_names.startswith("vrm"):  # five vowels, blinks and looks are all that these names can say
        by_name = dict(
            zip(
                (
                    "aa",
                    "ih",
                    "ou",
                    "ee",
                    "oh",
                    "blink",
                    "blinkLeft",
                    "blinkRight",
                    "lookUp",
                    "lookDown",
                    "lookLeft",
                    "lookRight",
                ),
                weights.values(),
                strict=True,
            )
        )
        shown = sum(np.float32(weight) * preset_expressions()[name].vector() for name, weight in by_name.items())
    pose = Pose({"head": (0.2, 0.3, -0.1)}, dict(zip(ARKIT_NAMES, np.asarray(shown).tolist(), strict=True)))
    for mesh, rows in zip(avatar.meshes, seen.rows, strict=True):
        error = np.linalg.norm(rows[1] - posed_positions(mesh, avatar.skeleton, pose), axis=1)
        assert error.max() < TOLERANCE_M, f"{mesh.name}: vertex {int(error.argmax())} is off by {error.max():.2e} m"


def test_a_wrong_weight_in_the_packets_is_caught(three_vrm: list[str], tmp_path: Path) -> None:
    avatar, frame = hairy_egg(), a_frame()
    file = tmp_path / "egg.vrm"
    file.write_bytes(encode_vrm(avatar, META))
    weights, _ = heard(vmc.encode(frame))
    weights["MouthSmileLeft"], weights["MouthSmileRight"] = weights["MouthSmileRight"], weights["MouthSmileLeft"]
    face: Mesh = avatar.meshes[0]
    seen = see_vrm(three_vrm, file, tmp_path / "seen", [{"weights": weights}])
    expected = face.positions + np.tensordot(frame.weights, face.morphs, 1)
    assert np.linalg.norm(seen.rows[0][1] - expected, axis=1).max() > TOLERANCE_M


@pytest.mark.engine
@pytest.mark.parametrize("version", VERSIONS)
def test_a_created_head_moves_the_same_as_vrm(
    version: VrmVersion, created_avatar: Avatar, three_vrm: list[str], tmp_path: Path
) -> None:
    avatar = as_humanoid(created_avatar)
    file = tmp_path / "a.vrm"
    file.write_bytes(encode_vrm(avatar, META, VrmParams(version)))
    names = names_of(avatar, version)
    seen = see_vrm(three_vrm, file, tmp_path / "seen", [{"weights": {name: 1.0}} for name in names])
    worst = assert_expressions(avatar, seen, names, of_0=version == "0.x")
    assert_bones(avatar, seen)
    assert_looks(seen)
    print(json.dumps({"version": version, "expressions": len(names), "worst_m": worst}))


@pytest.mark.engine
def test_both_versions_look_the_same_in_a_browser(created_avatar: Avatar, three: list[str], tmp_path: Path) -> None:
    """Turned, mirrored or wrongly bound files would not: the person winks with the left eye and looks to the left."""
    from PIL import Image

    views = {"calm": {}, "wink": {"weights": {"blinkLeft": 1.0, "aa": 1.0}, "look": [20, 0], "yaw": 20}}
    (tmp_path / "views.json").write_text(json.dumps(views))
    drawn: dict[str, list[np.ndarray]] = {}
    for version in VERSIONS:
        file = tmp_path / f"{version}.vrm"
        file.write_bytes(encode_vrm(as_humanoid(created_avatar), META, VrmParams(version)))
        script = str(Path(__file__).with_name("screenshot_vrm.mjs"))
        command = [three[0], script, str(file), str(tmp_path / version), str(tmp_path / "views.json"), "256"]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        pictures = [Image.open(tmp_path / version / f"{view}.png").convert("RGB") for view in views]
        drawn[version] = [np.asarray(picture, np.float32) for picture in pictures]
    calm, wink = drawn["1.0"]
    assert np.abs(calm - wink).mean() > 3
    assert np.abs(wink - wink[:, ::-1]).mean() > 3
    for one, other in zip(drawn["1.0"], drawn["0.x"], strict=True):
        assert np.abs(one - other).mean() < 0.5
