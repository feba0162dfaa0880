"""Videos that are followed: every picture at its time, whatever the file, and no more than one is held."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import NoFaceError, UnreadableError
from avatar3d.photo.calm import LASTS_S, Search, find_calm
from avatar3d.photo.footage import open_footage, pictures_of
from avatar3d.photo.load import load_photo
from avatar3d.photo.track import Tracker
from avatar3d.photo.webcam import camera_pictures
from avatar3d.render.av import write_video


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """Eight pictures, each lighter than the one before."""
    return write_video(
        (np.full((64, 96, 3), 20 * at + 20, np.uint8) for at in range(8)), tmp_path / "ramp.mp4", rate_hz=10
    )


def test_every_picture_comes_at_its_time(ramp: Path) -> None:
    footage = open_footage(ramp)
    stills = [(still.time_s, float(still.pixels().mean())) for still in pictures_of(footage)]
    np.testing.assert_allclose([time_s for time_s, _ in stills], np.arange(8) / 10, atol=1e-6)
    np.testing.assert_allclose([level for _, level in stills], 20 * np.arange(8) + 20, atol=4)
    assert footage.lasts_s == pytest.approx(0.8, abs=0.05)


def test_a_video_without_its_end_says_so(ramp: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(ramp.read_bytes()[: ramp.stat().st_size // 2])
    with pytest.raises(UnreadableError, match=r"cut\.mp4"):
        list(pictures_of(open_footage(cut)))


def test_a_camera_gives_pictures_by_the_clock_and_is_let_go(ramp: Path) -> None:
    times = iter(np.arange(100.0, 200.0, 0.5))
    pictures = camera_pictures(str(ramp), clock=lambda: float(next(times)))
    told = [next(pictures) for _ in range(3)]
    pictures.close()
    assert [time_s for time_s, _ in told] == [0.0, 0.5, 1.0]
    assert told[0][1].shape == (64, 96, 3)


def test_a_camera_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UnreadableError, match="cannot be opened"):
        next(camera_pictures(str(Path("no/such/camera.mp4"))))


def test_a_face_is_followed_and_a_calm_moment_found(astronaut: Path) -> None:
    photo = load_photo(astronaut).pixels
    tracker, search, tracked = Tracker(), Search(), []
    for at in range(4):
        tracker, seen = tracker.step(at / 8, np.roll(photo, 2 * at, axis=1))
        assert seen is not None
        tracked.append(seen.points_px[:, 0].mean())
        search = search.step(at * LASTS_S / 3, photo)
    np.testing.assert_allclose(np.diff(tracked), 2, atol=0.5)
    calm = search.ended()
    assert len(calm.pictures) == 4


def test_no_face_is_an_error_that_says_where_it_was_looked_for() -> None:
    grey = np.full((96, 128, 3), 128, np.uint8)
    with pytest.raises(NoFaceError, match="first 3 pictures"):
        find_calm((at / 10, grey) for at in range(3))
