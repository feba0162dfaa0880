"""Files of pins are read strictly: what cannot be meant is refused with a sentence, never guessed at."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.errors import UnreadableError
from avatar3d.photo.pins import MAX_FILE_BYTES, read_pins

SHA, SIZE = "ab" * 32, (600, 800)


def pin(landmark: Any = 61, x: Any = 100.5, y: Any = 200.25) -> dict[str, Any]:
    return {"landmark": landmark, "x_px": x, "y_px": y}


def written(folder: Path, **changes: Any) -> Path:
    stored = {"schema": "avatar3d-pins-1", "photo_sha256": SHA, "size_px": list(SIZE), "pins": [pin()]} | changes
    path = folder / "pins.json"
    path.write_text(json.dumps(stored))
    return path


def refused(path: Path) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        read_pins(path, photo_sha256=SHA, size_px=SIZE)
    assert caught.value.exit_code == 10
    assert caught.value.hint
    return caught.value


def test_pins_come_in_the_order_of_their_landmarks(tmp_path: Path) -> None:
    path = written(tmp_path, pins=[pin(291, 0, 800), pin(4, 600, 0)])
    pins = read_pins(path, photo_sha256=SHA, size_px=SIZE)
    np.testing.assert_array_equal(pins.landmarks, [4, 291])
    np.testing.assert_array_equal(pins.points_px, [[600, 0], [0, 800]])


def test_no_pins_are_no_pins(tmp_path: Path) -> None:
    assert len(read_pins(written(tmp_path, pins=[]), photo_sha256=SHA, size_px=SIZE).landmarks) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": "avatar3d-pins-2"},
        {"more": 1},
        {"size_px": [600, 800.5]},
        {"size_px": "600x800"},
        {"pins": {"61": [1, 2]}},
        {"pins": [pin()] * 479},
        {"pins": [pin(), pin()]},
        {"pins": [pin(478)]},
        {"pins": [pin(-1)]},
        {"pins": [pin(True)]},
        {"pins": [pin(61.0)]},
        {"pins": [pin("61")]},
        {"pins": [pin(x=float("nan"))]},
        {"pins": [pin(x=float("inf"))]},
        {"pins": [pin(x=10**400)]},
        {"pins": [pin(x="1")]},
        {"pins": [pin(x=True)]},
        {"pins": [pin(x=600.1)]},
        {"pins": [pin(y=-0.1)]},
        {"pins": [pin() | {"weight": 2}]},
        {"pins": [[61, 1, 2]]},
    ],
)
def test_what_breaks_a_rule_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    assert refused(written(tmp_path, **wrong)).id == "PINS_INVALID"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1, "schema": 2}']
)
def test_what_is_no_such_json_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(content)
    assert refused(path).id == "PINS_INVALID"


def test_a_large_file_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    path.write_bytes(b" " * (MAX_FILE_BYTES + 1))
    assert "larger" in refused(path).message


@pytest.mark.parametrize("other", [{"photo_sha256": "cd" * 32}, {"photo_sha256": 7}, {"size_px": [800, 600]}])
def test_pins_of_another_picture_are_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    assert refused(written(tmp_path, **other)).id == "PINS_FOREIGN"


def test_a_folder_or_nothing_is_no_file_of_pins(tmp_path: Path) -> None:
    assert refused(tmp_path).id == "FILE_NOT_REGULAR"
    assert refused(tmp_path / "none.json").id == "FILE_MISSING"
