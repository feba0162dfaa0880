"""A talking film: sound and picture end together, the mouth moves, and the file says what it is."""

from pathlib import Path

import av
import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import ARKIT_INDEX, BlendshapeClip, Frame
from avatar3d.render.film import draw_frames, film_clip
from avatar3d.report.pictures import orbit_camera
from tests.synthetic import synthetic_avatar

STILL = np.array([1, 0, 0, 0], np.float32)


def frame(time_s: float, **weights: float) -> Frame:
    row = np.zeros(52, np.float32)
    for name, value in weights.items():
        row[ARKIT_INDEX[name]] = value
    return Frame(time_s, row, STILL, STILL, STILL)


def test_a_film_lasts_as_long_as_its_sound_and_is_marked(tmp_path: Path) -> None:
    avatar = synthetic_avatar()
    clip = BlendshapeClip(tuple(frame(at / 60, jawOpen=0.5 + 0.5 * np.sin(at / 5)) for at in range(61)))
    tone = AudioChunk(0.0, 22_050, (0.2 * np.sin(np.arange(22_050) / 10)).astype(np.float32))
    path = film_clip(avatar, clip, orbit_camera(avatar, 0, 128), tmp_path / "talk.mp4", sound=tone)
    with av.open(str(path)) as film:
        assert "synthetic" in film.metadata["comment"]
        lasts = {stream.type: float(stream.duration * stream.time_base) for stream in film.streams}
        pictures = [picture.to_ndarray(format="rgb24").astype(int) for picture in film.decode(video=0)]
    assert lasts["audio"] == pytest.approx(lasts["video"], abs=0.04)
    assert lasts["video"] == pytest.approx(1.0, abs=0.09)
    assert max(np.abs(one - other).mean() for one, other in zip(pictures, pictures[4:], strict=False)) > 0.1


def test_what_moves_in_the_weights_moves_in_the_picture_and_stillness_is_still() -> None:
    avatar = synthetic_avatar()
    rest, same, talking = draw_frames(
        avatar, [frame(0.0), frame(0.04), frame(0.08, jawOpen=1.0)], orbit_camera(avatar, 0, 128)
    )
    assert np.abs(rest.astype(int) - same).mean() < 0.5
    assert np.abs(rest.astype(int) - talking).mean() > 4 * max(np.abs(rest.astype(int) - same).mean(), 0.05)
