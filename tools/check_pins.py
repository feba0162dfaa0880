"""Every pin of the main job has a wheel for Linux, Windows and macOS, for Python 3.11 and 3.12:  python tools/check_pins.py

Walks the requirements of avatar3d (with `--extra NAME`, an extra's too) as each target's markers select them, and lets pip
resolve every pin of constraints.txt for that target with `--only-binary=:all:`; nothing is installed. Needs the package
index. Exit code 1 when a wheel is missing that EXCEPTIONS does not name, or when an exception is no longer true.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
PYTHONS = ("3.11", "3.12")
GLIBC_MINORS = range(5, 29)  # wheels up to manylinux_2_28: Debian 12, Ubuntu 20.04, RHEL 8
PLATFORMS = {
    "Linux x86_64": [*(f"manylinux_2_{minor}_x86_64" for minor in GLIBC_MINORS), "manylinux2014_x86_64"],
    "Windows AMD64": ["win_amd64"],
    "macOS arm64": ["macosx_14_0_arm64"],
}
MARKERS = {
    "Linux x86_64": {
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    },
    "Windows AMD64": {
        "sys_platform": "win32",
        "platform_system": "Windows",
        "platform_machine": "AMD64",
        "os_name": "nt",
    },
    "macOS arm64": {
        "sys_platform": "darwin",
        "platform_system": "Darwin",
        "platform_machine": "arm64",
        "os_name": "posix",
    },
}
# (package, platform): why there is no wheel and what a user does instead.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def pins() -> dict[str, str]:
    """Package to exact version, as constraints.txt has them."""
    lines = CONSTRAINTS.read_text().splitlines()
    return {
        canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines) if version
    }


def needed(platform: str, python: str, extras: set[str]) -> set[str]:
    """The main job's packages on one target: what is declared, and what these declare in turn.

    Read from the metadata of the installed packages; one that only another platform needs has its name here, and
    brings nothing more.
    """
    environment = MARKERS[platform] | {"python_version": python, "python_full_version": f"{python}.0"}
    found: set[str] = set()
    waiting = [("avatar3d", frozenset(extras))]
    while waiting:
        package, chosen = waiting.pop()
        for line in _requirements(package):
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            wanted = requirement.marker is None or any(
                requirement.marker.evaluate(environment | {"extra": extra}) for extra in (chosen or {""})
            )
            if wanted and name not in found:
                found.add(name)
                waiting.append((name, frozenset(requirement.extras)))
    return found - {"avatar3d"}


def _requirements(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []


def without_wheel(packages: dict[str, str], platform: str, python: str) -> list[str]:
    """Those of `packages` that pip finds no wheel for."""
    missing: list[str] = []
    waiting = dict(packages)
    with tempfile.TemporaryDirectory() as folder:
        while waiting:
            tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--dry-run",
                "--ignore-installed",
                "--no-deps",
                "--quiet",
            ]
            target = ["--only-binary=:all:", "--python-version", python, "--target", folder, *tags]
            pinned = [f"{name}=={version}" for name, version in sorted(waiting.items())]
            run = subprocess.run([*command, *target, *pinned], capture_output=True, text=True)
            if run.returncode == 0:
                break
            culprit = re.search(r"No matching distribution found for ([\w.-]+)==", run.stderr)
            if culprit is None:
                raise SystemExit(f"pip failed in another way:\n{run.stderr}")
            name = canonicalize_name(culprit[1])
            missing.append(name)
            del waiting[name]
    return missing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extra", action="append", default=[], help="also this extra (demo, heic, video)")
    extras = set(parser.parse_args().extra)
    pinned = pins()
    faults: list[str] = []
    for platform in PLATFORMS:
        for python in PYTHONS:
            names = needed(platform, python, extras)
            unpinned = sorted(names - pinned.keys())
            faults += [f"{name} is needed on {platform} and has no pin" for name in unpinned]
            missing = without_wheel({name: pinned[name] for name in names & pinned.keys()}, platform, python)
            known = {name for name in names if (name, platform) in EXCEPTIONS}
            faults += [
                f"{name} {pinned[name]} has no wheel for {platform}, Python {python}"
                for name in missing
                if name not in known
            ]
            faults += [
                f"{name} has a wheel for {platform} after all: remove the exception" for name in known - set(missing)
            ]
            print(
                f"{platform:14} Python {python}: {len(names)} pins, {len(missing)} without a wheel {missing or ''}".rstrip()
            )
    for (name, platform), reason in EXCEPTIONS.items():
        print(f"exception: {name} on {platform}: {reason}")
    print("\n".join(f"FAULT: {fault}" for fault in dict.fromkeys(faults)) or "every pin has its wheel")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
