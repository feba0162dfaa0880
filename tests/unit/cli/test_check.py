"""`avatar3d check` takes one file or many: one result each, in order, and the highest exit code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from avatar3d.cli import main
from avatar3d.formats.gltf import save_glb
from tests.synthetic import synthetic_avatar


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_glb(synthetic_avatar(), tmp_path_factory.mktemp("right") / "egg.glb", lossless_textures=True)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The egg a hundred times too large."""
    egg = synthetic_avatar()
    large = tuple(replace(mesh, positions=mesh.positions * 100) for mesh in egg.meshes)
    return save_glb(replace(egg, meshes=large), tmp_path_factory.mktemp("wrong") / "egg.glb", lossless_textures=True)


@pytest.fixture
def cut(right: Path, tmp_path: Path) -> Path:
    path = tmp_path / "cut.glb"
    path.write_bytes(right.read_bytes()[:1000])
    return path


def check(*words: object) -> Result:
    return CliRunner().invoke(main, ["check", "--no-khronos", *map(str, words)])


def test_one_file_passes_fails_or_cannot_be_read(right: Path, wrong: Path, cut: Path) -> None:
    assert [check(path).exit_code for path in (right, wrong, cut)] == [0, 30, 10]


def test_a_line_names_each_file_as_it_was_given(right: Path, wrong: Path) -> None:
    verdicts = [line for line in check(right, wrong).stdout.splitlines() if ".glb: " in line]
    assert [line.split(",")[0] for line in verdicts] == [f"{right}: passed", f"{wrong}: FAILED"]


def test_below_it_stand_the_problems_alone_failures_first(right: Path, wrong: Path) -> None:
    verdict, *problems = check(wrong).stdout.splitlines()
    levels = [line.split()[0] for line in problems]
    assert "FAIL" in levels
    assert levels == sorted(levels)  # FAIL before WARN, and nothing else
    assert set(levels) <= {"FAIL", "WARN"}
    assert f"{levels.count('FAIL')} failure" in verdict
    assert "promises kept" in verdict


def test_what_holds_is_listed_when_asked_for(right: Path) -> None:
    short, long = (check(*options, right).stdout.splitlines() for options in ((), ("--verbose",)))
    kept = [line for line in long if line.startswith("  PASS")]
    assert f"{len(kept)} promises kept" in long[0]
    assert [line for line in long if line not in kept] == short


def test_files_without_a_fault_have_one_line_each(right: Path) -> None:
    lines = check(right, right).stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"{right}: passed"] * 2


@pytest.mark.parametrize("turned", [False, True])
def test_many_files_have_a_result_each_in_order_and_the_highest_code(
    right: Path, wrong: Path, cut: Path, turned: bool
) -> None:
    paths = [right, cut, wrong, right][:: -1 if turned else 1]
    result = check("--json", *paths)
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["file"] for one in told] == [str(path) for path in paths]
    assert [one.get("ok", one.get("code")) for one in told] == [True, 10, False, True][:: -1 if turned else 1]
    assert result.exit_code == 30
    assert check(cut, right).exit_code == 10


def test_a_file_that_cannot_be_read_is_told_on_stderr_and_the_next_one_is_checked(right: Path, cut: Path) -> None:
    result = check(cut, right)
    assert "GLB_CUT" in result.stderr
    assert "passed" in result.stdout


def test_no_file_at_all_is_a_wrong_command_line() -> None:
    assert check().exit_code == 2
