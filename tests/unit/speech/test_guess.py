"""The guess is slow, small and changes seldom; it has no opinion about silence or the first seconds."""

from dataclasses import replace

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.emotion import EMOTIONS, NEUTRAL
from avatar3d.speech.performance.guess import AROUSED, CALM, MOST_INTENSITY, Guess
from avatar3d.speech.performance.hearing import Hearing
from avatar3d.speech.performance.perform import Performer
from tests.unit.speech.babble import Heard, babble, silence


def guesses(heard: list[Heard]) -> list[Guess]:
    hearing, guess, before, states = Hearing(), Guess(), heard[0].articulation.time_s, []
    for moment in heard:
        elapsed_s, before = moment.articulation.time_s - before, moment.articulation.time_s
        hearing = hearing.step(moment.articulation, moment.pitch_hz, elapsed_s)
        guess = guess.step(hearing, moment.pitch_hz, elapsed_s)
        states.append(guess)
    return states


def test_a_lively_voice_is_aroused_and_a_flat_slow_one_is_not() -> None:
    lively = guesses(babble(24, 25, melody=3.4, syllable_s=0.17))
    flat = guesses(babble(24, 25, melody=0.15, syllable_s=0.32))
    assert lively[-1].emotion == AROUSED
    assert flat[-1].emotion == CALM
    assert lively[-1].arousal > 0.3 > -0.3 > flat[-1].arousal


def test_it_says_nothing_before_it_has_listened_and_never_much() -> None:
    states = guesses(babble(24, 25, melody=3.4, syllable_s=0.17))
    assert all(state.emotion == NEUTRAL and state.intensity == 0 for state in states if state.voiced_s < 4)
    assert max(state.intensity for state in states) <= MOST_INTENSITY


def test_it_does_not_waver() -> None:
    for melody in (0.8, 1.3, 1.8):
        names = [state.emotion for state in guesses(babble(30, 25, melody=melody))]
        assert np.sum(np.array(names[1:]) != np.array(names[:-1])) <= 4


def test_silence_and_gain_mean_nothing() -> None:
    assert all(state == Guess(since_s=state.since_s) for state in guesses(silence(5, 25)))
    plain, loud = guesses(babble(15, 25))[-1], guesses(babble(15, 25, gain_db=20))[-1]
    assert abs(plain.arousal - loud.arousal) < 1e-6


def test_auto_shows_the_guess_and_leaves_the_mouth_alone() -> None:
    heard, still = babble(1, 25), Controls(blink=False, head_motion=0)
    told = replace(Performer(seed=1), guess=Guess(arousal=0.9, emotion=AROUSED, voiced_s=20.0))
    plain, auto = told, told
    for moment in heard:
        plain, neutral = plain.step(moment.articulation, moment.pitch_hz, still)
        auto, aroused = auto.step(moment.articulation, moment.pitch_hz, replace(still, emotion="auto"))
    changed = aroused.weights - neutral.weights
    brow = ARKIT_INDEX["browOuterUpLeft"]
    assert 0.04 < changed[brow] <= MOST_INTENSITY * EMOTIONS[AROUSED].face["browOuterUp"] * 1.5
    mouth = [index for name, index in ARKIT_INDEX.items() if name.startswith(("mouth", "jaw"))]
    np.testing.assert_allclose(changed[mouth], 0, atol=1e-6)
