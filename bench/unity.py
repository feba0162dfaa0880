"""The Unity core under mono against a live bridge: frames lost, torn and late, garbage, and how soon it is back after a kill -9.

    python -m bench.unity [--frames 10000] [--rate 60] [--restarts 3]

One process of mono listens by WebSocket, Live Link Face and VMC at once. A frame's way is from the bridge's sending it (bench/sent.py) until
the core has it; `due` counts from when the tick should have been, so that the bridge's own lateness is in it. (WebSocket
messages leave just before the stamp: below 0 is within that gap.) All 52 weights of a frame are equal: one that is torn is seen.
Every frame that the bridge made is in its own recording: what is not received is counted as lost.
"""

import argparse
import asyncio
import hashlib
import json
import os
import signal
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar3d.core.blendshapes import BlendshapeClip, Frame, neutral_frame
from avatar3d.formats.clip_npz import load_clip, save_clip
from avatar3d.live.client import connect
from avatar3d.live.process import BridgeProcess, bridge_process
from bench.measure import save_result, show
from bench.sent import Stamps
from tools import unity_build

TRANSPORTS: Final = ("websocket", "livelink", "vmc")
LATE_MS: Final = 5.0
BACK_S: Final = 3.0
BYTES_PER_FRAME: Final = 1.0
"""Once in a while a table inside the runtime grows; one object a frame would be 16 bytes at least."""
_RAMP_S: Final = 10.0


def program(folder: Path) -> Path:
    """The probe, compiled."""
    unity_build.build_core(folder)
    return unity_build.build_program(folder, unity_build.TESTS / "Probe.cs")


def stream(probe: Path, folder: Path, frames: int, rate_hz: int) -> dict[str, Any]:
    """So many frames by all three ways; one row for each, and what the bridge says of itself."""
    return asyncio.run(_stream(probe, folder, frames, rate_hz))


async def _stream(probe: Path, folder: Path, frames: int, rate_hz: int) -> dict[str, Any]:
    link, vmc, take, out = free_port(), free_port(), folder / "take.npz", folder / "probe.jsonl"
    stamps = Stamps()
    ports = f"livelink://127.0.0.1:{stamps.port}?rate={rate_hz}", f"livelink://127.0.0.1:{link}?rate={rate_hz}"
    words = ("--clip", str(ramp(folder)), "--loop", "--rate", str(rate_hz), *ports, f"vmc://127.0.0.1:{vmc}", str(take))
    async with bridge_process(*words) as bridge:
        async with connect(*bridge, frames=False, sound=False) as client:
            await asyncio.sleep(2.5)  # until the clock was asked twice
            media_less_monotonic_s = client.media_time_s() - time.monotonic()
        told = {"livelink": link, "vmc": vmc, "frames": frames, "seconds": frames / rate_hz * 1.5 + 20, "out": out}
        async with probing(probe, bridge, **told) as process:
            await process.wait()
    stamps.close()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    made = np.round(np.array([frame.time_s for frame in load_clip(take).frames]) * rate_hz).astype(int)
    sent_s = {round(time_s * rate_hz): at_s + media_less_monotonic_s for time_s, at_s in stamps.sent_s.items()}
    rows = [_row(name, lines, made, sent_s, rate_hz) for name in TRANSPORTS]
    whole = next(line for line in lines if line["kind"] == "process")
    return {"rows": rows, "bridge": dict(bridge.ran), "collections": whole["collections"], "clock_error_ms": whole["clock_error_ms"]}  # fmt: skip


def _row(
    name: str, lines: Sequence[dict[str, Any]], made: np.ndarray, sent_s: dict[int, float], rate_hz: int
) -> dict[str, Any]:
    summary = next(line for line in lines if line["kind"] == name)
    came = [line for line in lines if line["kind"] == f"{name}_frame"]
    due_ms = 1000 * np.array([line["media_s"] - line["told_s"] for line in came])
    ticks = np.round(np.array([line["told_s"] for line in came]) * rate_hz).astype(int)
    way_ms = 1000 * np.array([line["media_s"] - sent_s[tick] for line, tick in zip(came, ticks.tolist(), strict=True) if tick in sent_s])  # fmt: skip
    p50, p99 = np.percentile(way_ms, [50, 99])
    return {
        "by": name, "frames": len(came), "lost": lost(ticks, made), "torn": summary["torn"], "again": int((np.diff(ticks) <= 0).sum()),
        "p50_ms": float(p50), "p99_ms": float(p99), "most_ms": float(way_ms.max()), "due_p99_ms": float(np.percentile(due_ms, 99)),
        "timed": len(way_ms), "allocated_bytes": summary["allocated_bytes"],
    }  # fmt: skip


def lost(came: np.ndarray, made: np.ndarray) -> int:
    """Ticks between the first and the last that came which the bridge made and which did not come.

    `made` counts from the bridge's first tick, whose number nobody tells: it is the one with which all that came was made.
    """
    missing = len(set(range(int(came[0]), int(came[-1]) + 1)) - set(came.tolist()))
    if not missing:
        return 0
    for first in range(int(came[0]) - len(made), int(came[0]) + 1):
        numbers = set((made + first).tolist())
        if set(came.tolist()) <= numbers:
            return len([each for each in numbers if came[0] <= each <= came[-1]]) - len(set(came.tolist()))
    return missing


def restart(probe: Path, folder: Path) -> dict[str, float]:
    """Kill -9 the bridge, start it again at the same port: seconds from then on until each way is back."""
    return asyncio.run(_restart(probe, folder))


