"""nerfstudio's programs are run, watched, stopped and believed only as far as what they wrote."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from avatar3d.core.errors import Avatar3dError, DiskError, LimitError, UsageError
from avatar3d.splat.nerfstudio import View, write_dataset
from avatar3d.splat.trainer import COMMAND_VARIABLE, Trained, Trainer, find_trainer, train
from tests.unit.formats.splat_examples import STAGE
from tests.unit.splat.eggs import camera_at
from tests.unit.splat.stand_in import install

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a script with a first line for POSIX")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a data set")
    view = View(np.zeros((96, 96, 3), np.uint8), np.ones((24, 24), np.float32), camera_at(0))
    write_dataset(folder, STAGE, [view], licence="own")
    return folder


def run(data: Path, tmp_path: Path, mood: str, *, method: str = "splatfacto", limit_s: float = 20,
        progress: Callable[[str], object] = str) -> Trained:  # fmt: skip
    command = install(tmp_path / "ns env" / "bin", mood)
    trainer = find_trainer(method, str(command), steps=40, limit_s=limit_s)
    return train(trainer, data, tmp_path / "my work", tmp_path / "ns.log", progress=progress)


def test_a_run_is_told_step_by_step_and_its_files_are_found(data: Path, tmp_path: Path) -> None:
    told: list[str] = []
    trained = run(data, tmp_path, "well", progress=told.append)
    assert told[0] == "nerfstudio: splatfacto"
    assert "  nerfstudio: 30 steps (75 %)" in told
    assert told[-1] == "nerfstudio: export"
    assert (trained.cloud.name, trained.kind) == ("splat.ply", "splats")
    assert trained.transforms is not None
    assert trained.transforms.name == "dataparser_transforms.json"
    words = json.loads((tmp_path / "ns env" / "bin" / "words.json").read_text())
    assert words[0] == "splatfacto"
    assert words[words.index("--data") + 1] == str(data)
    assert words.index("nerfstudio-data") < words.index("--data")
    assert "viewer" not in " ".join(words)  # it would never end
    assert "75.00%" in (tmp_path / "ns.log").read_text()


def test_a_field_is_exported_as_points_with_our_cameras_held(data: Path, tmp_path: Path) -> None:
    trained = run(data, tmp_path, "well", method="nerfacto")
    assert trained.kind == "points"
    words = json.loads((tmp_path / "ns env" / "bin" / "words.json").read_text())
    assert words[words.index("--pipeline.model.camera-optimizer.mode") + 1] == "off"


@pytest.mark.parametrize(
    ("mood", "kind", "id", "exit_code", "said"),
    [
        ("fail", Avatar3dError, "NERFSTUDIO_FAILED", 70, "ended with 1; it said last: .*CUDA out of memory"),
        ("silent", Avatar3dError, "NERFSTUDIO_EMPTY", 70, "ns-train ended well, but wrote no config.yml"),
        ("empty", Avatar3dError, "NERFSTUDIO_EMPTY", 70, "ns-export ended well, but wrote no .ply"),
        ("full", DiskError, "DISK", 40, "the disk is full"),
    ],
)
def test_a_run_that_fails_says_why_and_where_its_log_is(
    mood: str, kind: type[Avatar3dError], id: str, exit_code: int, said: str, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=said) as caught:
        run(data, tmp_path, mood)
    assert (caught.value.id, caught.value.exit_code) == (id, exit_code)
    assert caught.value.file == str(tmp_path / "ns.log")
    assert "Saving config" in (tmp_path / "ns.log").read_text()


def lives(pid: int) -> bool:
    """Whether a process of that number runs; one that has ended and that nobody has asked after does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 3
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(lives, pids))


def pids_of(tmp_path: Path) -> list[int]:
    return [int(pid) for pid in (tmp_path / "ns env" / "bin" / "pids.txt").read_text().split()]


def test_a_run_that_takes_too_long_ends_with_all_that_it_started(data: Path, tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="took more than") as caught:
        run(data, tmp_path, "hang", limit_s=1.5)
    assert (caught.value.id, caught.value.exit_code) == ("NERFSTUDIO_SLOW", 12)
    assert gone(pids_of(tmp_path))


def test_being_stopped_ends_the_whole_group(data: Path, tmp_path: Path) -> None:
    def stop_at_the_first_step(word: str) -> None:
        if "steps" in word:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path, "hang", progress=stop_at_the_first_step)
    assert gone(pids_of(tmp_path))


def test_a_signal_ends_the_group_while_it_is_waited_for(data: Path, tmp_path: Path) -> None:
    command = install(tmp_path / "ns env" / "bin", "hang")
    words = [str(data), str(tmp_path / "work"), str(tmp_path / "ns.log"), str(command)]
    program = ("import sys; from pathlib import Path; from avatar3d.splat.trainer import find_trainer, train; "
               "data, work, log, ns = sys.argv[1:]; "
               "train(find_trainer('splatfacto', ns), Path(data), Path(work), Path(log))")  # fmt: skip
    ours = subprocess.Popen([sys.executable, "-c", program, *words], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not (tmp_path / "ns env" / "bin" / "pids.txt").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    ours.send_signal(signal.SIGINT)
    assert ours.wait(10) != 0
    assert gone(pids_of(tmp_path))


def test_a_missing_nerfstudio_is_told_with_the_lines_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(COMMAND_VARIABLE, raising=False)
    with pytest.raises(UsageError, match=r"pip install torch torchvision nerfstudio==1\.1\.5") as caught:
        find_trainer("splatfacto")
    assert (caught.value.id, caught.value.exit_code) == ("NERFSTUDIO_MISSING", 2)
    command = install(tmp_path / "bin", "well")
    (tmp_path / "bin" / "ns-export").unlink()
    with pytest.raises(UsageError, match="no ns-export beside"):
        find_trainer("splatfacto", str(command))


def test_a_program_of_another_machine_is_told_as_missing(data: Path, tmp_path: Path) -> None:
    command = install(tmp_path / "ns env" / "bin", "well")
    command.write_bytes(b"#!/no/such/python\n")
    with pytest.raises(UsageError, match="does not start") as caught:
        train(find_trainer("splatfacto", str(command)), data, tmp_path / "work", tmp_path / "ns.log")
    assert caught.value.id == "NERFSTUDIO_MISSING"


@pytest.mark.parametrize("method", ["--help", "", "a b", "../x"])
def test_what_is_no_name_of_a_method_is_refused(method: str) -> None:
    with pytest.raises(UsageError, match="no name of a method"):
        find_trainer(method)


def test_ns_train_is_found_by_variable_and_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = install(tmp_path / "ns env" / "bin", "well")
    (tmp_path / "ns-train").symlink_to(command)
    monkeypatch.setenv(COMMAND_VARIABLE, str(tmp_path / "ns-train"))
    found = find_trainer("nerfacto")
    assert isinstance(found, Trainer)
    assert Path(found.export) == command.with_name("ns-export")
