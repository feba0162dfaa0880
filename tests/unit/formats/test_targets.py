"""`check --target`: a sound file passes, and a fault planted in each rule is found by that rule."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import UsageError
from avatar3d.core.profiles import MIB, PROFILES, profile_of
from avatar3d.exporting import prepare
from avatar3d.formats.glb import GlbDocument, Json, glb_bytes, read_glb
from avatar3d.formats.gltf import encode_glb
from avatar3d.formats.targets import vrchat
from avatar3d.formats.targets.check import check_target, rules_of
from avatar3d.formats.targets.rule import Subject
from avatar3d.formats.targets.video import picture_size
from tests.synthetic import synthetic_avatar

Plant = Callable[[Json, bytearray], None]


@lru_cache
def sound(target: str) -> bytes:
    """The egg as that platform wants it; the web's, before it is packed."""
    level = prepare(synthetic_avatar(), replace(profile_of(target), formats=("glb",)))[0]
    return encode_glb(level.avatar)


def written(folder: Path, content: bytes) -> Path:
    file = folder / "egg.glb"
    file.write_bytes(content)
    return file


def planted(folder: Path, target: str, plant: Plant) -> Path:
    """The sound file with one fault."""
    document = read_glb(written(folder, sound(target)))
    binary = bytearray(document.binary)
    plant(document.json, binary)
    return written(folder, glb_bytes(document.json, bytes(binary)))


def attribute(document: Json, binary: bytearray, name: str) -> np.ndarray:
    """The floats of an attribute of the first mesh, to write into."""
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"][name]]
    view = document["bufferViews"][accessor["bufferView"]]
    return np.frombuffer(binary, "<f4", view["byteLength"] // 4, view.get("byteOffset", 0))


def with_picture(size: int) -> Plant:
    """Another picture, of which only the header is there: no rule decodes it."""

    def plant(document: Json, binary: bytearray) -> None:
        head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size.to_bytes(4, "big") * 2
        document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(head)})
        binary.extend(head)
        document["buffers"][0]["byteLength"] = len(binary)
        document["images"].append(
            {"name": "large", "mimeType": "image/png", "bufferView": len(document["bufferViews"]) - 1}
        )

    return plant


def more_triangles(document: Json, _: bytearray) -> None:
    at = document["meshes"][0]["primitives"][0]["indices"]
    document["accessors"].append(document["accessors"][at] | {"count": 3 * 7_501})
    document["meshes"][0]["primitives"][0]["indices"] = len(document["accessors"]) - 1


def more_meshes(document: Json, _: bytearray) -> None:
    document["nodes"].append({"name": "again", "mesh": 0, "skin": 0})


def more_materials(document: Json, _: bytearray) -> None:
    document["meshes"].append({"name": "other", "primitives": [dict(document["meshes"][0]["primitives"][0])]})


def more_bones(document: Json, _: bytearray) -> None:
    for number in range(80):
        document["nodes"].append({"name": f"finger{number}"})
        document["nodes"][0]["children"].append(len(document["nodes"]) - 1)
        document["skins"][0]["joints"].append(len(document["nodes"]) - 1)


def more_bytes(document: Json, binary: bytearray) -> None:
    binary.extend(bytes(1_000_000))
    document["buffers"][0]["byteLength"] = len(binary)


def more_morphs(document: Json, _: bytearray) -> None:
    primitive = document["meshes"][0]["primitives"][0]
    primitive["targets"] = [primitive["targets"][0]] * 70


def two_roots(document: Json, _: bytearray) -> None:
    document["nodes"].append({"name": "second"})
    document["skins"][0]["joints"].append(len(document["nodes"]) - 1)


def two_skins(document: Json, _: bytearray) -> None:
    document["skins"].append(dict(document["skins"][0]))


def no_jaw(document: Json, _: bytearray) -> None:
    next(node for node in document["nodes"] if node["name"] == "jaw")["name"] = "chin"


def two_primitives(document: Json, _: bytearray) -> None:
    document["meshes"][0]["primitives"] *= 2


def one_place(document: Json, _: bytearray) -> None:
    del document["meshes"][0]["primitives"][0]["extras"]


def other_names(document: Json, _: bytearray) -> None:
    for mesh in document["meshes"]:
        for place in (mesh, mesh["primitives"][0]):
            if "extras" in place:
                place["extras"] = {"targetNames": [f"shape{at}" for at, _ in enumerate(place["extras"]["targetNames"])]}


def nan_tangent(document: Json, binary: bytearray) -> None:
    attribute(document, binary, "TANGENT")[4] = np.nan


def long_normal(document: Json, binary: bytearray) -> None:
    attribute(document, binary, "NORMAL")[:3] *= 2


def light_weight(document: Json, binary: bytearray) -> None:
    attribute(document, binary, "WEIGHTS_0")[:4] /= 2


def centimetres(document: Json, _: bytearray) -> None:
    for node in document["nodes"]:
        node["translation"] = [100 * each for each in node.get("translation", [0, 0, 0])]


def sparse(document: Json, _: bytearray) -> None:
    document["accessors"][0]["sparse"] = {"count": 1}


def compressed(document: Json, _: bytearray) -> None:
    document["extensionsRequired"] = ["KHR_mesh_quantization"]


def webp(document: Json, _: bytearray) -> None:
    document["images"][0]["mimeType"] = "image/webp"


