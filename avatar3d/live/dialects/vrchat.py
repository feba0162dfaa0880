"""VRChat: OSC by UDP to port 9000, a float for each parameter of an avatar.

    /avatar/parameters/v2/<Unified Expression>      f       unified.py; an avatar may have them within folders: prefix=FT
    /avatar/parameters/v2/EyeLeftX, EyeLeftY ...    f       gaze, 1 for 45 degrees to the person's right, up
    /avatar/parameters/EyeTrackingActive ...        T or F  once a second, and F at the end: avatars switch over by it
    /tracking/eye/LeftRightPitchYaw                 f f f f degrees down, to the right: left eye, right eye   eyes=native
    /tracking/eye/EyesClosedAmount                  f       both eyes: VRChat itself cannot wink              eyes=native

docs.vrchat.com/docs/osc-eye-tracking, docs.vrcft.io (parameters, tracking active). VRChat ignores what an avatar does not
have, so everything is told in every frame; there is neither a clock nor an end of a frame.
"""

import math
import string
from typing import Final

from avatar3d.core.blendshapes import Frame
from avatar3d.core.errors import UsageError
from avatar3d.live.dialects import osc, unified
from avatar3d.live.dialects.dialect import (
    Dialect,
    Encode,
    Joint,
    Options,
    Turns,
    Update,
    Values,
    arkit_face,
    checked,
    chosen,
    finite,
)
from avatar3d.live.dialects.turns import gaze_of, look_weights, wxyz_of_gaze

NAME: Final = "vrchat"
PORT: Final = 9000
_ROOT: Final = "/avatar/parameters/"
_ACTIVE: Final = ("EyeTrackingActive", "ExpressionTrackingActive", "LipTrackingActive")
_EYES, _CLOSED = "/tracking/eye/LeftRightPitchYaw", "/tracking/eye/EyesClosedAmount"
_FULL: Final = math.pi / 4
_GAZES: Final = ("EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY")
_OPTIONS: Final = {"eyes": ("avatar", "native", "both"), "prefix": (), "active": ("yes", "no")}
_PREFIX_LETTERS: Final = 40
_LETTERS: Final = frozenset(string.ascii_letters + string.digits + "/_-")
_MOST_PARTS: Final = 160
"""VRCFaceTracking may send every parameter as a datagram of its own."""
_PARTS: Final = 8


class _Encoder:
    """Says once a second that tracking is active."""

    def __init__(self, *, prefix: str, eyes: str, active: bool) -> None:
        names = (*unified.PARAMETERS, *(_GAZES if eyes != "native" else ()))
        self._heads = [osc.head(f"{_ROOT}{prefix}v2/{name}", 1) for name in names]
        self._native = [osc.head(_EYES, 4), osc.head(_CLOSED, 1)] if eyes != "avatar" else []
        self._gaze = eyes != "native"
        self._active = [osc.encode(_ROOT + name, True) for name in _ACTIVE] if active else []
        self._told_s = math.nan

    def __call__(self, frame: Frame) -> list[bytes]:
        frame = checked(frame)
        values = unified.parameters(frame.weights)
        gazes = [gaze_of(frame.left_eye_wxyz), gaze_of(frame.right_eye_wxyz)]
        if self._gaze:
            values += [part for aside, up in gazes for part in (_share(-aside), _share(up))]
        said = [osc.with_floats(head, value) for head, value in zip(self._heads, values, strict=True)]
        if self._native:
            angles = [math.degrees(-angle) for aside, up in gazes for angle in (up, aside)]
            closed = values[unified.PARAMETERS.index("EyeClosed")]
            said += [osc.with_floats(self._native[0], *angles), osc.with_floats(self._native[1], closed)]
        if not abs(frame.time_s - self._told_s) < 1:
            self._told_s = frame.time_s
            said = [*self._active, *said]
        return osc.bundles(said)


def encoder(options: Options) -> Encode:
    """Options: eyes (avatar's parameters, VRChat's native ones, both), prefix (the parameters' folder), active (yes or no)."""
    told = chosen(NAME, options, _OPTIONS)
    return _Encoder(prefix=_folder(told["prefix"]), eyes=told["eyes"], active=told["active"] == "yes")


def encode(frame: Frame) -> list[bytes]:
    """The datagrams of one frame, each 1,200 bytes at most. Raises InputError for what is not finite."""
    return encoder({})(frame)


def farewell(options: Options) -> list[bytes]:
    """Tracking is no longer active: the avatar is VRChat's again."""
    if chosen(NAME, options, _OPTIONS)["active"] == "no":
        return []
    return osc.bundles([osc.encode(_ROOT + name, False) for name in _ACTIVE])


def read(packet: bytes) -> Update:
    """What a packet says of a face, in any folder. Raises InputError for what is no OSC, and for what is not finite."""
    values: dict[str, float] = {}
    for message in osc.decode(packet):
        numbers = [float(number) for number in message.arguments if isinstance(number, float | int)]
        folder, _, name = message.address.rpartition("/")
        finite(NAME, numbers)
        if message.address == _EYES and len(numbers) == 4:
            left_down, left_x, right_down, right_x = (_share(math.radians(angle)) for angle in numbers)
            values |= dict(zip(_GAZES, (left_x, -left_down, right_x, -right_down), strict=True))
        elif message.address == _CLOSED and numbers:
            values["EyeClosed"] = min(max(numbers[0], 0.0), 1.0)
        elif folder.startswith(_ROOT) and folder.endswith("/v2") and name in unified.KNOWN and numbers:
            values[name] = min(max(numbers[0], -1.0), 1.0)
    return Update(values, shows=bool(values))


def face(values: Values, turns: Turns) -> Frame:
    """The face of all that has been said. Its head is never turned: VRChat's is the player's own."""
    weights = unified.weights_of(values)
    whole = dict(turns)
    joints: dict[str, Joint] = {"Left": "leftEye", "Right": "rightEye"}
    for side, joint in joints.items():
        x, y = (values.get(f"Eye{side}{axis}", values.get(f"Eye{axis}")) for axis in "XY")
        if x is not None or y is not None:
            aside, up = -(x or 0.0) * _FULL, (y or 0.0) * _FULL
            weights |= look_weights(side, aside, up)
            whole[joint] = wxyz_of_gaze(aside, up)
    return arkit_face(weights, whole)


def _share(angle: float) -> float:
    return min(max(angle / _FULL, -1.0), 1.0)


def _folder(prefix: str) -> str:
    """With its slash."""
    if len(prefix) > _PREFIX_LETTERS or not _LETTERS.issuperset(prefix):
        raise UsageError(
            f"{NAME} has no prefix {prefix[:20]!r}.", hint=f"Letters, digits, / _ -; at most {_PREFIX_LETTERS}."
        )
    return prefix.strip("/") + "/" if prefix.strip("/") else ""


VRCHAT: Final = Dialect(NAME, PORT, encoder, read, face, farewell, _MOST_PARTS, _PARTS)
