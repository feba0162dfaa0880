"""Telling the user which stage a long job is at, and remembering how long each took."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

Progress = Callable[[str], object]
"""Called with the name of each stage as it begins."""
T = TypeVar("T")


def counted(pictures: Iterator[T], count: int, progress: Progress) -> Iterator[T]:
    """The same pictures; every quarter of them is told, since they take half a minute."""
    for index, picture in enumerate(pictures, start=1):
        yield picture
        if index % (count // 4) == 0:
            progress(f"  {index} of {count} pictures")


class StageClock:
    """Tells the user which stage begins, and remembers how long each took."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stage = ""
        self._began_s = 0.0

    def begin(self, stage: str) -> None:
        """A new stage; words that begin with a space are told, and belong to the stage that runs."""
        if stage.startswith(" "):
            self._progress(stage)
            return
        self.end()
        self._stage, self._began_s = stage, time.perf_counter()
        self._progress(stage)

    def end(self) -> None:
        if self._stage:
            self.seconds[self._stage] = time.perf_counter() - self._began_s
        self._stage = ""
