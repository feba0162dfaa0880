"""HEIC photos, with the extra `heic` installed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar3d.photo.load import decode_photo

pillow_heif = pytest.importorskip("pillow_heif", reason='needs pip install "avatar3d[heic]"')


def heic_of(picture: Image.Image, exif: bytes = b"") -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=95, exif=exif or None)
    return stream.getvalue()


def test_a_heic_photo_is_the_picture_it_was_made_from(astronaut: Path) -> None:
    picture = Image.open(astronaut).convert("RGB")
    photo = decode_photo(heic_of(picture), "collins.heic")
    off = np.abs(photo.pixels.astype(np.int16) - np.asarray(picture, np.int16))
    assert off.mean() < 3


def test_a_heic_photo_is_turned_upright_once(astronaut: Path) -> None:
    picture = Image.open(astronaut).convert("RGB").crop((0, 0, 512, 384))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    photo = decode_photo(heic_of(picture, exif.tobytes()), "collins.heic")
    assert photo.pixels.shape[:2] == (512, 384)
    turned = np.asarray(picture.transpose(Image.Transpose.ROTATE_270), np.int16)
    assert np.abs(photo.pixels.astype(np.int16) - turned).mean() < 3
