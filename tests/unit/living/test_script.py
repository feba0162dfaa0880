import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.living.script import AHEAD_S, LEAD_S, Script


def mean(before: float, after: float, part: float) -> float:
    return before + part * (after - before)


def sound(time_s: float, lasts_s: float = 0.1, rate_hz: int = 1000) -> AudioChunk:
    return AudioChunk(time_s, rate_hz, np.full(round(lasts_s * rate_hz), 0.5, np.float32))


def fill(script: Script[float], number: int, lasts_s: float, *, sounds: bool = True) -> None:
    """A whole utterance: its value is its own time."""
    utterance = script.open(number, sounds=sounds)
    for at in np.arange(0, lasts_s, 0.1):
        if sounds:
            utterance.add_sound(sound(float(at)))
        utterance.add_value(float(at), float(at))
    utterance.add_value(lasts_s, lasts_s)
    utterance.ended = True


def test_sound_comes_ahead_of_its_time_and_goes_with_its_mouth() -> None:
    script: Script[float] = Script(mean)
    fill(script, 1, 1.0)
    heard, seen = [], []
    for tick in range(120):
        now_s = 50 + tick / 60
        value, due = script.step(now_s)
        heard += [(now_s, each) for each in due]
        if value is not None and value < 1:
            seen.append(now_s - value)
    begins_s = 50 + LEAD_S
    assert seen == pytest.approx([begins_s] * len(seen), abs=1e-6)
    assert [each.chunk.time_s for _, each in heard] == pytest.approx([begins_s + k / 10 for k in range(10)])
    for sent_s, each in heard:
        assert sent_s >= each.chunk.time_s + 0.1 - AHEAD_S - 1e-9 or sent_s == 50
        assert sent_s <= each.chunk.time_s  # in time
    assert [each.last for _, each in heard] == [False] * 9 + [True]
    assert script.empty


def test_a_voice_slower_than_time_makes_sound_and_mouth_wait_together() -> None:
    script: Script[float] = Script(mean)
    utterance = script.open(1, sounds=True)
    heard, seen = [], []
    for tick in range(300):
        now_s = tick / 60
        known_s = now_s * 0.6  # comes at 60 % of the speed
        while utterance.heard_s < known_s:
            utterance.add_sound(sound(utterance.heard_s))
            utterance.add_value(utterance.heard_s, utterance.heard_s)
        value, due = script.step(now_s)
        heard += due
        if value is not None:
            seen.append((now_s, value))
    # Wherever a piece of sound is told to be heard, the mouth shows that very piece.
    for each in heard[:-3]:
        near = min(seen, key=lambda one: abs(one[0] - each.chunk.time_s))
        own_s = heard.index(each) / 10
        assert abs(near[1] - own_s) < 0.15
    ends = [each.chunk.time_s + 0.1 for each in heard]
    assert all(after.chunk.time_s >= end - 1e-6 for end, after in zip(ends, heard[1:], strict=False))


def test_utterances_are_said_one_after_the_other() -> None:
    script: Script[float] = Script(mean)
    fill(script, 1, 0.5)
    fill(script, 2, 0.5)
    said = []
    for tick in range(150):
        now_s = tick / 60
        script.step(now_s)
        if (position := script.position(now_s)) is not None and position[1] >= 0:
            said.append(position[0])
    assert sorted(set(said)) == [1, 2]
    assert said == sorted(said)


def test_what_is_dropped_is_neither_heard_nor_seen() -> None:
    script: Script[float] = Script(mean)
    fill(script, 1, 5.0)
    fill(script, 2, 5.0)
    script.step(0.0)
    assert script.drop() == [1, 2]
    assert script.step(0.1) == (None, [])
    assert script.find(1) is None


def test_a_clip_without_sound_begins_at_once() -> None:
    script: Script[float] = Script(mean)
    fill(script, 1, 0.5, sounds=False)
    assert script.step(3.0)[0] == 0.0
    assert script.step(3.25)[0] == pytest.approx(0.25)
