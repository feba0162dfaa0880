"""An edited .blend comes back as an avatar. Blender is stood in for by a script that writes what the extension's writes;
with the real one: tests/engine."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from avatar3d.cli import main
from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.formats.blender import ADDON_VARIABLE, COMMAND_VARIABLE
from avatar3d.formats.check import check_file
from avatar3d.formats.edited_npz import write_arrays
from avatar3d.formats.extract import Extract, ExtractedPart
from avatar3d.formats.gltf import load_glb
from avatar3d.pipeline import CreateParams, create_files
from avatar3d.pulling import edited_avatar
from bench.remeshes import face_sheet, sculpt

STAND_IN = """
import json, pathlib, shutil, sys
blend, out = map(pathlib.Path, sys.argv[1:])
told = json.loads(blend.read_text())
print("Blender says something first")
if "exit" in told:
    print("noise", file=sys.stderr); print(told["why"], file=sys.stderr); sys.exit(told["exit"])
for name, source in told["files"].items():
    (out / name).parent.mkdir(exist_ok=True); shutil.copy(source, out / name)
(out / "extract.json").write_text(json.dumps(told["extract"]))
print(told.get("answer") or out / "extract.json")
"""


@pytest.fixture(scope="module")
def glb(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pull") / "collins"
    return create_files(astronaut, folder, CreateParams(report=False)).glb


@pytest.fixture
def blend(glb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A .blend in which the face was remeshed and sculpted, and its colour painted."""
    addon = tmp_path / "addon"
    addon.mkdir()
    (addon / "shell.py").write_text(STAND_IN)
    monkeypatch.setenv(ADDON_VARIABLE, str(addon))
    monkeypatch.setenv(COMMAND_VARIABLE, sys.executable)
    own = face_sheet(load_glb(glb))
    mesh = own.moved(sculpt(own.points, own.normals, 2))
    count = 3 * len(mesh.triangles)
    face = load_glb(glb).mesh("face")
    split = face.positions.astype(float), face.normals.astype(float)
    nearest = np.linalg.norm(split[0][None] - mesh.points[:, None], axis=2).argmin(1)
    write_arrays(
        tmp_path / "face.npz",
        {
            "positions": mesh.points.astype(np.float32),
            "corners": mesh.triangles.astype(np.int32).ravel(),
            "polygon_starts": np.arange(0, count, 3, dtype=np.int32),
            "uvs": face.uvs[nearest][mesh.triangles].reshape(-1, 2).astype(np.float32),
            "part": np.array("face"),
        },
    )
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "painted.png")
    parts: dict[str, Any] = {mesh.name: {"edited": False} for mesh in load_glb(glb).meshes}
    parts["face"] = {"edited": True, "file": "face.npz", "material": {"base_colour": "textures/face.png"}}
    told = {
        "files": {"source.glb": str(glb), "face.npz": str(tmp_path / "face.npz"), "textures/face.png": str(tmp_path / "painted.png")},
        "extract": {"schema": "avatar3d-extract-1", "avatar": "collins", "source": "source.glb", "parts": parts,
                    "added": ["Cube"], "warnings": ["A lamp was left out."], "blender": "4.5.1"},
    }  # fmt: skip
    path = tmp_path / "edited.blend"
    path.write_text(json.dumps(told))
    return path


def change(blend: Path, **changes: Any) -> None:
    blend.write_text(json.dumps(json.loads(blend.read_text()) | changes))


