"""iFacialMocap, an app for iPhone, and what listens to it: one text by UDP to port 49983 a frame.

    mouthSmile_R-12|...|=head#rx,ry,rz,px,py,pz|rightEye#rx,ry,rz|leftEye#rx,ry,rz|

Weights in per cent, whole numbers; angles in degrees, positions in metres (ifacialmocap.com/for-developer). Names are
ARKit's, with _L and _R, but jawLeft, jawRight, mouthLeft, mouthRight. Version 2 of the text has `&` where the first has `-`;
both are read. There is neither a clock nor a count in the text. A phone begins when a datagram asks it to; we send unasked, and
never answer.

Axes and order of the angles are not documented. In the page's sample frame the eyes look down at +x and to the person's left
at +y, as ours; rotation = y * x * z, Unity's order, makes the sample's eyes free of torsion to 6 digits, and VMagicMirror gives
the head to Unity's Quaternion.Euler. The head's signs are taken to be the eyes'.
"""

import math
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.live.dialects.dialect import (
    Dialect,
    Encode,
    Joint,
    Options,
    Update,
    arkit_face,
    checked,
    chosen,
    malformed,
)
from avatar3d.live.dialects.turns import angles_yxz, wxyz_of_yxz

NAME: Final = "ifacialmocap"
PORT: Final = 49983
_WHOLE: Final = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
NAMES: Final = tuple(
    name if name in _WHOLE else name.replace("Left", "_L").replace("Right", "_R") for name in ARKIT_NAMES
)
"""In the order of ARKIT_NAMES."""
_ARKIT: Final = dict(zip(NAMES, ARKIT_NAMES, strict=True)) | {name: name for name in ARKIT_NAMES}
_JOINTS: Final[dict[str, Joint]] = {"head": "head", "rightEye": "rightEye", "leftEye": "leftEye"}
_SEEN: Final = "trackingStatus"
"""0 while the app sees no face."""
_BYTES: Final = 8_192
_FIELDS: Final = 256
_NUMBER: Final = frozenset("0123456789+-.eE")


def encoder(options: Options) -> Encode:
    """Options: version (1 or 2: the sign between name and value)."""
    between = {"1": "-", "2": "&"}[chosen(NAME, options, {"version": ("1", "2")})["version"]]
    return lambda frame: [encode(frame, between=between)]


def encode(frame: Frame, *, between: str = "-") -> bytes:
    """The text of a frame. Raises InputError for what is not finite."""
    frame = checked(frame)
    per_cent = (frame.weights * 100).round().astype(int).tolist()
    weights = "|".join([f"{name}{between}{value}" for name, value in zip(NAMES, per_cent, strict=True)])
    head, right, left = map(_degrees, (frame.head_wxyz, frame.right_eye_wxyz, frame.left_eye_wxyz))
    return f"{weights}|=head#{head},0,0,0|rightEye#{right}|leftEye#{left}|".encode()


def read(packet: bytes) -> Update:
    """What a text says. Raises UnreadableError for anything else."""
    if len(packet) > _BYTES or not packet.isascii():
        raise malformed(NAME, "no text of ASCII" if len(packet) <= _BYTES else f"{len(packet):,} bytes")
    fields = packet.decode("ascii").split("|", _FIELDS)
    if len(fields) > _FIELDS:
        raise malformed(NAME, f"more than {_FIELDS} fields")
    values: dict[str, float] = {}
    turns: dict[Joint, Float32[np.ndarray, "4"]] = {}
    shows = True
    for field in fields:
        name, separator, rest = field.strip().lstrip("=").partition("#")
        if separator:
            if name in _JOINTS:
                turns[_JOINTS[name]] = _turn(rest)
            continue
        name, _, number = name.partition("&" if "&" in name else "-")
        if name in _ARKIT:
            values[_ARKIT[name]] = min(max(_number(number) / 100, 0.0), 1.0)
        elif name == _SEEN:
            shows = _number(number) != 0
    if shows and not values:
        raise malformed(NAME, "it names no weight")
    return Update(values, turns, None, shows)


def _degrees(wxyz: Float32[np.ndarray, "4"]) -> str:
    return ",".join([f"{math.degrees(angle) + 0.0:.4f}" for angle in angles_yxz(wxyz)])


def _turn(text: str) -> Float32[np.ndarray, "4"]:
    """Of three angles; a head has its position behind them."""
    numbers = [_number(number) for number in text.split(",", 6)]
    if len(numbers) not in (3, 6):
        raise malformed(NAME, "expected three angles")
    x, y, z = (math.radians(math.remainder(angle, 360)) for angle in numbers[:3])
    return wxyz_of_yxz((x, y, z))


def _number(text: str) -> float:
    """Python's float() takes 1_0 and words, too."""
    try:
        number = float(text) if _NUMBER.issuperset(text.strip()) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise malformed(NAME, "it holds something that is no finite number")
    return number


IFACIALMOCAP: Final = Dialect(NAME, PORT, encoder, read, arkit_face)
