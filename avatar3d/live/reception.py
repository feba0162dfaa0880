"""Takes connections, a few at a time: whoever floods us with them waits himself, and not our guests.

listener ─► accept, 8 at once ─► Caller, who waits among the others of his address ─► (TLS) ─► Socket
"""

import asyncio
import errno
import socket as sockets
import ssl
from collections.abc import Callable
from typing import Final

from avatar3d.core.errors import BridgeError
from avatar3d.live.waiting import Waiting
from avatar3d.live.websocket import Socket

_AT_ONCE: Final = 8
"""Between two looks at everything else; they take about half a millisecond."""
_TLS_S: Final = 3.0
_NO_HANDLES: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE_S: Final = 0.2
"""Before we look again when the system has no handles left."""
_BACKLOG: Final = 1024
"""Connections the system holds until we take them."""


class Caller:
    """Somebody whose connection is not yet a Socket: TLS may have to be agreed upon."""

    def __init__(self, handle: sockets.socket, address: str) -> None:
        self.address = address
        self._handle = handle
        self._arriving: asyncio.Task[None] | None = None

    def arrive(self, make: Callable[[], Socket], tls: ssl.SSLContext | None, done: Callable[["Caller"], None]) -> None:
        """Become a Socket, in a task of its own."""
        self._arriving = asyncio.get_running_loop().create_task(self._arrive(make, tls, done))

    def close(self, code: int, reason: str = "") -> None:
        """There is nobody yet who would understand why."""
        del code, reason
        self.abort()

    def abort(self) -> None:
        if self._arriving:
            self._arriving.cancel()

    async def _arrive(
        self, make: Callable[[], Socket], tls: ssl.SSLContext | None, done: Callable[["Caller"], None]
    ) -> None:
        within_s = _TLS_S if tls else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                make, self._handle, ssl=tls, ssl_handshake_timeout=within_s
            )
        except OSError:  # gone again, no TLS, or none in time: there is nobody to tell
            self._handle.close()
        except asyncio.CancelledError:
            self._handle.close()
            raise
        finally:
            done(self)


class Reception:
    """Listens until it is closed."""

    def __init__(self, listener: sockets.socket, make: Callable[[], Socket], tls: ssl.SSLContext | None) -> None:
        listener.setblocking(False)
        self._listener, self._make, self._tls = listener, make, tls
        self._waiting: Waiting
        self._patience_s = 0.0
        self._accepting: asyncio.Task[None] | None = None

    def open(self, waiting: Waiting, patience_s: float) -> None:
        """Begin; a Caller has so long to become a Socket."""
        self._waiting, self._patience_s = waiting, patience_s
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        if self._accepting:
            self._accepting.cancel()
        self._listener.close()

    async def _accept(self) -> None:
        loop, taken = asyncio.get_running_loop(), 0
        while True:
            try:
                handle, peer = await loop.sock_accept(self._listener)
            except OSError as cause:  # it went again before we took it, or we have no handles left
                await asyncio.sleep(_PAUSE_S if cause.errno in _NO_HANDLES else 0)
                continue
            handle.setblocking(False)
            handle.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
            caller = Caller(handle, str(peer[0]))
            caller.arrive(self._make, self._tls, self._waiting.remove)
            self._waiting.add(caller, loop.time() + self._patience_s)
            taken += 1
            if taken % _AT_ONCE == 0:
                await asyncio.sleep(0)


def listen(host: str, port: int) -> sockets.socket:
    """A socket that listens there, and nobody else does. Raises BridgeError (50)."""
    try:
        family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
        return sockets.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise BridgeError(
            f"cannot listen at {host}:{port}: {reason}.",
            hint="Another bridge may run there: stop it, or choose another with --port.",
            id="BRIDGE_PORT",
        ) from None
