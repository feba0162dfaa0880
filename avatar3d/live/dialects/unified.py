"""Unified Expressions: what avatars of VRChat call the parts of a face, and ARKit's 52 in their terms.

Names and meanings: docs.vrcft.io (parameters; ARKit comparison) and VRCFaceTracking's UnifiedExpressions.cs,
UnifiedExpressionsParameters.cs, UnifiedSimpleExpressions.cs, from which the weights of combined parameters are. "Right" is the
person's right, X is positive to the person's right, Y up.

- PARTS: one of ARKit's is one or several of theirs. Both directions: told as copies, read as the mean of those that came.
- COMBINED: theirs made of several of ARKit's, as sums; MAXIMA, as the larger. Avatars choose, so everything is told.
- An eye's gaze is X and Y, 1 for 45 degrees.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.names import unified_parts

SIDES: Final = ("Left", "Right")
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    name: unified_parts(name) for name in ARKIT_NAMES if not name.startswith("eyeLook")
}
"""Theirs of each of ARKit's; where nothing else is said it is the same name with a capital letter. Gaze is apart."""


def _combined() -> dict[str, dict[str, float]]:
    """Each combined parameter as a sum over ARKit's weights; "" is the constant."""
    sums: dict[str, dict[str, float]] = {
        "BrowInnerUp": {"browInnerUp": 1},
        "CheekPuffSuck": {"cheekPuff": 1},
        "JawX": {"jawRight": 1, "jawLeft": -1},
        "JawZ": {"jawForward": 1},
        "LipSuck": {"mouthRollUpper": 0.5, "mouthRollLower": 0.5},
        "LipFunnel": {"mouthFunnel": 1},
        "LipPucker": {"mouthPucker": 1},
    }
    for lip in ("Upper", "Lower"):
        roll = f"mouthRoll{lip}"
        sums |= {
            f"LipSuck{lip}": {roll: 1},
            f"LipFunnel{lip}": {"mouthFunnel": 1},
            f"LipPucker{lip}": {"mouthPucker": 1},
        }
        sums |= {f"LipSuckFunnel{lip}{side}": {roll: 1, "mouthFunnel": -1} for side in ("", *SIDES)}
    for name in ("MouthX", "MouthUpperX", "MouthLowerX"):
        sums[name] = {"mouthRight": 1, "mouthLeft": -1}
    sided: dict[str, dict[str, float]] = {
        "BrowUp": {"browOuterUp*": 0.6, "browInnerUp": 0.4},
        "BrowDown": {"browDown*": 1},
        "BrowExpression": {"browInnerUp": 0.5, "browOuterUp*": 0.5, "browDown*": -1},
        "EyeLid": {"": 0.75, "eyeBlink*": -0.75, "eyeWide*": 0.25},
        "MouthTightenerStretch": {"mouthStretch*": -1},
        "MouthCornerY": {"mouthSmile*": 1, "mouthFrown*": -1},
        "MouthSmile": {"mouthSmile*": 1},
        "SmileFrown": {"mouthSmile*": 1, "mouthFrown*": -1},
        "BrowOuterUp": {"browOuterUp*": 1},
        "CheekSquint": {"cheekSquint*": 1},
        "EyeClosed": {"eyeBlink*": 1},
        "MouthUpperUp": {"mouthUpperUp*": 1},
        "MouthLowerDown": {"mouthLowerDown*": 1},
        "MouthStretch": {"mouthStretch*": 1},
        "MouthPress": {"mouthPress*": 1},
        "MouthDimple": {"mouthDimple*": 1},
        "NoseSneer": {"noseSneer*": 1},
        "MouthOpen": {"mouthUpperUp*": 0.5, "mouthLowerDown*": 0.5},
        "CheekPuffSuck": {"cheekPuff": 1},
        "LipPucker": {"mouthPucker": 1},
    }
    told = {part for parts in PARTS.values() for part in parts}
    for name, terms in sided.items():
        halves = [{term.replace("*", side): share for term, share in terms.items()} for side in SIDES]
        sums |= {name + side: half for side, half in zip(SIDES, halves, strict=True) if name + side not in told}
        if name not in sums:
            both = {term: 0.0 for half in halves for term in half}
            for half in halves:
                both |= {term: both[term] + share / 2 for term, share in half.items()}
            sums[name] = both
    return sums


