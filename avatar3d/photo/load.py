"""The one place that opens pictures: a file becomes a Photo, or an error that says why not.

Order of checks: what the path is, how large the file is, what its first bytes say, how many pixels it declares; only
then is anything decoded. `decode_photo` takes bytes and returns arrays and touches nothing else, so that a limited
child process can run it later.
"""

import hashlib
import io
import re
import warnings as python_warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from avatar3d.core.errors import InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.core.files import shown_path
from avatar3d.core.photo import Photo
from avatar3d.photo.colour import to_srgb
from avatar3d.photo.container import HEAD_BYTES, Jpeg, name_refused, sniff, sniff_video, split_jpeg
from avatar3d.photo.exif import Exif, focal_in_pixels, read_exif
from avatar3d.photo.file import first_bytes, read_file

MAX_FILE_BYTES = 100_000_000
MAX_PIXELS = 64_000_000
MAX_JPEG_PIXELS = 220_000_000
"""Baseline JPEGs decode at 1/2, 1/4 or 1/8 scale without the full picture ever existing."""
MAX_JPEG_SCAN_PIXELS = 1_500_000_000
"""Pixels times scans: what a JPEG of several scans may cost."""
WORKING_SIDE_PX = 4096
"""Larger pictures are reduced to this longer side."""
_LYING = (5, 6, 7, 8)
"""EXIF orientations that exchange width and height."""


def load_photo(path: Path) -> Photo:
    """Read and decode one picture file.

    Raises UnreadableError (10), UnsupportedFormatError (11), LimitError (12); never hangs on a pipe or a device.
    """
    try:
        data = read_file(path, MAX_FILE_BYTES, too_large="IMG_FILE_TOO_LARGE", hint="Save it as a JPEG.")
    except LimitError:  # of a video another sentence helps
        data = first_bytes(path, HEAD_BYTES)
        if sniff_video(data) is None:
            raise
    return decode_photo(data, shown_path(path))


def decode_photo(data: bytes, name: str) -> Photo:
    """Decode a picture file's bytes; `name` is the file's name, for messages and for what is made of it.

    Returns upright sRGB pixels, longer side at most WORKING_SIDE_PX. Raises as load_photo.
    """
    try:
        return _decode(data, name)
    except InputError as error:
        if error.file is None:
            error.file = name
            error.message = f'"{Path(name).name}": {error.message}'
            error.args = (f"{error.message} {error.hint}".strip(),)
        raise


def _decode(data: bytes, name: str) -> Photo:
    kind = sniff(data[:64])
    if kind is None:
        _refuse(data)
    jpeg = split_jpeg(data) if kind == "JPEG" else None
    if kind == "JPEG" and jpeg is None:
        raise UnreadableError(
            f"the JPEG header is broken or ends after {len(data):,} bytes.",
            hint="Copy the file again from the phone.",
            id="IMG_CORRUPT",
        )
    image, exif, notes = _decode_pixels(data, str(kind), jpeg)
    size = image.size if jpeg is None else (jpeg.width, jpeg.height)
    image = _reduced(image)
    invert = None
    if jpeg is not None and image.mode == "CMYK" and jpeg.adobe:
        invert = False  # Pillow has already turned Adobe's inverted inks around
    colours = to_srgb(image, adobe_rgb=exif.adobe_rgb, invert_cmyk=invert)
    height, width = colours.rgb.shape[:2]
    focal = focal_in_pixels(exif, width, height)
    alpha = colours.alpha
    return Photo(
        name=Path(name).stem or "photo",
        pixels=_upright(colours.rgb, exif.orientation),
        alpha=_upright(alpha, exif.orientation) if alpha is not None else None,
        focal_px=focal,
        sha256=hashlib.sha256(data).hexdigest(),
        warnings=(*notes, *exif.warnings, *colours.warnings),
        file=Path(name).name,
        size_px=(size[1], size[0]) if exif.orientation in _LYING else size,
    )


