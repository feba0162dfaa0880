"""Brows that rise on stress.

Rapid brow raises go with rises of F0 in 71 % of cases, but not the other way round: stress makes them likely, not
certain (Cave et al. 1996). In dialogue they begin some 60 ms before pitch accents (Flecha-Garcia 2010); a listener that
does not know the future is later than that by its reaction. They last a few tenths of a second and are mostly raises of
the whole brow (Ekman 1979, "About brows": batons).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.performance.easing import STILL, UNHIT, Beat, Spring
from avatar3d.speech.performance.hearing import Hearing
from avatar3d.speech.performance.noise import uniform

_PEAK_S: Final = 0.19
# Accents weaker than the first are left alone; the chance of the others, and how high a raise goes (weight of browInnerUp).
_LEAST_ACCENT: Final = 0.3
_CHANCE: Final = 0.45
_RAISE: Final = (0.1, 0.28)
# A voice that is high for a while keeps the brows a little up: weight per semitone over the speaker's mean.
_PER_SEMITONE: Final = 0.012
_MOST_SLOW: Final = 0.08
_SLOW_S: Final = 0.5
_OUTER: Final = 0.8
_WIDENS: Final = 0.25
_MOST: Final = 0.6
_CHANNEL: Final = 200
_INDEX: Final = np.array(
    [ARKIT_INDEX[n] for n in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeWideLeft", "eyeWideRight")]
)
_RATIO: Final = np.array([1, _OUTER, _OUTER, _WIDENS, _WIDENS], np.float32)


@dataclass(frozen=True, eq=False)
class Brows:
    """How far the brows are raised by the voice."""

    beat: Beat = UNHIT
    slow: Spring[float] = STILL
    count: int = 0

    @property
    def raised(self) -> float:
        """Weight of browInnerUp."""
        return min(max(self.beat.value + self.slow.value, 0.0), _MOST)

    def step(self, seed: int, elapsed_s: float, hearing: Hearing, size: float) -> "Brows":
        """The brows `elapsed_s` later; `size` is the style's factor."""
        beat, count = self.beat.step(0.0, elapsed_s, _PEAK_S), self.count
        if hearing.accent > 0:
            count += 1
            chance = _CHANCE * min(hearing.accent / 0.6, 1.5)
            if hearing.accent > _LEAST_ACCENT and uniform(seed, _CHANNEL, count) < chance:
                lowest, highest = _RAISE
                beat = beat.hit(size * (lowest + (highest - lowest) * hearing.accent), _PEAK_S)
        high = hearing.raised if hearing.speaking else 0.0
        goal = size * min(max(_PER_SEMITONE * high, 0.0), _MOST_SLOW)
        return Brows(beat, self.slow.step(goal, elapsed_s, _SLOW_S), count)

    def weights(self, weights: Float32[np.ndarray, "52"]) -> Float32[np.ndarray, "52"]:
        """The weights with these brows on top."""
        lifted = weights.copy()
        lifted[_INDEX] += np.float32(self.raised) * _RATIO
        return lifted
