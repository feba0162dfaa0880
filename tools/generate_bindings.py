r"""The bridge's protocol for TypeScript and C#, made of avatar3d/live/schema.py: `python tools/generate_bindings.py [--check]`.

    schema.py --> avatar3d/viewer/web/src/wire.generated.ts     the web viewer: codec, constants, types of the messages
             \--> unity_bridge/Runtime/Interop/Wire.cs          engines: codec and constants, C# 7.2, no engine, no allocation
             \--> blender_addon/wire_generated.py               Blender: constants and layouts (tools/bindings_python.py)
             \--> godot_bridge/addons/avatar3d/wire/*_generated.gd  Godot: constants, places, types (tools/bindings_gdscript.py)

With --check nothing is written, and the exit code is 1 when a file is not what the schema makes of it.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.live import schema

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is run as a script, too
from tools.bindings_gdscript import WIRE, XR_FACE, wire_lines, xr_face_lines
from tools.bindings_python import PYTHON, python_lines

ROOT: Final = Path(__file__).parents[1]
TYPESCRIPT: Final = Path("avatar3d/viewer/web/src/wire.generated.ts")
CSHARP: Final = Path("unity_bridge/Runtime/Interop/Wire.cs")
_MADE: Final = "Made by tools/generate_bindings.py of avatar3d/live/schema.py. Do not edit: change the schema."

_LAYOUTS: Final = {"Frame": schema.FRAME, "Sound": schema.SOUND, "Ack": schema.ACK}
_TS_READ: Final = {"u8": "Uint8", "u16": "Uint16", "u32": "Uint32", "f64": "Float64", "f32": "Float32", "i16": "Int16"}
_TS_ARRAY: Final = {"f32": "Float32Array", "i16": "Int16Array"}
_TS_TYPES: Final = {
    "string": "string", "number": "number", "integer": "number", "boolean": "boolean", "strings": "string[]",
    "integers": "number[]", "number[3]": "number[]", "number[4]": "number[]", "number[52]": "number[]",
    "faces": "Record<string, unknown>[]", "clients": "Record<string, unknown>[]",
}  # fmt: skip
_CS_TYPES: Final = {"u8": "byte", "u16": "ushort", "u32": "uint", "f64": "double", "f32": "float", "i16": "short"}
# Set by whoever encodes, not given: they say what the packet is.
_FIXED: Final = {
    "Frame": {"version": "VERSION", "n": "SHAPES"},
    "Sound": {"kind": "SOUND_KIND"},
    "Ack": {"kind": "ACK_KIND", "flags": "0", "n": "0"},
}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when a file is stale")
    check = parser.parse_args(words).check
    stale = [file for file, text in bindings().items() if not _holds(ROOT / file, text)]
    for file in stale:
        if check:
            print(f"{file} is not what schema.py makes of it: python tools/generate_bindings.py")
        else:
            (ROOT / file).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / file).write_text(bindings()[file], encoding="utf-8")
            print(f"wrote {file}")
    return 1 if check and stale else 0


def bindings() -> dict[Path, str]:
    """What the files should hold."""
    return {
        TYPESCRIPT: "\n".join(_typescript()) + "\n",
        CSHARP: "\n".join(_csharp()) + "\n",
        PYTHON: "\n".join(python_lines(_MADE)) + "\n",
        WIRE: "\n".join(wire_lines(_MADE)) + "\n",
        XR_FACE: "\n".join(xr_face_lines(_MADE)) + "\n",
    }


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


def _offsets(layout: tuple[schema.Field, ...]) -> Iterator[tuple[schema.Field, int]]:
    at = 0
    for field in layout:
        yield field, at
        at += schema.SIZES[field.kind] * field.count


def _reals(layout: tuple[schema.Field, ...]) -> Iterator[tuple[int, int]]:
    """First byte and end of the float32 values, which must be finite; they stand together."""
    starts = [(at, at + 4 * field.count) for field, at in _offsets(layout) if field.kind == "f32"]
    if starts:
        assert all(one[1] == next_[0] for one, next_ in pairwise(starts))
        yield starts[0][0], starts[-1][1]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.lower().split("_"))


def _listed(names: Iterator[str] | tuple[str, ...], indent: str) -> Iterator[str]:
    """Quoted names, several on a line."""
    line = indent
    for name in names:
        if len(line) + len(name) + 4 > 118:
            yield line.rstrip()
            line = indent
        line += f'"{name}", '
    yield line.rstrip()


# TypeScript ------------------------------------------------------------------------------------------------------------


def _typescript() -> Iterator[str]:
    yield f"// {_MADE}"
    yield ""
    yield f"export const VERSION = {schema.VERSION};"
    yield f"export const SUBPROTOCOLS = {_ts_list(schema.SUBPROTOCOLS)};"
    yield f"export const SCOPES = {_ts_list(schema.SCOPES)};"
    yield f"export const GESTURES = {_ts_list(schema.GESTURES)};"
    for name in ("FACES", "ACK_EVERY", "CREDIT", "SOUND_KIND", "ACK_KIND", "HELD", "JUMPED", "LAST", "FACE_SHIFT"):
        yield f"export const {name} = {getattr(schema, name)};"
    yield f"export const SHAPES = {len(ARKIT_NAMES)};"
    for name, layout in _LAYOUTS.items():
        yield f"export const {name.upper()}_BYTES = {schema.size_of(layout)};"
    pairs = ", ".join(f"{name}: {code}" for name, code in schema.CLOSE.items())
    yield f"export const CLOSE = {{ {pairs} }} as const;"
    yield f"export const RECONNECTS: readonly (keyof typeof CLOSE)[] = {_ts_list(schema.RECONNECTS).removesuffix(' as const')};"
    yield "export const ARKIT_NAMES = ["
    yield from _listed(ARKIT_NAMES, "  ")
    yield "] as const;"
    yield ""
    for name, layout in _LAYOUTS.items():
        yield from _ts_packet(name, layout)
    yield from _ts_messages("FromBridge", schema.FROM_BRIDGE)
    yield from _ts_messages("ToBridge", schema.TO_BRIDGE)


def _ts_list(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "] as const"


def _ts_type(field: schema.Field) -> str:
    return "number" if field.count == 1 else _TS_ARRAY[field.kind]


def _ts_packet(name: str, layout: tuple[schema.Field, ...]) -> Iterator[str]:
    open_ended = any(field.count == 0 for field in layout)
    size = f"{name.upper()}_BYTES"
    yield f"export interface {name}Packet {{"
    for field, _ in _offsets(layout):
        yield f"  {_camel(field.name)}: {_ts_type(field)};"
    yield "}"
    yield ""
    yield "/** The packet in these bytes (arrays are views of them), or null: wrong size, version or kind, values that are no numbers. */"
    yield f"export function decode{name}(bytes: ArrayBuffer): {name}Packet | null {{"
    odd = " || bytes.byteLength % 2" if open_ended else ""
    yield f"  if (bytes.byteLength {'<' if open_ended else '!=='} {size}{odd}) return null;"
    yield "  const view = new DataView(bytes);"
    guards = [
        f"view.get{_TS_READ[field.kind]}({_at(at, field)}) !== {_FIXED[name][field.name]}"
        for field, at in _offsets(layout)
        if field.name in _FIXED[name] and _FIXED[name][field.name] != "0"
    ]
    yield f"  if ({' || '.join(guards)}) return null;"
    for first, end in _reals(layout):
        yield f"  for (let at = {first}; at < {end}; at += 4) if (!Number.isFinite(view.getFloat32(at, true))) return null;"
    yield "  return {"
    for field, at in _offsets(layout):
        yield f"    {_camel(field.name)}: {_ts_read(field, at)},"
    yield "  };"
    yield "}"
    yield ""
    given = [field.name for field in layout if field.name not in _FIXED[name]]
    yield f"export function encode{name}(packet: Pick<{name}Packet, {' | '.join(_quoted(_camel(each)) for each in given)}>): ArrayBuffer {{"
    tail = next((field for field in layout if field.count == 0), None)
    more = f" + {schema.SIZES[tail.kind]} * packet.{_camel(tail.name)}.length" if tail else ""
    yield f"  const bytes = new ArrayBuffer({size}{more});"
    yield "  const view = new DataView(bytes);"
    for field, at in _offsets(layout):
        value = _FIXED[name].get(field.name, f"packet.{_camel(field.name)}")
        put = f"view.set{_TS_READ[field.kind]}"
        little = "" if field.kind == "u8" else ", true"
        if field.count == 1:
            yield f"  {put}({at}, {value}{little});"
        else:
            step = schema.SIZES[field.kind]
            upto = field.count or f"{value}.length"
            yield f"  for (let i = 0; i < {upto}; i++) {put}({at} + {step} * i, {value}[i] ?? 0{little});"
    yield "  return bytes;"
    yield "}"
    yield ""


def _quoted(word: str) -> str:
    return f'"{word}"'


def _at(at: int, field: schema.Field) -> str:
    return f"{at}" if field.kind == "u8" else f"{at}, true"


def _ts_read(field: schema.Field, at: int) -> str:
    if field.count == 1:
        return f"view.get{_TS_READ[field.kind]}({_at(at, field)})"
    count = f", {field.count}" if field.count else ""
    return f"new {_TS_ARRAY[field.kind]}(bytes, {at}{count})"


def _ts_messages(union: str, messages: object) -> Iterator[str]:
    assert hasattr(messages, "items")
    names: list[str] = []
    for kind, entries in messages.items():
        name = f"{kind.capitalize()}{union}"
        names.append(name)
        body = "; ".join(f"{entry.name}{'?' if entry.optional else ''}: {_TS_TYPES[entry.type]}" for entry in entries)
        yield f'export interface {name} {{ type: "{kind}"{"; " + body if body else ""} }}'
    yield f"export type {union} = {' | '.join(names)};"
    yield ""


# C# --------------------------------------------------------------------------------------------------------------------


def _csharp() -> Iterator[str]:
    yield f"// {_MADE}"
    yield "// Nothing here allocates after construction, touches an engine, or throws on what the network brings."
    yield "using System;"
    yield ""
    yield "namespace Avatar3D.Interop"
    yield "{"
    yield "    /// <summary>Constants of the bridge's protocol (docs/bridge.md).</summary>"
    yield "    public static class Wire"
    yield "    {"
    numbers = (
        "VERSION",
        "FACES",
        "ACK_EVERY",
        "CREDIT",
        "SOUND_KIND",
        "ACK_KIND",
        "HELD",
        "JUMPED",
        "LAST",
        "FACE_SHIFT",
    )
    for name in numbers:
        yield f"        public const int {_pascal(name)} = {getattr(schema, name)};"
    yield f"        public const int Shapes = {len(ARKIT_NAMES)};"
    for name, layout in _LAYOUTS.items():
        yield f"        public const int {name}Bytes = {schema.size_of(layout)};"
    for name, code in schema.CLOSE.items():
        yield f"        public const int Close{_pascal(name)} = {code};"
    yield f'        public const string SubprotocolBinary = "{schema.SUBPROTOCOLS[0]}";'
    yield f'        public const string SubprotocolJson = "{schema.SUBPROTOCOLS[1]}";'
    codes = " || ".join(f"code == Close{_pascal(name)}" for name in schema.RECONNECTS)
    yield ""
    yield "        /// <summary>Whether a client comes back by itself after this closing code.</summary>"
    yield "        public static bool Reconnects(int code) =>"
    yield f"            {codes}"
    yield "            || code == 1001 || code == 1006 || code == 1011 || (code >= 1012 && code <= 1014);"
    yield ""
    yield "        /// <summary>The shapes in the order of a frame's weights; do not write into it.</summary>"
    yield "        public static readonly string[] ArkitNames ="
    yield "        {"
    yield from _listed(ARKIT_NAMES, " " * 12)
    yield "        };"
    yield ""
    yield from _CS_READERS
    yield "    }"
    for name, layout in _LAYOUTS.items():
        yield ""
        yield from _cs_packet(name, layout)
    yield "}"


_CS_READERS: Final = """\
        internal static ushort U16(byte[] bytes, int at) => (ushort)(bytes[at] | bytes[at + 1] << 8);

        internal static uint U32(byte[] bytes, int at) =>
            (uint)(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);

        internal static double F64(byte[] bytes, int at) =>
            BitConverter.Int64BitsToDouble((long)U32(bytes, at) | (long)U32(bytes, at + 4) << 32);

        internal static float F32(byte[] bytes, int at) => new Bits { Whole = U32(bytes, at) }.Real;

        internal static void Put16(byte[] bytes, int at, int value)
        {
            bytes[at] = (byte)value;
            bytes[at + 1] = (byte)(value >> 8);
        }

        internal static void Put32(byte[] bytes, int at, uint value)
        {
            Put16(bytes, at, (int)(value & 0xFFFF));
            Put16(bytes, at + 2, (int)(value >> 16));
        }

        internal static void Put64(byte[] bytes, int at, double value)
        {
            var bits = (ulong)BitConverter.DoubleToInt64Bits(value);
            Put32(bytes, at, (uint)bits);
            Put32(bytes, at + 4, (uint)(bits >> 32));
        }

        internal static void Put32(byte[] bytes, int at, float value) => Put32(bytes, at, new Bits { Real = value }.Whole);

        [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit)]
        private struct Bits
        {
            [System.Runtime.InteropServices.FieldOffset(0)] public uint Whole;
            [System.Runtime.InteropServices.FieldOffset(0)] public float Real;
        }""".splitlines()

_CS_ABOUT: Final = {
    "Frame": "One instant of one face. Make one and decode into it for ever: its arrays are kept.",
    "Sound": "A piece of mono sound, of no more samples than the capacity given at construction.",
    "Ack": "Everything up to Seq has arrived.",
}


def _cs_packet(name: str, layout: tuple[schema.Field, ...]) -> Iterator[str]:
    tail = next((field for field in layout if field.count == 0), None)
    size = f"Wire.{name}Bytes"
    yield f"    /// <summary>{_CS_ABOUT[name]}</summary>"
    yield f"    public sealed class {name}Packet"
    yield "    {"
    own = [field for field in layout if field.name not in _FIXED[name]]
    for field in own:
        kind = _CS_TYPES[field.kind]
        if field.count == 1:
            yield f"        public {kind} {_pascal(field.name)};"
        elif field.count:
            yield f"        public readonly {kind}[] {_pascal(field.name)} = new {kind}[{field.count}];"
        else:
            yield f"        public readonly {kind}[] {_pascal(field.name)};"
            yield "        public int Count;"
    yield ""
    if tail:
        yield f"        public {name}Packet(int capacity) => {_pascal(tail.name)} = new {_CS_TYPES[tail.kind]}[capacity];"
        yield ""
    if any(field.name == "flags" for field in own):
        yield "        public int Face => Flags >> Wire.FaceShift;"
        yield ""
    yield "        /// <summary>False, and nothing changed, when these bytes are another packet.</summary>"
    yield "        public bool TryDecode(byte[] bytes, int length)"
    yield "        {"
    odd = f" || length % 2 != 0 || (length - {size}) / 2 > {_pascal(tail.name)}.Length" if tail else ""
    yield f"            if (length {'<' if tail else '!='} {size} || bytes.Length < length{odd}) return false;"
    guards = [
        f"{_cs_read(field.kind, str(at))} != {_cs_fixed(_FIXED[name][field.name])}"
        for field, at in _offsets(layout)
        if field.name in _FIXED[name] and _FIXED[name][field.name] != "0"
    ]
    yield f"            if ({' || '.join(guards)}) return false;"
    for first, end in _reals(layout):
        yield f"            for (var at = {first}; at < {end}; at += 4)"
        yield "                if ((Wire.U32(bytes, at) & 0x7F800000) == 0x7F800000) return false; // not a number, or infinite"
    for field, at in _offsets(layout):
        if field not in own:
            continue
        target, step = _pascal(field.name), schema.SIZES[field.kind]
        if field.count == 1:
            yield f"            {target} = {_cs_read(field.kind, str(at))};"
        else:
            if not field.count:
                yield f"            Count = (length - {at}) / {step};"
            upto = field.count or "Count"
            yield f"            for (var i = 0; i < {upto}; i++) {target}[i] = {_cs_read(field.kind, f'{at} + {step} * i')};"
    yield "            return true;"
    yield "        }"
    yield ""
    yield "        /// <summary>Bytes written to the array's beginning, which must have room for them.</summary>"
    yield "        public int Encode(byte[] bytes)"
    yield "        {"
    for field, at in _offsets(layout):
        value = _cs_fixed(_FIXED[name][field.name]) if field.name in _FIXED[name] else _pascal(field.name)
        if field.count == 1:
            yield f"            {_cs_write(field.kind, str(at), value)};"
        else:
            upto, step = field.count or "Count", schema.SIZES[field.kind]
            yield f"            for (var i = 0; i < {upto}; i++) {_cs_write(field.kind, f'{at} + {step} * i', f'{value}[i]')};"
    yield f"            return {size}{' + 2 * Count' if tail else ''};"
    yield "        }"
    yield "    }"


def _cs_fixed(constant: str) -> str:
    return constant if constant.isdigit() else f"Wire.{_pascal(constant)}"


def _cs_read(kind: str, at: str) -> str:
    if kind == "u8":
        return f"bytes[{at}]"
    return f"(short)Wire.U16(bytes, {at})" if kind == "i16" else f"Wire.{kind.upper()}(bytes, {at})"


def _cs_write(kind: str, at: str, value: str) -> str:
    if kind == "u8":
        return (
            f"bytes[{at}] = (byte){value}" if value.isdigit() or value.startswith("Wire.") else f"bytes[{at}] = {value}"
        )
    method = {"u16": "Put16", "i16": "Put16", "u32": "Put32", "f32": "Put32", "f64": "Put64"}[kind]
    return f"Wire.{method}(bytes, {at}, {value})"


if __name__ == "__main__":
    sys.exit(main())
