"""GLB files that lie, rows G01 to G29 of the bad-input corpus: each ends in one of our errors, quickly, touching nothing.

The files are made here, by changing one thing in a good file.
"""

import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar3d.cli import main
from avatar3d.core.errors import InputError
from avatar3d.formats.check import check_file
from avatar3d.formats.glb import Json, glb_bytes, read_glb
from avatar3d.formats.gltf import encode_glb, load_glb
from tests.synthetic import synthetic_avatar

Make = Callable[[], bytes]


def good(*, compact: bool = False) -> bytes:
    return encode_glb(synthetic_avatar(), compact=compact)


def container(
    *chunks: tuple[bytes, bytes], version: int = 2, length: int | None = None, magic: bytes = b"glTF"
) -> bytes:
    body = b"".join(struct.pack("<I4s", len(content), kind) + content for kind, content in chunks)
    return struct.pack("<4sII", magic, version, 12 + len(body) if length is None else length) + body


def text(document: object) -> bytes:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return raw + b" " * (-len(raw) % 4)


MINIMAL = text({"asset": {"version": "2.0"}})


def edited(change: Callable[[Json], Any], *, compact: bool = False) -> Make:
    """A good file with something changed in its JSON."""

    def make() -> bytes:
        content = good(compact=compact)
        size = struct.unpack_from("<I", content, 12)[0]
        document = json.loads(content[20 : 20 + size])
        change(document)
        return glb_bytes(document, content[28 + size :])

    return make


def set_at(*path: str | int, value: object, compact: bool = False) -> Make:
    def change(document: Json) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return edited(change, compact=compact)


def with_positions(row: int, value: float, attribute: str) -> Make:
    """A good file with one number of the face changed."""

    def make() -> bytes:
        content = bytearray(good())
        size = struct.unpack_from("<I", content, 12)[0]
        document = json.loads(content[20 : 20 + size])
        accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"][attribute]]
        offset = 28 + size + document["bufferViews"][accessor["bufferView"]]["byteOffset"]
        if accessor["componentType"] == 5126:
            struct.pack_into("<f", content, offset + 4 * row, value)
        else:
            content[offset + row] = int(value)
        return bytes(content)

    return make


def sparse_change(document: Json, key: str, value: object) -> None:
    accessor = next(accessor for accessor in document["accessors"] if "sparse" in accessor)
    accessor["sparse"][key] = value if key == "count" else {**accessor["sparse"][key], **value}  # type: ignore[dict-item]


def _png_bomb(document: Json) -> None:
    document["images"][0] = {"uri": "data:image/png;base64,iVBORw0KGgo=", "name": "bomb"}


def huge_picture() -> bytes:
    """A PNG header of 40000 x 40000 pixels in place of the skin."""
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(b"\0" * 10**6)) + chunk(b"IEND", b"")
    content = good()
    size = struct.unpack_from("<I", content, 12)[0]
    document, binary = json.loads(content[20 : 20 + size]), content[28 + size :]
    binary = binary[: document["buffers"][0]["byteLength"]]
    binary += b"\0" * (-len(binary) % 4)
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(png)})
    document["images"][0] |= {"bufferView": len(document["bufferViews"]) - 1, "mimeType": "image/png"}
    document["buffers"][0]["byteLength"] = len(binary) + len(png)
    return glb_bytes(document, binary + png)


def self_child(document: Json) -> None:
    document["nodes"][3]["children"] = [3]


def cycle(document: Json) -> None:
    document["nodes"][6]["children"] = [0]


def two_parents(document: Json) -> None:
    document["nodes"][1].setdefault("children", []).append(6)


def many_morphs_of_nothing(document: Json) -> None:
    """Accessors without bytes: 52 targets of ten million zeros each."""
    accessor = {"componentType": 5126, "count": 10_000_000, "type": "VEC3", "min": [0, 0, 0], "max": [0, 0, 0]}
    document["accessors"].append(accessor)
    for target in document["meshes"][0]["primitives"][0]["targets"]:
        target["POSITION"] = len(document["accessors"]) - 1


def with_huge_number() -> bytes:
    """A translation that is infinite once it is parsed, though its JSON is sound."""
    content = set_at("nodes", 2, "translation", value=[0.5, 123454321, 0])()
    return content.replace(b"123454321", b"1e9999999", 1)


