r"""All faces of a bridge and whoever moves them: what a tick shows, and what clients may do (live.driven.Driven).

    client --say, sound--> workshop --mouths, sound--> script of its face --\
    client --control, frame, panic--------------------------------> face ---+--tick--> Turn
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import Avatar3dError, LimitError, UsageError
from avatar3d.live.clock import MediaClock
from avatar3d.live.wire import FramePacket, SoundPacket
from avatar3d.living.face import Face, Shown
from avatar3d.living.workshop import Workshop

_MOST_AHEAD_S: Final = 120.0
"""So much pushed sound may wait for its turn."""
_MOST_WAITING: Final = 64
"""So many utterances may."""
_LIVE: Final = ("hear", "look")
_SOUNDING: Final = ("say", "play")
Message = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Turn:
    """What one tick shows, hears and says."""

    shown: tuple[Shown, ...]
    """One for each face, in their order."""
    sounds: tuple[SoundPacket, ...]
    messages: tuple[Message, ...]
    """To all clients."""


@dataclass(eq=False)
class _Listening:
    """Pushed sound that is under way."""

    utterance: int
    rate_hz: int


class Stage:
    """The faces, on one clock."""

    def __init__(
        self, faces: Sequence[Face], avatars: Sequence[str], clock: MediaClock, *, tell: Callable[[str], None]
    ) -> None:
        self._faces, self._avatars, self._clock = tuple(faces), tuple(avatars), clock
        self._workshop = Workshop(clock, tell=tell, event=self._event)
        self._listening: dict[tuple[str, int, bool], _Listening] = {}
        self._talking: set[int] = set()
        self._messages: list[Message] = []
        self._sounds = 0
        self.panicking = False
        self.stopping = False
        """A client has asked the bridge to end."""

    async def start(self) -> None:
        await self._workshop.start()

    async def close(self) -> None:
        await self._workshop.close()

    # What the command line asks.

    def begin(self, order: Message, *, face: int = 0) -> None:
        """The source of a face: an order of jobs.py."""
        live, sounds = order["do"] in _LIVE, order["do"] in _SOUNDING
        self._workshop.order(self._faces[face], order, live=live, sounds=sounds, primary=True)

    def visit(self, face: int, frame: Frame) -> None:
        """A whole face from a receiver."""
        self._faces[face].visit(frame, self._clock.now_s())

    @property
    def idle(self) -> bool:
        """Whether every source of the command line has ended and has been shown to its end."""
        return not self.panicking and self._workshop.idle and all(face.script.empty for face in self._faces)

    @property
    def failure(self) -> Avatar3dError | None:
        """What became of the command line's own source, if it failed."""
        return self._workshop.failure

    # The tick.

    def tick(self, now_s: float) -> Turn:
        """Every face at this media time, which must rise."""
        self._workshop.step(now_s)
        shown = tuple(face.at(now_s) for face in self._faces)
        sounds = [packet for face, one in zip(self._faces, shown, strict=True) for packet in self._heard(face, one)]
        for face in self._faces:
            self._follow(face, now_s)
        messages, self._messages = tuple(self._messages), []
        return Turn(shown, tuple(sounds), messages)

    def _heard(self, face: Face, shown: Shown) -> list[SoundPacket]:
        packets: list[SoundPacket] = []
        for due in shown.sounds:
            self._sounds += 1
            packets.append(SoundPacket(due.chunk, self._sounds, face.number, due.last))
        return packets

    def _follow(self, face: Face, now_s: float) -> None:
        """Who begins and ends to speak, and how far that is."""
        position = face.script.position(now_s)
        talking = position is not None and position[1] >= 0
        if talking != (face.number in self._talking):
            (self._talking.add if talking else self._talking.discard)(face.number)
            self._event("speech_started" if talking else "speech_ended", face.number)
        if position is not None:
            self._workshop.said(*position)

    # Driven: what clients may do.

    def media_time_s(self) -> float:
        return self._clock.now_s()

    def faces(self) -> list[dict[str, Any]]:
        pairs = zip(self._faces, self._avatars, strict=True)
        return [{"number": face.number, "name": face.name, "avatar": avatar} for face, avatar in pairs]

    def control(self, message: Message) -> None:
        face, now_s = self._face(message.get("face", 0)), self._clock.now_s()
        face.direct(message, now_s)
        if message.get("interrupt"):
            self._silence(face, face.interrupt(now_s), now_s)

    def say(self, message: Message) -> None:
        if not message["text"].strip():
            raise UsageError("expected a text, got nothing that can be said.", hint='For example: "Hello."')
        order = {"do": "say", "text": message["text"]} | {
            name: message[name] for name in ("language", "voice") if name in message
        }
        face = self._face(message.get("face", 0))
        self._refuse_when_full(face)
        self._workshop.order(face, order)

    def push_frame(self, packet: FramePacket) -> None:
        self._face(packet.face).visit(packet.frame, self._clock.now_s())

    def push_sound(self, packet: SoundPacket, client: str) -> None:
        face, live = self._face(packet.face), not math.isnan(packet.chunk.time_s)
        key = (client, packet.face, live)
        listening = self._listening.get(key)
        is_new = listening is None or listening.utterance not in self._workshop
        if not live:
            try:
                self._refuse_when_full(face, is_new=is_new)
            except Avatar3dError:
                if packet.last:  # what was taken of it is said, and the next can begin
                    self._finish(key)
                raise
        if listening is None or is_new:
            number = self._workshop.order(face, {"do": "listen", "live": live}, live=live)
            listening = self._listening[key] = _Listening(number, packet.chunk.rate_hz)
        if packet.chunk.rate_hz != listening.rate_hz:
            raise UsageError(
                f"expected sound at {listening.rate_hz} Hz as before, got {packet.chunk.rate_hz} Hz.",
                hint="End the utterance with the flag LAST before the rate changes.",
            )
        if (waiting := face.script.find(listening.utterance)) is not None:
            waiting.pushed_s += len(packet.chunk.samples) / packet.chunk.rate_hz
        self._workshop.push(listening.utterance, packet.chunk)
        if packet.last:
            self._finish(key)

    def panic(self) -> None:
        """Everything to neutral at once."""
        self.panicking, now_s = True, self._clock.now_s()
        for face in self._faces:
            numbers = face.panic(now_s)
            self._workshop.put_aside(numbers)
            self._silence(face, numbers, now_s)
        self._event("neutral")

    def resume(self) -> None:
        self.panicking = False
        for face in self._faces:
            face.resume()
        self._workshop.resume()
        self._event("resumed")

    def stop(self) -> None:
        self.stopping = True

    def left(self, client: str) -> None:
        """A client has gone: what it was pushing has ended."""
        for key in [key for key in self._listening if key[0] == client]:
            self._finish(key)

    # Smaller things.

    def _finish(self, key: tuple[str, int, bool]) -> None:
        """No more sound comes of that."""
        if (listening := self._listening.pop(key, None)) is not None:
            self._workshop.finish(listening.utterance)

    def _silence(self, face: Face, numbers: Sequence[int], now_s: float) -> None:
        """These utterances are dropped, and what was sent of their sound is taken back."""
        self._workshop.drop(numbers)
        gone = set(numbers)
        self._listening = {key: each for key, each in self._listening.items() if each.utterance not in gone}
        self._messages.append({"type": "flush", "face": face.number, "media_time_s": now_s})

    def _event(self, name: str, face: int | None = None, text: str = "") -> None:
        told = {"face": face} if face is not None else {}
        self._messages.append({"type": "event", "name": name} | told | ({"text": text} if text else {}))

    def _face(self, number: int) -> Face:
        if not 0 <= number < len(self._faces):
            raise UsageError(f"no face {number}; there are 0 to {len(self._faces) - 1}.")
        return self._faces[number]

    def _refuse_when_full(self, face: Face, *, is_new: bool = True) -> None:
        if self.panicking:
            raise UsageError("Everything stands still since a panic.", hint="Send `resume` first.", id="PANICKING")
        waiting_s, count = face.script.waiting_s(self._clock.now_s()), len(face.script.numbers)
        if waiting_s > _MOST_AHEAD_S or (is_new and count >= _MOST_WAITING):
            raise LimitError(
                f"{count} utterances, {waiting_s:.0f} seconds of them known, are waiting to be said already; the limits are"
                f" {_MOST_WAITING} and {_MOST_AHEAD_S:.0f} seconds.",
                hint="Send it later, or interrupt what is being said.",
                id="QUEUE_FULL",
            )
