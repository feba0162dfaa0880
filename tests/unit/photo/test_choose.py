"""Of a video's stills the best stand for photos; without one that can, the reason is told."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar3d.core.errors import FaceUnusableError, NoFaceError, SeveralFacesError
from avatar3d.photo.choose import choose_stills
from avatar3d.photo.load import load_photo
from avatar3d.render.av import write_video

pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')


@pytest.fixture(scope="module")
def panned(astronaut: Path) -> list[np.ndarray]:
    """Ten pictures of Collins, the camera moving past her."""
    large = cv2.resize(load_photo(astronaut).pixels, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(large[:600, 40 + 12 * k : 840 + 12 * k]) for k in range(10)]


def test_the_sharpest_still_is_the_main_one(panned: list[np.ndarray], tmp_path: Path) -> None:
    shaken = [picture if k == 6 else cv2.blur(picture, (31, 1)) for k, picture in enumerate(panned)]
    path = write_video(shaken, tmp_path / "collins.mp4", rate_hz=10)
    (photo,) = choose_stills(path)
    assert (photo.name, photo.file, photo.size_px) == ("collins", "collins.mp4 at 0.60 s", (800, 600))
    assert "hardly turns" in photo.warnings[0]


def test_progress_counts_and_may_stop_it(panned: list[np.ndarray], tmp_path: Path) -> None:
    path, told = write_video(panned, tmp_path / "collins.mp4"), list[str]()
    choose_stills(path, progress=told.append)
    assert told[0] == "  collins.mp4: 10 of 10 pictures"
    assert told[1].startswith("  collins.mp4: taken at ")

    def stop(_words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        choose_stills(path, progress=stop)


def test_a_video_without_a_face_is_refused(tmp_path: Path) -> None:
    sky = [np.full((240, 320, 3), (120, 160, 220), np.uint8)] * 5
    with pytest.raises(NoFaceError, match=r'^"sky.mp4": no face was found in 5 of its pictures\.'):
        choose_stills(write_video(sky, tmp_path / "sky.mp4"))


def test_why_no_still_can_be_used_is_told(panned: list[np.ndarray], tmp_path: Path) -> None:
    dim = [(picture * 0.12).astype(np.uint8) for picture in panned]
    with pytest.raises(
        FaceUnusableError, match=r'^"dim.mp4": none of 10 pictures can be the main one\..*too dark'
    ) as refused:
        choose_stills(write_video(dim, tmp_path / "dim.mp4"))
    assert refused.value.id == "FACE_EXPOSURE"


def test_two_people_in_a_video_are_told_apart_by_choice(panned: list[np.ndarray], tmp_path: Path) -> None:
    pair = [np.ascontiguousarray(np.hstack([picture[:, 100:700], picture[:, 100:700]])) for picture in panned[:3]]
    path = write_video(pair, tmp_path / "pair.mp4")
    with pytest.raises(SeveralFacesError, match="faces of comparable size"):
        choose_stills(path)
    assert len(choose_stills(path, face="largest")) == 1
