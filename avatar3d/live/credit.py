"""What a client owes: ticks that were sent to it and not yet answered."""

from collections import deque
from typing import Final

_HALF: Final = 1 << 31
_MASK: Final = (1 << 32) - 1


class Credit:
    """One client's account. A client that owes more than its credit is sent nothing until it answers."""

    __slots__ = ("_most", "_sent")

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent: deque[int] = deque()

    def left(self) -> bool:
        return len(self._sent) <= self._most

    def spend(self, seq: int) -> None:
        """That tick was sent."""
        self._sent.append(seq)

    def answer(self, seq: int) -> None:
        """Everything up to that tick has arrived; seq is of 32 bits and may have wrapped."""
        sent = self._sent
        while sent and (seq - sent[0]) & _MASK < _HALF:
            sent.popleft()

    @property
    def owed(self) -> int:
        return len(self._sent)
