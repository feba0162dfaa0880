"""OSC packets: what is written another library reads, what another writes is read, and nothing that comes does harm."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from avatar3d.core.errors import InputError, LimitError, UnreadableError
from avatar3d.live.dialects import osc
from tests.unit.live.faces import damaged, golden

SEEDS = [
    osc.encode("/a", 1, 2.5, "word", True),
    osc.bundles([osc.encode("/a", 1), osc.encode("/b/c", "x", 0.5)])[0],
    b"#bundle\0" + bytes(8) + struct.pack(">i", 36) + b"#bundle\0" + bytes(8) + struct.pack(">i", 16) + osc.encode("/deep", 7),
]  # fmt: skip


def nested(depth: int) -> bytes:
    packet = osc.encode("/deep")
    for _ in range(depth):
        packet = b"#bundle\0" + bytes(8) + struct.pack(">i", len(packet)) + packet
    return packet


def test_a_message_has_the_bytes_of_the_standard() -> None:
    # opensoundcontrol.stanford.edu/spec-1_0-examples.html
    assert osc.encode("/oscillator/4/frequency", 440.0) == (
        b"/oscillator/4/frequency\0,f\0\0" + bytes([0x43, 0xDC, 0, 0])
    )


def test_messages_come_back_with_their_arguments() -> None:
    packet = osc.bundles([osc.encode("/a", 1, -2.5, "word", True, False), osc.encode("/b")])[0]
    assert osc.decode(packet) == [osc.Message("/a", (1, -2.5, "word", True, False)), osc.Message("/b", ())]


def test_a_bundle_within_a_bundle_is_read_in_order() -> None:
    inner = osc.bundles([osc.encode("/2"), osc.encode("/3")])[0]
    packet = osc.bundles([osc.encode("/1"), inner, osc.encode("/4")])[0]
    assert [message.address for message in osc.decode(packet)] == ["/1", "/2", "/3", "/4"]


def test_every_type_of_the_standard_is_read() -> None:
    data = b"/t\0\0,ifsbhtdScrmTFNI[i]\0" + struct.pack(">if", 7, 0.5) + b"s\0\0\0" + struct.pack(">i3sx", 3, b"abc")
    data += struct.pack(">qQd", -1, 1, 0.25) + b"S\0\0\0" + struct.pack(">iIIi", 65, 1, 2, 9)
    assert osc.decode(data)[0].arguments == (
        7, 0.5, "s", b"abc", -1, 1, 0.25, "S", 65, 1, 2, True, False, None, None, 9
    )  # fmt: skip


def test_bundles_are_no_larger_than_asked_and_each_begins_with_the_same() -> None:
    first = osc.encode("/time", 1.0)
    packets = osc.bundles([osc.encode("/value", "x" * 100, float(at)) for at in range(40)], first=first, limit=600)
    assert all(len(packet) <= 600 for packet in packets)
    read = [osc.decode(packet) for packet in packets]
    assert all(messages[0].address == "/time" for messages in read)
    assert [message.arguments[1] for messages in read for message in messages[1:]] == list(map(float, range(40)))


def test_a_name_that_is_no_text_does_not_stop_the_rest() -> None:
    messages = osc.decode(osc.bundles([osc.encode("/a", "??"), osc.encode("/b", 1)])[0].replace(b"??", b"\xff\xfe"))
    assert [message.address for message in messages] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (b"", UnreadableError),
        (b"word", UnreadableError),
        (b"/a", UnreadableError),
        (b"/a\0\0f\0\0\0", UnreadableError),
        (b"/a\0\0,f\0\0", UnreadableError),
        (b"/a\0\0,q\0\0", UnreadableError),
        (b"/a\0\0,b\0\0\xff\xff\xff\xff", UnreadableError),
        (b"/\xff\0\0", UnreadableError),
        (b"#bundle\0", UnreadableError),
        (b"#bundle\0" + bytes(8) + b"\0\0\0", UnreadableError),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", -4), UnreadableError),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", 0), UnreadableError),
        (b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 4) + b"/a\0\0", UnreadableError),
        (nested(osc.DEPTH + 1), LimitError),
        (nested(700), LimitError),
        (osc.bundles([osc.encode("/a")] * 600, limit=100_000)[0], LimitError),
        (b"/" + b"a" * 300 + bytes(3), LimitError),
        (b"/a\0\0," + b"T" * 99 + bytes(4), LimitError),
        (b"/" + bytes(20_000), LimitError),
    ],
)
def test_what_is_no_packet_is_refused_with_words(packet: bytes, error: type[InputError]) -> None:
    with pytest.raises(error) as raised:
        osc.decode(packet)
    assert raised.value.hint


def tagged(count: int) -> bytes:
    """A message of so many arguments, which take no bytes."""
    return b"/a\0\0" + b"," + b"T" * count + bytes(4 - (count + 1) % 4)


def said(times: int) -> bytes:
    return osc.bundles([osc.encode("/a")] * times, limit=100_000)[0]


@pytest.mark.parametrize(
    ("most", "packet"),
    [
        (64, tagged),
        (256, lambda count: b"/" + b"a" * (count - 1) + bytes(4 - count % 4)),
        (8, nested),
        (512, said),
        (512, lambda count: osc.bundles([said(count // 2), said(count - count // 2)], limit=100_000)[0]),
        (16_384 // 4, lambda words: b"/a\0\0,b\0\0" + struct.pack(">i", 4 * words - 12) + bytes(4 * words - 12)),
    ],
    ids=["arguments", "address", "depth", "messages", "messages of two bundles", "words"],
)  # fmt: skip
def test_what_is_at_a_limit_is_read_and_what_is_beyond_it_refused(most: int, packet: Callable[[int], bytes]) -> None:
    assert osc.decode(packet(most))
    with pytest.raises(LimitError):
        osc.decode(packet(most + 1))


@pytest.mark.parametrize("length", range(10))
def test_a_blob_is_read_to_its_last_byte_and_never_beyond_the_message(length: int) -> None:
    blob = bytes(range(1, length + 1))
    data = struct.pack(">i", length) + blob + bytes(-length % 4)
    assert osc.decode(b"/a\0\0,bi\0" + data + struct.pack(">i", 5))[0].arguments == (blob, 5)
    for cut in (data[:-1], struct.pack(">i", length + 4) + data[4:], struct.pack(">i", 2**31 - 1) + data[4:]):
        with pytest.raises(UnreadableError):
            osc.decode(b"/a\0\0,b\0\0" + cut)


@settings(max_examples=400, deadline=None)
@given(damaged([*SEEDS, *golden("vmc_arkit_1.bin", "vrchat_2.bin")]))
def test_damage_is_read_or_refused(packet: bytes) -> None:
    try:
        messages = osc.decode(packet)
    except InputError:
        return
    assert len(messages) <= osc.MESSAGES


class TestAgainstPythonOsc:
    """python-osc wrote none of ours."""

    def test_it_reads_what_we_write(self) -> None:
        reading = pytest.importorskip("pythonosc.osc_bundle", reason="python-osc is not installed")
        for packet in golden("vmc_arkit_1.bin", "vmc_arkit_2.bin", "vmc_arkit_3.bin", "vrchat_1.bin"):
            theirs = [(content.address, tuple(content.params)) for content in reading.OscBundle(packet)]
            assert theirs == [(message.address, message.arguments) for message in osc.decode(packet)]

    def test_we_read_what_it_writes(self) -> None:
        building = pytest.importorskip("pythonosc.osc_message_builder", reason="python-osc is not installed")
        bundling = pytest.importorskip("pythonosc.osc_bundle_builder")
        message = building.OscMessageBuilder("/face/value")
        for argument in ("name", 0.5, 3, True, b"blob"):
            message.add_arg(argument)
        bundle = bundling.OscBundleBuilder(bundling.IMMEDIATELY)
        bundle.add_content(message.build())
        bundle.add_content(message.build())
        assert osc.decode(bundle.build().dgram) == [osc.Message("/face/value", ("name", 0.5, 3, True, b"blob"))] * 2
