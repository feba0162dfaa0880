"""Faces, networks and damage for the dialects' tests."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, Frame
from avatar3d.core.errors import InputError
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.live.dialects import DIALECTS
from avatar3d.live.dialects.turns import look_weights, wxyz_of_gaze

GOLDEN = Path(__file__).parents[2] / "golden/live"


def face(time_s: float = 1.0, head: tuple[float, float, float] = (0, 0, 0), **weights: float) -> Frame:
    """A face at rest but for these; eyes straight ahead."""
    all_weights = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in weights.items():
        all_weights[ARKIT_INDEX[name]] = weight
    still = np.array([1, 0, 0, 0], np.float32)
    return Frame(time_s, all_weights, turn(*head), still, still)


def looking(aside: float, up: float, time_s: float = 1.0) -> Frame:
    """Both eyes so far to the person's left and up, weights and turns."""
    weights = face(time_s, **look_weights("Left", aside, up), **look_weights("Right", aside, up))
    gaze = wxyz_of_gaze(aside, up)
    return Frame(time_s, weights.weights, weights.head_wxyz, gaze, gaze)


def turn(x: float, y: float, z: float) -> np.ndarray:
    """Quaternion of a rotation vector."""
    return quaternion_from_rotation_vector(np.array([x, y, z], np.float32))


def random_face(seed: int, time_s: float = 1.0) -> Frame:
    """Everything moved at random; eyes look where the weights say."""
    rng = np.random.default_rng(seed)
    looks = looking(*rng.uniform(-0.3, 0.3, 2), time_s)
    weights = np.where(looks.weights > 0, looks.weights, rng.random(len(ARKIT_NAMES))).astype(np.float32)
    for name in ARKIT_NAMES:
        if name.startswith("eyeLook"):
            weights[ARKIT_INDEX[name]] = looks.weights[ARKIT_INDEX[name]]
    head = turn(*rng.uniform(-0.6, 0.6, 3))
    return Frame(time_s, weights, head, looks.left_eye_wxyz, looks.right_eye_wxyz)


def there_and_back(name: str, frame: Frame, **options: str) -> Frame:
    """What a receiver of the dialect shows."""
    dialect = DIALECTS[name]
    decode = dialect.decoder({})
    shown = [decode(packet) for packet in dialect.encoder(options)(frame)]
    assert shown[-1] is not None
    return shown[-1]


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    """How far two turns are apart."""
    return float(np.degrees(2 * np.arccos(min(1.0, abs(float(np.dot(a.astype(float), b.astype(float))))))))


def golden(*names: str) -> list[bytes]:
    """Golden datagrams."""
    return [(GOLDEN / name).read_bytes() for name in names]


def damaged(seeds: Iterable[bytes]) -> st.SearchStrategy[bytes]:
    """A seed with bytes changed, cut, doubled, moved or put in; sometimes mere noise."""
    edit = st.tuples(
        st.sampled_from(["set", "cut", "insert", "double", "word"]), st.floats(0, 1), st.binary(min_size=1, max_size=8)
    )
    wounded = st.tuples(st.sampled_from(list(seeds)), st.lists(edit, min_size=1, max_size=6)).map(lambda it: _edit(*it))
    return st.one_of(wounded, wounded, wounded, st.binary(max_size=64))


def _edit(packet: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    for what, where, some in edits:
        at = int(where * len(packet))
        match what:
            case "set":
                packet = packet[:at] + some + packet[at + len(some) :]
            case "cut":
                packet = packet[:at] + packet[at + len(some) * 3 :]
            case "insert":
                packet = packet[:at] + some + packet[at:]
            case "double":
                packet = packet[: at + 32] + packet[at:]
            case _:  # big numbers where sizes are
                packet = packet[: at // 4 * 4] + b"\x7f\xff\xff\xf0" + packet[at // 4 * 4 + 4 :]
    return packet[:20_000]


def survives(decode: Callable[[bytes], Frame | None], packet: bytes) -> None:
    """The packet is read as a face within bounds, as nothing, or refused with words that help."""
    frame, refused = None, None
    try:
        frame = decode(packet)
    except InputError as error:
        refused = error
    assert refused is None or (refused.hint and len(str(refused)) < 300)
    if frame is not None:
        assert np.isfinite(frame.weights).all()
        assert frame.weights.min() >= 0
        assert frame.weights.max() <= 1
        for wxyz in (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz):
            assert abs(float(np.linalg.norm(wxyz)) - 1) < 1e-3


def weights_of(frame: Frame, *names: str) -> Iterator[float]:
    """Some of its weights."""
    return (float(frame.weights[ARKIT_INDEX[name]]) for name in names)
