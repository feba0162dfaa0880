"""Voices that begin: few at once, and none for a text that nobody wants any more."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from avatar3d.core.audio import AudioChunk
from avatar3d.live.clock import MediaClock
from avatar3d.living import jobs
from avatar3d.speech.phones import Phone
from avatar3d.speech.voices.tts import Spoken


class SlowVoice:
    """Takes until `ready` to begin, as a process does; knows how many began, and how many at once."""

    def __init__(self) -> None:
        self.begun, self.at_once, self.beginning = 0, 0, 0
        self.ready = threading.Event()

    def speak(self, text: str, *, language: str, voice: str) -> Iterator[Spoken]:
        self.begun += 1
        self.beginning += 1
        self.at_once = max(self.at_once, self.beginning)
        self.ready.wait(10)
        self.beginning -= 1
        yield Spoken(AudioChunk(0.0, 16_000, np.zeros(8_000, np.float32)), (Phone("a", 0.0, 0.5),))


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> SlowVoice:
    one = SlowVoice()
    monkeypatch.setattr(jobs, "voice_of", lambda name: one)
    return one


def say(number: int) -> jobs.Work:
    return jobs.Work(number, {"do": "say", "text": "Ah."}, MediaClock.begin())


def do(work: jobs.Work) -> threading.Thread:
    thread = threading.Thread(target=lambda: list(jobs.say(work)))
    thread.start()
    return thread


def test_eighty_texts_that_are_taken_back_at_once_begin_no_crowd_of_voices(voice: SlowVoice) -> None:
    works = [say(number) for number in range(80)]
    threads = [do(work) for work in works]
    for work in works[:-1]:
        work.stopped.set()
    voice.ready.set()
    for thread in threads:
        thread.join(10)
    assert voice.at_once <= 2
    assert voice.begun <= 3  # those that had begun already, and the last, which was not taken back


def test_texts_of_several_faces_are_all_spoken(voice: SlowVoice) -> None:
    voice.ready.set()
    for thread in [do(say(number)) for number in range(6)]:
        thread.join(10)
    assert voice.begun == 6
