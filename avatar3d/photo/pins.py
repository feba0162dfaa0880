"""The door for pins: landmarks that somebody moved by hand, as a JSON file.

{"schema": "avatar3d-pins-1", "photo_sha256": "...", "size_px": [w, h], "pins": [{"landmark": 0, "x_px": 1.5, "y_px": 2.5}]}
"""

import json
from math import isfinite
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np

from avatar3d.core.errors import UnreadableError
from avatar3d.core.files import open_given, shown_path
from avatar3d.core.sitting import Pins

SCHEMA: Final = "avatar3d-pins-1"
LANDMARKS: Final = 478
MAX_FILE_BYTES: Final = 1_000_000
_KEYS: Final = {"schema", "photo_sha256", "size_px", "pins"}
_PIN_KEYS: Final = {"landmark", "x_px", "y_px"}


def read_pins(path: Path, *, photo_sha256: str, size_px: tuple[int, int]) -> Pins:
    """The pins of a file, for the photo with this hash, upright of this width and height in pixels.

    Raises UnreadableError (10): PINS_INVALID for a file that breaks a rule, PINS_FOREIGN for pins of another photo.
    """
    stored = _read_json(path)
    if set(stored) != _KEYS or stored["schema"] != SCHEMA:
        _refuse(path, f"expected the keys {', '.join(sorted(_KEYS))} and the schema {SCHEMA!r}")
    size, listed = stored["size_px"], stored["pins"]
    if not isinstance(size, list) or [type(side) for side in size] != [int, int]:
        _refuse(path, "size_px is not two whole numbers")
    if not isinstance(listed, list) or len(listed) > LANDMARKS:
        _refuse(path, f"pins is not a list of at most {LANDMARKS}")
    places = dict(_pin(path, pin, size_px) for pin in listed) if _is_of(path, stored, photo_sha256, size_px) else {}
    if len(places) < len(listed):
        _refuse(path, "a landmark is pinned twice")
    order = sorted(places)
    points = np.array([places[landmark] for landmark in order], np.float32).reshape(-1, 2)
    return Pins(np.array(order, np.int32), points)


def _read_json(path: Path) -> dict[str, Any]:
    with open_given(path, "pins") as stream:
        content = stream.read(MAX_FILE_BYTES + 1) or b""
    if len(content) > MAX_FILE_BYTES:
        _refuse(path, f"it is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        stored = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError) as cause:
        _refuse(path, f"it is no JSON ({str(cause)[:80]})")
    if not isinstance(stored, dict):
        _refuse(path, "it is not a JSON object")
    return stored


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that stands in it twice means two things."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _is_of(path: Path, stored: dict[str, Any], photo_sha256: str, size_px: tuple[int, int]) -> bool:
    """True; raises for pins that were set on another picture."""
    if stored["photo_sha256"] != photo_sha256:
        raise UnreadableError(
            f'"{path.name}" holds pins of the photo {str(stored["photo_sha256"])[:12]}..., not of {photo_sha256[:12]}...',
            hint="Give the photo that the pins were set on, or set them anew.",
            id="PINS_FOREIGN",
            file=shown_path(path),
        )
    if tuple(stored["size_px"]) != size_px:
        width, height = stored["size_px"]
        raise UnreadableError(
            f'"{path.name}" counts pixels of a picture of {width} x {height}; avatar3d reads the photo as '
            f"{size_px[0]} x {size_px[1]}.",
            hint="Use the size that photo.size_px of avatar.json tells.",
            id="PINS_FOREIGN",
            file=shown_path(path),
        )
    return True


def _pin(path: Path, pin: object, size_px: tuple[int, int]) -> tuple[int, tuple[float, float]]:
    """One pin's landmark and place."""
    if not isinstance(pin, dict) or set(pin) != _PIN_KEYS:
        _refuse(path, f"a pin has not just the keys {', '.join(sorted(_PIN_KEYS))}")
    landmark, x, y = pin["landmark"], pin["x_px"], pin["y_px"]
    if type(landmark) is not int or not 0 <= landmark < LANDMARKS:
        _refuse(path, f"landmark {str(landmark)[:20]!r} is not one of 0 to {LANDMARKS - 1}")
    inside = all(
        type(value) in (int, float) and abs(value) < 1e9 and isfinite(value) and 0 <= value <= side
        for value, side in zip((x, y), size_px, strict=True)
    )
    if not inside:
        _refuse(path, f"the pin of landmark {landmark} does not lie in the picture of {size_px[0]} x {size_px[1]}")
    return landmark, (float(x), float(y))


def _refuse(path: Path, what: str) -> NoReturn:
    raise UnreadableError(
        f'"{path.name}" is no file of pins: {what}.',
        hint="docs/conventions.md tells what stands in one.",
        id="PINS_INVALID",
        file=shown_path(path),
    )