async def _restart(probe: Path, folder: Path) -> dict[str, float]:
    link, vmc, port = free_port(), free_port(), free_port()
    words = ("--clip", str(ramp(folder)), "--loop", f"livelink://127.0.0.1:{link}", f"vmc://127.0.0.1:{vmc}")
    told = {"livelink": link, "vmc": vmc, "frames": 10**6, "seconds": 60, "out": os.devnull}
    async with bridge_process(*words, port=port) as bridge, probing(probe, bridge, **told) as process:
        await _heard(process, set(TRANSPORTS))
        await asyncio.sleep(1.5)
        bridge.process.send_signal(signal.SIGKILL)
        await bridge.process.wait()
        async with bridge_process(*words, port=port):
            began_s = time.monotonic()
            at_s = await _heard(process, set(TRANSPORTS))
    return {name: at_s[name] - began_s for name in TRANSPORTS}


async def _heard(process: asyncio.subprocess.Process, wanted: set[str]) -> dict[str, float]:
    """When each of these said that it is live, or live again."""
    at_s: dict[str, float] = {}
    assert process.stdout
    while wanted - set(at_s):
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        if not line:
            raise RuntimeError(f"the probe ended; still not heard: {wanted - set(at_s)}")
        for name, sign in (("websocket", "state Live"), ("livelink", "livelink at"), ("vmc", "vmc at")):
            if sign in line and (name == "websocket" or "hears" in line):
                at_s[name] = time.monotonic()
    return at_s


def secure(probe: Path, folder: Path, frames: int) -> dict[str, Any]:
    """By wss:// with the pinned certificate; and what a wrong fingerprint is told."""
    return asyncio.run(_secure(probe, folder, frames))


async def _secure(probe: Path, folder: Path, frames: int) -> dict[str, Any]:
    out = folder / "secure.jsonl"
    async with bridge_process("--clip", str(ramp(folder)), "--loop", "--lan") as bridge:
        port = int(bridge.url.rstrip("/").rsplit(":", 1)[1])
        bridge.url = f"wss://127.0.0.1:{port}/"
        pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        async with probing(probe, bridge, frames=frames, seconds=30, out=out, fingerprint=fingerprint) as process:
            told = (await process.communicate())[0].decode()
        async with probing(probe, bridge, frames=1, seconds=3, out=os.devnull, fingerprint="0" * 64) as process:
            refused = (await process.communicate())[0].decode()
    summary = next(json.loads(line) for line in out.read_text().splitlines() if '"kind": "websocket"' in line)
    return {"frames": summary["frames"], "torn": summary["torn"], "allocated_bytes": summary["allocated_bytes"], "live": "state Live" in told, "refused": "state Refused" in refused and "state Live" not in refused}  # fmt: skip


@asynccontextmanager
async def probing(probe: Path, bridge: BridgeProcess, **told: object) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The probe beside a bridge; it ends with the block."""
    words = {"url": bridge.url, "token": bridge.token} | told
    process = await asyncio.create_subprocess_exec(
        "mono", "--debug", str(probe), *(f"{name}={value}" for name, value in words.items()), stdout=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        yield process
        if process.returncode not in (None, 0):
            raise RuntimeError(f"the probe ended with {process.returncode}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def ramp(folder: Path) -> Path:
    """A clip of which all 52 weights rise alike."""
    path = folder / "ramp.npz"
    count = int(30 * _RAMP_S)
    still = neutral_frame(0)
    frames = [Frame(at / 30, np.full(52, at / count, np.float32), still.head_wxyz, still.left_eye_wxyz, still.right_eye_wxyz) for at in range(count)]  # fmt: skip
    save_clip(BlendshapeClip(tuple(frames)), path)
    return path


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Print the tables and write bench/results/unity.json; 1 when a promise is broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=60, choices=(30, 60, 120))
    parser.add_argument("--restarts", type=int, default=3)
    asked = parser.parse_args()
    if missing := unity_build.tools_missing():
        print(f"needs mono and NUnit: apt-get install {' '.join(missing)}")
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = name
        probe = program(folder)
        streamed = stream(probe, folder, asked.frames, asked.rate)
        back = [restart(probe, folder) for _ in range(asked.restarts)]
        lan = secure(probe, folder, asked.frames // 10)
    show(f"mono, {asked.rate} frames a second, all at once", streamed["rows"])
    ran = streamed["bridge"]
    print(f"bridge's own ticks late by {ran['late_p99_ms']} ms (99 %), {ran['late_most_ms']} ms at most; garbage collections: {streamed['collections']}; clock known to {streamed['clock_error_ms']:.2f} ms")  # fmt: skip
    show("back after kill -9 and restart, s", back)
    show("by TLS with a pinned certificate", [lan])
    save_result(
        "unity", {"load": os.getloadavg(), "stream": streamed, "back_s": back, "lan": lan, "rate_hz": asked.rate}
    )
    broken = [row["by"] for row in streamed["rows"] if row["lost"] or row["torn"] or row["again"] or row["frames"] < asked.frames or row["p99_ms"] > LATE_MS or row["allocated_bytes"] > BYTES_PER_FRAME * row["frames"]]  # fmt: skip
    broken += [name for row in back for name, seconds in row.items() if seconds > BACK_S]
    if broken or not (lan["live"] and lan["refused"]):
        print(f"FAILED: {broken or 'lan'}")
    return int(bool(broken) or not (lan["live"] and lan["refused"]))


if __name__ == "__main__":
    sys.exit(main())
