"""A few English sentences by espeak-ng, with exact phones: rich in lips, short."""

import soxr

from avatar3d.speech.network.features import RATE_HZ
from avatar3d.speech.train.utterance import Utterance
from avatar3d.speech.voices.espeak import Manner, speak_phones

SENTENCES = (
    "mama papa bob made a big pump before supper",
    "five very fine foxes live over there",
    "who knew you would choose two new shoes",
    "a happy cat sat back, and had a nap",
)


def say_sentences() -> list[Utterance]:
    """Three voices; the last one is for tuning."""
    said: list[Utterance] = []
    for variant, part in (("m1", "train"), ("f2", "train"), ("m3", "tune")):
        for text in SENTENCES:
            samples, rate_hz, phones = speak_phones(text, "en-us", Manner(variant=variant))
            heard = soxr.resample(samples, rate_hz, RATE_HZ).astype("float32")
            said.append(Utterance(text, part, "espeak-ng", "en-us", variant, heard, phones))
    return said
