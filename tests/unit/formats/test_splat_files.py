"""Splats survive .ply, .spz and .splats; files that lie, or were cut, are refused by name and number."""

import gzip
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar3d.cli import main
from avatar3d.core.errors import InputError
from avatar3d.core.splats import Gaussians, SplatCloud
from avatar3d.formats.check import check_file
from avatar3d.formats.splat_binding import encode_binding, load_binding, save_binding
from avatar3d.formats.splat_ply import encode_ply, load_ply, save_ply
from avatar3d.formats.splat_spz import encode_spz, load_spz, save_spz
from tests.unit.formats.splat_examples import angles_deg, bound, rest

GAUSSIANS = rest().gaussians


def fit(one: Gaussians, other: Gaussians, *, place_m: float, width: float, turn_deg: float, colour: float) -> None:
    np.testing.assert_allclose(one.mean, other.mean, atol=place_m)
    np.testing.assert_allclose(np.log(one.scale), np.log(other.scale), atol=width)
    np.testing.assert_allclose(one.colour, other.colour, atol=colour)
    np.testing.assert_allclose(one.opacity, other.opacity, atol=0.5 / 255 + 1e-6)
    assert angles_deg(one, other).max() < turn_deg


def test_a_ply_gives_back_what_was_written(tmp_path: Path) -> None:
    read = load_ply(save_ply(GAUSSIANS, tmp_path / "head.ply"))
    fit(read, GAUSSIANS, place_m=0, width=1e-6, turn_deg=0.1, colour=1e-6)
    np.testing.assert_allclose(read.opacity, GAUSSIANS.opacity, atol=1e-6)


def test_a_ply_is_the_trainers_layout_with_y_down() -> None:
    content = encode_ply(GAUSSIANS)
    head, rows = content.split(b"end_header\n", 1)
    names = [line.split()[-1].decode() for line in head.splitlines() if line.startswith(b"property float ")]
    assert names == ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1",
                     "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]  # fmt: skip
    table = np.frombuffer(rows, "<f4").reshape(-1, 17)
    np.testing.assert_array_equal(table[:, :3], GAUSSIANS.mean * [1, -1, -1])
    np.testing.assert_allclose(1 / (1 + np.exp(-table[:, 9])), GAUSSIANS.opacity, atol=1e-6)
    np.testing.assert_allclose(np.exp(table[:, 10:13]), GAUSSIANS.scale, rtol=1e-5)
    srgb = table[:, 6:9] * 0.28209479 + 0.5
    np.testing.assert_allclose(((srgb + 0.055) / 1.055) ** 2.4, GAUSSIANS.colour, atol=2e-2)


def test_a_ply_of_a_trainer_with_harmonics_doubles_and_more_elements_is_read(tmp_path: Path) -> None:
    one = encode_ply(GAUSSIANS)
    table = np.frombuffer(one.split(b"end_header\n", 1)[1], "<f4").reshape(-1, 17)
    names = [line.split()[-1].decode() for line in one.splitlines()[:25] if line.startswith(b"property float ")]
    kept = [name for name in reversed(names) if not name.startswith("n")]
    row = np.dtype([(name, "<f8") for name in kept] + [("f_rest_0", "<f4")])
    rows = np.zeros(len(table), row)
    for name in kept:
        rows[name] = table[:, names.index(name)]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    header += [*(f"property double {name}" for name in kept), "property float f_rest_0"]
    header += ["element sort 1", "property uint at", "end_header\n"]
    (tmp_path / "other.ply").write_bytes("\n".join(header).encode() + rows.tobytes() + bytes(4))
    fit(load_ply(tmp_path / "other.ply"), GAUSSIANS, place_m=0, width=1e-6, turn_deg=0.1, colour=1e-6)


def test_an_spz_gives_back_what_was_written_to_its_steps(tmp_path: Path) -> None:
    read = load_spz(save_spz(GAUSSIANS, tmp_path / "head.spz"))
    fit(read, GAUSSIANS, place_m=1e-6, width=0.5 / 16 + 1e-3, turn_deg=0.35, colour=0.02)


