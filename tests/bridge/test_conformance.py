"""RFC 6455, as the Autobahn test suite asks it (cases 1 to 7, 9 and 10), against an echo made of our Socket.

The suite itself runs on Python 2.7 only (`pip install autobahntestsuite` there; see docs/bridge.md).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from avatar3d.live.site import Answer, Request
from avatar3d.live.websocket import Limits, Socket, binary_bytes, text_bytes
from tests.bridge.raw import BINARY, CLOSE, PING, PONG, TEXT, Raw, code_of, framed, live

SNOWMAN = "Hällo ☃ 𐍈".encode()


class Echo:
    """A Door that says what it is told."""

    def came(self, socket: Socket) -> None: ...

    def asked(self, socket: Socket, request: Request) -> Answer | None:
        return None

    def opened(self, socket: Socket) -> None: ...

    def said(self, socket: Socket, message: str | bytes) -> None:
        socket.write(text_bytes(message) if isinstance(message, str) else binary_bytes(message))

    def read(self, socket: Socket) -> None: ...

    def gone(self, socket: Socket) -> None: ...


@asynccontextmanager
async def echo() -> AsyncIterator[Raw]:
    limits = Limits(message_bytes=1 << 22, messages_per_s=1e9, fragments=1 << 20, send_buffer_bytes=None)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Socket(Echo(), limits), "127.0.0.1", 0)
    raw = await Raw.open(server.sockets[0].getsockname()[1])
    try:
        yield raw
    finally:
        raw.writer.close()
        server.close()


async def closes(raw: Raw, sent: bytes, *, code: int, before: list[tuple[int, bytes]] | None = None) -> None:
    """After these bytes come those frames, then a close of that code, then the end."""
    raw.writer.write(sent)
    for expected in before or []:
        assert await raw.frame() == expected
    opcode, payload = await raw.frame()
    assert (opcode, code_of(payload)) == (CLOSE, code)
    raw.writer.close()


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20])
@live
async def test_1_and_9_a_message_of_any_size_comes_back(opcode: int, size: int) -> None:
    async with echo() as raw:
        raw.send(opcode, b"*" * size)
        assert await raw.frame() == (opcode, b"*" * size)


@live
async def test_1_and_9_bytes_that_come_one_by_one_or_in_chops_are_a_message() -> None:
    async with echo() as raw:
        message = framed(TEXT, SNOWMAN)
        for at in range(len(message)):
            raw.writer.write(message[at : at + 1])
            await raw.writer.drain()
            await asyncio.sleep(0)
        assert await raw.frame() == (TEXT, SNOWMAN)
        message = framed(BINARY, bytes(range(256)) * 256)
        for at in range(0, len(message), 997):
            raw.writer.write(message[at : at + 997])
            await asyncio.sleep(0)
        assert await raw.frame() == (BINARY, bytes(range(256)) * 256)


@pytest.mark.parametrize("payload", [b"", b"Hello", bytes([0, 255, 254, 0, 1]), b"\xfe" * 125])
@live
async def test_2_a_ping_is_answered_with_what_it_bore(payload: bytes) -> None:
    async with echo() as raw:
        raw.send(PING, payload)
        assert await raw.frame() == (PONG, payload)


@live
async def test_2_ten_pings_are_answered_in_order_and_pongs_that_nobody_asked_for_are_passed_over() -> None:
    async with echo() as raw:
        raw.send(PONG, b"unasked")
        for number in range(10):
            raw.send(PING, str(number).encode())
        assert [await raw.frame() for _ in range(10)] == [(PONG, str(number).encode()) for number in range(10)]


@live
async def test_2_a_ping_of_126_bytes_is_a_fault() -> None:
    async with echo() as raw:
        await closes(raw, framed(PING, b"*" * 126), code=1002)


@pytest.mark.parametrize("rsv", range(1, 8))
@live
async def test_3_reserved_bits_are_a_fault(rsv: int) -> None:
    async with echo() as raw:
        await closes(raw, framed(TEXT, b"fine") + framed(TEXT, b"bad", rsv=rsv), code=1002, before=[(TEXT, b"fine")])


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@live
async def test_4_reserved_opcodes_are_a_fault(opcode: int) -> None:
    async with echo() as raw:
        await closes(raw, framed(TEXT, b"fine") + framed(opcode, b"bad"), code=1002, before=[(TEXT, b"fine")])


@live
async def test_5_fragments_are_put_together_and_a_ping_between_them_is_answered_first() -> None:
    async with echo() as raw:
        raw.send(TEXT, SNOWMAN[:3], fin=False)  # in the midst of a letter
        raw.send(PING, b"between")
        raw.send(0, b"", fin=False)
        raw.send(0, SNOWMAN[3:])
        assert [await raw.frame(), await raw.frame()] == [(PONG, b"between"), (TEXT, SNOWMAN)]


@pytest.mark.parametrize(
    "sent",
    [
        framed(PING, b"x", fin=False),
        framed(PONG, b"x", fin=False),
        framed(0, b"nothing to go on from"),
        framed(0, b"nothing to go on from", fin=False),
        framed(TEXT, b"begun", fin=False) + framed(TEXT, b"begun again"),
        framed(TEXT, b"begun", fin=False) + framed(BINARY, b"begun again", fin=False),
        framed(TEXT, b"without a mask", mask=False),
    ],
    ids=["ping cut", "pong cut", "continued", "continued on", "text in text", "binary in text", "unmasked"],
)  # fmt: skip
@live
async def test_5_what_cannot_follow_is_a_fault(sent: bytes) -> None:
    async with echo() as raw:
        await closes(raw, sent, code=1002)


@pytest.mark.parametrize(
    "text",
    [
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
        b"\xf4\x8f\xbf\xbf",
        b"\xef\xbf\xbf",
        b"\xed\x9f\xbf",
        b"\x00",
        b"\x7f",
    ],
)
@live
async def test_6_text_that_is_utf_8_comes_back(text: bytes) -> None:
    async with echo() as raw:
        for at in range(len(text)):
            raw.send(TEXT if at == 0 else 0, text[at : at + 1], fin=at == len(text) - 1)
        assert await raw.frame() == (TEXT, text)


@pytest.mark.parametrize(
    "text",
    [
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x80",
        b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xfe", b"\xff", b"\xce", b"\xc1\xbf",
    ],
)  # fmt: skip
@live
async def test_6_text_that_is_not_utf_8_is_a_fault(text: bytes) -> None:
    async with echo() as raw:
        await closes(raw, framed(TEXT, text), code=1007)
    async with echo() as raw:
        await closes(raw, framed(TEXT, text[:1], fin=False) + framed(0, text[1:]), code=1007)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
@live
async def test_7_a_close_is_answered_with_its_code_and_then_nothing_is_said(code: int) -> None:
    async with echo() as raw:
        sent = (
            framed(CLOSE, code.to_bytes(2, "big") + "tschüß".encode()) + framed(PING, b"late") + framed(TEXT, b"late")
        )
        await closes(raw, sent, code=code)
        assert await raw.reader.read() == b""


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999])
@live
async def test_7_a_close_with_a_code_that_may_not_be_sent_is_a_fault(code: int) -> None:
    async with echo() as raw:
        await closes(raw, framed(CLOSE, code.to_bytes(2, "big")), code=1002)


@live
async def test_7_a_close_without_a_code_after_a_message_in_its_midst_and_malformed() -> None:
    async with echo() as raw:
        await closes(raw, framed(TEXT, b"bye") + framed(CLOSE), code=1005, before=[(TEXT, b"bye")])
    async with echo() as raw:
        await closes(raw, framed(TEXT, b"cut", fin=False) + framed(CLOSE, b"\x03\xe8") + framed(0, b"late"), code=1000)
    async with echo() as raw:
        await closes(raw, framed(CLOSE, b"\x03"), code=1002)
    async with echo() as raw:
        await closes(raw, framed(CLOSE, b"\x03\xe8" + b"*" * 124), code=1002)
    async with echo() as raw:
        await closes(raw, framed(CLOSE, b"\x03\xe8\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), code=1007)


@live
async def test_10_a_message_in_fragments_of_1300_bytes_comes_back() -> None:
    async with echo() as raw:
        payload = b"*" * 65_536
        for at in range(0, len(payload), 1300):
            raw.send(TEXT if at == 0 else 0, payload[at : at + 1300], fin=at + 1300 >= len(payload))
        assert await raw.frame() == (TEXT, payload)
