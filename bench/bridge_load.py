"""Cheap clients for bench.bridge: one epoll loop over bare sockets, and the attackers."""

import base64
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

from avatar3d.live import wire

_TIME: Final = struct.Struct("<d")
_FRAME: Final = 4 + wire.FRAME_BYTES
"""Of a frame as it comes: a header of four bytes before it."""


def masked(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A client's frame, its mask zero."""
    length = len(payload)
    head = bytes([(0x80 if fin else 0) | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += bytes([0xFE]) + struct.pack(">H", length)
    else:
        head += bytes([0xFF]) + struct.pack(">Q", length)
    return head + bytes(4) + payload


def opened(port: int, token: str | None = None, **identify: Any) -> socket.socket:
    """A connection that has been let in, or, without a token, one that has only become a WebSocket."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    _until(connection, b'"hello"')
    if token is not None:
        said = {"type": "identify", "version": 1, "token": token} | identify
        connection.sendall(masked(1, json.dumps(said).encode()))
        _until(connection, b'"identified"')
    return connection


def _until(connection: socket.socket, word: bytes) -> None:
    seen = b""
    while word not in seen or not seen.rstrip().endswith(b"}"):
        seen += (came := connection.recv(4096))
        if not came:
            raise ConnectionError(seen)
        if word in seen and word == b'"identified"':
            break


class Readers:
    """So many clients, read by one loop. The time between sending and reading of each frame is kept."""

    def __init__(self, port: int, token: str, count: int) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._owed: dict[int, int] = {}
        self._poll = select.epoll()
        self._ack_every = 4
        self._stalled = -1
        for index in range(count):
            connection = opened(port, token, sound=index == count - 1)  # the one that may stall
            connection.setblocking(False)
            handle = connection.fileno()
            self._sockets[handle], self._rest[handle], self._owed[handle] = connection, b"", index % 4
            self._poll.register(handle, select.EPOLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._sockets.values():
            connection.close()

    def read(self, seconds: float) -> list[float]:
        """How late each frame came, ms."""
        late_ms: list[float] = []
        until_s = time.monotonic() + seconds
        while True:
            for handle, _ in self._poll.poll(max(0.0, min(0.05, until_s - time.monotonic()))):
                late_ms.extend(1000 * age_s for age_s in self._take(handle))
            if time.monotonic() >= until_s:
                return late_ms

    def stall(self) -> None:
        """The last client stops reading."""
        self._stalled = next(reversed(self._sockets))
        self._poll.unregister(self._stalled)

    def resume(self) -> tuple[float, int]:
        """It reads again: the age of the first frame that it would show (under a quarter of a second), ms, and how many were older."""
        old = 0
        self._poll.register(self._stalled, select.EPOLLIN)
        while True:
            for handle, _ in self._poll.poll():
                ages_s = self._take(handle)
                for age_s in ages_s if handle == self._stalled else []:
                    if age_s < 0.25:
                        return 1000 * age_s, old
                    old += 1

    def _take(self, handle: int) -> list[float]:
        data = self._rest[handle] + self._sockets[handle].recv(65536)
        now_s = time.monotonic()
        ages: list[float] = []
        at = 0
        while len(data) - at >= 2:
            length, head = data[at + 1], 2
            if length == 126:
                if len(data) - at < 4:
                    break
                length, head = data[at + 2] << 8 | data[at + 3], 4
            if len(data) - at < head + length:
                break
            if head + length == _FRAME and data[at] == 0x82:
                ages.append(now_s - _TIME.unpack_from(data, at + 12)[0])
                self._owed[handle] += 1
                if self._owed[handle] >= self._ack_every:
                    self._owed[handle] = 0
                    seq = int.from_bytes(data[at + 8 : at + 12], "little")
                    self._sockets[handle].send(masked(2, wire.encode_ack(seq)))
            elif data[at] == 0x81 and b'"identified"' in data[at : at + head + length]:
                self._ack_every = json.loads(data[at + head : at + head + length])["ack_every"]
            at += head + length
        self._rest[handle] = data[at:]
        return ages


@contextmanager
def attacked(kind: str, port: int, token: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """An attacker of that kind, in a process of its own, for as long as this lasts; afterwards what it says it did."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from bench.bridge_load import main; main()", kind, str(port), token],
        stdout=subprocess.PIPE,
        text=True,
    )
    told: dict[str, Any] = {}
    try:
        yield lambda: told
    finally:
        process.terminate()
        out = process.communicate()[0].strip().splitlines()
        told.update(json.loads(out[-1]) if out else {})


def attack(kind: str, port: int, token: str) -> None:
    """Until somebody ends it; prints how often it began and how soon it was thrown out."""
    took_s: list[float] = []
    while True:
        if kind == "half-open":
            held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2000)]
            began_s = time.monotonic()
            opened(port, token).close()  # somebody good comes
            took_s.append(time.monotonic() - began_s)
            time.sleep(1)
            for each in held:
                each.close()
        else:
            connection = opened(port, token, frames=False, sound=False)
            connection.settimeout(5)
            began_s = time.monotonic()
            with suppress(OSError):
                _send(kind, connection)
            took_s.append(time.monotonic() - began_s)
        told = {"attacks": len(took_s), "ended_after_ms": 1000 * sorted(took_s)[len(took_s) // 2]}
        print(json.dumps(told), flush=True)
        time.sleep(0.2)


def _send(kind: str, connection: socket.socket) -> None:
    """Send until it is cut."""
    if kind == "gigabyte":
        connection.sendall(b"\x82\xff" + struct.pack(">Q", 1 << 30) + bytes(4))
        while True:
            connection.sendall(bytes(65536))
    pieces = {"tiny": masked(2, b"\x6b"), "fragments": masked(0, b"x", fin=False), "pings": masked(9, bytes(100))}
    if kind == "fragments":
        connection.sendall(masked(2, b"x", fin=False))
    while True:
        connection.sendall(pieces[kind] * 10)
        time.sleep(0.001)


def main() -> None:
    """An attacker's process. (No script of its own: `python -m bench` runs those.)"""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.nice(19)  # the readers share this core, and it is the server that is measured
    attack(sys.argv[1], int(sys.argv[2]), sys.argv[3])
