"""When a bridge's frames left it: the kernel's stamps on a copy of its Live Link Face datagrams.

On loopback the stamp (SO_TIMESTAMPNS) is made within the sender's own call, so that it is the moment of sending, however late anybody
reads. The bridge writes a tick's WebSocket messages just before, and those of later sinks just after.
"""

import socket
import struct
import threading
import time
from typing import Final

from avatar3d.live.dialects import livelink

_STAMPED: Final = 35  # Linux: SO_TIMESTAMPNS
_STAMP: Final = struct.Struct("@qq")


class Stamps:
    """Listens from construction to close(); `sent_s` is by the sender's time of each frame, on the monotonic clock."""

    def __init__(self) -> None:
        self.sent_s: dict[float, float] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = int(self._socket.getsockname()[1])
        self._offset_s = _monotonic_less_real()
        self._closing = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closing:
            try:
                packet, told, _, _ = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                continue
            seconds, nanoseconds = _STAMP.unpack(told[0][2])
            time_s = livelink.read(packet).time_s
            if time_s is not None:
                self.sent_s[time_s] = seconds + 1e-9 * nanoseconds + self._offset_s


def _monotonic_less_real() -> float:
    """Between two looks at one clock, one at the other: the closest of some."""
    looks: list[tuple[float, float]] = []
    for _ in range(20):
        before_s, real_s, after_s = time.monotonic(), time.time(), time.monotonic()
        looks.append((after_s - before_s, (before_s + after_s) / 2 - real_s))
    return min(looks)[1]
