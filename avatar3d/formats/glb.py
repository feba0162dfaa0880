"""The GLB container: JSON and one binary chunk, written plainly and read with suspicion.

    file -> size, magic, version, chunk lengths -> JSON depth and element count -> JSON -> no URI, no unknown
    required extension, node tree without cycles -> GlbDocument

Everything here happens before any array is built. glTF 2.0 specification, section 4 (GLB) and 3.
"""

import json
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeGuard

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from avatar3d.core.errors import LimitError, UnreadableError, UnsupportedFormatError

Json = dict[str, Any]

SPECULAR: Final = "KHR_materials_specular"
MAX_FILE_BYTES: Final = 512 * 2**20
MAX_JSON_BYTES: Final = 32 * 2**20
MAX_JSON_DEPTH: Final = 64
MAX_JSON_ELEMENTS: Final = 1_000_000
"""Commas and brackets: what bounds the memory of the parsed tree (our own files have about 20,000)."""
MAX_NODES: Final = 100_000

_HEADER: Final = struct.Struct("<4sII")
_CHUNK: Final = struct.Struct("<I4s")
_JSON_CHUNK: Final = b"JSON"
_BINARY_CHUNK: Final = b"BIN\0"
_SCAN_BLOCK: Final = 2**20


@dataclass(frozen=True, eq=False)
class GlbDocument:
    """A parsed container: nothing in it has been interpreted yet."""

    json: Json
    binary: bytes
    file: Path
    _looked_at: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]], repr=False)
    """Arrays that are known to hold objects only: readers ask a thousand times."""

    def items(self, key: str) -> list[Json]:
        """A top-level array of objects; empty when absent."""
        if key not in self._looked_at:
            found = self.json.get(key, [])
            if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
                raise self.broken(f"{key!r} is not an array of objects")
            self._looked_at[key] = found
        return self._looked_at[key]

    def item(self, key: str, index: object, where: str) -> Json:
        """One object of a top-level array; UnreadableError when `index` points nowhere."""
        items = self.items(key)
        if not is_index(index) or index >= len(items):
            raise self.broken(f"{where} asks for {key}[{index}], of which there are {len(items)}")
        return items[index]

    def broken(self, what: str) -> UnreadableError:
        """The error for a file that contradicts itself or the specification."""
        return UnreadableError(
            f'"{self.file.name}": {what}.',
            hint="The file is damaged or was not written by a glTF exporter; export or copy it again.",
            id="GLB_INVALID",
            file=self.file,
        )


def is_index(value: object) -> TypeGuard[int]:
    """Whether a JSON value may point into an array."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def glb_bytes(document: Json, binary: bytes) -> bytes:
    """The container around a JSON object and its one buffer; keys stay in the order given."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = _CHUNK.pack(len(text), _JSON_CHUNK) + text + _CHUNK.pack(len(binary), _BINARY_CHUNK) + binary
    return _HEADER.pack(b"glTF", 2, _HEADER.size + len(chunks)) + chunks


def read_glb(path: Path | str, *, known: frozenset[str] = frozenset()) -> GlbDocument:
    """Open a .glb file, trusting nothing it says. `known` are required extensions that the caller copes with.

    Raises UnreadableError (10) when it is damaged, UnsupportedFormatError (11) for another format, version,
    external file or required extension, LimitError (12) beyond the limits above. Never follows a URI.
    """
    file = Path(path)
    text, binary = _split(file, _read_regular_file(file))
    document = GlbDocument(_parse_json(file, text), binary, file)
    _check_promises_to_readers(document, known)
    _check_node_tree(document)
    return document


def _read_regular_file(file: Path) -> bytes:
    """The whole file, its header judged before the rest is read. A pipe or device is never opened."""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError(f'"{file.name}" is not a regular file.', id="GLB_NOT_A_FILE", file=file)
        if status.st_size > MAX_FILE_BYTES:
            raise over_limit(file, f"is {status.st_size:,} bytes", f"{MAX_FILE_BYTES:,}")
        with file.open("rb") as stream:
            head = stream.read(_HEADER.size + _CHUNK.size)
            _check_head(file, head, status.st_size)
            return head + stream.read(status.st_size - len(head))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(
            f'Cannot read "{file.name}": {reason}.', hint="Check the path.", id="GLB_UNREADABLE", file=file
        ) from error


def over_limit(file: Path, what: str, limit: str) -> LimitError:
    """The error for a file that asks for more than we give."""
    return LimitError(
        f'"{file.name}" {what}; the limit is {limit}.',
        hint="A head needs far less: export it without the rest of the scene.",
        id="GLB_TOO_LARGE",
        file=file,
    )


