"""Godot 3.2 at a live bridge: WebSocket with a token, Live Link and VMC by UDP, a bridge that was killed, a bridge that falls silent."""

import asyncio
import json
import socket
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import BlendshapeClip
from avatar3d.formats.clip_npz import save_clip
from avatar3d.live.process import bridge_process
from avatar3d.live.track import presence
from tests.engine.godot_project import godot_project, run, said, start
from tests.unit.live.faces import face

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A jaw that is open by a half, a minute long."""
    frames = tuple(face(at / 30, jawOpen=0.5) for at in range(1_800))
    return save_clip(BlendshapeClip(frames), tmp_path / "half.npz")


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def request(project: Path, **words: object) -> None:
    (project / "request.json").write_text(json.dumps(words))


def told_by(project: Path) -> dict:
    return json.loads((project / "told.json").read_text())


def test_it_follows_the_bridge_by_websocket_live_link_and_vmc(clip: Path, tmp_path: Path) -> None:
    project, livelink, vmc = godot_project(tmp_path / "project"), free_port(), free_port()

    async def go() -> list[str]:
        targets = (f"livelink://127.0.0.1:{livelink}", f"vmc://127.0.0.1:{vmc}")
        async with bridge_process("--clip", str(clip), "--loop", *targets) as (url, token):
            request(project, url=url, token=token, livelink=livelink, vmc=vmc, seconds=4)
            return await asyncio.to_thread(run, project, "live.gd")

    lines = asyncio.run(go())
    told = told_by(project)
    assert lines == []
    assert (told["refused"], told["refusal"], told["lost_s"]) == (0, "", [])
    seqs = np.array(told["seqs"])
    assert len(seqs) > 150
    assert (np.diff(seqs) > 0).all()
    assert (seqs[-1] - seqs[0] + 1 - len(seqs)) / len(seqs) < 0.1  # it acknowledges: it is never held back for long
    assert told["livelink"] > 150
    assert told["vmc"] > 150
    jaw = np.array(told["jaw"])
    there = int(np.argmax(jaw > 0.4999))  # the clip takes the face over within 150 ms, and holds it
    assert len(jaw) - there > 100
    assert (np.diff(jaw[: there + 1]) > -1e-6).all()
    assert set(np.round(jaw[there:], 4)) == {0.5}


def test_a_wrong_token_is_told_and_not_tried_again(clip: Path, tmp_path: Path) -> None:
    project = godot_project(tmp_path / "project")

    async def go() -> None:
        async with bridge_process("--clip", str(clip), "--loop") as (url, _):
            request(project, url=url, token="x" * 43, seconds=2)
            await asyncio.to_thread(run, project, "live.gd")

    asyncio.run(go())
    told = told_by(project)
    assert told["seqs"] == []
    assert len(told["lost_s"]) == 1
    assert told["refusal"].startswith("The bridge says TOKEN. Copy the address")


def test_it_is_back_within_three_seconds_after_the_bridge_was_killed(clip: Path, tmp_path: Path) -> None:
    project, port = godot_project(tmp_path / "project"), free_port(socket.SOCK_STREAM)

    async def go() -> list[str]:
        async with bridge_process("--clip", str(clip), "--loop", port=port) as bridge:
            url, token = bridge
            request(project, url=url, token=token, seconds=12)
            godot = start(project, "live.gd")
            await asyncio.sleep(2)
            bridge.process.kill()
            await bridge.process.wait()
            began_s = asyncio.get_running_loop().time()
        async with bridge_process("--clip", str(clip), "--loop", port=port):
            away_s.append(asyncio.get_running_loop().time() - began_s)
            return await asyncio.to_thread(said, godot)

    away_s: list[float] = []
    lines = asyncio.run(go())
    told = told_by(project)
    assert len(told["back_s"]) == 1
    assert told["back_s"][0] - away_s[0] < 3
    assert told["refusal"] == ""
    assert lines == []


def test_what_is_shown_is_held_and_eased_out_when_nothing_comes(tmp_path: Path) -> None:
    project = godot_project(tmp_path / "project")
    assert run(project, "keep.gd") == []
    told = told_by(project)
    for ms, moves, jaw, brow, head in told["shown"]:
        share = presence(ms / 1000)
        assert moves == (ms < 5_000)
        assert jaw == pytest.approx(share, abs=2e-6)
        assert brow == 0
        assert np.linalg.norm(head) == pytest.approx(1, abs=1e-5)
        if ms <= 250:
            np.testing.assert_allclose(head, [0.6, -0.8, 0, 0], atol=1e-6)
        if ms >= 750:
            assert head == [1, 0, 0, 0]


def test_it_says_what_the_protocol_asks_for(tmp_path: Path) -> None:
    project = godot_project(tmp_path / "project")
    assert run(project, "keep.gd") == []
    told = told_by(project)
    identify = {
        "type": "identify",
        "version": 1,
        "frames": True,
        "sound": False,
        "pairing_code": "123-456",
        "name": "test",
    }
    assert told["said"] == [None, [identify], [], {"type": "clock", "sent_s": 1}, None]
    assert told["media_time_s"] == pytest.approx(101.001, abs=1e-6)
    assert told["acks"] == [-1, -1, 6, -1, 8, -1, -1]  # every second tick, as it was told to
    assert told["new"] == [True, True, False]
    kept = {"type": "identify", "version": 1, "frames": True, "sound": False, "token": "kept"}
    assert told["token"] == ["kept", [kept]]
    assert told["pauses"] == pytest.approx([0.2, 0.4, 0.8, 1.6, 2, 2, -1, -1, -1, -1])
    assert "TOKEN" in told["refusals"][0]
    assert told["refusals"][2] == "The bridge closed with 1000."
