r"""What the worker is doing for the bridge: utterances under way, and what becomes of them.

    order --> utterance --> Link --> worker --mouths, faces, sound--> the script of its face, or the face itself where it is live

A microphone or camera that is lost is tried again every second, a worker that dies is replaced; what else it was doing is over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import Avatar3dError
from avatar3d.live.clock import MediaClock
from avatar3d.living.face import Face
from avatar3d.living.link import Link
from avatar3d.living.pipe import End, FaceAt, MouthAt, Order, Said, SoundAt

_AGAIN_S: Final = 1.0
"""A microphone or camera that was lost is tried again after so long."""
_BEGUN: Final = 2
"""Utterances of a face that the worker may be at: the one that is said, and the next."""
_TOLD_S: Final = 0.5
"""The worker is told so often how far an utterance has been said."""
Tell = Callable[[str], None]
Event = Callable[[str, int | None, str], None]
"""Name, face, text: told to all clients."""


@dataclass(eq=False)
class Utterance:
    """One piece of work that is under way."""

    face: Face
    order: Mapping[str, Any]
    live: bool = False
    """Its times are media times; it is shown as it comes, and is no part of the script."""
    primary: bool = False
    """Of the command line: its end may end the bridge, its failure does."""
    sounds: bool = True
    """Whether sound comes with it."""
    came: bool = False
    """Whether anything ever came of it."""
    told_s: float = 0.0
    sent: bool = False
    """Whether the worker knows of it: of what waits to be said only the next two are begun."""


class Workshop:
    """The worker and its work."""

    def __init__(self, clock: MediaClock, *, tell: Tell, event: Event) -> None:
        self._clock, self._tell, self._event = clock, tell, event
        self._link = Link(clock, take=self._take, lost=self._lost, revived=self._revived)
        self._under_way: dict[int, Utterance] = {}
        self._count = 0
        self._again: list[tuple[float, Utterance]] = []
        """Microphones and cameras that were lost: when to try them again."""
        self._missed: set[int] = set()
        """Faces whose source is lost."""
        self._aside: list[Utterance] = []
        """Sources that a panic has stopped."""
        self.failure: Avatar3dError | None = None
        """What became of the command line's own source, if it failed."""

    async def start(self) -> None:
        await self._link.start()

    async def close(self) -> None:
        await self._link.close()

    @property
    def idle(self) -> bool:
        """Whether every source of the command line has ended."""
        return not self._again and not self._aside and not any(each.primary for each in self._under_way.values())

    def __contains__(self, number: int) -> bool:
        return number in self._under_way

    def order(
        self, face: Face, order: Mapping[str, Any], *, live: bool = False, sounds: bool = True, primary: bool = False
    ) -> int:
        """The number of a new utterance; it is at the end of its face's script unless it is live."""
        if not live:
            face.open(self._count + 1, sounds=sounds)
        return self._begin(Utterance(face, order, live, primary, sounds))

    def push(self, number: int, chunk: AudioChunk) -> None:
        """Sound for an utterance that listens."""
        self._link.send(SoundAt(number, chunk))

    def finish(self, number: int) -> None:
        """No more sound comes for it."""
        self._link.send(End(number))

    def drop(self, numbers: Sequence[int]) -> None:
        """These are not wanted any more."""
        for number in numbers:
            utterance = self._under_way.pop(number, None)
            if utterance is not None and utterance.sent:
                self._link.send(Order(number, {"do": "drop"}))

    def put_aside(self, numbers: Sequence[int]) -> None:
        """Of these, about to be dropped, the command line's own begin anew at `resume`."""
        self._aside += [each for number in numbers if (each := self._under_way.get(number)) and each.primary]

    def resume(self) -> None:
        """Begin again what was put aside."""
        aside, self._aside = self._aside, []
        for each in aside:
            self.order(each.face, each.order, sounds=each.sounds, primary=True)

    def said(self, number: int, said_s: float) -> None:
        """How far one has been said: the worker keeps only a little ahead of that."""
        utterance = self._under_way.get(number)
        if utterance is not None and said_s - utterance.told_s >= _TOLD_S:
            utterance.told_s = said_s
            self._link.send(Order(number, {"do": "until", "said_s": said_s}))

    def step(self, now_s: float) -> None:
        """Begin what comes next, and try again what is to be tried again now."""
        for number, utterance in self._under_way.items():
            if not utterance.sent and number in utterance.face.script.numbers[:_BEGUN]:
                self._send(number, utterance)
        due = [each for at_s, each in self._again if at_s <= now_s]
        self._again = [(at_s, each) for at_s, each in self._again if at_s > now_s]
        for utterance in due:
            self._begin(utterance)

    def _begin(self, utterance: Utterance) -> int:
        self._count += 1
        self._under_way[self._count] = utterance
        if utterance.order["do"] != "say" or self._count in utterance.face.script.numbers[:_BEGUN]:
            self._send(self._count, utterance)
        return self._count

    def _send(self, number: int, utterance: Utterance) -> None:
        utterance.sent = True
        self._link.send(Order(number, utterance.order))

    def _take(self, said: Said) -> None:
        """A word of the worker's."""
        utterance = self._under_way.get(said.utterance)
        if utterance is None:
            return
        face, now_s = utterance.face, self._clock.now_s()
        match said:
            case MouthAt(mouth=mouth, pitch_hz=pitch_hz):
                self._came(utterance)
                if utterance.live:
                    face.hear((mouth, pitch_hz), now_s)
                else:
                    face.say(said.utterance, mouth.time_s, mouth=(mouth, pitch_hz))
            case FaceAt(frame=frame):
                self._came(utterance)
                if utterance.live:
                    face.visit(frame, now_s)
                else:
                    face.say(said.utterance, frame.time_s, frame=frame)
            case SoundAt(chunk=chunk):
                if (spoken := face.script.find(said.utterance)) is not None:
                    spoken.add_sound(chunk)
            case Order(entries=entries):
                self._remark(utterance, entries)
            case End():
                self._end(said.utterance, utterance, now_s)

    def _came(self, utterance: Utterance) -> None:
        utterance.came = True
        if utterance.live and utterance.face.number in self._missed:
            self._missed.discard(utterance.face.number)
            self._event("source_back", utterance.face.number, "")

    def _end(self, number: int, utterance: Utterance, now_s: float) -> None:
        del self._under_way[number]
        if (spoken := utterance.face.script.find(number)) is not None:
            spoken.ended = True
        if utterance.live and utterance.primary and self.failure is None:
            self._again.append((now_s + _AGAIN_S, utterance))

    def _remark(self, utterance: Utterance, entries: Mapping[str, Any]) -> None:
        if "warning" in entries:
            self._tell(f"warning: {entries['warning']}")
        if "error" not in entries:
            return
        error, face = _error_of(entries["error"]), utterance.face.number
        if utterance.primary and not (utterance.live and utterance.came):
            self.failure = error
        elif not utterance.primary:
            self._tell(f"{error.id}: {error.message} {error.hint}".strip())
            self._event("speech_failed", face, f"{error.id}: {error.message}")
        elif face not in self._missed:
            self._missed.add(face)
            self._tell(f"{error.message} It is tried again.")
            self._event("source_lost", face, error.message)

    def _lost(self) -> None:
        """The worker has gone, and with it what it was doing; what is known already is still said."""
        self._tell("The process that listens and speaks ended unexpectedly; it is started again.")
        for number, utterance in list(self._under_way.items()):
            if utterance.primary and utterance.live:
                self._missed.add(utterance.face.number)
                self._event("source_lost", utterance.face.number, "The process that listens ended.")
            elif utterance.sent:
                self._give_up(number, utterance)

    def _give_up(self, number: int, utterance: Utterance) -> None:
        """Its worker has gone: what is known of it is said, and no more."""
        del self._under_way[number]
        if (spoken := utterance.face.script.find(number)) is not None:
            spoken.ended = True
        self._event("speech_failed", utterance.face.number, "The process that speaks ended; say it again.")

    def _revived(self) -> None:
        for number, utterance in list(self._under_way.items()):
            if utterance.sent and (utterance.order["do"] != "listen" or utterance.primary):
                self._link.send(Order(number, utterance.order))
            elif utterance.sent:  # its sound went to nobody
                self._give_up(number, utterance)


def _error_of(told: Mapping[str, Any]) -> Avatar3dError:
    """A worker's error as one of ours, with its exit code."""
    kinds = {kind.exit_code: kind for kind in _kinds(Avatar3dError)}
    kind = kinds.get(int(told["code"]), Avatar3dError)
    error = Avatar3dError.__new__(kind)
    Avatar3dError.__init__(error, told["message"], hint=told["hint"], id=told["id"], file=told["file"])
    return error


def _kinds(kind: type[Avatar3dError]) -> list[type[Avatar3dError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _kinds(below))]
