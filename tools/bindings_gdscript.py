"""The bridge's protocol for Godot: constants, places of fields, packet types, and what XRFaceTracker is told of ARKit's 52.

Called by tools/generate_bindings.py. wire_generated.gd is written in what GDScript of Godot 3.2 and of Godot 4 share, so that
the reader that uses it runs in both: no `extends`, no typed arrays, no static variables. xr_face_generated.gd names an enum of
Godot 4 and is read by nothing else.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.live import schema
from avatar3d.live.dialects.livelink import SHAPES
from avatar3d.live.dialects.unified import COMBINED, PARTS

WIRE: Final = Path("godot_bridge/addons/avatar3d/wire/wire_generated.gd")
XR_FACE: Final = Path("godot_bridge/addons/avatar3d/wire/xr_face_generated.gd")
_NUMBERS: Final = (
    "VERSION", "FACES", "ACK_EVERY", "CREDIT", "SOUND_KIND", "ACK_KIND", "HELD", "JUMPED", "LAST", "FACE_SHIFT",
)  # fmt: skip
_LAYOUTS: Final = {"Frame": schema.FRAME, "Sound": schema.SOUND, "Ack": schema.ACK}
_TYPES: Final = {
    "Frame": "One instant of one face. Make one and read into it for ever: its arrays are kept.",
    "Sound": "A piece of mono sound.",
}
_SAYS_WHAT_IT_IS: Final = ("version", "n", "kind")
_WIDTH: Final = 110

_OWN: Final = {
    "cheekPuff": "CheekPuff", "mouthFunnel": "LipFunnel", "mouthPucker": "LipPucker",
    "mouthRollUpper": "LipSuckUpper", "mouthRollLower": "LipSuckLower",
} | {f"{name}{side}": f"{name[0].upper()}{name[1:]}{side}"
     for name in ("browDown", "mouth", "mouthSmile", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeLookDown")
     for side in ("Left", "Right")}  # fmt: skip
"""Where XRFaceModifier3D (scene/3d/xr/xr_face_modifier_3d.cpp) looks for one of ARKit's names, if it is no part of it."""
_BLENDED: Final = (
    "EyeClosed", "BrowDown", "BrowUpRight", "BrowUpLeft", "BrowUp", "NoseSneer", "CheekSquint", "LipSuck", "LipFunnelUpper",
    "LipFunnelLower", "LipPuckerUpper", "LipPuckerLower", "MouthUpperUp", "MouthLowerDown", "MouthOpen", "MouthSmile",
    "MouthStretch", "MouthDimple", "MouthPress",
)  # fmt: skip
"""Entries of XRFaceTracker for both sides at once, as VRCFaceTracking mixes them (live/dialects/unified.py)."""


def wire_lines(made: str) -> Iterator[str]:
    """wire_generated.gd; `made` says who made it."""
    yield f"# {made}"
    yield "# For Godot 3.2 and Godot 4 alike."
    yield ""
    for name in _NUMBERS:
        yield f"const {name} = {getattr(schema, name)}"
    yield f"const SHAPES = {len(ARKIT_NAMES)}"
    yield f'const SUBPROTOCOL = "{schema.SUBPROTOCOLS[0]}"'
    codes = ", ".join(f'"{name}": {code}' for name, code in schema.CLOSE.items())
    yield f"const CLOSE = {{{codes}}}"
    returns = sorted({1001, 1006, 1011, 1012, 1013, 1014} | {schema.CLOSE[name] for name in schema.RECONNECTS})
    yield "# After these closing codes a client comes back by itself; after the others a person must act."
    yield f"const RETURNS = {returns}"
    for name, layout in _LAYOUTS.items():
        yield ""
        yield f"# Where the fields of a packet stand; little-endian. {name}:"
        yield f"const {name.upper()}_BYTES = {schema.size_of(layout)}"
        at = 0
        for field in layout:
            yield f"const {name.upper()}_{field.name.upper()}_AT = {at}"
            at += schema.SIZES[field.kind] * field.count
    yield ""
    yield "const ARKIT_NAMES = ["
    yield from _listed(f'"{name}"' for name in ARKIT_NAMES)
    yield "]"
    yield "# Where each of the 52 values of a Live Link Face packet stands in ARKIT_NAMES."
    yield "const LIVELINK = ["
    yield from _listed(str(ARKIT_INDEX[name]) for name in SHAPES)
    yield "]"
    for name, about in _TYPES.items():
        yield from _type(name, about)


def xr_face_lines(made: str) -> Iterator[str]:
    """xr_face_generated.gd: for each entry of XRFaceTracker the weights it is a sum of."""
    yield f"## {made}"
    yield "##"
    yield "## [entry, index in ARKIT_NAMES, share, index, share ...]: an entry is the sum of so much of each weight."
    yield "extends RefCounted"
    yield ""
    yield "const SUMS: Array = ["
    for entry, terms in xr_sums().items():
        told = ", ".join(f"{ARKIT_INDEX[name]}, {share:g}" for name, share in terms.items())
        yield f"\t[XRFaceTracker.{entry}, {told}],"
    yield "]"


def xr_sums() -> dict[str, dict[str, float]]:
    """ARKit's weights in each entry of XRFaceTracker, by the entry's name."""
    sums = {_entry(_OWN[name]): {name: 1.0} for name in ARKIT_NAMES if name in _OWN}
    sums |= {_entry(part): {name: 1.0} for name, parts in PARTS.items() for part in parts}
    return sums | {_entry(name): {term: share for term, share in COMBINED[name].items() if share} for name in _BLENDED}


def _entry(name: str) -> str:
    """FT_EYE_CLOSED_LEFT of EyeClosedLeft."""
    return "FT_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _listed(words: Iterator[str]) -> Iterator[str]:
    line = "\t"
    for word in words:
        if len(line) + len(word) > _WIDTH:
            yield line.rstrip()
            line = "\t"
        line += f"{word}, "
    yield line.rstrip()


def _type(name: str, about: str) -> Iterator[str]:
    """A class with the fields of a packet, but for those that say which packet it is."""
    yield ""
    yield ""
    yield f"# {about}"
    yield f"class {name}:"
    arrays: list[tuple[str, int]] = []
    for field in _LAYOUTS[name]:
        if field.name in _SAYS_WHAT_IT_IS:
            continue
        if field.count > 1:
            arrays.append((field.name, field.count))
        zero = "0.0" if field.kind in ("f32", "f64") else "0"
        yield f"\tvar {field.name} = {zero if field.count == 1 else '[]'}"
    yield ""
    if arrays:
        yield "\tfunc _init():"
    for array, count in arrays:
        yield f"\t\tfor _at in range({count}):"
        yield f"\t\t\t{array}.append({'1.0 if _at == 0 else 0.0' if array.endswith('wxyz') else '0.0'})"
    if arrays:
        yield ""
    yield "\tfunc face():"
    yield "\t\treturn flags >> FACE_SHIFT"
