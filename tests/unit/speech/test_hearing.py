"""The performer hears accents and phrases, whatever the microphone's gain, and none where nothing is said."""

from dataclasses import replace

import numpy as np

from avatar3d.speech.performance.hearing import Hearing
from tests.unit.speech.babble import Heard, accent_times, babble, instant, silence


def listen(heard: list[Heard]) -> list[Hearing]:
    hearing, before, states = Hearing(), heard[0].articulation.time_s, []
    for moment in heard:
        time_s = moment.articulation.time_s
        hearing, before = hearing.step(moment.articulation, moment.pitch_hz, time_s - before), time_s
        states.append(hearing)
    return states


def accents(heard: list[Heard]) -> list[float]:
    states = listen(heard)
    return [m.articulation.time_s for m, state in zip(heard, states, strict=True) if state.accent > 0]


def test_stressed_syllables_are_told_within_a_fifth_of_a_second() -> None:
    told = np.array(accents(babble(60)))
    true = [t for t in accent_times(60) if t > 4]
    caught = [((told > t - 0.12) & (told < t + 0.2)).any() for t in true]
    assert np.mean(caught) > 0.85
    stray = [min(abs(t - a) for a in accent_times(60, whole=False)) > 0.2 for t in told if t > 4]
    assert np.mean(stray) < 0.2


def test_accents_do_not_depend_on_gain_or_frame_rate() -> None:
    plain, loud = accents(babble(30)), accents(babble(30, gain_db=24))
    assert plain == loud
    assert abs(len(accents(babble(30, 25))) - len(plain)) <= 0.2 * len(plain)


def test_a_monotone_and_silence_have_no_accents() -> None:
    drone = [Heard(instant(i / 60, {"jawOpen": 0.1}, voice=1, loudness_db=-20), 110.0) for i in range(600)]
    assert accents(drone) == []
    assert accents(silence(10)) == []


def test_without_sound_the_jaw_tells_accents() -> None:
    marks = [Heard(replace(moment.articulation, loudness_db=0.0), 0.0) for moment in babble(40)]
    told = np.array(accents(marks))
    true = [t for t in accent_times(40) if t > 8]
    assert np.mean([((told > t - 0.12) & (told < t + 0.2)).any() for t in true]) > 0.6


def test_phrases_begin_with_a_voice_and_end_with_a_pause() -> None:
    states = listen(babble(36))
    assert sum(state.phrase_begins for state in states) == 10
    assert sum(state.phrase_ends for state in states) == 10
    assert not any(state.phrase_begins and state.phrase_ends for state in states)
    assert all(not state.speaking for state in listen(silence(2)))
