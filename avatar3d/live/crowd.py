"""Everybody who watches: each tick is made into bytes once, and handed to all who can take it now.

publish(seq, packets) ─► bytes once per dialect and choice of faces ─► write() to each guest
                                                                      ├ owes too much: left out, and gets the newest later
                                                                      └ has a backlog: the same
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from avatar3d.live import schema, wire
from avatar3d.live.auth import Grant
from avatar3d.live.credit import Credit
from avatar3d.live.websocket import Socket, binary_bytes, text_bytes

_BACKLOG: Final = 24 << 10
"""Frames wait for no client that has so much waiting. A quarter of a second of sound sent ahead is less."""
_KEPT: Final = 60 << 10
"""No sound either when with it more would be kept for a client, here and in the system's queue: over a second of it, so that a
short pause of the reader costs no sound. What is old when it is read at last, the reader passes over."""

Choice = tuple[bool, frozenset[int] | None]
"""A dialect (whether JSON) and the faces somebody wants (None: all): for all who share it the same bytes."""


class Guest:
    """A client that has said who it is."""

    __slots__ = ("choice", "credit", "frames", "grant", "name", "pinged_s", "read_s", "socket", "sound")

    def __init__(self, socket: Socket, grant: Grant, name: str, choice: Choice, most: int, now_s: float) -> None:
        self.socket, self.grant, self.name, self.choice = socket, grant, name, choice
        self.frames = self.sound = True
        self.credit = Credit(most)
        self.read_s = self.pinged_s = now_s
        """When it last showed that it reads what it is sent, and when it was last asked."""

    def wants(self, face: int) -> bool:
        return self.choice[1] is None or face in self.choice[1]


class Crowd:
    """The guests, and what they are sent."""

    def __init__(self) -> None:
        self._watching: dict[Choice, dict[Guest, None]] = {}
        self._guests: dict[Guest, None] = {}

    def __len__(self) -> int:
        return len(self._guests)

    @property
    def guests(self) -> Collection[Guest]:
        return tuple(self._guests)

    def join(self, guest: Guest) -> None:
        self._guests[guest] = None
        if guest.frames:
            self._watching.setdefault(guest.choice, {})[guest] = None

    def leave(self, guest: Guest) -> None:
        self._guests.pop(guest, None)
        if watching := self._watching.get(guest.choice):
            watching.pop(guest, None)
            if not watching:
                del self._watching[guest.choice]

    def publish(self, seq: int, packets: Sequence[bytes]) -> None:
        """One tick: a packet for each face."""
        for choice, guests in self._watching.items():
            message = _tick_bytes(packets, choice)
            if not message:
                continue
            for guest in guests:
                socket, credit = guest.socket, guest.credit
                if credit.left() and socket.open and socket.backlog < _BACKLOG:
                    socket.write(message)
                    credit.spend(seq)

    def publish_sound(self, packet: bytes) -> None:
        """A piece of sound, to all for whom not too much waits already."""
        face = packet[1] >> schema.FACE_SHIFT
        made: dict[bool, bytes] = {}
        for guest in self._guests:
            if not (guest.sound and guest.wants(face) and guest.socket.open):
                continue
            as_json = guest.choice[0]
            if as_json not in made:
                made[as_json] = text_bytes(_compact(wire.sound_json(packet))) if as_json else binary_bytes(packet)
            if guest.socket.kept + len(made[as_json]) < _KEPT:
                guest.socket.write(made[as_json])

    def publish_text(self, message: str, *, sound_only: bool = False) -> None:
        """A JSON message to everybody, or to those who hear."""
        made = text_bytes(message)
        for guest in self._guests:
            if guest.sound or not sound_only:
                guest.socket.tell(made)


def _tick_bytes(packets: Iterable[bytes], choice: Choice) -> bytes:
    as_json, faces = choice
    chosen = packets if faces is None else [each for each in packets if each[1] >> schema.FACE_SHIFT in faces]
    if as_json:
        return b"".join(text_bytes(_compact(wire.frame_json(packet))) for packet in chosen)
    return b"".join(map(binary_bytes, chosen))


def _compact(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))
