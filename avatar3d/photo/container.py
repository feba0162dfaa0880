"""What a picture file is, told by its first bytes; and a JPEG taken apart before any decoder sees it.

The allow-list lives here: JPEG, PNG, WebP, TIFF, GIF, AVIF, and HEIC with an extra. Every other picture format is
known by name only, so that the message can say what the file is; it is never decoded.
"""

from dataclasses import dataclass

OPENED = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "HEIF")
"""Pillow's names of the formats this door opens (HEIF only when pillow-heif is installed)."""

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%!PS", "an EPS or PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "an EPS file"),
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"\xd7\xcd\xc6\x9a", "a WMF picture"),
    (b"\x01\x00\x00\x00\x58\x00\x00\x00", "an EMF picture"),
    (b"\x01\x00\x00\x00\x6c\x00\x00\x00", "an EMF picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a FlashPix or Office file"),
    (b"BM", "a Windows bitmap"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"v/1\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"qoif", "a QOI picture"),
    (b"<svg", "an SVG drawing"),
    (b"\x00\x00\x01\x00", "a Windows icon"),
    (b"gimp xcf", "a GIMP file"),
    (b"FUJIFILMCCD-RAW", "a camera RAW file"),
)
VIDEO_OPENED = ("mov", "matroska")
"""libav's names of the video containers that are opened: MP4 and MOV, MKV and WebM."""
HEAD_BYTES = 192
"""What tells a file's format: an MPEG stream repeats its mark after 188 bytes."""
_VIDEOS: tuple[tuple[bytes, str], ...] = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"\x00\x00\x01\xba", "mpeg"),
)
_MOV_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")
"""With what a MOV without `ftyp` begins."""
_NO_VIDEO_BRANDS = (b"crx ", b"M4A ", b"M4B ")
"""Of the family, but a camera's RAW file or sound."""
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")


def sniff(head: bytes) -> str | None:
    """The Pillow name of the format these first bytes announce, or None when this door does not open it."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[:4] in (b"II*\0", b"MM\0*") and head[8:10] != b"CR":
        return "TIFF"
    if head[4:8] == b"ftyp":
        brands = _ftyp_brands(head)
        if any(brand in _AVIF_BRANDS for brand in brands):
            return "AVIF"
        if any(brand in _HEIC_BRANDS for brand in brands):
            return "HEIF"
    return None


def sniff_video(head: bytes) -> str | None:
    """libav's name of the video container that these first HEAD_BYTES announce; None when it is no video we know."""
    if head[4:8] == b"ftyp":
        return "mov" if sniff(head) is None and head[8:12] not in _NO_VIDEO_BRANDS else None
    if head[4:8] in _MOV_ATOMS:
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:1] == b"G" and head[188:189] == b"G" and head[1:4] != b"IF8":
        return "mpegts"
    return next((name for magic, name in _VIDEOS if head.startswith(magic)), None)


def name_refused(head: bytes) -> str | None:
    """In words, which known format this is that we do not open; None when it is no picture format we know."""
    for magic, words in _REFUSED:
        if head.startswith(magic):
            return words
    if head[:4] in (b"II*\0", b"MM\0*", b"IIU\0", b"IIRO"):
        return "a camera RAW file"
    if head[4:8] == b"ftyp":
        return "a video or a picture format of that family"
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3] in b" \t\r\n":
        return "a Netpbm picture"
    return None


def _ftyp_brands(head: bytes) -> list[bytes]:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]


@dataclass(frozen=True)
class Jpeg:
    """A JPEG without what the picture does not need: EXIF, XMP, thumbnails, second pictures, comments."""

    picture: bytes
    """Start of image, tables, ICC profile, Adobe marker, scans."""
    exif: bytes
    """TIFF structure of the EXIF segment, b"" when there is none."""
    width: int
    height: int
    progressive: bool
    scans: int
    adobe: bool
    """Whether an Adobe marker tells that CMYK is stored inverted."""


def split_jpeg(data: bytes) -> Jpeg | None:
    """Walk the segments up to the first scan; None when the structure is broken before it.

    One pass, each segment looked at once, so no header can hold it up.
    """
    kept: list[bytes] = [b"\xff\xd8"]
    exif = b""
    size: tuple[int, int] | None = None
    progressive = adobe = False
    at = 2
    while True:
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in (0x00, 0xD8, 0xD9):
            return None
        if 0xD0 <= marker <= 0xD7 or marker == 0x01:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + length
        if length < 2 or end > len(data):
            return None
        body = data[at + 4 : end]
        if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF):
            if len(body) < 6:
                return None
            size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
            progressive = marker == 0xC2
        adobe = adobe or (marker == 0xEE and body.startswith(b"Adobe"))
        if marker == 0xE1 and body.startswith(b"Exif\0") and not exif:
            exif = body[6:]
        if _picture_needs(marker, body):
            kept.append(data[at:end])
        at = end
        if marker == 0xDA:
            break
    if size is None:
        return None
    # Between the first scan and the end of the picture: phones append a video behind it.
    end = data.find(b"\xff\xd9", at)
    scans = 1 + data.count(b"\xff\xda", at, end if end >= 0 else len(data))
    return Jpeg(b"".join(kept) + data[at:], exif, size[0], size[1], progressive, scans, adobe)


def _picture_needs(marker: int, body: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return (
            (marker == 0xE0 and body.startswith(b"JFIF\0"))
            or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"))
            or (marker == 0xEE and body.startswith(b"Adobe"))
        )
    return marker != 0xFE
