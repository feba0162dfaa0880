"""The pictures of the bad-input corpus, made by script from the portrait of Eileen Collins (NASA, public domain).

Each recipe returns the bytes of one file. Nothing here is stored; rows are numbered as in the corpus table.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import skimage
from PIL import Image

Recipe = Callable[[], bytes]


@cache
def collins() -> np.ndarray:
    """[512 512 3] sRGB; treat as frozen."""
    return np.ascontiguousarray(skimage.data.astronaut()[..., :3])


@cache
def collins_head(enlarged: int = 2) -> np.ndarray:
    """[300 250 3] times `enlarged`: head and collar, 42 px between the eyes times `enlarged`."""
    return cv2.resize(collins()[0:300, 100:350], None, fx=enlarged, fy=enlarged, interpolation=cv2.INTER_CUBIC)


def saved(pixels: np.ndarray | Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    if kind == "JPEG":
        how = {"quality": 92, **how}
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


# --- headers and metadata ---------------------------------------------------------------------------------------


def png_claiming(width: int, height: int, *, bits: int = 1) -> bytes:
    """A PNG whose header declares any size and whose data are a few bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1024)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    """The portrait's JPEG with another size in its frame header."""
    data = bytearray(saved(collins()))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def exif_block(entries: list[tuple[int, int, int, bytes]], *, next_directory: int = 0) -> bytes:
    """One little-endian directory of (tag, type, count, four bytes)."""
    body = b"".join(
        struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0") for tag, kind, count, value in entries
    )
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", next_directory)


def orientation(value: int) -> bytes:
    return exif_block([(0x0112, 3, 1, struct.pack("<H", value))])


def with_exif(jpeg: bytes, block: bytes) -> bytes:
    """The JPEG with one EXIF segment put first."""
    body = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def stored_as(value: int) -> bytes:
    """The portrait stored so that EXIF orientation `value` brings it upright; PNG, so that all eight are equal."""
    pixels = collins()
    if value in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if value in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if value in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    return saved(np.ascontiguousarray(pixels), "PNG", exif=b"Exif\0\0" + orientation(value))


def endless_exif() -> bytes:
    """Directories that point at themselves and values that claim four thousand million numbers."""
    loop = struct.pack("<I", 8)
    entries = [(0x8769, 4, 1, loop), (0x9286, 5, 0xFFFFFFFF, loop), (0x8825, 4, 1, loop)]
    entries += [(0x829A, 12, 0xFFFFFFFF, loop)] * 4000
    return with_exif(saved(collins()), exif_block(entries, next_directory=8))


def huge_exif() -> bytes:
    """5 MB of EXIF in a WebP, which sets no limit of its own."""
    return saved(collins(), "WEBP", lossless=True, exif=b"Exif\0\0" + orientation(6) + bytes(5_000_000))


# --- colour -----------------------------------------------------------------------------------------------------


def _s15(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))


