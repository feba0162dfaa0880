from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar3d.core.audio import AudioChunk
from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import InputError
from avatar3d.living.pipe import HEADER, End, FaceAt, MouthAt, Order, Said, SoundAt, decode, encode, length_of
from avatar3d.speech.articulation import Articulation

RANDOM = np.random.default_rng(4)


def some(count: int) -> np.ndarray:
    return RANDOM.random(count).astype(np.float32)


MOUTH = Articulation(1.5, some(52), some(4), 0.25, 0.5, 0.75, -12.0)
SAID: list[Said] = [
    Order(1, {"do": "say", "text": "Grüße"}),
    MouthAt(2, MOUTH, 120.0),
    FaceAt(3, Frame(2.5, some(52), some(4), some(4), some(4), some(4))),
    SoundAt(4, AudioChunk(3.5, 48_000, some(480))),
    End(5),
]


def numbers(said: Said) -> list[np.ndarray]:
    match said:
        case MouthAt(mouth=m, pitch_hz=hz):
            return [m.weights, m.tongue, np.array([m.time_s, m.closed, m.tucked, m.voice, m.loudness_db, hz])]
        case FaceAt(frame=f):
            return [f.weights, f.head_wxyz, f.left_eye_wxyz, f.right_eye_wxyz, f.tongue, np.array(f.time_s)]
        case SoundAt(chunk=c):
            return [c.samples, np.array([c.time_s, c.rate_hz])]
        case _:
            return []


@pytest.mark.parametrize("said", SAID, ids=lambda said: type(said).__name__)
def test_what_is_said_arrives_to_the_bit(said: Said) -> None:
    packet = encode(said)
    header, payload = packet[: HEADER.size], packet[HEADER.size :]
    assert length_of(header) == len(payload)
    arrived = decode(header, payload)
    assert (type(arrived), arrived.utterance) == (type(said), said.utterance)
    for sent, came in zip(numbers(said), numbers(arrived), strict=True):
        np.testing.assert_array_equal(sent, came)
    if isinstance(said, Order):
        assert arrived == said


@given(st.integers(0, 8), st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_a_broken_message_is_refused_and_never_crashes(kind: int, payload: bytes) -> None:
    with suppress(InputError):
        decode(HEADER.pack(len(payload), kind, 1), payload)


def test_a_message_that_claims_gigabytes_is_refused() -> None:
    with pytest.raises(InputError, match="at most"):
        length_of(HEADER.pack(2**31, 1, 1))
