"""How every verb talks: progress on stderr, the result on stdout, as text or as one JSON object per line.

    @click.command()
    @click.argument("photo")
    @speaking                       # adds --json, --quiet, --debug; passes them as the first argument
    def measure(voice: Voice, photo: str) -> None:
        voice.progress("reading the photo")
        voice.result("3 faces", {"faces": 3})

A verb raises Avatar3dError and catches only what it can mend: the group in `cli/__init__.py` turns every
exception into a message and an exit code.
"""

import functools
import json
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import click

from avatar3d.core.errors import Avatar3dError

P = ParamSpec("P")
R = TypeVar("R")
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


class Stop(KeyboardInterrupt):
    """The user wants the work to end. A class of its own: Python kills the process in which it saw the plain one."""


@dataclass(frozen=True)
class Voice:
    """Where a verb's words go."""

    as_json: bool = False
    """The result and errors are JSON objects on stdout, one per line."""
    quiet: bool = False
    """No progress and no warnings; the result and errors remain."""
    debug: bool = False
    """Errors show their traceback."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set when the user has asked for the work to stop."""

    def progress(self, message: str) -> None:
        """Say on stderr what begins now. Raises Stop where the user has asked for one."""
        if self.asked.is_set():
            raise Stop
        if not self.quiet:
            click.echo(_tame(message), err=True)

    def warn(self, message: str) -> None:
        """Say on stderr what the user should know although the work goes on."""
        if not self.quiet:
            click.echo(f"warning: {_tame(message)}", err=True)

    def result(self, text: str, facts: Mapping[str, Any]) -> None:
        """Print what was asked for on stdout: `text`, or `facts` as one JSON object under --json."""
        click.echo(json.dumps(facts, default=str) if self.as_json else text)

    def error(self, error: Avatar3dError) -> None:
        """Say what went wrong and the cure, on stderr; under --json as an object on stdout. Does not exit."""
        if self.debug:
            click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
        if self.as_json:
            click.echo(json.dumps(error.as_json()))
        else:
            sentences = " ".join(filter(None, (error.message, error.hint)))
            click.echo(f"{error.id}: {_tame(sentences)} (exit {error.exit_code})", err=True)


def printable(path: Path | str) -> str:
    """A path as one line of text, without control characters and broken letters."""
    return _tame(str(path)).replace("\n", _REPLACED)


def _tame(text: str) -> str:
    """Text that a terminal shows and does not obey: a file's name may hold orders to it."""
    return "".join(c if c.isprintable() or c == "\n" else _REPLACED for c in text)


def speaking(verb: Callable[Concatenate[Voice, P], R]) -> Callable[..., R]:
    """Give a verb the options --json, --quiet and --debug; it receives them as its first argument, a Voice."""

    @click.option("--json", "as_json", is_flag=True, help="Print the result, or the error, as JSON on stdout.")
    @click.option("--quiet", "-q", is_flag=True, help="No progress and no warnings on stderr.")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(verb)
    def spoken(*args: Any, as_json: bool, quiet: bool, debug: bool, **options: Any) -> R:
        asked = click.get_current_context().find_object(threading.Event)
        return verb(Voice(as_json, quiet, debug, asked or threading.Event()), *args, **options)

    return spoken
