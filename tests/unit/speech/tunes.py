"""Music by numpy: ten kinds at any tempo and key, seeded, 16 kHz. Nobody's composition, so that no licence hangs on it."""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.signal import butter, sosfilt

RATE_HZ: Final = 16_000
_MAJOR, _MINOR = (0, 4, 7), (0, 3, 7)
_PROGRESSIONS: Final = (
    ((0, _MAJOR), (7, _MAJOR), (9, _MINOR), (5, _MAJOR)),
    ((0, _MINOR), (8, _MAJOR), (3, _MAJOR), (10, _MAJOR)),
    ((2, _MINOR), (7, (0, 4, 7, 10)), (0, (0, 4, 7, 11)), (9, _MINOR)),
    ((0, _MAJOR), (5, _MAJOR), (7, _MAJOR), (0, _MAJOR)),
)


def hz_of(note: float) -> float:
    """Of a MIDI note, equal temperament."""
    return 440 * 2 ** ((note - 69) / 12)


def tone(hz: float, seconds: float, *, decay_s: float = 9.0, dark: float = 1.0, vibrato: float = 0.0) -> np.ndarray:
    """Partials that fall as 1 / n^dark, and die away, the higher ones sooner."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * hz * time_s + vibrato * hz / 5.5 * np.sin(2 * np.pi * 5.5 * time_s)
    partials = np.arange(1, max(2, min(24, int(7000 / hz))))
    made = np.sum([np.exp(-time_s * n**0.5 / decay_s) * np.sin(n * phase) / n**dark for n in partials], axis=0)
    rim = min(len(time_s) // 2, 160)
    made[:rim] *= np.linspace(0, 1, rim)
    made[-rim:] *= np.linspace(1, 0, rim)
    return made


def hit(rng: np.random.Generator, kind: str) -> np.ndarray:
    """A drum: kick, snare or hat."""
    time_s = np.arange(int(0.25 * RATE_HZ)) / RATE_HZ
    noise = rng.normal(size=len(time_s))
    if kind == "kick":
        return 1.6 * np.sin(2 * np.pi * (50 * time_s + 6 * (1 - np.exp(-time_s * 25)))) * np.exp(-time_s * 14)
    if kind == "snare":
        return (0.5 * noise + 0.5 * np.sin(2 * np.pi * 190 * time_s)) * np.exp(-time_s * 18)
    return 0.35 * np.asarray(sosfilt(butter(2, 5000, "high", fs=RATE_HZ, output="sos"), noise)) * np.exp(-time_s * 45)


class Score:
    """What is played, on a tape of so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.tape = np.zeros(int(seconds * RATE_HZ))

    def put(self, at_s: float, sound: np.ndarray, gain: float = 1.0) -> None:
        at = max(0, int(at_s * RATE_HZ))
        part = sound[: max(0, len(self.tape) - at)]
        self.tape[at : at + len(part)] += gain * part


def _chords(rng: np.random.Generator, bpm: float, seconds: float, beats: int) -> list[tuple[float, list[float]]]:
    """Time and notes of every chord."""
    progression, key = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))], int(rng.integers(48, 62))
    long_s = beats * 60 / bpm
    return [
        (at * long_s, [key + root % 12 + step for step in steps])
        for at in range(int(np.ceil(seconds / long_s)))
        for root, steps in [progression[at % len(progression)]]
    ]


def organ(rng: np.random.Generator, bpm: float, seconds: float, dark: float = 1.2, vibrato: float = 0.0) -> np.ndarray:
    score = Score(seconds)
    for at_s, notes in _chords(rng, bpm, seconds, 4):
        for note in notes:
            score.put(at_s, tone(hz_of(note), 4 * 60 / bpm, dark=dark, vibrato=vibrato))
    return score.tape


