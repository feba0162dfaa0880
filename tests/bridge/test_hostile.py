"""Who wishes us ill is shown out, and everybody else notices nothing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from avatar3d.live import schema
from avatar3d.live.client import connect
from avatar3d.live.wire import encode_sound
from tests.bridge.faces import Running, running, sound, ticking
from tests.bridge.raw import BINARY, PING, TEXT, Raw, ask_http, framed, get, live, upgrade_lines, within
from tests.unit.live.test_site import ORIGINS


@asynccontextmanager
async def watched(bridge: Running) -> AsyncIterator[None]:
    """A good client meanwhile gets every tick."""
    async with ticking(bridge), connect(bridge.url, bridge.tokens.issue("good", "view")) as good:
        seqs: list[int] = []

        async def look() -> None:
            async for packet in good.frames():
                seqs.append(packet.seq)

        looking = asyncio.create_task(look())
        await asyncio.sleep(0.05)
        yield
        await asyncio.sleep(0.1)
        looking.cancel()
        assert good.reconnections == 0
        assert seqs[-1] - seqs[0] + 1 - len(seqs) <= 3  # a tick may be overtaken by the next on a busy machine


@live
async def test_no_page_but_our_own_may_connect_not_even_with_a_token() -> None:
    async with running() as bridge:
        for origin in ORIGINS:
            with pytest.raises(ConnectionError, match="403"):
                await Raw.open(bridge.port, Origin=origin)
            assert (await get(bridge.port, "/", Origin=origin))[0] == 403
        own = await Raw.open(bridge.port, Origin=f"http://127.0.0.1:{bridge.port}")
        await own.told("hello")


@live
async def test_a_name_that_was_bent_to_us_is_misdirected() -> None:
    async with running() as bridge:
        for host in ("evil.example", f"evil.example:{bridge.port}", "127.0.0.1", f"localhost.evil:{bridge.port}", ""):
            with pytest.raises(ConnectionError, match="421"):
                await Raw.open(bridge.port, Host=host)
            assert (await get(bridge.port, "/", Host=host))[0] == 421
        for lines in (["GET / HTTP/1.1"], ["GET / HTTP/1.1", f"Host: 127.0.0.1:{bridge.port}", "Host: evil"]):
            assert (await ask_http(bridge.port, *lines))[0] == 400
        assert len(bridge.lines) == 1  # one line a second, however many came


@pytest.mark.parametrize(
    ("attack", "codes"),
    [
        (lambda raw: raw.writer.write(b"\x82\xff" + (1 << 30).to_bytes(8, "big") + bytes(4) + bytes(1 << 18)), {1009}),
        (lambda raw: raw.send(BINARY, bytes(65_537)), {1009}),
        (lambda raw: [raw.send(BINARY, b"x" * 3000, fin=False), *[raw.send(0, b"x" * 3000, fin=False) for _ in range(30)]], {1009}),
        (lambda raw: [raw.send(TEXT, b"{", fin=False), *[raw.send(0, b"", fin=False) for _ in range(290)]], {1009, 4006}),
        (lambda raw: raw.writer.write(framed(BINARY, b"\x6b") * 10_000), {4005}),
        (lambda raw: raw.writer.write(framed(BINARY, b"\x6b" + bytes(7)) * 10_000), {4006}),
        (lambda raw: raw.writer.write(framed(PING, b"x" * 125) * 1_000), {4006}),
        (lambda raw: raw.send(TEXT, b'{"type": "say", "text": "\xff"}'), {1007}),
        (lambda raw: raw.send(BINARY, b"\xce" * 1000, rsv=4), {1002}),
        (lambda raw: raw.send(TEXT, b"[" * 60_000), {4005}),
        (lambda raw: raw.send(TEXT, b'{"type": "clock", "sent_s": NaN}'), {4005}),
        (lambda raw: raw.send(BINARY, b""), {4005}),
    ],
    ids=[
        "a gigabyte", "64 KiB and one", "fragments without end", "empty fragments", "tiny nonsense", "tiny", "pings", "no utf-8",
        "deflate bomb", "deep", "nan", "nothing",
    ],
)  # fmt: skip
@live
async def test_who_floods_us_is_let_go_at_once(attack: Callable[[Raw], object], codes: set[int]) -> None:
    async with running() as bridge, watched(bridge):
        raw = await Raw.identified(bridge.port, bridge.admin, frames=False, sound=False)
        began_s = time.monotonic()
        attack(raw)
        # Our own side may be cut while it still writes: then it sees no code.
        assert await within(2, raw.close_code()) in codes | {1006}
        assert time.monotonic() - began_s < 0.5  # 0.1 s where the machine is idle


@live
async def test_no_compression_is_agreed_upon() -> None:
    async with running() as bridge:
        raw = await Raw.open(bridge.port, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
        assert "extensions" not in raw.headers.lower()


@live
async def test_before_it_is_known_a_client_may_say_little() -> None:
    async with running() as bridge:
        raw = await Raw.open(bridge.port)
        raw.send(TEXT, json.dumps({"type": "identify", "version": 1, "token": "t", "name": "n" * 5000}).encode())
        assert await raw.close_code() == 1009
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
        writer.write(
            b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 7000 + b"\r\nY: " + b"y" * 7000 + b"\r\nZ: " + b"z" * 7000
        )
        with pytest.raises(ConnectionError):
            assert b"200" not in await within(1, reader.read())
            raise ConnectionError


@live
async def test_a_flood_of_half_open_connections_keeps_nobody_out() -> None:
    async with running() as bridge, watched(bridge):
        held = [await asyncio.open_connection("127.0.0.1", bridge.port) for _ in range(300)]
        began_s = time.monotonic()
        async with connect(bridge.url, bridge.admin) as good:
            assert time.monotonic() - began_s < 1
            assert good.identified
        cut = 0
        for reader, writer in held:
            cut += reader.at_eof() or reader.exception() is not None
            writer.close()
        assert cut >= 300 - 64


@live
async def test_a_thousand_guesses_are_five_and_the_right_token_still_opens() -> None:
    async with running() as bridge, watched(bridge):

        async def guess(number: int) -> int:
            raw = await Raw.open(bridge.port)
            raw.say("identify", version=1, token=f"guess {number}")
            return await raw.close_code()

        codes = [code for at in range(0, 100, 20) for code in await asyncio.gather(*map(guess, range(at, at + 20)))]
        assert codes.count(schema.CLOSE["TOKEN"]) == 5
        assert codes.count(schema.CLOSE["TOO_MANY_TRIES"]) == 95
        assert (await get(bridge.port, "/", Authorization="Bearer x"))[0] == 404
        async with connect(bridge.url, bridge.admin):
            pass


@live
async def test_no_token_is_ever_told() -> None:
    async with running() as bridge:
        secret = bridge.tokens.issue("someone", "view")
        raw = await Raw.identified(bridge.port, secret)
        raw.send(TEXT, json.dumps({"type": "nonsense", "token": secret}).encode())
        await raw.close_code()
        for path in (f"/?token={secret}", f"/{secret}"):
            await get(bridge.port, path, Host="evil", Authorization=f"Bearer {secret}")
        raw = await Raw.open(bridge.port)
        raw.send(TEXT, json.dumps({"type": "identify", "version": 1, "token": secret + "x"}).encode())
        await raw.close_code()
        assert bridge.lines
        assert secret not in "".join(bridge.lines)


@live
async def test_two_hundred_messages_a_second_are_well() -> None:
    async with running() as bridge:
        raw = await Raw.identified(bridge.port, bridge.admin, frames=False)
        for number in range(100):
            raw.say("control", id=number, emotion="joy")
            if number % 10 == 0:
                bridge.server.publish_sound(encode_sound(sound(0.0)))
        assert [(await raw.told("done"))["id"] for _ in range(100)] == list(range(100))


@live
async def test_other_requests_are_refused() -> None:
    async with running() as bridge:
        host = f"Host: 127.0.0.1:{bridge.port}"
        assert (await ask_http(bridge.port, "POST / HTTP/1.1", host, "Content-Length: 0"))[0] == 405
        assert (await ask_http(bridge.port, "GET /etc/passwd HTTP/1.1", host))[0] == 404
        assert (await ask_http(bridge.port, "GET /../../etc/passwd HTTP/1.1", host))[0] == 404
        assert (await ask_http(bridge.port, *upgrade_lines(bridge.port)[:2], "Upgrade: websocket"))[0] in (400, 426)
        elsewhere = ["GET /socket HTTP/1.1", *upgrade_lines(bridge.port)[1:]]
        assert (await ask_http(bridge.port, *elsewhere))[0] == 404
        assert (await ask_http(bridge.port, "nonsense"))[0] == 0
