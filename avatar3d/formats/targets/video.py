"""What a file's pictures cost on a device: their sizes, read from their headers, no pixel decoded.

PNG: W3C PNG 3rd edition, 11.2.1 · JPEG: ITU-T T.81, B.2.2 · WebP: RFC 9649, 2.5 to 2.7 · KTX2: Khronos KTX 2.0, 3.1
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from avatar3d.formats.accessors import BufferReader
from avatar3d.formats.glb import GlbDocument

_WITH_MIPS: Final = 4 / 3
_TEXEL_BYTES: Final = 1
"""BC7 and ASTC 4 x 4 alike: 16 bytes for 16 texels."""
_NO_SIZE_MARKERS: Final = {0xC4, 0xC8, 0xCC}


def image_sizes(document: GlbDocument) -> Iterator[tuple[str, int, int]]:
    """Name, width and height of every picture in the file; (0, 0) for one that is none of the four kinds."""
    reader = BufferReader(document)
    for index, image in enumerate(document.items("images")):
        content = reader.view(image.get("bufferView"), f"images[{index}]")
        yield str(image.get("name", f"images[{index}]")), *picture_size(bytes(content))


def video_bytes(sizes: Iterable[tuple[str, int, int]]) -> int:
    """Memory on a device that compresses to 8 bits per texel, mip levels included."""
    return round(sum(width * height for _, width, height in sizes) * _TEXEL_BYTES * _WITH_MIPS)


def picture_size(content: bytes) -> tuple[int, int]:
    """(width, height), or (0, 0)."""
    try:
        if content[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack_from(">II", content, 16)
        if content[:2] == b"\xff\xd8":
            return _jpeg_size(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return _webp_size(content)
        if content[:12] == b"\xabKTX 20\xbb\r\n\x1a\n":
            return struct.unpack_from("<II", content, 20)
    except struct.error:  # cut
        pass
    return 0, 0


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length
    return 0, 0


def _webp_size(content: bytes) -> tuple[int, int]:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0
