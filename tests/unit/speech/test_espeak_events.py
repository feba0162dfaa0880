"""Phones from espeak-ng's events: closures are where the silence is, whatever the event says."""

import itertools

import numpy as np
import pytest

from avatar3d.speech.phones import SILENCE, Phone
from avatar3d.speech.voices.espeak_events import Event, Sounding, Timing, closure_s, end, stress_of, symbols_of
from avatar3d.speech.voices.espeak_pieces import pieces
from avatar3d.speech.voices.texts import speakable
from avatar3d.speech.voices.tts import WordMark

RATE = 22050


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """Stretches of (seconds, amplitude)."""
    return np.concatenate([np.full(round(seconds * RATE), level, np.float32) for seconds, level in parts])


def at(seconds: float) -> int:
    return round(seconds * RATE)


def stretches(phones: tuple[Phone, ...]) -> list[tuple[str, float, float]]:
    return [(phone.symbol, round(phone.start_s, 3), round(phone.end_s, 3)) for phone in phones]


def test_a_stop_takes_the_silence_that_its_event_left_to_the_vowel() -> None:
    vowel, stop = Sounding(("a",), 1.0, 0), Sounding(("p",), 0.0, at(0.140))
    finished, begun = end(vowel, stop, sound((0.1, 0.3), (0.04, 0.0)), Timing(RATE))
    assert stretches(finished) == [("a", 0.0, 0.1)]
    assert begun.start == at(0.1)


def test_a_sound_that_needs_no_closure_leaves_a_long_silence_a_pause() -> None:
    vowel, nasal = Sounding(("a",), 0.0, 0), Sounding(("m",), 0.0, at(0.160))
    finished, begun = end(vowel, nasal, sound((0.1, 0.3), (0.06, 0.0)), Timing(RATE))
    assert stretches(finished) == [("a", 0.0, 0.1), (SILENCE, 0.1, 0.16)]
    assert begun.start == at(0.16)


def test_a_stop_after_a_pause_closes_a_little_before_its_burst() -> None:
    pause, stop = Sounding((SILENCE,), 0.0, 0), Sounding(("p",), 0.0, at(0.5))
    finished, begun = end(pause, stop, sound((0.5, 0.0)), Timing(RATE))
    assert stretches(finished) == [(SILENCE, 0.0, 0.44)]
    assert begun.start == at(0.44)


def test_a_voice_that_echoes_into_the_closure_gets_the_usual_one() -> None:
    vowel, stop = Sounding(("a",), 0.0, 0), Sounding(("t",), 0.0, at(0.140))
    finished, _ = end(vowel, stop, sound((0.1, 0.3), (0.04, 0.05)), Timing(RATE, closure_s(1.0)))
    assert stretches(finished) == [("a", 0.0, 0.101)]


def test_a_double_stop_keeps_its_long_closure_and_no_more() -> None:
    vowel, stop = Sounding(("a",), 0.0, 0), Sounding(("t",), 0.0, at(0.5))
    finished, begun = end(vowel, stop, sound((0.1, 0.3), (0.4, 0.0)), Timing(RATE))
    assert stretches(finished) == [("a", 0.0, 0.1), (SILENCE, 0.1, 0.3)]
    assert begun.start == at(0.3)


@pytest.mark.parametrize(
    ("label", "symbols"),
    [("ˈaɪ", ("a", "ɪ")), ("tʲ", ("t",)), ("ɔːɹ", ("ɔ", "ɹ")), ("", (SILENCE,)), ("(en)", None), ("ʲ", None)],
)
def test_a_label_becomes_phones(label: str, symbols: tuple[str, ...] | None) -> None:
    assert symbols_of(label) == symbols


def test_letters_of_espeaks_own_alphabet_and_unknown_ones_do_no_harm() -> None:
    assert symbols_of("ˈε") == ("ɛ",)
    assert symbols_of("t[") == ("t",)
    assert symbols_of("dZ") == ("dʒ",)
    assert symbols_of("a9Ж") == ("a",)


def test_accents_are_stress() -> None:
    assert (stress_of("ˈɛ"), stress_of("ˌɛ"), stress_of("ɛ")) == (1.0, 0.5, 0.0)


def frames(events: list[tuple[int, int, float, str]], heard: np.ndarray) -> list[tuple[Event, ...] | bytes]:
    """All sound, then all events, given as (type, position, seconds, label); words are two letters long."""
    told = tuple(Event(kind, place, 2, at(seconds), label) for kind, place, seconds, label in events)
    return [(heard * 32767).astype("<i2").tobytes(), told]


def test_pieces_are_cut_between_words_and_each_mark_comes_with_its_sound() -> None:
    heard = sound((0.6, 0.3), (0.2, 0.0))
    events = [
        (1, 1, 0.0, ""),
        (7, 1, 0.0, "m"),
        (7, 1, 0.1, "ˈa"),
        (1, 4, 0.3, ""),
        (7, 4, 0.3, "n"),
        (7, 4, 0.4, "o"),
        (7, 4, 0.6, ""),
    ]
    first, second = pieces(frames(events, heard), speakable("ma no"), Timing(RATE))
    assert first.marks[0] == WordMark("ma", 0.0, at(0.3) / RATE, 0)
    assert [mark.symbol for mark in first.marks if isinstance(mark, Phone)] == ["m", "a"]
    assert second.audio.time_s == pytest.approx(0.3, abs=1e-3)
    assert [mark.symbol for mark in second.marks if isinstance(mark, Phone)] == ["n", "o", SILENCE]
    assert [mark.text for mark in second.marks if isinstance(mark, WordMark)] == ["no"]
    assert len(first.audio.samples) + len(second.audio.samples) == len(heard)
    for piece in (first, second):
        ends_s = piece.audio.time_s + len(piece.audio.samples) / RATE
        assert all(piece.audio.time_s - 1e-6 <= mark.start_s and mark.end_s <= ends_s + 1e-6 for mark in piece.marks)


def test_a_nameless_vowel_between_words_is_no_pause() -> None:
    heard = sound((0.4, 0.3))
    events = [(7, 1, 0.0, "ɪ"), (7, 1, 0.1, ""), (7, 1, 0.15, "o")]
    (piece,) = pieces(frames(events, heard), speakable("the old"), Timing(RATE))
    assert [mark.symbol for mark in piece.marks if isinstance(mark, Phone)] == ["ɪ", "ɪ", "o"]


def test_pauses_in_a_row_are_one_and_tiny_ones_none() -> None:
    heard = sound((0.1, 0.3), (0.2, 0.0), (0.1, 0.3), (0.01, 0.0), (0.1, 0.3))
    events = [(7, 1, 0.0, "a"), (7, 1, 0.1, ""), (7, 1, 0.2, ""), (7, 1, 0.3, "a"), (7, 1, 0.4, ""), (7, 1, 0.41, "m")]
    (piece,) = pieces(frames(events, heard), speakable("a a m"), Timing(RATE))
    phones = tuple(mark for mark in piece.marks if isinstance(mark, Phone))
    assert [phone.symbol for phone in phones] == ["a", SILENCE, "a", "m"]
    assert all(one.end_s == other.start_s for one, other in itertools.pairwise(phones))


def test_events_beyond_the_sound_or_backwards_are_held_within_it() -> None:
    heard = sound((0.2, 0.3))
    events = [(7, 1, 0.1, "a"), (7, 1, 0.05, "m"), (7, 1, 9.0, "o")]
    (piece,) = pieces(frames(events, heard), speakable("amo"), Timing(RATE))
    assert max(mark.end_s for mark in piece.marks) <= 0.2 + 1e-6
