"""Every picture row of the corpus ends as it must: through the functions, and those that fail through the command."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("skimage", reason="the corpus is made from scikit-image's portrait (extra `demo`)")

import recipes as make
from rows import NEEDS_HEIF_ABSENT, ROWS, Row

from avatar3d.cli import main
from avatar3d.core.errors import Avatar3dError, InputError
from avatar3d.core.photo import FaceObservation
from avatar3d.photo.load import decode_photo, load_photo
from avatar3d.photo.observe import observe_face

REFUSED = [row for row in ROWS if row.exit]
RIGHT = [row for row in ROWS if not row.exit]


def observed(row: Row) -> FaceObservation:
    return observe_face(decode_photo(row.make(), "anna.jpg"), face=row.face)


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_a_picture_that_can_be_used_is_used_rightly(row: Row) -> None:
    started = time.monotonic()
    face = observed(row)
    assert time.monotonic() - started < 20  # a hang; the machine may be busy
    if row.check is not None:
        row.check(face.photo)
    said = " ".join(face.photo.warnings + face.warnings)
    assert (row.warns or "") in said
    if row.warns is None:
        assert face.photo.warnings == ()
    assert max(face.photo.pixels.shape) <= 4096
    assert face.person[tuple(face.landmarks_px[4].astype(int)[::-1])]


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_a_picture_that_cannot_be_used_is_refused_with_file_and_remedy(row: Row) -> None:
    with pytest.raises(InputError) as refused:
        observed(row)
    error = refused.value
    assert (error.exit_code, error.id) == (row.exit, row.error)
    assert error.message.startswith('"anna.jpg"')
    assert error.hint.endswith(".")


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_the_command_refuses_it_too_and_leaves_nothing(row: Row, tmp_path: Path) -> None:
    picture = tmp_path / "anna.jpg"
    picture.write_bytes(row.make())
    result = CliRunner().invoke(main, ["create", "--json", str(picture), "-o", str(tmp_path / "out")])
    told = json.loads(result.stdout)
    assert (result.exit_code, told["code"], told["id"]) == (row.exit, row.exit, row.error)
    assert "Traceback" not in result.output
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p != picture]


def test_eight_orientations_give_the_same_landmarks() -> None:
    upright = observe_face(decode_photo(make.stored_as(1), "a.png")).landmarks_px
    for value in range(2, 9):
        stored = observe_face(decode_photo(make.stored_as(value), "a.png")).landmarks_px
        assert np.abs(stored - upright).max() < 1.0, value


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_lying_or_upside_down_head_is_set_upright_with_its_photo(quarters: int) -> None:
    upright = observe_face(decode_photo(make.saved(make.collins_head(), "PNG"), "a.png"))
    turned = make.saved(np.ascontiguousarray(np.rot90(make.collins_head(), quarters)), "PNG")
    found = observe_face(decode_photo(turned, "a.png"))
    assert (found.photo.pixels == upright.photo.pixels).all()
    off = np.linalg.norm(found.landmarks_px - upright.landmarks_px, axis=1) / upright.interocular_px
    assert off.mean() < 0.01
    assert (found.person == upright.person).mean() > 0.95


def test_heic_without_the_extra_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
    with pytest.raises(Avatar3dError) as refused:
        observed(NEEDS_HEIF_ABSENT)
    assert (refused.value.exit_code, refused.value.id) == (11, "IMG_HEIC_EXTRA")
    assert 'pip install "avatar3d[heic]"' in refused.value.hint


def test_the_standard_wording_of_a_cut_file() -> None:
    data = make.cut(make.saved(make.collins()), 0.5)
    with pytest.raises(InputError) as refused:
        decode_photo(data, "/home/anna/anna.jpg")
    start = f'"anna.jpg": it ends after {len(data):,} of about '
    assert refused.value.message.startswith(start)
    assert refused.value.hint == "Copy the file again from the phone."
    assert refused.value.file == "/home/anna/anna.jpg"


def test_the_size_told_is_that_of_the_file_and_not_of_a_reduced_copy() -> None:
    (thread,) = (row for row in REFUSED if row.id == "I10")
    with pytest.raises(InputError, match="no face was found in 1 x 65000 pixels"):
        observed(thread)


def test_an_endless_header_ends_within_a_second() -> None:
    data = make.endless_exif()
    started = time.process_time()
    decode_photo(data, "a.jpg")
    assert time.process_time() - started < 1


def test_what_the_file_says_about_person_and_place_is_not_carried_on(tmp_path: Path) -> None:
    secret = b"CANARY-52.5200N-13.4050E"
    block = make.exif_block([(0x010E, 2, len(secret), (26).to_bytes(4, "little"))]) + secret
    picture = tmp_path / "anna.jpg"
    picture.write_bytes(make.with_exif(make.saved(make.collins()), block))
    photo = load_photo(picture)
    assert "CANARY" not in repr(photo)
    assert secret not in photo.pixels.tobytes()


@pytest.mark.parametrize("id", ["I17", "I22", "I48"])
def test_a_right_picture_becomes_an_avatar_through_the_command(id: str, tmp_path: Path) -> None:
    (row,) = (row for row in RIGHT if row.id == id)
    picture = tmp_path / "anna.jpg"
    picture.write_bytes(row.make())
    result = CliRunner().invoke(main, ["create", "--no-report", str(picture), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "anna" / "anna.glb").stat().st_size > 1_000_000
