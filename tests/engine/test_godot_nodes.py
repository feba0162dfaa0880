"""The Godot 4 nodes, put into the language of Godot 3.2 (godot_port.py), with an imported head at a live bridge. Not Godot 4 itself."""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, BlendshapeClip, Frame
from avatar3d.formats.clip_npz import save_clip
from avatar3d.formats.gltf import save_glb
from avatar3d.live.dialects import DIALECTS, osc
from avatar3d.live.dialects.turns import times
from avatar3d.live.process import bridge_process
from tests.engine.godot_port import ported
from tests.engine.godot_project import ROOT, godot_project, run, said, start
from tests.engine.read_godot import PRECISE, imported
from tests.engine.test_godot_live import free_port, told_by
from tests.synthetic import synthetic_avatar
from tests.unit.live.faces import degrees_between, face, random_face
from tools.bindings_gdscript import XR_FACE, xr_sums

pytestmark = pytest.mark.engine
ADDON = ROOT / "godot_bridge/addons/avatar3d"
SHOWN = random_face(3)


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def made(folder: Path, avatar: Avatar) -> Path:
    """A project with the nodes and a head."""
    project = godot_project(folder, {"avatar.glb.import": PRECISE.encode()})
    save_glb(avatar, project / "avatar.glb")
    (project / "receiver.gd").write_text(ported(ADDON / "avatar3d_receiver.gd"))
    (project / "face.gd").write_text(ported(ADDON / "avatar3d_face.gd"))
    (project / "wire/xr_face_generated.gd").write_text(ported(ROOT / XR_FACE))
    assert imported(project)
    return project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path / "project", synthetic_avatar())


def with_eyes_that_look() -> Avatar:
    """The egg, its left eye (a copy of the lashes) with eyeLook shapes."""
    avatar = synthetic_avatar()
    lashes = next(mesh for mesh in avatar.meshes if mesh.name == "lashes")
    meshes = [replace(lashes, name="eyeLeft") if mesh.name == "eyeLeft" else mesh for mesh in avatar.meshes]
    return replace(avatar, meshes=tuple(meshes))


def with_eyelashes() -> Avatar:
    """The egg, its lashes called eyelashes: they have eyeLook shapes, its eyes have none."""
    avatar = synthetic_avatar()
    meshes = [replace(mesh, name="eyelashes") if mesh.name == "lashes" else mesh for mesh in avatar.meshes]
    return replace(avatar, meshes=tuple(meshes))


def frames(seconds: int = 60) -> tuple[Frame, ...]:
    return tuple(
        Frame(at / 30, SHOWN.weights, SHOWN.head_wxyz, SHOWN.left_eye_wxyz, SHOWN.right_eye_wxyz)
        for at in range(30 * seconds)
    )


def ask(project: Path, **words: object) -> None:
    (project / "request.json").write_text(json.dumps(words))


def assert_shown(told: dict, *, eyes_by_bones: bool = False) -> None:
    """Every shape on every mesh, head and eyes, the tracker."""
    weights = dict(zip(ARKIT_NAMES, SHOWN.weights.tolist(), strict=True))
    assert "face" in told["meshes"]
    for values in told["meshes"].values():
        for name, value in values.items():
            assert value == pytest.approx(weights.get(name, 0), abs=1e-4), name
    turns = {name: np.array(wxyz) for name, wxyz in told["bones"].items()}
    still = np.array([1.0, 0, 0, 0])
    assert degrees_between(turns["head"], SHOWN.head_wxyz) < 0.1
    assert degrees_between(turns["left_eye"], SHOWN.left_eye_wxyz if eyes_by_bones else still) < 0.1
    assert degrees_between(turns["right_eye"], SHOWN.right_eye_wxyz if eyes_by_bones else still) < 0.1
    assert degrees_between(turns["jaw"], still) == 0
    for entry, terms in xr_sums().items():
        expected = sum(share * weights[name] for name, share in terms.items())
        assert told["tracker"][entry] == pytest.approx(expected, abs=1e-4), entry


AUTO, BY_SHAPES, BY_BONES = 0, 1, 2


