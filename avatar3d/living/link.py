"""The bridge's end of a worker: started, written to, listened to, and started again when it dies."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Final

from avatar3d.core.errors import InputError
from avatar3d.live.clock import MediaClock
from avatar3d.living.pipe import HEADER, READY, Said, decode, encode, length_of

_AGAIN_S: Final = 0.5
"""A worker that died is started again after this pause."""
_MOST_UNREAD: Final = 8 << 20
"""A worker that leaves so much unread hangs: two minutes of sound are at most as much."""
_PATIENCE_S: Final = 20.0
_LONGEST_S: Final = 2.0
_HEALTHY_S: Final = 10.0
"""One that lived so long is started again at once."""


class Link:
    """One worker process. Messages that are sent while it is down are lost: `revived` tells when to send again what must be."""

    def __init__(
        self, clock: MediaClock, *, take: Callable[[Said], None], lost: Callable[[], None], revived: Callable[[], None]
    ) -> None:
        self._clock, self._take, self._lost, self._revived = clock, take, lost, revived
        self._process: asyncio.subprocess.Process | None = None
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def start(self) -> None:
        """Start the worker, and wait until it is ready to listen and to speak, or a while."""
        await self._begin()
        self._running = asyncio.create_task(self._run())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), _PATIENCE_S)

    def send(self, said: Said) -> None:
        """A message to the worker, as soon as it can take it."""
        pipe = self._process.stdin if self._process is not None else None
        if pipe is None or pipe.is_closing() or self._process is None:
            return
        pipe.write(encode(said))
        if pipe.transport.get_write_buffer_size() > _MOST_UNREAD:  # it hangs: another one is started in its place
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        await self._end()

    async def _begin(self) -> None:
        words = (sys.executable, "-m", "avatar3d.living.worker", repr(self._clock.began_s))
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, start_new_session=True)

    async def _run(self) -> None:
        pause_s = 0.0
        while True:
            began_s = self._clock.now_s()
            await self._listen()
            self._lost()
            lived_s = self._clock.now_s() - began_s
            pause_s = 0.0 if lived_s > _HEALTHY_S else min(pause_s + _AGAIN_S, _LONGEST_S)
            await asyncio.sleep(pause_s)
            await self._end()
            await self._begin()
            self._revived()

    async def _listen(self) -> None:
        """Until it falls silent for good."""
        assert self._process is not None
        assert self._process.stdout is not None
        source = self._process.stdout
        try:
            while True:
                header = await source.readexactly(HEADER.size)
                said = decode(header, await source.readexactly(length_of(header)))
                if said == READY:
                    self._ready.set()
                else:
                    self._take(said)
        except (asyncio.IncompleteReadError, ConnectionError, InputError):
            return

    async def _end(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 1.0)
        except TimeoutError:
            process.kill()
            await process.wait()
