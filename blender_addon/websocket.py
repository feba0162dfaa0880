# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RFC 6455 as a client of our bridge needs it: text, binary, ping, close, TLS with a pinned certificate. No bpy, no wheel.

A library would be a wheel to bundle and to keep safe in every release; this is the part of the standard that one client which
never compresses and never sends fragments needs. What the server says is bounded: 256 KiB a message, 256 fragments.
"""

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_BYTES = 1 << 18
_MOST_FRAGMENTS = 256
_HEAD_BYTES = 8192
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class LinkClosed(ConnectionError):
    """The connection is over, or never was."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason or f"closed with code {code}")
        self.code, self.reason = code, reason


class Link:
    """An open connection; one thread reads, any may send."""

    def __init__(self, stream: socket.socket, already: bytes) -> None:
        self._stream, self._held = stream, bytearray(already)

    def receive(self) -> str | bytes:
        """The next message. Raises LinkClosed; TimeoutError when nothing came within the socket's timeout."""
        kind, whole, pieces = 0, bytearray(), 0
        while True:
            final, code, data = self._frame()
            if code >= _CLOSE:
                self._control(code, data)
                continue
            pieces += 1
            if (code != 0) == (kind != 0) or pieces > _MOST_FRAGMENTS or len(whole) + len(data) > _MOST_BYTES:
                self._refuse(1002, "fragments that are none, or too many")
            kind = kind or code
            whole += data
            if final:
                if kind == _BINARY:
                    return bytes(whole)
                try:
                    return whole.decode()
                except UnicodeDecodeError:
                    self._refuse(1007, "text that is no UTF-8")

    def send(self, message: str | bytes) -> None:
        self._write(_TEXT, message.encode()) if isinstance(message, str) else self._write(_BINARY, message)

    def close(self) -> None:
        """Say goodbye where that still works, and let go."""
        with contextlib.suppress(OSError, LinkClosed):
            self._stream.settimeout(0.2)
            self._write(_CLOSE, struct.pack(">H", 1000))
        self.abort()

    def abort(self) -> None:
        """Wakes the reader."""
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        self._stream.close()

    def _control(self, code: int, data: bytes) -> None:
        if code == _PING:
            self._write(_PONG, data)
        elif code == _CLOSE:
            told = struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
            raise LinkClosed(told, data[2:].decode("utf-8", "replace"))
        elif code != _PONG:
            self._refuse(1002, "an unknown kind of frame")

    def _frame(self) -> tuple[bool, int, bytes]:
        """Nothing is taken from what came until the frame is whole: a timeout in its midst loses nothing."""
        self._need(2)
        first, second = self._held[0], self._held[1]
        size, at = second & 0x7F, 2
        if size == 126:
            self._need(4)
            size, at = struct.unpack_from(">H", self._held, 2)[0], 4
        elif size == 127:
            self._need(10)
            size, at = struct.unpack_from(">Q", self._held, 2)[0], 10
        code = first & 0x0F
        if first & 0x70 or second & 0x80 or size > _MOST_BYTES or (code >= _CLOSE and (size > 125 or not first & 0x80)):
            self._refuse(1002, "a frame that RFC 6455 does not allow, or too large")
        self._need(at + size)
        data = bytes(self._held[at : at + size])
        del self._held[: at + size]
        return bool(first & 0x80), code, data

    def _need(self, count: int) -> None:
        while len(self._held) < count:
            try:
                came = self._stream.recv(65536)
            except TimeoutError:
                raise
            except OSError as cause:
                raise LinkClosed(1006, str(cause)) from cause
            if not came:
                raise LinkClosed(1006, "the bridge is gone")
            self._held += came

    def _write(self, code: int, data: bytes) -> None:
        size = len(data)
        head = bytes([0x80 | code])
        head += bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        try:
            self._stream.sendall(head + mask + masked)
        except OSError as cause:
            raise LinkClosed(1006, str(cause)) from cause

    def _refuse(self, code: int, why: str) -> None:
        with contextlib.suppress(LinkClosed):
            self._write(_CLOSE, struct.pack(">H", code))
        raise LinkClosed(code, f"the other side sent {why}")


def dial(url: str, subprotocol: str, *, fingerprint: str = "", timeout_s: float = 3.0) -> Link:
    """A connection to ws:// or wss://. `fingerprint` is the certificate's SHA-256, which wss needs.

    Raises LinkClosed: 1006 when nobody answers, 1008 when the certificate is another, 1002 when it is no WebSocket.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise LinkClosed(1002, "expected an address like ws://127.0.0.1:8765")
    secure = parts.scheme == "wss"
    try:
        port = parts.port or (443 if secure else 80)
        stream = socket.create_connection((parts.hostname, port), timeout_s)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            stream = _encrypt(stream, parts.hostname, fingerprint)
    except (OSError, ValueError) as cause:
        if isinstance(cause, LinkClosed):
            raise
        raise LinkClosed(1006, f"nobody answers at {parts.hostname}: {cause}") from cause
    try:
        return Link(stream, _shake(stream, f"{parts.hostname}:{port}", parts.path or "/", subprotocol))
    except LinkClosed:
        stream.close()
        raise
    except OSError as cause:
        stream.close()
        raise LinkClosed(1006, str(cause)) from cause


def _encrypt(stream: socket.socket, host: str, fingerprint: str) -> ssl.SSLSocket:
    """The bridge signed its certificate itself: it is known by its fingerprint, compared before a word is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    secure = context.wrap_socket(stream, server_hostname=host)
    found = hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    if found != fingerprint.replace(":", "").strip().lower():
        secure.close()
        raise LinkClosed(1008, "the bridge shows a certificate with another fingerprint")
    return secure


def _shake(stream: socket.socket, host: str, path: str, subprotocol: str) -> bytes:
    """Ask for the WebSocket; what came behind the answer is returned."""
    key = base64.b64encode(os.urandom(16))
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    )
    stream.sendall(asked.encode())
    held = b""
    while b"\r\n\r\n" not in held:
        came = stream.recv(4096)
        if not came or len(held) > _HEAD_BYTES:
            raise LinkClosed(1002, "that is no bridge")
        held += came
    head, _, rest = held.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    # SHA-1 is what the standard asks for here; nothing secret rests on it.
    expected = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    if b" 101 " not in first + b" " or fields.get(b"sec-websocket-accept") != expected:
        raise LinkClosed(1002, f"that is no bridge: {first.decode('latin-1', 'replace')[:60]}")
    if fields.get(b"sec-websocket-protocol", b"").decode("latin-1") != subprotocol:
        raise LinkClosed(1002, "that bridge speaks another protocol")
    return rest
