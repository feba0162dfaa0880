"""VRM's expressions as ARKit weights: 18 presets (data/vrm_presets.json, fitted by tools/fit_vrm_presets.py) and the 52 themselves.

Names of presets are VRM 1.0's; VRM 0.x has 17 of them under other names and does not know `surprised`.
"Perfect sync" is what programs call an avatar that has the 52; it spells them with a capital letter (live/dialects/vrm.py).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES
from avatar3d.core.errors import ModelError

Override = Literal["none", "block", "blend"]
CustomNames = Literal["perfect-sync", "arkit"]

EMOTIONS: Final = ("happy", "angry", "sad", "relaxed", "surprised")
VOWELS: Final = ("aa", "ih", "ou", "ee", "oh")
BLINKS: Final = ("blink", "blinkLeft", "blinkRight")
LOOKS: Final = ("lookUp", "lookDown", "lookLeft", "lookRight")
PRESETS: Final = (*EMOTIONS, *VOWELS, *BLINKS, *LOOKS, "neutral")
"""VRMC_vrm-1.0/expressions.md, "Preset Expressions": all 18."""

# 0.0/README.md, "Predefined expression name", as its JSON schema writes them, and the name that a program shows and VMC sends.
PRESETS_0: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "neutral": ("neutral", "Neutral"),
        "aa": ("a", "A"), "ih": ("i", "I"), "ou": ("u", "U"), "ee": ("e", "E"), "oh": ("o", "O"),
        "blink": ("blink", "Blink"), "blinkLeft": ("blink_l", "Blink_L"), "blinkRight": ("blink_r", "Blink_R"),
        "happy": ("joy", "Joy"), "angry": ("angry", "Angry"), "sad": ("sorrow", "Sorrow"), "relaxed": ("fun", "Fun"),
        "lookUp": ("lookup", "LookUp"), "lookDown": ("lookdown", "LookDown"),
        "lookLeft": ("lookleft", "LookLeft"), "lookRight": ("lookright", "LookRight"),
    }
)  # fmt: skip
"""VRM 0.x's preset and clip name by VRM 1.0's."""


@dataclass(frozen=True)
class Expression:
    """A face that a program may ask for by name."""

    weights: Mapping[str, float]
    """ARKit's names (and the tongue's), each in (0, 1]."""
    override_mouth: Override = "none"
    """What becomes of the vowels while this is shown; so with blinks and looks."""
    override_blink: Override = "none"
    override_look: Override = "none"

    def vector(self) -> Float32[np.ndarray, "52"]:
        """The weights in ARKIT_NAMES order."""
        return np.array([self.weights.get(name, 0.0) for name in ARKIT_NAMES], np.float32)


@lru_cache(maxsize=1)
def preset_expressions() -> Mapping[str, Expression]:
    """The 18 presets, in PRESETS order."""
    text = files("avatar3d.core").joinpath("data/vrm_presets.json").read_text(encoding="utf-8")
    told = json.loads(text)["presets"]
    if tuple(sorted(told)) != tuple(sorted(PRESETS)):
        raise ModelError("vrm_presets.json does not hold VRM's 18 presets.", hint="Run tools/fit_vrm_presets.py.")
    return MappingProxyType(
        {
            name: Expression(MappingProxyType(told[name]["weights"]), told[name].get("overrideMouth", "none"))
            for name in PRESETS
        }
    )


def custom_expressions(names: CustomNames, *, tongue: bool) -> Mapping[str, Expression]:
    """ARKit's 52 by themselves, and the tongue's four after them; named as perfect sync has it, or as ARKit.

    Who moves eyes, lids and jaw by these gets the automatic looks, blinks and vowels faded out, or both would add up.
    """
    shapes = (*ARKIT_NAMES, *(TONGUE_NAMES if tongue else ()))
    return {custom_name(shape, names): _alone(shape) for shape in shapes}


def custom_name(shape: str, names: CustomNames) -> str:
    """The expression that is this shape alone."""
    return shape[0].upper() + shape[1:] if names == "perfect-sync" else shape


def _alone(shape: str) -> Expression:
    return Expression(
        {shape: 1.0},
        override_mouth="blend" if shape in ("jawOpen", "mouthFunnel", "mouthPucker") else "none",
        override_blink="blend" if shape.startswith("eyeBlink") else "none",
        override_look="blend" if shape.startswith("eyeLook") else "none",
    )
