"""Edited meshes are read as if a stranger had written them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.edited import EditedMesh
from avatar3d.core.errors import InputError, LimitError, UnreadableError
from avatar3d.formats.edited_npz import MAX_VERTICES, read_edited, write_arrays

QUAD: dict[str, Any] = {
    "positions": np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0]], np.float32),
    "corners": np.array([0, 1, 2, 3, 1, 4, 2], np.int32),
    "polygon_starts": np.array([0, 4], np.int32),
    "uvs": np.zeros((7, 2), np.float32),
    "part": np.array("face"),
}

HELD: dict[str, Any] = {
    "held_positions": np.eye(3, dtype=np.float32), "held_triangles": np.array([[0, 1, 2]], np.int32),
    "locked_names": np.array(["a"]), "locked_own": np.zeros((1, 3, 3), np.float32),
}  # fmt: skip
PAINTED: dict[str, Any] = {
    "bone_names": np.array(["head", "neck"]), "bones": np.tile(np.array([0, 1, 0, 0], np.int32), (5, 1)),
    "bone_weights": np.tile(np.array([3, 1, 0, 0], np.float32), (5, 1)),
}  # fmt: skip


def file_of(folder: Path, **changes: Any) -> Path:
    arrays = {name: values for name, values in (QUAD | changes).items() if values is not None}
    return write_arrays(folder / "edited.npz", arrays)


def test_quads_and_triangles_come_back_as_they_were(tmp_path: Path) -> None:
    mesh = read_edited(file_of(tmp_path))
    np.testing.assert_array_equal(mesh.positions, QUAD["positions"])
    np.testing.assert_array_equal(mesh.triangles(), [[0, 1, 2], [0, 2, 3], [1, 4, 2]])
    assert mesh.part == "face"
    assert (mesh.source == -1).all()
    assert mesh.locked.shape == (0, 5, 3)


def test_numpys_own_files_are_read_too_compressed_or_not(tmp_path: Path) -> None:
    locked = np.full((1, 5, 3), 0.25, np.float32)
    arrays = QUAD | {"locked_names": np.array(["jawOpen"]), "locked": locked, "source": np.arange(5, dtype=np.int32)}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **arrays)
        mesh = read_edited(tmp_path / "a.npz")
        assert mesh.locked_names == ("jawOpen",)
        np.testing.assert_array_equal(mesh.locked, locked)
        np.testing.assert_array_equal(mesh.source, np.arange(5))


def test_what_hands_made_on_another_mesh_and_painted_weights_are_read(tmp_path: Path) -> None:
    mesh = read_edited(
        file_of(
            tmp_path, **HELD, **PAINTED | {"bones": PAINTED["bones"][:3], "bone_weights": np.ones((3, 4), np.float32)}
        )
    )
    assert mesh.held is not None
    assert mesh.held.parted.shape == (0, 3, 3)
    assert mesh.locked_own.shape == (1, 3, 3)
    assert mesh.bones.shape == (3, 4), "they stand where the shapes do"
    mesh = read_edited(file_of(tmp_path, **PAINTED))
    assert mesh.bone_names == ("head", "neck")
    np.testing.assert_array_equal(mesh.bone_weights, np.tile(np.float32([0.75, 0.25, 0, 0]), (5, 1)))


def test_the_same_arrays_are_the_same_bytes(tmp_path: Path) -> None:
    one = file_of(tmp_path).read_bytes()
    assert file_of(tmp_path).read_bytes() == one


@pytest.mark.parametrize(
    "wrong",
    [
        {"positions": None},
        {"uvs": None},
        {"positions": np.zeros((5, 2), np.float32)},
        {"positions": np.zeros((5, 3), np.float64)},
        {"positions": np.full((5, 3), np.nan, np.float32)},
        {"positions": np.full((5, 3), 1e9, np.float32)},
        {"positions": np.zeros(5, np.float32)},
        {"corners": np.array([0, 1, 2, 3, 1, 5, 2], np.int32)},
        {"corners": np.array([0, 1, 2, 3, 1, -1, 2], np.int32)},
        {"corners": np.zeros(0, np.int32), "uvs": np.zeros((0, 2), np.float32)},
        {"polygon_starts": np.array([1, 4], np.int32)},
        {"polygon_starts": np.array([0, 5], np.int32)},
        {"polygon_starts": np.array([0, 9], np.int32)},
        {"polygon_starts": np.array([4, 0], np.int32)},
        {"polygon_starts": np.zeros(0, np.int32)},
        {"uvs": np.zeros((6, 2), np.float32)},
        {"uvs": np.full((7, 2), np.inf, np.float32)},
        {"part": np.array(["face", "hair"])},
        {"source": np.zeros(4, np.int32)},
        {"source": np.full(5, -2, np.int32)},
        {"locked_names": np.array(["a"])},
        {"locked_names": np.array(["a", "a"]), "locked": np.zeros((2, 5, 3), np.float32)},
        {"locked": np.full((1, 5, 3), np.nan, np.float32), "locked_names": np.array(["a"])},
        {"part": np.array(7)},
        {"held_positions": np.zeros((3, 2), np.float32)},
        HELD | {"held_triangles": np.array([[0, 1, 3]], np.int32)},
        HELD | {"held_triangles": np.zeros((0, 3), np.int32)},
        HELD | {"held_parted": np.zeros((1, 4, 3), np.float32)},
        HELD | {"held_positions": np.full((3, 3), np.nan, np.float32)},
        HELD | {"locked_own": np.zeros((1, 4, 3), np.float32)},
        PAINTED | {"bones": np.full((5, 4), 2, np.int32)},
        PAINTED | {"bones": np.full((5, 4), -1, np.int32)},
        PAINTED | {"bone_names": np.array(["head", "head"])},
        PAINTED | {"bone_names": None},
        PAINTED | {"bone_weights": np.zeros((5, 4), np.float32)},
        PAINTED | {"bone_weights": np.full((5, 4), np.inf, np.float32)},
        PAINTED | {"bone_weights": np.ones((4, 4), np.float32)},
        PAINTED | {"bone_rows": np.zeros(5, np.int32)},
        PAINTED | {"bone_rows": np.arange(4, dtype=np.int32)},
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_edited(file_of(tmp_path, **wrong))
    assert caught.value.id == "EDITED_INVALID"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"x" * 1000])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "edited.npz"
    path.write_bytes(content)
    with pytest.raises(UnreadableError):
        read_edited(path)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **(QUAD | {"part": np.array([{"a": 1}], dtype=object)}))
    with pytest.raises(UnreadableError):
        read_edited(tmp_path / "a.npz")


def test_every_cut_of_a_file_is_refused(tmp_path: Path) -> None:
    whole = file_of(tmp_path).read_bytes()
    path = tmp_path / "cut.npz"
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_edited(path)


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 3)})
    path = file_of(tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["positions.npy"] = header.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    with pytest.raises(UnreadableError):
        read_edited(path)


def test_a_mesh_beyond_the_limit_is_refused_before_it_is_worked_on(tmp_path: Path) -> None:
    with pytest.raises(LimitError) as caught:
        read_edited(file_of(tmp_path, positions=np.zeros((MAX_VERTICES + 1, 3), np.float32)))
    assert caught.value.id == "EDITED_TOO_LARGE"


def test_fans_leave_out_no_corner() -> None:
    mesh = EditedMesh(
        "face",
        np.zeros((6, 3), np.float32),
        np.arange(6, dtype=np.int32),
        np.zeros(1, np.int32),
        np.zeros((6, 2), np.float32),
        np.full(6, -1, np.int32),
        (),
        np.zeros((0, 6, 3), np.float32),
    )
    np.testing.assert_array_equal(mesh.triangles(), [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]])
