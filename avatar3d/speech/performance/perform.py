r"""The whole performance: a mouth that speaks becomes a face that means it.

    articulation, pitch --> hearing --> accents, phrases --> beats of head and brows, blinks, breath
    controls --> eased: emotion, style, head motion      \--> guess (emotion "auto")
    attention --> gaze --> eyes in the turned head
    mouth + emotion --> lids --> sealed lips (last, so that p b m close whatever the face does) --> Frame

Causal and cheap: nothing is looked ahead, no step depends on the frame rate, chance comes from the seed.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import Frame
from avatar3d.speech.articulation import Articulation
from avatar3d.speech.lips import seal
from avatar3d.speech.performance.attention import Wish, place_of
from avatar3d.speech.performance.blink import RESTING_PER_MINUTE, SPEAKING_PER_MINUTE, Blinking, close_lids
from avatar3d.speech.performance.breath import Breath
from avatar3d.speech.performance.brows import Brows
from avatar3d.speech.performance.controls import AUTO, STYLE_VECTORS, Controls, Style
from avatar3d.speech.performance.easing import STILL, Spring
from avatar3d.speech.performance.emotion import NEUTRAL, Look, look_of, speak_with
from avatar3d.speech.performance.eyes import eye_wxyz, in_head, look
from avatar3d.speech.performance.gaze import Gaze
from avatar3d.speech.performance.guess import Guess
from avatar3d.speech.performance.head_motion import HeadMotion, Manner, head_wxyz
from avatar3d.speech.performance.hearing import Hearing
from avatar3d.speech.performance.noise import pink

# An expression takes about half a second to come (smiles: Schmidt, Cohn & Tian 2003).
_EXPRESSION_S: Final = 0.6
_STYLE_S: Final = 1.0
_HEAD_S: Final = 0.8
# An expression that is held is never quite still: deviation of its intensity, and how slowly it changes.
_ALIVE: Final = 0.06
_ALIVE_HZ: Final = 0.12
_ALIVE_CHANNEL: Final = 600
# Chances of a blink at the end of a phrase and with a gaze shift of at least so much (radians).
_BLINK_AT_END: Final = 0.3
_BLINK_AT_SHIFT: Final = 0.45
_LARGE_SHIFT: Final = math.radians(10)
_NO_STYLE: Final = Spring(np.zeros(7, np.float32), np.zeros(7, np.float32))
_NO_LOOK: Final = Spring(look_of(NEUTRAL, 0), look_of(NEUTRAL, 0))


@dataclass(frozen=True, eq=False)
class Performer:
    """A performance up to now: a value, so that it can be kept, replayed and branched.

    `Performer(seed=7)` begins one: its first frame already wears what the controls ask; later changes are eased in.
    """

    seed: int = 0
    time_s: float = math.inf
    """Of the last step; before the first one nothing has elapsed."""
    hearing: Hearing = field(default_factory=Hearing)
    guess: Guess = field(default_factory=Guess)
    look: Spring[np.ndarray] = _NO_LOOK
    style: Spring[np.ndarray] = _NO_STYLE
    head_motion: Spring[float] = STILL
    head: HeadMotion = field(default_factory=HeadMotion)
    breath: Breath = field(default_factory=Breath)
    gaze: Gaze = field(default_factory=Gaze)
    brows: Brows = field(default_factory=Brows)
    blinking: Blinking = field(default_factory=Blinking)

    def step(self, articulation: Articulation, pitch_hz: float, controls: Controls) -> tuple["Performer", Frame]:
        """The performance and the face at the articulation's time; `pitch_hz` is 0 where the voice has none."""
        elapsed_s = max(articulation.time_s - self.time_s, 0.0)
        hearing = self.hearing.step(articulation, pitch_hz, elapsed_s)
        guess = self.guess.step(hearing, pitch_hz, elapsed_s)
        eased = self._ease(controls, guess, elapsed_s)
        style, seen = Style(*eased.style.value.tolist()), Look(eased.look.value)
        bowed, tilted, energy, blinks, left, up = seen.manner

        breath = self.breath.step(self.seed, elapsed_s, hearing)
        wish = Wish(
            target=None if controls.gaze is None else place_of(controls.gaze),
            pause_s=hearing.pause_s,
            glances=style.glances,
            downcast=style.downcast,
            tendency=(left, up),
        )
        gaze = self.gaze.step(self.seed, elapsed_s, wish)
        manner = Manner(
            scale=eased.head_motion.value,
            head=style.head * energy,
            beats=style.beats * energy,
            bowed_rad=style.bowed_rad + bowed - breath.lift_rad,
            tilted_rad=tilted,
        )
        head = self.head.step(self.seed, articulation.time_s, elapsed_s, hearing, gaze.attention.place, manner)
        brows = self.brows.step(self.seed, elapsed_s, hearing, style.brows * energy)
        called = max(
            _BLINK_AT_END if hearing.phrase_ends else 0.0, _BLINK_AT_SHIFT if gaze.shifted_rad > _LARGE_SHIFT else 0.0
        )
        rate = (SPEAKING_PER_MINUTE if hearing.speaking else RESTING_PER_MINUTE) * style.blinks * blinks
        blinking = self.blinking.step(self.seed, elapsed_s, rate, called, allowed=controls.blink)

        following = Performer(
            self.seed,
            articulation.time_s,
            hearing,
            guess,
            eased.look,
            eased.style,
            eased.head_motion,
            head,
            breath,
            gaze,
            brows,
            blinking,
        )
        return following, following._frame(articulation, seen)

    def _ease(self, controls: Controls, guess: Guess, elapsed_s: float) -> "_Eased":
        """Everything that is asked, on its way there; at once before the first frame."""
        named = (
            (guess.emotion, guess.intensity * controls.intensity)
            if controls.emotion == AUTO
            else (controls.emotion, controls.intensity)
        )
        asked, style = look_of(*named), STYLE_VECTORS[controls.style]
        if self.time_s == math.inf:
            still = np.zeros(7, np.float32)
            return _Eased(Spring(asked, 0 * asked), Spring(style, still), Spring(controls.head_motion, 0.0))
        head_motion = self.head_motion.step(controls.head_motion, elapsed_s, _HEAD_S)
        if abs(head_motion.value - controls.head_motion) < 1e-4 and abs(head_motion.speed) < 1e-3:
            head_motion = Spring(controls.head_motion, 0.0)  # so that 0 becomes no motion at all
        return _Eased(
            self.look.step(asked, elapsed_s, _EXPRESSION_S), self.style.step(style, elapsed_s, _STYLE_S), head_motion
        )

    def _frame(self, articulation: Articulation, seen: Look) -> Frame:
        """The face of this moment."""
        turned = head_wxyz(self.head.angles)
        yaw, pitch = in_head(*self.gaze.place, turned)
        if pitch > 0:
            pitch *= 1 - self.blinking.closure  # eyes sink with the lids (Collewijn et al. 1985), and these must meet
        alive = np.float32(1 + _ALIVE * pink(self.seed, _ALIVE_CHANNEL, articulation.time_s, _ALIVE_HZ, 3))
        weights = speak_with(articulation.weights, seen.mouth * alive, self.hearing.activity, articulation.closed)
        weights = self.brows.weights(weights + seen.face * alive)
        weights = close_lids(_within(look(weights, yaw, pitch)), self.blinking.closure)
        sealed = seal(weights, articulation.closed, articulation.tucked)
        eye = eye_wxyz(yaw, pitch)
        return Frame(
            time_s=articulation.time_s,
            weights=_within(sealed),
            head_wxyz=np.array(turned, np.float32),
            left_eye_wxyz=eye,
            right_eye_wxyz=eye,
            tongue=_within(articulation.tongue),
        )


@dataclass(frozen=True, eq=False)
class _Eased:
    look: Spring[np.ndarray]
    style: Spring[np.ndarray]
    head_motion: Spring[float]


def _within(weights: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """Clipped to [0, 1]; np.clip takes five times as long for so few."""
    return np.minimum(np.maximum(weights, np.float32(0)), np.float32(1))
