"""A server that lies, another way at each visit: for clients that must bear it."""

import base64
import hashlib
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

_ACCEPT = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n"
)
HELLO = b'{"type":"hello","versions":[1],"server":"x"}'
IDENTIFIED = b'{"type":"identified","ack_every":-3,"media_time_s":1e400,"faces":[{}, 5, {"name":"\\ud800"}]}'


def text(message: bytes) -> bytes:
    return (
        bytes((0x81, len(message))) + message
        if len(message) < 126
        else b"\x81\x7e" + len(message).to_bytes(2, "big") + message
    )


LIES = (
    b"",  # nothing, and goodbye
    b"\x82\xff" + b"\xff" * 8 + b"x" * 100,  # nine million terabytes, masked
    text(b"no json"),
    text(HELLO.replace(b"[1]", b"[[[[")),
    text(HELLO) + b"\x82\x7e\xff\xff" + bytes(1000),  # a frame that never ends
    text(HELLO) + b"\x01\x01x" + b"\x00\x01x" * 400,  # fragments that never end
    text(HELLO) + text(IDENTIFIED) + b"\x82\x05abcde" * 50 + text(b'{"type":"clock","sent_s":{}}') + b"\x88\x01\x03",
)
"""After the handshake; the last of them lets the client in, and then talks nonsense."""


@contextmanager
def hostile_server() -> Generator[tuple[str, list[int]]]:
    """Its address, and the numbers of the lies that were told so far. After the last it is no WebSocket at all."""
    met: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener, met), daemon=True).start()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/", met


def _serve(listener: socket.socket, met: list[int]) -> None:
    with suppress(OSError):
        while True:
            visitor, _ = listener.accept()
            with visitor, suppress(OSError):
                visitor.settimeout(3)
                head = visitor.recv(4096).decode()
                if len(met) >= len(LIES):
                    visitor.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    continue
                key = next(
                    line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key")
                )
                answer = base64.b64encode(
                    hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
                ).decode()
                visitor.sendall(_ACCEPT.format(answer).encode() + LIES[len(met)])
                met.append(len(met))
                visitor.shutdown(socket.SHUT_WR)
                visitor.recv(4096)
