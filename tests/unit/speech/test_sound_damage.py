"""However a sound file is damaged, the door answers with sound or one of our errors, soon."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.speech.sound_damage import check_that_damage_is_survived
from tests.unit.speech.sound_files import encoded, floats, pcm16, voice, wav

_BOTH = np.stack([voice(seconds=0.4)] * 2, 1)
SEEDS: dict[str, Callable[[], bytes]] = {
    "WAV": lambda: wav(pcm16(voice(seconds=0.2))),
    "float WAV": lambda: floats(voice(seconds=0.2)),
    "RF64": lambda: encoded(_BOTH, format="RF64", subtype="PCM_24"),
    "W64": lambda: encoded(_BOTH, format="W64"),
    "FLAC": lambda: encoded(_BOTH, format="FLAC"),
    "Vorbis": lambda: encoded(_BOTH, format="OGG"),
    "Opus": lambda: encoded(_BOTH, format="OGG", subtype="OPUS"),
    "MP3": lambda: encoded(_BOTH, format="MP3"),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_a_damaged_file_is_heard_or_refused(kind: str, tmp_path: Path) -> None:
    check_that_damage_is_survived(SEEDS[kind](), tmp_path / "damaged")
