r"""Emotions as offsets on the 52 weights, and how they share the mouth with speech.

    name, intensity --> look --> eased --> face at once
                                      \--> mouth, less while speaking, less on rounded lips --> + speech

The shapes follow the action units that Ekman, Friesen & Hager (2002, Facial Action Coding System, investigator's guide)
predict for each emotion, named with it; their sizes were set by eye on our heads. A real face seldom shows
the whole prototype (Fernandez-Dols & Crivelli 2013), so that intensity 1 is a clear expression, not the strongest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES

NEUTRAL: Final = "neutral"
_SHAPES: Final = len(ARKIT_NAMES)


@dataclass(frozen=True)
class Emotion:
    """What an emotion does at intensity 1. A shape named without Left and Right is both."""

    face: Mapping[str, float] = field(default_factory=dict[str, float])
    """Brows, eyes, cheeks: these do not disturb speech."""
    mouth: Mapping[str, float] = field(default_factory=dict[str, float])
    """Mouth, jaw, and the nose, which draws the upper lip up."""
    bowed_rad: float = 0.0
    """Of the head: bowed, or raised when negative."""
    tilted_rad: float = 0.0
    energy: float = 1.0
    """Factor on how far head and brows move: more in joy and anger than in sadness (Busso et al. 2007)."""
    blinks: float = 1.0
    looks_rad: tuple[float, float] = (0.0, 0.0)
    """Where an idle gaze tends to: to the person's left, up."""


EMOTIONS: Final[Mapping[str, Emotion]] = MappingProxyType(
    {
        NEUTRAL: Emotion(),
        # AU 6 + 12 + 25
        "joy": Emotion(
            face={"cheekSquint": 0.6, "eyeSquint": 0.3, "browInnerUp": 0.08, "browOuterUp": 0.12},
            mouth={"mouthSmile": 0.85, "mouthDimple": 0.1, "mouthUpperUp": 0.15, "mouthLowerDown": 0.12},
            bowed_rad=-0.02,
            energy=1.25,
        ),
        # AU 1 + 4 + 15 + 17
        "sadness": Emotion(
            face={"browInnerUp": 0.85, "browDown": 0.22, "eyeSquint": 0.08, "eyeBlink": 0.06},
            mouth={"mouthFrown": 0.8, "mouthShrugLower": 0.25},
            bowed_rad=0.07,
            energy=0.6,
            blinks=0.9,
            looks_rad=(0.0, -0.06),
        ),
        # AU 4 + 5 + 7 + 17 + 24
        "anger": Emotion(
            face={"browDown": 1.0, "eyeWide": 0.25, "eyeSquint": 0.55, "cheekSquint": 0.15},
            mouth={"noseSneer": 0.5, "mouthPress": 0.6, "mouthShrugLower": 0.5, "mouthFrown": 0.25, "jawForward": 0.15},
            bowed_rad=0.09,
            energy=1.2,
            blinks=0.85,
        ),
        # AU 1 + 2 + 4 + 5 + 20 + 25
        "fear": Emotion(
            face={"browInnerUp": 0.95, "browOuterUp": 0.25, "browDown": 0.3, "eyeWide": 0.85},
            mouth={"mouthStretch": 0.75, "mouthLowerDown": 0.3, "mouthFrown": 0.2, "jawOpen": 0.1},
            bowed_rad=-0.03,
            energy=0.9,
            blinks=1.1,
        ),
        # AU 9 + 10 + 17
        "disgust": Emotion(
            face={"browDown": 0.5, "eyeSquint": 0.4, "cheekSquint": 0.3},
            mouth={"noseSneer": 0.7, "mouthUpperUp": 0.2, "mouthFrown": 0.35, "mouthShrugLower": 0.4},
            bowed_rad=-0.03,
            tilted_rad=0.02,
        ),
        # AU 1 + 2 + 5 + 26
        "surprise": Emotion(
            face={"browInnerUp": 0.8, "browOuterUp": 0.85, "eyeWide": 0.7},
            mouth={"jawOpen": 0.28, "mouthFunnel": 0.12},
            bowed_rad=-0.03,
            energy=1.15,
            blinks=0.9,
        ),
        # AU R12 + R14: the one expression that is known to be one-sided
        "contempt": Emotion(
            face={"eyeSquint": 0.2, "browOuterUpRight": 0.35, "browDownLeft": 0.15},
            mouth={"mouthSmileRight": 0.5, "mouthDimpleRight": 0.7, "mouthPressRight": 0.25, "noseSneerRight": 0.12},
            bowed_rad=-0.06,
            tilted_rad=-0.04,
            energy=0.8,
        ),
        "tender": Emotion(
            face={"browInnerUp": 0.25, "cheekSquint": 0.2, "eyeSquint": 0.18},
            mouth={"mouthSmile": 0.3},
            bowed_rad=0.02,
            tilted_rad=0.06,
            energy=0.75,
        ),
        "thinking": Emotion(
            face={"browDownLeft": 0.25, "browInnerUp": 0.12, "browOuterUpRight": 0.3, "eyeSquint": 0.2},
            mouth={"mouthPucker": 0.2, "mouthLeft": 0.2, "mouthPress": 0.2},
            tilted_rad=0.04,
            energy=0.7,
            looks_rad=(0.2, 0.12),
        ),
        # Arousal without a valence, which is all that guess.py can tell.
        "animated": Emotion(face={"browInnerUp": 0.2, "browOuterUp": 0.3, "eyeWide": 0.25}, energy=1.35, blinks=1.1),
        "subdued": Emotion(face={"eyeBlink": 0.14, "browInnerUp": 0.08}, bowed_rad=0.03, energy=0.6, blinks=0.9),
    }
)

