"""Frames out by UDP: to one address, in one dialect. A receiver that is not there is no reason to stop.

send() makes the datagrams and hands them to a socket that never waits. What cannot be sent is gone, as on the way it may be
anyway: every frame is whole, so the next one heals it.
"""

import contextlib
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from avatar3d.core.blendshapes import Frame, neutral_frame
from avatar3d.core.errors import BridgeError, InputError
from avatar3d.live.dialects.dialect import Encode

Tell = Callable[[str], object]
_TOLD_S: Final = 1.0
_TOLD_MOST_S: Final = 60.0
"""What goes on is told of ever more rarely."""
_LAST: Final = 3
"""The last frame is sent so often: nothing after it would heal a loss."""
_STEP_S: Final = 1 / 60

_REFUSED, _FULL, _UNREACHABLE, _UNFIT = "refused", "full", "unreachable", "unfit"
_MEANT: Final = {
    _REFUSED: "nobody listens there; {count} datagrams refused",
    _FULL: "this computer's network is too slow; {count} frames left out",
    _UNREACHABLE: "there is no way there ({last}); {count} frames left out",
    _UNFIT: "{count} frames not sent: {last}",
}


class UdpSink:
    """A FrameSink that sends each frame's datagrams to one address. Only the constructor raises.

    `encode` makes the datagrams (a dialect's encoder). `tell` is called with a line while frames do not get there: after a
    second, then two, four, ... once a minute. `close()` sends a neutral face (unless `neutral_at_close` is false), then `farewell`.
    """

    def __init__(
        self,
        encode: Encode,
        host: str,
        port: int,
        *,
        tell: Tell,
        neutral_at_close: bool = True,
        farewell: Iterable[bytes] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look the address up. Raises BridgeError (50) when there is none of that name."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError, OverflowError) as cause:
            raise BridgeError(
                f"cannot send to {host}:{port}: there is no such address.", hint="Give an address such as 127.0.0.1."
            ) from cause
        # Programs for faces listen by IPv4; "localhost" is both.
        family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        self._encode, self._tell, self._clock = encode, tell, clock
        self._farewell = (tuple(farewell), neutral_at_close)
        self._where, self._address = f"{host}:{port}", address
        self._socket: socket.socket | None = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._connected = False
        self._missed: Counter[str] = Counter()
        self._last_fault = ""
        self._told_s, self._pause_s = -_TOLD_S, _TOLD_S
        self._time_s = 0.0
        self.sent = 0
        """Datagrams handed to the network."""

    async def send(self, frame: Frame) -> None:
        """Hand the frame to the network and return. Never raises, never waits."""
        if self._socket is None:
            return
        try:
            packets = self._encode(frame)
        except InputError as error:
            self._miss(_UNFIT, error.message)
        else:
            self._time_s = frame.time_s
            self._send(self._socket, packets)
        self._report()

    async def close(self) -> None:
        """Bring the face to rest where it is shown, and let go of the socket. A second call does nothing."""
        if self._socket is None:
            return
        farewell, at_rest = self._farewell
        for again in range(1, _LAST + 1):
            if at_rest:
                self._send(self._socket, self._encode(neutral_frame(self._time_s + again * _STEP_S)))
            self._send(self._socket, farewell)
        self._told_s = -_TOLD_MOST_S
        self._report()
        self._socket.close()
        self._socket = None

    def _send(self, to: socket.socket, packets: Iterable[bytes]) -> None:
        try:
            if not self._connected:
                to.connect(self._address)
                self._connected = True
            for packet in packets:
                self._hand(to, packet)
        except BlockingIOError:
            self._miss(_FULL)
        except OSError as error:
            self._miss(_UNREACHABLE, error.strerror or type(error).__name__)

    def _hand(self, to: socket.socket, packet: bytes) -> None:
        try:
            to.send(packet)
        except ConnectionError:
            self._miss(_REFUSED)
            with contextlib.suppress(ConnectionError):  # refused was the one before; this one has not left yet
                to.send(packet)
        self.sent += 1

    def _miss(self, what: str, why: str = "") -> None:
        self._missed[what] += 1
        self._last_fault = why or self._last_fault

    def _report(self) -> None:
        now_s = self._clock()
        if not self._missed and now_s - self._told_s > 2 * self._pause_s:
            self._pause_s = _TOLD_S
        if self._missed and now_s - self._told_s >= self._pause_s:
            self._told_s, self._pause_s = now_s, min(2 * self._pause_s, _TOLD_MOST_S)
            told = "; ".join(_MEANT[what].format(count=n, last=self._last_fault) for what, n in self._missed.items())
            self._missed.clear()
            self._tell(f"{self._where}: {told}.")
