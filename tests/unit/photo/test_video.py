"""The door for videos: what opens comes out upright and in its colours, what cannot is refused before it is decoded."""

import io
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from avatar3d.core.errors import InputError, MissingExtraError, UnsupportedFormatError
from avatar3d.photo import video
from avatar3d.photo.load import MAX_FILE_BYTES, load_photo
from avatar3d.photo.video import Video, load_video, photo_or_video, stills

EXAMPLES = int(os.environ.get("AVATAR3D_FUZZ", "60"))
"""Damaged files tried; as in tests/inputs/test_mutations.py."""
av: Any = pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')


def picture(index: int = 0, width: int = 96, height: int = 64) -> np.ndarray:
    """A warm corner on a cold ground, brighter with every picture."""
    pixels = np.full((height, width, 3), (40, 90, 140), np.uint8)
    pixels[: height // 2, : width // 2] = (200, 120, 80)
    return pixels + np.uint8(index % 50)


def film(
    path: Path,
    pictures: Sequence[np.ndarray] | None = None,
    *,
    codec: str = "libx264",
    rate_hz: int = 10,
    turned_deg: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """A video of these sRGB pictures, or of twenty of our own."""
    pictures = [picture(index) for index in range(20)] if pictures is None else pictures
    try:
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(codec, rate=rate_hz)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            if turned_deg:
                stream.set_display_rotation(turned_deg)
            for pixels in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
            container.mux(stream.encode())
    finally:
        if codec == "libsvtav1" and sys.platform == "linux":
            # As root it makes its caller real-time, and every thread started later spins ahead of the whole machine.
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return path


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as refused:
        list(stills(load_video(path), 8))
    assert refused.value.message.startswith(f'"{path.name}"')
    assert refused.value.hint.endswith(".")
    return refused.value


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.mkv", "libx265"),
        ("a.webm", "libvpx-vp9"),
        ("a.mov", "mjpeg"),
        ("a.mp4", "libsvtav1"),
    ],
)
def test_what_a_phone_writes_opens_in_its_own_colours(name: str, codec: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, codec=codec)
    assert photo_or_video(path) == Video(path)
    reel = load_video(path)
    seen = list(stills(reel, 5))
    assert (reel.name, reel.file, reel.warnings) == ("a", name, ())
    np.testing.assert_allclose([still.time_s for still in seen], [0.2, 0.6, 1.0, 1.4, 1.8], atol=0.02)
    for still in seen:
        inside = np.s_[8:24, 8:40]
        assert np.abs(still.pixels()[inside].astype(int) - picture(round(still.time_s * 10))[inside]).max() <= 8


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="needs the schedulers of Linux")
def test_neither_a_video_nor_these_tests_change_how_the_process_is_scheduled(tmp_path: Path) -> None:
    list(stills(load_video(film(tmp_path / "a.mp4", codec="libsvtav1")), 2))
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_phone_held_on_its_side_films_upright(degrees: int, tmp_path: Path) -> None:
    lying = [np.rot90(picture(), -degrees // 90)] * 5
    (still,) = stills(load_video(film(tmp_path / "a.mp4", lying, turned_deg=degrees)), 1)
    assert still.pixels().shape == (64, 96, 3)
    assert np.abs(still.pixels().astype(int) - picture()).mean() < 4


def test_a_large_picture_is_reduced_when_less_is_wanted(tmp_path: Path) -> None:
    (still,) = stills(load_video(film(tmp_path / "a.mp4")), 1)
    assert still.pixels(48).shape == (32, 48, 3)


@pytest.mark.parametrize(("curve", "number"), [("hlg", 18), ("pq", 16)])
def test_a_phones_hdr_becomes_srgb(curve: str, number: int, tmp_path: Path) -> None:
    light = np.where(picture() > 10, ((picture() / 255 + 0.055) / 1.055) ** 2.4, 0) @ _BT2020_FROM_SRGB.T
    signal = _hlg(light * 0.265) if curve == "hlg" else _pq(light * 203)
    deep = av.VideoFrame.from_ndarray((signal * 65535).astype(np.uint16), format="rgb48le")
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        coder = stream.codec_context
        coder.color_primaries, coder.color_trc, coder.colorspace, coder.color_range = 9, number, 9, 1
        for _ in range(3):
            container.mux(
                stream.encode(deep.reformat(format="yuv420p10le", dst_colorspace="BT2020", dst_color_range=1))
            )
        container.mux(stream.encode())
    (still,) = stills(load_video(path), 1)
    assert np.abs(still.pixels().astype(int) - picture()).mean() < 4


_BT2020_FROM_SRGB = np.linalg.inv(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)


def _hlg(light: np.ndarray) -> np.ndarray:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(light <= 1 / 12, np.sqrt(3 * light), a * np.log(np.maximum(12 * light - b, 1e-9)) + c)


def _pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def test_what_is_there_of_a_video_that_breaks_off_is_used_and_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grainy = [(picture() * rng.uniform(0.8, 1.0, (64, 96, 1))).astype(np.uint8) for _ in range(20)]
    whole = film(tmp_path / "whole.mp4", grainy, options={"movflags": "faststart"}).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) // 3])
    reel = load_video(path)
    assert reel.warnings[0].startswith("The video breaks off after ")
    assert 0 < len(list(stills(reel, 40))) < 20


def test_a_video_that_ends_before_its_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(film(tmp_path / "whole.mp4").read_bytes()[:-1200])
    error = refusal(path)
    assert (error.exit_code, error.id) == (10, "VIDEO_CORRUPT")


@pytest.mark.parametrize(
    ("name", "content", "exit_code", "id"),
    [
        ("notes.mp4", b"Dear diary, " * 40, 10, "VIDEO_NOT_A_VIDEO"),
        ("old.avi", b"RIFF\0\0\0\0AVI LIST" + bytes(400), 11, "VIDEO_FORMAT"),
        ("empty.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42", 10, "VIDEO_CORRUPT"),
        ("list.webm", b"\x1a\x45\xdf\xa3#EXTM3U\n/etc/passwd\n", 10, "VIDEO_CORRUPT"),
    ],
)
def test_what_is_no_video_is_refused(name: str, content: bytes, exit_code: int, id: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert photo_or_video(path) == Video(path)
    error = refusal(path)
    assert (error.exit_code, error.id) == (exit_code, id)


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 16_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    assert refusal(path).id == "VIDEO_FORMAT"


def test_a_codec_that_no_camera_writes_is_not_decoded(tmp_path: Path) -> None:
    error = refusal(film(tmp_path / "a.mkv", codec="ffv1"))
    assert (error.exit_code, error.id) == (11, "VIDEO_FORMAT")
    assert "its pictures are ffv1" in error.message


def test_the_content_and_not_the_name_decides(tmp_path: Path) -> None:
    photo, hidden = tmp_path / "photo.mp4", tmp_path / "video.jpg"
    photo.write_bytes(cv2.imencode(".jpg", picture())[1].tobytes())
    hidden.write_bytes(film(tmp_path / "a.mp4").read_bytes())
    assert photo_or_video(photo) == photo
    assert photo_or_video(hidden) == Video(hidden)
    assert photo_or_video(tmp_path / "absent.mp4") == tmp_path / "absent.mp4"


@pytest.mark.parametrize("name", ["long.mp4", "long.mkv"])
def test_a_video_of_more_than_a_minute_is_refused_before_it_is_decoded(name: str, tmp_path: Path) -> None:
    path = film(tmp_path / name, [picture()] * 65, rate_hz=1)
    error = refusal(path)
    assert (error.exit_code, error.id) == (12, "VIDEO_TOO_LONG")
    assert "the limit is 60" in error.message


def test_a_recording_that_does_not_say_how_long_it_is_is_measured(tmp_path: Path) -> None:
    browsers = {"live": "1"}  # as MediaRecorder writes: no duration, no index
    reel = load_video(film(tmp_path / "short.webm", codec="libvpx-vp9", options=browsers))
    assert len(list(stills(reel, 5))) == 5
    assert reel.warnings == ()
    assert refusal(film(tmp_path / "long.mkv", [picture()] * 65, rate_hz=1, options=browsers)).id == "VIDEO_TOO_LONG"


def test_large_and_many_pictures_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = refusal(film(tmp_path / "wide.mp4", [picture(width=4160)] * 2))
    assert (wide.exit_code, wide.id) == (12, "VIDEO_TOO_LARGE")
    path = film(tmp_path / "a.mp4")
    monkeypatch.setattr(video, "MAX_DECODED_PIXELS", 19 * 96 * 64)
    assert refusal(path).id == "VIDEO_TOO_LONG"
    monkeypatch.setattr(video, "_MAX_PICTURES", 19)
    assert "more than 19 pictures" in refusal(path).message


def test_a_picture_larger_than_the_first_says_is_not_decoded(tmp_path: Path) -> None:
    path, jpegs = tmp_path / "a.mov", [cv2.imencode(".jpg", picture())[1].tobytes()] * 4
    jpegs[2] = cv2.imencode(".jpg", np.zeros((5000, 5000, 3), np.uint8))[1].tobytes()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for index, jpeg in enumerate(jpegs):
            packet = av.Packet(jpeg)
            packet.stream, packet.pts, packet.dts, packet.is_keyframe = stream, index, index, True
            container.mux(packet)
    assert {still.pixels().shape for still in stills(load_video(path), 4)} == {(64, 96, 3)}


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    with path.open("r+b") as file:
        file.truncate(video.MAX_FILE_BYTES + 1)  # sparse
    error = refusal(path)
    assert (error.exit_code, error.id) == (12, "VIDEO_FILE_TOO_LARGE")


@pytest.mark.parametrize("size", [0, MAX_FILE_BYTES + 1])
def test_a_video_given_as_a_photo_is_told_what_to_do(size: int, tmp_path: Path) -> None:
    path = film(tmp_path / "turn.mp4")
    with path.open("r+b") as file:
        file.truncate(max(size, path.stat().st_size))
    with pytest.raises(UnsupportedFormatError, match="this is a video") as refused:
        load_photo(path)
    assert refused.value.id == "IMG_FORMAT"
    assert "avatar3d create --same-person" in refused.value.hint


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4")
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r"avatar3d\[video\]"):
        load_video(path)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.webm", "libvpx-vp9")])
def test_a_damaged_file_never_escapes(name: str, codec: str, tmp_path: Path) -> None:
    whole, path = film(tmp_path / name, codec=codec).read_bytes(), tmp_path / f"damaged-{name}"
    rng, refused, opened = np.random.default_rng(7), set[int](), 0
    for _ in range(EXAMPLES):
        data = bytearray(whole)
        for at in (rng.random(rng.integers(1, 6)) * len(data)).astype(int):
            data[at : at + rng.integers(1, 5)] = rng.bytes(rng.integers(1, 5))
        path.write_bytes(data[: int(rng.uniform(0.5, 3) * len(data))])
        began = time.process_time()
        try:
            for still in stills(load_video(path), 8):
                assert still.pixels().ndim == 3
            opened += 1
        except InputError as error:
            refused.add(error.exit_code)
        assert time.process_time() - began < 5
    assert opened > 0
    assert refused <= {10, 11, 12}


def test_nothing_of_a_file_is_read_but_the_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4")
    given: list[object] = []
    real = av.open
    monkeypatch.setattr(av, "open", lambda source, *rest, **how: given.append(source) or real(source, *rest, **how))
    list(stills(load_video(path), 2))
    assert all(isinstance(source, io.BytesIO) for source in given)
