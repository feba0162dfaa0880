"""Stands in for ns-train and ns-export: reads a dataset, writes nerfstudio's folders, prints as it prints.

`stand_in.install` puts it into a folder under both names. What it is to do stands beside it in mood.txt: well, fail,
silent, empty, garbage, hang or full; what it learns stands in learnt.ply.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
MOOD = (HERE / "mood.txt").read_text()
WORDS = sys.argv[1:]


def after(option: str) -> str:
    return WORDS[WORDS.index(option) + 1]


def train() -> None:
    data = Path(after("--data"))
    told = json.loads((data / "transforms.json").read_text())
    for frame in told["frames"]:
        assert (data / frame["file_path"]).is_file(), frame
        assert (data / frame["mask_path"]).is_file(), frame
    steps = int(after("--max-num-iterations")) if "--max-num-iterations" in WORDS else 40
    (HERE / "words.json").write_text(json.dumps(WORDS))
    run = Path(after("--output-dir")) / after("--experiment-name") / WORDS[0] / after("--timestamp")
    (run / "nerfstudio_models").mkdir(parents=True)
    print("[05:12:16] Saving config to: config.yml", flush=True)
    if MOOD == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        (HERE / "pids.txt").write_text(f"{os.getpid()} {child.pid}")
        print("10 (2.50%)           12.1 ms", flush=True)
        time.sleep(60)
    if MOOD in ("fail", "full"):
        print("Traceback (most recent call last):", file=sys.stderr)
        last = {"fail": "RuntimeError: CUDA out of memory", "full": "OSError: [Errno 28] No space left on device"}
        print(last[MOOD], file=sys.stderr)
        sys.exit(1)
    print("Step (% Done)       Train Iter (time)")
    for step in range(0, steps, 10):
        print(f"{step} ({100 * step / steps:.2f}%)           12.123 ms            ETA", flush=True)
    time.sleep(0.4)  # so that the last step is seen
    if MOOD == "silent":
        return
    (run / "config.yml").write_text("!!python/object:nerfstudio.engine.trainer.TrainerConfig\n")
    (run / "nerfstudio_models" / "step-000000039.ckpt").write_bytes(b"weights")
    (run / "dataparser_transforms.json").write_text((HERE / "transforms.json").read_text())


def export() -> None:
    assert Path(after("--load-config")).is_file()
    out = Path(after("--output-dir"))
    out.mkdir(parents=True, exist_ok=True)
    name = {"gaussian-splat": "splat.ply", "pointcloud": "point_cloud.ply"}[WORDS[0]]
    if MOOD == "garbage":
        (out / name).write_bytes(b"ply\nnot at all")
    elif MOOD != "empty":
        shutil.copyfile(HERE / "learnt.ply", out / name)


if __name__ == "__main__":
    train() if "train" in Path(sys.argv[0]).name else export()
