r"""The process beside the bridge in which voices speak, ears listen and cameras look: python -m avatar3d.living.worker.

    stdin --orders, sound--> one thread for each utterance (jobs.py) --mouths, faces, sound--> stdout

The bridge's own process has nothing to do but keep time; what takes long is done here. A worker that dies loses an utterance,
never the bridge. Work that need not be live is done AHEAD_S ahead of what the bridge has shown, not more.
"""

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from threadpoolctl import threadpool_limits

from avatar3d.core.errors import INTERNAL_EXIT_CODE, Avatar3dError
from avatar3d.live.clock import MediaClock, come_first
from avatar3d.living.jobs import JOBS, Work, warm_up
from avatar3d.living.pipe import HEADER, READY, End, FaceAt, MouthAt, Order, Said, SoundAt, decode, encode, length_of

AHEAD_S: Final = 2.0
_BEFORE_OTHERS: Final = -5
"""Behind the bridge, which began before it, and before everybody else."""
_LIVE: Final = ("hear", "look")


class Worker:
    """What is being worked on, by utterance."""

    def __init__(self, clock: MediaClock, out: BinaryIO) -> None:
        self._clock, self._out = clock, out
        self._writing = threading.Lock()
        self._work: dict[int, Work] = {}
        self._until_s: dict[int, float] = {}
        self._moved = threading.Condition()

    def take(self, said: Said) -> None:
        """One message of the bridge's."""
        match said:
            case Order(utterance=utterance, entries={"do": "drop"}):
                self._drop(utterance)
            case Order(utterance=utterance, entries={"do": "until", "said_s": said_s}):
                with self._moved:
                    self._until_s[utterance] = float(said_s) + AHEAD_S
                    self._moved.notify_all()
            case Order(utterance=utterance, entries=entries):
                work = self._work[utterance] = Work(utterance, entries, self._clock)
                self._until_s[utterance] = AHEAD_S
                threading.Thread(target=self._do, args=(work,), daemon=True).start()
            case SoundAt(utterance=utterance, chunk=chunk):
                if (work := self._work.get(utterance)) is not None:
                    work.coming.put(chunk)
            case End(utterance=utterance):
                if (work := self._work.get(utterance)) is not None:
                    work.coming.put(None)
            case MouthAt() | FaceAt():
                pass

    def greet(self) -> None:
        """Tell the bridge that it may begin."""
        self._tell(READY)

    def close(self) -> None:
        """Stop everything."""
        for utterance in list(self._work):
            self._drop(utterance)

    def _drop(self, utterance: int) -> None:
        if (work := self._work.pop(utterance, None)) is not None:
            work.stopped.set()
            work.coming.put(None)
            with self._moved:
                self._moved.notify_all()

    def _do(self, work: Work) -> None:
        live = work.order.get("do") in _LIVE or bool(work.order.get("live"))
        try:
            for said in self._paced(work, live):
                self._tell(said)
        except Avatar3dError as error:
            self._tell(Order(work.utterance, {"error": error.as_json()}))
        except Exception as cause:  # noqa: BLE001  a thread's last door: the bridge tells it
            message = f"{type(cause).__name__}: {cause}"
            error = {"code": INTERNAL_EXIT_CODE, "id": "INTERNAL", "message": message, "hint": "", "file": None}
            self._tell(Order(work.utterance, {"error": error}))
        finally:
            self._work.pop(work.utterance, None)
            self._until_s.pop(work.utterance, None)
            self._tell(End(work.utterance))

    def _paced(self, work: Work, live: bool) -> Iterator[Said]:
        """What the job makes, not further ahead than it may be; loops where it is to."""
        again, base_s = True, 0.0
        while again and not work.stopped.is_set():
            last_s = 0.0
            for said in JOBS[work.order["do"]](work):
                if work.stopped.is_set():
                    return
                time_s = _time_of(said)
                if not live and time_s is not None:
                    last_s = max(last_s, time_s)
                    with self._moved:
                        self._moved.wait_for(
                            lambda at_s=base_s + time_s: work.stopped.is_set() or at_s <= self._until_s[work.utterance]
                        )
                yield _later(said, base_s)
            again, base_s = bool(work.order.get("loop")), base_s + last_s

    def _tell(self, said: Said) -> None:
        with self._writing:
            try:
                self._out.write(encode(said))
                self._out.flush()
            except (BrokenPipeError, ValueError):  # the bridge has gone
                self.close()


def _time_of(said: Said) -> float | None:
    match said:
        case MouthAt(mouth=mouth):
            return mouth.time_s
        case FaceAt(frame=frame):
            return frame.time_s
        case SoundAt(chunk=chunk):
            return chunk.time_s + len(chunk.samples) / chunk.rate_hz
        case _:
            return None


def _later(said: Said, by_s: float) -> Said:
    match said:
        case MouthAt(mouth=mouth) if by_s:
            return replace(said, mouth=replace(mouth, time_s=mouth.time_s + by_s))
        case FaceAt(frame=frame) if by_s:
            return replace(said, frame=replace(frame, time_s=frame.time_s + by_s))
        case SoundAt(chunk=chunk) if by_s:
            return replace(said, chunk=replace(chunk, time_s=chunk.time_s + by_s))
        case _:
            return said


def main(words: list[str]) -> int:
    """`words` is the bridge's beginning on the system's monotonic clock."""
    # Whatever a library prints must not come between the messages.
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    worker, source = Worker(MediaClock(float(words[0])), out), sys.stdin.buffer
    come_first(_BEFORE_OTHERS)
    with threadpool_limits(1):
        warm_up()
        worker.greet()
        while len(header := source.read(HEADER.size)) == HEADER.size:
            worker.take(decode(header, source.read(length_of(header))))
    worker.close()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Threads that still work on something hold what their libraries would complain about.
    os._exit(code)
