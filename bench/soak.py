"""The bridge for a long time: 60 a second, clients that come and go, somebody speaking; does it grow, warn, or come late?

    python -m bench.soak [--seconds 3600] [--clients 50] [--churn-hz 10]      (`make soak` runs the hour)

A bridge in its own process plays a sound again and again. Each of the clients reads; `churn` of them a second leave and come
again. Memory and open files are those of the bridge's process and its worker, from the first tenth (at least 10 s) on.
"""

import argparse
import asyncio
import os
import random
import tempfile
import time
import wave
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from avatar3d.core.errors import BridgeError
from avatar3d.live.client import connect
from avatar3d.live.process import BridgeProcess, bridge_process
from avatar3d.speech.voices.espeak import speak_phones
from bench.measure import save_result, show

_WATCHED_S: Final = 1.0
_TEXT: Final = "My mama made a big apple pie, and papa ate all of it. Then we went for a walk along the river."


@dataclass(frozen=True)
class Watched:
    """One look at the bridge."""

    time_s: float
    memory_mb: float
    files: int


async def soak(seconds: float, clients: int, churn_hz: float) -> dict[str, Any]:
    """What the bridge did in so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        sound, told = Path(folder) / "said.wav", Path(folder) / "told.txt"
        _say(sound)
        with told.open("w") as stderr:
            async with bridge_process("--audio", str(sound), "--loop", stderr=stderr) as process:
                looks, frames, joined = await _watch(process, seconds, clients, churn_hz)
        warnings = [line for line in told.read_text().splitlines() if line.strip()]
    settled = [each for each in looks if each.time_s >= max(seconds / 10, min(10.0, seconds / 3))]
    return {
        "seconds": seconds, "clients": clients, "joined": joined, "frames_received": frames,
        "memory_mb": round(settled[0].memory_mb, 1),
        "grew_mb": round(float(np.mean([each.memory_mb for each in settled[-5:]]) - np.mean([each.memory_mb for each in settled[:5]])), 2),
        "files_grew": float(np.median([each.files for each in settled[-15:]]) - np.median([each.files for each in settled[:15]])),
        "warnings": warnings,
    } | dict(process.ran)  # fmt: skip


def _say(path: Path) -> None:
    samples, rate_hz, _ = speak_phones(_TEXT, "en-us")
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())


async def _watch(
    process: BridgeProcess, seconds: float, clients: int, churn_hz: float
) -> tuple[list[Watched], int, int]:
    counts = {"frames": 0, "joined": 0}
    chance = random.Random(7)

    async def one() -> None:
        """A client that leaves after a while, and comes again."""
        while True:
            stays_s = chance.expovariate(churn_hz / clients) if churn_hz else seconds
            with suppress(BridgeError, TimeoutError):
                async with asyncio.timeout(stays_s), connect(*process) as bridge:
                    counts["joined"] += 1
                    async for _ in bridge.frames():
                        counts["frames"] += 1

    tasks = [asyncio.create_task(one()) for _ in range(clients)]
    began_s, looks = time.monotonic(), list[Watched]()
    while (now_s := time.monotonic() - began_s) < seconds:
        await asyncio.sleep(_WATCHED_S)
        looks.append(_look(process.pid, now_s))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return looks, counts["frames"], counts["joined"]


def _look(pid: int, time_s: float) -> Watched:
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    memory = sum(each.memory_info().rss for each in family) / 1e6
    return Watched(time_s, memory, sum(each.num_fds() for each in family))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--churn-hz", type=float, default=10.0)
    asked = parser.parse_args()
    result = asyncio.run(soak(asked.seconds, asked.clients, asked.churn_hz))
    show("The bridge under clients that come and go", [{k: v for k, v in result.items() if k != "warnings"}])
    for line in result["warnings"][:20]:
        print(line)
    save_result("soak", result)


if __name__ == "__main__":
    main()
