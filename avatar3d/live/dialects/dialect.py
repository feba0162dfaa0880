"""What a dialect is: frames to datagrams, and datagrams back to what they say of a face. No sockets, no clock.

    Frame --encode--> datagrams ~~~ network ~~~ datagram --read--> Update --merged with what was said before--> face --> Frame

A frame may be spread over several datagrams, and any of them may be lost: what is not said again stays.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.errors import InputError, UnreadableError, UsageError
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.live.dialects.turns import eye_turns

Joint = Literal["head", "neck", "leftEye", "rightEye"]
Turns = Mapping[Joint, Float32[np.ndarray, "4"]]
Values = Mapping[str, float]
Options = Mapping[str, str]
"""What stands behind the question mark of a URL."""
Encode = Callable[[Frame], list[bytes]]
Decode = Callable[[bytes], Frame | None]

DATAGRAM_BYTES: Final = 1_200
"""No datagram of ours is larger: it passes every network in one piece (the 1,280 of IPv6, less headers; RFC 9000 14.1)."""


@dataclass(frozen=True, eq=False)
class Update:
    """What one datagram says of a face."""

    values: Values = field(default_factory=dict[str, float])
    """By the dialect's own names for what it moves, finite."""
    turns: Turns = field(default_factory=dict[Joint, Float32[np.ndarray, "4"]])
    """Unit quaternions wxyz of joints relative to their rest, in our axes."""
    time_s: float | None = None
    """By the sender's clock, where the dialect has one."""
    shows: bool = True
    """With it a frame is whole: the face is to be shown."""


@dataclass(frozen=True)
class Dialect:
    """One way to tell a face by UDP."""

    name: str
    port: int
    """Where receivers of it listen if nobody says otherwise."""
    encoder: Callable[[Options], Encode]
    """The function that makes a frame's datagrams. Raises UsageError (2) for an option that it does not know."""
    read: Callable[[bytes], Update]
    """What a datagram says. Raises InputError and nothing else."""
    face: Callable[[Values, Turns], Frame]
    """The face of all that has been said, at time 0."""
    farewell: Callable[[Options], list[bytes]] = lambda _: []
    """Datagrams that tell receivers that nothing more will come."""
    datagrams_per_frame: int = 1
    """Others may use so many; what comes faster than that 240 times a second is not even read."""
    shows_per_frame: int = 1
    """Where no datagram says that a frame is whole, each shows the face, and a frame has so many."""

    def decoder(self, options: Options) -> Decode:
        """A function that reads one datagram after the other, and gives a frame when one is whole.

        It holds what has been said before. A frame's time is the sender's, or 0 where the dialect has no clock; whoever
        cannot trust the network uses a Receiver instead. Raises UsageError for any option.
        """
        chosen(self.name, options, {})
        return _Decoding(self)


class _Decoding:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._said = Said()
        self._time_s = 0.0

    def __call__(self, packet: bytes) -> Frame | None:
        update = self._dialect.read(packet)
        self._said = self._said.merged(update)
        self._time_s = self._time_s if update.time_s is None else update.time_s
        return self._said.frame(self._dialect, self._time_s) if update.shows else None


@dataclass(frozen=True, eq=False)
class Said:
    """All that has been said of a face: merged() returns the next."""

    values: Values = field(default_factory=dict[str, float])
    turns: Turns = field(default_factory=dict[Joint, Float32[np.ndarray, "4"]])
    times_s: Mapping[str, float] = field(default_factory=dict[str, float])
    """When, by the sender's clock, each value and turn was said that has a time."""

    def merged(self, update: Update) -> "Said":
        """With what a datagram says in place of what was said before; of two times the later counts, whichever came first."""
        values: Values = update.values
        turns: Turns = update.turns
        told_s = update.time_s
        if told_s is None:
            return replace(self, values={**self.values, **values}, turns={**self.turns, **turns})
        later = {name for name in (*values, *turns) if self.times_s.get(name, -math.inf) > told_s}
        if later:
            values = {name: value for name, value in values.items() if name not in later}
            turns = {joint: turn for joint, turn in turns.items() if joint not in later}
        times_s = dict(self.times_s) | dict.fromkeys((*values, *turns), told_s)
        return Said({**self.values, **values}, {**self.turns, **turns}, times_s)

    def frame(self, dialect: Dialect, time_s: float) -> Frame:
        """The face as it is now."""
        return replace(dialect.face(self.values, self.turns), time_s=time_s)


def arkit_face(values: Values, turns: Turns) -> Frame:
    """The face of ARKit's names. Eyes that nobody turns look where their weights do."""
    weights = np.array([values.get(name, 0.0) for name in ARKIT_NAMES], np.float32).clip(0, 1)
    if "leftEye" not in turns or "rightEye" not in turns:
        left, right = eye_turns(weights)
        turns = {"leftEye": left, "rightEye": right, **turns}
    return Frame(0.0, weights, turns.get("head", IDENTITY_WXYZ), turns["leftEye"], turns["rightEye"])


def checked(frame: Frame) -> Frame:
    """The same frame as it may be sent: weights within 0 and 1, turns of unit length.

    Raises InputError when it holds anything that is not finite, or a turn that is none.
    """
    turns = np.concatenate([frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz]).reshape(3, 4)
    lengths = np.sqrt((turns * turns).sum(1))
    if not (math.isfinite(frame.time_s + float(frame.weights.sum()) + float(lengths.sum())) and lengths.all()):
        raise InputError(
            "expected a frame of finite weights and turns.",
            hint="The frame is not sent; look where it comes from.",
            id="FRAME_NOT_FINITE",
        )
    head, left, right = turns / lengths[:, None]
    return Frame(frame.time_s, frame.weights.clip(0, 1), head, left, right)


def malformed(dialect: str, why: str) -> UnreadableError:
    """The error for a datagram that is not of the dialect."""
    return UnreadableError(
        f"not a {dialect} datagram: {why}.",
        hint="Is another program sending to this port?",
        id="DATAGRAM_MALFORMED",
    )


def finite(dialect: str, values: Iterable[float]) -> None:
    """Raises InputError when one of the values is not finite."""
    if not all(map(math.isfinite, values)):
        raise malformed(dialect, "it holds NaN or infinity")


def chosen(dialect: str, options: Options, known: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Every known option as it was chosen, or the first of its choices. No choices: any text, empty if not given.

    Raises UsageError (2) for an option or a choice that is not known.
    """
    for name in options:
        if name not in known:
            told = ", ".join(f"{name} ({' or '.join(choices)})" if choices else name for name, choices in known.items())
            raise UsageError(
                f"{dialect} has no option {name!r}.", hint=f"It knows: {told}." if told else "It knows none here."
            )
    for name, choices in known.items():
        if choices and options.get(name, choices[0]) not in choices:
            raise UsageError(
                f"{dialect} has no {name}={options[name]}.", hint=f"Choose {' or '.join(choices)} for {name}."
            )
    return {name: options.get(name, choices[0] if choices else "") for name, choices in known.items()}