FACE = ("meshes", 0, "primitives", 0)
ROWS: dict[str, tuple[int, Make]] = {
    "G01 empty": (10, lambda: b""),
    "G02 bad magic": (11, lambda: container((b"JSON", MINIMAL), magic=b"glTG")),
    "G02 a text file": (11, lambda: b"solid head\n facet normal 0 0 1\n"),
    "G03 version 1": (11, lambda: container((b"JSON", MINIMAL), version=1)),
    "G04 length too big": (10, lambda: container((b"JSON", MINIMAL), length=10**6)),
    "G04 length too small": (10, lambda: container((b"JSON", MINIMAL), length=20)),
    "G05 cut in half": (10, lambda: good()[: len(good()) // 2]),
    "G05 JSON longer than the file": (10, lambda: struct.pack("<4sIII4s", b"glTF", 2, 20, 4000, b"JSON")),
    "G06 BIN longer than the file": (
        10,
        lambda: (
            container((b"JSON", MINIMAL))[:8]
            + struct.pack("<I", 28 + len(MINIMAL))
            + container((b"JSON", MINIMAL))[12:]
            + struct.pack("<I4s", 4000, b"BIN\0")
        ),
    ),
    "G07 unaligned chunk": (10, lambda: container((b"JSON", MINIMAL + b" "))),
    "G08 two JSON chunks": (10, lambda: container((b"JSON", MINIMAL), (b"JSON", MINIMAL))),
    "G09 BIN first": (10, lambda: container((b"BIN\0", b"\0" * 8), (b"JSON", MINIMAL))),
    "G10 byte order mark": (10, lambda: container((b"JSON", text(b"\xef\xbb\xbf" + MINIMAL)))),
    "G11 only the header": (10, lambda: struct.pack("<4sII", b"glTF", 2, 12)),
    "G12 trailing bytes": (10, lambda: good() + b"more"),
    "G12 trailing bytes counted": (
        10,
        lambda: struct.pack("<4sII", b"glTF", 2, len(good()) + 3) + good()[12:] + b"abc",
    ),
    "G13 100,000 brackets": (
        12,
        lambda: container((b"JSON", text(b'{"asset":' + b"[" * 100_000 + b"]" * 100_000 + b"}"))),
    ),
    "G13 brackets in a string are not depth": (
        10,
        lambda: container((b"JSON", text({"asset": {"version": "1.9", "generator": '\\"' + "[" * 100_000}}))),
    ),
    "G14 a million empty objects": (12, lambda: container((b"JSON", text(b"[" + b"{}," * 600_000 + b"{}]")))),
    "G15 a key twice": (
        10,
        lambda: container((b"JSON", text(b'{"asset":{"version":"2.0"},"asset":{"version":"2.0"}}'))),
    ),
    "G15 not JSON": (10, lambda: container((b"JSON", b'{"asset": nul}  '))),
    "G15 NaN": (10, lambda: container((b"JSON", text(b'{"asset":{"version":"2.0"},"x":NaN}')))),
    "G15 an array": (10, lambda: container((b"JSON", b"[1, 2, 3]   "))),
    "G15 a number of 5000 digits": (10, lambda: container((b"JSON", text(b'{"asset":' + b"9" * 5000 + b"}")))),
    "G15 not UTF-8": (10, lambda: container((b"JSON", b'{"a": "\xff\xfe"} '))),
    "G16 count of four billion": (12, set_at("accessors", 0, "count", value=4_000_000_000)),
    "G16 count of -1": (10, set_at("accessors", 0, "count", value=-1)),
    "G16 count of 1.5": (10, set_at("accessors", 0, "count", value=1.5)),
    "G16 count of true": (10, set_at("accessors", 0, "count", value=True)),
    "G16 two billion zeros without a view": (
        12,
        set_at("accessors", 0, value={"componentType": 5126, "count": 2 * 10**9, "type": "VEC3"}),
    ),
    "G16 52 times ten million zeros": (12, edited(many_morphs_of_nothing)),
    "G17 byteOffset of 1e12": (10, set_at("accessors", 0, "byteOffset", value=10**12)),
    "G17 view beyond the buffer": (10, set_at("bufferViews", 0, "byteLength", value=10**9)),
    "G17 negative offset": (10, set_at("bufferViews", 0, "byteOffset", value=-4)),
    "G17 stride of 1": (10, set_at("bufferViews", 0, "byteStride", value=1)),
    "G18 componentType 9": (10, set_at("accessors", 0, "componentType", value=9)),
    "G18 type VEC9": (10, set_at("accessors", 0, "type", value="VEC9")),
    "G19 sparse count beyond": (10, edited(lambda d: sparse_change(d, "count", 10**6), compact=True)),
    "G19 sparse indices out of range": (
        10,
        edited(lambda d: sparse_change(d, "indices", {"bufferView": d["accessors"][0]["bufferView"]}), compact=True),
    ),
    "G19 sparse view missing": (10, edited(lambda d: sparse_change(d, "values", {"bufferView": 10**6}), compact=True)),
    "G20 a node that is its own child": (10, edited(self_child)),
    "G20 a cycle": (10, edited(cycle)),
    "G20 two parents": (10, edited(two_parents)),
    "G20 a child that is not there": (10, set_at("nodes", 0, "children", value=[999])),
    "G21 a path outside": (11, set_at("buffers", 0, "uri", value="../../../../etc/passwd")),
    "G22 an address": (11, set_at("images", 0, value={"uri": "http://169.254.169.254/latest/meta-data"})),
    "G23 a picture in a data: address": (11, edited(_png_bomb)),
    "G23 a picture of 40000 x 40000": (12, huge_picture),
    "G23 a picture that is none": (10, set_at("images", 0, "bufferView", value=0)),
    "G23 a picture of another kind": (10, set_at("images", 0, "mimeType", value="image/svg+xml")),
    "G24 NaN in a position": (10, with_positions(5, float("nan"), "POSITION")),
    "G24 infinity in a normal": (10, with_positions(5, float("inf"), "NORMAL")),
    "G24 weights of 7": (10, with_positions(8, 7.0, "WEIGHTS_0")),
    "G24 a joint that is not there": (10, with_positions(8, 200, "JOINTS_0")),
    "G25 an unknown required extension": (11, set_at("extensionsRequired", value=["EXT_made_up"])),
    "G26 Draco": (11, set_at("extensionsRequired", value=["KHR_draco_mesh_compression"])),
    "G28 more names than targets": (10, set_at("meshes", 0, "extras", value={"targetNames": ["x"] * 60})),
    "no asset": (10, lambda: container((b"JSON", b"{}  "))),
    "an indices accessor that points at no vertex": (10, set_at(*FACE, "indices", value=10**6)),
    "a skin without joints": (10, set_at("skins", 0, "joints", value=[])),
    "a skin with a joint twice": (10, set_at("skins", 0, "joints", value=[0, 0])),
    "nodes that are no objects": (10, set_at("nodes", value=[1, 2, 3])),
    "meshes that are an object": (10, set_at("meshes", value={"a": 1})),
    "a translation of words": (10, set_at("nodes", 2, "translation", value=["a", "b", "c"])),
    "a translation of 1e999": (10, with_huge_number),
    "a colour of three": (10, set_at("materials", 0, "pbrMetallicRoughness", "baseColorFactor", value=[1, 1, 1])),
    "attributes that are a list": (10, set_at(*FACE, "attributes", value=[])),
    "targets that are a number": (10, set_at(*FACE, "targets", value=7)),
}
STRANGE: dict[str, tuple[str, Make]] = {
    "G28 60 wrong names": (
        "lacks",
        edited(
            lambda d: (
                [m.pop("extras") for m in d["meshes"][:1]]
                and d["meshes"][0]["primitives"][0].update(extras={"targetNames": [f"s{i}" for i in range(52)]})
            )
        ),
    ),
    "no skin": ("0 skins", edited(lambda d: (d.pop("skins"), [n.pop("skin", 0) for n in d["nodes"]]))),
    "only a mesh": ("no NORMAL", edited(lambda d: d["meshes"][1]["primitives"][0]["attributes"].pop("NORMAL"))),
}


@pytest.fixture(scope="module")
def canary() -> list[str]:
    """Files opened and addresses asked for while it is armed (its first entry); audit hooks cannot be removed."""
    seen: list[str] = ["off"]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if seen[0] == "on" and event in (
            "open",
            "socket.connect",
            "socket.getaddrinfo",
            "subprocess.Popen",
            "os.system",
        ):
            seen.append(f"{event} {arguments[0]!r}")

    sys.addaudithook(hook)
    return seen


@pytest.mark.parametrize("row", ROWS)
def test_a_lying_file_ends_in_its_error(row: str, tmp_path: Path, canary: list[str]) -> None:
    code, make = ROWS[row]
    file = tmp_path / "head.glb"
    file.write_bytes(make())
    canary[:] = ["on"]
    began_s = time.process_time()
    try:
        with pytest.raises(InputError) as caught:
            load_glb(file)
    finally:
        canary[0] = "off"
    assert time.process_time() - began_s < 1
    assert caught.value.exit_code == code, caught.value
    assert "head.glb" in caught.value.message
    assert [event for event in canary[1:] if str(file) not in event and ".py" not in event] == []
    with pytest.raises(InputError) as checked:
        check_file(file, khronos=False)
    assert checked.value.exit_code == code


@pytest.mark.parametrize("row", STRANGE)
def test_a_sound_file_that_is_no_avatar_fails_the_check_with_a_reason(row: str, tmp_path: Path) -> None:
    reason, make = STRANGE[row]
    file = tmp_path / "head.glb"
    file.write_bytes(make())
    assert any(reason in finding.reason for finding in check_file(file, khronos=False).failures)


@pytest.mark.parametrize(
    ("row", "code"), [("G05 cut in half", 10), ("G22 an address", 11), ("G13 100,000 brackets", 12)]
)
def test_the_command_line_gives_the_exit_code_and_no_traceback(row: str, code: int, tmp_path: Path) -> None:
    file = tmp_path / "head.glb"
    file.write_bytes(ROWS[row][1]())
    run = CliRunner().invoke(main, ["check", str(file), "--json"])
    assert run.exit_code == code
    told = json.loads(run.stdout)
    assert (told["code"], told["file"]) == (code, str(file))
    assert "Traceback" not in run.output


def test_the_command_line_passes_a_good_file_and_fails_a_bad_one(tmp_path: Path) -> None:
    file = tmp_path / "head.glb"
    file.write_bytes(good())
    assert CliRunner().invoke(main, ["check", str(file), "--no-khronos"]).exit_code == 0
    file.write_bytes(set_at("asset", "extras", value={})())
    run = CliRunner().invoke(main, ["check", str(file), "--no-khronos"])
    assert run.exit_code == 30
    assert "asset.extras.synthetic is not true" in run.stdout


@pytest.mark.parametrize("what", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(what: str, tmp_path: Path) -> None:
    import os

    path = tmp_path / "head.glb"
    if what == "folder":
        path.mkdir()
    if what == "pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("no pipes on this system")
        os.mkfifo(path)
    with pytest.raises(InputError) as caught:
        load_glb(path)
    assert caught.value.exit_code == 10


def test_a_gigabyte_of_spaces_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "head.glb"
    with file.open("wb") as stream:
        stream.write(struct.pack("<4sIII4s", b"glTF", 2, 400_000_000, 399_999_980, b"JSON"))
        stream.truncate(400_000_000)  # a sparse file: no disk is used
    with pytest.raises(InputError) as caught:
        read_glb(file)
    assert caught.value.exit_code == 12


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read the Linux way")
def test_the_worst_files_together_cost_less_than_200_megabytes(tmp_path: Path) -> None:
    for number, (_, make) in enumerate(ROWS.values()):
        (tmp_path / f"{number}.glb").write_bytes(make())
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from avatar3d.core.errors import InputError; from avatar3d.formats.gltf import load_glb\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "for file in Path(sys.argv[1]).glob('*.glb'):\n"
        "    try: load_glb(file)\n"
        "    except InputError: pass\n"
        "print(peak() - before)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 200


GOOD = {compact: good(compact=compact) for compact in (False, True)}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_any_flipped_bytes_load_or_end_in_our_error(
    tmp_path: Path, compact: bool, changes: list[tuple[float, int]], in_json: bool
) -> None:
    content = bytearray(GOOD[compact])
    reach = 20 + struct.unpack_from("<I", content, 12)[0] if in_json else len(content)
    for place, value in changes:
        content[min(int(place * reach), len(content) - 1)] = value
    file = tmp_path / "head.glb"
    file.write_bytes(bytes(content))
    try:
        avatar = load_glb(file)
    except InputError:
        return
    assert all(np.isfinite(mesh.positions).all() for mesh in avatar.meshes)
