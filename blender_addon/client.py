# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Who listens: a thread per source that keeps the newest face, and all of them while it records. No bpy.

    socket --> thread --> newest (one face, replaced)   Blender's timer takes it 60 times a second
                     \--> take (bounded list)           while recording: every face, none left out

Nothing that comes can stop a thread, fill the memory or fill the log: what is no face is counted and told once a second.
"""

import logging
import socket
import threading
from time import monotonic

from . import livelink, vmc
from .frame import Face, Refused, Tally

LOG = logging.getLogger("avatar3d")
MOST_FRAMES = 60 * 60 * 60
"""A take ends after an hour at 60 Hz: about 60 MB."""
_FACES_HZ = 240
"""So many are shown in a second, in as many datagrams as the dialect's senders use; what is more is thrown away unread."""
_RELEASED_S = 5.0
_DIALECTS = {"livelink": livelink, "vmc": vmc}


class Receiver:
    """What all sources share. `start` returns at once; `stop` ends the thread within half a second."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.status = "starting"
        self.failed = False
        """It will not come back by itself; `status` says why."""
        self.came_s = -1e9
        """Our clock when the last face came."""
        self._newest: Face | None = None
        self._take: list[Face] | None = None
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="avatar3d live", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(0.5)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def newest(self) -> Face | None:
        """The newest face that was not yet taken."""
        face, self._newest = self._newest, None
        return face

    def record(self) -> None:
        """From now on keep every face."""
        with self._lock:
            self._take = []

    def recorded(self) -> list[Face]:
        """The take, which ends with this."""
        with self._lock:
            take, self._take = self._take or [], None
        return take

    @property
    def recording(self) -> int | None:
        """Frames kept so far; None when nothing is recorded."""
        take = self._take
        return None if take is None else len(take)

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as cause:
            self.status, self.failed = f"stopped: {type(cause).__name__}: {cause}", True
            LOG.exception("The receiver stopped")

    def _run(self) -> None:
        raise NotImplementedError

    def _wake(self) -> None:
        """End a call that waits."""

    def _show(self, face: Face) -> None:
        self.tally.taken += 1
        self.came_s = monotonic()
        with self._lock:
            if self._take is not None and len(self._take) < MOST_FRAMES:
                self._take.append(face)
        self._newest = face

    def _refuse(self, why: str) -> None:
        self.tally.refused += 1
        self.tally.last_refusal = why
        now_s = monotonic()
        if now_s - self.tally.told_s >= 1:
            self.tally.told_s = now_s
            LOG.warning("Ignored what is no face (%d so far): %s", self.tally.refused, why[:120])


class Datagrams(Receiver):
    """Live Link Face or VMC by UDP. The first sender that speaks well is listened to until it has been silent for 5 s."""

    def __init__(self, kind: str, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__()
        self._dialect = _DIALECTS[kind]
        self._listener = self._dialect.Listener()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port or self._dialect.PORT))
        except OSError:
            self._socket.close()
            raise
        self._socket.settimeout(0.25)
        self.port = self._socket.getsockname()[1]
        self._sender: object = None
        self._heard_s = -1e9
        """Our clock when the sender last said something that we understood."""
        self._datagrams = _PerSecond(_FACES_HZ * self._dialect.PARTS)
        self._faces = _PerSecond(_FACES_HZ)

    def hear(self, packet: bytes, sender: object, now_s: float) -> None:
        """A datagram that came at this time of our clock."""
        try:
            face = self._face(packet, sender, now_s)
        except Refused as refused:
            self._refuse(str(refused))
            return
        if face is not None:
            self.status = f"receiving on port {self.port}"
            self._show(face)

    def _face(self, packet: bytes, sender: object, now_s: float) -> Face | None:
        """Another sender begins with nothing said, and while one is heard no other can use up what it may send."""
        another = sender != self._sender
        if another and now_s - self._heard_s < _RELEASED_S:
            raise Refused("somebody else sends faces to this port, too")
        if not self._datagrams.allows(now_s):
            raise Refused("a flood of datagrams")
        listener = self._dialect.Listener() if another else self._listener
        face = listener.take(packet, now_s)
        self._listener, self._sender, self._heard_s = listener, sender, now_s
        if face is not None and not self._faces.allows(now_s):
            raise Refused("a flood of faces")
        return face

    def _run(self) -> None:
        self.status = f"listening on port {self.port}"
        with self._socket:
            while not self._ending.is_set():
                try:
                    packet, sender = self._socket.recvfrom(65536)
                except TimeoutError:
                    continue
                except OSError:
                    if self._ending.is_set():
                        break
                    continue
                self.hear(packet, sender, monotonic())


class _PerSecond:
    """So many in each second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._second, self._count = 0, 0

    def allows(self, now_s: float) -> bool:
        second = int(now_s)
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return self._count <= self._most
