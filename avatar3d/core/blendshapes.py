"""The 52 ARKit blendshapes and what carries their weights through time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from avatar3d.core.transforms import IDENTITY_WXYZ

# Apple, ARFaceAnchor.BlendShapeLocation: alphabetical, tongueOut (added later) last.
ARKIT_NAMES: Final[tuple[str, ...]] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
ARKIT_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(ARKIT_NAMES)}
# Speech needs more of a tongue than tongueOut; only the tongue's mesh has these, after the 52.
TONGUE_NAMES: Final[tuple[str, ...]] = ("tongueUp", "tongueTeeth", "tongueBack", "tongueWide")
SHAPE_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate((*ARKIT_NAMES, *TONGUE_NAMES))}


@dataclass(frozen=True, eq=False)
class Frame:
    """One instant of a face: what travels over the wire."""

    time_s: float
    """Seconds since the stream began; strictly increasing."""
    weights: Float32[np.ndarray, "52"]
    """Blendshape weights in ARKIT_NAMES order, each in [0, 1]."""
    head_wxyz: Float32[np.ndarray, "4"]
    """Rotation of the head joint relative to its rest, unit quaternion."""
    left_eye_wxyz: Float32[np.ndarray, "4"]
    """Rotation of the person's left eye relative to its rest (gaze straight ahead)."""
    right_eye_wxyz: Float32[np.ndarray, "4"]
    """Rotation of the person's right eye relative to its rest."""
    tongue: Float32[np.ndarray, "4"] = field(default_factory=lambda: np.zeros(len(TONGUE_NAMES), np.float32))
    """Weights in TONGUE_NAMES order; only heads with a tongue of ours show them, and no wire dialect carries them."""


def neutral_frame(time_s: float) -> Frame:
    """A face at rest."""
    return Frame(time_s, np.zeros(len(ARKIT_NAMES), np.float32), IDENTITY_WXYZ, IDENTITY_WXYZ, IDENTITY_WXYZ)


def blend_frames(before: Frame, after: Frame, part: float) -> Frame:
    """Part of the way (0 to 1) from one face to another, their times too."""
    share = np.float32(part)
    return Frame(
        before.time_s + part * (after.time_s - before.time_s),
        before.weights + share * (after.weights - before.weights),
        _turned(before.head_wxyz, after.head_wxyz, share),
        _turned(before.left_eye_wxyz, after.left_eye_wxyz, share),
        _turned(before.right_eye_wxyz, after.right_eye_wxyz, share),
        before.tongue + share * (after.tongue - before.tongue),
    )


def _turned(
    before: Float32[np.ndarray, "4"], after: Float32[np.ndarray, "4"], share: np.float32
) -> Float32[np.ndarray, "4"]:
    """Part of the way the shorter way round; on the chord, which is near enough between neighbours."""
    way = after if float(before @ after) >= 0 else -after
    mixed = before + share * (way - before)
    return (mixed / np.sqrt(mixed @ mixed)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class BlendshapeClip:
    """A recorded performance: frames at their own times."""

    frames: tuple[Frame, ...]

    @property
    def duration_s(self) -> float:
        return self.frames[-1].time_s - self.frames[0].time_s if self.frames else 0.0


@runtime_checkable
class FrameSource(Protocol):
    """Anything that yields frames: speech, a webcam, a recorded clip."""

    def frames(self) -> AsyncIterator[Frame]: ...


@runtime_checkable
class FrameSink(Protocol):
    """Anything that takes frames: an engine, a file, a list in a test."""

    async def send(self, frame: Frame) -> None: ...

    async def close(self) -> None: ...