COMBINED: Final[Mapping[str, Mapping[str, float]]] = _combined()
MAXIMA: Final[Mapping[str, tuple[str, ...]]] = {
    "EyeSquint": ("EyeSquintLeft", "EyeSquintRight"),
    "EyeWide": ("EyeWideLeft", "EyeWideRight"),
    "MouthSadLeft": ("MouthFrownLeft", "MouthStretchLeft"),
    "MouthSadRight": ("MouthFrownRight", "MouthStretchRight"),
}
_SUMMED: Final = (*(part for parts in PARTS.values() for part in parts), *COMBINED)
PARAMETERS: Final = (*_SUMMED, *MAXIMA, "SmileSadLeft", "SmileSadRight", "SmileSad")
"""Everything that ARKit's weights tell, in the order of `parameters`; gaze is apart."""
_AT: Final = {name: at for at, name in enumerate(PARAMETERS)}
_ROWS: Final = np.zeros((len(_SUMMED), len(ARKIT_NAMES) + 1), np.float32)
for _name, _parts in PARTS.items():
    for _part in _parts:
        _ROWS[_AT[_part], ARKIT_INDEX[_name]] = 1
for _name, _terms in COMBINED.items():
    for _term, _share in _terms.items():
        _ROWS[_AT[_name], ARKIT_INDEX[_term] if _term else -1] = _share

_INSTEAD: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "jawRight": (("JawX", 1),), "jawLeft": (("JawX", -1),), "jawForward": (("JawZ", 1),),
    "mouthRight": (("MouthX", 1),), "mouthLeft": (("MouthX", -1),),
    "cheekPuff": (("CheekPuffSuck", 1),), "browInnerUp": (("BrowInnerUp", 1),),
    "mouthFunnel": (("LipFunnel", 1),), "mouthPucker": (("LipPucker", 1),),
    "mouthRollUpper": (("LipSuckUpper", 1), ("LipSuck", 1)), "mouthRollLower": (("LipSuckLower", 1), ("LipSuck", 1)),
} | {
    f"{name}{side}": tuple((theirs.replace("*", side), sign) for theirs, sign in instead)
    for side in SIDES
    for name, instead in {
        "mouthSmile": (("MouthSmile*", 1.0), ("SmileFrown*", 1.0), ("SmileSad*", 1.0)),
        "mouthFrown": (("SmileFrown*", -1.0), ("SmileSad*", -1.0)),
        "browDown": (("BrowDown*", 1.0), ("BrowExpression*", -1.0)),
    }.items()
}  # fmt: skip
"""Where none of a shape's parts came: the first of these that did, with its sign."""
KNOWN: Final = frozenset(PARAMETERS) | {f"Eye{side}{axis}" for side in ("", *SIDES) for axis in "XY"}


def parameters(weights: Float32[np.ndarray, "52"]) -> list[float]:
    """The values of PARAMETERS."""
    summed = (_ROWS[:, :-1] @ weights + _ROWS[:, -1]).tolist()
    larger = [max(summed[_AT[name]] for name in names) for names in MAXIMA.values()]
    smiles = [summed[_AT[f"MouthSmile{side}"]] - sad for side, sad in zip(SIDES, larger[-2:], strict=True)]
    return [*summed, *larger, *smiles, sum(smiles) / 2]


def weights_of(values: Mapping[str, float]) -> dict[str, float]:
    """ARKit's weights of the parameters said so far, gaze apart; what nothing tells is left out."""
    weights: dict[str, float] = {}
    for name, parts in PARTS.items():
        came = [values[part] for part in parts if part in values]
        if not came:
            came = [sign * values[theirs] for theirs, sign in _INSTEAD.get(name, ()) if theirs in values][:1]
        if came:
            weights[name] = min(max(sum(came) / len(came), 0.0), 1.0)
    for side in SIDES:
        lid = values.get(f"EyeLid{side}", values.get("EyeLid"))
        closed = values.get("EyeClosed")
        if f"eyeBlink{side}" not in weights and (lid is not None or closed is not None):
            shut = 1 - lid / 0.75 if lid is not None else closed or 0.0
            weights[f"eyeBlink{side}"] = min(max(shut, 0.0), 1.0)
        if f"eyeWide{side}" not in weights and lid is not None:
            weights[f"eyeWide{side}"] = min(max(lid / 0.25 - 3, 0.0), 1.0)
    return weights
