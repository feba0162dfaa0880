"""What Blender's script lists is believed only inside the folder it was given."""

import json
from pathlib import Path
from typing import Any

import pytest

from avatar3d.core.errors import UnreadableError
from avatar3d.formats.extract import read_extract


def listed(folder: Path, **changes: Any) -> Path:
    for name in ("source.glb", "face.npz", "face.png"):
        (folder / name).write_bytes(b"x")
    stored = {
        "schema": "avatar3d-extract-1",
        "avatar": "anna",
        "source": "source.glb",
        "parts": {
            "face": {
                "edited": True,
                "file": "face.npz",
                "material": {"name": "face", "base_colour": "face.png", "normal": None},
            },
            "hair": {"edited": False},
        },
        "added": ["Cube"],
        "warnings": [],
        "blender": "4.5.1",
    } | changes
    path = folder / "extract.json"
    path.write_text(json.dumps(stored))
    return path


def test_parts_files_and_textures_are_found(tmp_path: Path) -> None:
    extract = read_extract(listed(tmp_path))
    face, hair = extract.parts
    assert face.mesh == tmp_path / "face.npz"
    assert face.textures == {"base_colour": tmp_path / "face.png"}
    assert hair.mesh is None
    assert not hair.textures
    assert (extract.avatar, extract.added, extract.blender) == ("anna", ("Cube",), "4.5.1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": "avatar3d-extract-2"},
        {"source": "../source.glb"},
        {"source": "/etc/passwd"},
        {"source": "none.glb"},
        {"source": 7},
        {"source": ""},
        {"source": "a\0b"},
        {"parts": []},
        {"parts": {"face": {"edited": True}}},
        {"parts": {"face": {"edited": True, "file": "../../x"}}},
        {"parts": {"face": {"edited": False, "material": {"normal": "/etc/passwd"}}}},
        {"parts": {"face": 7}},
        {"parts": {str(n): {"edited": False} for n in range(65)}},
        {"added": 7},
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_extract(listed(tmp_path, **wrong))
    assert caught.value.id == "EXTRACT_INVALID"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = listed(tmp_path)
    (tmp_path / "source.glb").unlink()
    (tmp_path / "source.glb").symlink_to("/etc/passwd")
    with pytest.raises(UnreadableError):
        read_extract(path)


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "extract.json"
    for content in (b"", b"[]", b"[" * 100_000, b"\xff"):
        path.write_bytes(content)
        with pytest.raises(UnreadableError):
            read_extract(path)
