"""Landmarks corrected by hand on a real photo: met, at once, without a detector, and to the byte the same each time."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.cli import main
from avatar3d.drafting import can_draft, draft_files
from avatar3d.editing import EditParams, edit_files
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.pipeline import CreateParams, create_files

HEAVY = ("mediapipe", "torch", "open3d", "jax", "numba", "soundfile")


@pytest.fixture(scope="module")
def made(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an avatar made as usual."""
    folder = tmp_path_factory.mktemp("pins") / "collins"
    return create_files(astronaut, folder, CreateParams(report=False)).folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it to work on."""
    copy = tmp_path / made.name
    copy.mkdir()
    for file in made.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "avatar.json").read_text())


def pins_file(folder: Path, shifts: dict[int, tuple[float, float]]) -> Path:
    """Pins beside the stored landmarks, by so many pixels."""
    stored = record(folder)
    listed = [
        {"landmark": mark, "x_px": stored["landmarks_px"][mark][0] + x, "y_px": stored["landmarks_px"][mark][1] + y}
        for mark, (x, y) in shifts.items()
    ]
    path = folder.parent / "pins.json"
    facts = {"photo_sha256": stored["photo"]["sha256"], "size_px": stored["photo"]["size_px"]}
    path.write_text(json.dumps({"schema": "avatar3d-pins-1", **facts, "pins": listed}))
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as left:
        main([*words, "--json"])
    return int(left.value.code or 0), json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_record_keeps_what_the_photo_told(made: Path) -> None:
    stored = record(made)
    assert np.array(stored["landmarks_px"]).shape == (478, 2)
    assert stored["photo"]["size_px"] == [512, 512]
    assert stored["pins"] == []


def test_a_draft_meets_its_pins_and_keeps_the_textures(
    astronaut: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_glb(folder / "collins.glb")
    pins = pins_file(folder, {61: (-4, 2), 152: (0, 5), 1: (2, 1)})
    words = ("create", str(astronaut), "-o", str(folder.parent), "--name", "collins", "--pins", str(pins), "--draft")
    code, told = said(capsys, *words)
    assert code == 0
    assert told["draft"] is True
    assert [pin["landmark"] for pin in told["pins"]] == [1, 61, 152]
    assert max(pin["off_iod"] for pin in told["pins"]) < 0.006
    assert len(told["landmarks_px"]) == 478
    after = load_glb(folder / "collins.glb")
    face, old = after.mesh("face"), before.mesh("face")
    assert np.abs(face.positions - old.positions).max() > 0.001
    assert face.material.base_colour is not None
    assert old.material.base_colour is not None
    np.testing.assert_array_equal(face.material.base_colour.pixels, old.material.base_colour.pixels)
    assert [mesh.name for mesh in after.meshes] == [mesh.name for mesh in before.meshes]
    assert after.extras == before.extras
    assert not check_file(folder / "collins.glb", khronos=False).failures
    assert json.loads((folder / "manifest.json").read_text())["draft"] is True


def test_the_same_pins_give_the_same_bytes(made: Path, astronaut: Path, folder: Path) -> None:
    pins = pins_file(folder, {61: (-4, 2), 4: (1, 0)})
    once = draft_files(astronaut, folder, pins).glb.read_bytes()
    for file in made.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    assert draft_files(astronaut, folder, pins).glb.read_bytes() == once


def test_a_head_does_not_depend_on_what_was_drafted_before(astronaut: Path, folder: Path) -> None:
    draft_files(astronaut, folder, pins_file(folder, {61: (-4, 2)}))
    record_once, once = record(folder), load_glb(folder / "collins.glb")
    for shift in (9, -9, 5):
        draft_files(astronaut, folder, pins_file(folder, {152: (0, shift)}))
    draft_files(astronaut, folder, pins_file(folder, {61: (-4, 2)}))
    again = load_glb(folder / "collins.glb")
    assert record(folder) == record_once
    np.testing.assert_array_equal(again.mesh("face").positions, once.mesh("face").positions)
    np.testing.assert_array_equal(again.mesh("face").morphs, once.mesh("face").morphs)
    hair = np.linalg.norm(again.mesh("hair").positions - once.mesh("hair").positions, axis=1)
    assert hair.max() < 0.0005  # it follows the skin from draft to draft


def test_a_draft_without_pins_is_the_head_as_it_was(astronaut: Path, folder: Path) -> None:
    before = record(folder)
    draft_files(astronaut, folder, pins_file(folder, {4: (9, 0)}))
    assert record(folder) != before
    draft_files(astronaut, folder, None)
    assert record(folder) == before


def test_hair_follows_the_skin_that_the_file_shows(astronaut: Path, folder: Path) -> None:
    """The file's head, higher than the record's, comes down to it; its hair as far."""
    before, up = load_glb(folder / "collins.glb"), np.float32([0, 0.005, 0])
    higher = [replace(mesh, positions=mesh.positions + up) for mesh in before.meshes]
    save_glb(replace(before, meshes=tuple(higher)), folder / "collins.glb")
    draft_files(astronaut, folder, None)
    after = load_glb(folder / "collins.glb")
    for part in ("face", "hair"):
        np.testing.assert_allclose(after.mesh(part).positions, before.mesh(part).positions, atol=1e-4)


def test_create_with_pins_gives_the_head_of_the_draft(astronaut: Path, folder: Path, tmp_path: Path) -> None:
    pins = pins_file(folder, {61: (-4, 2), 152: (0, 5)})
    whole = create_files(astronaut, tmp_path / "whole", CreateParams(report=False), pins=pins)
    draft_files(astronaut, folder, pins)
    np.testing.assert_array_equal(
        load_glb(whole.glb).mesh("face").positions, load_glb(folder / "collins.glb").mesh("face").positions
    )
    light = {"light": None}  # seen anew on the corrected head; a draft does not look at the picture
    assert record(whole.folder) | light == record(folder) | light
    assert json.loads((whole.folder / "manifest.json").read_text())["pins"] == 2


def test_edit_keeps_the_pins(astronaut: Path, folder: Path) -> None:
    draft_files(astronaut, folder, pins_file(folder, {61: (-4, 2)}))
    glb = edit_files(folder / "avatar.json", folder.parent / "darker", EditParams(skin_tone="8"))
    assert record(glb.parent)["pins"] == record(folder)["pins"] != []


def test_a_draft_imports_nothing_heavy(astronaut: Path, folder: Path) -> None:
    pins = pins_file(folder, {61: (-4, 2)})
    script = (
        "import sys; from avatar3d.cli import main\n"
        f"try: main({['create', str(astronaut), '-o', str(folder.parent), '--name', 'collins', '--draft', '--pins', str(pins)]})\n"
        "except SystemExit as left: assert left.code == 0, left.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_pins_of_another_photo_stop_before_anything_is_written(
    astronaut: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pins = pins_file(folder, {61: (0, 0)})
    pins.write_text(pins.read_text().replace(record(folder)["photo"]["sha256"], "0" * 64))
    before = (folder / "collins.glb").read_bytes()
    for words in (("--draft",), ("--no-report",)):
        code, told = said(
            capsys, "create", str(astronaut), "-o", str(folder.parent), "--name", "collins", "--pins", str(pins), *words
        )
        assert (code, told["id"]) == (10, "PINS_FOREIGN")
    assert (folder / "collins.glb").read_bytes() == before


def test_pins_are_for_one_photo(astronaut: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pins = pins_file(folder, {61: (0, 0)})
    for words in ([str(astronaut)] * 2, ["--seed", "3"]):
        code, told = said(capsys, "create", *words, "-o", str(folder.parent), "--pins", str(pins))
        assert (code, told["id"]) == (2, "USAGE")


def test_a_draft_needs_an_avatar_of_this_very_photo(astronaut: Path, folder: Path, tmp_path: Path) -> None:
    assert can_draft(astronaut, folder)
    other = tmp_path / "other.png"
    other.write_bytes(astronaut.read_bytes() + b" ")
    assert not can_draft(other, folder)
    assert not can_draft(astronaut, tmp_path / "nothing")
    stored = record(folder)
    del stored["known"]
    (folder / "avatar.json").write_text(json.dumps(stored))
    assert not can_draft(astronaut, folder)
