"""The Unity core under mono against a bridge that runs. Short: bench.unity has the figures, and ten thousand frames."""

import asyncio
import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from bench import unity as bench
from tests.engine.unity_hostile import LIES, hostile_server
from tools import unity_build

pytestmark = pytest.mark.engine
GOLDEN = unity_build.PACKAGE.parent / "tests/golden/live"


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core, and a program that listens with it."""
    if missing := unity_build.tools_missing():
        pytest.skip(f"no C# compiler: apt-get install {' '.join(missing)}")
    return bench.program(tmp_path_factory.mktemp("unity"))


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_frames_come_whole_and_in_order_by_all_three_ways_and_make_no_garbage(probe: Path, tmp_path: Path) -> None:
    told = bench.stream(probe, tmp_path, frames=600, rate_hz=60)
    assert [row["by"] for row in told["rows"]] == ["websocket", "livelink", "vmc"]
    for row in told["rows"]:
        assert (row["frames"], row["torn"], row["again"]) == (600, 0, 0), row
        # A client that a busy machine stops for longer than its credit is sent the newest: that is no loss on the way.
        assert row["lost"] <= (30 if row["by"] == "websocket" else 0), row
        assert row["allocated_bytes"] < 4096, row  # one object a frame would be 9,600
        assert row["p50_ms"] < 100, row
    assert told["collections"] == 0


def test_a_killed_bridge_that_comes_back_is_heard_again_by_all_three_ways(probe: Path, tmp_path: Path) -> None:
    back_s = bench.restart(probe, tmp_path)
    assert set(back_s) == {"websocket", "livelink", "vmc"}
    assert max(back_s.values()) < 10  # 3 on a machine that has nothing else to do: bench.unity


def test_a_pinned_certificate_is_believed_and_any_other_is_not(probe: Path, tmp_path: Path) -> None:
    told = bench.secure(probe, tmp_path, frames=60)
    assert (told["live"], told["refused"], told["torn"]) == (True, True, 0)
    assert told["frames"] >= 60


def test_hostile_datagrams_cost_a_line_a_second_and_no_frame(probe: Path, tmp_path: Path) -> None:
    out = tmp_path / "probe.jsonl"

    async def run() -> tuple[list[str], str]:
        link, vmc = bench.free_port(), bench.free_port()
        words = ("mono", str(probe), "url=", f"livelink={link}", f"vmc={vmc}", "frames=100", "seconds=20", f"out={out}")
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        ended = threading.Event()
        flooding = asyncio.create_task(asyncio.to_thread(flood, (link, vmc), ended.is_set))
        await asyncio.sleep(2.5)  # nobody else speaks yet
        words = (
            "--clip",
            str(bench.ramp(tmp_path)),
            "--loop",
            f"livelink://127.0.0.1:{link}",
            f"vmc://127.0.0.1:{vmc}",
        )
        async with bench.bridge_process(*words):
            said, faults = await process.communicate()
        ended.set()
        await flooding
        assert process.returncode == 0
        return said.decode().splitlines(), faults.decode()

    lines, faults = asyncio.run(run())
    assert faults == ""
    came = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["kind"]: row["frames"] >= 100 for row in came if "frames" in row} == {"livelink": True, "vmc": True}
    assert {line.split()[1] for line in lines if " hears " in line} == {"livelink", "vmc"}
    for name in ("livelink", "vmc"):
        at_s = [float(line.split()[0]) for line in lines if f"{name} dropped" in line]
        assert at_s
        assert all(later - earlier > 0.99 for earlier, later in pairwise(at_s))


def flood(ports: tuple[int, ...], ended: Callable[[], bool]) -> None:
    """Datagrams with wounds, and plain garbage, until told to end."""
    chance = random.Random(3)
    seeds = [(GOLDEN / name).read_bytes() for name in ("livelink.bin", "vmc_arkit_1.bin", "vmc_vrm1.bin")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not ended():
            for port in ports:
                wounded = bytearray(chance.choice(seeds))
                del wounded[chance.randrange(len(wounded)) :]
                wounded[:4] = chance.randbytes(4)  # no magic of any dialect, so that nobody hears us
                sender.sendto(bytes(wounded), ("127.0.0.1", port))
            time.sleep(0.002)


def test_a_server_that_lies_is_left_and_tried_again_and_never_crashes_the_client(probe: Path, tmp_path: Path) -> None:
    with hostile_server() as (url, met):
        words = ["mono", str(probe), f"url={url}", "token=x", "frames=1", "seconds=15", f"out={tmp_path / 'out'}"]
        run = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    assert run.stderr == ""
    assert len(met) >= 6, met
    assert met == list(range(len(LIES)))
    assert "state Refused" in run.stdout  # at last it answers that it is no WebSocket at all
