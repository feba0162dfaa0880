"""EXIF: upright, focal length, nothing else, and never in the way."""

import math
import struct

import numpy as np
import pytest

from avatar3d.photo.exif import Exif, focal_in_pixels, read_exif
from avatar3d.photo.load import _upright

Entry = tuple[int, int, int, bytes]


def short(tag: int, value: int) -> Entry:
    return tag, 3, 1, struct.pack("<H", value)


def block(main: list[Entry], camera: list[Entry], rationals: bytes = b"") -> bytes:
    """A main directory that points at a camera directory; rationals follow at offset 8 + both."""

    def directory(entries: list[Entry]) -> bytes:
        body = b"".join(struct.pack("<HHI", tag, kind, n) + value.ljust(4, b"\0") for tag, kind, n, value in entries)
        return struct.pack("<H", len(entries)) + body + bytes(4)

    at = 8 + 2 + 12 * (len(main) + 1) + 4
    head = directory([*main, (0x8769, 4, 1, struct.pack("<I", at))])
    return b"II*\0\x08\0\0\0" + head + directory(camera) + rationals


def test_a_phone_tells_its_focal_length_by_the_film_equivalent() -> None:
    exif = read_exif(block([short(0x0112, 6)], [short(0xA405, 26), short(0xA002, 4032), short(0xA003, 3024)]))
    assert exif.orientation == 6
    focal = focal_in_pixels(exif, 4032, 3024)
    assert focal == pytest.approx(26 / math.hypot(36, 24) * 5040)
    assert focal_in_pixels(exif, 2016, 1512) == pytest.approx(focal / 2)
    assert focal_in_pixels(exif, 1512, 2016) == pytest.approx(focal / 2)


def test_a_camera_tells_it_by_its_focal_plane() -> None:
    full_frame = Exif(focal_mm=85.0, plane_px_per_mm=(6000 / 36, 4000 / 24), pixel_size=(6000, 4000))
    assert focal_in_pixels(full_frame, 3000, 2000) == pytest.approx(85 / 36 * 3000)


def test_a_cropped_or_edited_picture_has_no_known_focal_length() -> None:
    phone = Exif(focal_35mm=26.0, pixel_size=(4032, 3024))
    assert focal_in_pixels(phone, 3024, 3024) is None
    assert focal_in_pixels(Exif(focal_35mm=26.0), 910, 1137) is None
    edited = Exif(focal_mm=105.0, plane_px_per_mm=(156.0, 156.0), pixel_size=(900, 1200))
    assert focal_in_pixels(edited, 900, 1200) is None


@pytest.mark.parametrize("focal", [0.0, -3.0, 1.0, 1e9])
def test_an_absurd_focal_length_is_not_believed(focal: float) -> None:
    assert focal_in_pixels(Exif(focal_35mm=focal or None), 4000, 3000) is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"II*\0",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"II*\0\xff\xff\xff\xff",
        b"hello, I am no EXIF at all",
        block([], [(0xA405, 3, 0, b""), (0x920A, 5, 1, b"\xff\xff\xff\xff"), (0xA20E, 99, 9, b"")]),
    ],
)
def test_damaged_exif_is_ignored(damaged: bytes) -> None:
    exif = read_exif(damaged)
    assert (exif.orientation, exif.focal_35mm, exif.focal_mm) == (1, None, None)


def test_a_directory_that_points_at_itself_ends() -> None:
    loop = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + bytes(4)
    assert read_exif(loop).orientation == 1


def test_the_eight_orientations_are_those_of_the_standard() -> None:
    """Row 0 and column 0 of the stored picture, by TIFF 6.0: 6 = right and top, 8 = left and bottom..."""
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = {
        1: [[0, 1, 2], [3, 4, 5]],
        2: [[2, 1, 0], [5, 4, 3]],
        3: [[5, 4, 3], [2, 1, 0]],
        4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]],
        6: [[3, 0], [4, 1], [5, 2]],
        7: [[5, 2], [4, 1], [3, 0]],
        8: [[2, 5], [1, 4], [0, 3]],
    }
    for value, upright in expected.items():
        assert _upright(stored, value).tolist() == upright
