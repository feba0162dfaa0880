"""The bridge's server, spoken to through real sockets by clients that behave."""

import asyncio
import base64
import json
import ssl
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar3d.core.errors import BridgeError
from avatar3d.live import schema, tls, wire
from avatar3d.live.client import connect
from avatar3d.live.server import Server, ServerParams
from avatar3d.live.site import Site
from tests.bridge.faces import Remembering, packet, running, sound, ticking
from tests.bridge.raw import BINARY, TEXT, Raw, get, live, within


async def binary(raw: Raw) -> bytes:
    """The next binary message."""
    while True:
        opcode, payload = await raw.frame()
        if opcode == BINARY:
            return payload


@live
async def test_a_client_is_greeted_says_who_it_is_and_gets_frames() -> None:
    async with running() as bridge, ticking(bridge):
        raw = await Raw.open(bridge.port)
        assert await raw.told("hello") == {"type": "hello", "versions": [1], "server": "avatar3d"}
        raw.say("identify", version=1, token=bridge.admin)
        identified = await raw.told("identified")
        assert identified["scopes"] == ["view", "drive", "admin"]
        assert identified["faces"][0]["name"] == "Ada"
        assert (identified["ack_every"], identified["credit"], identified["rate_hz"]) == (4, 8, 60.0)
        assert "token" not in identified
        seqs = [wire.decode_frame(await binary(raw)).seq for _ in range(8)]
        assert seqs == list(range(seqs[0], seqs[0] + 8))


@live
async def test_the_json_dialect_says_the_same() -> None:
    async with running() as bridge:
        raw = await Raw.identified(bridge.port, bridge.admin, json_dialect=True)
        assert "avatar3d.v1.json" in raw.headers
        sent = packet(7, 1.5)
        bridge.server.publish(7, [sent])
        assert await raw.told("frame") == wire.frame_json(sent)
        bridge.server.publish_sound(wire.encode_sound(sound(1.5)))
        assert len(base64.b64decode((await raw.told("sound"))["pcm16_base64"])) == 1920
        raw.say("ack", seq=7)
        raw.say("frame", **{k: v for k, v in wire.frame_json(sent).items() if k != "type"})
        raw.say("sound", flags=1, rate_hz=16_000, pcm16_base64="AAAAAA==")
        raw.say("clients", id=1)
        await raw.told("done")
        pushed, (client, heard) = bridge.driven.told
        np.testing.assert_allclose(pushed.frame.weights, wire.decode_frame(sent).frame.weights, atol=1e-6)
        assert (client, heard.last, len(heard.chunk.samples)) == ("owner-1", True, 2)


@live
async def test_a_client_gets_the_faces_and_kinds_it_wants() -> None:
    async with running() as bridge:
        second = await Raw.identified(bridge.port, bridge.admin, faces=[1], sound=False)
        silent = await Raw.identified(bridge.port, bridge.admin, frames=False)
        bridge.server.publish_sound(wire.encode_sound(sound(0.0, face=1)))
        bridge.publish(1, faces=3)
        bridge.server.publish_message({"type": "flush", "face": 0, "media_time_s": 1.0})
        bridge.server.publish_message({"type": "event", "name": "neutral"})
        assert wire.decode_frame(await binary(second)).face == 1
        assert (await second.told("flush", "event"))["type"] == "event"
        assert wire.decode_sound(await binary(silent)).face == 1
        assert [(await silent.frame())[0] for _ in range(2)] == [TEXT, TEXT]


ALLOWED = {"view": {"clock"}, "drive": {"clock", "control", "say", "panic", "resume"}}
SAID: dict[str, dict[str, Any]] = {
    "clock": {"sent_s": 1.0}, "control": {"emotion": "joy"}, "say": {"text": "hello"}, "panic": {}, "resume": {},
    "issue": {"scopes": ["view"]}, "clients": {}, "stop": {}, "revoke": {"client": "owner"},
}  # fmt: skip


