"""A bridge in a process of its own, started from Python: for samples, benchmarks, and programs that bring their own.

async with bridge_process("anna.glb") as (url, token), connect(url, token) as bridge:
    await bridge.say("Hello.")
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final

from avatar3d.core.errors import BridgeError

_PATIENCE_S: Final = 60.0


@dataclass(eq=False)
class BridgeProcess:
    """`avatar3d live`, running; unpacks into url and token."""

    url: str
    token: str
    page: str
    """The viewer's address, which bears a token of its own."""
    process: asyncio.subprocess.Process
    ran: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it says of itself when it has ended: seconds, frames, late_p99_ms, late_most_ms."""

    def __iter__(self) -> Iterator[str]:
        return iter((self.url, self.token))

    @property
    def pid(self) -> int:
        return self.process.pid


@asynccontextmanager
async def bridge_process(*words: str, port: int = 0, stderr: IO[str] | None = None) -> AsyncGenerator[BridgeProcess]:
    """`words` are those of `avatar3d live`; port 0 is any that is free. Ends with the block. What it warns of goes to `stderr`.

    Raises BridgeError (50) with what it said when it does not start.
    """
    command = (sys.executable, "-m", "avatar3d", "live", *words, "--json", "--quiet", "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=stderr
    )
    assert process.stdout is not None
    running: BridgeProcess | None = None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE_S)
        told: dict[str, Any] = json.loads(line) if line else {}
        if "bridge" not in told:
            raise BridgeError(
                told.get("message", "The bridge ended before it began."),
                hint=told.get("hint", "Run `avatar3d live` with the same words to see why."),
                id=told.get("id", "BRIDGE"),
            )
        running = BridgeProcess(told["bridge"], told["token"], told["page"], process)
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        rest = (await process.stdout.read()).splitlines()
        await process.wait()
        if running is not None and rest:
            with suppress(ValueError):
                running.ran = json.loads(rest[-1])
