"""Every benchmark, one after the other: python -m bench. Each prints its table and writes bench/results/NAME.json."""

import subprocess
import sys
import time
from pathlib import Path


def names() -> list[str]:
    """Modules of this folder that can be run; the hour of soak only by its own name."""
    files = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    return [
        file.stem
        for file in files
        if 'if __name__ == "__main__":' in file.read_text(encoding="utf-8") and file.stem != "soak"
    ]


def main() -> int:
    failed: list[str] = []
    for name in names():
        print(f"== {name}", flush=True)
        began = time.perf_counter()
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode:
            failed.append(name)
        print(f"== {name}: {time.perf_counter() - began:.0f} s", flush=True)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