@pytest.mark.parametrize("scope", ["view", "drive"])
@live
async def test_a_token_may_what_its_scope_holds_and_no_more(scope: Any) -> None:
    async with running() as bridge:
        raw = await Raw.identified(bridge.port, bridge.tokens.issue("guest", scope))
        for number, (type_, entries) in enumerate(SAID.items()):
            given = entries if type_ == "clock" else entries | {"id": number}
            raw.say(type_, **given)
            answer = await raw.told("done", "error", "clock")
            assert (answer["type"] != "error") == (type_ in ALLOWED[scope]), type_
            assert answer["type"] != "error" or (answer["error"], answer["id"]) == ("SCOPE", number)
        for pushed in (packet(1, 0.0), wire.encode_sound(sound(0.0))):
            raw.send(BINARY, pushed)
        if scope == "view":
            assert [(await raw.told("error"))["error"] for _ in range(2)] == ["SCOPE", "SCOPE"]
        raw.say("clock", sent_s=2.0)
        await raw.told("clock")
        assert len(bridge.driven.told) == (0 if scope == "view" else 6)


@live
async def test_what_is_refused_behind_the_server_comes_back_with_its_id() -> None:
    async with running() as bridge:
        raw = await Raw.identified(bridge.port, bridge.admin)
        raw.say("control", id=9, emotion="hungry")
        assert await raw.told("error") == {
            "type": "error", "id": 9, "error": "USAGE", "message": 'there is no emotion "hungry".', "hint": "Known are joy and anger.",
        }  # fmt: skip
        raw.say("control", id=10, emotion=3)
        assert (await raw.told("error"))["error"] == "MESSAGE_VALUE"
        raw.send(BINARY, packet(1, 0.0)[:100] + bytes(172))
        assert (await raw.told("error"))["error"] == "WIRE_VALUE"
        raw.say("identify", version=1, token="again")
        assert (await raw.told("error"))["error"] == "MESSAGE_ENTRY"


@live
async def test_the_clock_is_answered_at_once() -> None:
    async with running() as bridge:
        raw = await Raw.identified(bridge.port, bridge.admin)
        before_s = bridge.driven.media_time_s()
        raw.say("clock", sent_s=123.25)
        answer = await within(0.05, raw.told("clock"))
        assert answer["sent_s"] == 123.25
        assert before_s <= answer["received_s"] <= answer["media_time_s"] <= bridge.driven.media_time_s()


@live
async def test_an_admin_hands_out_a_token_sees_who_is_there_and_takes_it_back() -> None:
    async with running() as bridge, connect(bridge.url, bridge.admin) as admin:
        token = (await admin.ask("issue", scopes=["view", "drive"], name="kiosk"))["token"]
        guest = await Raw.identified(bridge.port, token)
        clients = (await admin.ask("clients"))["clients"]
        assert {"client": "kiosk-2", "scopes": ["view", "drive"], "connected": True} in clients
        await admin.ask("revoke", client="kiosk-2")
        assert await within(0.5, guest.close_code()) == schema.CLOSE["REVOKED"]
        again = await Raw.open(bridge.port)
        again.say("identify", version=1, token=token)
        assert await again.close_code() == schema.CLOSE["TOKEN"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "identify", "version": 2, "token": "x"}, "VERSION"),
        ({"type": "identify", "version": 1, "token": "wrong"}, "TOKEN"),
        ({"type": "identify", "version": 1}, "TOKEN"),
        ({"type": "identify", "version": 1, "pairing_code": "00000000"}, "TOKEN"),
        ({"type": "identify"}, "MALFORMED"),
        ({"type": "say", "text": "hello"}, "NOT_IDENTIFIED"),
        ({"type": "clock", "sent_s": 1}, "NOT_IDENTIFIED"),
        ({"no": "type"}, "MALFORMED"),
    ],
)
@live
async def test_who_does_not_say_who_he_is_is_shown_out(message: dict[str, Any], code: str) -> None:
    async with running() as bridge:
        raw = await Raw.open(bridge.port)
        raw.send(TEXT, json.dumps(message).encode())
        assert await raw.close_code() == schema.CLOSE[code]


@live
async def test_who_says_nothing_is_shown_out_too() -> None:
    async with running(identify_s=0.2) as bridge:
        assert await within(1, (await Raw.open(bridge.port)).close_code()) == schema.CLOSE["NOT_IDENTIFIED"]
        reader, _ = await asyncio.open_connection("127.0.0.1", bridge.port)
        with pytest.raises(ConnectionError):
            assert await within(1, reader.read()) == b""
            raise ConnectionError("cut")


