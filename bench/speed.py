"""How long `create` takes, stage by stage: warm, cold, and its peak memory.

Budgets (issue 2, 2 idle cores, 1024 texture): warm GLB and avatar.json 4 s; with preview and report 9 s;
cold command to GLB 12 s; peak memory under 2 GB. Issue 3: an edit, whole, in 2 s.

    python -m bench.speed [PHOTO]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from avatar3d.cli.demo import picture_of_collins
from avatar3d.editing import EditParams, edit_files
from avatar3d.head.own import load_own
from avatar3d.photo.crop import CROP_PX
from avatar3d.photo.network import run_network
from avatar3d.photo.segment import load_network
from avatar3d.pipeline import CreateParams, create_files
from bench.measure import save_result, show

_WARM_RUNS: Final = 5
_COLD_RUNS: Final = 3
_EDITS: Final = {
    "colours": EditParams(hair_color="black", skin_tone="7", eye_color="blue"),
    "shape": EditParams(stylize=0.5),
}


def main() -> None:
    """Print the table and write bench/results/speed.json."""
    photo = Path(sys.argv[1]) if len(sys.argv) > 1 else picture_of_collins()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        warm = _warm(photo, out, report=False)
        whole = _warm(photo, out, report=True)
        cold, memory = _cold(photo, out)
        edits = {what: _edit_s(out, params) for what, params in _EDITS.items()}
    results = {
        "head_load_s": _head_load_s(),
        "segment_net_s": _segment_net_s(),
        "edit_s": edits,
        "cores": os.cpu_count(),
        "warm_glb_s": statistics.median(sum(run.values()) for run in warm),
        "warm_whole_s": statistics.median(sum(run.values()) for run in whole),
        "cold_glb_s": statistics.median(cold),
        "peak_memory_mb": max(memory),
        "stages_s": {stage: statistics.median(run[stage] for run in whole) for stage in whole[0]},
    }
    rows = [
        ("warm: GLB and avatar.json", f"{results['warm_glb_s']:.2f} s", "4 s"),
        ("warm: with preview and report", f"{results['warm_whole_s']:.2f} s", "9 s"),
        ("cold: command to GLB", f"{results['cold_glb_s']:.2f} s", "12 s"),
        ("head model: load", f"{results['head_load_s']:.3f} s", "0.2 s"),
        ("segmentation net: one face", f"{results['segment_net_s']:.3f} s", "0.12 s"),
        ("peak memory", f"{results['peak_memory_mb']:.0f} MB", "2000 MB"),
        *((f"edit: {what}", f"{seconds:.2f} s", "2 s") for what, seconds in edits.items()),
        *((f"stage {stage}", f"{seconds:.2f} s", "") for stage, seconds in results["stages_s"].items()),
    ]
    show("speed", [dict(zip(("what", "median", "budget"), row, strict=True)) for row in rows])
    save_result("speed", results)


def _head_load_s() -> float:
    """Median seconds to read, verify and unpack the head model."""
    seconds: list[float] = []
    for _ in range(_WARM_RUNS + 1):
        began = time.perf_counter()
        load_own()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def _segment_net_s() -> float:
    """Median seconds of one forward pass on one core."""
    planes = np.zeros((6, CROP_PX, CROP_PX), np.float32)
    seconds: list[float] = []
    with threadpool_limits(1):
        for _ in range(_WARM_RUNS + 1):
            began = time.perf_counter()
            run_network(load_network(), planes)
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def _warm(photo: Path, out: Path, *, report: bool) -> list[dict[str, float]]:
    """Stage times of runs in this process, after one that is not counted."""
    params = CreateParams(report=report)
    run: Callable[[], dict[str, float]] = lambda: create_files(photo, out / "warm", params).seconds  # noqa: E731
    run()
    return [run() for _ in range(_WARM_RUNS)]


def _edit_s(out: Path, params: EditParams) -> float:
    """Median seconds of one edit of the avatar that `_warm` made, files and all."""
    seconds: list[float] = []
    for _ in range(_WARM_RUNS):
        began = time.perf_counter()
        edit_files(out / "warm" / "avatar.json", out / "edited", params)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _cold(photo: Path, out: Path) -> tuple[list[float], list[float]]:
    """Wall seconds and peak resident megabytes of whole commands."""
    command = [sys.executable, "-m", "avatar3d", "create", str(photo), "-o", str(out), "--no-report", "--quiet"]
    seconds: list[float] = []
    for _ in range(_COLD_RUNS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - began)
    return seconds, [_peak_memory_mb([*command[:-2], "--quiet"])]


def _peak_memory_mb(command: list[str]) -> float:
    """Largest resident set of a command, with its pictures and report (asked of the kernel; Linux and macOS)."""
    code = (
        "import json, resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True);"
        "print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    told = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    return json.loads(told.stdout) / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