def test_an_spz_of_version_2_and_with_harmonics_is_read(tmp_path: Path) -> None:
    raw = gzip.decompress(encode_spz(GAUSSIANS))
    count = len(GAUSSIANS.mean)
    wxyz = np.where(GAUSSIANS.rotation_wxyz[:, :1] < 0, -GAUSSIANS.rotation_wxyz, GAUSSIANS.rotation_wxyz)
    turns = np.round((wxyz[:, 1:] + 1) * 127.5).astype(np.uint8).tobytes()
    old = (
        struct.pack("<4sIIBBBB", b"NGSP", 2, count, 1, raw[13], 0, 0)
        + raw[16 : 16 + 16 * count]
        + turns
        + bytes(9 * count)
    )
    (tmp_path / "old.spz").write_bytes(gzip.compress(old))
    read = load_spz(tmp_path / "old.spz")
    np.testing.assert_allclose(read.mean, GAUSSIANS.mean, atol=1e-6)
    turned = angles_deg(read, GAUSSIANS)
    assert np.median(turned) < 1  # where w is small, 8 bits of x, y and z tell it badly
    assert turned.max() < 12


def test_places_far_away_keep_as_many_bits_as_they_can(tmp_path: Path) -> None:
    far = replace(GAUSSIANS, mean=(GAUSSIANS.mean * 1000).astype(np.float32))
    read = load_spz(save_spz(far, tmp_path / "far.spz"))
    np.testing.assert_allclose(read.mean, far.mean, atol=2e-5)


def test_a_binding_gives_back_every_bit(tmp_path: Path) -> None:
    written = bound()
    read = load_binding(save_binding(written, tmp_path / "ana.splats"))
    assert (read.mesh_names, read.triangle_counts) == (written.mesh_names, written.triangle_counts)
    for field in fields(SplatCloud):
        np.testing.assert_array_equal(getattr(read.cloud, field.name), getattr(written.cloud, field.name))


def test_the_same_splats_give_the_same_bytes() -> None:
    assert encode_spz(GAUSSIANS) == encode_spz(GAUSSIANS)
    assert encode_ply(GAUSSIANS) == encode_ply(GAUSSIANS)


def test_no_splats_at_all_are_a_file_too(tmp_path: Path) -> None:
    none = rest(1)
    empty = Gaussians(*(getattr(none.gaussians, field.name)[:0] for field in fields(Gaussians)))
    assert len(load_ply(save_ply(empty, tmp_path / "none.ply")).mean) == 0
    assert len(load_spz(save_spz(empty, tmp_path / "none.spz")).mean) == 0


PLY, SPZ, BINDING = encode_ply(GAUSSIANS), encode_spz(GAUSSIANS), encode_binding(bound())
GOOD = {"a.ply": PLY, "a.spz": SPZ, "a.splats": BINDING}
LOAD: dict[str, Callable[[Path], object]] = {"a.ply": load_ply, "a.spz": load_spz, "a.splats": load_binding}
ROWS = PLY.index(b"end_header\n") + 11


def spz(**header: int) -> bytes:
    raw = gzip.decompress(SPZ)
    told = {"version": 3, "count": len(GAUSSIANS.mean), "degree": 0, "bits": 20, "flags": 0} | header
    return gzip.compress(struct.pack("<4sIIBBBB", b"NGSP", *told.values(), 0) + raw[16:], 1)


def binding(at: int, value: bytes) -> bytes:
    return BINDING[:at] + value + BINDING[at + len(value) :]


