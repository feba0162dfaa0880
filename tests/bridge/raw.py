"""A WebSocket client made by hand, which can say what no library would."""

import asyncio
import base64
import functools
import json
import os
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, Self

import uvloop

P = ParamSpec("P")
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def live(scenario: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that runs on the bridge's event loop, for ten seconds at most."""

    @functools.wraps(scenario)
    def test(*args: P.args, **kwargs: P.kwargs) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(10):
                await scenario(*args, **kwargs)

        uvloop.run(bounded())

    return test


def framed(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bool = True, rsv: int = 0) -> bytes:
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit, length = 0x80 if mask else 0, len(payload)
    if length < 126:
        head += bytes([bit | length])
    elif length < 1 << 16:
        head += bytes([bit | 126]) + struct.pack(">H", length)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", length)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


async def ask_http(port: int, *lines: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a request of these lines."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    return int(first.split(" ")[1]) if first else 0, headers, body


async def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in ({"Host": f"127.0.0.1:{port}"} | headers).items()]
    return await ask_http(port, f"GET {path} HTTP/1.1", *lines)


def upgrade_lines(port: int, **headers: str) -> list[str]:
    wanted = {
        "Host": f"127.0.0.1:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(),
    } | headers  # fmt: skip
    return ["GET / HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in wanted.items())]


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.headers = ""

    @classmethod
    async def open(cls, port: int, **headers: str) -> Self:
        """Up to the WebSocket; raises ConnectionError with the status line of a refusal."""
        raw = cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 26))
        raw.writer.write(("\r\n".join(upgrade_lines(port, **headers)) + "\r\n\r\n").encode())
        try:
            raw.headers = (await raw.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError as cause:
            raise ConnectionError("cut") from cause
        if " 101 " not in raw.headers.splitlines()[0]:
            raise ConnectionError(raw.headers.splitlines()[0])
        return raw

    @classmethod
    async def identified(cls, port: int, token: str, *, json_dialect: bool = False, **entries: Any) -> Self:
        """Up to `identified`."""
        raw = await cls.open(port, **({"Sec_WebSocket_Protocol": "avatar3d.v1.json"} if json_dialect else {}))
        await raw.told("hello")
        raw.say("identify", version=1, token=token, **entries)
        await raw.told("identified")
        return raw

    def send(self, opcode: int, payload: bytes = b"", **how: Any) -> None:
        self.writer.write(framed(opcode, payload, **how))

    def say(self, kind: str, **entries: Any) -> None:
        self.send(TEXT, json.dumps({"type": kind} | entries).encode())

    async def frame(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame."""
        head = await self.reader.readexactly(2)
        assert not head[1] & 0x80, "a server does not mask"
        assert not head[0] & 0x70, "no extension was agreed upon"
        length = head[1]
        if length == 126:
            length = struct.unpack(">H", await self.reader.readexactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", await self.reader.readexactly(8))[0]
        return head[0] & 0x0F, await self.reader.readexactly(length)

    async def told(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types; others are passed over."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {code_of(payload)}: {payload[2:].decode()}")
            if opcode == TEXT and (message := json.loads(payload))["type"] in types:
                return message

    async def close_code(self) -> int:
        """The code with which the server closes; 1006 when it just cuts."""
        try:
            while True:
                opcode, payload = await self.frame()
                if opcode == CLOSE:
                    return code_of(payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 1006
        finally:
            self.writer.close()


def code_of(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "big") if payload else 1005


async def within(seconds: float, awaited: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await awaited
