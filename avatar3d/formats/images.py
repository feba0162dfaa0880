"""Textures inside a GLB: pixels to PNG or JPEG and back. The only door for embedded pictures."""

import io
import warnings
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from avatar3d.core.avatar import Texture
from avatar3d.core.errors import UnreadableError
from avatar3d.core.files import open_given
from avatar3d.formats.glb import GlbDocument, over_limit

MAX_TEXTURE_PIXELS: Final = 64 * 10**6
"""All textures of one file together: fifteen of 2048, or three of 4096 and some."""

_MAX_PICTURE_BYTES: Final = 256 * 2**20
_JPEG_QUALITY: Final = 92
"""4:2:0 would bleed lip red over the atlas's seams, so chroma stays whole; 1024 of skin is about 0.3 MB."""
_PNG_LEVEL: Final = 4
"""Pinned: the same pixels are the same bytes. 6 saves 1 % of a normal map and takes three times as long."""

_as_read: WeakKeyDictionary[Texture, tuple[str, bytes]] = WeakKeyDictionary()
"""The files of textures that were read, while they live: what nobody touches is written back to the bit."""

_MIME_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG"}


def encode_texture(texture: Texture, *, normal: bool = False, lossless: bool = False) -> tuple[str, bytes]:
    """MIME type and bytes: JPEG for colour, PNG when there is alpha or every bit counts. Deterministic.

    Normal maps count: JPEG at quality 95 turns skin's normals by 1.0 degree on average (of the 2.2 they lean), and
    97 still by 0.8; eight bits alone by 0.17. PNG costs 0.8 MB more at 1024 and stays within the budget.
    """
    as_read = _as_read.get(texture)
    if as_read is not None and not (lossless and as_read[0] == "image/jpeg"):
        return as_read
    out = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(texture.pixels))
    if lossless or normal or texture.pixels.shape[2] == 4:
        picture.save(out, "PNG", compress_level=_PNG_LEVEL)
        return "image/png", out.getvalue()
    picture.save(out, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=True)
    return "image/jpeg", out.getvalue()


def png_file(pixels: UInt8[np.ndarray, "H W C"]) -> bytes:
    """A PNG of these pixels, the same bytes for the same pixels."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=_PNG_LEVEL)
    return out.getvalue()


def decode_texture(document: GlbDocument, content: memoryview, mime: object, name: str, room_px: int) -> Texture:
    """A texture of at most `room_px` pixels. The header is judged before a pixel is decoded.

    Raises UnreadableError (10) for a broken or mislabelled picture, LimitError (12) for a large one.
    """
    if not isinstance(mime, str) or mime not in _MIME_FORMATS:
        raise document.broken(f"image {name!r} says it is {str(mime)[:40]!r}, expected image/png or image/jpeg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit below is stricter
            picture = Image.open(io.BytesIO(content), formats=(_MIME_FORMATS[mime],))  # noqa: TID251 (this is the door)
        with picture:
            if picture.width * picture.height > room_px:
                raise over_limit(
                    document.file,
                    f"has a texture of {picture.width} x {picture.height} pixels ({name})",
                    f"{room_px:,}",
                )
            alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            pixels = np.array(picture.convert("RGBA" if alpha else "RGB"))
    except Image.DecompressionBombError as error:
        raise over_limit(document.file, f"has a texture beyond all measure ({name})", f"{room_px:,} pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UnreadableError(
            f'"{document.file.name}": the texture {name!r} cannot be decoded: {str(error)[:120]}.',
            hint="Export it again.",
            id="GLB_TEXTURE",
            file=document.file,
        ) from error
    texture = Texture(name, pixels)
    _as_read[texture] = (mime, bytes(content))
    return texture


def read_texture(path: Path, name: str) -> Texture:
    """A picture file (PNG) as a texture. Raises UnreadableError (10) or LimitError (12)."""
    nowhere = GlbDocument({}, b"", path)
    try:
        with open_given(path, "picture") as stream:
            content = stream.read(_MAX_PICTURE_BYTES + 1) or b""
    except OSError as error:
        raise nowhere.broken(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > _MAX_PICTURE_BYTES:
        raise over_limit(path, f"has more than {_MAX_PICTURE_BYTES:,} bytes", f"{_MAX_PICTURE_BYTES:,}")
    return decode_texture(nowhere, memoryview(content), "image/png", name, MAX_TEXTURE_PIXELS)
