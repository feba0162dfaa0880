"""The names that VRM avatars know: "perfect sync" (ARKit's 52), and the presets of VRM 0 and 1, made of the 52.

Perfect sync has no standard. Its clips are Unity's names of the 52 (protocol.vmc.info/marionette-spec points to them;
VMagicMirror looks for exactly these): ARKit's with a capital letter. Case counts for some receivers, for others not.

Presets (vrm-c/vrm-specification; protocol.vmc.info/marionette-spec has the pairs of names) know vowels, not a mouth. With o how
far the mouth is open, r how round and w how wide it is, each in 0..1, the vowels share it without rest, so that it can be read
back:

              narrow               wide              round
    open      A  o (1-r) (1-w)     E  o (1-r) w      O  o r
    closed    -                    I  (1-o) (1-r) w  U  (1-o) r

Blink is what both eyes share, Blink_L and Blink_R the rest: avatars add clips up. Emotions are not guessed: an avatar's Joy
closes its eyes and opens its mouth.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES

CAPITALS: Final = tuple(name[0].upper() + name[1:] for name in ARKIT_NAMES)
"""In the order of ARKIT_NAMES."""
VRM0: Final[Mapping[str, str]] = {
    "aa": "A", "ih": "I", "ou": "U", "ee": "E", "oh": "O",
    "blink": "Blink", "blinkLeft": "Blink_L", "blinkRight": "Blink_R",
    "lookUp": "LookUp", "lookDown": "LookDown", "lookLeft": "LookLeft", "lookRight": "LookRight",
}  # fmt: skip
"""VRM 0's name of each preset of VRM 1."""
VRM1: Final = tuple(VRM0)
_FULL_JAW: Final = 0.7
"""The jawOpen of a loud "ah": an avatar's A is as open as it ever speaks."""
_PAIRS: Final = {
    "lookUp": ("eyeLookUpLeft", "eyeLookUpRight"), "lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "lookLeft": ("eyeLookOutLeft", "eyeLookInRight"), "lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
}  # fmt: skip
_KNOWN: Final = (
    {name.lower(): name for name in (*ARKIT_NAMES, *VRM1)} | {old.lower(): new for new, old in VRM0.items()}
)  # fmt: skip


def known_name(said: str) -> str | None:
    """ARKit's name, or VRM 1's of a preset, whatever the case; None for all others."""
    return _KNOWN.get(said.lower())


def presets(weights: Float32[np.ndarray, "52"]) -> dict[str, float]:
    """The presets of weights in 0..1, by VRM 1's names."""
    of = dict(zip(ARKIT_NAMES, weights.tolist(), strict=True))
    opened = min(max(of["jawOpen"] - of["mouthClose"], 0.0) / _FULL_JAW, 1.0)
    rounded = min(of["mouthPucker"] + of["mouthFunnel"], 1.0)
    wide = min((of["mouthStretchLeft"] + of["mouthStretchRight"]) / 2, 1.0)
    left, right = of["eyeBlinkLeft"], of["eyeBlinkRight"]
    both = min(left, right)
    return {
        "aa": opened * (1 - rounded) * (1 - wide), "ih": (1 - opened) * (1 - rounded) * wide, "ou": (1 - opened) * rounded,
        "ee": opened * (1 - rounded) * wide, "oh": opened * rounded,
        "blink": both, "blinkLeft": left - both, "blinkRight": right - both,
    } | {name: (of[one] + of[other]) / 2 for name, (one, other) in _PAIRS.items()}  # fmt: skip


def weights_of(values: Mapping[str, float]) -> dict[str, float]:
    """ARKit's weights of everything said so far by known_name's names.

    Presets count where none of the 52 was ever said: who says both says the same twice.
    """
    if any(name in ARKIT_INDEX for name in values):
        return dict(values)
    of = {name: min(max(values.get(name, 0.0), 0.0), 1.0) for name in VRM1}
    rounded = min(of["ou"] + of["oh"], 1.0)
    wide = min((of["ee"] + of["ih"]) / (1 - rounded), 1.0) if rounded < 1 else 0.0
    weights = {
        "jawOpen": _FULL_JAW * min(of["aa"] + of["ee"] + of["oh"], 1.0), "mouthPucker": of["ou"], "mouthFunnel": of["oh"],
        "mouthStretchLeft": wide, "mouthStretchRight": wide,
        "eyeBlinkLeft": min(of["blink"] + of["blinkLeft"], 1.0), "eyeBlinkRight": min(of["blink"] + of["blinkRight"], 1.0),
    }  # fmt: skip
    return weights | {shape: of[name] for name, pair in _PAIRS.items() for shape in pair}
