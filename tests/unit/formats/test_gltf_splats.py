"""A GLB carries splats by KHR_gaussian_splatting, and they ride on its triangles again when it is read."""

import json
import struct
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.errors import OutputInvalidError, UnreadableError
from avatar3d.core.splats import SplatCloud
from avatar3d.formats.check import check_file
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.gltf import encode_glb, load_glb, load_splats, save_glb
from avatar3d.formats.khronos import find_validator, validate
from avatar3d.splat.bind import rebind
from tests.unit.formats.splat_examples import EGG, STAGE, cloud, rest

PREFIX = "KHR_gaussian_splatting:"
CONTENT = encode_glb(EGG, splats=rest())


def document_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    size = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def primitive_of(document: dict[str, Any]) -> dict[str, Any]:
    return document["meshes"][-1]["primitives"][0]


def test_a_cloud_comes_back_bound_as_it_was(tmp_path: Path) -> None:
    read = load_splats(save_glb(EGG, tmp_path / "egg.glb", splats=rest()))
    assert read is not None
    back, was = rebind(read, STAGE.positions, STAGE.triangles), cloud()
    for field in fields(SplatCloud):
        one, other = getattr(back, field.name), getattr(was, field.name)
        if field.name == "rotation_wxyz":
            one = one * np.sign(np.sum(one * other, axis=1, keepdims=True))
        np.testing.assert_allclose(one, other, atol=2e-5, err_msg=field.name)


def test_the_avatar_beside_them_is_the_same(tmp_path: Path) -> None:
    plain, with_splats = (
        load_glb(save_glb(EGG, tmp_path / "a.glb")),
        load_glb(save_glb(EGG, tmp_path / "b.glb", splats=rest())),
    )
    assert [mesh.name for mesh in with_splats.meshes] == [mesh.name for mesh in plain.meshes]
    for one, other in zip(plain.meshes, with_splats.meshes, strict=True):
        np.testing.assert_array_equal(one.morphs, other.morphs)
    assert load_splats(tmp_path / "a.glb") is None


