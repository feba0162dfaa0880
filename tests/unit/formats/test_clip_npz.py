"""Our clip file: exact, always the same, and harmless whoever wrote it."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip
from avatar3d.core.errors import (
    Avatar3dError,
    InputError,
    LimitError,
    OutputInvalidError,
    UnreadableError,
    UnsupportedFormatError,
)
from avatar3d.formats import clip_npz
from avatar3d.formats.clip_npz import load_clip, load_provenance, save_clip
from avatar3d.formats.clip_provenance import clip_provenance
from tests.unit.formats.clips import talking_clip


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_clip(talking_clip(0.2), tmp_path / "a.npz", provenance=clip_provenance("sound", "ab" * 32))


def assert_same(got: BlendshapeClip, meant: BlendshapeClip) -> None:
    assert [frame.time_s for frame in got.frames] == [frame.time_s for frame in meant.frames]
    for back, frame in zip(got.frames, meant.frames, strict=True):
        for name in ("weights", "head_wxyz", "left_eye_wxyz", "right_eye_wxyz", "tongue"):
            np.testing.assert_array_equal(getattr(back, name), getattr(frame, name))


def test_a_clip_comes_back_to_the_bit(saved: Path) -> None:
    assert_same(load_clip(saved), talking_clip(0.2))


def test_the_same_clip_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = save_clip(load_clip(saved), tmp_path / "b.npz", provenance=load_provenance(saved))
    assert again.read_bytes() == saved.read_bytes()


def test_it_says_where_it_comes_from_and_that_it_is_synthetic(saved: Path, tmp_path: Path) -> None:
    marks = load_provenance(saved)
    assert marks["synthetic"] is True
    assert marks["digitalSourceType"].endswith("compositeSynthetic")
    assert marks["source"] == {"kind": "sound", "sha256": ["ab" * 32]}
    assert load_provenance(save_clip(talking_clip(0.1), tmp_path / "b.npz")) == {}


def test_numpy_alone_can_read_it(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as opened:
        assert opened["format"] == "avatar3d-clip-1"
        assert tuple(opened["names"]) == ARKIT_NAMES
        assert tuple(opened["tongue_names"]) == TONGUE_NAMES
        assert opened["weights"].shape == (13, 52)
        assert opened["eyes"].shape == (13, 2, 4)
        assert json.loads(str(opened["provenance"]))["synthetic"] is True


def test_what_numpy_compressed_again_is_read_too(saved: Path, tmp_path: Path) -> None:
    with np.load(saved, allow_pickle=False) as opened:
        np.savez_compressed(tmp_path / "b.npz", **opened)
    assert_same(load_clip(tmp_path / "b.npz"), talking_clip(0.2))


def test_a_provenance_that_is_not_json_is_not_written(tmp_path: Path) -> None:
    for marks in ({"seed": float("nan")}, {"seed": object()}):
        with pytest.raises(OutputInvalidError, match="JSON"):
            save_clip(talking_clip(0.1), tmp_path / "a.npz", provenance=marks)


def npy(values: np.ndarray, *, pickled: bool = False) -> bytes:
    member = io.BytesIO()
    np.lib.format.write_array(member, values, allow_pickle=pickled)
    return member.getvalue()


def header(text: str) -> bytes:
    """A .npy header with nothing after it."""
    padded = text + " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode("latin1")


def with_member(path: Path, name: str, content: bytes, *, compression: int = zipfile.ZIP_STORED) -> Path:
    """The file with one member replaced or added."""
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()} | {name: content}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member, inside in members.items():
            archive.writestr(member, inside)
    return path


class Trap:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return (Path.touch, (Path("/tmp/avatar3d-trap"),))  # type: ignore[return-value]


HOSTILE: dict[str, tuple[str, bytes, type[InputError]]] = {
    "a pickle": ("weights.npy", npy(np.array([Trap()], object), pickled=True), UnreadableError),
    "a pickle for text": ("names.npy", npy(np.array([Trap()], object), pickled=True), UnreadableError),
    "a header that asks for exabytes": (
        "weights.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (10**17, 52)}"), UnreadableError,
    ),
    "a count beyond the bytes": (
        "weights.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999, 52)}"), UnreadableError,
    ),
    "negative lengths": (
        "weights.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -1)}") + b"1234", UnreadableError,
    ),
    "a hundred axes": (
        "weights.npy",
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 100 + ")}") + b"1234",
        UnreadableError,
    ),
    "a nested header": ("weights.npy", header("(" * 9000 + ")" * 9000), UnreadableError),
    "no header": ("weights.npy", b"", UnreadableError),
    "doubles for floats": ("weights.npy", npy(np.zeros((13, 52))), UnreadableError),
    "a record": ("weights.npy", npy(np.zeros(13, [("a", "<f4"), ("b", "<f4")])), UnreadableError),
    "another shape": ("weights.npy", npy(np.zeros((13, 51), np.float32)), UnreadableError),
    "fewer frames": ("head.npy", npy(np.zeros((12, 4), np.float32)), UnreadableError),
    "frames in rows": ("time_s.npy", npy(np.zeros((13, 1))), UnreadableError),
    "no frames": ("time_s.npy", npy(np.zeros(0)), UnreadableError),
    "NaN": ("weights.npy", npy(np.full((13, 52), np.nan, np.float32)), UnreadableError),
    "time that stands still": ("time_s.npy", npy(np.zeros(13)), UnreadableError),
    "no rotation": ("head.npy", npy(np.zeros((13, 4), np.float32)), UnreadableError),
    "other names": ("names.npy", npy(np.array(ARKIT_NAMES[::-1])), UnreadableError),
    "letters that do not exist": ("names.npy", npy(np.full(52, 0x7FFFFFFF, "<u4")).replace(b"<u4", b"<U1"), UnreadableError),
    "another version": ("format.npy", npy(np.array("avatar3d-clip-9")), UnsupportedFormatError),
    "one member more": ("more.npy", npy(np.zeros(3)), UnsupportedFormatError),
    "a member that climbs out": ("../../weights.npy", npy(np.zeros(3)), UnsupportedFormatError),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_member_is_refused(what: str, saved: Path) -> None:
    name, content, error = HOSTILE[what]
    with pytest.raises(error) as caught:
        load_clip(with_member(saved, name, content))
    assert caught.value.file == str(saved)
    assert not Path("/tmp/avatar3d-trap").exists()


@pytest.mark.parametrize("what", ["[1]", "{", "[" * 100_000])
def test_a_provenance_that_is_no_object_is_refused(what: str, saved: Path) -> None:
    with pytest.raises(UnreadableError, match="provenance"):
        load_provenance(with_member(saved, "provenance.npy", npy(np.array(what))))


def test_a_bomb_is_not_unfolded(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_npz, "MAX_BYTES", 1_000_000)
    bomb = with_member(saved, "weights.npy", b"\0" * 50_000_000, compression=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 100_000
    with pytest.raises(LimitError, match="weights unfolds to more than"):
        load_clip(bomb)


def test_a_text_is_not_unfolded_beyond_its_own_limit(saved: Path) -> None:
    long = with_member(saved, "names.npy", b"\0" * 3_000_000, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(LimitError, match="names unfolds"):
        load_clip(long)


def test_a_slow_compression_is_refused(saved: Path) -> None:
    with pytest.raises(UnreadableError, match="compressed"):
        load_clip(with_member(saved, "weights.npy", b"x", compression=zipfile.ZIP_LZMA))


def test_a_directory_of_a_million_members_is_refused_before_it_is_read(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    struct.pack_into("<2H", content, len(content) - 14, 65535, 65535)
    saved.write_bytes(bytes(content))
    with pytest.raises(UnsupportedFormatError, match="65535 members"):
        load_clip(saved)
    saved.write_bytes(bytes(content[:-22]) + b"PK\x06\x07" + bytes(16) + bytes(content[-22:]))
    with pytest.raises(UnreadableError, match="another kind"):
        load_clip(saved)


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("no archive at all")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(UnsupportedFormatError, match=name):
            load_clip(tmp_path / name)
    for path in (tmp_path, tmp_path / "absent.npz"):
        with pytest.raises(UnreadableError):
            load_clip(path)


def test_a_cut_file_is_refused_wherever_it_is_cut(saved: Path) -> None:
    content = saved.read_bytes()
    for size in [*range(64), *range(64, len(content), 97)]:
        saved.write_bytes(content[:size])
        with pytest.raises(InputError):
            load_clip(saved)


def test_a_changed_byte_is_noticed_or_harmless(saved: Path) -> None:
    content, random, noticed = saved.read_bytes(), np.random.default_rng(3), 0
    for _ in range(400):
        changed = bytearray(content)
        changed[random.integers(len(content))] ^= int(random.integers(1, 256))
        saved.write_bytes(bytes(changed))
        try:
            clip = load_clip(saved)
        except Avatar3dError:
            noticed += 1
        else:
            assert_same(clip, talking_clip(0.2))
    assert noticed > 300
