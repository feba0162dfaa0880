"""What others call the 52, and shapes of theirs that are made of several: one table per naming, the only place for them.

    arkit      eyeBlinkLeft          Apple, ARFaceAnchor.BlendShapeLocation; Unreal and Godot take these too
    livelink   EyeBlinkLeft          the columns of Live Link Face's CSV, Unreal's LiveLinkFace
    meta       eyeBlink_L            Meta Movement SDK, OVRCustomFace on ARKit-like rigs (engines.md, 4b)
    unified    EyeClosedLeft         Unified Expressions, docs.vrcft.io; one of ours may be several of theirs
    oculus15   viseme_PP             the 15 of Oculus Lipsync ("Viseme Reference"), as Ready Player Me wrote them in glTF
    vrchat     vrc.v_pp              the same 15 under VRChat's names, beside the 52 in Unified's

`unified` copies a displacement to all parts of it, scaled so that the parts together are the whole. The 15 visemes are sums of
the 52: what the house's own speech shows for that sound (tools/build_visemes.py measures the table).
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from typing import Final, Literal, get_args

import numpy as np

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.blendshapes import ARKIT_NAMES, TONGUE_NAMES

Naming = Literal["arkit", "livelink", "meta", "unified", "oculus15", "vrchat"]
NAMINGS: Final[tuple[Naming, ...]] = get_args(Naming)
VISEMES: Final = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U")
VOWELS: Final = ("aa", "E", "I", "O", "U")
VISEME_PREFIX: Final = "viseme_"
_VRCHAT: Final = {"I": "ih", "O": "oh", "U": "ou"}
_VRCHAT_PREFIX: Final = "vrc.v_"
_SIDES: Final = ("Left", "Right")
_QUARTERS: Final = tuple(f"{lip}{side}" for lip in ("Upper", "Lower") for side in _SIDES)

# Both parts of one of ours together are it: lips in quarters and halves move what is on their side, brows and smiles share.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "browInnerUp": ("BrowInnerUpLeft", "BrowInnerUpRight"),
    "cheekPuff": ("CheekPuffLeft", "CheekPuffRight"),
    "mouthClose": ("MouthClosed",),
    "mouthFunnel": tuple(f"LipFunnel{quarter}" for quarter in _QUARTERS),
    "mouthPucker": tuple(f"LipPucker{quarter}" for quarter in _QUARTERS),
    "mouthRollLower": ("LipSuckLowerLeft", "LipSuckLowerRight"),
    "mouthRollUpper": ("LipSuckUpperLeft", "LipSuckUpperRight"),
    "mouthShrugLower": ("MouthRaiserLower",),
    "mouthShrugUpper": ("MouthRaiserUpper",),
} | {
    f"{name}{side}": tuple(f"{part}{side}" for part in parts)
    for side in _SIDES
    for name, parts in {
        "browDown": ("BrowLowerer", "BrowPinch"),
        "eyeBlink": ("EyeClosed",),
        "mouth": ("MouthUpper", "MouthLower"),
        "mouthSmile": ("MouthCornerPull", "MouthCornerSlant"),
        "mouthUpperUp": ("MouthUpperUp", "MouthUpperDeepen"),
    }.items()
}


def target_name(name: str, naming: Naming) -> str:
    """One of the 52 (or of the tongue's) where the naming is a pure renaming; other names stay."""
    if name not in ARKIT_NAMES and name not in TONGUE_NAMES:
        return name
    if naming == "livelink":
        return name[0].upper() + name[1:]
    if naming == "meta":
        for side in _SIDES:
            if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
                return f"{name.removesuffix(side)}_{side[0]}"
    return name


def unified_parts(name: str) -> tuple[str, ...]:
    """Unified's names whose sum is one of the 52; gaze and everything else: the same with a capital letter."""
    return _PARTS.get(name, (name[0].upper() + name[1:],))


def renamed(avatar: Avatar, naming: Naming) -> Avatar:
    """The avatar with its morph targets under other names; `oculus15` and `vrchat` have the visemes too."""
    if naming == "arkit":
        return avatar
    return replace(avatar, meshes=tuple(_renamed(mesh, naming) for mesh in avatar.meshes))


def _renamed(mesh: Mesh, naming: Naming) -> Mesh:
    if not mesh.morph_names:
        return mesh
    if naming in ("livelink", "meta"):
        return replace(mesh, morph_names=tuple(target_name(name, naming) for name in mesh.morph_names))
    visemes = _visemes(mesh, VISEMES, naming) if naming != "unified" else {}
    own = dict(zip(mesh.morph_names, mesh.morphs, strict=True))
    if naming != "oculus15":
        own = {theirs: move for name, each in own.items() for theirs, move in _unified(name, each, mesh).items()}
    shapes = own | {name: move for name, move in visemes.items() if name not in own}
    return replace(mesh, morph_names=tuple(shapes), morphs=np.stack(list(shapes.values())).astype(np.float32))


def _unified(name: str, move: np.ndarray, mesh: Mesh) -> dict[str, np.ndarray]:
    parts = unified_parts(name) if name in ARKIT_NAMES else (name,)
    halves = {part: _half(part, mesh) for part in parts}
    total = np.maximum(sum(halves.values()), 1e-9)
    return {part: move * (half / total)[:, None] for part, half in halves.items()}


def _half(part: str, mesh: Mesh) -> np.ndarray:
    """[V]: how much of a vertex belongs to the side of the face that the part's name says; soft across the middle."""
    across = mesh.positions[:, 0] / _SOFT_M
    if part.startswith(("BrowInnerUp", "CheekPuff", "Lip")) and part.endswith(_SIDES):
        return np.clip(0.5 + (0.5 if part.endswith("Left") else -0.5) * across, 0, 1)
    return np.ones(len(across))


_SOFT_M: Final = 0.010
"""Half the width over which left becomes right."""


def viseme_name(name: str, naming: Naming) -> str:
    """Of one of VISEMES."""
    return f"{_VRCHAT_PREFIX}{_VRCHAT.get(name, name).lower()}" if naming == "vrchat" else VISEME_PREFIX + name


def with_vowels(mesh: Mesh, keep: tuple[str, ...]) -> Mesh:
    """Only the shapes `keep` and the five vowels: what a far level of detail speaks with."""
    own = {name: move for name, move in zip(mesh.morph_names, mesh.morphs, strict=True) if name in keep}
    shapes = own | (_visemes(mesh, VOWELS, "oculus15") if mesh.morph_names else {})
    if not shapes or not any(np.any(move) for move in shapes.values()):
        return replace(mesh, morph_names=(), morphs=mesh.morphs[:0])
    return replace(mesh, morph_names=tuple(shapes), morphs=np.stack(list(shapes.values())).astype(np.float32))


def _visemes(mesh: Mesh, names: tuple[str, ...], naming: Naming) -> dict[str, np.ndarray]:
    """Displacements of visemes, sums of the mesh's own shapes."""
    own = dict(zip(mesh.morph_names, mesh.morphs, strict=True))
    nothing = np.zeros_like(mesh.positions)
    made: dict[str, np.ndarray] = {}
    for name in names:
        shown = viseme_name(name, naming)
        parts = [np.float32(weight) * own[shape] for shape, weight in viseme_weights()[name].items() if shape in own]
        made[shown] = sum(parts, nothing)
    return made


@lru_cache(maxsize=1)
def viseme_weights() -> Mapping[str, Mapping[str, float]]:
    """Weights of the 52 (and the tongue's four) of each of the 15 visemes at its strongest."""
    told = json.loads((resources.files("avatar3d.core") / "data" / "visemes.json").read_text(encoding="utf-8"))
    return {name: told["weights"][name] for name in VISEMES}
