"""`check` passes what is right and names what is wrong."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Mesh, Texture
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.formats.check import CheckReport, check_file
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import Verdict
from tests.synthetic import synthetic_avatar


@pytest.fixture
def check(tmp_path: Path) -> Callable[[Avatar], CheckReport]:
    """Our checks on an avatar, written and read back."""
    return lambda avatar: check_file(save_glb(avatar, tmp_path / "egg.glb", lossless_textures=True), khronos=False)


def with_face(**changes: object) -> Avatar:
    avatar = synthetic_avatar()
    return replace(avatar, meshes=(replace(avatar.meshes[0], **changes), *avatar.meshes[1:]))


def with_shape(name: str, change: Callable[[np.ndarray], np.ndarray], *, all_meshes: bool = False) -> Avatar:
    """The egg with one shape changed, on the face or on every mesh."""
    avatar = synthetic_avatar()

    def changed(mesh: Mesh) -> Mesh:
        if not mesh.morph_names:
            return mesh
        morphs = mesh.morphs.copy()
        morphs[ARKIT_INDEX[name]] = change(morphs[ARKIT_INDEX[name]])
        return replace(mesh, morphs=morphs)

    count = len(avatar.meshes) if all_meshes else 1
    return replace(avatar, meshes=(*map(changed, avatar.meshes[:count]), *avatar.meshes[count:]))


def mirrored(displacement: np.ndarray) -> np.ndarray:
    """The motion of the nearest vertex on the other side."""
    positions = synthetic_avatar().meshes[0].positions
    if len(displacement) != len(positions):
        return np.zeros_like(displacement)
    other = np.argmin(np.linalg.norm(positions[None] - (positions * np.array([-1, 1, 1]))[:, None], axis=2), axis=1)
    return displacement[other] * np.array([-1, 1, 1], np.float32)


def test_the_egg_keeps_every_promise(check: Callable[[Avatar], CheckReport]) -> None:
    report = check(synthetic_avatar())
    assert report.ok
    assert report.failures == report.warnings == ()
    assert {finding.check for finding in report.findings} >= {
        "names", "marks", "skeleton", "skin", "head size", "textures", "shapes", "lips", "size", "surface",
    }  # fmt: skip


def test_the_size_told_is_that_of_the_file(check: Callable[[Avatar], CheckReport]) -> None:
    report = check(synthetic_avatar())
    told = next(finding.reason for finding in report.findings if finding.check == "size")
    assert told.startswith(f"{report.file.stat().st_size / 1e6:.2f} MB")


BROKEN: dict[str, tuple[Callable[[], Avatar], str, str, str]] = {
    "names in another order": (
        lambda: with_face(morph_names=(*ARKIT_NAMES[1:], ARKIT_NAMES[0])), "names", "meshes[0]", "another order",
    ),
    "a name that is not ARKit's": (
        lambda: with_face(morph_names=("brow_down_L", *ARKIT_NAMES[1:])), "names", "meshes[0]", "browDownLeft.*brow_down_L",
    ),
    "a shape that moves nothing": (
        lambda: with_shape("mouthDimpleLeft", lambda d: 0 * d), "shapes", "mouthDimpleLeft", "0.000 mm",
    ),
    "a shape in centimetres": (lambda: with_shape("jawOpen", lambda d: 100 * d), "shapes", "jawOpen", "mm"),
    "left and right exchanged": (
        lambda: with_shape("eyeBlinkLeft", mirrored, all_meshes=True), "shapes", "eyeBlinkLeft", "on its own side",
    ),
    "a jaw that opens upwards": (lambda: with_shape("jawOpen", lambda d: -d), "shapes", "jawOpen", "wrong way"),
    "a brow shape at the mouth": (
        lambda: with_shape("browInnerUp", lambda d: synthetic_avatar().meshes[0].morphs[ARKIT_INDEX["mouthShrugUpper"]]),
        "shapes", "browInnerUp", "eye distances",
    ),
    "a mouthClose that does not close": (lambda: with_shape("mouthClose", lambda d: 0.3 * d), "lips", "face", "mm are left"),
    "a head of two metres": (
        lambda: with_face(positions=synthetic_avatar().meshes[0].positions * 8), "head size", "face", "tall",
    ),
    "eyes in centimetres": (
        lambda: replace(
            synthetic_avatar(),
            skeleton=replace(synthetic_avatar().skeleton, positions=synthetic_avatar().skeleton.positions * 100),
        ),
        "skeleton", "leftEye", "metre",
    ),
    "left and right eye exchanged": (
        lambda: replace(
            synthetic_avatar(),
            skeleton=replace(
                synthetic_avatar().skeleton, positions=synthetic_avatar().skeleton.positions * np.array([-1, 1, 1], np.float32)
            ),
        ),
        "skeleton", "leftEye", "mirrored",
    ),
    "no base colour": (
        lambda: with_face(material=replace(synthetic_avatar().meshes[0].material, base_colour=None)),
        "textures", "face", "no base colour",
    ),
    "a flat texture": (
        lambda: with_face(
            material=replace(
                synthetic_avatar().meshes[0].material, base_colour=Texture("flat", np.full((8, 8, 3), 99, np.uint8))
            )
        ),
        "textures", "face", "flat colour",
    ),
    "no synthetic mark": (
        lambda: replace(synthetic_avatar(), extras={**synthetic_avatar().extras, "synthetic": False}),
        "marks", "asset.extras", "synthetic",
    ),
    "no licence": (
        lambda: replace(synthetic_avatar(), extras={**synthetic_avatar().extras, "licences": []}),
        "marks", "asset.extras", "licence",
    ),
    "a face turned inside out": (
        lambda: with_face(triangles=synthetic_avatar().meshes[0].triangles[:, ::-1].copy()), "surface", "face", "face away",
    ),
    "one triangle flipped": (
        lambda: with_face(
            triangles=np.concatenate(
                [synthetic_avatar().meshes[0].triangles[:1, ::-1], synthetic_avatar().meshes[0].triangles[1:]]
            )
        ),
        "surface", "face", "disagree|face away",
    ),
    "a triangle twice": (
        lambda: with_face(
            triangles=np.concatenate(
                [synthetic_avatar().meshes[0].triangles, synthetic_avatar().meshes[0].triangles[5:6]]
            )
        ),
        "surface", "face", "lie on another",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_promise_is_found_and_named(what: str, check: Callable[[Avatar], CheckReport]) -> None:
    make, name, where, reason = BROKEN[what]
    failures = check(make()).failures
    matching = [f for f in failures if f.check == name and f.where in where.split("|")]
    assert matching, [finding.as_json() for finding in failures]
    assert any(re.search(reason, finding.reason) for finding in matching), matching


def test_two_shapes_alike_are_found(check: Callable[[Avatar], CheckReport]) -> None:
    avatar = with_shape("mouthRollUpper", lambda _: synthetic_avatar().meshes[0].morphs[ARKIT_INDEX["mouthShrugUpper"]])
    assert any("same motion" in finding.reason for finding in check(avatar).failures)


def test_the_validator_is_said_to_be_absent_when_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar3d.formats.check.find_validator", lambda: None)
    report = check_file(save_glb(synthetic_avatar(), tmp_path / "egg.glb"))
    (skipped,) = report.of("skip")
    assert "npm install gltf-validator" in skipped.reason
    assert report.ok


def test_what_the_validator_says_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict("2.0", ("/a E: bad",), ("/b W: odd",), error_count=1, warning_count=1)
    monkeypatch.setattr("avatar3d.formats.check.find_validator", lambda: "here")
    monkeypatch.setattr("avatar3d.formats.check.validate", lambda *_: verdict)
    report = check_file(save_glb(synthetic_avatar(), tmp_path / "egg.glb"))
    assert "/a E: bad" in [finding.reason for finding in report.failures]
    assert "/b W: odd" in [finding.reason for finding in report.warnings]


def test_names_from_a_file_cannot_steer_the_terminal(check: Callable[[Avatar], CheckReport]) -> None:
    avatar = synthetic_avatar()
    eye = replace(avatar.meshes[1], name="\x1b[31m\u202e</script>")
    report = check(replace(avatar, meshes=(avatar.meshes[0], eye, *avatar.meshes[2:])))
    told = json.dumps(report.rows(), ensure_ascii=False)
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_the_report_is_json_and_rows(check: Callable[[Avatar], CheckReport]) -> None:
    report = check(synthetic_avatar())
    assert json.loads(json.dumps(report.as_json()))["ok"] is True
    assert all(len(row) == 3 for row in report.rows())
