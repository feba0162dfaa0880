"""What decides how a person looks besides the shape of the head."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

_AGES: Final = (18.0, 82.0)


@dataclass(frozen=True)
class Traits:
    """Age and sex decide hair, beard, brows, make-up, wrinkles. The head model's shapes know neither."""

    age_years: float
    sex: Literal["female", "male"]

    @property
    def male(self) -> bool:
        return self.sex == "male"

    @property
    def greyed(self) -> float:
        """How likely hair has lost its colour: nobody's at 30, most people's at 80."""
        return float(np.clip((self.age_years - 35) / 55, 0.0, 0.9))

    @property
    def lined(self) -> float:
        """How deep folds and wrinkles are: 0 at 20, 1 at 75."""
        return float(np.clip((self.age_years - 20) / 55, 0.0, 1.0))


def random_traits(rng: np.random.Generator) -> Traits:
    """Any adult, most often in the middle of life."""
    return Traits(float(rng.triangular(_AGES[0], 35, _AGES[1])), "male" if rng.random() < 0.5 else "female")
