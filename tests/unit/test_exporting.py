"""`avatar3d export`: files per format, folders per profile, whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from avatar3d import exporting
from avatar3d.cli import main
from avatar3d.core.avatar import Avatar
from avatar3d.exporting import ExportParams, export_files
from avatar3d.formats import web
from avatar3d.formats.check import CheckReport
from avatar3d.formats.finding import Finding
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.targets.check import check_target
from tests.synthetic import synthetic_avatar


@pytest.fixture
def egg(tmp_path: Path) -> Path:
    return save_glb(synthetic_avatar(), tmp_path / "in" / "egg.glb")


def export(*words: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, words)])


def test_a_profile_becomes_a_folder_with_a_manifest_of_its_files(egg: Path, tmp_path: Path) -> None:
    ran = export(egg, "-o", tmp_path / "out", "--profile", "vrchat-quest,crowd", "--json")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout.splitlines()[-1])
    folder = tmp_path / "out" / "egg"
    assert told["files"] == [str(folder / "vrchat-quest" / "egg.glb"), str(folder / "crowd" / "egg.glb")]
    assert [told["profiles"][name]["ok"] for name in ("vrchat-quest", "crowd")] == [True, True]
    manifest = json.loads((folder / "crowd" / "manifest.json").read_text())
    assert list(manifest["files"]) == ["egg.glb"]
    assert manifest["profile"] == "crowd"


def test_levels_are_named_as_unity_groups_them(egg: Path, tmp_path: Path) -> None:
    made = export_files(Avatar.load(egg), tmp_path / "out", ExportParams(("unity",)))
    names = [file.name for file in made.files]
    assert names[:4] == [f"egg_LOD{level}.glb" for level in range(4)]
    assert "egg_skin_MetallicSmoothness.png" in names
    assert made.failures == ()


def test_every_level_is_checked_and_the_one_that_breaks_a_rule_is_told(
    egg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_breaks(file: Path, target: str) -> CheckReport:
        report = check_target(file, target)
        broken = Finding("fail", "planted", file.name, "broken")
        return replace(report, findings=(*report.findings, broken)) if "LOD3" in file.name else report

    monkeypatch.setattr(exporting, "check_target", last_breaks)
    made = export_files(Avatar.load(egg), tmp_path / "out", ExportParams(("unity",)))
    assert made.failures == ("unity: broken",)
    assert made.reports["unity"].file.name == "egg_LOD3.glb"


def test_far_levels_of_a_dressed_body_are_warned_of_and_those_of_a_head_are_not(egg: Path, tmp_path: Path) -> None:
    head = Avatar.load(egg)
    dressed = replace(head, meshes=(*head.meshes[:-1], replace(head.meshes[-1], name="shirt")))
    far, near = ExportParams(("crowd",)), ExportParams(("vrchat-pc",))
    assert "torn" in export_files(dressed, tmp_path / "dressed", far).warnings[0]
    assert export_files(dressed, tmp_path / "near", near).warnings == ()
    assert export_files(head, tmp_path / "head", far).warnings == ()


def test_names_are_chosen(egg: Path, tmp_path: Path) -> None:
    assert export(egg, "-o", tmp_path, "--names", "livelink").exit_code == 0
    assert Avatar.load(tmp_path / "egg.glb").meshes[0].morph_names[8] == "EyeBlinkLeft"


def test_the_avatar_itself_is_never_written_over(egg: Path) -> None:
    before = egg.read_bytes()
    ran = export(egg, "-o", egg.parent)
    assert ran.exit_code == 2
    assert "over itself" in ran.output
    assert egg.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--profile", "playstation"], "no profile"),
        (["--format", "obj"], "no format"),
        (["--names", "faceit"], "faceit"),
    ],
)
def test_what_is_unknown_is_refused_before_anything_is_written(
    words: list[str], said: str, egg: Path, tmp_path: Path
) -> None:
    ran = export(egg, "-o", tmp_path / "out", *words)
    assert ran.exit_code == 2
    assert said in ran.output
    assert not (tmp_path / "out").exists()


def test_a_broken_file_is_told_and_the_others_are_written(egg: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.glb"
    bad.write_bytes(egg.read_bytes()[:500])
    ran = export(bad, egg, "-o", tmp_path / "out")
    assert ran.exit_code == 10
    assert (tmp_path / "out" / "egg.glb").is_file()


def test_without_its_packages_the_web_format_says_what_to_install(
    egg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_PACKAGES", ("no-such-package",))
    ran = export(egg, "-o", tmp_path / "out", "--format", "web", "--json")
    assert ran.exit_code == 2
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["id"] == "WEB_TOOLS_MISSING"
    assert "npm ci --prefix tools/web" in told["hint"]


def test_without_blender_fbx_says_so(egg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVATAR3D_BLENDER", "no-such-blender")
    ran = export(egg, "-o", tmp_path / "out", "--format", "fbx", "--json")
    assert (ran.exit_code, json.loads(ran.stdout.splitlines()[-1])["id"]) == (2, "BLENDER_MISSING")
