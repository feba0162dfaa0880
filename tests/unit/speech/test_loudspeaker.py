"""What PortAudio is given to play, without a device."""

from types import SimpleNamespace

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.speech.sound.sounddevice import Loudspeaker

AT_ONCE = SimpleNamespace(outputBufferDacTime=0.0, currentTime=0.0)


def heard(loudspeaker: Loudspeaker, seconds: float = 0.1) -> np.ndarray:
    block = np.full((int(seconds * 48_000), 1), 9, np.float32)
    loudspeaker._fill(block, len(block), AT_ONCE, None)
    return block[:, 0]


def level(time_s: float, value: float, lasts_s: float = 1.0) -> AudioChunk:
    return AudioChunk(time_s, 16_000, np.full(int(lasts_s * 16_000), value, np.float32))


def test_sound_is_heard_at_its_media_time_and_silence_elsewhere() -> None:
    loudspeaker = Loudspeaker(clock=lambda: 5.0)
    loudspeaker.play(level(5.05, 0.5))
    block = heard(loudspeaker)
    assert not block[:2390].any()
    np.testing.assert_allclose(block[2410:], 0.5, atol=1e-6)


def test_two_voices_are_mixed_and_only_the_one_that_is_interrupted_falls_silent() -> None:
    loudspeaker = Loudspeaker(clock=lambda: 5.0)
    loudspeaker.play(level(4.9, 0.25), voice=0)
    loudspeaker.play(level(4.9, 0.5), voice=1)
    np.testing.assert_allclose(heard(loudspeaker), 0.75, atol=1e-6)
    loudspeaker.flush(5.05, voice=1)
    block = heard(loudspeaker)
    np.testing.assert_allclose(block[:2300], 0.75, atol=1e-6)
    np.testing.assert_allclose(block[2450:], 0.25, atol=1e-6)


def test_what_is_louder_than_full_scale_is_cut() -> None:
    loudspeaker = Loudspeaker(clock=lambda: 5.0)
    for voice in range(3):
        loudspeaker.play(level(4.9, 0.8), voice=voice)
    assert heard(loudspeaker).max() == 1
