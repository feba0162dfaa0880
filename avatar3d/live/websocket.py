"""The door to `websockets`: one connection of the server, on its parser, and the connection of a client.

TCP ──► Socket ──► Door (server.py)
         │   an HTTP request   asked(): an answer, or None, and it becomes a WebSocket: opened()
         │   a whole message   said()
         │   the end           gone()
bytes ◄── write(), which waits for nobody: who writes looks at `backlog`, and at `open`
"""

import asyncio
import logging
import socket as sockets
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, cast, runtime_checkable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as HttpRequest
from websockets.protocol import State
from websockets.server import ServerProtocol

from avatar3d.core.errors import BridgeError
from avatar3d.live.site import Answer, Request

_SLICE: Final = 1024
"""The parser gets so many bytes at once: thousands of tiny frames in one read would hold up everybody else."""
_HEAD: Final = 16 << 10
"""An HTTP request is no longer."""
_DISCARDED: Final = 1 << 20
"""So much of what is no longer read may come while a connection ends."""
_PIECE: Final = 64 << 10
"""A file is written in pieces, each when the one before has gone."""
_LOGGER: Final = logging.getLogger("avatar3d.live.websocket")
_LOGGER.setLevel(logging.WARNING)  # its debug lines would hold messages, and with them tokens


@dataclass(frozen=True)
class Limits:
    """What one connection may do."""

    message_bytes: int = 64 << 10
    messages_per_s: float = 300.0
    """Frames of any kind, so that fragments and pings count."""
    send_buffer_bytes: int | None = 8 << 10
    """Of the kernel: what it hoards is old when it is read. None: as the system likes."""
    rate_code: int = 1008
    backlog_bytes: int = 256 << 10
    slow_code: int = 1008
    linger_s: float = 1.0
    """So long the other side may take to close after us."""
    fragments: int = 256
    """Of one message."""


@runtime_checkable
class Door(Protocol):
    """Where a Socket reports."""

    def came(self, socket: "Socket") -> None: ...

    def asked(self, socket: "Socket", request: Request) -> Answer | None: ...

    def opened(self, socket: "Socket") -> None: ...

    def said(self, socket: "Socket", message: str | bytes) -> None: ...

    def read(self, socket: "Socket") -> None:
        """It answered a ping: it reads what it is sent."""
        ...

    def gone(self, socket: "Socket") -> None: ...


def text_bytes(message: str) -> bytes:
    """A server's text message as it goes onto the wire, the same for every client."""
    return _header(Opcode.TEXT, len(content := message.encode())) + content


def binary_bytes(message: bytes) -> bytes:
    """A server's binary message as it goes onto the wire."""
    return _header(Opcode.BINARY, len(message)) + message


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((0x80 | opcode, length))
    if length < 1 << 16:
        return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big")
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big")


def _chooser(known: Sequence[str]) -> Callable[[ServerProtocol, Sequence[Any]], Any]:
    """Chooses a subprotocol; a client that names none is welcome. (websockets binds it: a function, no method.)"""

    def choose(_: ServerProtocol, offered: Sequence[Any]) -> Any:
        return next((name for name in known if name in offered), None)

    return choose