def _refuse(data: bytes) -> None:
    if not data:
        raise UnreadableError("it is empty (0 bytes).", hint="Copy the file again from the phone.", id="IMG_EMPTY")
    if sniff_video(data[:HEAD_BYTES]) is not None:
        raise UnsupportedFormatError(
            "this is a video, not a photo.",
            hint="With --same-person its best pictures stand for photos: avatar3d create --same-person VIDEO -o DIR.",
            id="IMG_FORMAT",
        )
    known = name_refused(data[:64])
    hint = "Give a JPEG, PNG, WebP, TIFF, GIF or AVIF picture."
    if known is not None:
        raise UnsupportedFormatError(f"this is {known}, which is not opened here.", hint=hint, id="IMG_FORMAT")
    raise UnreadableError(f"its {len(data):,} bytes are not a picture.", hint=hint, id="IMG_NOT_A_PICTURE")


def _decode_pixels(data: bytes, kind: str, jpeg: Jpeg | None) -> tuple[Image.Image, Exif, list[str]]:
    """Let Pillow decode, under our limits; the image is loaded but not yet reduced, converted or upright."""
    if kind == "HEIF":
        _register_heif()
    notes: list[str] = []
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        python_warnings.simplefilter("error", Image.DecompressionBombWarning)
        opened: Image.Image | None = None
        try:
            if jpeg is not None:
                _check_pixels(jpeg.width, jpeg.height, jpeg=jpeg)
                # The class itself: Image.open would stop at its own limit before draft() can help.
                image: Image.Image = JpegImagePlugin.JpegImageFile(io.BytesIO(jpeg.picture))
                _draft(image)
                opened = image
            else:
                opened = image = Image.open(io.BytesIO(data), formats=(kind,))
                _check_pixels(*image.size)
                notes.extend(_frame_note(image, kind))
            image.load()
        except InputError:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            counted = re.search(r"(\d+) pixels", str(error))
            millions = f"{int(counted[1]) / 1e6:,.0f}" if counted else f"more than {MAX_PIXELS / 1e6:.0f}"
            raise LimitError(
                f"it has {millions} million pixels; the limit is {MAX_PIXELS / 1e6:.0f}.",
                hint="Save a smaller copy of the picture.",
                id="IMG_TOO_MANY_PIXELS",
            ) from None
        except UnidentifiedImageError:
            raise _corrupt(kind, "its header is broken or of a kind that is not opened here") from None
        except MemoryError:
            raise LimitError(
                "decoding it needs more memory than there is.", hint="Save a smaller copy.", id="IMG_MEMORY"
            ) from None
        except Exception as error:  # noqa: BLE001  decoders raise a dozen kinds, all meaning the same
            raise _decoder_error(error, kind, data, opened) from None
    exif = read_exif(jpeg.exif) if jpeg is not None else _exif_of(image, data, kind)
    return image, exif, notes


def _register_heif() -> None:
    try:
        pillow_heif: Any = import_module("pillow_heif")  # an optional extra: its wheel bundles GPL codecs
    except ImportError:
        raise UnsupportedFormatError(
            "this is a HEIC picture, which needs an optional package.",
            hint='Install it with: pip install "avatar3d[heic]", or save the picture as JPEG.',
            id="IMG_HEIC_EXTRA",
        ) from None
    pillow_heif.register_heif_opener(thumbnails=False)


def _check_pixels(width: int, height: int, *, jpeg: Jpeg | None = None) -> None:
    if width < 1 or height < 1:
        raise UnreadableError(
            f"it declares a size of {width} x {height} pixels.",
            hint="Copy the file again from the phone.",
            id="IMG_CORRUPT",
        )
    # In one scan, rows come as they are read; in several, all coefficients are kept until the end.
    in_one_scan = jpeg is not None and not jpeg.progressive and jpeg.scans == 1
    limit = MAX_JPEG_PIXELS if in_one_scan else MAX_PIXELS
    if width * height > limit:
        raise LimitError(
            f"it has {width} x {height} = {width * height / 1e6:.0f} million pixels; the limit is {limit / 1e6:.0f}.",
            hint="Save a smaller copy of the picture.",
            id="IMG_TOO_MANY_PIXELS",
        )
    if jpeg is not None and width * height * jpeg.scans > MAX_JPEG_SCAN_PIXELS and jpeg.scans > 1:
        raise LimitError(
            f"this JPEG has {jpeg.scans} scans of {width} x {height} pixels.",
            hint="Save the picture as an ordinary JPEG.",
            id="IMG_TOO_MANY_SCANS",
        )


