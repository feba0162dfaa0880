"""Connections that have not yet said who they are: few from one address, and none for long."""

import asyncio
from collections import OrderedDict
from typing import Any, Protocol, runtime_checkable

from avatar3d.live import schema


@runtime_checkable
class Comer(Protocol):
    """A connection: a Caller of the reception, or a Socket."""

    address: str

    def close(self, code: int, reason: str = "") -> None: ...

    def abort(self) -> None: ...


class Waiting:
    """Who waits, by address, oldest first. Over the cap the oldest goes, so that somebody good still gets in."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[str, OrderedDict[Comer, Any]] = {}

    def add(self, comer: Comer, until_s: float) -> None:
        """A new one, until then."""
        there = self._waiting.setdefault(comer.address, OrderedDict())
        there[comer] = asyncio.get_running_loop().call_at(until_s, _give_up, comer)
        if len(there) > self._most:
            oldest = next(iter(there))
            self.remove(oldest)
            oldest.abort()

    def extend(self, comer: Comer, until_s: float) -> None:
        """It is being answered: it may take longer."""
        there = self._waiting.get(comer.address)
        if there and comer in there:
            there[comer].cancel()
            there[comer] = asyncio.get_running_loop().call_at(until_s, comer.abort)

    def remove(self, comer: Comer) -> None:
        """It has said who it is, or is gone."""
        there = self._waiting.get(comer.address)
        if there and comer in there:
            there.pop(comer).cancel()
            if not there:
                del self._waiting[comer.address]

    def abort_all(self) -> None:
        for there in list(self._waiting.values()):
            for comer in list(there):
                comer.abort()


def _give_up(comer: Comer) -> None:
    comer.close(schema.CLOSE["NOT_IDENTIFIED"], "expected `identify` within three seconds")
