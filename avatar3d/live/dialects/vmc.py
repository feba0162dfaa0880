"""VMC, the protocol of Virtual Motion Capture: OSC by UDP to port 39539 (protocol.vmc.info/marionette-spec, version 2.5).

    /VMC/Ext/T            f time                                              first in every datagram of ours
    /VMC/Ext/OK           i 1: there is an avatar
    /VMC/Ext/Bone/Pos     s bone, f f f position, f f f f quaternion xyzw     Head, LeftEye, RightEye
    /VMC/Ext/Blend/Val    s name, f weight
    /VMC/Ext/Blend/Apply                                                      last: show what has been said

Rotations are local, in Unity's axes. Positions are 0: we do not know the other's bones, so in EVMC4U "Bone Position
Synchronize" must be off, as for iFacialMocap (ifacialmocap.com/tutorial/vmc-protocol), or `bones=no` here. Time is T modulo
16,384 s: a float32 that still tells milliseconds.

Read are T, Blend and Bone alone. /VMC/Ext/VRM, Config, Remote and everything else that would make a receiver open a file or an
address are ignored.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.transforms import IDENTITY_WXYZ
from avatar3d.live.dialects import osc, vrm
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
from avatar3d.live.dialects.turns import times, unity_xyzw, wxyz_of_unity

NAME: Final = "vmc"
PORT: Final = 39539
_TIME, _OK, _BONE = "/VMC/Ext/T", "/VMC/Ext/OK", "/VMC/Ext/Bone/Pos"
_VALUE, _APPLY = "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_WRAP_S: Final = 16_384.0
_JOINTS: Final[dict[str, Joint]] = {"head": "head", "neck": "neck", "lefteye": "leftEye", "righteye": "rightEye"}
_HEADS: Final = {bone: osc.head(_BONE, 7, bone) for bone in ("Head", "LeftEye", "RightEye")}
_T_HEAD: Final = osc.head(_TIME, 1)
_READY, _SHOW = osc.encode(_OK, 1), osc.encode(_APPLY)
_MOST_PARTS: Final = 160
"""Some send every bone and blendshape as a datagram of its own."""


def _all(weights: Float32[np.ndarray, "52"]) -> list[float]:
    return weights.tolist()


def _presets(weights: Float32[np.ndarray, "52"]) -> list[float]:
    return list(vrm.presets(weights).values())


def _heads(names: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(osc.head(_VALUE, 1, name) for name in names)


_NAMINGS: Final[dict[str, tuple[tuple[bytes, ...], Callable[[Float32[np.ndarray, "52"]], list[float]]]]] = {
    "arkit": (_heads(vrm.CAPITALS), _all),
    "camel": (_heads(ARKIT_NAMES), _all),
    "vrm0": (_heads(tuple(vrm.VRM0.values())), _presets),
    "vrm1": (_heads(vrm.VRM1), _presets),
}


def encoder(options: Options) -> Encode:
    """Options: names (arkit: perfect sync; camel: the same as ARKit spells it; vrm0, vrm1: presets), bones (yes or no)."""
    told = chosen(NAME, options, {"names": tuple(_NAMINGS), "bones": ("yes", "no")})
    return lambda frame: encode(frame, names=told["names"], bones=told["bones"] == "yes")


def encode(frame: Frame, *, names: str = "arkit", bones: bool = True) -> list[bytes]:
    """The datagrams of a frame, each 1,200 bytes at most, Apply last. Raises InputError for what is not finite."""
    frame = checked(frame)
    heads, values = _NAMINGS[names]
    said = [osc.with_floats(head, value) for head, value in zip(heads, values(frame.weights), strict=True)]
    turned = _bones(frame) if bones else ()
    time = osc.with_floats(_T_HEAD, frame.time_s % _WRAP_S)
    return osc.bundles([_READY, *turned, *said, _SHOW], first=time)


def farewell(options: Options) -> list[bytes]:
    """OK 0: there is no avatar any more."""
    chosen(NAME, options, {"names": (), "bones": ()})
    return [osc.encode(_OK, 0)]


def read(packet: bytes) -> Update:
    """What a packet says of a face. Raises InputError for what is no OSC, and for numbers that are not finite."""
    values: dict[str, float] = {}
    turns: dict[Joint, Float32[np.ndarray, "4"]] = {}
    time_s, shows = None, False
    for message in osc.decode(packet):
        match message.address, message.arguments:
            case "/VMC/Ext/Blend/Val", (str(said), float() | int() as value, *_):
                finite(NAME, (value,))
                if name := vrm.known_name(said):
                    values[name] = min(max(float(value), 0.0), 1.0)
            case "/VMC/Ext/Blend/Apply", _:
                shows = True
            case "/VMC/Ext/Bone/Pos", (str(bone), *numbers) if bone.lower() in _JOINTS:
                turn = _turn(numbers)
                if turn is not None:
                    turns[_JOINTS[bone.lower()]] = turn
            case "/VMC/Ext/T", (float() | int() as time, *_):
                finite(NAME, (time,))
                time_s = float(time)
            case _:
                pass
    return Update(values, turns, time_s, shows)


def face(values: Values, turns: Turns) -> Frame:
    """The face of all that has been said; a neck's turn is part of the head's."""
    whole = dict(turns)
    if "neck" in turns:
        head = times(tuple(turns["neck"].tolist()), tuple(turns.get("head", IDENTITY_WXYZ).tolist()))
        whole["head"] = np.array(head, np.float32)
    return arkit_face(vrm.weights_of(values), whole)


def _bones(frame: Frame) -> Iterator[bytes]:
    turns = (frame.head_wxyz, frame.left_eye_wxyz, frame.right_eye_wxyz)
    for head, wxyz in zip(_HEADS.values(), turns, strict=True):
        yield osc.with_floats(head, 0.0, 0.0, 0.0, *unity_xyzw(wxyz))


def _turn(numbers: list[osc.Argument]) -> Float32[np.ndarray, "4"] | None:
    """Of position and quaternion; None for anything else."""
    told = [float(number) for number in numbers[:7] if isinstance(number, float | int)]
    finite(NAME, told)
    return wxyz_of_unity(*told[3:]) if len(told) == 7 else None


VMC: Final = Dialect(NAME, PORT, encoder, read, face, farewell, _MOST_PARTS)
