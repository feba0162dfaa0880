"""Our end of the pipe to espeak-ng's process: start it, ask it, end it. The library is never loaded here.

stdin   u32 length | JSON request              one sentence to speak
stdout  kind u8 | u32 length | payload         READY, then per request (SOUND, EVENTS)*, DONE or FAILED
"""

import ctypes.util
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final, cast

from avatar3d.core.errors import AudioUnusableError, MissingExtraError
from avatar3d.speech.voices.espeak_events import Event

_CHILD: Final = Path(__file__).with_name("espeak_child.py")
_HEADER: Final = struct.Struct("<cI")
_EVENT: Final = struct.Struct("<iiii8s")
_LARGEST_FRAME: Final = 1 << 24
"""A frame holds 50 ms of sound, or the list of voices (10 kB): a longer one is no frame of ours."""
_SUFFIXES: Final = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}


@dataclass(frozen=True)
class Library:
    """Where espeak-ng lies."""

    path: str
    data: str
    """Folder of its voices; empty lets it find its own."""


@dataclass(frozen=True)
class Catalogue:
    """What an espeak-ng can speak."""

    rate_hz: int
    voices: dict[str, str]
    """Language tag in lower case to the voice's identifier."""
    variants: tuple[str, ...]


def find_library() -> Library:
    """The one of the wheel `espeakng-loader`, else the system's; MissingExtraError when there is none."""
    spec = find_spec("espeakng_loader")  # found, not imported: its module would load nothing, but need not run either
    for folder in spec.submodule_search_locations or () if spec is not None else ():
        path = Path(folder) / _SUFFIXES.get(sys.platform, "libespeak-ng.so")
        if path.is_file():
            return Library(str(path), str(path.parent / "espeak-ng-data"))
    system = ctypes.util.find_library("espeak-ng") or ctypes.util.find_library("libespeak-ng")
    if system is None:
        raise MissingExtraError("espeakng-loader", "espeak", "Speaking with espeak-ng")
    return Library(system, "")


class Link:
    """One process of espeak-ng, which speaks one text after another."""

    def __init__(self, library: Library) -> None:
        # -I -S: neither the user's environment nor site-packages are of any use to it.
        command = [sys.executable, "-I", "-S", str(_CHILD), library.path, library.data]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere)
        except OSError as cause:
            raise AudioUnusableError(f"espeak-ng's process did not start: {cause}.", id="VOICE_FAILED") from cause
        self._catalogue: Catalogue | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs and is ours: for a fork of the process that started it, it does not."""
        return self._process.poll() is None

    @property
    def catalogue(self) -> Catalogue:
        """What it can speak; waits until it has started (a tenth of a second)."""
        if self._catalogue is None:
            kind, payload = self._read()
            if kind != b"R":
                self.kill()
                raise AudioUnusableError(payload.decode("utf-8", "replace"), id="VOICE_FAILED")
            self._catalogue = _catalogue(payload)
        return self._catalogue

    def ask(self, request: dict[str, object]) -> Iterator[tuple[Event, ...] | bytes]:
        """Events and sound (16-bit) of one text, as they are made."""
        payload = json.dumps(request).encode()
        pipe = cast("IO[bytes]", self._process.stdin)
        try:
            pipe.write(struct.pack("<I", len(payload)) + payload)
            pipe.flush()
        except OSError:
            raise self._died() from None
        while True:
            kind, payload = self._read()
            if kind == b"E":
                yield tuple(_event(*fields) for fields in _EVENT.iter_unpack(payload))
            elif kind == b"S":
                yield payload
            elif kind == b"D":
                return
            else:
                raise AudioUnusableError(payload.decode("utf-8", "replace"), id="VOICE_FAILED")

    def kill(self) -> None:
        """End it at once, whatever it does; in a fork, only let go of it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it did not read any more is lost
                cast("IO[bytes]", pipe).close()
        self._process.wait()

    def _read(self) -> tuple[bytes, bytes]:
        pipe = cast("IO[bytes]", self._process.stdout)
        head = pipe.read(_HEADER.size)
        if len(head) < _HEADER.size:
            raise self._died()
        kind, length = _HEADER.unpack(head)
        payload = pipe.read(length) if length <= _LARGEST_FRAME else b""
        if len(payload) < length:
            raise self._died()
        return kind, payload

    def _died(self) -> AudioUnusableError:
        self.kill()
        return AudioUnusableError(
            f"espeak-ng's process ended in the middle of its work (exit {self._process.returncode}).",
            hint="Speak the text again; if it ends again, halves of the text tell which part it cannot speak.",
            id="VOICE_DIED",
        )


def _event(type_: int, position: int, length: int, sample: int, name: bytes) -> Event:
    label = name.split(b"\0")[0].decode("utf-8", "ignore") if type_ == 7 else ""
    return Event(type_, position, length, sample, label)


def _catalogue(payload: bytes) -> Catalogue:
    told = json.loads(payload)
    voices: dict[str, str] = {}
    for identifier, languages in told["voices"]:
        for language in languages:
            voices.setdefault(language.lower(), identifier)
    return Catalogue(int(told["rate_hz"]), voices, tuple(told["variants"]))
