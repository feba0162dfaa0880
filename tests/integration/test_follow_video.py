"""avatar3d speak --video, as users call it: films of known curves in, the curves out; and what cannot be followed."""

import asyncio
import csv
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from avatar3d.cli import Verbs, main
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, Frame, FrameSource
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.following import Webcam
from avatar3d.formats.clip_npz import load_clip, load_provenance
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render.av import write_video
from avatar3d.render.film import draw_frames
from avatar3d.report.pictures import orbit_camera
from avatar3d.speaking import SpeakParams, speak_video
from tests.integration.test_speak import sound as sound

RATE_HZ, RESTING, SIDE_PX = 30, 15, 320
MOVES = {
    "jawOpen": 2,
    "browInnerUp": 9,
    "mouthSmileLeft": 14,
    "mouthSmileRight": 14,
    "eyeBlinkLeft": 24,
    "eyeBlinkRight": 24,
}
"""From which picture after the rest on."""
LASTS = 11


def follow(*words: object) -> Result:
    assert isinstance(main, Verbs)
    return CliRunner().invoke(main, ["speak", "--video", *map(str, words)])


def truth() -> np.ndarray:
    weights = np.zeros((RESTING + 36, len(ARKIT_NAMES)), np.float32)
    bump = 0.9 * np.sin(np.pi * np.arange(1, LASTS + 1) / (LASTS + 1)) ** 2
    for name, at in MOVES.items():
        weights[RESTING + at : RESTING + at + LASTS, ARKIT_INDEX[name]] = bump
    return weights


@pytest.fixture(scope="module")
def clip(astronaut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    avatar = make_avatar(astronaut, CreateParams(report=False, hair="none"), name="me").avatar
    still = IDENTITY_WXYZ
    frames = [Frame(at / RATE_HZ, face, still, still, still) for at, face in enumerate(truth())]
    pictures = draw_frames(avatar, frames, orbit_camera(avatar, 0, SIDE_PX))
    return write_video(pictures, tmp_path_factory.mktemp("clip") / "me.mp4", rate_hz=RATE_HZ)


def test_the_curves_of_a_film_come_back_rest_is_neutral_to_the_bit_and_twice_the_same(
    clip: Path, tmp_path: Path
) -> None:
    for folder in ("one", "other"):
        told = follow(clip, "-o", tmp_path / folder, "--format", "csv", "--rate", RATE_HZ)
        assert told.exit_code == 0, told.output
    assert (tmp_path / "one/me.csv").read_bytes() == (tmp_path / "other/me.csv").read_bytes()
    header, *lines = list(csv.reader((tmp_path / "one/me.csv").open()))
    table = np.array(lines, float)
    assert header == ["time", *ARKIT_NAMES]
    found, true = table[:, 1:], truth()
    assert len(found) == len(true)
    assert not found[: RESTING - 1].any()
    for name in MOVES:
        at = ARKIT_INDEX[name]
        assert np.corrcoef(found[:, at], true[:, at])[0, 1] > 0.8, name


def test_a_camera_is_a_source_of_the_same_curves(clip: Path) -> None:
    async def gathered(source: FrameSource) -> list[Frame]:
        return [frame async for frame in source.frames()]

    ticks = count()
    frames = asyncio.run(gathered(Webcam(str(clip), clock=lambda: next(ticks) / RATE_HZ)))
    at = ARKIT_INDEX["jawOpen"]
    found, true = np.stack([frame.weights for frame in frames])[:, at], truth()[: len(frames), at]
    assert np.corrcoef(found, true)[0, 1] > 0.8


def test_the_tongue_is_told_by_the_sound_and_nothing_else_is(sound: Path, tmp_path: Path) -> None:
    still = IDENTITY_WXYZ
    calm = (Frame(at / 30, np.zeros(52, np.float32), still, still, still) for at in range(30))
    spoke = speak_video(sound, calm, tmp_path, "pie", SpeakParams(formats=("npz",)), str)
    frames = load_clip(spoke.files[0]).frames
    assert max(frame.tongue.max() for frame in frames) > 0.2
    assert not any(frame.weights.any() for frame in frames)
    assert load_provenance(spoke.files[0])["source"]["kind"] == "video"


@pytest.mark.parametrize(("words", "code", "id"), [
    (("--video", "{nothing}"), 10, "VIDEO_NOT_A_VIDEO"),
    (("--video", "{missing}"), 10, "FILE_MISSING"),
    (("--video", "{faceless}"), 13, "FACE_NONE"),
    (("--video", "{faceless}", "--text", "hello"), 2, "USAGE"),
])  # fmt: skip
def test_what_cannot_be_followed_ends_in_its_exit_code(
    words: tuple[str, ...], code: int, id: str, tmp_path: Path
) -> None:
    (tmp_path / "nothing.mp4").write_bytes(b"no video at all" * 50)
    grey = np.full((96, 128, 3), 128, np.uint8)
    write_video([grey] * 4, tmp_path / "faceless.mp4", rate_hz=10)
    names = {name: tmp_path / f"{name}.mp4" for name in ("nothing", "missing", "faceless")}
    told = CliRunner().invoke(
        main, ["speak", *(word.format(**names) for word in words), "-o", str(tmp_path / "out"), "--json"]
    )
    assert told.exit_code == code, told.output
    assert id in told.output
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True
