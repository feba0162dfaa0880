"""The picture rows of the bad-input corpus: what the file is, and what must happen. See recipes.py for the making.

exit 0 means the right result: a face observed, and `check` (if any) holds; `warns` is part of one of the warnings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import recipes as make
from PIL import Image

from avatar3d.core.photo import Photo


@dataclass(frozen=True)
class Row:
    """One bad input and its right end."""

    id: str
    what: str
    make: Callable[[], bytes]
    exit: int = 0
    error: str | None = None
    warns: str | None = None
    check: Callable[[Photo], None] | None = None
    face: str = "only"

    def __str__(self) -> str:
        return f"{self.id} {self.what}"


def colours_within(limit: float) -> Callable[[Photo], None]:
    """Mean CIEDE2000 to the portrait."""

    def check(photo: Photo) -> None:
        from skimage.color import deltaE_ciede2000, rgb2lab

        assert deltaE_ciede2000(rgb2lab(photo.pixels), rgb2lab(make.collins())).mean() < limit

    return check


def grey_within(levels: int) -> Callable[[Photo], None]:
    def check(photo: Photo) -> None:
        grey = cv2.cvtColor(make.collins(), cv2.COLOR_RGB2GRAY).astype(int)
        assert np.abs(photo.pixels.astype(int) - grey[..., None]).max() <= levels

    return check


def matte_kept(photo: Photo) -> None:
    assert photo.alpha is not None
    outside = photo.alpha == 0
    assert outside.any()
    assert (photo.pixels[outside] == 128).all()


def reduced_to(width: int, height: int) -> Callable[[Photo], None]:
    def check(photo: Photo) -> None:
        assert photo.pixels.shape == (height, width, 3)

    return check


def not_clipped(photo: Photo) -> None:
    assert (photo.pixels == 255).mean() < 0.01
    assert photo.pixels.max() > 230


def enlarged(width: int, height: int) -> bytes:
    return make.saved(cv2.resize(make.collins_head(), (width, height)), quality=80)


def _png(mode: str) -> bytes:
    return make.saved(Image.fromarray(make.collins()).convert(mode), "PNG")


def _ftyp(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + brand + b"mif1" + bytes(400)


_FOREIGN = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "PSD": b"8BPS\0\x01",
    "FITS": b"SIMPLE  =                    T",
    "WMF": b"\xd7\xcd\xc6\x9a\0\0",
    "PDF": b"%PDF-1.7\n",
    "FPX": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "BMP": b"BM\x36\0",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
}

ROWS: tuple[Row, ...] = (
    Row("I01", "nothing", lambda: b"", 10, "IMG_EMPTY"),
    Row("I02", "text renamed .jpg", lambda: b"Dear Anna, here is my picture.\n" * 40, 10, "IMG_NOT_A_PICTURE"),
    Row("I03", "ZIP renamed .png", lambda: b"PK\x03\x04" + bytes(500), 10, "IMG_NOT_A_PICTURE"),
    Row("I04", "JPEG cut in half", lambda: make.cut(make.saved(make.collins()), 0.5), 10, "IMG_TRUNCATED"),
    Row("I04b", "PNG cut in half", lambda: make.cut(make.saved(make.collins(), "PNG"), 0.5), 10, "IMG_TRUNCATED"),
    Row("I04c", "WebP cut in half", lambda: make.cut(make.saved(make.collins(), "WEBP"), 0.5), 10, "IMG_TRUNCATED"),
    Row("I05", "JPEG header only", lambda: make.saved(make.collins())[:20], 10, "IMG_CORRUPT"),
    Row("I06", "PNG of 1,600 MP", lambda: make.png_claiming(40000, 40000), 12, "IMG_TOO_MANY_PIXELS"),
    Row("I07", "PNG of 108 MP", lambda: make.png_claiming(12000, 9000, bits=8), 12, "IMG_TOO_MANY_PIXELS"),
    Row("I07b", "phone JPEG of 108 MP", partial(enlarged, 9000, 12000), check=reduced_to(3072, 4096)),
    Row("I07c", "JPEG of 400 MP", lambda: make.jpeg_claiming(20000, 20000), 12, "IMG_TOO_MANY_PIXELS"),
    Row("I08", "1-bit PNG of 81 MP", lambda: make.png_claiming(9000, 9000), 12, "IMG_TOO_MANY_PIXELS"),
    Row("I09", "one pixel", lambda: make.saved(np.zeros((1, 1, 3), np.uint8), "PNG"), 15, "FACE_TOO_SMALL"),
    Row("I10", "1 x 65000", lambda: make.saved(np.zeros((65000, 1, 3), np.uint8), "PNG"), 13, "FACE_NONE"),
    Row("I11", "PNG without height", lambda: make.png_claiming(100, 0), 10, "IMG_CORRUPT"),
    Row("I11b", "JPEG without height", lambda: make.jpeg_claiming(100, 0), 10, "IMG_CORRUPT"),
    *(
        Row(f"I{11 + k}", f"EXIF orientation {k}", partial(make.stored_as, k), check=colours_within(1e-6))
        for k in range(1, 9)
    ),
    Row(
        "I20",
        "EXIF orientation 9",
        lambda: make.with_exif(make.saved(make.collins()), make.orientation(9)),
        warns="orientation 9",
    ),
    Row(
        "I20b",
        "corrupt EXIF",
        lambda: make.with_exif(make.saved(make.collins()), b"II*\0\xff\xff\xff\x7f" + b"\xff" * 200),
        warns="corrupt",
    ),
    Row("I20c", "5 MB of EXIF", make.huge_exif, warns="is ignored"),
    Row("I21", "endless EXIF", make.endless_exif),
    Row("I22", "CMYK with Adobe's marker", make.cmyk, check=colours_within(1.5)),
    Row("I22b", "CMYK without it", partial(make.cmyk, adobe_marker=False), check=colours_within(1.5)),
    Row("I22c", "CMYK stored plainly", partial(make.cmyk, adobe_marker=False, inverted=False), check=colours_within(1.5)),
    Row("I23", "Display P3", make.display_p3, check=colours_within(1.0)),
    Row("I24", "AdobeRGB", make.adobe_rgb, check=colours_within(1.0)),
    Row("I24b", "AdobeRGB told by EXIF", make.adobe_rgb_by_exif, check=colours_within(1.5)),
    Row("I25", "broken profile", make.broken_profile, warns="profile is broken"),
    Row("I26", "16-bit PNG", make.png_16_bit_rgb, check=colours_within(0.05)),
    Row("I27", "16-bit grey PNG", make.grey_16_bit, check=grey_within(1)),
    Row("I28", "1-bit PNG", lambda: make.saved(Image.fromarray(make.collins_head(4)).convert("1"), "PNG")),
    Row("I28b", "palette PNG", lambda: _png("P")),
    Row("I28c", "grey and alpha", make.grey_alpha, check=grey_within(1)),
    Row("I29", "matte", make.with_matte, check=matte_kept),
    Row("I30", "NaN", partial(make.floats, 1.0, bad=True), 10, "IMG_NONFINITE"),
    Row("I31", "HDR", partial(make.floats, 5.0), warns="tone-mapped", check=not_clipped),
    Row("I32", "TIFF of three pages", partial(make.frames, "TIFF"), warns="pages", check=colours_within(1e-6)),
    Row("I33", "animated WebP", partial(make.frames, "WEBP"), warns="several pictures"),
    Row("I33b", "animated PNG", partial(make.frames, "PNG"), warns="several pictures", check=colours_within(1e-6)),
    Row("I33c", "animated GIF", partial(make.frames, "GIF"), warns="several pictures"),
    *(Row(f"I34 {name}", "is never decoded", partial(bytes.ljust, head, 600), 11, "IMG_FORMAT")
      for name, head in _FOREIGN.items()),
    Row("I41", "AVIF", lambda: make.saved(make.collins(), "AVIF")),
    Row("I42", "no face", make.scenery, 13, "FACE_NONE"),
    Row("I43", "two faces", make.two_equal, 14, "FACE_SEVERAL"),
    Row("I43b", "two faces, the left one chosen", make.two_equal, face="0"),
    Row("I43c", "two faces, the larger chosen", make.two_equal, face="largest"),
    Row("I44", "one big face, one tiny", make.one_big_one_tiny, warns="the largest is taken"),
    *(
        Row(f"I44b {share}", "a tiny face in the left corner", partial(make.one_big_one_in_the_corner, share),
            warns="the largest is taken")
        for share in (0.2, 0.25, 0.3)
    ),
    Row("I44c", "a tiny face in the right corner", partial(make.one_big_one_in_the_corner, 0.25, right=True),
        warns="the largest is taken"),
    Row("I44d", "a face of half the size, far off", partial(make.two_in_a_wide_picture, 0.5), 14, "FACE_SEVERAL"),
    Row("I44e", "a face of a quarter of the size, far off", partial(make.two_in_a_wide_picture, 0.25),
        warns="the largest is taken"),
    Row("I45", "a face on the shirt", make.face_on_the_shirt, 14, "FACE_SEVERAL"),
    Row(
        "I48",
        "upside down",
        lambda: make.saved(np.ascontiguousarray(make.collins_head()[::-1, ::-1])),
        warns="turned by 180",
    ),
    Row("I55", "face of 40 px", partial(make.shrunk, 0.4), 15, "FACE_TOO_SMALL"),
    Row("I56", "chin cropped", lambda: make.saved(np.ascontiguousarray(make.collins_head()[:290])), 15, "FACE_CROPPED"),
    Row("I57", "blurred", partial(make.blurred, 8.0), 15, "FACE_BLURRED"),
    Row("I57b", "blurred beyond finding a face", partial(make.blurred, 30.0), 15, "FACE_BLURRED"),
    Row("I58", "far too dark", partial(make.exposed, 1 / 128), 15, "FACE_EXPOSURE"),
    Row("I58b", "rather dark", partial(make.exposed, 1 / 16), warns="dark"),
    Row("I58c", "burnt out", partial(make.exposed, 7.0), 15, "FACE_EXPOSURE"),
    Row("I58d", "black but for traces", partial(make.exposed, 1 / 4096), 15, "FACE_EXPOSURE"),
    Row("I58e", "white but for traces", partial(make.exposed, 400.0), 15, "FACE_EXPOSURE"),
)  # fmt: skip

NEEDS_HEIF_ABSENT = Row("I40", "HEIC without the extra", lambda: _ftyp(b"heic"), 11, "IMG_HEIC_EXTRA")
