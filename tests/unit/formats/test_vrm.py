"""What a .vrm says: rights that were asked for, expressions of ARKit's shapes, gaze, springs, and the avatar that went in."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from avatar3d.cli import main
from avatar3d.core.avatar import Avatar, Skeleton
from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES
from avatar3d.core.errors import InputError, UsageError
from avatar3d.core.vrm import EMOTIONS, PRESETS, PRESETS_0, VOWELS, custom_expressions, preset_expressions
from avatar3d.formats.glb import read_glb
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.vrm import VrmParams, VrmVersion, encode_vrm, load_vrm
from avatar3d.formats.vrm_meta import CHOICES, RESTRICTIVE, answered, read_answers
from avatar3d.formats.vrm_parts import HIT_RADIUS_M, eyes_from_head, springs
from avatar3d.rig.humanoid import as_humanoid
from tests.synthetic import synthetic_avatar
from tests.unit.formats.vrm_examples import META, hairy_egg

VERSIONS: tuple[VrmVersion, ...] = ("1.0", "0.x")


def extensions(folder: Path, avatar: Avatar | None = None, params: VrmParams | None = None) -> dict[str, Any]:
    file = folder / "a.vrm"
    file.write_bytes(encode_vrm(avatar or hairy_egg(), META, params))
    return read_glb(file).json["extensions"]


def test_the_presets_are_what_the_fit_gives() -> None:
    from tools import fit_vrm_presets

    text, table = fit_vrm_presets.text()
    assert fit_vrm_presets.FILE.read_text(encoding="utf-8") == text
    presets = json.loads(text)["presets"]
    assert max(presets[name]["mean_mm"] for name in VOWELS) < 1.0
    assert max(presets[name]["worst_mm"] for name in VOWELS) < 4.0
    assert all(presets[name]["worst_mm"] == 0 for name in EMOTIONS)
    assert "48 phones" in table


def test_there_are_18_presets_and_52_customs_and_no_name_twice() -> None:
    presets, customs = preset_expressions(), custom_expressions("perfect-sync", tongue=False)
    assert tuple(presets) == PRESETS
    assert (len(presets), len(customs)) == (18, 52)
    assert len({name.lower() for name in (*presets, *customs)}) == 70
    assert set(PRESETS) - set(PRESETS_0) == {"surprised"}
    assert all(
        0 < weight <= 1 and shape in ARKIT_NAMES for each in presets.values() for shape, weight in each.weights.items()
    )


def test_a_surprised_mouth_and_a_speaking_one_do_not_add_up() -> None:
    presets = preset_expressions()
    assert presets["surprised"].override_mouth == "blend"
    assert presets["happy"].override_mouth == "none"  # people speak while they smile
    customs = custom_expressions("perfect-sync", tongue=True)
    assert (
        customs["JawOpen"].override_mouth
        == customs["EyeBlinkLeft"].override_blink
        == customs["EyeLookUpLeft"].override_look
        == "blend"
    )
    assert customs["TongueUp"].weights == {"tongueUp": 1.0}


@pytest.mark.parametrize("version", VERSIONS)
def test_an_avatar_comes_back_to_the_bit_and_the_same_avatar_gives_the_same_bytes(
    version: VrmVersion, tmp_path: Path
) -> None:
    avatar = hairy_egg()
    content = encode_vrm(avatar, META, VrmParams(version))
    file = tmp_path / "egg.vrm"
    file.write_bytes(content)
    back = load_vrm(file)
    assert back.skeleton.names == avatar.skeleton.names
    assert back.extras == avatar.extras
    for old, new in zip(avatar.meshes, back.meshes, strict=True):
        np.testing.assert_array_equal(new.positions, old.positions)
        np.testing.assert_array_equal(new.morphs, old.morphs)
    assert encode_vrm(as_humanoid(back), META, VrmParams(version)) == content


def test_vrm_0_looks_to_minus_z_and_its_places_are_in_unitys_axes(tmp_path: Path) -> None:
    avatar = hairy_egg()
    one_sided = replace(
        avatar, skeleton=replace(avatar.skeleton, positions=avatar.skeleton.positions + _only(avatar, "leftEye", 0.01))
    )
    told = extensions(tmp_path, one_sided, VrmParams("0.x"))["VRM"]
    nodes = read_glb(tmp_path / "a.vrm").json["nodes"]
    assert next(node for node in nodes if node["name"] == "leftEye")["translation"][2] < 0
    x, y, z = eyes_from_head(one_sided.skeleton)
    offset = told["firstPerson"]["firstPersonBoneOffset"]
    assert (offset["x"], offset["y"], offset["z"]) == pytest.approx((-x, y, z), abs=1e-6)
    assert x > 0.004


def _only(avatar: Avatar, joint: str, by_m: float) -> np.ndarray:
    shift = np.zeros_like(avatar.skeleton.positions)
    shift[avatar.skeleton.names.index(joint), 0] = by_m
    return shift


def test_what_vrm_does_not_want_is_not_there(tmp_path: Path) -> None:
    extensions(tmp_path)
    document = read_glb(tmp_path / "a.vrm").json
    attributes = {
        key for mesh in document["meshes"] for primitive in mesh["primitives"] for key in primitive["attributes"]
    }
    assert "TANGENT" not in attributes
    assert not {"animations", "cameras"} & document.keys()


def test_the_tongues_shapes_become_expressions_of_their_own(tmp_path: Path) -> None:
    egg = hairy_egg()
    tongue = egg.mesh("tongue")
    longer = replace(
        tongue,
        morph_names=(*ARKIT_NAMES, *TONGUE_NAMES),
        morphs=np.concatenate([tongue.morphs, np.full((4, *tongue.morphs.shape[1:]), 0.01, np.float32)]),
    )
    avatar = replace(egg, meshes=tuple(longer if mesh is tongue else mesh for mesh in egg.meshes))
    custom = extensions(tmp_path, avatar)["VRMC_vrm"]["expressions"]["custom"]
    assert len(custom) == 56
    at = [mesh.name for mesh in avatar.meshes].index("tongue")
    assert custom["TongueUp"]["morphTargetBinds"] == [
        {"node": len(avatar.skeleton.names) + at, "index": 52, "weight": 1.0}
    ]


def test_thumbs_are_called_as_each_version_calls_them(tmp_path: Path) -> None:
    egg = hairy_egg()
    bone, hand = egg.skeleton, egg.skeleton.names.index("leftHand")
    first = len(bone.names)
    thumb = ("leftThumbMetacarpal", "leftThumbProximal", "leftThumbDistal")
    fingers = Skeleton(
        bone.names + thumb,
        np.array([*bone.parents, hand, first, first + 1], np.int32),
        np.concatenate(
            [
                bone.positions,
                bone.positions[[hand] * 3] + np.float32([[0.02, 0, 0.02], [0.04, 0, 0.04], [0.06, 0, 0.06]]),
            ]
        ),
    )
    avatar = replace(egg, skeleton=fingers)
    new = extensions(tmp_path, avatar)["VRMC_vrm"]["humanoid"]["humanBones"]
    old = {
        each["bone"]: each["node"]
        for each in extensions(tmp_path, avatar, VrmParams("0.x"))["VRM"]["humanoid"]["humanBones"]
    }
    assert [new[name]["node"] for name in thumb] == [first, first + 1, first + 2]
    assert [old[name] for name in ("leftThumbProximal", "leftThumbIntermediate", "leftThumbDistal")] == [
        first,
        first + 1,
        first + 2,
    ]


@pytest.mark.parametrize("close", [False, True])
def test_no_collider_pushes_hair_that_rests(close: bool) -> None:
    egg = hairy_egg()
    hair = [at for at, name in enumerate(egg.skeleton.names) if name.startswith("hair")]
    positions = egg.skeleton.positions.copy()
    if close:  # combed back flat: it would begin inside the skull's sphere
        positions[hair] = positions[egg.skeleton.names.index("head")] + np.float32(
            [[0, 0.09, -0.05], [0, 0.08, -0.06], [0, 0.07, -0.07]]
        )
    avatar = replace(egg, skeleton=replace(egg.skeleton, positions=positions))
    swinging = springs(avatar)
    assert swinging.chains == (("hairBack1", "hairBack2", "hairBackTip"),)
    assert swinging.colliders[0].radius_m < springs(egg).colliders[0].radius_m or not close
    for collider in swinging.colliders:
        start = positions[avatar.skeleton.names.index(collider.joint)]
        for centre in collider.spheres(9):
            apart = np.linalg.norm(positions[hair[1:]] - start - centre, axis=1)
            assert apart.min() > collider.radius_m + HIT_RADIUS_M - 1e-6


def test_a_head_without_a_body_is_refused_with_the_joints_it_lacks() -> None:
    with pytest.raises(InputError, match="hips"):
        encode_vrm(synthetic_avatar(), META)


def test_all_open_questions_are_listed_and_none_is_guessed() -> None:
    with pytest.raises(UsageError) as told:
        answered({"avatar_permission": "everyone"})
    for word in ("--author", "--name", "--commercial-usage", "--allow-violent", "--modification"):
        assert word in told.value.message
    assert "--avatar-permission" not in told.value.message
    assert answered({"name": "a", "authors": ("b",)}, restrictive=True).modification == "prohibited"
    with pytest.raises(UsageError, match="--author"):
        answered({"name": "a", "authors": (" ",)}, restrictive=True)
    with pytest.raises(UsageError, match="--other-licence-url"):
        answered({"name": "a", "authors": ("b",), "licence_0": "Other"}, restrictive=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("commercial_usage", "yes"),
        ("allow_violent", "no"),
        ("authors", 7),
        ("authors", "Ana"),
        ("contact", 3),
        ("nonsense", 1),
        ("references", [1]),
    ],
)
def test_a_wrong_answer_is_told_with_the_right_ones(key: str, value: object) -> None:
    with pytest.raises(UsageError, match=key.replace("_", ".")):
        answered({"name": "a", "authors": ("b",), key: value}, restrictive=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"author": "x"}', b"\xff", b"[" * 100_000, b"1" * 100_000])
def test_a_bad_file_of_answers_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_bytes(content)
    with pytest.raises(UsageError) as told:
        read_answers(tmp_path / "meta.json")
    assert told.value.id == "VRM_META"


def test_the_options_offer_what_the_noun_allows() -> None:
    from avatar3d.cli.export_vrm import export_vrm

    offered = {each.name: tuple(each.type.choices) for each in export_vrm.params if hasattr(each.type, "choices")}
    assert {key: offered[key] for key in CHOICES} == dict(CHOICES)
    assert set(RESTRICTIVE) <= {each.name for each in export_vrm.params}


def export(*words: str) -> Result:
    return CliRunner().invoke(main, ["export-vrm", *words])


@pytest.fixture
def glb(tmp_path: Path) -> Path:
    return save_glb(synthetic_avatar(), tmp_path / "egg.glb")


def test_the_command_line_asks_then_for_the_licence_and_then_writes(glb: Path) -> None:
    out = glb.with_suffix(".vrm")
    asked = export(str(glb), "-o", str(out))
    assert (asked.exit_code, "VRM_META" in asked.stderr) == (2, True)
    unread = export(str(glb), "-o", str(out), "--restrictive", "--author", "Ana")
    assert (unread.exit_code, "VRM_LICENCE" in unread.stderr) == (2, True)
    assert not out.exists()
    coarse = export(str(glb), "-o", str(out), "--version", "0.x", "--author", "Ana", "--licence-ok", *_all_answered())
    assert (coarse.exit_code, "--licence-0" in coarse.stderr) == (2, True)
    done = export(str(glb), "-o", str(out), "--restrictive", "--author", "Ana", "--licence-ok", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["authors"] == ["Ana"]
    meta = read_glb(out).json["extensions"]["VRMC_vrm"]["meta"]
    assert (meta["authors"], meta["commercialUsage"], meta["name"]) == (["Ana"], "personalNonProfit", "egg")
    assert meta["thumbnailImage"] == len(read_glb(out).json["images"]) - 1


def _all_answered() -> list[str]:
    flags = [f"--no-{key.replace('_', '-')}" for key in RESTRICTIVE if key.startswith("allow_")]
    return flags + [f"--{key.replace('_', '-')}={CHOICES[key][0]}" for key in RESTRICTIVE if key in CHOICES]


def test_answers_may_come_from_a_file_and_options_win(glb: Path) -> None:
    answers, out = glb.with_name("meta.json"), glb.with_suffix(".vrm")
    answers.write_text(json.dumps({"authors": ["Ana", "Ben"], "commercialUsage": "corporation", "name": "Me"}))
    done = export(str(glb), "-o", str(out), "--meta", str(answers), "--restrictive", "--licence-ok", "--name", "You")
    assert done.exit_code == 0
    meta = read_glb(out).json["extensions"]["VRMC_vrm"]["meta"]
    assert (meta["authors"], meta["commercialUsage"], meta["name"]) == (["Ana", "Ben"], "corporation", "You")


def test_avatars_save_themselves_as_vrm_only_with_a_meta(tmp_path: Path) -> None:
    from avatar3d.exporting_vrm import save_vrm

    with pytest.raises(UsageError, match="who made it"):
        save_vrm(synthetic_avatar(), tmp_path / "egg.vrm")
    synthetic_avatar().save(tmp_path / "egg.vrm", meta=META, thumbnail=False)
    assert Avatar.load(tmp_path / "egg.vrm").skeleton.names[:2] == ("root", "hips")