@live
async def test_a_pairing_code_gives_a_token_of_ones_own() -> None:
    async with running() as bridge:
        code = bridge.tokens.open_pairing()
        async with connect(bridge.url, pairing_code=code, name="headset") as headset:
            token = headset.identified["token"]
            assert headset.identified["scopes"] == ["view", "drive"]
        async with connect(bridge.url, token) as headset:
            assert headset.identified["client"].startswith("headset-")
        with pytest.raises(BridgeError) as caught:
            async with connect(bridge.url, pairing_code=code):
                pass
        assert caught.value.id == "TOKEN"


@live
async def test_when_the_bridge_stops_and_when_a_client_goes_the_other_is_told() -> None:
    async with running() as bridge:
        leaving = await Raw.identified(bridge.port, bridge.admin)
        staying = await Raw.identified(bridge.port, bridge.admin)
        leaving.writer.close()
        while ("left", "owner-1") not in bridge.driven.told:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(bridge.server.close())
        assert await within(1, staying.close_code()) == schema.CLOSE["STOPPING"]
        await within(1, closing)
        with pytest.raises(OSError, match=r"[Cc]onnect"):
            await asyncio.open_connection("127.0.0.1", bridge.port)


@live
async def test_a_port_that_is_taken_and_an_open_network_without_tls_are_refused() -> None:
    async with running() as bridge:
        other = Server(ServerParams(port=bridge.port), bridge.tokens, Remembering(), Site(), tell=print)
        with pytest.raises(BridgeError, match="--port") as caught:
            await other.start()
        assert caught.value.exit_code == 50
    exposed = Server(ServerParams(host="0.0.0.0", port=0), bridge.tokens, Remembering(), Site(), tell=print)
    with pytest.raises(BridgeError, match="TLS"):
        await exposed.start()


@live
async def test_the_viewer_and_the_avatars_come_from_the_same_port(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    face = bytes(range(256)) * 12_000
    (tmp_path.parent / "me.glb").write_bytes(face)
    async with running(viewer=tmp_path) as bridge:
        bridge.server.site.give("/avatars/0.glb", tmp_path.parent / "me.glb")
        status, headers, body = await get(bridge.port, "/")
        assert (status, body, headers["content-length"], headers["connection"]) == (
            200,
            b"<!doctype html>",
            "15",
            "close",
        )
        assert (await get(bridge.port, "/avatars/0.glb"))[0] == 401
        status, headers, body = await get(bridge.port, "/avatars/0.glb", Authorization=f"Bearer {bridge.admin}")
        assert (status, body == face) == (200, True)
        etag = headers["etag"]
        assert (await get(bridge.port, "/", If_None_Match=(await get(bridge.port, "/"))[1]["etag"]))[0] == 304
        status, _, body = await get(
            bridge.port, "/avatars/0.glb", Authorization=f"Bearer {bridge.admin}", If_None_Match=etag
        )
        assert (status, body) == (304, b"")


@live
async def test_in_the_lan_all_goes_through_tls_and_the_certificate_is_known_by_its_fingerprint(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the certificate of --lan needs the extra `lan`")
    made = tls.lan_certificate(["127.0.0.1"], tmp_path)
    async with running(tls=made.context, host="0.0.0.0", names=("127.0.0.1",)) as bridge, ticking(bridge):
        assert bridge.url.startswith("wss://127.0.0.1:")
        async with connect(bridge.url, bridge.admin, fingerprint=made.fingerprint) as client:
            async for shown in client.frames():
                assert shown.seq > 0
                break
        with pytest.raises(BridgeError) as caught:
            async with connect(bridge.url, bridge.admin, fingerprint="00"):
                pass
        assert caught.value.id == "CERTIFICATE"
        face = bytes(range(256)) * 12_000
        (tmp_path / "me.glb").write_bytes(face)
        bridge.server.site.give("/avatars/0.glb", tmp_path / "me.glb")
        trusting = ssl.create_default_context(cadata=None)
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port, ssl=trusting)
        allowed = f"Host: 127.0.0.1:{bridge.port}\r\nAuthorization: Bearer {bridge.admin}\r\n"
        writer.write(f"GET /avatars/0.glb HTTP/1.1\r\n{allowed}\r\n".encode())
        assert (await reader.read()).endswith(b"\r\n\r\n" + face)
        plain = await asyncio.open_connection("127.0.0.1", bridge.port)
        plain[1].write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionError):
            assert b"HTTP" not in await within(4, plain[0].read())
            raise ConnectionError