NAN, COLUMN = struct.pack("<f", np.nan), 20 + struct.unpack_from("<I", BINDING, 16)[0]
S = len(GAUSSIANS.mean)
LIES: list[tuple[str, bytes, int, str]] = [
    ("a.ply", b"", 10, "SPLATS_INVALID"),
    ("a.ply", b"glTF" + PLY, 11, "SPLATS_FORMAT"),
    ("a.ply", PLY[:100], 10, "SPLATS_INVALID"),
    ("a.ply", PLY[:-1], 10, "SPLATS_INVALID"),
    ("a.ply", PLY + b"x", 10, "SPLATS_INVALID"),
    ("a.ply", PLY.replace(b"vertex 300", b"vertex 4000001"), 12, "SPLATS_TOO_LARGE"),
    ("a.ply", PLY.replace(b"vertex 300", b"vertex " + b"9" * 5000), 12, "SPLATS_TOO_LARGE"),
    ("a.ply", PLY.replace(b"vertex 300", b"vertex -30"), 10, "SPLATS_INVALID"),
    ("a.ply", PLY.replace(b"binary_little_endian", b"ascii"), 11, "SPLATS_FORMAT"),
    ("a.ply", PLY.replace(b"property float opacity", b"property float density"), 11, "SPLATS_FORMAT"),
    ("a.ply", PLY.replace(b"property float nx", b"property list uchar int nx"), 11, "SPLATS_FORMAT"),
    ("a.ply", PLY.replace(b"property float nx", b"property float x"), 11, "SPLATS_FORMAT"),
    ("a.ply", PLY[:ROWS] + NAN + PLY[ROWS + 4 :], 10, "SPLATS_INVALID"),
    ("a.ply", PLY[: ROWS + 52] + bytes(16) + PLY[ROWS + 68 :], 10, "SPLATS_INVALID"),
    ("a.spz", PLY, 11, "SPLATS_FORMAT"),
    ("a.spz", SPZ[:200], 10, "SPLATS_INVALID"),
    ("a.spz", SPZ[:-3], 10, "SPLATS_INVALID"),
    ("a.spz", SPZ[:-6] + bytes([SPZ[-6] ^ 1]) + SPZ[-5:], 10, "SPLATS_INVALID"),
    ("a.spz", SPZ[:60] + b"\xff" * 40 + SPZ[100:], 10, "SPLATS_INVALID"),
    ("a.spz", gzip.compress(b"NGSP"), 10, "SPLATS_INVALID"),
    ("a.spz", spz(version=4), 11, "SPLATS_FORMAT"),
    ("a.spz", spz(degree=9), 11, "SPLATS_FORMAT"),
    ("a.spz", spz(count=4_000_001), 12, "SPLATS_TOO_LARGE"),
    ("a.spz", spz(count=2_000_000), 10, "SPLATS_INVALID"),
    ("a.spz", spz(count=S - 1), 10, "SPLATS_INVALID"),
    ("a.spz", spz(bits=99), 10, "SPLATS_INVALID"),
    ("a.spz", gzip.compress(gzip.decompress(SPZ) + bytes(50_000_000), 1), 10, "SPLATS_INVALID"),
    ("a.splats", SPZ, 11, "SPLATS_FORMAT"),
    ("a.splats", BINDING[:12], 10, "SPLATS_INVALID"),
    ("a.splats", BINDING[:-4], 10, "SPLATS_INVALID"),
    ("a.splats", binding(4, struct.pack("<I", 2)), 11, "SPLATS_FORMAT"),
    ("a.splats", binding(8, struct.pack("<I", 4_000_001)), 12, "SPLATS_TOO_LARGE"),
    ("a.splats", binding(12, struct.pack("<I", 7)), 10, "SPLATS_INVALID"),
    ("a.splats", binding(16, struct.pack("<I", 2**31)), 12, "SPLATS_TOO_LARGE"),
    ("a.splats", binding(20, b"\t\t\t\t\t\t"), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN, struct.pack("<I", 2**31)), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN + 4 * S, NAN), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN + 4 * S, struct.pack("<f", 5)), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN + 20 * S, struct.pack("<f", 5)), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN + 36 * S, struct.pack("<f", -1)), 10, "SPLATS_INVALID"),
    ("a.splats", binding(COLUMN + 60 * S, struct.pack("<f", 1.5)), 10, "SPLATS_INVALID"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "code", "id"), LIES, ids=[f"{n}-{at}" for at, (n, *_) in enumerate(LIES)])
def test_a_file_that_lies_is_refused_by_the_command_with_its_number(
    name: str, content: bytes, code: int, id: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    result = CliRunner().invoke(main, ["check", "--json", str(tmp_path / name)])
    told = result.stdout + result.stderr
    assert (result.exit_code, f'"id": "{id}"' in told) == (code, True), told
    assert "Traceback" not in told


def test_a_good_file_passes_the_check(tmp_path: Path) -> None:
    for name, content in GOOD.items():
        (tmp_path / name).write_bytes(content)
        report = check_file(tmp_path / name)
        assert report.ok
        assert "300 splats" in report.findings[0].reason


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(GOOD)),
    cut=st.integers(0, 400),
    changes=st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 255)), max_size=4),
)
def test_whatever_a_file_holds_it_is_read_or_refused(
    name: str, cut: int, changes: list[tuple[int, int]], tmp_path: Path
) -> None:
    content = bytearray(GOOD[name][: -cut or None])
    for at, value in changes:
        content[at % min(len(content), 900)] = value
    (tmp_path / name).write_bytes(bytes(content))
    with suppress(InputError):
        LOAD[name](tmp_path / name)