def pulled(blend: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as left:
        main(["pull", str(blend), "-o", str(blend.parent / "out"), "--json", "--quiet", *words])
    return int(left.value.code or 0), json.loads(capsys.readouterr().out.splitlines()[-1])


def test_an_edited_avatar_comes_back_checked_with_its_marks(
    glb: Path, blend: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = pulled(blend, capsys)
    assert code == 0, told
    before, after = load_glb(glb), load_glb(told["glb"])
    assert Path(told["glb"]).parent.name == "collins"
    assert len(after.mesh("face").positions) != len(before.mesh("face").positions)
    assert after.mesh("face").morph_names == before.mesh("face").morph_names
    assert told["edited"] == {"face": ["mesh", "base_colour"]}
    assert told["reports"]["face"]["shape_error_mm"]["median"] < 0.2
    assert [each for each in told["warnings"] if "Cube" in each or "lamp" in each]
    assert after.extras["synthetic"] is True
    assert {key: after.extras[key] for key in before.extras} == before.extras
    assert after.extras["edited"]["with"] == "Blender 4.5.1"
    painted = after.mesh("face").material.base_colour
    assert painted is not None
    assert painted.pixels.shape[:2] == (64, 64)
    kept, old = after.mesh("hair").material.base_colour, before.mesh("hair").material.base_colour
    assert kept is not None
    assert old is not None
    np.testing.assert_array_equal(kept.pixels, old.pixels)
    report = check_file(Path(told["glb"]), khronos=False)
    assert not report.failures
    manifest = json.loads((Path(told["glb"]).parent / "manifest.json").read_text())
    assert manifest["synthetic"] is True
    assert manifest["edited"]["parts"] == told["edited"]


def test_what_was_not_edited_comes_back_to_the_bit(glb: Path, blend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = json.loads(blend.read_text())
    stored["extract"]["parts"]["face"] = {"edited": False}
    change(blend, extract=stored["extract"])
    code, told = pulled(blend, capsys, "--name", "same")
    assert code == 0
    before, after = load_glb(glb), load_glb(told["glb"])
    assert after.name == "same"
    for one, other in zip(before.meshes, after.meshes, strict=True):
        for field in ("positions", "normals", "uvs", "triangles", "morphs", "joints", "weights"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.fixture(scope="module")
def both(glb: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Mesh], Avatar]:
    """Face and lower teeth moved, no triangle touched: as the artist left them, and what comes back. The face comes last."""
    avatar, folder = load_glb(glb), tmp_path_factory.mktemp("both")
    left: dict[str, Mesh] = {}
    for name, by in (("teethLower", [0, 0, 0.001]), ("face", [0, -0.005, 0])):
        mesh = avatar.mesh(name)
        gone = np.float32(by) * (
            np.abs(mesh.positions[:, 1:2] - avatar.mesh("teethLower").positions[:, 1].mean()) < 0.04
        )
        left[name] = replace(mesh, positions=(mesh.positions + gone).astype(np.float32))
        write_arrays(
            folder / f"{name}.npz",
            {
                "positions": left[name].positions,
                "corners": mesh.triangles.astype(np.int32).ravel(),
                "polygon_starts": np.arange(0, mesh.triangles.size, 3, dtype=np.int32),
                "uvs": mesh.uvs[mesh.triangles].reshape(-1, 2),
                "source": np.arange(len(mesh.positions), dtype=np.int32),
                "part": np.array(name),
            },
        )
    parts = tuple(ExtractedPart(mesh.name, None, {}) for mesh in avatar.meshes if mesh.name not in left)
    changed = tuple(ExtractedPart(name, folder / f"{name}.npz", {}) for name in left)
    return left, edited_avatar(avatar, Extract("collins", glb, parts + changed, (), (), "4.5.1"))[0]


def test_no_triangle_of_an_edited_part_is_lost(both: tuple[dict[str, Mesh], Avatar]) -> None:
    left, after = both
    for name, mesh in left.items():
        shown = after.mesh(name)
        assert len(shown.triangles) == len(mesh.triangles), name
        np.testing.assert_array_equal(shown.uvs[shown.triangles], mesh.uvs[mesh.triangles])


def test_what_follows_the_face_and_was_edited_too_stays_where_it_was_put(
    glb: Path, both: tuple[dict[str, Mesh], Avatar]
) -> None:
    left, after = both
    for name, mesh in left.items():
        shown = after.mesh(name)
        np.testing.assert_array_equal(shown.positions[shown.triangles[0]], mesh.positions[mesh.triangles[0]])
        np.testing.assert_allclose(shown.positions.mean(0), mesh.positions.mean(0), atol=5e-4)
    followed = after.mesh("teethUpper").positions - load_glb(glb).mesh("teethUpper").positions
    assert followed[:, 1].mean() < -0.002


def test_a_crooked_triangle_is_told_and_kept(blend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = dict(np.load(blend.parent / "face.npz"))
    arrays["corners"] = arrays["corners"].copy()
    arrays["corners"][[0, 1]] = arrays["corners"][[1, 0]]
    write_arrays(blend.parent / "face.npz", arrays)
    code, told = pulled(blend, capsys)
    assert code == 0
    assert any("outside" in said or "face away" in said for said in told["warnings"])


def test_without_blender_the_cure_is_named(
    blend: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, told = pulled(blend, capsys, "--blender", "no-such-blender")
    assert (code, told["id"]) == (2, "BLENDER_MISSING")
    assert "--blender" in told["hint"]
    monkeypatch.setenv(ADDON_VARIABLE, str(blend.parent / "nowhere"))
    code, told = pulled(blend, capsys)
    assert (code, told["id"]) == (2, "ADDON_MISSING")
    assert ADDON_VARIABLE in told["hint"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"exit": 10, "why": "No avatar in it."}, (10, "BLEND_UNUSABLE")),
        ({"exit": 12, "why": "Too large."}, (12, "BLEND_UNUSABLE")),
        ({"exit": 70, "why": "It broke."}, (70, "BLENDER_FAILED")),
        ({"exit": 0, "why": ""}, (70, "BLENDER_FAILED")),
    ],
)
def test_what_blender_says_is_told(
    blend: Path, capsys: pytest.CaptureFixture[str], told: dict[str, Any], expected: tuple[int, str]
) -> None:
    blend.write_text(json.dumps(told))
    code, answer = pulled(blend, capsys)
    assert (code, answer["id"]) == expected
    assert told["why"] in answer["message"]
    assert not (blend.parent / "out").exists()


def test_files_outside_blenders_folder_are_not_touched(blend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(blend, answer=str(blend))
    code, told = pulled(blend, capsys)
    assert (code, told["id"]) == (10, "EXTRACT_INVALID")


def test_a_part_that_the_avatar_has_not_is_refused(blend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = json.loads(blend.read_text())
    stored["extract"]["parts"]["horns"] = {"edited": False}
    change(blend, extract=stored["extract"])
    assert pulled(blend, capsys)[1]["id"] == "EDITED_FOREIGN"


def test_a_missing_blend_is_told(blend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blend.unlink()
    code, told = pulled(blend, capsys)
    assert (code, told["id"]) == (10, "FILE_MISSING")


def test_blender_is_called_with_its_words_and_python_with_its() -> None:
    from avatar3d.formats.blender import Blender

    script, blend, out = Path("/a/shell.py"), Path("/b/x.blend"), Path("/c")
    words = Blender("/usr/bin/blender", script).words(blend, out)
    assert words[-4:] == [str(script), "--", str(blend), str(out)]
    assert "--factory-startup" in words
    assert Blender("/v/bin/python3", script).words(blend, out) == ["/v/bin/python3", str(script), str(blend), str(out)]