class _Parser(ServerProtocol):
    """The parser of `websockets`, which takes a close in the midst of a fragmented message for a fault; RFC 6455 5.4 does not."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


def _queue_reader() -> Callable[[int], int] | None:
    """Tells the bytes that a socket of Linux holds unsent and unacknowledged (man 7 tcp, SIOCOUTQ)."""
    if not sys.platform.startswith("linux"):
        return None
    import fcntl  # noqa: PLC0415  not on Windows
    import termios  # noqa: PLC0415

    def queued(handle: int) -> int:
        return int.from_bytes(fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    return queued


_queued: Final = _queue_reader()


class Socket(asyncio.Protocol):
    """One connection to the server."""

    def __init__(self, door: Door, limits: Limits, subprotocols: Sequence[str] = ()) -> None:
        self.address = ""
        self.subprotocol: str | None = None
        self.open = False
        """A WebSocket whose closing has not begun: `write` may be called."""
        self._door, self._limits, self._subprotocols = door, limits, subprotocols
        self._transport: Any  # an asyncio.Transport; uvloop's own is none by its class
        self._protocol: ServerProtocol | None = None
        self._head_bytes = 0
        self._parts: list[bytes] = []
        self._is_text = False
        self._tokens, self._counted_s = limits.messages_per_s, 0.0
        self._answering = memoryview(b"")
        self._answered = False
        self._ending: asyncio.TimerHandle | None = None
        self._discarded = 0
        self._loop = asyncio.get_running_loop()

    # What the server does with it.

    def write(self, message: bytes) -> None:
        """A message that text_bytes or binary_bytes made, or several."""
        self._transport.write(message)

    def tell(self, message: bytes) -> None:
        """The same for what must not be left out: who lets too much of it wait is let go."""
        if self.open:
            self._transport.write(message)
            if self.backlog > self._limits.backlog_bytes:
                self.close(self._limits.slow_code, "too slow", deaf=True)

    @property
    def backlog(self) -> int:
        """Bytes that wait here because the other side does not read."""
        return self._transport.get_write_buffer_size()

    @property
    def kept(self) -> int:
        """`backlog`, and what waits in the system's queue, where the system tells."""
        if _queued is None or (handle := self._transport.get_extra_info("socket")) is None:
            return self.backlog
        return self.backlog + _queued(handle.fileno())

    def ping(self) -> None:
        if self.open and self._protocol:
            self._protocol.send_ping(b"")
            self._flush()

    def close(self, code: int, reason: str = "", *, deaf: bool = False) -> None:
        """Say goodbye; after a second without an answer the connection is cut. `deaf`: what still comes is not even parsed."""
        reason = reason.encode()[:120].decode(errors="ignore")
        if self._protocol is None or self._protocol.state is State.CONNECTING:
            self.abort()
        elif self._protocol.state is State.OPEN:
            (self._protocol.fail if deaf else self._protocol.send_close)(code, reason)
            self._flush()

    def abort(self) -> None:
        self.open = False
        self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._door.came(self)

    def data_received(self, data: bytes) -> None:
        if self._ending:
            self._discarded += len(data)
            if self._discarded > _DISCARDED:
                return self.abort()
        if self._answered:
            return None
        if len(data) <= _SLICE:
            return self._take(data)
        for begin in range(0, len(data), _SLICE):
            self._take(data[begin : begin + _SLICE])
            if self._transport.is_closing():
                break
        return None

    def eof_received(self) -> bool:
        if self._protocol and not self._answered:
            self._protocol.receive_eof()
            self._flush()
        return bool(self._answering)

    def pause_writing(self) -> None:
        """Called by asyncio: too much waits. The server looks at `backlog` instead."""

    def resume_writing(self) -> None:
        if self._answered:
            self._write_answer()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._answering = memoryview(b"")
        if self._ending:
            self._ending.cancel()
        self._door.gone(self)

    # Bytes in.

    def _take(self, data: bytes) -> None:
        protocol = self._protocol
        if protocol is None:
            protocol = self._protocol = _Parser(
                max_size=self._limits.message_bytes, logger=_LOGGER, select_subprotocol=_chooser(self._subprotocols)
            )
        if protocol.state is State.CONNECTING:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD:
                return self.abort()
        protocol.receive_data(data)
        if protocol.state is State.OPEN:
            self._flush()  # a ping is answered before what came after it
        for event in protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
            elif isinstance(event, HttpRequest):
                self._request(protocol, event)
        return self._flush()  # a close, after what came before it

    def _request(self, protocol: ServerProtocol, http: HttpRequest) -> None:
        request = Request(http.method, http.path, tuple(http.headers.raw_items()), self.address)
        answer = self._door.asked(self, request)
        if answer is not None:
            return self._answer(answer, request.method == "HEAD")
        response = protocol.accept(http)
        protocol.send_response(response)
        self._flush()
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return None
        self.subprotocol = protocol.subprotocol
        self.open = True
        if self._limits.send_buffer_bytes and (handle := self._transport.get_extra_info("socket")):
            handle.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, self._limits.send_buffer_bytes)
        return self._door.opened(self)

    def _frame(self, frame: Frame) -> None:
        if not self.open:
            return None
        if not self._within_rate():
            return self.close(self._limits.rate_code, "too many messages", deaf=True)
        if frame.opcode is Opcode.PONG:
            return self._door.read(self)
        if frame.opcode in (Opcode.PING, Opcode.CLOSE):
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        if frame.fin and not self._parts:
            return self._whole(bytes(frame.data))
        self._parts.append(bytes(frame.data))
        if len(self._parts) > self._limits.fragments:
            return self.close(1009, "too many fragments", deaf=True)
        if frame.fin:
            message, self._parts = b"".join(self._parts), []
            return self._whole(message)
        return None

    def _whole(self, message: bytes) -> None:
        if not self._is_text:
            return self._door.said(self, message)
        try:
            text = message.decode()
        except UnicodeDecodeError:
            return self.close(1007, "text that is no UTF-8", deaf=True)
        return self._door.said(self, text)

    def _within_rate(self) -> bool:
        now_s, most = self._loop.time(), self._limits.messages_per_s
        self._tokens = min(self._tokens + (now_s - self._counted_s) * most, most) - 1
        self._counted_s = now_s
        return self._tokens >= 0

    # Bytes out.

    def _flush(self) -> None:
        protocol = self._protocol
        if protocol is None:
            return
        for data in protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
        if protocol.state is not State.OPEN:
            self.open = False
        if protocol.close_expected() and not self._ending:
            self._ending = self._loop.call_later(self._limits.linger_s, self.abort)

    def _answer(self, answer: Answer, head_only: bool) -> None:
        """An answer by HTTP, after which the connection ends."""
        self._answered = True
        headers = dict(answer.headers) | {"Content-Length": str(len(answer.body)), "Connection": "close"}
        if answer.status == HTTPStatus.NOT_MODIFIED:
            del headers["Content-Length"]
        lines = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
        self._answering = memoryview(b"" if head_only else answer.body)
        self._transport.set_write_buffer_limits(high=_PIECE)
        self._write_answer()

    def _write_answer(self) -> None:
        while self._answering and self.backlog <= _PIECE:  # beyond it resume_writing() is called
            piece, self._answering = self._answering[:_PIECE], self._answering[_PIECE:]
            self._transport.write(piece)
        if not self._answering:
            self._transport.close()