@pytest.mark.parametrize(
    ("avatar", "eyes", "by_bones"),
    [
        (synthetic_avatar, BY_SHAPES, False),
        (with_eyelashes, AUTO, True),
        (with_eyes_that_look, AUTO, False),
        (with_eyes_that_look, BY_BONES, True),
    ],
)
def test_a_bridge_moves_shapes_bones_and_the_tracker(
    avatar: Callable[[], Avatar], eyes: int, by_bones: bool, tmp_path: Path
) -> None:
    project = made(tmp_path / "project", avatar())
    clip = save_clip(BlendshapeClip(frames()), tmp_path / "still.npz")

    async def go() -> list[str]:
        async with bridge_process("--clip", str(clip), "--loop") as (url, token):
            ask(project, receiver={"url": url, "token": token}, seconds=3, eyes=eyes)
            return await asyncio.to_thread(run, project, "nodes.gd")

    lines = asyncio.run(go())
    told = told_by(project)
    assert [line for line in lines if "SCRIPT ERROR" in line] == []
    assert (told["connected"], told["refused"], told["ignored"], told["receiving"]) == (1, [], 0, True)
    assert told["moved"] > 60
    assert_shown(told, eyes_by_bones=by_bones)


def test_bones_with_other_axes_turn_alike(project: Path, tmp_path: Path) -> None:
    """The head's turn is told in the head's axes; the eyes' too, on top of the head's."""
    clip = save_clip(BlendshapeClip(frames()), tmp_path / "still.npz")

    async def go() -> None:
        async with bridge_process("--clip", str(clip), "--loop") as (url, token):
            ask(project, receiver={"url": url, "token": token}, seconds=3, eyes=BY_BONES, other_axes=True)
            await asyncio.to_thread(run, project, "nodes.gd")

    asyncio.run(go())
    told = told_by(project)
    assert degrees_between(np.array(told["bones"]["head"]), SHOWN.head_wxyz) > 1  # other axes, indeed
    assert degrees_between(np.array(told["turned"]["head"]), SHOWN.head_wxyz) < 0.1
    both = np.array(times(tuple(SHOWN.head_wxyz.tolist()), tuple(SHOWN.left_eye_wxyz.tolist())))
    assert degrees_between(np.array(told["turned"]["left_eye"]), both) < 0.1


def test_it_comes_back_to_a_bridge_that_was_killed(project: Path, tmp_path: Path) -> None:
    clip, port = save_clip(BlendshapeClip(frames()), tmp_path / "still.npz"), free_port(socket.SOCK_STREAM)

    async def go() -> list[str]:
        async with bridge_process("--clip", str(clip), "--loop", port=port) as bridge:
            url, token = bridge
            ask(project, receiver={"url": url, "token": token}, seconds=14, eyes=BY_BONES)
            godot = start(project, "nodes.gd")
            await asyncio.sleep(3)
            bridge.process.kill()
            await bridge.process.wait()
        async with bridge_process("--clip", str(clip), "--loop", port=port):
            return await asyncio.to_thread(said, godot)

    lines = asyncio.run(go())
    told = told_by(project)
    assert [line for line in lines if "SCRIPT ERROR" in line] == []
    assert (told["connected"], told["refused"], told["receiving"]) == (2, [], True)
    assert told["disconnected"] >= 1
    assert_shown(told, eyes_by_bones=True)


def test_a_wrong_token_is_told_once(project: Path, tmp_path: Path) -> None:
    clip = save_clip(BlendshapeClip(frames(5)), tmp_path / "still.npz")

    async def go() -> None:
        async with bridge_process("--clip", str(clip), "--loop") as (url, _):
            ask(project, receiver={"url": url, "token": "x" * 43}, seconds=3)
            await asyncio.to_thread(run, project, "nodes.gd")

    asyncio.run(go())
    told = told_by(project)
    assert (told["connected"], told["moved"], told["receiving"]) == (0, 0, False)
    assert [why.split(".")[0] for why in told["refused"]] == ["The bridge says TOKEN"]


