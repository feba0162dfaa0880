r"""All faces of a bridge and whoever moves them: what a tick shows, and what clients may do (live.driven.Driven).

    client --say, sound--> utterance --order--> worker --mouths, sound--> script of its face --\
    client --control, frame, panic-------------------------------------------> face -----------+--tick--> Turn
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import Avatar3dError, LimitError, UsageError
from avatar3d.live.clock import MediaClock
from avatar3d.live.wire import FramePacket, SoundPacket
from avatar3d.living.face import Face, Shown
from avatar3d.living.link import Link
from avatar3d.living.pipe import End, FaceAt, MouthAt, Order, Said, SoundAt

_MOST_AHEAD_S: Final = 120.0
"""So much pushed sound may wait for its turn."""
_AGAIN_S: Final = 1.0
"""A microphone or camera that was lost is tried again after so long."""
_TOLD_S: Final = 0.5
"""A worker is told so often how far an utterance has been said."""
_LONGEST_TEXT: Final = 10_000

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Turn:
    """What one tick shows, hears and says."""

    shown: tuple[Shown, ...]
    """One for each face, in their order."""
    sounds: tuple[SoundPacket, ...]
    messages: tuple[Mapping[str, Any], ...]
    """To all clients."""


@dataclass(eq=False)
class _Utterance:
    """What is known of one that is under way."""

    face: Face
    order: Mapping[str, Any]
    live: bool = False
    client: str = ""
    told_s: float = 0.0
    primary: bool = False
    """Of the command line: its end may end the bridge, its failure does."""
    came: bool = False
    """Whether anything ever came of it."""


@dataclass(eq=False)
class _Listening:
    """Pushed sound that is under way."""

    utterance: int
    rate_hz: int


@dataclass(eq=False)
class _Counts:
    utterances: int = 0
    sounds: int = 0
    messages: list[Mapping[str, Any]] = field(default_factory=list)


class Stage:
    """The faces, on one clock."""

    def __init__(self, faces: Sequence[Face], avatars: Sequence[str], clock: MediaClock, *, tell: Tell) -> None:
        self._faces, self._avatars, self._clock, self._tell = tuple(faces), tuple(avatars), clock, tell
        self._link = Link(clock, take=self._take, lost=self._lost, revived=self._revived)
        self._under_way: dict[int, _Utterance] = {}
        self._listening: dict[tuple[str, int, bool], _Listening] = {}
        self._counts = _Counts()
        self._talking: set[int] = set()
        self._panicking = False
        self._again: list[tuple[float, Face, Mapping[str, Any]]] = []
        """Microphones and cameras that were lost: when to try them again."""
        self._missed: set[int] = set()
        """Faces whose source is lost."""
        self.failure: Avatar3dError | None = None
        """What became of the command line's own source, if it failed."""
        self.stopping = False

    async def start(self) -> None:
        await self._link.start()

    async def close(self) -> None:
        await self._link.close()

    # What the command line asks.

    def begin(self, order: Mapping[str, Any], *, face: int = 0) -> None:
        """The source of a face: an order of jobs.py."""
        live = order["do"] in ("hear", "look")
        self._order(self._faces[face], order, live=live, sounds=order["do"] in ("say", "play"), primary=True)

    @property
    def idle(self) -> bool:
        """Whether every source of the command line has ended and has been shown to its end."""
        primary = any(each.primary for each in self._under_way.values())
        return not primary and all(face.script.empty for face in self._faces)

    def visit(self, face: int, frame: Frame) -> None:
        """A whole face from a receiver."""
        self._faces[face].visit(frame, self._clock.now_s())

    # The tick.

    def tick(self, now_s: float) -> Turn:
        """Every face at this media time, which must rise."""
        due, self._again = (
            [each for each in self._again if each[0] <= now_s],
            [each for each in self._again if each[0] > now_s],
        )
        for _, face, order in due:
            self._order(face, order, live=True, sounds=False, primary=True, came=True)
        shown = tuple(face.at(now_s) for face in self._faces)
        sounds = [packet for face, one in zip(self._faces, shown, strict=True) for packet in self._sounds(face, one)]
        for face in self._faces:
            self._follow(face, now_s)
        messages, self._counts.messages = tuple(self._counts.messages), []
        return Turn(shown, tuple(sounds), messages)

    def _sounds(self, face: Face, shown: Shown) -> list[SoundPacket]:
        packets: list[SoundPacket] = []
        for due in shown.sounds:
            self._counts.sounds += 1
            packets.append(SoundPacket(due.chunk, self._counts.sounds, face.number, due.last))
        return packets

    def _follow(self, face: Face, now_s: float) -> None:
        """Who begins and ends to speak, and how far that is."""
        position = face.script.position(now_s)
        talking = position is not None and position[1] >= 0
        if talking != (face.number in self._talking):
            (self._talking.add if talking else self._talking.discard)(face.number)
            self._event("speech_started" if talking else "speech_ended", face.number)
        if position is None:
            return
        number, said_s = position
        utterance = self._under_way.get(number)
        if utterance is not None and said_s - utterance.told_s >= _TOLD_S:
            utterance.told_s = said_s
            self._link.send(Order(number, {"do": "until", "said_s": said_s}))

    # Driven: what clients may do.

    def media_time_s(self) -> float:
        return self._clock.now_s()

    def faces(self) -> list[dict[str, Any]]:
        pairs = zip(self._faces, self._avatars, strict=True)
        return [{"number": face.number, "name": face.name, "avatar": avatar} for face, avatar in pairs]

    def control(self, message: Mapping[str, Any]) -> None:
        face, now_s = self._face(message.get("face", 0)), self._clock.now_s()
        face.direct(message, now_s)
        if message.get("interrupt"):
            self._interrupt(face, now_s)

    def say(self, message: Mapping[str, Any]) -> None:
        text = message["text"]
        if not text.strip() or len(text) > _LONGEST_TEXT:
            raise UsageError(f"expected a text of 1 to {_LONGEST_TEXT} characters, got {len(text)}.")
        order = {"do": "say", "text": text} | {name: message[name] for name in ("language", "voice") if name in message}
        face = self._face(message.get("face", 0))
        self._refuse_when_full(face)
        self._order(face, order, sounds=True)

    def push_frame(self, packet: FramePacket) -> None:
        self._face(packet.face).visit(packet.frame, self._clock.now_s())

    def push_sound(self, packet: SoundPacket, client: str) -> None:
        face, live = self._face(packet.face), not math.isnan(packet.chunk.time_s)
        key = (client, packet.face, live)
        listening = self._listening.get(key)
        if listening is None or listening.utterance not in self._under_way:
            if not live:
                self._refuse_when_full(face)
            number = self._order(face, {"do": "listen", "live": live}, live=live, sounds=not live, client=client)
            listening = self._listening[key] = _Listening(number, packet.chunk.rate_hz)
        elif not live:
            self._refuse_when_full(face)
        if packet.chunk.rate_hz != listening.rate_hz:
            raise UsageError(
                f"expected sound at {listening.rate_hz} Hz as before, got {packet.chunk.rate_hz} Hz.",
                hint="End the utterance with the flag LAST before the rate changes.",
            )
        self._link.send(SoundAt(listening.utterance, packet.chunk))
        if packet.last:
            self._link.send(End(listening.utterance))
            del self._listening[key]

    def panic(self) -> None:
        """Everything to neutral at once."""
        self._panicking, now_s = True, self._clock.now_s()
        for face in self._faces:
            self._forget(face.panic(now_s))
            self._flush(face, now_s)
        self._event("neutral")

    def resume(self) -> None:
        self._panicking = False
        for face in self._faces:
            face.resume()
        self._event("resumed")

    @property
    def panicking(self) -> bool:
        return self._panicking

    def stop(self) -> None:
        self.stopping = True

    def left(self, client: str) -> None:
        """A client has gone: what it was pushing has ended."""
        for key in [key for key in self._listening if key[0] == client]:
            self._link.send(End(self._listening.pop(key).utterance))

    # The worker.

    def _order(
        self,
        face: Face,
        order: Mapping[str, Any],
        *,
        live: bool = False,
        sounds: bool,
        client: str = "",
        primary: bool = False,
        came: bool = False,
    ) -> int:
        """The number of a new utterance, under way."""
        self._counts.utterances += 1
        number = self._counts.utterances
        self._under_way[number] = _Utterance(face, order, live, client, primary=primary, came=came)
        if not live:
            face.open(number, sounds=sounds)
        self._link.send(Order(number, order))
        return number

    def _take(self, said: Said) -> None:
        utterance = self._under_way.get(said.utterance)
        if utterance is None:
            return
        face, now_s = utterance.face, self._clock.now_s()
        if isinstance(said, MouthAt | FaceAt):
            utterance.came = True
            if face.number in self._missed and utterance.live:
                self._missed.discard(face.number)
                self._event("source_back", face.number)
        match said:
            case MouthAt(mouth=mouth, pitch_hz=pitch_hz):
                if utterance.live:
                    face.hear((mouth, pitch_hz), now_s)
                else:
                    face.say(said.utterance, mouth.time_s, mouth=(mouth, pitch_hz))
            case FaceAt(frame=frame):
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
                if (spoken := face.script.find(said.utterance)) is not None:
                    spoken.ended = True
                del self._under_way[said.utterance]
                if utterance.live and utterance.primary and self.failure is None and not self.stopping:
                    self._again.append((now_s + _AGAIN_S, face, utterance.order))

    def _remark(self, utterance: _Utterance, entries: Mapping[str, Any]) -> None:
        if "warning" in entries:
            self._tell(f"warning: {entries['warning']}")
        if "error" not in entries:
            return
        error = _error_of(entries["error"])
        if utterance.primary and not (utterance.live and utterance.came):
            self.failure = error
        elif utterance.primary:
            self._miss(utterance.face, error.message)
        else:
            self._tell(f"{error.id}: {error.message} {error.hint}".strip())
            self._event("speech_failed", utterance.face.number, f"{error.id}: {error.message}")

    def _miss(self, face: Face, why: str) -> None:
        if face.number not in self._missed:
            self._missed.add(face.number)
            self._tell(f"{why} It is tried again.")
            self._event("source_lost", face.number, why)

    def _lost(self) -> None:
        """The worker has gone, and with it what it was doing; what is known already is still said."""
        self._tell("The process that listens and speaks ended unexpectedly; it is started again.")
        for number, utterance in list(self._under_way.items()):
            if (spoken := utterance.face.script.find(number)) is not None:
                spoken.ended = True
            if not (utterance.primary and utterance.live):
                del self._under_way[number]
            else:
                self._missed.add(utterance.face.number)
        self._listening.clear()
        self._event("source_lost")

    def _revived(self) -> None:
        for number, utterance in self._under_way.items():
            self._link.send(Order(number, utterance.order))

    # Smaller things.

    def _interrupt(self, face: Face, now_s: float) -> None:
        self._forget(face.interrupt(now_s))
        self._flush(face, now_s)

    def _forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._under_way.pop(number, None)
            self._link.send(Order(number, {"do": "drop"}))
        gone = set(numbers)
        self._listening = {key: each for key, each in self._listening.items() if each.utterance not in gone}

    def _flush(self, face: Face, now_s: float) -> None:
        self._counts.messages.append({"type": "flush", "face": face.number, "media_time_s": now_s})

    def _event(self, name: str, face: int | None = None, text: str = "") -> None:
        entries: dict[str, Any] = {"type": "event", "name": name}
        if face is not None:
            entries["face"] = face
        if text:
            entries["text"] = text
        self._counts.messages.append(entries)

    def _face(self, number: int) -> Face:
        if not 0 <= number < len(self._faces):
            raise UsageError(f"no face {number}; there are 0 to {len(self._faces) - 1}.")
        return self._faces[number]

    def _refuse_when_full(self, face: Face) -> None:
        if face.script.waiting_s > _MOST_AHEAD_S:
            raise LimitError(
                f"{_MOST_AHEAD_S:.0f} seconds are waiting to be said already.",
                hint="Send sound later, or interrupt what is being said.",
                id="QUEUE_FULL",
            )


def _error_of(told: Mapping[str, Any]) -> Avatar3dError:
    """A worker's error as one of ours, with its exit code."""
    kinds = {kind.exit_code: kind for kind in _kinds(Avatar3dError)}
    kind = kinds.get(int(told["code"]), Avatar3dError)
    error = Avatar3dError.__new__(kind)
    Avatar3dError.__init__(error, told["message"], hint=told["hint"], id=told["id"], file=told["file"])
    return error


def _kinds(kind: type[Avatar3dError]) -> list[type[Avatar3dError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _kinds(below))]
