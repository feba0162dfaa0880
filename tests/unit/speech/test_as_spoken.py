"""A voice is drawn while it still speaks, as it is drawn when all of it is known."""

from collections.abc import Iterator

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.as_spoken import AHEAD_S, mouth_as_spoken
from avatar3d.speech.coarticulate import articulate
from avatar3d.speech.phones import Phone
from avatar3d.speech.voices.espeak import Espeak
from avatar3d.speech.voices.tts import Spoken

TEXT = "My mama made a big pie, and Bob bought five more of them. "
VOICE = Espeak()


def pieces(text: str = TEXT) -> list[Spoken]:
    return list(VOICE.speak(text, language="en"))


def test_the_mouth_is_that_of_the_whole() -> None:
    spoken = pieces()
    phones = [mark for piece in spoken for mark in piece.marks if isinstance(mark, Phone)]
    lasts_s = sum(len(piece.audio.samples) for piece in spoken) / spoken[0].audio.rate_hz
    whole = articulate(phones, duration_s=lasts_s)
    streamed = [mouth for mouth, _ in mouth_as_spoken(spoken)]
    assert len(streamed) == len(whole)
    np.testing.assert_allclose([each.time_s for each in streamed], [each.time_s for each in whole], atol=1e-9)
    np.testing.assert_allclose([each.closed for each in streamed], [each.closed for each in whole], atol=0.02)
    # All but the openings, which follow loudness there.
    rounded = [ARKIT_INDEX["mouthPucker"], ARKIT_INDEX["mouthFunnel"], ARKIT_INDEX["mouthRollLower"]]
    late, true = (np.stack([each.weights[rounded] for each in mouths]) for mouths in (streamed, whole))
    np.testing.assert_allclose(late, true, atol=0.03)


def test_the_first_instant_needs_no_more_than_the_first_words() -> None:
    taken = 0

    def counted() -> Iterator[Spoken]:
        nonlocal taken
        for piece in VOICE.speak(100 * TEXT, language="en"):
            taken += 1
            yield piece

    mouth = mouth_as_spoken(counted())
    first, _ = next(mouth)
    assert first.time_s == 0
    assert taken <= 6
    mouth.close()


def test_an_instant_is_drawn_once_the_marks_ahead_are_known() -> None:
    known_s = 0.0

    def told() -> Iterator[Spoken]:
        nonlocal known_s
        for piece in pieces():
            known_s = piece.audio.time_s + len(piece.audio.samples) / piece.audio.rate_hz
            yield piece

    for mouth, _ in mouth_as_spoken(told()):
        assert mouth.time_s < known_s
    assert AHEAD_S < 0.5


def test_a_voice_is_heard_with_its_pitch_and_silence_is_nothing() -> None:
    assert list(mouth_as_spoken([])) == []
    pitches = [hz for _, hz in mouth_as_spoken(pieces())]
    assert np.median([hz for hz in pitches if hz]) > 60