def _check_head(file: Path, head: bytes, size: int) -> None:
    """Magic, version, declared length and the length of the JSON chunk."""
    if not head:
        raise UnreadableError(f'"{file.name}" is empty.', hint="Copy it again.", id="GLB_EMPTY", file=file)
    if head[:4] != b"glTF":
        raise UnsupportedFormatError(
            f"\"{file.name}\" is not a binary glTF file: it starts with {head[:4]!r}, expected b'glTF'.",
            hint="Export as .glb (binary glTF 2.0).",
            id="GLB_MAGIC",
            file=file,
        )
    if len(head) < _HEADER.size + _CHUNK.size:
        raise UnreadableError(
            f'"{file.name}" ends after {size} bytes, inside its header.', hint="Copy it again.", id="GLB_CUT", file=file
        )
    _, version, length = _HEADER.unpack_from(head)
    if version != 2:
        raise UnsupportedFormatError(
            f'"{file.name}" is glTF version {version}; this door opens version 2.',
            hint="Export it again as glTF 2.0.",
            id="GLB_VERSION",
            file=file,
        )
    if length != size:
        raise UnreadableError(
            f'"{file.name}" says it has {length:,} bytes and has {size:,}.',
            hint="It was cut or something was added; copy it again.",
            id="GLB_CUT",
            file=file,
        )
    json_bytes, kind = _CHUNK.unpack_from(head, _HEADER.size)
    if kind != _JSON_CHUNK:
        raise UnreadableError(
            f"\"{file.name}\": the first chunk is {kind!r}, expected b'JSON'.", id="GLB_CHUNKS", file=file
        )
    if json_bytes > MAX_JSON_BYTES:
        raise over_limit(file, f"has {json_bytes:,} bytes of JSON", f"{MAX_JSON_BYTES:,}")


def _split(file: Path, content: bytes) -> tuple[bytes, bytes]:
    """JSON text and binary chunk. Unknown chunks after these two are skipped, as the specification asks."""

    def broken(what: str) -> UnreadableError:
        return UnreadableError(f'"{file.name}": {what}.', hint="Copy it again.", id="GLB_CHUNKS", file=file)

    chunks: list[tuple[bytes, bytes]] = []
    offset = _HEADER.size
    while offset < len(content):
        if len(content) - offset < _CHUNK.size:
            raise broken(f"{len(content) - offset} bytes are left over after the last chunk")
        size, kind = _CHUNK.unpack_from(content, offset)
        offset += _CHUNK.size
        if size % 4:
            raise broken(f"a chunk of {size} bytes is not a multiple of 4")
        if size > len(content) - offset:
            raise broken(f"chunk {kind!r} says {size:,} bytes, {len(content) - offset:,} are left")
        chunks.append((kind, content[offset : offset + size]))
        offset += size
        if len(chunks) > 8:
            raise broken("more than 8 chunks")
    kinds = [kind for kind, _ in chunks]
    if kinds.count(_JSON_CHUNK) > 1 or kinds.count(_BINARY_CHUNK) > 1 or _BINARY_CHUNK in kinds[2:]:
        raise broken(f"expected one JSON and then at most one BIN chunk, found {kinds}")
    return chunks[0][1], chunks[1][1] if _BINARY_CHUNK in kinds else b""


def _parse_json(file: Path, text: bytes) -> Json:
    """The JSON object, its depth and size bounded beforehand, no key twice, no NaN."""
    depth, elements = _structure(text)
    if depth > MAX_JSON_DEPTH:
        raise over_limit(file, f"nests its JSON {depth} deep", str(MAX_JSON_DEPTH))
    if elements > MAX_JSON_ELEMENTS:
        raise over_limit(file, f"has {elements:,} JSON elements", f"{MAX_JSON_ELEMENTS:,}")
    try:
        parsed = json.loads(
            text.decode("utf-8"), object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f'"{file.name}": its JSON cannot be read: {str(error)[:200]}.',
            hint="Copy it again.",
            id="GLB_JSON",
            file=file,
        ) from error
    if not isinstance(parsed, dict):
        raise UnreadableError(f'"{file.name}": its JSON is not an object.', id="GLB_JSON", file=file)
    return parsed


