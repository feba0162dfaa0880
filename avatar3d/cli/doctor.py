"""avatar3d doctor: is everything here that the main job needs, and if not, what is the cure?"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import click

from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import Avatar3dError, UsageError

MEMORY_NEEDED_GIB: Final = 2
DISK_NEEDED_GIB: Final = 0.5
# Extra: the module that shows it is installed, and what it is for.
EXTRAS: Final = {
    "demo": ("skimage", "the picture for `avatar3d demo`"),
    "heic": ("pillow_heif", "HEIC photos"),
    "video": ("av", "--turntable, and videos with --same-person"),
    "film": ("numba", "talking videos, and create --refine splat"),
    "espeak": ("espeakng_loader", "speak and live --text"),
    "mic": ("sounddevice", "live --mic and speaker://"),
    "lan": ("segno", "live --lan"),
    "usd": ("pxr", "export --format usdz"),
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    level: Literal["ok", "note", "fail"]
    """note: the main job works without it."""
    subject: str
    found: str
    cure: str = ""
    code: int = 0
    """The exit code this failure would cause."""


@click.command()
@speaking
def doctor(voice: Voice) -> int:
    """Say whether this machine has what avatar3d needs."""
    findings: list[Finding] = []
    for examine in (_python, _packages, _landmarks, _rays, _head, _machine, _khronos, _extras, _viewer, _film):
        findings += _examined(examine)
    failures = [finding for finding in findings if finding.level == "fail"]
    lines = [f"{item.level:4}  {item.subject:18}  {item.found}{_indented(item.cure)}" for item in findings]
    verdict = "Something is missing." if failures else "Everything the main job needs is here."
    facts = {"ok": not failures, "findings": [asdict(item) for item in findings]}
    voice.result("\n".join([*lines, verdict]), facts)
    return failures[0].code if failures else 0


def _indented(cure: str) -> str:
    return f"\n{'':26}{cure}" if cure else ""


def _examined(examine: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """What one examination found; an exception is a finding too."""
    try:
        return list(examine())
    except Avatar3dError as error:
        return [Finding("fail", examine.__name__.strip("_"), error.message, error.hint, error.exit_code)]
    except Exception as error:  # noqa: BLE001  whatever is broken here is what the user asked about
        found = f"{type(error).__name__}: {error}"
        return [Finding("fail", examine.__name__.strip("_"), found, "Run `make setup` again.", UsageError.exit_code)]


def _python() -> Iterator[Finding]:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    fits = (3, 11) <= sys.version_info[:2] <= (3, 12)
    cure = "" if fits else "mediapipe 0.10.21 has wheels for Python 3.11 and 3.12."
    yield Finding("ok" if fits else "fail", "python", found, cure, UsageError.exit_code)
    yield Finding("ok", "avatar3d", version("avatar3d"))


def _packages() -> Iterator[Finding]:
    """The requirements of the main job and their versions."""
    for requirement in requires("avatar3d") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" in requirement:
            continue
        try:
            yield Finding("ok", name, version(name))
        except PackageNotFoundError:
            cure = f'pip install "{requirement}"'
            yield Finding("fail", name, "not installed", cure, UsageError.exit_code)


def _landmarks() -> Iterator[Finding]:
    """OpenCV needs libraries of the system that its wheel does not bring."""
    try:
        import_module("cv2")
    except ImportError as error:
        cure = "Debian, Ubuntu: sudo apt-get install libgl1 libglib2.0-0"
        yield Finding("fail", "OpenCV", str(error), cure, UsageError.exit_code)
        return
    began = time.perf_counter()
    import_module("avatar3d.photo.mediapipe")
    yield Finding("ok", "OpenCV", f"loads in {time.perf_counter() - began:.1f} s")


def _rays() -> Iterator[Finding]:
    import numpy as np

    from avatar3d.render.raycast import Scene

    triangle = Scene(np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))
    hits = triangle.cast(np.zeros((1, 3), np.float32), np.full((1, 3), 3**-0.5, np.float32))
    good = bool(abs(hits.distance[0] - 3**-0.5) < 1e-6)
    found = "Embree casts rays" if good else f"Embree hit at {hits.distance[0]}, expected 0.577"
    yield Finding("ok" if good else "fail", "ray caster", found, "", Avatar3dError.exit_code)


def _head() -> Iterator[Finding]:
    from avatar3d.head.load import load_head_model

    began = time.perf_counter()
    model = load_head_model()
    seconds = time.perf_counter() - began
    found = f"{len(model.rest):,} vertices, {len(model.identity)} identity modes, loaded in {seconds:.2f} s"
    yield Finding("ok", "head model", found)
    for line in model.licence.splitlines():
        yield Finding("ok", "", line.strip())


def _machine() -> Iterator[Finding]:
    if hasattr(os, "sysconf"):  # Windows tells its memory in another way, and has page files
        memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        enough = memory_gib >= MEMORY_NEEDED_GIB
        cure = "" if enough else f"{MEMORY_NEEDED_GIB} GiB are needed."
        yield Finding("ok" if enough else "note", "memory", f"{memory_gib:.1f} GiB, {os.cpu_count()} cores", cure)
    free_gib = shutil.disk_usage(Path.cwd()).free / 2**30
    enough = free_gib >= DISK_NEEDED_GIB
    yield Finding("ok" if enough else "note", "disk", f"{free_gib:.1f} GiB free here")


def _khronos() -> Iterator[Finding]:
    from avatar3d.formats.khronos import find_validator

    validator = find_validator()
    if validator:
        yield Finding("ok", "glTF validator", f"{validator.package}, run by {validator.node}")
    else:
        cure = "`check` does without it. In a checkout `make setup` brings it."
        yield Finding("note", "glTF validator", "not found (npm package gltf-validator, and node)", cure)


def _extras() -> Iterator[Finding]:
    for extra, (module, purpose) in EXTRAS.items():
        try:
            found = getattr(import_module(module), "__version__", "installed")
            yield Finding("ok", f"extra {extra}", str(found))
        except ImportError:
            yield Finding("note", f"extra {extra}", f"not installed: {purpose}", f'pip install "avatar3d[{extra}]"')
        except OSError as error:  # sounddevice without PortAudio
            yield Finding("note", f"extra {extra}", str(error), "Debian, Ubuntu: sudo apt-get install libportaudio2")


def _viewer() -> Iterator[Finding]:
    from avatar3d.viewer.bundle import viewer_folder

    try:
        yield Finding("ok", "viewer", f"built, {sum(1 for _ in viewer_folder().iterdir())} files")
    except Avatar3dError as error:
        yield Finding("note", "viewer", error.message, error.hint)


def _film() -> Iterator[Finding]:
    """Compiles the loops that draw films where nobody has yet, so that the first film need not wait for it."""
    if find_spec("numba") is None:
        return
    from avatar3d.render.warm import warm_up

    began = time.perf_counter()
    warm_up()
    yield Finding("ok", "talking videos", f"ready to draw, after {time.perf_counter() - began:.1f} s")