def icc_profile(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    """A version 2 ICC profile of the given tags (ICC.1:2001-04)."""
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"made\0" + bytes(78)
    tags = {b"desc": text, b"wtpt": b"XYZ " + bytes(4) + _s15(0.9642, 1.0, 0.8249), **tags}
    table, body = b"", b""
    at = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data = data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _s15(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _matrix_profile(columns: list[tuple[float, float, float]], curve: np.ndarray) -> bytes:
    trc = b"curv" + bytes(4) + struct.pack(">I", len(curve)) + (curve * 65535 + 0.5).astype(">u2").tobytes()
    tags = {
        name: b"XYZ " + bytes(4) + _s15(*xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    }
    return icc_profile(b"RGB ", {**tags, b"rTRC": trc, b"gTRC": trc, b"bTRC": trc})


def _linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


# Columns of the D50-adapted primaries; Bradford, from the published chromaticities.
_SRGB = [(0.4360747, 0.2225045, 0.0139322), (0.3850649, 0.7168786, 0.0971045), (0.1430804, 0.0606169, 0.7141733)]
DISPLAY_P3 = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]
ADOBE_RGB = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]


def in_space(columns: list[tuple[float, float, float]], gamma: float | None) -> tuple[np.ndarray, bytes]:
    """The portrait's colours written in another RGB space, and that space's profile."""
    to_xyz, from_space = np.array(_SRGB).T, np.linalg.inv(np.array(columns).T)
    linear = np.clip(_linear(collins() / 255.0) @ (from_space @ to_xyz).T, 0, 1)
    encoded = _encoded(linear) if gamma is None else linear ** (1 / gamma)
    steps = np.linspace(0, 1, 1024)
    profile = _matrix_profile(columns, _linear(steps) if gamma is None else steps**gamma)
    return (encoded * 255 + 0.5).astype(np.uint8), profile


def display_p3() -> bytes:
    pixels, profile = in_space(DISPLAY_P3, None)
    return saved(pixels, "PNG", icc_profile=profile)


def adobe_rgb() -> bytes:
    pixels, profile = in_space(ADOBE_RGB, 2.19921875)
    return saved(pixels, "PNG", icc_profile=profile)


def adobe_rgb_by_exif() -> bytes:
    """As a camera writes it: no profile, only the interoperability index R03."""
    pixels, _profile = in_space(ADOBE_RGB, 2.19921875)
    main = exif_block([(0x8769, 4, 1, struct.pack("<I", 26))])
    camera = struct.pack("<H", 1) + struct.pack("<HHII", 0xA005, 4, 1, 44) + bytes(4)
    interop = struct.pack("<H", 1) + struct.pack("<HHI", 1, 2, 4) + b"R03\0" + bytes(4)
    return with_exif(saved(pixels, quality=97, subsampling=0), main + camera + interop)


@cache
def cmyk_profile() -> bytes:
    """Inks that absorb ideally: (1-c)(1-k), (1-m)(1-k), (1-y)(1-k) in sRGB, as a table to Lab."""
    from skimage.color import rgb2lab

    steps = np.linspace(0, 1, 9)
    c, m, y, k = np.meshgrid(steps, steps, steps, steps, indexing="ij")
    lab = rgb2lab(np.stack([(1 - c) * (1 - k), (1 - m) * (1 - k), (1 - y) * (1 - k)], -1))
    lab = np.stack([lab[..., 0] / 100 * 65280, (lab[..., 1] + 128) * 256, (lab[..., 2] + 128) * 256], -1)
    table = np.clip(lab + 0.5, 0, 65535).astype(">u2").tobytes()
    straight = np.array([0, 65535], ">u2").tobytes()
    lut = b"mft2" + bytes(4) + struct.pack(">BBBx", 4, 3, 9) + _s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += struct.pack(">HH", 2, 2) + straight * 4 + table + straight * 3
    return icc_profile(b"CMYK", {b"A2B0": lut}, kind=b"prtr", pcs=b"Lab ")


def _inks() -> Image.Image:
    rgb = collins().astype(np.float64) / 255
    k = 0.8 * (1 - rgb.max(-1, keepdims=True))
    inks = np.concatenate([1 - rgb / (1 - k), k], -1)
    return Image.fromarray((np.clip(inks, 0, 1) * 255 + 0.5).astype(np.uint8), mode="CMYK")


def cmyk(*, adobe_marker: bool = True, inverted: bool = True) -> bytes:
    """A CMYK JPEG with a profile. Without the marker, the inks may be stored either way round."""
    inks = _inks()
    if not inverted:
        inks = Image.fromarray(255 - np.asarray(inks), mode="CMYK")
    data = saved(inks, icc_profile=cmyk_profile(), quality=95)
    if adobe_marker:
        return data
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def broken_profile() -> bytes:
    pixels, profile = in_space(DISPLAY_P3, None)
    return saved(pixels, "PNG", icc_profile=profile[:200] + b"\xff" * 300)


# --- depth, mattes, floats, many frames --------------------------------------------------------------------------


def png_16_bit_rgb() -> bytes:
    import cv2

    wide = collins()[..., ::-1].astype(np.uint16) * 257
    return cv2.imencode(".png", wide)[1].tobytes()


def grey_16_bit() -> bytes:
    grey = cv2.cvtColor(collins(), cv2.COLOR_RGB2GRAY).astype(np.uint16) * 257
    return saved(Image.fromarray(grey), "PNG")


def grey_alpha() -> bytes:
    return saved(Image.fromarray(collins()).convert("LA"), "PNG")


def with_matte() -> bytes:
    """Background cut away: what is transparent is bright green, which must not come through."""
    matte = np.zeros((512, 512), np.uint8)
    cv2.ellipse(matte, (225, 180), (190, 230), 0, 0, 360, 255, -1)
    pixels = np.where(matte[..., None] > 0, collins(), np.array([0, 255, 0], np.uint8))
    return saved(np.dstack([pixels, matte]), "PNG")


def floats(gain: float, *, bad: bool = False) -> bytes:
    """Linear grey as a 32-bit TIFF, white at `gain`."""
    grey = cv2.cvtColor(collins(), cv2.COLOR_RGB2GRAY) / 255.0
    linear = (_linear(grey) * gain).astype(np.float32)
    if bad:
        linear[100:110, 100:110] = np.nan
    return saved(Image.fromarray(linear), "TIFF")


def frames(kind: str) -> bytes:
    other = Image.fromarray(255 - collins())
    how = {} if kind == "TIFF" else {"duration": 100, "loop": 0}
    return saved(collins(), kind, save_all=True, append_images=[other, other], **how)


# --- faces -------------------------------------------------------------------------------------------------------


def scenery() -> bytes:
    """A landscape of smooth noise under a sky, whose ridge is sharp."""
    noise = np.random.default_rng(7).normal(size=(12, 16, 3)).astype(np.float32)
    hills = (0.5 + 0.2 * cv2.resize(noise, (800, 600), interpolation=cv2.INTER_CUBIC)).clip(0, 1)
    ridge = 220 + 60 * np.sin(np.arange(800) / 90)
    hills[np.arange(600)[:, None] < ridge] = (0.75, 0.85, 0.95)
    return saved((255 * hills).astype(np.uint8))


def two_equal() -> bytes:
    return saved(np.hstack([collins_head(), collins_head()[:, ::-1]]))


def one_big_one_tiny() -> bytes:
    canvas = np.full((600, 800, 3), 200, np.uint8)
    canvas[:, :500] = collins_head()
    tiny = cv2.resize(collins_head(), None, fx=0.36, fy=0.36, interpolation=cv2.INTER_AREA)
    canvas[60 : 60 + tiny.shape[0], 620 : 620 + tiny.shape[1]] = tiny
    return saved(canvas)


def one_big_one_in_the_corner(share: float, *, right: bool = False) -> bytes:
    """The head, and over its upper corner the same head at `share` of its size."""
    canvas = collins_head().copy()
    tiny = cv2.resize(collins_head(), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    columns = slice(canvas.shape[1] - tiny.shape[1], None) if right else slice(tiny.shape[1])
    canvas[: tiny.shape[0], columns] = tiny
    return saved(canvas)


def two_in_a_wide_picture(share: float) -> bytes:
    """The portrait amid grey, where its face is a tenth of the picture, and in the corner again at `share` of its size."""
    canvas = np.full((1200, 1600, 3), 120, np.uint8)
    canvas[400:912, 800:1312] = collins()
    other = cv2.resize(collins(), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    canvas[: other.shape[0], : other.shape[1]] = other
    return saved(canvas)


def face_on_the_shirt() -> bytes:
    canvas = np.full((1000, 500, 3), 90, np.uint8)
    canvas[:600] = collins_head()
    printed = cv2.resize(collins_head()[100:480, 60:400], None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    canvas[640 : 640 + printed.shape[0], 130 : 130 + printed.shape[1]] = printed
    return saved(canvas)


def shrunk(share: float) -> bytes:
    return saved(cv2.resize(collins(), None, fx=share, fy=share, interpolation=cv2.INTER_AREA), "PNG")


def blurred(sigma_px: float) -> bytes:
    return saved(cv2.GaussianBlur(collins_head(), (0, 0), sigma_px))


def exposed(gain: float) -> bytes:
    return saved((_encoded(_linear(collins_head() / 255.0) * gain) * 255 + 0.5).astype(np.uint8), "PNG")
