"""Every rule of VRM that `check` knows finds a fault planted for it, and says which specification it comes from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from avatar3d.cli import main
from avatar3d.formats.check import check_file
from avatar3d.formats.check_vrm import check_vrm
from avatar3d.formats.check_vrm0 import RULES_0
from avatar3d.formats.check_vrm1 import RULES_1
from avatar3d.formats.glb import GlbDocument, glb_bytes, read_glb
from avatar3d.formats.vrm import VrmParams, VrmVersion, encode_vrm
from tests.unit.formats.vrm_examples import META, hairy_egg

Json = dict[str, Any]
Plant = Callable[[Json, Json], object]
"""Given the document and its VRM extension, breaks something."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A sound file of each version, in toon materials."""
    folder = tmp_path_factory.mktemp("vrm")
    versions: tuple[VrmVersion, ...] = ("1.0", "0.x")
    for version in versions:
        (folder / f"{version}.vrm").write_bytes(encode_vrm(hairy_egg(), META, VrmParams(version, mtoon=True)))
    return {version: folder / f"{version}.vrm" for version in versions}


def springs(document: Json) -> Json:
    return document["extensions"]["VRMC_springBone"]


def toon(document: Json) -> Json:
    return document["materials"][0]["extensions"]["VRMC_materials_mtoon"]


def node(document: Json, name: str) -> Json:
    return next(each for each in document["nodes"] if each["name"] == name)


def bone0(extension: Json, name: str) -> Json:
    return next(each for each in extension["humanoid"]["humanBones"] if each["bone"] == name)


def clip0(extension: Json, name: str) -> Json:
    return next(each for each in extension["blendShapeMaster"]["blendShapeGroups"] if each["name"] == name)


def both_hips(extension: Json) -> None:
    extension["humanoid"]["humanBones"].append(bone0(extension, "hips"))


