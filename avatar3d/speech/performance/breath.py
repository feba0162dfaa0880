"""Breathing, as far as a head shows it: it rises a little with every breath.

At rest 12 to 18 breaths a minute, two fifths of each in; whoever speaks takes a quick breath (about half a second) in a
pause and spends it slowly over the phrase (Conrad & Schonle 1979; Winkworth et al. 1995).
"""

from dataclasses import dataclass
from typing import Final

from avatar3d.speech.performance.easing import STILL, Spring, minimum_jerk
from avatar3d.speech.performance.hearing import Hearing
from avatar3d.speech.performance.noise import normal

LIFT_RAD: Final = 0.006
"""Turn of the head, up, at a full breath: about a third of a degree."""
_PERIOD_S: Final = 4.2
_INHALING: Final = 0.4
# In speech: the lungs' emptying over the phrase and their filling in a pause (seconds).
_SPENT_S: Final = 6.0
_FILLED_S: Final = 0.55
_CHANNEL: Final = 300


@dataclass(frozen=True, eq=False)
class Breath:
    """How full the lungs are."""

    phase: float = 0.0
    """0 to 1 through a breath at rest."""
    count: int = 0
    lungs: Spring[float] = STILL

    @property
    def lift_rad(self) -> float:
        """How far the head is raised."""
        return LIFT_RAD * self.lungs.value

    def step(self, seed: int, elapsed_s: float, hearing: Hearing) -> "Breath":
        """The lungs `elapsed_s` later."""
        if hearing.speaking:
            # What is left of the breath; the next one at rest begins with breathing in.
            return Breath(0.0, self.count, self.lungs.step(0.1, elapsed_s, _SPENT_S))
        period_s = _PERIOD_S * (1 + 0.15 * normal(seed, _CHANNEL, self.count))
        phase, count = self.phase + elapsed_s / period_s, self.count
        if phase >= 1:
            phase, count = phase % 1.0, count + 1
        if phase < _INHALING:
            full = minimum_jerk(phase / _INHALING)
        else:
            full = 1 - minimum_jerk((phase - _INHALING) / (1 - _INHALING))
        hurried = hearing.pause_s < 1.0 and hearing.phrase_s > 1.0
        goal = 1.0 if hurried else full
        return Breath(phase, count, self.lungs.step(goal, elapsed_s, _FILLED_S))