def _draft(image: Image.Image) -> None:
    """Let a large JPEG decode at 1/2, 1/4 or 1/8, never below three quarters of the working size."""
    longer = max(image.size)
    for scale in (8, 4, 2):
        if longer // scale >= WORKING_SIDE_PX * 3 // 4:
            image.draft(None, (image.size[0] // scale, image.size[1] // scale))
            return


def _frame_note(image: Image.Image, kind: str) -> list[str]:
    # Not n_frames: a GIF tells that only after all its frames were walked through.
    if not getattr(image, "is_animated", False):
        return []
    return [f"The file holds several {'pages' if kind == 'TIFF' else 'pictures'}; the first is used."]


def _exif_of(image: Image.Image, data: bytes, kind: str) -> Exif:
    if kind == "TIFF":
        return read_exif(data, whole_file=True)
    block = image.info.get("exif", b"")
    if not isinstance(block, bytes):
        return Exif()
    return read_exif(block.removeprefix(b"Exif\0\0"))


def _reduced(image: Image.Image) -> Image.Image:
    longer = max(image.size)
    if longer <= WORKING_SIDE_PX:
        return image
    if image.mode not in ("RGB", "L", "RGBA", "LA", "CMYK", "F", "I"):
        image = image.convert("RGBA" if image.mode in ("P", "PA") else "L" if image.mode == "1" else "I")
    size = tuple(max(1, round(side * WORKING_SIDE_PX / longer)) for side in image.size)
    smaller = image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=2.0)
    smaller.info.update(image.info)
    return smaller


def _decoder_error(error: Exception, kind: str, data: bytes, opened: Image.Image | None) -> UnreadableError:
    words = str(error).lower()
    signs = ("truncated", "broken data stream", "unexpected end", "not enough", "premature", "could not create decoder")
    declared = _expected_bytes(kind, data, opened)
    if any(sign in words for sign in signs) or isinstance(error, EOFError) or (declared or 0) > len(data):
        of_about = f" of about {declared:,}" if declared is not None and declared > len(data) else ""
        return UnreadableError(
            f"it ends after {len(data):,}{of_about} bytes, before the picture is complete.",
            hint="Copy the file again from the phone.",
            id="IMG_TRUNCATED",
        )
    return _corrupt(kind, f"it cannot be decoded ({error or type(error).__name__})")


def _expected_bytes(kind: str, data: bytes, opened: Image.Image | None) -> int | None:
    """How long the file should be: declared (WebP), or by how far down the decoder came (JPEG, PNG)."""
    if kind == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8
    if kind not in ("JPEG", "PNG") or opened is None:
        return None
    try:
        drawn = opened.im.getbbox()
    except (AttributeError, ValueError):
        return None
    if not drawn or drawn[3] >= opened.size[1]:
        return None
    return int(round(len(data) * opened.size[1] / drawn[3], -3))


def _corrupt(kind: str, what: str) -> UnreadableError:
    return UnreadableError(
        f"it says that it is {kind}, but {what}.",
        hint="Copy the file again from the phone, or save it as JPEG.",
        id="IMG_CORRUPT",
    )


def _upright(pixels: UInt8[np.ndarray, "..."], orientation: int) -> UInt8[np.ndarray, "..."]:
    """Apply EXIF orientation 1..8 to [H W] or [H W C]."""
    if orientation in _LYING:
        pixels = pixels.swapaxes(0, 1)
    flip_rows = orientation in (3, 4, 7, 8)
    flip_columns = orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])