FAULTS_1: dict[str, list[Plant]] = {
    "version": [lambda d, e: e.update(specVersion="0.9"), lambda d, e: d.update(extensionsUsed=["VRMC_springBone"])],
    "bones": [lambda d, e: e["humanoid"]["humanBones"].pop("leftHand"), lambda d, e: e.pop("humanoid")],
    "bone names": [
        lambda d, e: e["humanoid"]["humanBones"].update(tail={"node": 1}),
        lambda d, e: e["humanoid"]["humanBones"].update(jaw={"node": 999}),
    ],
    "bones once": [lambda d, e: e["humanoid"]["humanBones"]["spine"].update(node=e["humanoid"]["humanBones"]["hips"]["node"])],
    "bone tree": [
        lambda d, e: e["humanoid"]["humanBones"].update(
            leftHand=e["humanoid"]["humanBones"]["leftLowerArm"], leftLowerArm=e["humanoid"]["humanBones"]["leftHand"]
        ),
        lambda d, e: e["humanoid"]["humanBones"].update(leftIndexDistal={"node": len(d["nodes"]) - 1}),
    ],
    "T-pose": [
        lambda d, e: node(d, "leftLowerArm").update(translation=[0, -0.3, 0]),
        lambda d, e: node(d, "hips").update(translation=[0, 2.0, 0]),
        lambda d, e: node(d, "root").update(rotation=[0, 1, 0, 0]),
    ],
    "scale": [lambda d, e: node(d, "hips").update(scale=[1, 2, 1]), lambda d, e: node(d, "hips").update(scale=[-1, -1, -1])],
    "meta": [lambda d, e: e["meta"].update(authors=[""]), lambda d, e: e["meta"].pop("licenseUrl"), lambda d, e: e["meta"].pop("name")],
    "meta choices": [lambda d, e: e["meta"].update(commercialUsage="yes"), lambda d, e: e["meta"].update(allowRedistribution="no")],
    "thumbnail": [lambda d, e: e["meta"].update(thumbnailImage=99)],
    "expressions": [
        lambda d, e: e["expressions"]["preset"].update(joy={}),
        lambda d, e: e["expressions"]["custom"].update(happy={}),
    ],
    "binds": [
        lambda d, e: e["expressions"]["preset"]["aa"]["morphTargetBinds"][0].update(node=0),
        lambda d, e: e["expressions"]["preset"]["aa"]["morphTargetBinds"][0].update(index=52),
        lambda d, e: e["expressions"]["custom"]["JawOpen"]["morphTargetBinds"][0].update(weight=100),
    ],
    "overrides": [lambda d, e: e["expressions"]["preset"]["happy"].update(overrideMouth="mute")],
    "all presets": [lambda d, e: e["expressions"]["preset"].pop("surprised")],
    "look-at": [
        lambda d, e: e["lookAt"].update(type="bones"),
        lambda d, e: e["lookAt"]["rangeMapVerticalUp"].update(inputMaxValue=0),
        lambda d, e: e["humanoid"]["humanBones"].pop("leftEye"),
    ],
    "first person": [
        lambda d, e: e["firstPerson"]["meshAnnotations"][0].update(node=0),
        lambda d, e: e["firstPerson"]["meshAnnotations"][0].update(type="never"),
    ],
    "springs": [
        lambda d, e: springs(d)["springs"][0]["joints"].reverse(),
        lambda d, e: springs(d)["springs"].append(springs(d)["springs"][0]),
        lambda d, e: springs(d).pop("specVersion"),
    ],
    "spring forces": [
        lambda d, e: springs(d)["springs"][0]["joints"][0].update(hitRadius=-0.01),
        lambda d, e: springs(d)["springs"][0]["joints"][0].update(dragForce=1.5),
    ],
    "colliders": [
        lambda d, e: springs(d)["colliders"][0]["shape"]["sphere"].update(radius=-1),
        lambda d, e: springs(d)["springs"][0].update(colliderGroups=[4]),
    ],
    "mtoon": [lambda d, e: toon(d).update(outlineWidthFactor=-0.001), lambda d, e: toon(d).pop("specVersion")],
    "unused": [lambda d, e: d.update(animations=[{}]), lambda d, e: d.update(cameras=[{}])],
    "tangents": [lambda d, e: d["meshes"][0]["primitives"][0]["attributes"].update(TANGENT=0)],
}  # fmt: skip
FAULTS_0: dict[str, list[Plant]] = {
    "version": [lambda d, e: d.update(extensionsUsed=["KHR_materials_unlit"])],
    "bones": [lambda d, e: bone0(e, "chest").update(bone="upperChest")],
    "bone names": [lambda d, e: bone0(e, "jaw").update(bone="tail"), lambda d, e: bone0(e, "jaw").update(node=-1)],
    "bones once": [lambda d, e: both_hips(e)],
    "bone tree": [lambda d, e: (bone0(e, "leftHand").update(bone="x"), bone0(e, "leftFoot").update(bone="leftHand"))],
    "T-pose": [lambda d, e: node(d, "leftLowerArm").update(translation=[0.3, 0, 0])],
    "bone rest": [lambda d, e: node(d, "hips").update(rotation=[0, 1, 0, 0])],
    "meta": [lambda d, e: e["meta"].update(author=""), lambda d, e: e["meta"].update(licenseName="MIT"), lambda d, e: e["meta"].update(licenseName="Other")],
    "expressions": [lambda d, e: clip0(e, "A").update(presetName="aa"), lambda d, e: clip0(e, "JawOpen").update(name="JAWLEFT")],
    "binds": [lambda d, e: clip0(e, "A")["binds"][0].update(index=52), lambda d, e: clip0(e, "A")["binds"][0].update(weight=-1)],
    "all presets": [lambda d, e: clip0(e, "Fun").update(presetName="unknown")],
    "first person": [lambda d, e: e["firstPerson"].update(firstPersonBone=-1), lambda d, e: e["firstPerson"]["meshAnnotations"][0].update(mesh=77)],
    "look-at": [lambda d, e: e["firstPerson"].update(lookAtTypeName="Eyes"), lambda d, e: e["firstPerson"]["lookAtVerticalUp"].update(xRange=0)],
    "springs": [
        lambda d, e: e["secondaryAnimation"]["boneGroups"][0].update(bones=[999]),
        lambda d, e: e["secondaryAnimation"]["colliderGroups"][0]["colliders"][0].update(radius=-0.1),
    ],
    "materials": [lambda d, e: e["materialProperties"].pop(), lambda d, e: e["materialProperties"][0].update(shader="Standard")],
    "tangents": [lambda d, e: d["meshes"][0]["primitives"][0]["targets"][0].update(TANGENT=0)],
}  # fmt: skip
PLANTED = [
    pytest.param(version, rule, plant, id=f"{version} {rule} {at}")
    for version, faults in (("1.0", FAULTS_1), ("0.x", FAULTS_0))
    for rule, plants in faults.items()
    for at, plant in enumerate(plants)
]


