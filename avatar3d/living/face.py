r"""One avatar's face on the bridge: what it shows at a media time, whoever moves it.

    script: what is to be said --\
    live mouth: a microphone -----+--> performer (emotion, gaze, blinks) --> gestures --\
    controls, from any client ---/                                                       +--> blended --> shown
    guest: whole faces from a camera, an app, a clip, another program ------------------/
                                                       panic: neutral at once, until resumed

Where no guest is, the performer's face lives: it blinks, breathes and looks around. A guest's face is shown as it is, held for
250 ms when it stops, and then eased out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from avatar3d.core.blendshapes import Frame, blend_frames, neutral_frame
from avatar3d.core.errors import UsageError
from avatar3d.live.track import EASED_S, HELD_S, Playout, presence
from avatar3d.living.gestures import Gesture, gesture
from avatar3d.living.script import Script, SoundDue
from avatar3d.speech.animate import Instant, between
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.easing import minimum_jerk
from avatar3d.speech.performance.perform import Performer

_SILENCE_DB: Final = -60.0
_LETTING_GO_S: Final = 0.12
"""A mouth that is interrupted comes to rest within this."""
_TAKING_OVER_S: Final = 0.15
"""A guest's face, and the performer's after it, are blended in over this."""
_SILENT_S: Final = 0.1
"""A guest who sent nothing for so long is said to be held."""
_CONTROLS: Final = ("emotion", "intensity", "head_motion", "style", "gaze")


@dataclass(frozen=True, eq=False)
class Shown:
    """What a tick shows of a face."""

    frame: Frame
    held: bool
    """The one who moves it is silent or lost."""
    jumped: bool
    """Not to be blended with the frame before."""
    sounds: tuple[SoundDue, ...] = ()


def blend_instants(before: Instant, after: Instant, part: float) -> Instant:
    """Two mouths and the nearer one's pitch."""
    (first, first_hz), (second, second_hz) = before, after
    time_s = first.time_s + part * (second.time_s - first.time_s)
    return between(first, second, time_s), (first_hz if part < 0.5 else second_hz)


@dataclass(frozen=True, eq=False)
class _Said:
    """A mouth or a face out of the script."""

    mouth: Instant | None
    frame: Frame | None


def _blend_said(before: _Said, after: _Said, part: float) -> _Said:
    mouth = blend_instants(before.mouth, after.mouth, part) if before.mouth and after.mouth else after.mouth
    frame = blend_frames(before.frame, after.frame, part) if before.frame and after.frame else after.frame
    return _Said(mouth, frame)


