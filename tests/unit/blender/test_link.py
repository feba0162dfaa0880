"""Blender beside a bridge without Blender: whose certificate is taken, whose faces are shown, and what is acknowledged."""

import base64
import contextlib
import hashlib
import json
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import BlendshapeClip
from avatar3d.formats.clip_csv import write_livelink_csv
from avatar3d.live import tls
from avatar3d.live import wire as ours
from blender_addon import bridge as bridge_client
from blender_addon import livelink_csv, wire_generated
from blender_addon.websocket import LinkClosed, dial
from tests.unit.live.faces import face

PROTOCOL = wire_generated.SUBPROTOCOL
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tls.Certificate:
    pytest.importorskip("cryptography", reason="the certificate of --lan needs the extra `lan`")
    return tls.lan_certificate(["127.0.0.1"], tmp_path_factory.mktemp("lan"))


def test_a_bridge_is_known_by_its_fingerprint_however_that_is_written(certificate: tls.Certificate) -> None:
    for written in (certificate.fingerprint, f" {certificate.fingerprint.replace(':', '').lower()}\n"):
        with Encrypted(certificate) as server:
            link = dial(server.url, PROTOCOL, fingerprint=written, timeout_s=5)
            assert link.receive() == "hello"
            link.close()
        assert server.heard.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("written", ["", ":", "another", "first half", "last one"])
def test_whoever_shows_another_certificate_is_told_nothing(written: str, certificate: tls.Certificate) -> None:
    """An empty fingerprint is that of nobody."""
    true = certificate.fingerprint
    wrong = {"another": ":".join(["AB"] * 32), "first half": true[:47], "last one": true[:-1] + "0F"[true[-1] == "0"]}
    with Encrypted(certificate) as server, pytest.raises(LinkClosed) as closed:
        dial(server.url, PROTOCOL, fingerprint=wrong.get(written, written), timeout_s=5)
    assert closed.value.code == 1008
    assert server.heard == b"", "neither token nor request before the certificate is known"


@pytest.mark.parametrize("mine", [0, 1])
@pytest.mark.parametrize(("every", "acknowledged"), [(4, [3, 7]), (3, [2, 5, 8]), (1000, [3, 7]), (None, [3, 7])])
def test_only_my_face_is_shown_and_each_instant_counts_once(
    mine: int, every: int | None, acknowledged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The faces of an instant share its number; an acknowledgement is owed for so many instants."""
    frames = [
        ours.encode_frame(ours.FramePacket(face(seq + number / 2, jawOpen=0.5), seq, number))
        for seq in range(10)
        for number in (1, 0)
    ]
    told = [json.dumps({"type": "hello"}), json.dumps({"type": "identified", "ack_every": every}), *frames]
    link = Scripted(told)
    monkeypatch.setattr(bridge_client, "dial", lambda *_, **__: link)
    bridge = bridge_client.Bridge("ws://bridge", "token", face=mine)
    bridge.record()
    with pytest.raises(LinkClosed):
        bridge._converse()
    assert [each.time_s for each in bridge.recorded()] == [seq + mine / 2 for seq in range(10)]
    assert bridge.newest().number == mine
    assert json.loads(link.sent[0])["faces"] == [mine]
    assert [ours.decode_ack(packet) for packet in link.sent[1:]] == acknowledged


def test_a_recording_over_midnight_goes_on_and_what_comes_late_is_left_out(tmp_path: Path) -> None:
    clip = BlendshapeClip(tuple(face(at / 60, jawOpen=at / 10) for at in range(6)))
    file = write_livelink_csv(clip, tmp_path / "take.csv")
    header, *rows = file.read_text().splitlines()
    codes = ("23:59:59:58", "23:59:59:59", "00:00:00:01.5", "00:00:00:00.5", "13:00:00:00", "00:00:00:00")
    changed = [",".join([code, *row.split(",")[1:]]) for code, row in zip(codes, rows, strict=True)]
    file.write_text("\n".join([header, *changed]))
    faces = livelink_csv.read(file)
    ticks = [60 * (each.time_s - faces[0].time_s) for each in faces]
    np.testing.assert_allclose(ticks, [0, 1, 3.5, 2 + 60 * 46_800, 2 + 60 * 86_400], rtol=0, atol=1e-6)


class Scripted:
    """A link on which this was said, and which ends then."""

    def __init__(self, told: list[str | bytes]) -> None:
        self._told, self.sent = iter(told), []

    def receive(self) -> str | bytes:
        for each in self._told:
            return each
        raise LinkClosed(1006, "the bridge is gone")

    def send(self, message: str | bytes) -> None:
        self.sent.append(message)


class Encrypted:
    """A server of one WebSocket that says hello; `heard` is what it was asked."""

    def __init__(self, certificate: tls.Certificate) -> None:
        self._context, self.heard = certificate.context, b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.url = f"wss://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Encrypted":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError), self._socket.accept()[0] as plain:
            plain.settimeout(5)
            with self._context.wrap_socket(plain, server_side=True) as one:
                while b"\r\n\r\n" not in self.heard and (came := one.recv(4096)):
                    self.heard += came
                if not self.heard:
                    return
                key = self.heard.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
                accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest()).decode()
                answer = (
                    f"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n"
                )
                one.sendall(answer.encode() + b"\x81\x05hello")
                one.recv(64)
