"""The bridge's protocol for the Blender extension, which never imports avatar3d: constants, struct layouts, names.

Called by tools/generate_bindings.py; numpy is in every Blender.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.live import schema
from avatar3d.live.dialects.livelink import SHAPES

PYTHON: Final = Path("blender_addon/wire_generated.py")
_LETTERS: Final = {"u8": "B", "u16": "H", "u32": "I", "f64": "d", "f32": "f", "i16": "h"}
_NUMBERS: Final = (
    "VERSION", "FACES", "ACK_EVERY", "CREDIT", "SOUND_KIND", "ACK_KIND", "HELD", "JUMPED", "LAST", "FACE_SHIFT",
)  # fmt: skip


def python_lines(made: str) -> Iterator[str]:
    """The file's lines; `made` says who made it."""
    yield "# SPDX-FileCopyrightText: 2026 the avatar3d authors"
    yield "# SPDX-License-Identifier: GPL-3.0-or-later"
    yield f'"""{made}"""'
    yield ""
    yield "import struct"
    yield ""
    for name in _NUMBERS:
        yield f"{name} = {getattr(schema, name)}"
    yield f"SUBPROTOCOL = {_quoted(schema.SUBPROTOCOLS[0])}"
    yield f"SHAPES = {len(ARKIT_NAMES)}"
    for name, layout in (("FRAME", schema.FRAME), ("SOUND", schema.SOUND), ("ACK", schema.ACK)):
        yield f"# Fields: {', '.join(_said(field) for field in layout)}."
        yield f"{name} = struct.Struct({_quoted('<' + _letters(layout))})"
    yield "CLOSE = {"
    for code in sorted(schema.CLOSE.items(), key=lambda pair: pair[1]):
        yield f"    {code[1]}: {_quoted(code[0])},"
    yield "}"
    returns = sorted({1001, 1006, 1011, 1012, 1013, 1014} | {schema.CLOSE[name] for name in schema.RECONNECTS})
    yield '"""Closing codes of the bridge."""'
    yield f"RETURNS = {tuple(returns)}"
    yield '"""After these a client comes back by itself."""'
    yield "ARKIT_NAMES = ("
    yield from _listed(ARKIT_NAMES)
    yield ")"
    yield "LIVELINK_NAMES = ("
    yield from _listed(SHAPES)
    yield ")"
    yield '"""The order of a Live Link Face packet."""'


def _letters(layout: tuple[schema.Field, ...]) -> str:
    """As struct writes them; what has no fixed count is left out."""
    return "".join(
        f"{field.count if field.count != 1 else ''}{_LETTERS[field.kind]}" for field in layout if field.count
    )


def _said(field: schema.Field) -> str:
    return f"{field.count or 'all'} {field.name}" if field.count != 1 else field.name


def _quoted(text: str) -> str:
    return f'"{text}"'


def _listed(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        yield f"    {_quoted(name)},"
