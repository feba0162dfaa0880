"""What listens inside Blender, without Blender: golden packets, hostile ones, a bridge that is none, and recordings."""

import logging
import socket
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar3d.core.blendshapes import ARKIT_NAMES, BlendshapeClip, Frame
from avatar3d.formats.clip_csv import write_livelink_csv
from avatar3d.live import wire as ours
from avatar3d.live.dialects import livelink as our_livelink
from avatar3d.live.dialects import vmc as our_vmc
from blender_addon import bridge as bridge_client
from blender_addon import client, livelink, livelink_csv, vmc, wire, wire_generated
from blender_addon.frame import Refused
from blender_addon.websocket import Link, LinkClosed, dial
from tools.regenerate_golden import GOLDEN

RNG = np.random.default_rng(4)


def frame(time_s: float = 1.25) -> Frame:
    turns = RNG.normal(size=(3, 4)).astype(np.float32) * [1, 0.2, 0.2, 0.2]
    turns[:, 0] = np.abs(turns[:, 0]) + 1
    head, left, right = (turns / np.linalg.norm(turns, axis=1, keepdims=True)).astype(np.float32)
    return Frame(time_s, RNG.random(52).astype(np.float32), head, left, right)


def same_turn(seen: np.ndarray, sent: np.ndarray, *, off: float = 1e-6) -> None:
    """The same rotation: q and -q are, q with one axis turned over is not."""
    np.testing.assert_allclose(np.asarray(seen) * np.sign(np.dot(seen, sent)), sent, atol=off)


def test_the_golden_frame_is_read_as_python_reads_it() -> None:
    packet = (GOLDEN / "frame.bin").read_bytes()
    theirs, mine = ours.decode_frame(packet), wire.face_of(packet)
    np.testing.assert_array_equal(mine.weights, theirs.frame.weights)
    np.testing.assert_allclose(mine.head_wxyz, theirs.frame.head_wxyz, atol=1e-7)
    assert (mine.time_s, mine.number, mine.jumped) == (theirs.frame.time_s, theirs.face, theirs.jumped)


def test_the_golden_packets_of_live_link_and_vmc_are_read() -> None:
    theirs = our_livelink.read((GOLDEN / "livelink.bin").read_bytes())
    mine = livelink.face_of((GOLDEN / "livelink.bin").read_bytes())
    np.testing.assert_allclose(mine.weights, [theirs.values[name] for name in ARKIT_NAMES], atol=1e-7)
    listener, shown = vmc.Listener(), None
    for at in (1, 2, 3):
        shown = listener.take((GOLDEN / f"vmc_arkit_{at}.bin").read_bytes(), 0.0) or shown
    np.testing.assert_allclose(shown.weights, mine.weights, atol=1e-6)


def test_an_acknowledgement_is_what_the_bridge_expects() -> None:
    assert wire.acknowledgement(77) == ours.encode_ack(77)


def test_live_link_and_vmc_packets_of_ours_come_back() -> None:
    for _ in range(20):
        sent = frame()
        seen = livelink.face_of(our_livelink.encode(sent))
        np.testing.assert_array_equal(seen.weights, sent.weights)
        same_turn(seen.head_wxyz, sent.head_wxyz)
        same_turn(seen.left_eye_wxyz, sent.left_eye_wxyz)
        listener = vmc.Listener()
        shown = [listener.take(packet, 0.0) for packet in our_vmc.encode(sent)]
        assert [face is not None for face in shown] == [False] * (len(shown) - 1) + [True]
        np.testing.assert_allclose(shown[-1].weights, sent.weights, atol=1e-7)
        same_turn(shown[-1].head_wxyz, sent.head_wxyz)
        np.testing.assert_allclose(np.abs(shown[-1].right_eye_wxyz), np.abs(sent.right_eye_wxyz), atol=1e-5)


def test_the_names_are_arkits() -> None:
    assert wire_generated.ARKIT_NAMES == ARKIT_NAMES
    assert wire_generated.LIVELINK_NAMES == our_livelink.SHAPES


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_face_or_refused(packet: bytes) -> None:
    for read in (wire.face_of, livelink.face_of, lambda data: vmc.Listener().take(data, 0.0)):
        try:
            face = read(packet)
        except Refused:
            continue
        assert face is None or np.isfinite(face.weights).all()


@settings(max_examples=2000, deadline=None)
@given(
    st.integers(0, 2), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6), st.integers(0, 2000)
)
def test_damaged_packets_are_a_face_in_range_or_refused(kind: int, changes: list[tuple[int, int]], cut: int) -> None:
    good = (ours.encode_frame(ours.FramePacket(frame())), our_livelink.encode(frame()), our_vmc.encode(frame())[0])[
        kind
    ]
    damaged = bytearray(good)
    for at, value in changes:
        damaged[at % len(damaged)] = value
    packet = bytes(damaged[: cut if cut else len(damaged)])
    read = (wire.face_of, livelink.face_of, lambda data: vmc.Listener().take(data, 0.0))[kind]
    try:
        face = read(packet)
    except Refused:
        return
    if face is not None:
        assert 0 <= face.weights.min() <= face.weights.max() <= 1
        assert all(np.isfinite(turn).all() for turn in (face.head_wxyz, face.left_eye_wxyz, face.right_eye_wxyz))