def test_the_primitive_is_what_the_extension_asks_for() -> None:
    document, binary = document_of(CONTENT)
    primitive = primitive_of(document)
    assert "KHR_gaussian_splatting" in document["extensionsUsed"]
    assert "extensionsRequired" not in document
    assert primitive["mode"] == 0
    assert primitive["extensions"]["KHR_gaussian_splatting"] == {
        "kernel": "ellipse", "colorSpace": "srgb_rec709_display", "projection": "perspective", "sortingMethod": "cameraDistance"
    }  # fmt: skip
    types = {"ROTATION": "VEC4", "SCALE": "VEC3", "OPACITY": "SCALAR", "SH_DEGREE_0_COEF_0": "VEC3"}
    accessors = document["accessors"]
    for name, kind in types.items():
        accessor = accessors[primitive["attributes"][PREFIX + name]]
        assert (accessor["type"], accessor["componentType"], accessor["count"]) == (kind, 5126, 300)

    def floats(name: str) -> np.ndarray:
        view = document["bufferViews"][accessors[primitive["attributes"][name]]["bufferView"]]
        return np.frombuffer(binary, "<f4", view["byteLength"] // 4, view["byteOffset"])

    gaussians = rest().gaussians
    np.testing.assert_array_equal(floats(PREFIX + "SCALE"), gaussians.scale.ravel())  # linear, not logarithms
    np.testing.assert_array_equal(floats(PREFIX + "OPACITY"), gaussians.opacity)
    turns = floats(PREFIX + "ROTATION").reshape(-1, 4)
    np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(turns[:, 3], gaussians.rotation_wxyz[:, 0], atol=1e-6)


def test_at_rest_the_node_stands_where_the_world_does_and_turns_with_the_head() -> None:
    document, _ = document_of(CONTENT)
    nodes = document["nodes"]
    number = next(at for at, node in enumerate(nodes) if node.get("name") == "splats")
    place, at = np.zeros(3), number
    while True:
        place += nodes[at].get("translation", [0, 0, 0])
        above = [index for index, node in enumerate(nodes) if at in node.get("children", [])]
        if not above:
            break
        at = above[0]
    np.testing.assert_allclose(place, 0, atol=1e-7)
    assert number in next(node for node in nodes if node["name"] == "head")["children"]


def test_the_validator_finds_nothing_but_names_it_does_not_know_yet(tmp_path: Path) -> None:
    validator = find_validator()
    if validator is None:
        pytest.skip("no Khronos validator: make setup")
    verdict = validate(validator, save_glb(EGG, tmp_path / "egg.glb", splats=rest()))
    assert (verdict.errors, verdict.error_count, verdict.warning_count, verdict.set_aside) == ((), 0, 0, 4)
    document, binary = document_of(CONTENT)
    attributes = primitive_of(document)["attributes"]
    for name in [name for name in attributes if name.startswith(PREFIX)]:
        attributes["_" + name.removeprefix(PREFIX)] = attributes.pop(name)  # names that it takes for any program's
    (tmp_path / "renamed.glb").write_bytes(glb_bytes(document, binary))
    verdict = validate(validator, tmp_path / "renamed.glb")
    assert (verdict.errors, verdict.error_count, verdict.warning_count, verdict.set_aside) == ((), 0, 0, 0)
    (tmp_path / "wrong.glb").write_bytes(
        edited(lambda document: primitive_of(document)["attributes"].update(NORMALS=0))
    )
    assert any("NORMALS" in line for line in validate(validator, tmp_path / "wrong.glb").errors)


def test_the_check_counts_the_splats(tmp_path: Path) -> None:
    report = check_file(save_glb(EGG, tmp_path / "egg.glb", splats=rest()), khronos=False)
    assert report.ok, report.failures
    assert "300 splats" in next(finding.reason for finding in report.findings if finding.check == "splats")


def edited(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document, binary = document_of(CONTENT)
    change(document)
    return glb_bytes(document, binary)


def attribute(document: dict[str, Any], name: str) -> dict[str, Any]:
    return document["accessors"][primitive_of(document)["attributes"][name]]


LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "triangles": lambda document: primitive_of(document).update(mode=4),
    "no rotation": lambda document: primitive_of(document)["attributes"].pop(PREFIX + "ROTATION"),
    "no triangle": lambda document: primitive_of(document)["attributes"].pop("_TRIANGLE"),
    "no kernel": lambda document: primitive_of(document)["extensions"]["KHR_gaussian_splatting"].pop("kernel"),
    "extension is a number": lambda document: primitive_of(document)["extensions"].update(KHR_gaussian_splatting=1),
    "too short": lambda document: attribute(document, PREFIX + "OPACITY").update(count=299),
    "scale as turn": lambda document: primitive_of(document)["attributes"].update(
        {PREFIX + "SCALE": primitive_of(document)["attributes"][PREFIX + "ROTATION"]}
    ),
    "scale far too large": lambda document: primitive_of(document)["attributes"].update(
        {PREFIX + "OPACITY": primitive_of(document)["attributes"]["_TRIANGLE"]}
    ),
    "another head": lambda document: primitive_of(document)["extras"]["triangles"][0].update(count=7),
    "no list": lambda document: primitive_of(document).pop("extras"),
    "two clouds": lambda document: document["nodes"].append({"mesh": len(document["meshes"]) - 1}),
    "no attributes": lambda document: primitive_of(document).update(attributes=[]),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_splats_that_lie_are_refused(lie: str, tmp_path: Path) -> None:
    (tmp_path / "lie.glb").write_bytes(edited(LIES[lie]))
    with pytest.raises(UnreadableError) as caught:
        check_file(tmp_path / "lie.glb", khronos=False)
    assert (caught.value.id, caught.value.exit_code) == ("GLB_INVALID", 10)


def test_splats_of_another_avatar_are_not_written() -> None:
    strange = replace(rest(), triangle=np.full(300, len(STAGE.triangles), np.int32))
    with pytest.raises(OutputInvalidError):
        encode_glb(EGG, splats=strange)


def test_other_points_are_no_splats(tmp_path: Path) -> None:
    (tmp_path / "points.glb").write_bytes(edited(lambda document: primitive_of(document).pop("extensions")))
    read_glb(tmp_path / "points.glb")
    assert load_splats(tmp_path / "points.glb") is None