class Face:
    """One avatar on the bridge."""

    def __init__(self, number: int, name: str, *, controls: Controls, seed: int, alive: bool) -> None:
        self.number = number
        self.name = name
        self.controls = controls
        self.script: Script[_Said] = Script(_blend_said)
        self._alive = alive
        """Whether the performer's face lives where nobody moves it."""
        self._performer = Performer(seed=seed)
        self._mouth: Playout[Instant] = Playout(blend_instants)
        self._guest: Playout[Frame] = Playout(blend_frames)
        self._gestures: list[Gesture] = []
        self._spoken: tuple[Instant, float, float] | None = None
        """The last mouth that somebody moved, when, and within what time it comes to rest after that."""
        self._scripted: tuple[Frame | None, float] = None, -np.inf
        """The last face out of the script, and when."""
        self._guest_share = 0.0
        self._time_s = 0.0
        self._panicking = False
        self._jump = False

    def direct(self, asked: Mapping[str, Any], now_s: float) -> None:
        """A control message, all of it or, with UsageError, none of it."""
        changes = {name: asked[name] for name in _CONTROLS if name in asked}
        if "gaze" in changes:
            changes["gaze"] = tuple(changes["gaze"])
        if asked.get("listener"):
            if "gaze" in asked:
                raise UsageError("gaze and listener are one or the other.", hint="Leave one of them out.")
            changes["gaze"] = None
        controls = replace(self.controls, **changes)
        if "gesture" in asked:
            self._gestures = [*self._gestures[-3:], Gesture(asked["gesture"], now_s)]
        if changes:
            self._alive = True  # whoever directs a performer wants to see one
        self.controls = controls

    def open(self, number: int, *, sounds: bool) -> None:
        """A new utterance, after all that are waiting."""
        self._alive = self._alive or sounds
        self.script.open(number, sounds=sounds)

    def say(self, number: int, time_s: float, *, mouth: Instant | None = None, frame: Frame | None = None) -> None:
        """A piece of an utterance; of one that was dropped it is left out."""
        if (utterance := self.script.find(number)) is not None:
            utterance.add_value(time_s, _Said(mouth, frame))

    def hear(self, mouth: Instant, now_s: float) -> None:
        """A mouth from a microphone, as it comes."""
        self._alive = True
        self._mouth.add(mouth[0].time_s, mouth, now_s)

    def visit(self, frame: Frame, now_s: float) -> None:
        """A whole face from somebody else, as it comes."""
        self._guest.add(frame.time_s, frame, now_s)

    def interrupt(self, now_s: float) -> list[int]:
        """Stop speaking; the numbers of the utterances that were dropped."""
        if self._spoken is not None:
            self._spoken = self._spoken[0], now_s, _LETTING_GO_S
        return self.script.drop()

    def panic(self, now_s: float) -> list[int]:
        """Neutral until `resume`."""
        self._panicking = self._jump = True
        self._gestures = []
        self._guest_share, self._spoken = 0.0, None
        return self.interrupt(now_s)

    def resume(self) -> None:
        self._panicking, self._jump = False, True
        self._performer = Performer(seed=self._performer.seed)

    @property
    def speaking(self) -> bool:
        """Whether something is being said."""
        return self.script.position(self._time_s) is not None

    def at(self, now_s: float) -> Shown:
        """The face now, and the sound to be sent now. Times must rise."""
        elapsed_s, self._time_s = now_s - self._time_s, now_s
        jumped, self._jump = self._jump, False
        if self._panicking:
            return Shown(neutral_frame(now_s), held=False, jumped=jumped)
        said, sounds = self.script.step(now_s)
        guest, silent_s = self._guest_at(now_s, said)
        there = presence(silent_s) if guest is not None else 0.0
        share = self._guest_share = min(self._guest_share + elapsed_s / _TAKING_OVER_S, there)
        frame = self._own(now_s, said) if self._alive and share < 1 else neutral_frame(now_s)
        if guest is not None and share > 0:
            frame = replace(blend_frames(frame, guest, share), time_s=now_s)
        self._gestures = [each for each in self._gestures if not each.over(now_s)]
        for each in self._gestures:
            frame = gesture(frame, each)
        return Shown(frame, held=share > 0 and silent_s > _SILENT_S, jumped=jumped, sounds=tuple(sounds))

    def _guest_at(self, now_s: float, said: _Said | None) -> tuple[Frame | None, float]:
        """A guest's face, and since when nothing came of it: the script's, or whoever came last."""
        if said is not None and said.frame is not None:
            self._scripted = said.frame, now_s
        guest, silent_s = self._guest.at(now_s), self._guest.silent_s(now_s)
        scripted, when_s = self._scripted
        return (scripted, now_s - when_s) if now_s - when_s <= silent_s else (guest, silent_s)

    def _own(self, now_s: float, said: _Said | None) -> Frame:
        """The performer's face."""
        mouth, pitch_hz = self._mouth_at(now_s, said)
        self._performer, frame = self._performer.step(replace(mouth, time_s=now_s), pitch_hz, self.controls)
        return frame

    def _mouth_at(self, now_s: float, said: _Said | None) -> Instant:
        """What is said, or heard live, or what is left of it."""
        if said is not None and said.mouth is not None:
            self._spoken = said.mouth, now_s, _LETTING_GO_S
            return said.mouth
        live = self._mouth.at(now_s)
        if live is not None and self._mouth.silent_s(now_s) <= HELD_S:
            self._spoken = live, now_s, EASED_S
            return live
        if self._spoken is not None:
            mouth, when_s, over_s = self._spoken
            if (part := 1 - minimum_jerk((now_s - when_s) / over_s)) > 0:
                return _less(mouth, part)
            self._spoken = None
        return _at_rest(now_s), 0.0


def _less(mouth: Instant, part: float) -> Instant:
    """A mouth on its way to rest."""
    spoken, pitch_hz = mouth
    share = np.float32(part)
    less = replace(
        spoken,
        weights=share * spoken.weights,
        tongue=share * spoken.tongue,
        closed=part * spoken.closed,
        tucked=part * spoken.tucked,
        voice=part * spoken.voice,
        loudness_db=_SILENCE_DB + part * (spoken.loudness_db - _SILENCE_DB),
    )
    return less, pitch_hz


def _at_rest(time_s: float) -> Articulation:
    return Articulation(time_s, np.zeros(52, np.float32), np.zeros(4, np.float32), 0.0, 0.0, 0.0, _SILENCE_DB)
