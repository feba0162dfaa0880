"""The GDScript that reads the network, run in Godot 3.2: golden packets, hostile packets, what is shown when nothing comes."""

import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.errors import InputError
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.live import wire
from avatar3d.live.dialects import DIALECTS, livelink, osc, vmc
from avatar3d.live.dialects.dialect import Update
from tests.engine.godot_project import godot_project, run
from tests.unit.live.faces import GOLDEN, random_face
from tools.regenerate_dialects import face as golden_face
from tools.regenerate_golden import frame as golden_frame

pytestmark = pytest.mark.engine

KINDS = {"frame": 0, "sound": 1, "ack": 2, "livelink": 3, "vmc": 4}
VALUES = 1 + 52 + 12
PACKETS = 6_000
NAMES = {name.lower(): name for name in ARKIT_NAMES}


@pytest.fixture(scope="module")
def golden_told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    files = {f"golden/{path.name}": path.read_bytes() for path in GOLDEN.iterdir()}
    project = godot_project(tmp_path_factory.mktemp("golden") / "project", files)
    assert run(project, "golden.gd") == []
    return json.loads((project / "told.json").read_text())


def test_the_bridges_golden_packets_are_read_and_written_again_byte_by_byte(golden_told: dict) -> None:
    assert (golden_told["frame"], golden_told["sound"], golden_told["ack"]) == (True, True, 0xFEDCBA98)
    assert golden_told["same"] == {"frame.bin": True, "sound.bin": True, "ack.bin": True}
    frame = golden_frame()
    shown = golden_told["frame_told"]
    assert (shown["seq"], shown["media_time_s"]) == (frame.seq, frame.frame.time_s)
    assert shown["weights"] == frame.frame.weights.tolist()
    turns = [frame.frame.head_wxyz, frame.frame.left_eye_wxyz, frame.frame.right_eye_wxyz]
    np.testing.assert_allclose(shown["turns"], turns, atol=1e-6)
    assert golden_told["face"] == [3, 31, 1, 0, 1]
    assert golden_told["sound_told"] == [16_000, 7, True, [0, 32767, -32767, 1, -2]]


@pytest.mark.parametrize(("form", "answers"), [("livelink", [1]), ("vmc_arkit", [0, 0, 1])])
def test_the_golden_datagrams_of_others_show_the_golden_face(golden_told: dict, form: str, answers: list[int]) -> None:
    assert golden_told[form] == answers
    face, shown = golden_face(), golden_told[f"{form}_told"]
    assert shown["media_time_s"] == face.time_s
    assert shown["weights"] == face.weights.tolist()
    np.testing.assert_allclose(shown["turns"], [face.head_wxyz, face.left_eye_wxyz, face.right_eye_wxyz], atol=2e-6)


def test_godot_takes_and_refuses_what_python_does_and_prints_nothing(tmp_path: Path) -> None:
    packets = list(hostile(np.random.default_rng(6)))
    taken = assert_read_alike(packets, tmp_path)
    for kind in KINDS:  # both kinds of answer were put to the test
        assert 100 < taken[kind] < sum(kind == sent for sent, _ in packets) - 100, (kind, taken)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("return not (is_nan(value) or is_inf(value))", "return true"),
        ("_little.get_u16() != Wire.SHAPES", "_little.get_u16() < 0"),
        ("[numbers[6], numbers[3], -numbers[4], -numbers[5]]", "[numbers[6], numbers[3], numbers[4], -numbers[5]]"),
        ("_turn(-values[55], values[56], values[57])", "_turn(values[55], values[56], values[57])"),
        ("[Wire.LIVELINK[shape]] = clamp(values[shape], 0.0, 1.0)", "[Wire.LIVELINK[shape]] = values[shape]"),
        ("into.weights[shape] = clamp(values[shape], 0.0, 1.0)", "into.weights[shape] = values[shape]"),
        (" or at + 4 + size + (4 - size % 4) % 4 > end", ""),
    ],
)
def test_a_planted_fault_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    packets = list(hostile(np.random.default_rng(7)))
    with pytest.raises(AssertionError):
        assert_read_alike(packets, tmp_path, (right, wrong))


def assert_read_alike(
    packets: list[tuple[str, bytes]], folder: Path, fault: tuple[str, str] = ("", "")
) -> dict[str, int]:
    """Godot's answers and values are Python's, and it prints nothing. How many of each kind were taken."""
    content = b"".join(struct.pack("<bi", KINDS[kind], len(packet)) + packet for kind, packet in packets)
    project = godot_project(folder / "project", {"packets.bin": content})
    reader = project / "wire/reader.gd"
    assert fault[0] in reader.read_text()
    reader.write_text(reader.read_text().replace(*fault) if fault[0] else reader.read_text())
    assert run(project, "fuzz.gd") == []
    told, at, taken = (project / "told.bin").read_bytes(), 0, dict.fromkeys(KINDS, 0)
    for kind, packet in packets:
        (answer,) = struct.unpack_from("<i", told, at)
        at += 4
        expected, values = as_python_reads(kind, packet)
        assert answer == expected, f"{kind}: Godot says {answer}, Python {expected}: {packet.hex()}"
        if answer in (0, 1):
            got = np.frombuffer(told, "<f8", VALUES, at)
            at += 8 * VALUES
            np.testing.assert_allclose(got, values, rtol=1e-6, atol=2e-6, err_msg=f"{kind} {packet.hex()}")
        taken[kind] += answer >= 0
    assert at == len(told)
    return taken