def _structure(text: bytes) -> tuple[int, int]:
    """Deepest nesting and number of commas and brackets outside strings, in linear time and constant memory."""
    # A backslash lives only inside strings, so these two replacements leave quotes that open or close one.
    text = text.replace(b"\\\\", b"..").replace(b'\\"', b"..")
    inside, depth, deepest, elements = False, 0, 0, 0
    for start in range(0, len(text), _SCAN_BLOCK):
        block = np.frombuffer(text, np.uint8, min(_SCAN_BLOCK, len(text) - start), start)
        outside = _outside_strings(block, inside=inside)
        inside = inside ^ bool(np.count_nonzero(block == ord('"')) % 2)
        step = _bracket_steps(block) * outside
        level = depth + np.cumsum(step, dtype=np.int32)
        depth = int(level[-1])
        deepest = max(deepest, int(level.max()))
        elements += int(np.count_nonzero(step)) + int(np.count_nonzero((block == ord(",")) & outside))
    return deepest, elements


def _outside_strings(block: UInt8[np.ndarray, "N"], *, inside: bool) -> Bool[np.ndarray, "N"]:
    return (np.cumsum(block == ord('"'), dtype=np.int32) + int(inside)) % 2 == 0


def _bracket_steps(block: UInt8[np.ndarray, "N"]) -> Int32[np.ndarray, "N"]:
    """+1 where a bracket opens, -1 where one closes."""
    opens = (block == ord("[")) | (block == ord("{"))
    closes = (block == ord("]")) | (block == ord("}"))
    return opens.astype(np.int32) - closes.astype(np.int32)


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> Json:
    made: Json = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"the key {key[:40]!r} stands twice in one object")
        made[key] = value
    return made


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_promises_to_readers(document: GlbDocument, known: frozenset[str]) -> None:
    """Version, required extensions, and that everything is inside this one file."""
    asset = document.json.get("asset")
    if not isinstance(asset, dict) or asset.get("version") != "2.0":
        raise document.broken('"asset" does not say version "2.0"')
    required = document.json.get("extensionsRequired", [])
    if not isinstance(required, list) or not known.issuperset(map(str, required)):
        raise UnsupportedFormatError(
            f'"{document.file.name}" cannot be read without the extensions {str(required)[:200]}.',
            hint="Export it without compression (no Draco, meshopt, KTX2).",
            id="GLB_EXTENSION",
            file=document.file,
        )
    for key in ("buffers", "images"):
        for index, item in enumerate(document.items(key)):
            if "uri" in item:
                raise UnsupportedFormatError(
                    f'"{document.file.name}": {key}[{index}] lies outside the file ({str(item["uri"])[:60]!r}).',
                    hint="Addresses and paths inside a file are never followed; export everything embedded (.glb).",
                    id="GLB_EXTERNAL",
                    file=document.file,
                )
    buffers = document.items("buffers")
    if len(buffers) > 1 and not ("EXT_meshopt_compression" in known and all(map(_is_fallback, buffers[1:]))):
        raise document.broken(f"a GLB has one buffer, this has {len(buffers)}")
    if buffers:
        declared = buffers[0].get("byteLength")
        if not is_index(declared) or not declared <= len(document.binary) <= declared + 3:
            raise document.broken(f"its buffer says {declared} bytes, its BIN chunk has {len(document.binary):,}")


def _is_fallback(buffer: Json) -> bool:
    """EXT_meshopt_compression: a buffer that is not there, for readers that do not know the extension."""
    extensions = buffer.get("extensions")
    told = extensions.get("EXT_meshopt_compression") if isinstance(extensions, dict) else None
    return isinstance(told, dict) and told.get("fallback") is True


def _check_node_tree(document: GlbDocument) -> None:
    """Every child exists, has one parent, and no node is its own ancestor."""
    nodes = document.items("nodes")
    if len(nodes) > MAX_NODES:
        raise over_limit(document.file, f"has {len(nodes):,} nodes", f"{MAX_NODES:,}")
    parents: list[int | None] = [None] * len(nodes)
    for index, node in enumerate(nodes):
        children = node.get("children", [])
        if not isinstance(children, list):
            raise document.broken(f"nodes[{index}].children is not an array")
        for child in children:
            if not is_index(child) or child >= len(nodes):
                raise document.broken(f"nodes[{index}] has a child that does not exist")
            if parents[child] is not None or child == index:
                raise document.broken(f"nodes[{child}] has two parents or is its own child")
            parents[child] = index
    reached = [index for index, parent in enumerate(parents) if parent is None]
    for index in reached:  # grows while it is walked: breadth first
        reached.extend(nodes[index].get("children", []))
    if len(reached) != len(nodes):
        raise document.broken("its nodes form a cycle")