Sound = Callable[[str], GlbDocument]


@pytest.fixture(scope="module")
def sound(files: dict[str, Path]) -> Sound:
    """A copy of a sound file's document to break: parsed anew, which is quicker than to read it with suspicion."""
    read = {version: read_glb(file) for version, file in files.items()}
    texts = {version: json.dumps(document.json) for version, document in read.items()}
    return lambda version: GlbDocument(json.loads(texts[version]), read[version].binary, files[version])


def findings(document: GlbDocument, level: str) -> list[str]:
    return [finding.check for finding in check_vrm(document) if finding.level == level]


@pytest.mark.parametrize("version", ["1.0", "0.x"])
def test_our_own_files_break_no_rule(version: str, files: dict[str, Path]) -> None:
    report = check_file(files[version], khronos=False)
    assert (report.failures, report.warnings) == ((), ())
    assert report.ok


@pytest.mark.parametrize(("version", "rule", "plant"), PLANTED)
def test_a_planted_fault_is_found_by_its_rule(version: str, rule: str, plant: Plant, sound: Sound) -> None:
    document = sound(version)
    plant(
        document.json, next(value for key, value in document.json["extensions"].items() if key in ("VRM", "VRMC_vrm"))
    )
    level = next(each.level for each in (RULES_1 if version == "1.0" else RULES_0) if each.name == rule)
    assert f"vrm {rule}" in findings(document, level)


def test_every_rule_has_a_planted_fault_and_a_source() -> None:
    assert {rule.name for rule in RULES_1} == FAULTS_1.keys()
    assert {rule.name for rule in RULES_0} == FAULTS_0.keys()
    assert all(".md, " in rule.section for rule in (*RULES_1, *RULES_0))


def test_a_glb_that_is_only_called_vrm_fails(files: dict[str, Path], tmp_path: Path) -> None:
    document = read_glb(files["1.0"])
    del document.json["extensions"]["VRMC_vrm"]
    plain = tmp_path / "plain.vrm"
    plain.write_bytes(glb_bytes(document.json, document.binary))
    assert "vrm" in [finding.check for finding in check_file(plain, khronos=False).failures]


@pytest.mark.parametrize("nonsense", [None, 7, [1], {"humanBones": 3, "preset": [2], "meshAnnotations": {}}])
@pytest.mark.parametrize("version", ["1.0", "0.x"])
def test_nonsense_in_any_place_is_told_and_never_a_traceback(version: str, nonsense: object, sound: Sound) -> None:
    name = "VRMC_vrm" if version == "1.0" else "VRM"
    for key in sound(version).json["extensions"][name]:
        document = sound(version)
        document.json["extensions"][name][key] = nonsense
        list(check_vrm(document))
    document = sound(version)
    document.json["extensions"] = dict.fromkeys(document.json["extensions"], nonsense)
    assert findings(document, "fail")


def test_the_command_line_tells_the_source(files: dict[str, Path], tmp_path: Path) -> None:
    from click.testing import CliRunner

    document = read_glb(files["1.0"])
    document.json["extensions"]["VRMC_vrm"]["meta"]["authors"] = []
    broken = tmp_path / "broken.vrm"
    broken.write_bytes(glb_bytes(document.json, document.binary))
    result = CliRunner().invoke(main, ["check", "--no-khronos", str(broken)])
    assert result.exit_code == 30
    assert "meta.authors    names nobody (VRMC_vrm-1.0/meta.md, Properties)" in result.stdout
