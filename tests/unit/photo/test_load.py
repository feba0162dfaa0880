"""The door itself: what a file is, what is kept of it, what is refused before anything is decoded."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from avatar3d.core.errors import LimitError
from avatar3d.photo.container import name_refused, sniff, split_jpeg
from avatar3d.photo.load import MAX_JPEG_PIXELS, MAX_PIXELS, decode_photo


def picture(width: int = 64, height: int = 48) -> Image.Image:
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(np.stack([columns * 3 % 256, rows * 5 % 256, (columns + rows) % 256], -1).astype(np.uint8))


def saved(kind: str, image: Image.Image | None = None, **how: object) -> bytes:
    out = io.BytesIO()
    (image or picture()).save(out, kind, **how)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_each_format_is_known_by_its_first_bytes_and_opens(kind: str) -> None:
    data = saved(kind)
    assert sniff(data[:64]) == kind
    assert decode_photo(data, "a").pixels.shape == (48, 64, 3)


def test_the_name_does_not_decide_what_a_file_is() -> None:
    assert (decode_photo(saved("PNG"), "a.jpg").pixels == np.asarray(picture())).all()


def test_foreign_formats_are_named_and_unknown_ones_are_not() -> None:
    assert name_refused(b"8BPS\0\x01") == "a Photoshop file"
    assert name_refused(b"II*\0\x10\0\0\0CR\x02\0") == "a camera RAW file"
    assert name_refused(b"\0\0\0\x20ftypisom") == "a video or a picture format of that family"
    assert name_refused(b"hello") is None


def test_a_jpeg_is_stripped_of_all_but_the_picture() -> None:
    data = saved("JPEG", exif=Image.Exif().tobytes() or b"Exif\0\0", comment=b"secret", icc_profile=b"x" * 300)
    jpeg = split_jpeg(data)
    assert jpeg is not None
    assert (jpeg.width, jpeg.height, jpeg.progressive, jpeg.scans) == (64, 48, False, 1)
    assert b"secret" not in jpeg.picture
    assert b"ICC_PROFILE" in jpeg.picture
    assert (np.asarray(Image.open(io.BytesIO(jpeg.picture))) == np.asarray(Image.open(io.BytesIO(data)))).all()


def test_the_video_behind_a_phones_picture_counts_for_nothing() -> None:
    data = saved("JPEG")
    jpeg = split_jpeg(data + b"\xff\xda" * 100_000)
    assert jpeg is not None
    assert jpeg.scans == 1
    assert (decode_photo(data + b"\xff\xda" * 100_000, "a").pixels == decode_photo(data, "a").pixels).all()


def test_a_progressive_jpeg_has_the_ordinary_limit() -> None:
    data = bytearray(saved("JPEG", progressive=True))
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = (9000).to_bytes(2, "big") * 2
    assert MAX_PIXELS < 9000 * 9000 < MAX_JPEG_PIXELS
    with pytest.raises(LimitError, match="9000 x 9000 = 81 million pixels; the limit is 64") as refused:
        decode_photo(bytes(data), "a")
    assert refused.value.id == "IMG_TOO_MANY_PIXELS"


def test_a_jpeg_of_three_thousand_scans_is_refused_at_once() -> None:
    data = saved("JPEG", picture(1600, 1200), progressive=True)
    scan = data.rindex(b"\xff\xda")
    bomb = data[:-2] + data[scan:-2] * 3_000 + b"\xff\xd9"  # 92 MB: as large as a file may be
    started = time.process_time()
    with pytest.raises(LimitError) as refused:
        decode_photo(bomb, "a")
    assert refused.value.id == "IMG_TOO_MANY_SCANS"
    assert time.process_time() - started < 1


def test_a_large_jpeg_is_reduced_as_it_is_decoded() -> None:
    data = saved("JPEG", picture(6400, 320))
    photo = decode_photo(data, "a")
    assert photo.pixels.shape == (160, 3200, 3)


def test_a_large_png_is_reduced_to_the_working_size() -> None:
    photo = decode_photo(saved("PNG", picture(5000, 100), compress_level=1), "a")
    assert photo.pixels.shape == (82, 4096, 3)


def test_a_reduced_picture_remembers_the_size_of_its_file() -> None:
    """Upright, also when a JPEG was decoded at a fraction of its size and when EXIF turns it."""
    png = decode_photo(saved("PNG", picture(5000, 100), compress_level=1), "a.png")
    assert (png.size_px, png.pixels.shape[1]) == ((5000, 100), 4096)
    jpeg = saved("JPEG", picture(9000, 200))
    assert decode_photo(jpeg, "a.jpg").size_px == (9000, 200)
    lying = Image.Exif()
    lying[0x0112] = 6
    turned = decode_photo(saved("JPEG", picture(9000, 200), exif=lying.tobytes()), "a.jpg")
    assert turned.size_px == (200, 9000)
    assert turned.pixels.shape[0] > turned.pixels.shape[1]


def test_the_name_is_the_stem_and_the_hash_is_of_the_file() -> None:
    from hashlib import sha256

    data = saved("PNG")
    photo = decode_photo(data, "/home/anna/anna.maria.png")
    assert (photo.name, photo.sha256) == ("anna.maria", sha256(data).hexdigest())
    assert photo.file == "anna.maria.png"
