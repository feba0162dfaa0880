"""The command line: one file per verb, loaded only when that verb is called, so that `avatar3d --help` is quick.

A verb parses, calls one function of the pipeline, and prints (see `voice.py`). This group turns whatever a verb
raises into a message and one of the exit codes of `core/errors.py`.
"""

import signal
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import Any, Final

import click

from avatar3d.cli.voice import Stop, Voice
from avatar3d.core.errors import INTERNAL_EXIT_CODE, Avatar3dError, InterruptedRunError, UsageError

# Verb: what it does, in the words of its own docstring's first line (a test compares them).
# The verb `some-name` is the click command `some_name` in the module avatar3d.cli.some_name.
VERBS: Final[dict[str, str]] = {
    "create": "Turn photos into rigged heads.",
    "edit": "Change colours, age, style or shape of a finished avatar.",
    "export": "Write a finished avatar in other formats, or as a platform wants it.",
    "rederive": "Give an edited mesh the shapes and skin weights of its avatar.",
    "pull": "Bring an avatar that was edited in Blender back.",
    "blender": "Pack the Blender extension, or install it.",
    "speak": "Let an avatar say a sound or a text, or follow the face in a video.",
    "view": "Look at avatars in the browser.",
    "live": "Move avatars live: in browsers, engines and apps, or record what they do.",
    "calibrate-sync": "Find the ?delay_ms= of a sink whose sound travels elsewhere.",
    "export-speech": "Write the speech network as an ONNX graph for other engines.",
    "train": "Train a network of ours anew from its data.",
    "export-vrm": "Write an avatar as VRM 1.0 or 0.x for VR chats and streaming programs.",
    "export-nerfstudio": "Write photos of one person as a dataset for nerfstudio.",
    "import-splats": "Bind splats that were trained elsewhere to an avatar.",
    "refine": "Let nerfstudio refine an avatar from photos.",
    "check": "Check GLB files, and files of splats, against what avatar3d promises.",
    "convert-clip": "Write a clip in the names of another program.",
    "models": "Add head models of others, look at them, remove them.",
    "doctor": "Say whether this machine has what avatar3d needs.",
    "demo": "Make an avatar of the astronaut Eileen Collins.",
}


class Verbs(click.Group):
    """Finds its commands in VERBS and imports a verb's file when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = cmd_name.replace("-", "_")
        return getattr(import_module(f"avatar3d.cli.{module}"), module)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> Any:
        """Run, and leave with an exit code: nothing a verb raises reaches the user as a traceback."""
        words = list(sys.argv[1:] if args is None else args)
        # Read by hand, because an error in parsing must be told in the right form too.
        voice = Voice(as_json="--json" in words, debug="--debug" in words)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):  # a file name may hold what the console cannot show
                stream.reconfigure(errors="backslashreplace")
        with _stopped_by_signals() as asked:
            code = self._run(words, voice, asked, **{**extra, "standalone_mode": False})
        sys.exit(code)

    def _run(self, words: list[str], voice: Voice, asked: threading.Event, **extra: Any) -> int:
        """The exit code of this command line, its error told."""
        stopped = InterruptedRunError("Stopped.", hint="Nothing is left half-written; run it again.")
        try:
            code = super().main(words, obj=asked, **extra)
        except Avatar3dError as error:
            told = stopped if asked.is_set() else error  # a library, or we for it, made another error of the stop
            voice.error(told)
            return told.exit_code
        except click.ClickException as error:
            if not voice.as_json:
                error.show()
            else:
                voice.error(UsageError(error.format_message(), hint="See avatar3d --help."))
            return UsageError.exit_code
        except (click.Abort, KeyboardInterrupt):
            voice.error(stopped)
            return stopped.exit_code
        except BrokenPipeError:  # whoever read our output has gone
            return 0
        except Exception as cause:  # noqa: BLE001  the last door: the user gets a sentence
            if asked.is_set():
                voice.error(stopped)
                return stopped.exit_code
            bug = Avatar3dError(
                f"avatar3d failed in a way it should not: {type(cause).__name__}: {cause}",
                hint="Please report it with what --debug prints.",
            )
            bug.__cause__ = cause
            voice.error(bug)
            return INTERNAL_EXIT_CODE
        return code if isinstance(code, int) else 0


@contextmanager
def _stopped_by_signals() -> Generator[threading.Event, None, None]:
    """Ctrl-C, SIGTERM and a closed terminal stop a verb alike, so that it removes what it has half written.

    A signal that the caller ignores or handles (nohup, a host program) is left to the caller. The event tells that one
    came: a library may have swallowed what was raised, and the next word of progress raises it again.
    """
    asked = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        asked.set()
        raise Stop

    names = ("SIGINT", "SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]  # Windows has no SIGHUP
    before = {number: signal.getsignal(number) for number in known}
    ours = [number for number in known if before[number] in (signal.SIG_DFL, signal.default_int_handler)]
    for number in ours:
        signal.signal(number, stop)
    try:
        yield asked
    finally:
        for number in ours:
            signal.signal(number, before[number])


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="avatar3d")
def main() -> None:
    """One selfie in; a rigged 3D avatar out, on one CPU, offline."""