# What is left of an emotion's mouth while a voice is heard: lips that speak cannot press, purse or hang open, but corners
# stay up or down (the smile is heard: Tartter 1980).
_KEPT_SPEAKING: Final = {
    "mouthSmile": 0.65, "mouthDimple": 0.5, "mouthFrown": 0.65, "mouthStretch": 0.4, "mouthUpperUp": 0.5,
    "mouthLowerDown": 0.25, "mouthShrugLower": 0.3, "jawForward": 0.4, "mouthLeft": 0.3, "mouthRight": 0.3,
    "mouthPress": 0.1,
    "noseSneer": 0.6,
}  # fmt: skip
_KEPT_OTHERWISE: Final = 0.1
# Rounded lips (o, u, w) let go of what draws the corners apart, as far as this.
_WIDE: Final = ("mouthSmile", "mouthDimple", "mouthStretch", "mouthFrown", "mouthPress")
_LET_GO: Final = 0.65
_ROUND: Final = (ARKIT_INDEX["mouthPucker"], ARKIT_INDEX["mouthFunnel"])


def _vector(shapes: Mapping[str, float], otherwise: float = 0.0) -> Float32[np.ndarray, "52"]:
    vector = np.full(_SHAPES, otherwise, np.float32)
    for name, weight in shapes.items():
        for shape in (name,) if name in ARKIT_INDEX else (f"{name}Left", f"{name}Right"):
            vector[ARKIT_INDEX[shape]] = weight
    return vector


_KEPT: Final = _vector(_KEPT_SPEAKING, _KEPT_OTHERWISE)
_SPREADS: Final = _vector(dict.fromkeys(_WIDE, _LET_GO))
# The nose lifts the upper lip, which seal() does not undo: it lets go of as much where lips must meet.
_LIFTS: Final = _vector({"noseSneer": 0.6})


def _encode(emotion: Emotion) -> Float32[np.ndarray, "110"]:
    manner = (emotion.bowed_rad, emotion.tilted_rad, emotion.energy - 1, emotion.blinks - 1, *emotion.looks_rad)
    return np.concatenate([_vector(emotion.face), _vector(emotion.mouth), np.array(manner, np.float32)])


_ENCODED: Final = {name: _encode(emotion) for name, emotion in EMOTIONS.items()}


def look_of(emotion: str, intensity: float) -> Float32[np.ndarray, "110"]:
    """All that an emotion does, as one vector that can be eased: see Look."""
    return _ENCODED[emotion] * np.float32(intensity)


@dataclass(frozen=True, eq=False)
class Look:
    """An eased look, read: between emotions, or part of one."""

    vector: Float32[np.ndarray, "110"]

    @property
    def face(self) -> Float32[np.ndarray, "52"]:
        return self.vector[:_SHAPES]

    @property
    def mouth(self) -> Float32[np.ndarray, "52"]:
        return self.vector[_SHAPES : 2 * _SHAPES]

    @property
    def manner(self) -> tuple[float, float, float, float, float, float]:
        """Bowed, tilted (radians); factors of energy and of blinks; tendency of the gaze to the left and up (radians)."""
        bowed, tilted, energy, blinks, left, up = self.vector[2 * _SHAPES :].tolist()
        return bowed, tilted, 1 + energy, 1 + blinks, left, up


def speak_with(
    speech: Float32[np.ndarray, "52"], mouth: Float32[np.ndarray, "52"], activity: float, closed: float
) -> Float32[np.ndarray, "52"]:
    """A mouth that speaks (`speech`) with an emotion (`mouth`), not yet sealed nor clipped.

    `activity` is 0 in silence and 1 in speech; `closed` is the articulation's.
    """
    rounded = min(float(speech[_ROUND[0]] + speech[_ROUND[1]]), 1.0)
    keeps = 1 - np.float32(activity) * (1 - _KEPT)
    return speech + mouth * (keeps * (1 - np.float32(rounded) * _SPREADS) * (1 - np.float32(closed) * _LIFTS))