class LinkClosedError(Exception):
    """The connection of a client has ended, or never began."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


class Link:
    """The connection of a client."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def receive(self) -> str | bytes:
        """The next message. Raises LinkClosedError."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as cause:
            raise LinkClosedError(
                cause.rcvd.code if cause.rcvd else 1006, cause.rcvd.reason if cause.rcvd else ""
            ) from None

    async def send(self, message: str | bytes) -> None:
        """Raises LinkClosedError."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as cause:
            raise LinkClosedError(
                cause.rcvd.code if cause.rcvd else 1006, cause.rcvd.reason if cause.rcvd else ""
            ) from None

    async def close(self) -> None:
        await self._connection.close()

    def abort(self) -> None:
        self._connection.transport.abort()

    def certificate(self) -> bytes | None:
        """What the server showed, DER; None without TLS."""
        secure = self._connection.transport.get_extra_info("ssl_object")
        return secure.getpeercert(binary_form=True) if secure else None


async def dial(url: str, subprotocol: str, *, tls: ssl.SSLContext | None = None, within_s: float = 3.0) -> Link:
    """Connect to ws:// or wss://. Raises LinkClosedError when nobody answers, BridgeError when we are refused."""
    try:
        connection = await connect(
            url, subprotocols=[cast(Any, subprotocol)], compression=None, ssl=tls, proxy=None, open_timeout=within_s,
            ping_interval=5, ping_timeout=10, close_timeout=1, logger=_LOGGER,
        )  # fmt: skip
    except InvalidURI:
        raise BridgeError(f'expected ws:// or wss://, got "{url}".', hint="Use the address it shows.") from None
    except InvalidStatus as cause:
        raise BridgeError(
            f"The bridge at {url} refused the connection: HTTP {cause.response.status_code}.",
            hint="Use the address it shows.",
            id="REFUSED",
        ) from None
    except (OSError, TimeoutError, InvalidHandshake) as cause:
        raise LinkClosedError(1006, "" if isinstance(cause, ConnectionRefusedError) else str(cause)) from None
    return Link(connection)