def strings(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    return organ(rng, bpm, seconds, 0.9, 0.006)


def piano(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    score = Score(seconds)
    for at_s, notes in _chords(rng, bpm, seconds, 2):
        for beat in range(2):
            for note in notes:
                score.put(at_s + beat * 60 / bpm, tone(hz_of(note), 120 / bpm, decay_s=0.9, dark=1.4))
        score.put(at_s, tone(hz_of(notes[0] - 12), 120 / bpm, decay_s=1.2, dark=1.3))
    return score.tape


def arpeggio(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    """One string after the other; each rings on."""
    score = Score(seconds)
    eighth_s = 30 / bpm
    for at_s, notes in _chords(rng, bpm, seconds, 4):
        for step in range(8):
            note = [*notes, notes[0] + 12][(0, 2, 1, 2, 3, 2, 1, 2)[step]]
            score.put(at_s + step * eighth_s, tone(hz_of(note), 1.2, decay_s=0.5, dark=1.1))
    return score.tape


def drums(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    score, beat_s = Score(seconds), 60 / bpm
    swing = float(rng.choice([0.5, 0.5, 0.64]))
    three = rng.random() < 0.25
    for beat in range(int(seconds / beat_s)):
        place = beat % (3 if three else 4)
        score.put(beat * beat_s, hit(rng, "kick" if place == 0 or (place == 2 and not three) else "snare"))
        for off in (0.0, swing):
            score.put((beat + off) * beat_s + rng.normal() * 0.004, hit(rng, "hat"))
    return score.tape


def techno(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    score, beat_s = Score(seconds), 60 / bpm
    root = int(rng.integers(33, 45))
    for sixteenth in range(int(4 * seconds / beat_s)):
        if sixteenth % 4 == 0:
            score.put(sixteenth * beat_s / 4, hit(rng, "kick"))
        if sixteenth % 4 == 2:
            score.put(sixteenth * beat_s / 4, hit(rng, "hat"))
        note = root + (0, 0, 12, 0, 3, 0, 7, 10)[sixteenth % 8]
        score.put(sixteenth * beat_s / 4, tone(hz_of(note), beat_s / 4, decay_s=0.2, dark=0.8), 0.6)
    return score.tape


def guitar(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    """Strummed chords, loud and soft."""
    score = Score(seconds)
    for at_s, notes in _chords(rng, bpm, seconds, 4):
        for beat, gain in ((0, 1.0), (1, 0.6), (1.5, 0.4), (2.5, 0.5), (3, 0.8), (3.5, 0.4)):
            for string, note in enumerate([notes[0] - 12, *notes, notes[0] + 12]):
                score.put(at_s + beat * 60 / bpm + 0.012 * string, tone(hz_of(note), 0.8, decay_s=0.4, dark=1.0), gain)
    return score.tape


def melody(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    """One flute alone, two or four notes to the beat."""
    score, at_s = Score(seconds), 0.0
    note = int(rng.integers(64, 76))
    while at_s < seconds:
        lasts_s = 60 / bpm * float(rng.choice([0.5, 1.0, 2.0]))
        score.put(at_s, tone(hz_of(note), lasts_s, dark=2.2, vibrato=0.003))
        note = int(np.clip(note + rng.choice([-4, -2, -1, 1, 2, 3, 5]), 60, 84))
        at_s += lasts_s
    return score.tape


def band(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    parts = (drums(rng, bpm, seconds), guitar(rng, bpm, seconds), 0.4 * melody(rng, bpm, seconds))
    return np.sum([part / (np.abs(part).max() + 1e-9) for part in parts], axis=0)


def orchestra(rng: np.random.Generator, bpm: float, seconds: float) -> np.ndarray:
    return strings(rng, bpm, seconds) + 2 * melody(rng, bpm, seconds) + arpeggio(rng, bpm, seconds)


KINDS: Final[dict[str, Callable[[np.random.Generator, float, float], np.ndarray]]] = {
    "organ": organ, "strings": strings, "piano": piano, "arpeggio": arpeggio, "drums": drums, "techno": techno,
    "guitar": guitar, "band": band, "orchestra": orchestra, "melody": melody,
}  # fmt: skip


def tune(kind: str, seed: int, seconds: float = 12.0, bpm: float | None = None) -> np.ndarray:
    """Music at -14 dB of full scale or so, [N] float32."""
    rng = np.random.default_rng(seed)
    made = KINDS[kind](rng, bpm or float(rng.uniform(60, 170)), seconds)
    return (0.5 * made / np.abs(made).max()).astype(np.float32)