def test_deep_bundles_and_too_many_messages_are_refused_at_once() -> None:
    deep = b""
    for _ in range(200):
        deep = b"#bundle\0" + bytes(8) + struct.pack(">i", len(deep)) + deep if deep else b"/a\0\0,\0\0\0"
    many = b"#bundle\0" + bytes(8) + (struct.pack(">i", 8) + b"/a\0\0,\0\0\0") * 1200
    for packet in (deep, many):
        began = time.perf_counter()
        with pytest.raises(Refused):
            vmc.Listener().take(packet, 0.0)
        assert time.perf_counter() - began < 0.5


def test_a_flood_of_rubbish_costs_a_line_a_second_and_the_next_face_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    receiver = client.Datagrams("livelink", port=free_port())
    receiver.start()
    with caplog.at_level(logging.WARNING, "avatar3d"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        began = time.monotonic()
        while time.monotonic() - began < 1.2:
            sender.sendto(b"\x06rubbish", ("127.0.0.1", receiver.port))
            time.sleep(0.001)
        time.sleep(1.1)
        sender.sendto(our_livelink.encode(frame()), ("127.0.0.1", receiver.port))
        time.sleep(0.2)
    assert receiver.newest() is not None
    assert receiver.tally.refused > 100
    assert 1 <= len(caplog.records) <= 4
    receiver.stop()
    assert not receiver.running


def test_a_second_sender_is_not_heard_while_the_first_one_speaks() -> None:
    receiver = client.Datagrams("livelink", port=free_port())
    receiver.start()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.sendto(our_livelink.encode(frame(1.0)), ("127.0.0.1", receiver.port))
        time.sleep(0.1)
        other.sendto(our_livelink.encode(frame(9.0)), ("127.0.0.1", receiver.port))
        time.sleep(0.1)
    assert receiver.newest().time_s == pytest.approx(1.0)
    assert receiver.tally.refused == 1
    receiver.stop()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: wrong\r\n\r\n", b"\xff" * 9000],
)
def test_what_is_no_bridge_is_left_at_once(answer: bytes) -> None:
    with serving(answer) as port, pytest.raises(LinkClosed):
        dial(f"ws://127.0.0.1:{port}", "avatar3d.v1.binary", timeout_s=1)


@settings(max_examples=400, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_whatever_a_server_sends_is_a_message_or_the_end(data: bytes) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.settimeout(1)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        link = Link(mine, b"")
        with pytest.raises(LinkClosed):
            for _ in range(len(data) + 1):
                assert isinstance(link.receive(), str | bytes)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x82\x7f" + (1 << 40).to_bytes(8, "big"), 1002),  # a terabyte
        (b"\x82\x81abcda", 1002),  # masked
        (b"\xc2\x01a", 1002),  # compressed
        (b"\x89\x7e\x01\x00" + bytes(256), 1002),  # a ping of 256 bytes
        (b"\x02\x01a" * 2, 1002),  # a message begun within a message
        (b"\x02\x01a" + b"\x00\x01a" * 300, 1002),  # fragments never ended
        (b"\x81\x02\xc3\x28", 1007),  # no UTF-8
        (b"\x88\x02\x0f\xa3", 4003),  # a refusal
    ],
)
def test_what_rfc_6455_forbids_ends_the_connection(frames: bytes, code: int) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.settimeout(1)
        theirs.sendall(frames)
        with pytest.raises(LinkClosed) as closed:
            Link(mine, b"").receive()
        assert closed.value.code == code


def test_pings_are_answered_and_fragments_put_together() -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        mine.settimeout(1)
        theirs.sendall(b"\x89\x02hi" + b"\x01\x02ab" + b"\x8a\x00" + b"\x80\x01c")
        assert Link(mine, b"").receive() == "abc"
        answer = theirs.recv(64)
    assert answer[:2] == b"\x8a\x82"
    assert bytes(byte ^ answer[2 + at] for at, byte in enumerate(answer[6:])) == b"hi"


def test_where_nobody_answers_a_client_goes_on_trying_and_can_be_stopped() -> None:
    bridge = bridge_client.Bridge(f"ws://127.0.0.1:{free_port()}", "token")
    bridge.start()
    time.sleep(0.4)
    assert not bridge.failed
    assert "trying again" in bridge.status
    bridge.stop()
    assert not bridge.running


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    clip = BlendshapeClip(tuple(frame(at / 60) for at in range(12)))
    faces = livelink_csv.read(write_livelink_csv(clip, tmp_path / "take.csv"))
    assert len(faces) == 12
    for face, meant in zip(faces, clip.frames, strict=True):
        assert face.time_s - faces[0].time_s == pytest.approx(meant.time_s, abs=1e-4)
        np.testing.assert_allclose(face.weights, meant.weights, atol=1e-6)
        same_turn(face.head_wxyz, meant.head_wxyz, off=1e-5)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "Timecode,BlendshapeCount\n1,2\n"])
def test_what_is_no_recording_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_text(text)
    with pytest.raises(livelink_csv.CsvError, match="no column"):
        livelink_csv.read(tmp_path / "no.csv")


def test_a_damaged_row_is_told_by_its_number(tmp_path: Path) -> None:
    file = write_livelink_csv(BlendshapeClip(tuple(frame(at / 60) for at in range(3))), tmp_path / "take.csv")
    rows = file.read_text().splitlines()
    for broken in (rows[2].replace(rows[2].split(",")[5], "nan"), rows[2][:40]):
        file.write_text("\n".join([*rows[:2], broken, rows[3]]))
        with pytest.raises(livelink_csv.CsvError, match="line 3"):
            livelink_csv.read(file)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class serving:  # noqa: N801, reads as a verb
    """A server that says one thing to whoever comes, and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._serve, daemon=True).start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with self._socket.accept()[0] as one:
            one.recv(4096)
            one.sendall(self._answer)
