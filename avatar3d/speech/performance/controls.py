"""What a director may ask of a performance, at any moment of it."""

import math
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from avatar3d.core.errors import UsageError
from avatar3d.speech.performance.emotion import EMOTIONS

AUTO: Final = "auto"
"""The emotion's name that lets the voice decide (guess.py says how little it can)."""


@dataclass(frozen=True)
class Style:
    """A way of holding oneself: factors on what the natural style does, and two biases. All of them are eased."""

    head: float = 1.0
    """How far the head wanders."""
    beats: float = 1.0
    """How far it nods on accents."""
    brows: float = 1.0
    blinks: float = 1.0
    """How often; the rate stays between 10 and 30 a minute."""
    glances: float = 1.0
    """How often the eyes leave the listener."""
    downcast: float = 0.0
    """0 to 1: the part of the glances that go down."""
    bowed_rad: float = 0.0
    """How far the head is bowed, in radians."""


STYLES: Final = MappingProxyType(
    {
        "natural": Style(),
        "calm": Style(head=0.6, beats=0.6, brows=0.6, blinks=0.85, glances=0.8),
        "lively": Style(head=1.4, beats=1.4, brows=1.5, blinks=1.1, glances=1.1),
        # Eyes on the camera, a still posture, clear beats.
        "newsreader": Style(head=0.5, beats=1.1, brows=0.8, blinks=0.9, glances=0.1),
        "shy": Style(head=0.7, beats=0.5, brows=0.7, blinks=1.15, glances=1.8, downcast=0.7, bowed_rad=0.05),
    }
)
STYLE_VECTORS: Final = MappingProxyType({name: np.array(astuple(style), np.float32) for name, style in STYLES.items()})
"""The same as numbers in the fields' order, to be eased."""
MOST_HEAD_MOTION: Final = 2.0


@dataclass(frozen=True)
class Controls:
    """What is asked; it may change from one step to the next and is eased in."""

    emotion: str = "neutral"
    """A name of emotion.EMOTIONS, or AUTO."""
    intensity: float = 1.0
    """0 to 1; how much of the emotion. With AUTO it is the most that the guess may show."""
    gaze: tuple[float, float, float] | None = None
    """Direction to look at, from between the eyes, in the frame of the resting head (+X the person's left, +Y up, +Z
    ahead; any length): the eyes stay on it while the head moves. None: at the listener ahead, with glances away."""
    head_motion: float = 1.0
    """0 (the head does not turn at all) to 2."""
    style: str = "natural"
    """A name of STYLES."""
    blink: bool = True

    def __post_init__(self) -> None:
        if self.emotion != AUTO and self.emotion not in EMOTIONS:
            raise UsageError(f"no emotion named {self.emotion!r}; choose one of: {', '.join((AUTO, *EMOTIONS))}")
        if self.style not in STYLES:
            raise UsageError(f"no style named {self.style!r}; choose one of: {', '.join(STYLES)}")
        if not 0 <= self.intensity <= 1:
            raise UsageError(f"the emotion's intensity must lie between 0 and 1, not {self.intensity}")
        if not 0 <= self.head_motion <= MOST_HEAD_MOTION:
            raise UsageError(f"head motion must lie between 0 (none) and {MOST_HEAD_MOTION:g}, not {self.head_motion}")
        if self.gaze is not None and not 1e-6 < math.hypot(*self.gaze) < math.inf:
            raise UsageError(f"a gaze is a direction (x, y, z) that is not zero, not {self.gaze}")