def hostile(rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """Packets as they are sent, and damaged: bits, cuts, doubles, giant counts, NaN; bundles in bundles, noise."""
    golden = {name: [(GOLDEN / name).read_bytes() for name in names] for name, names in SEEDS.items()}
    for kind in KINDS:
        for at in range(PACKETS // len(KINDS)):
            seeds = golden[kind]
            if kind in DIALECTS and at % 3 == 0:
                seeds = DIALECTS[kind].encoder({})(random_face(at, time_s=at / 64))
            packet = seeds[int(rng.integers(len(seeds)))]
            yield kind, packet if at % 8 == 0 else damaged(packet, rng)
        for at in range(min(len(golden[kind][0]), 72)):
            for wrong in (1, 0x80, 0xFF):
                packet = bytearray(golden[kind][0])
                packet[at] ^= wrong
                yield kind, bytes(packet)
    value = osc.encode("/VMC/Ext/Blend/Val", "JawOpen", 0.5)
    for depth in (1, 7, 8, 9, 2_000):
        packet = value
        for _ in range(depth):
            packet = osc.bundles([packet], limit=1 << 20)[0]
        yield "vmc", packet
    for count in (1, 511, 512, 513, 600):
        yield "vmc", osc.bundles([b"/a\0\0"] * count, limit=1 << 20)[0]
    for odd in (b"", b"/", b"/\0\0\0", b"#bundle\0", b"#bundle\0" + bytes(8), b"/VMC/Ext/Blend/Apply", bytes(20_000)):
        yield "vmc", odd
    for arguments in (("JawOpen",), (0.5, "JawOpen"), ("JawOpen", True), ("JawOpen", 1), ("JAWOPEN", 2.0), ("ジョー", 1.0),
                      ("JawOpen", "x", 0.5), ("JawOpen", math.nan), ("nobody", math.inf)):  # fmt: skip
        yield "vmc", osc.encode("/VMC/Ext/Blend/Val", *arguments)
    for turn in (
        (0.0, 0.0, 0.0, 1.0),
        (0.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0, 1.0),
        (0.6, 0.0, 0.8, 0.0),
        (0.0, math.nan, 0.0, 1.0),
    ):
        for bone in ("Head", "neck", "LeftEye", "Hips"):
            yield "vmc", osc.encode("/VMC/Ext/Bone/Pos", bone, 0.0, 0.0, 0.0, *turn)
    yield from (("vmc", packet) for packet in odd_messages())
    yield from (("livelink", packet) for packet in odd_faces())
    for message in (b"/VMC/Ext/Root/Pos\0\0\0,f\0\0\x7f\xc0\0\0", b"/VMC/Ext/T\0\0,d\0\0" + struct.pack(">d", 2.5),
                    b"/VMC/Ext/T\0\0,x\0\0", b"/VMC/Ext/T\0\0,b\0\0\x7f\xff\xff\xff", b"/x\0\0,b\0\0\0\0\0\5abcde\0\0\0"):  # fmt: skip
        yield "vmc", message


def odd_messages() -> Iterator[bytes]:
    """What other programs may send that ours does not: blobs, arrays, bare tags, long texts, many arguments."""

    def said(address: str, tags: str, *arguments: bytes) -> bytes:
        padded = (text.encode() + bytes(4 - len(text.encode()) % 4) for text in (address, tags))
        return b"".join((*padded, *arguments))

    value, name, half = "/VMC/Ext/Blend/Val", b"JawOpen\0", struct.pack(">f", 0.5)
    for size in (-(2**31), -5, -1, 0, 1, 3, 4, 5, 7, 8, 9, 2**31 - 4, 2**31 - 1):
        for rest in (b"", b"abcd", b"abcdefg", b"abcdefgh"):
            yield said(value, ",sfb", name, half, struct.pack(">i", size), rest)
            yield osc.bundles([said(value, ",sfbf", name, half, struct.pack(">i", size), rest, half)])[0]
    blob = b"\0\0\0\2ab\0\0"
    yield from (
        said(value, ",sbf", name, blob, half),
        said(value, ",bsf", blob, name, half),
        said(value, ",s[f]b", name, half, blob),
    )
    for tags in (",s[f]", ",sTf", ",sFf", ",sNf", ",sIf", ",sif", ",shf", ",sdf", ",scf", ",sXf", ",sé"):
        yield osc.bundles([osc.encode(value, "JawOpen", 0.25), said(value, tags, name, half, half, half)])[0]
    yield osc.bundles([osc.encode(value, "JawOpen", 0.5), osc.encode("/VMC/Ext/VRM", "x" * 600, "title", "hash")])[0]
    yield osc.bundles([osc.encode(value, "JawOpen", 0.5), osc.encode("/VMC/Ext/T", "now"), osc.encode(value, "", 1.0)])[
        0
    ]
    yield said("/VMC/Ext/T", ",fb", half, struct.pack(">i", 1 << 30))
    yield said("/é", ",f", half)
    for length in (255, 256, 257):
        yield said("/" + "a" * (length - 1), "," + "f", half)
    for count in (63, 64, 65):
        yield said(value, ",s" + "f" * (count - 1), name, half * count)
    for length in (0.89, 0.91, 1.09, 1.11):
        yield osc.encode("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.6 * length, 0.0, 0.0, 0.8 * length)
    turn, other = (0.0, 0.6, 0.0, 0.8), (0.28, 0.0, 0.0, 0.96)
    neck, head = (
        osc.encode("/VMC/Ext/Bone/Pos", bone, 0.0, 0.0, 0.0, *it) for bone, it in (("Neck", turn), ("HEAD", other))
    )
    yield from (neck, osc.bundles([neck, head])[0], osc.bundles([head, neck])[0])
    yield osc.encode("/VMC/Ext/Bone/Pos", 1, 0.0, 0.0, 0.0, *turn)
    yield osc.encode("/VMC/Ext/Bone/Pos", "Head", 0, 0, 0, *turn, "more")
    yield osc.encode("/VMC/Ext/Bone/Pos", "Head", math.inf, 0.0, 0.0, *turn)


def odd_faces() -> Iterator[bytes]:
    """Live Link Face of other versions, with other numbers of values, without names, with weights that are too large."""

    def packet(
        values: int, *, version: int = 6, told: int | None = None, name: bytes = b"", weight: float = 0.5
    ) -> bytes:
        text = struct.pack(">i", len(name)) + name
        head = bytes([version]) + text + text + struct.pack(">ifii", 1, 0.5, 60, 1)
        return head + bytes([values if told is None else told]) + struct.pack(">f", weight) * values

    yield from (packet(values) for values in (0, 1, 52, 60, 61, 62, 100, 255))
    yield from (packet(61, version=version) for version in (0, 5, 7, 255))
    yield from (packet(61, told=told) for told in (0, 60, 62))
    yield from (packet(61, weight=weight) for weight in (1.5, -0.5, 3e38, math.nan, -math.inf))
    yield from (packet(61, name=name) for name in (b"\xff\0", b"x" * 500, b"x" * 510))
    yield packet(61) + b"\0"


SEEDS = {
    "frame": ["frame.bin"], "sound": ["sound.bin"], "ack": ["ack.bin"], "livelink": ["livelink.bin"],
    "vmc": ["vmc_arkit_1.bin", "vmc_arkit_2.bin", "vmc_arkit_3.bin", "vmc_vrm0.bin"],
}  # fmt: skip


def damaged(packet: bytes, rng: np.random.Generator) -> bytes:
    edited = bytearray(packet)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(edited) + 1))
        match int(rng.integers(7)):
            case 0 if edited:
                edited[at % len(edited)] ^= 1 << int(rng.integers(8))
            case 1:
                del edited[at:]
            case 2:
                edited[at:at] = rng.bytes(int(rng.integers(1, 9)))
            case 3:
                edited[at // 4 * 4 : at // 4 * 4 + 4] = rng.choice(WORDS)
            case 4:
                del edited[at : at + 4]
            case 5:
                edited[at:at] = edited[at : at + 64]
            case _ if edited:
                edited[at % len(edited)] = int(rng.integers(256))
    return bytes(edited)


WORDS = [
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xc0\0\0",
    b"\0\0\xc0\x7f",
    b"\x7f\x80\0\0",
    b"\0\0\0\0",
    b"\x7f\x7f\xff\xff",
]


def as_python_reads(kind: str, packet: bytes) -> tuple[int, list[float]]:
    """1: a face to be shown, 0: nothing to be shown yet, 2: no face but well, -1: refused; and the values."""
    try:
        match kind:
            case "frame":
                frame = wire.decode_frame(packet).frame
                turns_as_they_came = np.frombuffer(packet, "<f4", offset=16 + 4 * 52)
                return 1, [frame.time_s, *frame.weights.tolist(), *turns_as_they_came.tolist()]
            case "sound":
                wire.decode_sound(packet)
                return 2, []
            case "ack":
                wire.decode_ack(packet)
                return 2, []
            case "livelink":
                update = livelink.read(packet)
                return (1, _values(update)) if update.shows else (0, _values(Update()))
            case _:
                update = vmc.read(packet)
                return int(update.shows), _values(update)
    except InputError:
        return -1, []


def _values(update: Update) -> list[float]:
    weights = np.zeros(52)
    for name, value in update.values.items():
        if name in ARKIT_INDEX:
            weights[ARKIT_INDEX[name]] = min(max(value, 0.0), 1.0)
    face = vmc.face({}, update.turns)
    turns = [face.head_wxyz, *(update.turns.get(joint, IDENTITY_WXYZ) for joint in ("leftEye", "rightEye"))]
    return [update.time_s or 0.0, *weights.tolist(), *np.concatenate(turns).tolist()]
