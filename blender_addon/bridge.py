# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the bridge's WebSocket (docs/bridge.md): identifies, acknowledges, and comes back. No bpy."""

import contextlib
import json
import random
from time import monotonic

from . import wire
from . import wire_generated as names
from .client import Receiver
from .frame import Refused
from .websocket import Link, LinkClosed, dial

_PAUSES_S = (0.2, 2.0)


class Bridge(Receiver):
    """The bridge's WebSocket (docs/bridge.md); comes back by itself after what is not a refusal."""

    def __init__(self, url: str, token: str, *, fingerprint: str = "", face: int = 0) -> None:
        super().__init__()
        self._url, self._token, self._fingerprint, self._face = url, token, fingerprint, face
        self._link: Link | None = None
        self._ack_every, self._owed, self._seq = names.ACK_EVERY, 0, -1
        self.panicking = False
        self.reconnections = -1

    def panic(self) -> bool:
        """Ask the bridge to bring every face to rest; whether it could be asked."""
        return self._tell("panic")

    def resume(self) -> bool:
        return self._tell("resume")

    def _tell(self, kind: str) -> bool:
        link = self._link
        if link is None:
            return False
        with contextlib.suppress(LinkClosed):
            link.send(json.dumps({"type": kind}))
            return True
        return False

    def _run(self) -> None:
        pause_s, longest_s = _PAUSES_S
        while not self._ending.is_set():
            try:
                self._converse()
            except LinkClosed as closed:
                why = names.CLOSE.get(closed.code, closed.reason or str(closed.code))
                if closed.code not in names.RETURNS:
                    self.status, self.failed = f"refused: {why}", True
                    return
                self.status = f"away ({why}); trying again"
                if monotonic() - self.came_s < 1:
                    pause_s = _PAUSES_S[0]
            finally:
                if self._link:
                    self._link.abort()
                self._link = None
            self._ending.wait(pause_s * random.uniform(0.5, 1))  # noqa: S311, so that not all clients come at once
            pause_s = min(2 * pause_s, longest_s)
        self.status = "stopped"

    def _converse(self) -> None:
        link = dial(self._url, names.SUBPROTOCOL, fingerprint=self._fingerprint)
        self._link = link
        _told(link)
        identify = {"type": "identify", "version": names.VERSION, "token": self._token, "name": "Blender",
                    "sound": False, "faces": [self._face]}  # fmt: skip
        link.send(json.dumps(identify))
        answer = _told(link)
        if answer.get("type") != "identified":
            raise LinkClosed(1002, "the bridge did not let us in")
        every = answer.get("ack_every")
        self._ack_every = every if isinstance(every, int) and 1 <= every <= names.CREDIT else names.ACK_EVERY
        self.panicking = bool(answer.get("panicking"))
        self._owed, self._seq = 0, -1
        self.reconnections += 1
        self.status = "connected"
        while not self._ending.is_set():
            try:
                message = link.receive()
            except TimeoutError:
                continue
            if isinstance(message, str):
                self._hear(message)
            elif message and message[0] == names.VERSION:
                self._see(link, message)

    def _see(self, link: Link, packet: bytes) -> None:
        try:
            face = wire.face_of(packet)
        except Refused as refused:
            self._refuse(str(refused))
            return
        if face.number == self._face:
            self._show(face)
        seq = int.from_bytes(packet[4:8], "little")
        self._owed += seq != self._seq
        self._seq = seq
        if self._owed >= self._ack_every:
            self._owed = 0
            link.send(wire.acknowledgement(seq))

    def _hear(self, text: str) -> None:
        try:
            message = json.loads(text)
            event = message.get("name") if message.get("type") == "event" else None
        except (ValueError, AttributeError, RecursionError):
            self._refuse("JSON that is none")
            return
        if event in ("neutral", "resumed"):
            self.panicking = event == "neutral"

    def _wake(self) -> None:
        if self._link:
            self._link.abort()


def _told(link: Link) -> dict[str, object]:
    """A JSON message of the bridge. Raises LinkClosed for anything else."""
    try:
        message = json.loads(link.receive())
    except TimeoutError:
        raise LinkClosed(1006, "the bridge does not answer") from None
    except (ValueError, RecursionError):
        raise LinkClosed(1002, "the other side is no bridge") from None
    if not isinstance(message, dict):
        raise LinkClosed(1002, "the other side is no bridge")
    return message
