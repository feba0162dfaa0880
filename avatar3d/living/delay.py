"""What is shown later on purpose: a line in which faces wait."""

from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_ROUNDING_S: Final = 1e-6


class DelayLine(Generic[T]):
    """Gives what it was given so long ago; before there is any, the first or the last that it gave."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self._waiting: deque[tuple[float, T]] = deque()
        self._given: T | None = None

    def step(self, item: T, now_s: float, *, at_once: bool = False) -> T:
        """What is due at `now_s`, which must rise. `at_once`: the item itself, and what waited is forgotten (panic)."""
        if at_once or self.delay_s == 0:
            self._waiting.clear()
            self._given = item
            return item
        self._waiting.append((now_s, item))
        if self._given is None:
            self._given = item
        while self._waiting and self._waiting[0][0] <= now_s - self.delay_s + _ROUNDING_S:
            _, self._given = self._waiting.popleft()
        return self._given