@pytest.mark.parametrize(("dialect", "source"), [("livelink", 1), ("vmc", 2)])
def test_datagrams_move_it_and_those_of_others_do_not(project: Path, dialect: str, source: int) -> None:
    """A second sender, and five hundred packets of noise a second: one line a second at most, and the face stays the first one's."""
    port, ended = free_port(), threading.Event()
    encode = DIALECTS[dialect].encoder({})
    ask(project, receiver={"source": source, "udp_port": port}, seconds=4)

    def send() -> None:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        rng, other = np.random.default_rng(1), random_face(9)
        while not ended.is_set():
            now_s = time.monotonic()
            shown = Frame(now_s % 1_000, SHOWN.weights, SHOWN.head_wxyz, SHOWN.left_eye_wxyz, SHOWN.right_eye_wxyz)
            for packet in encode(shown):
                first.sendto(packet, ("127.0.0.1", port))
            if (project / "moves").exists():
                for packet in encode(Frame(now_s % 1_000, other.weights, other.head_wxyz, *[other.left_eye_wxyz] * 2)):
                    second.sendto(packet, ("127.0.0.1", port))
            for _ in range(8):
                first.sendto(rng.bytes(int(rng.integers(1, 400))), ("127.0.0.1", port))
            time.sleep(1 / 60)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        lines = run(project, "nodes.gd")
    finally:
        ended.set()
        sender.join()
    told = told_by(project)
    assert [line for line in lines if "SCRIPT ERROR" in line] == []
    warned = [line for line in lines if "none of ours" in line]
    assert 1 <= len(warned) <= 5
    assert told["ignored"] > 100
    assert told["moved"] > 60
    assert_shown(told, eyes_by_bones=True)


def heard(folder: Path, dialect: str, *steps: tuple[int, float, list[bytes]] | None) -> list[dict]:
    """What the receiver took after each (sender, seconds, datagrams); None restarts it."""
    port, project = free_port(), godot_project(folder)
    (project / "receiver.gd").write_text(ported(ADDON / "avatar3d_receiver.gd"))
    told = [
        {"restart": True} if step is None else
        {"sender": step[0], "now_s": step[1], "datagrams": [base64.b64encode(each).decode() for each in step[2]]}
        for step in steps
    ]  # fmt: skip
    ask(project, source={"livelink": 1, "vmc": 2}[dialect], port=port, steps=told)
    lines = run(project, "senders.gd")
    assert lines == [], lines
    return told_by(project)


@pytest.mark.parametrize("dialect", ["livelink", "vmc"])
def test_a_datagram_that_was_overtaken_is_not_shown_but_a_clock_that_began_again_is(
    dialect: str, tmp_path: Path
) -> None:
    encode = DIALECTS[dialect].encoder({})
    steps = [
        (0, now_s, encode(face(told_s)))
        for now_s, told_s in ((0, 100), (0.1, 99), (0.2, 101), (0.6, 95), (0.8, 95), (0.9, 3))
    ]
    told = heard(tmp_path / "project", dialect, *steps)
    assert [(each["count"], each["time_s"]) for each in told] == [
        (1, 100),
        (1, 100),
        (2, 101),
        (2, 101),
        (3, 95),
        (4, 3),
    ]


def test_what_one_sender_said_is_no_part_of_the_next_ones_face(tmp_path: Path) -> None:
    neck = osc.encode("/VMC/Ext/Bone/Pos", "Neck", 0.0, 0.0, 0.0, 0.6, 0.0, 0.0, 0.8)
    first = [neck, *DIALECTS["vmc"].encoder({})(face(500, jawOpen=1))]
    second = [
        osc.encode("/VMC/Ext/T", 3.0),
        osc.encode("/VMC/Ext/Blend/Val", "TongueOut", 1.0),
        osc.encode("/VMC/Ext/Bone/Pos", "Head", *[0.0] * 6, 1.0),
        osc.encode("/VMC/Ext/Blend/Apply"),
    ]
    steps = (0, 0.0, first), (1, 4.9, second), (1, 5.0, second), None, (0, 5.1, first)
    one, early, late, restarted, again = heard(tmp_path / "project", "vmc", *steps)
    jaw, tongue = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["tongueOut"]
    np.testing.assert_allclose(one["head"], [0.8, 0.6, 0, 0], atol=1e-6)
    assert early == one
    assert (late["count"], late["time_s"], late["head"]) == (2, 3, [1, 0, 0, 0])
    assert (late["weights"][jaw], late["weights"][tongue]) == (0, 1)
    assert restarted == late
    assert (again["count"], again["weights"][jaw], again["weights"][tongue]) == (3, 1, 0), "a restart waits for nobody"
