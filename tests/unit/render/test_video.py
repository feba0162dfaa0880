"""The turntable: the whole bust in every picture, and a film whose colours are those of the pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import MissingExtraError
from avatar3d.render.av import require_av, write_video
from avatar3d.report import pictures
from avatar3d.report.pictures import film_turntable
from tests.synthetic import synthetic_avatar

SKIN, HAIR = (222, 170, 140), (120, 90, 40)


def test_a_film_has_the_pictures_colours_and_says_how_to_show_them(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason='needs pip install "avatar3d[video]"')
    picture = np.full((64, 64, 3), SKIN, np.uint8)
    picture[:, 32:] = HAIR
    path = write_video([picture] * 5, tmp_path / "film.mp4", comment="Synthetic")
    with av.open(str(path)) as film:
        coder = film.streams.video[0].codec_context
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.metadata["comment"] == "Synthetic"
        assert (coder.colorspace, coder.color_primaries, coder.color_trc) == (1, 1, 13)
    assert len(shown) == 5
    for column, colour in ((12, SKIN), (52, HAIR)):
        assert np.abs(shown[2][32, column].astype(int) - colour).max() <= 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]


def test_without_pyav_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r"avatar3d\[video\]"):
        require_av()


def test_no_picture_of_the_turntable_cuts_the_bust_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "TURNTABLE_FRAMES", 4)
    avatar = synthetic_avatar()
    seen = list(film_turntable(avatar))
    assert len(seen) == 4
    for picture in seen:
        there = np.abs(picture.astype(int) - picture[0, 0]).max(axis=2) > 2
        assert not any(edge.any() for edge in (there[0], there[-1], there[:, 0], there[:, -1]))
        rows = np.flatnonzero(there.any(axis=1))
        assert rows[-1] - rows[0] > 0.7 * picture.shape[0]
    assert (seen[0] != seen[1]).any()
