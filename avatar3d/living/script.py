"""What a face still has to say: utterances one after another on the media clock, their sound a little ahead of their mouth.

    utterance:  sounds ....|....|....|   known until here: both come from a worker as they are made
                mouths ..............|
                                ^ said: media time less `begins_s`; sound is sent up to AHEAD_S before it is due

Where the worker is slower than time the utterance waits, sound and mouth together, and goes on later: they cannot drift apart.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import numpy as np

from avatar3d.core.audio import AudioChunk
from avatar3d.live.track import Blend, Track

T = TypeVar("T")
AHEAD_S: Final = 0.25
"""Sound is sent so long before it is due, so that a browser has it in time."""
LEAD_S: Final = 0.12
"""After the first of it is known, an utterance begins so much later."""
_READY_S: Final = 0.1
"""So much of an utterance must be known before it begins."""


@dataclass(frozen=True)
class SoundDue:
    """Sound with its media time."""

    chunk: AudioChunk
    last: bool


class Utterance(Generic[T]):
    """One piece of work: what is known of it by now."""

    def __init__(self, number: int, blend: Blend[T], *, sounds: bool) -> None:
        self.number = number
        self.sounds = sounds
        """Whether sound comes with it: then its mouth alone does not begin it."""
        self.values: Track[T] = Track(blend)
        self.ended = False
        self.begins_s: float | None = None
        """Media time of its beginning; None while it waits."""
        self.heard_s = 0.0
        """How much of its sound is known."""
        self.known_value_s = 0.0
        self.pushed_s = 0.0
        """How much of its sound was given to the worker."""
        self._waiting: deque[AudioChunk] = deque()

    def add_value(self, time_s: float, value: T) -> None:
        self.values.add(time_s, value)
        self.known_value_s = max(self.known_value_s, time_s)

    def add_sound(self, chunk: AudioChunk) -> None:
        self._waiting.append(chunk)
        self.heard_s = chunk.time_s + len(chunk.samples) / chunk.rate_hz

    @property
    def known_s(self) -> float:
        """Until here everything is known."""
        if self.ended:
            return np.inf
        return min(self.known_value_s, self.heard_s) if self.sounds else self.known_value_s

    @property
    def lasts_s(self) -> float:
        """As far as it is known."""
        return max(self.known_value_s, self.heard_s)

    def due(self, said_s: float) -> list[AudioChunk]:
        """Sound to be sent now, in its own time."""
        until_s, sent = min(said_s + AHEAD_S, self.known_s), list[AudioChunk]()
        while self._waiting and _end_s(self._waiting[0]) <= until_s:
            sent.append(self._waiting.popleft())
        return sent

    @property
    def silent(self) -> bool:
        """Whether all of its sound was sent."""
        return not self._waiting


class Script(Generic[T]):
    """The utterances of one face, in their order."""

    def __init__(self, blend: Blend[T]) -> None:
        self._blend = blend
        self._queue: deque[Utterance[T]] = deque()
        self._free_s = -np.inf
        """Media time at which the last utterance ended."""

    def open(self, number: int, *, sounds: bool) -> Utterance[T]:
        """A new one at the end of the queue."""
        utterance = Utterance(number, self._blend, sounds=sounds)
        self._queue.append(utterance)
        return utterance

    def find(self, number: int) -> Utterance[T] | None:
        """One that is still to be said; None when it is over or was dropped."""
        return next((each for each in self._queue if each.number == number), None)

    @property
    def empty(self) -> bool:
        return not self._queue

    @property
    def numbers(self) -> list[int]:
        return [each.number for each in self._queue]

    def waiting_s(self, now_s: float) -> float:
        """How much is known, or was pushed, and not said yet."""
        left_s = 0.0
        for each in self._queue:
            said_s = max(now_s - each.begins_s, 0.0) if each.begins_s is not None else 0.0
            left_s += max(each.lasts_s - said_s, each.pushed_s - said_s, 0.0)
        return left_s

    def position(self, now_s: float) -> tuple[int, float] | None:
        """The utterance that is being said, and how far; None while none is."""
        if not self._queue or (begins_s := self._queue[0].begins_s) is None:
            return None
        return self._queue[0].number, now_s - begins_s

    def drop(self) -> list[int]:
        """Forget everything; the numbers of what is dropped."""
        numbers = self.numbers
        self._queue.clear()
        return numbers

    def step(self, now_s: float) -> tuple[T | None, list[SoundDue]]:
        """What is shown at this media time (None: nothing is said), and the sound to be sent now."""
        while self._queue:
            current = self._queue[0]
            if current.begins_s is None and not self._begin(current, now_s):
                return None, []
            assert current.begins_s is not None
            said_s = now_s - current.begins_s
            if said_s > current.known_s:
                current.begins_s = now_s - current.known_s
                said_s = current.known_s
            if current.ended and said_s > current.lasts_s and current.silent:
                self._free_s = current.begins_s + current.lasts_s
                self._queue.popleft()
                continue
            return self._play(current, said_s)
        return None, []

    def _begin(self, utterance: Utterance[T], now_s: float) -> bool:
        if utterance.known_s < _READY_S:
            return False
        utterance.begins_s = max(now_s + (LEAD_S if utterance.sounds else 0.0), self._free_s)
        return True

    def _play(self, current: Utterance[T], said_s: float) -> tuple[T | None, list[SoundDue]]:
        begins_s = current.begins_s or 0.0
        chunks = current.due(said_s)
        over = current.ended and current.silent
        sounds = [
            SoundDue(replace(chunk, time_s=begins_s + chunk.time_s), last=over and at == len(chunks) - 1)
            for at, chunk in enumerate(chunks)
        ]
        return (current.values.at(said_s) if said_s >= 0 else None), sounds


def _end_s(chunk: AudioChunk) -> float:
    return chunk.time_s + len(chunk.samples) / chunk.rate_hz
