# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that runs beside Blender: started, listened to, ended; nothing waits for it. No bpy."""

import contextlib
import json
import os
import shlex
import subprocess
import threading
from collections import deque
from time import monotonic
from typing import Any

_MOST_LINES = 200
_MOST_BYTES = 1 << 24
_MOST_SAID = 300


class Job:
    """One call of `avatar3d`. Read `done`, `progress` and `answer()` from Blender's timer."""

    def __init__(self, name: str, words: list[str]) -> None:
        """Raises OSError when the program cannot be started."""
        self.name, self.words = name, words
        self.began_s = monotonic()
        self.cancelled = False
        self._told: deque[str] = deque(maxlen=_MOST_LINES)
        self._out: list[str] = []
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
        self._readers = [
            threading.Thread(target=self._read, args=(self._process.stdout, self._out.append), daemon=True),
            threading.Thread(target=self._read, args=(self._process.stderr, self._told.append), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def done(self) -> bool:
        return self._process.poll() is not None and not any(reader.is_alive() for reader in self._readers)

    @property
    def code(self) -> int | None:
        return self._process.poll()

    @property
    def seconds(self) -> float:
        return monotonic() - self.began_s

    @property
    def progress(self) -> str:
        """The last line that it said."""
        return self._told[-1] if self._told else ""

    def answer(self) -> dict[str, Any]:
        """The JSON object that it printed last; {} where there is none."""
        for line in reversed(self._out):
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    return told
        return {}

    def failure(self) -> str:
        """Why it did not work, in a sentence."""
        told = self.answer()
        if "message" in told:
            return f"{told['message']} {told.get('hint', '')}".strip()
        for each in told.get("findings", []):  # of `avatar3d check`
            if isinstance(each, dict) and each.get("level") == "fail":
                return f"{each.get('where', '')}: {each.get('reason', '')}"[:_MOST_SAID]
        return self.progress or f"{self.name} ended with code {self.code}"

    def cancel(self) -> None:
        """It is asked to end, and made to after two seconds."""
        self.cancelled = True
        with contextlib.suppress(OSError):
            self._process.terminate()
        threading.Thread(target=self._insist, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """For tests and the shell: until it is done."""
        until_s = monotonic() + seconds
        while not self.done and monotonic() < until_s:
            threading.Event().wait(0.02)
        return self.done

    def _insist(self) -> None:
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                self._process.kill()

    @staticmethod
    def _read(stream: Any, keep: Any) -> None:
        kept = 0
        with stream:
            for line in stream:
                kept += len(line)
                if line.strip() and kept < _MOST_BYTES:
                    keep(line.rstrip("\n"))


def words_of(command: str) -> list[str]:
    """The command of the preferences as words: a path with spaces may stand in quotes."""
    words = shlex.split(command, posix=os.name != "nt")
    return [word.strip('"') for word in words] or ["avatar3d"]
