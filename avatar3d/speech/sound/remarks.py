"""What can be heard to be wrong with a recording, told to whoever gave it."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.speech.sound.music import MusicWatch

_FULL: Final = 0.99
_FLAT: Final = 1e-5
"""Three samples at full scale that differ by less, a third of a step of 16 bits, stand on a cut-off top."""
_CLIPPED: Final = 0.001
"""Share of all samples from which on clipping is heard as distortion."""
_SILENT: Final = 1e-3
"""-60 dB: the quietest speech in a good recording reaches -40."""
_SHORTEST_S: Final = 0.1
"""No syllable is shorter."""
MUSIC: Final = 0.5
"""Share of a sound from which on it is told to be music; of speech, less than one span in a thousand seems to be."""


@dataclass(frozen=True)
class Heard:
    """What was heard so far. A value: the verbs return the next one."""

    samples: int = 0
    """Of all channels."""
    clipped: int = 0
    loudest: float = 0.0
    """Of the finished sound."""
    music: MusicWatch = field(default_factory=MusicWatch)

    def given(self, block: Float32[np.ndarray, "N C"]) -> "Heard":
        """After a block as it stood in the file."""
        size = np.abs(block)
        clipped = 0
        if size.max(initial=0) >= _FULL:
            flat = (size[1:] >= _FULL) & (np.abs(np.diff(block, axis=0)) < _FLAT)
            overshot = size[2:] > 1  # as lossy codecs do where the top was cut off
            clipped = int((flat[1:] & flat[:-1] | overshot).sum())
        return replace(self, samples=self.samples + block.size, clipped=self.clipped + clipped)

    def made(self, piece: Float32[np.ndarray, "N"]) -> "Heard":
        """After a piece of what was made of it."""
        loudest = max(self.loudest, float(np.abs(piece).max(initial=0)))
        return replace(self, loudest=loudest, music=self.music.step(piece))

    def remarks(self, lasted_s: float) -> tuple[str, ...]:
        """Sentences for people, when all was heard; none when nothing is known to be wrong."""
        said = list[str]()
        if lasted_s < _SHORTEST_S:
            said.append(f"The sound lasts only {lasted_s:.2f} seconds, less than a syllable.")
        if self.loudest < _SILENT:
            level = (
                f"its loudest sample is at {20 * np.log10(self.loudest):.0f} dB"
                if self.loudest > 0
                else "every sample is 0"
            )
            said.append(f"The sound is silent ({level}): the mouth will hardly move.")
        share = self.clipped / max(1, self.samples)
        if share > _CLIPPED:
            said.append(
                f"{share:.1%} of the sound is clipped (cut off at full scale): record it again at a lower level."
            )
        music = self.music.share()
        if music >= MUSIC:
            said.append(
                f"{music:.0%} of the sound seems to be music or song with instruments, not speech: the mouth will follow "
                "instruments, too. Give the voice alone."
            )
        return tuple(said)


def remarks_of_header(rate_hz: int, peak: float) -> tuple[str, ...]:
    """What is known before anything is heard."""
    said = list[str]()
    if rate_hz < 16_000:
        said.append(
            f"The sound has {rate_hz:,} samples per second, nothing above {rate_hz / 2000:g} kHz, like a telephone: s, f and "
            "sh sound alike. 16,000 or more let the lips tell them apart."
        )
    if peak > 1:
        said.append(f"The sound reaches {peak:.3g} where 1 is full scale: all of it was made quieter by so much.")
    return tuple(said)


OPPOSED: Final = "The channels cancel each other where they are mixed: there, the louder one is used."
