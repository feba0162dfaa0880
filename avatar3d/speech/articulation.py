"""One instant of a mouth: what phones or the network tell the performer, before emotion and before lips are sealed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, eq=False)
class Articulation:
    """What a mouth does at one time, and how it sounds then."""

    time_s: float
    """Seconds of the audio since the stream began; strictly increasing from one to the next."""
    weights: Float32[np.ndarray, "52"]
    """Blendshape weights in ARKIT_NAMES order, each in [0, 1]; only mouth*, jaw* and tongueOut are used, the rest is 0."""
    tongue: Float32[np.ndarray, "4"]
    """Weights in TONGUE_NAMES order, each in [0, 1]."""
    closed: float
    """0 to 1: the bilabial gate. At 1 (p b m) the lips must meet whatever else the face does; see lips.seal."""
    tucked: float
    """0 to 1: the labiodental gate. At 1 (f v) the lower lip must be under the upper teeth."""
    voice: float
    """0 to 1: how surely somebody is speaking."""
    loudness_db: float
    """Level of the sound (RMS of about 20 ms), dB over any constant: full scale, or the speaker's mean.

    Only its changes count, and not the gain of the microphone; where no sound is known it does not change."""