def blended(document: Json, _: bytearray) -> None:
    document["materials"][0]["alphaMode"] = "BLEND"


def cut_out(document: Json, _: bytearray) -> None:
    document["materials"][0]["alphaMode"] = "MASK"


FAULTS: dict[str, tuple[str, Plant]] = {
    "triangles": ("vrchat-quest", more_triangles),
    "skinned-meshes": ("vrchat-quest", more_meshes),
    "materials": ("vrchat-quest", more_materials),
    "bones": ("vrchat-quest", more_bones),
    "texture-size": ("crowd", with_picture(1024)),
    "texture-memory": ("vrchat-quest", with_picture(4096)),
    "file-size": ("crowd", more_bytes),
    "morph-count": ("godot", more_morphs),
    "root-bone": ("unreal", two_roots),
    "one-skeleton": ("unity", two_skins),
    "joints": ("unity", no_jaw),
    "morph-primitive": ("unity", two_primitives),
    "morph-names": ("unity", one_place),
    "platform-names": ("meta-quest", other_names),
    "tangents": ("unreal", nan_tangent),
    "normals": ("unity", long_normal),
    "skin-weights": ("godot", light_weight),
    "metres": ("unity", centimetres),
    "sparse": ("godot", sparse),
    "extensions": ("unity", compressed),
    "pictures": ("unity", webp),
    "cut-out": ("unity", blended),
    "opaque": ("vrchat-quest", cut_out),
}


def test_every_rule_has_a_fault_here() -> None:
    assert {rule.id for target in PROFILES for rule in rules_of(target)} == set(FAULTS)


@pytest.mark.parametrize("target", list(PROFILES))
def test_a_sound_file_breaks_no_rule(target: str, tmp_path: Path) -> None:
    report = check_target(written(tmp_path, sound(target)), target)
    assert [(fault.check, fault.reason) for fault in (*report.failures, *report.warnings)] == []


@pytest.mark.parametrize("rule", list(FAULTS))
def test_a_planted_fault_is_found_by_its_rule(rule: str, tmp_path: Path) -> None:
    target, plant = FAULTS[rule]
    report = check_target(planted(tmp_path, target, plant), target)
    found = [finding for finding in (*report.failures, *report.warnings) if finding.check == rule]
    assert found, f"{rule} says nothing"
    source = next(each.source for each in rules_of(target) if each.id == rule)
    assert found[0].reason.endswith(f"[{source}]")


def test_names_that_differ_between_their_two_places_are_found(tmp_path: Path) -> None:
    def exchanged(document: Json, _: bytearray) -> None:
        mesh = document["meshes"][0]
        first, second, *rest = mesh["extras"]["targetNames"]
        mesh["extras"] = {"targetNames": [second, first, *rest]}

    report = check_target(planted(tmp_path, "unity", exchanged), "unity")
    assert "morph-names" in {finding.check for finding in report.failures}


def test_every_rule_names_its_source() -> None:
    assert [rule.id for target in PROFILES for rule in rules_of(target) if len(rule.source) < 8] == []


@pytest.mark.parametrize(
    ("triangles", "platform", "rank"),
    [
        (7_500, "Android", "Excellent"), (7_501, "Android", "Good"), (10_001, "Android", "Medium"),
        (15_001, "Android", "Poor"), (20_001, "Android", "Very Poor"), (32_000, "PC", "Excellent"), (32_001, "PC", "Good"),
        (70_001, "PC", "Very Poor"),
    ],
)  # fmt: skip
def test_the_rank_is_that_of_the_worst_statistic(
    triangles: int, platform: str, rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    has = {"triangles": triangles, "texture_bytes": MIB, "meshes": 1, "materials": 1, "bones": 7}
    monkeypatch.setattr(vrchat, "counts", lambda _, field: [("", has[field])])
    subject = Subject(GlbDocument({}, b"", Path("a.glb")), "vrchat-quest")
    found, worst, _ = vrchat.rank_of(subject, platform)
    assert found == rank
    assert worst == "triangles" or rank == "Excellent"


def test_a_rank_that_quest_hides_fails(tmp_path: Path) -> None:
    report = check_target(planted(tmp_path, "vrchat-quest", with_picture(8192)), "vrchat-android")
    (rank,) = [finding for finding in report.failures if finding.check == "vrchat-rank"]
    assert "Very Poor on Android" in rank.reason
    assert "texture_bytes decides" in rank.reason


def test_an_unknown_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no profile"):
        check_target(written(tmp_path, sound("unity")), "playstation")


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"\xff\xd8\xff\xe0\0\x10" + bytes(14) + b"\xff\xc0\0\x11\x08\0\x20\0\x40" + bytes(12), (64, 32)),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x3f\0\0\x1f\0\0", (64, 32)),
        (b"RIFF\0\0\0\0WEBPVP8L\x05\0\0\0\x2f\x3f\xc0\x07\0", (64, 32)),
        (b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(8) + b"\x40\0\0\0\x20\0\0\0", (64, 32)),
        (b"\x89PNG\r\n\x1a\n\0\0", (0, 0)),
        (b"nothing", (0, 0)),
    ],
)
def test_a_pictures_size_is_read_from_its_header(content: bytes, size: tuple[int, int]) -> None:
    assert picture_size(content) == size
