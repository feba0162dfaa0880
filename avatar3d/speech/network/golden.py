"""Golden vectors: some steps of sound and what the network answers, so that another runtime can prove that it agrees."""

import json
from typing import Any, Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES
from avatar3d.speech.coarticulate import weights_of
from avatar3d.speech.lips import seal
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.network.model import Network, listen, listening_at_start

_STEPS: Final = 25
_VOICE_HZ: Final = 130.0
_GLIDE: Final = 0.1
"""Its pitch rises and falls by this share twice a second: a level buzz is no voice to a network that has heard machines hum."""
_FORMANTS_HZ: Final = ((730, 180), (1090, 220), (2440, 350))
_DIGITS: Final = 6
WITHIN: Final = 1e-5
"""How far another runtime's answers may lie from these."""


def golden_vectors(network: Network) -> bytes:
    """JSON: `samples` per step, and the `weights`, `tongue`, `voice` and `phones` that answer them."""
    rows: list[dict[str, Any]] = []
    state = listening_at_start(network, 1)
    for samples in golden_sound():
        state, heard = listen(network, state, samples[None])
        controls, tongue = weights_of(heard.controls)
        told = {
            "samples": samples,
            "weights": seal(controls, heard.closed, heard.tucked)[0],
            "tongue": tongue[0],
            "voice": heard.voice[0],
            "phones": heard.phones[0],
        }
        rows.append({name: np.round(np.asarray(value, np.float64), _DIGITS).tolist() for name, value in told.items()})
    facts = {"within": WITHIN, "weights": ARKIT_NAMES, "tongue": TONGUE_NAMES, "rate_hz": RATE_HZ, "steps": rows}
    return (json.dumps(facts) + "\n").encode()


def golden_sound() -> np.ndarray:
    """[_STEPS 320] float32: a voice that rises from silence, hisses, and stops; to _DIGITS decimals."""
    time_s = np.arange(_STEPS * STEP) / RATE_HZ
    pitch_hz = _VOICE_HZ * (1 + _GLIDE * np.sin(4 * np.pi * time_s))
    turns = np.cumsum(pitch_hz) / RATE_HZ
    tones_hz = _VOICE_HZ * np.arange(1, 36)
    vowel = sum(np.exp(-(((tones_hz - hz) / width) ** 2)) for hz, width in _FORMANTS_HZ)
    buzz = (vowel / np.arange(1, 36) ** 0.4) @ np.sin(2 * np.pi * np.outer(np.arange(1, 36), turns))
    hiss = np.sin(2 * np.pi * 5200 * time_s + 40 * np.sin(2 * np.pi * 313 * time_s))
    part = np.repeat(np.arange(_STEPS), STEP) / _STEPS
    loud = np.where(part < 0.2, 0, np.where(part < 0.6, 0.12 * buzz, np.where(part < 0.8, 0.05 * hiss, 0)))
    return np.round(loud, _DIGITS).astype(np.float32).reshape(_STEPS, STEP)
