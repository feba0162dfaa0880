"""nerfstudio as processes of its own: it lives in the user's environment, which shares no package with ours.

dataset --ns-train, watched--> config.yml and checkpoints --ns-export--> a .ply of splats or of coloured points

Nothing of nerfstudio is imported here; what its programs print goes to a log file, and of it only the step is read.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from avatar3d.core.clock import Progress
from avatar3d.core.durable import advise
from avatar3d.core.errors import Avatar3dError, DiskError, LimitError, UsageError

COMMAND_VARIABLE: Final = "AVATAR3D_NS_TRAIN"
"""The path of ns-train, where it is not on the PATH."""
POINTS: Final = 300_000
"""Of a point cloud: every second texel or so of an atlas of 1024 gets one."""
_METHOD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_STEP: Final = re.compile(r"(?m)^\W*(\d+) \(\s*(\d+(?:\.\d+)?)%\)")
"""How nerfstudio 1.1.5 begins a line of progress: "120 (4.00%)"."""
_FULL: Final = re.compile(r"No space left on device|Disk quota exceeded|Errno 28\b")
_EVERY_S: Final = 0.25
_PATIENCE_S: Final = 5.0
"""For a group that was asked to end, before it is killed."""
_LAST_LINES: Final = 4
_TAIL_BYTES: Final = 8192
_SENTENCE: Final = 600
_INSTALL: Final = (
    "Install it in an environment of its own (its protobuf is not ours): python3.10 -m venv ns-env; "
    "ns-env/bin/pip install torch torchvision nerfstudio==1.1.5; then give --ns-train ns-env/bin/ns-train, "
    f"or set {COMMAND_VARIABLE}. Splatfacto needs CUDA and its compiler."
)

Kind = Literal["splats", "points"]


@dataclass(frozen=True)
class Trainer:
    """Where nerfstudio is, and how it is run."""

    train: str
    export: str
    method: str
    """Of ns-train: splatfacto, nerfacto, ..."""
    steps: int | None = None
    """None: as many as the method's own default."""
    limit_s: float = 4 * 3600
    """Of training and of exporting, each."""
    more: tuple[str, ...] = ()
    """Further words for ns-train, before those of its data parser."""

    @property
    def kind(self) -> Kind:
        """What the method learns: methods with "splat" in their name learn Gaussians, all others a field."""
        return "splats" if "splat" in self.method else "points"

    def train_words(self, data: Path, out: Path) -> list[str]:
        """The command line. No viewer: it would wait for ever; our frame stays as it is."""
        words = [self.train, self.method, "--output-dir", str(out), "--experiment-name", "avatar3d", "--timestamp", "run",
                 "--vis", "tensorboard", "--logging.local-writer.max-log-size", "0"]  # fmt: skip
        if self.steps is not None:
            words += ["--max-num-iterations", str(self.steps)]
        if self.method.startswith("nerfacto"):  # its cameras would drift away from ours, and the frame with them
            words += ["--pipeline.model.camera-optimizer.mode", "off"]
        return [*words, *self.more, "nerfstudio-data", "--data", str(data), *PARSER_WORDS]

    def export_words(self, config: Path, out: Path) -> list[str]:
        """Splats as they are; points with normals found by Open3D, since few methods predict any."""
        where = ["--load-config", str(config), "--output-dir", str(out)]
        if self.kind == "splats":
            return [self.export, "gaussian-splat", *where]
        return [self.export, "pointcloud", *where, "--num-points", str(POINTS), "--normal-method", "open3d"]


PARSER_WORDS: Final = (
    "--orientation-method", "none", "--center-method", "none", "--auto-scale-poses", "False", "--eval-mode", "all",
)  # fmt: skip
"""Of nerfstudio-data: the world stays the avatar's frame, metres, and every photo is learnt from."""


@dataclass(frozen=True)
class Trained:
    """What a run left."""

    cloud: Path
    kind: Kind
    transforms: Path | None
    """dataparser_transforms.json: what the trainer did to our world."""


def find_trainer(
    method: str,
    command: str | None = None,
    *,
    steps: int | None = None,
    limit_s: float = 4 * 3600,
    more: Sequence[str] = (),
) -> Trainer:
    """The ns-train asked for, else that of AVATAR3D_NS_TRAIN, else the one on the PATH; ns-export from beside it.

    Raises UsageError (2; NERFSTUDIO_MISSING when it is not there).
    """
    if not _METHOD.fullmatch(method):
        raise UsageError(
            f"{method[:60]!r} is no name of a method.", hint="Give one that ns-train lists, such as splatfacto."
        )
    asked = command or os.environ.get(COMMAND_VARIABLE) or "ns-train"
    train = shutil.which(asked)
    if train is None:
        raise _missing(f"refine --nerfstudio runs {asked!r}, which is not there or not a program.")
    train = str(Path(train).absolute())
    folders = [Path(train).parent, Path(train).resolve().parent]
    export = next((found for folder in folders if (found := shutil.which("ns-export", path=str(folder)))), None)
    export = export or shutil.which("ns-export")
    if export is None:
        raise _missing(f"There is no ns-export beside {train}.")
    return Trainer(train, export, method, steps, limit_s, tuple(more))


