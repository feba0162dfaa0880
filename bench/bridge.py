"""The bridge under load: how late a frame comes, with many clients, with one that stalls, and under attack.

Budgets (issue 5), p99 send to receive at 60 Hz on one core: 100 clients 5 ms, 500 10 ms, 1,000 17 ms. A client that stops
reading for 60 s: its first frame after is under 150 ms old, under 64 KiB are kept for it, the others' p99 grows by 1 ms at most.
The server runs on the first core, the readers on the last.

    python -m bench.bridge [fan-out | stall | hostile] [--seconds 10]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.bridge_load import Readers, attacked
from bench.measure import save_result, show

BUDGETS_MS: Final = {100: 5.0, 500: 10.0, 1000: 17.0}
_UNTOLD: Final = {"attacks": 0, "ended_after_ms": float("nan")}
_EDGES_MS: Final = (0, 0.5, 1, 2, 3, 5, 7.5, 10, 12.5, 15, 17, 20, 33, 50, 100, 1e9)


class Served:
    """A server in its own process, on the first core."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        told = json.loads(self._line())
        self.port, self.token = int(told["port"]), str(told["token"])

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def ask(self) -> dict[str, Any]:
        """What is kept for the client that owes most, and how regular its ticks were; begins anew."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self._line())

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()


@contextmanager
def served() -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from bench.bridge_served import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait()


def fan_out(seconds: float, counts: Sequence[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for count in counts:
        with served() as server, Readers(server.port, server.token, count) as readers:
            readers.read(2.0)
            server.ask()
            began_s, cpu_s = time.monotonic(), server.cpu_s()
            late_ms = readers.read(seconds)
            used = (server.cpu_s() - cpu_s) / (time.monotonic() - began_s)
            rows.append(
                {"clients": count} | _summary(late_ms) | {"budget": BUDGETS_MS.get(count, float("nan")), "frames_hz": len(late_ms) / count / seconds}
                | {"cpu_%": 100 * used, "rss_mb": server.rss_mb(), "tick_p99": server.ask()["tick_p99_ms"]}
                | {"histogram": np.histogram(late_ms, _EDGES_MS)[0].tolist()}
            )  # fmt: skip
    return rows


def stall(seconds: float) -> dict[str, Any]:
    """One of a hundred stops reading; before and after it all read."""
    with served() as server, Readers(server.port, server.token, 100) as readers:
        readers.read(2.0)
        before_ms = readers.read(seconds / 2)
        server.ask()
        readers.stall()
        stalled_ms = readers.read(seconds)
        kept = server.ask()
        shown_ms, old = readers.resume()
        after_ms = readers.read(seconds / 2)
    return {
        "stalled_s": seconds, "first_shown_ms_old": shown_ms, "older_passed_over": old, "kept_bytes": kept["most_kept"],
        "kernel_bytes": kept["most_queued"], "others_p99_before": _summary(before_ms)["p99"],
        "others_p99_stalled": _summary(stalled_ms)["p99"], "others_p99_after": _summary(after_ms)["p99"],
    }  # fmt: skip


def hostile(seconds: float) -> list[dict[str, Any]]:
    """A hundred good clients while somebody attacks, and for each attack before it."""
    rows: list[dict[str, Any]] = []
    for attack in ("gigabyte", "tiny", "fragments", "half-open", "pings"):
        with served() as server, Readers(server.port, server.token, 100) as readers:
            readers.read(1.0)
            before_ms = readers.read(seconds)
            with attacked(attack, server.port, server.token) as told:
                late_ms = readers.read(seconds)
        before = _summary(before_ms)
        rows.append(
            {"attack": attack, "p50_before": before["p50"], "p99_before": before["p99"]}
            | _summary(late_ms)
            | _UNTOLD
            | told()
        )
    return rows


def _summary(late_ms: Sequence[float]) -> dict[str, Any]:
    p50, p99 = np.percentile(late_ms, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "max": float(max(late_ms))}


def main() -> None:
    """Print the tables and write bench/results/bridge.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="*", default=["fan-out", "stall", "hostile"])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, nargs="*", default=list(BUDGETS_MS))
    parser.add_argument("--stall", type=float, default=60.0)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    result: dict[str, Any] = {"load": os.getloadavg()}
    if "fan-out" in asked.what:
        result["fan_out"] = fan_out(asked.seconds, asked.clients)
        show("send to receive, ms", [{k: v for k, v in row.items() if k != "histogram"} for row in result["fan_out"]])
        bins = [f"<{edge:g}" for edge in _EDGES_MS[1:-1]] + ["more"]
        show("frames by lateness, ms", [{"clients": row["clients"]} | dict(zip(bins, row["histogram"], strict=True)) for row in result["fan_out"]])  # fmt: skip
    if "stall" in asked.what:
        result["stall"] = stall(asked.stall)
        show("one of 100 stops reading", [result["stall"]])
    if "hostile" in asked.what:
        result["hostile"] = hostile(asked.seconds)
        show("100 good clients under attack, ms", result["hostile"])
    save_result("bridge", result)


if __name__ == "__main__":
    main()
