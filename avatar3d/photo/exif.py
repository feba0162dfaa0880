"""The three things we read from EXIF: which way is up, the focal length, and whether the colours are AdobeRGB.

Our own reader, because it stops: it looks at no more than 512 entries of three directories and follows no loop. GPS,
names, times and serial numbers are never parsed, so they cannot be carried on.
Tags: CIPA DC-008 (EXIF 2.32), section 4.6.
"""

import math
from dataclasses import dataclass

_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_FOCAL_LENGTH, _FOCAL_35MM, _DIGITAL_ZOOM = 0x920A, 0xA405, 0xA404
_PIXEL_X, _PIXEL_Y, _INTEROP_IFD = 0xA002, 0xA003, 0xA005
_PLANE_X, _PLANE_Y, _PLANE_UNIT = 0xA20E, 0xA20F, 0xA210
_INTEROP_INDEX = 0x0001
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
_SENSOR_WIDTHS_MM = (36.0, 23.5, 22.3, 17.3, 13.2)
_CAMERA_SHAPES = (4 / 3, 3 / 2, 16 / 9)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_MAX_ENTRIES = 512
MAX_EXIF_BYTES = 1 << 20


@dataclass(frozen=True)
class Exif:
    """What this door takes from EXIF; every field has a harmless default."""

    orientation: int = 1
    focal_mm: float | None = None
    focal_35mm: float | None = None
    plane_px_per_mm: tuple[float, float] | None = None
    pixel_size: tuple[int, int] | None = None
    """Width and height the camera says it wrote."""
    adobe_rgb: bool = False
    """The DCF interoperability index R03: an AdobeRGB file, usually without a profile."""
    warnings: tuple[str, ...] = ()


def read_exif(data: bytes, *, whole_file: bool = False) -> Exif:
    """Read an EXIF block (a TIFF structure). Anything wrong is ignored with a warning, never an error.

    whole_file: the block is a TIFF file itself, so its length says nothing.
    """
    if not data:
        return Exif()
    if len(data) > MAX_EXIF_BYTES and not whole_file:
        return Exif(warnings=(f"The EXIF block has {len(data):,} bytes; it is ignored.",))
    try:
        return _read(data)
    except (ValueError, IndexError, OverflowError, ZeroDivisionError):
        return Exif(warnings=("The EXIF block is corrupt; it is ignored.",))


def _read(data: bytes) -> Exif:
    order = {b"II": "little", b"MM": "big"}.get(data[:2])
    if order is None or len(data) < 8:
        raise ValueError("no TIFF header")
    main = _directory(data, _u(data, 4, 4, order), order)
    camera: dict[int, list[float]] = {}
    if _EXIF_IFD in main:
        camera = _directory(data, int(main[_EXIF_IFD][0]), order)
    interop: dict[int, list[float]] = {}
    if _INTEROP_IFD in camera:
        interop = _directory(data, int(camera[_INTEROP_IFD][0]), order)
    warnings: list[str] = []
    orientation = int(main.get(_ORIENTATION, [1])[0])
    if not 1 <= orientation <= 8:
        warnings.append(f"EXIF orientation {orientation} does not exist; the picture is taken as upright.")
        orientation = 1
    unit = _MM_PER_UNIT.get(int(camera.get(_PLANE_UNIT, [2])[0]))
    plane = (_positive(camera, _PLANE_X), _positive(camera, _PLANE_Y))
    size = (_positive(camera, _PIXEL_X), _positive(camera, _PIXEL_Y))
    return Exif(
        orientation=orientation,
        focal_mm=_positive(camera, _FOCAL_LENGTH),
        focal_35mm=_positive(camera, _FOCAL_35MM),
        plane_px_per_mm=(plane[0] / unit, plane[1] / unit) if plane[0] and plane[1] and unit else None,
        pixel_size=(int(size[0]), int(size[1])) if size[0] and size[1] else None,
        adobe_rgb=bytes(int(v) & 255 for v in interop.get(_INTEROP_INDEX, [])[:3]) == b"R03",
        warnings=tuple(warnings),
    )


def _directory(data: bytes, at: int, order: str) -> dict[int, list[float]]:
    """The first values of each numeric entry of one directory (four at most: nothing we need is longer)."""
    count = min(_u(data, at, 2, order), _MAX_ENTRIES)
    found: dict[int, list[float]] = {}
    for k in range(count):
        entry = at + 2 + 12 * k
        if entry + 12 > len(data):
            break
        tag, kind, number = _u(data, entry, 2, order), _u(data, entry + 2, 2, order), _u(data, entry + 4, 4, order)
        size = _SIZES.get(kind)
        if size is None or number == 0:
            continue
        where = entry + 8 if size * number <= 4 else _u(data, entry + 8, 4, order)
        values: list[float] = []
        for i in range(min(number, 4)):
            spot = where + i * size
            if spot + size > len(data):
                break
            if kind in (5, 10):
                below = _u(data, spot + 4, 4, order)
                values.append(_u(data, spot, 4, order) / below if below else 0.0)
            else:
                values.append(float(_u(data, spot, size, order)))
        if values:
            found[tag] = values
    return found


def _u(data: bytes, at: int, size: int, order: str) -> int:
    if at < 0 or at + size > len(data):
        raise ValueError("points outside the block")
    return int.from_bytes(data[at : at + size], "little" if order == "little" else "big")


def _positive(values: dict[int, list[float]], tag: int) -> float | None:
    value = values.get(tag, [0.0])[0]
    return value if value > 0 and math.isfinite(value) else None


def focal_in_pixels(exif: Exif, width: int, height: int) -> float | None:
    """Focal length in pixels of a picture `width` x `height` (stored orientation), or None when EXIF cannot tell.

    From FocalLengthIn35mmFilm by the diagonal (43.27 mm, as phones report it), else from FocalLength and the focal
    plane resolution when they imply a sensor that cameras have. A picture whose shape is not a camera's, or not the
    one the camera says it wrote, was cropped: no answer, rather than one that is wrong.
    """
    longer, shorter = max(width, height), min(width, height)
    if min(abs(math.log(longer / shorter / shape)) for shape in _CAMERA_SHAPES) > 0.01:
        return None
    if exif.pixel_size is not None:
        wrote = max(exif.pixel_size) / min(exif.pixel_size)
        if abs(math.log(wrote * shorter / longer)) > 0.01:
            return None
    if exif.focal_35mm is not None:
        focal = exif.focal_35mm / _FILM_DIAGONAL_MM * math.hypot(width, height)
    elif exif.focal_mm is not None and exif.plane_px_per_mm is not None and exif.pixel_size is not None:
        sensor_mm = max(exif.pixel_size) / exif.plane_px_per_mm[0]
        if min(abs(math.log(sensor_mm / known)) for known in _SENSOR_WIDTHS_MM) > 0.03:
            return None  # an edited copy: the resolution still speaks of the original
        focal = exif.focal_mm / sensor_mm * longer
    else:
        return None
    return focal if 0.3 * longer <= focal <= 12 * longer else None