def train(trainer: Trainer, data: Path, work: Path, log: Path, *, progress: Progress = str) -> Trained:
    """Train on a dataset and export what was learnt into `work`; what the programs print goes to `log`.

    Raises Avatar3dError (70, NERFSTUDIO_FAILED or NERFSTUDIO_EMPTY), LimitError (12, NERFSTUDIO_SLOW), DiskError (40).
    When we are stopped, or anything is raised, every process that was started has ended.
    """
    runs, exported = work / "outputs", work / "export"
    with _telling(log):
        log.write_bytes(b"")
        runs.mkdir(parents=True, exist_ok=True)
    progress(f"nerfstudio: {trainer.method}")
    _run(trainer.train_words(data, runs), work, log, trainer, progress)
    configs = sorted(runs.rglob("config.yml"))
    if not configs:
        raise _empty(trainer.train, "a config.yml", log)
    progress("nerfstudio: export")
    _run(trainer.export_words(configs[-1], exported), work, log, trainer, progress)
    clouds = sorted(exported.rglob("*.ply"), key=lambda path: path.stat().st_size)
    if not clouds or not clouds[-1].stat().st_size:
        raise _empty(trainer.export, "a .ply", log)
    transforms = configs[-1].with_name("dataparser_transforms.json")
    return Trained(clouds[-1], trainer.kind, transforms if transforms.is_file() else None)


def _run(words: list[str], folder: Path, log: Path, trainer: Trainer, progress: Progress) -> None:
    """Wait for a program, telling each percent; it and all that it started end with us."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "160"}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):  # ours: they would mix our packages into its
        environment.pop(name, None)
    with _telling(log), log.open("ab") as written:
        begun = written.tell()
        try:
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT, env=environment,
                cwd=folder, start_new_session=True,
            )  # fmt: skip
        except OSError as cause:
            raise _missing(f"{words[0]} does not start: {cause.strerror or cause}.") from cause
    until = time.monotonic() + trainer.limit_s
    told = ""
    try:
        while child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_EVERY_S)
            steps = _STEP.findall(_since(log, begun))
            if steps and steps[-1] != told:
                told = steps[-1]
                progress(f"  nerfstudio: {told[0]} steps ({float(told[1]):.0f} %)")
            if child.poll() is None and time.monotonic() > until:
                raise LimitError(
                    f"{Path(words[0]).name} took more than {trainer.limit_s / 60:g} minutes.",
                    hint=f"Give --timeout more, or fewer --steps. Its log: {log}",
                    id="NERFSTUDIO_SLOW",
                    file=log,
                )
    finally:
        _end(child)
    if child.returncode:
        raise _failed(words[0], child.returncode, log, begun)


def _since(log: Path, begun: int) -> str:
    """The end of what this program has printed."""
    with log.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(begun, size - _TAIL_BYTES))
        return stream.read(_TAIL_BYTES).decode("utf-8", "replace")


def _end(child: subprocess.Popen[bytes]) -> None:
    """The child and its whole group: asked first, then killed. Its group outlives it when workers of a loader do."""
    if sys.platform == "win32":
        if child.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], check=False, capture_output=True)
        child.wait()
        return
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE_S)
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses a group of nothing but ended processes
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _failed(program: str, code: int, log: Path, begun: int) -> Avatar3dError:
    said = _since(log, begun)
    if _FULL.search(said):
        return DiskError(
            f"{Path(program).name} ended because the disk is full.",
            hint="Free some space (checkpoints take gigabytes), or give --work on another disk.",
            file=log,
        )
    lines = [line.strip() for line in said.splitlines() if re.search(r"\w", line)]
    last = " / ".join(lines[-_LAST_LINES:])[-_SENTENCE:] or "nothing"
    how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
    return Avatar3dError(
        f"{Path(program).name} {how}; it said last: {last}",
        hint=f"Its log: {log}",
        id="NERFSTUDIO_FAILED",
        file=log,
    )


def _empty(program: str, what: str, log: Path) -> Avatar3dError:
    return Avatar3dError(
        f"{Path(program).name} ended well, but wrote no {what.split(' ', 1)[1]}.",
        hint=f"Is it nerfstudio's? Tried with 1.1.5. Its log: {log}",
        id="NERFSTUDIO_EMPTY",
        file=log,
    )


def _missing(message: str) -> UsageError:
    return UsageError(message, hint=_INSTALL, id="NERFSTUDIO_MISSING")


@contextmanager
def _telling(log: Path) -> Generator[None, None, None]:
    """OSError about our own log as DiskError."""
    try:
        yield
    except OSError as cause:
        raise DiskError(f"Cannot write {log}: {cause.strerror or cause}.", hint=advise(cause), file=log) from cause
