"""The command line keeps its promises to people and to scripts, whichever verb runs."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from avatar3d.cli import VERBS, Verbs, main
from avatar3d.cli.voice import Voice, speaking
from avatar3d.core.errors import NoFaceError


def run(verb: click.Command, *words: str) -> Result:
    """One verb, called through the group that handles errors."""

    class OneVerb(Verbs):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return verb if cmd_name == verb.name else None

    return CliRunner().invoke(OneVerb(name="avatar3d"), [str(verb.name), *words])


def failing(error: BaseException) -> click.Command:
    @click.command("fail")
    @speaking
    def fail(voice: Voice) -> None:
        voice.progress("working")
        voice.warn("the face is near")
        raise error

    return fail


@click.command("count")
@speaking
def count(voice: Voice) -> None:
    """Count faces."""
    voice.progress("counting")
    voice.warn("it is dark")
    voice.result("3 faces", {"faces": 3})


def test_the_result_goes_to_stdout_and_progress_to_stderr() -> None:
    result = run(count)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "3 faces\n", "counting\nwarning: it is dark\n")


def test_json_prints_the_result_as_one_object() -> None:
    assert json.loads(run(count, "--json").stdout) == {"faces": 3}


def test_quiet_keeps_only_the_result() -> None:
    result = run(count, "--quiet")
    assert (result.stdout, result.stderr) == ("3 faces\n", "")


def test_an_error_of_ours_is_one_sentence_with_its_id_and_exit_code() -> None:
    result = run(failing(NoFaceError("There is no face in the picture.", hint="Take a new one.")), "--quiet")
    assert result.exit_code == 13
    assert result.stderr == "FACE_NONE: There is no face in the picture. Take a new one. (exit 13)\n"
    assert result.stdout == ""


def test_json_prints_the_error_as_an_object_on_stdout() -> None:
    result = run(failing(NoFaceError("None.", hint="Take a new one.", file="a.jpg")), "--json")
    assert result.exit_code == 13
    assert json.loads(result.stdout) == {
        "code": 13,
        "id": "FACE_NONE",
        "message": "None.",
        "hint": "Take a new one.",
        "file": "a.jpg",
    }


def test_a_bug_of_ours_exits_70_without_a_traceback() -> None:
    result = run(failing(ZeroDivisionError("by zero")))
    assert result.exit_code == 70
    assert "INTERNAL" in result.stderr
    assert "ZeroDivisionError: by zero" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("made_of_it", [ZeroDivisionError("by zero"), NoFaceError("None.")])
def test_a_stop_that_a_library_turned_into_another_error_is_still_a_stop(made_of_it: Exception) -> None:
    @click.command()
    @speaking
    def swallowing(voice: Voice) -> int:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise made_of_it from None
        return 0

    result = run(swallowing)
    assert result.exit_code == 41
    assert "INTERRUPTED" in result.stderr


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_stop_that_a_library_swallowed_ends_the_work_at_the_next_stage(quiet: list[str]) -> None:
    @click.command()
    @speaking
    def deaf(voice: Voice) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        voice.progress("the next stage")
        raise AssertionError("the work went on")

    result = run(deaf, *quiet)
    assert result.exit_code == 41
    assert "the next stage" not in result.stderr


def test_debug_shows_the_traceback_down_to_the_cause() -> None:
    result = run(failing(ZeroDivisionError("by zero")), "--debug")
    assert result.exit_code == 70
    assert "Traceback" in result.stderr
    assert "raise error" in result.stderr


def test_control_c_exits_41() -> None:
    assert run(failing(KeyboardInterrupt())).exit_code == 41


def test_sigterm_exits_41_and_is_the_callers_own_again_afterwards() -> None:
    @click.command("wait")
    @speaking
    def wait(voice: Voice) -> None:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the work went on")

    assert run(wait).exit_code == 41
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    @click.command("wait")
    @speaking
    def wait(voice: Voice) -> None:
        signal.raise_signal(signal.SIGTERM)
        voice.result("done", {})

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        result = run(wait)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (result.exit_code, result.stdout) == (0, "done\n")


@pytest.mark.parametrize("words", [["nonsense"], ["--nonsense"], ["create"], ["create", "-o", "x", "--seed", "-1"]])
def test_a_wrong_command_line_exits_2(words: list[str]) -> None:
    assert CliRunner().invoke(main, words).exit_code == 2


@pytest.mark.parametrize("words", [[], ["a.jpg", "--seed", "1"]], ids=["neither", "both"])
def test_create_takes_either_photos_or_a_seed(words: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["create", *words, "-o", str(tmp_path / "out"), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (2, "USAGE")
    assert not (tmp_path / "out").exists()


def test_a_wrong_command_line_is_an_object_under_json_too() -> None:
    result = run(count, "--json", "--nonsense")
    assert (result.exit_code, json.loads(result.stdout)["id"]) == (2, "USAGE")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
@pytest.mark.parametrize("verb", ["create", "check"])
def test_a_file_name_gives_the_terminal_no_orders(verb: str, tmp_path: Path) -> None:
    name = tmp_path / "red\x1b[31m\nnext\udce9.png"
    name.write_bytes(b"no picture")
    words = [verb, str(name), str(name), *(["-o", str(tmp_path / "out")] if verb == "create" else [])]
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (10, 11)
    assert "\x1b" not in result.stderr + result.stdout
    assert "[31m" in result.stderr


@pytest.mark.parametrize("name", VERBS)
def test_the_help_of_the_group_says_what_each_verb_says_of_itself(name: str) -> None:
    verb = main.get_command(click.Context(main), name)
    assert verb is not None
    assert verb.get_short_help_str(limit=200).rstrip(".") == VERBS[name].rstrip(".")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_takes_json_quiet_and_debug(name: str) -> None:
    verb = main.get_command(click.Context(main), name)
    assert verb is not None
    assert {"as_json", "quiet", "debug"} <= {parameter.name for parameter in verb.params}


def test_help_imports_neither_numpy_nor_a_verb() -> None:
    script = (
        "import sys\nfrom avatar3d.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'mediapipe', 'scipy', 'avatar3d.pipeline'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", ["create", "edit"])
@pytest.mark.parametrize(("name", "told"), [("../esc", "'esc'"), ("anna", "")])
def test_a_name_that_is_changed_is_told_and_a_refused_run_leaves_no_folder(
    verb: str, name: str, told: str, tmp_path: Path
) -> None:
    words = [verb, str(tmp_path / "none.jpg"), "-o", str(tmp_path / "out" / "deep"), "--name", name]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 10
    assert [told in line for line in result.stderr.splitlines() if line.startswith("warning")] == [True] * bool(told)
    assert list(tmp_path.iterdir()) == []
