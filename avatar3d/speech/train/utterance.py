"""The noun of the corpus: something said, and when each phone of it is heard."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from avatar3d.speech.phones import Phone


@dataclass(frozen=True, eq=False)
class Utterance:
    """Somebody says something, and when each phone is heard."""

    name: str
    part: str
    """train, tune, test, foreign or song."""
    source: str
    """librispeech, espeak-ng, flite or festival."""
    language: str
    speaker: str
    samples: Float32[np.ndarray, "N"]
    """16 kHz, in [-1, 1]."""
    phones: tuple[Phone, ...]
