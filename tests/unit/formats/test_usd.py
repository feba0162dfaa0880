"""USDZ: what UsdSkel evaluates is what was meant, and Quick Look's rules find planted faults."""

import io
import zipfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pxr", reason="the extra usd is not installed: pip install avatar3d[usd]")

from avatar3d.core.avatar import Avatar, Texture
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import UnreadableError
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.formats.targets.check import check_target
from avatar3d.formats.usd import encode_usdz, identifier
from avatar3d.formats.usd_read import entries, posed_points, read_usdz
from tests.engine.motion import POSES, posed_positions
from tests.synthetic import synthetic_avatar

TOLERANCE_M = 1e-5


@lru_cache
def encoded() -> bytes:
    return encode_usdz(synthetic_avatar())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "egg.usdz"
    path.write_bytes(encoded())
    return path


def worst_m(avatar: Avatar, file: Path) -> float:
    """Largest difference of any displacement, evaluated by UsdSkel, from the avatar's."""
    seen = read_usdz(file)
    apart = [0.0]
    for mesh in avatar.meshes:
        look = seen.meshes[identifier(mesh.name)]
        np.testing.assert_array_equal(look.rest, mesh.positions)
        for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True):
            apart.append(float(np.abs(look.shapes.get(name, np.zeros_like(morph)) - morph).max()))
    return max(apart)


def test_all_52_displacements_are_evaluated_as_they_were_meant(file: Path) -> None:
    assert worst_m(synthetic_avatar(), file) < TOLERANCE_M
    assert read_usdz(file).animation_shapes[:52] == ARKIT_NAMES


def test_a_wrong_displacement_is_caught(file: Path) -> None:
    egg = synthetic_avatar()
    morphs = egg.meshes[0].morphs.copy()
    morphs[3, 10, 1] += 2 * TOLERANCE_M
    other = replace(egg, meshes=(replace(egg.meshes[0], morphs=morphs), *egg.meshes[1:]))
    assert worst_m(other, file) > TOLERANCE_M


def test_joints_pose_the_skin_as_the_avatar_does(file: Path) -> None:
    egg = synthetic_avatar()
    turns = {
        joint: quaternion_from_rotation_vector(np.array(turn, np.float32)) for joint, turn in POSES[0].rotations.items()
    }
    seen = posed_points(file, turns)
    for mesh in egg.meshes:
        wanted = posed_positions(mesh, egg.skeleton, POSES[0])
        assert np.abs(seen[identifier(mesh.name)] - wanted).max() < TOLERANCE_M


def test_the_same_avatar_gives_the_same_bytes() -> None:
    assert encode_usdz(synthetic_avatar()) == encoded()


def test_metres_upright_with_licence_and_mark(file: Path) -> None:
    seen = read_usdz(file)
    assert (seen.metres_per_unit, seen.up_axis, seen.has_default) == (1.0, "Y", True)
    assert seen.provenance["synthetic"] is True
    assert list(seen.provenance["licences"]) == synthetic_avatar().extras["licences"]


def test_pictures_travel_inside_at_multiples_of_64(file: Path) -> None:
    told = entries(file)
    assert told[0][0] == "avatar.usdc"
    assert sum(name.startswith("textures/") for name, *_ in told) == 5
    assert [(offset % 64, packed) for _, offset, packed in told] == [(0, False)] * len(told)


def repacked(compression: int) -> bytes:
    """The same files by a zip program that knows no alignment."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(encoded())) as before, zipfile.ZipFile(out, "w", compression) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    ("rule", "words"),
    [("usdz-package", "no multiple"), ("usdz-package", "compressed"), ("shapes", "of the 52"), ("marks", "synthetic"),
     ("skeleton", "no skeleton"), ("texture-size", "4096")],
)  # fmt: skip
def test_quick_looks_rules_find_a_planted_fault(rule: str, words: str, tmp_path: Path) -> None:
    egg = synthetic_avatar()
    still = [replace(mesh, morph_names=(), morphs=mesh.morphs[:0]) for mesh in egg.meshes]
    huge = Texture("huge", np.zeros((4096, 4, 3), np.uint8))
    contents = {
        "no multiple": lambda: repacked(zipfile.ZIP_STORED),
        "compressed": lambda: repacked(zipfile.ZIP_DEFLATED),
        "of the 52": lambda: encode_usdz(replace(egg, meshes=tuple(still))),
        "synthetic": lambda: encode_usdz(replace(egg, extras={})),
        "no skeleton": _without_skeleton,
        "4096": lambda: encode_usdz(
            replace(egg, meshes=(replace(egg.meshes[0], material=replace(egg.meshes[0].material, base_colour=huge)), *egg.meshes[1:]))
        ),
    }  # fmt: skip
    path = tmp_path / "bad.usdz"
    path.write_bytes(contents[words]())
    report = check_target(path, "quicklook")
    assert [f.reason for f in (*report.failures, *report.warnings) if f.check == rule and words in f.reason] != []


def _without_skeleton() -> bytes:
    """A package whose layer has a default prim and nothing in it."""
    from avatar3d.formats.usd import package

    return package(
        [
            (
                "avatar.usda",
                b'#usda 1.0\n(\n defaultPrim = "A"\n metersPerUnit = 1\n upAxis = "Y"\n)\ndef Xform "A"\n{\n}\n',
            )
        ]
    )


def test_a_sound_package_breaks_no_rule(file: Path) -> None:
    report = check_target(file, "quicklook")
    assert [finding.reason for finding in (*report.failures, *report.warnings)] == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x89PNG"])
def test_what_is_no_package_is_refused_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.usdz"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match="no sound USDZ"):
        check_target(path, "quicklook")
