"""Typed arrays inside a GLB: how they are laid down, and how they are read when nobody can be trusted.

glTF 2.0 specification, section 3.6 (accessors, buffer views, sparse accessors).
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from avatar3d.formats.glb import GlbDocument, Json, is_index, over_limit

MAX_VERTICES: Final = 10_000_000
# A small file may not blow up: accessors may share bytes or have none (all zero). Ours expand about 3-fold.
MAX_EXPANSION: Final = 16
FREE_EXPANSION_BYTES: Final = 64 * 2**20

ARRAY_BUFFER: Final = 34962
ELEMENT_ARRAY_BUFFER: Final = 34963

_DTYPES: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_CODES: Final = {np.dtype(code).str[1:]: number for number, code in _DTYPES.items()}
_WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_NAMES: Final = {width: name for name, width in _WIDTHS.items()}

Numbers = Shaped[np.ndarray, "..."]


@dataclass(eq=False)
class BufferWriter:
    """Collects arrays into one buffer. The same bytes are stored once, whoever asks."""

    binary: bytearray = field(default_factory=bytearray)
    views: list[Json] = field(default_factory=list[Json])
    accessors: list[Json] = field(default_factory=list[Json])
    _known_views: dict[tuple[bytes, int | None], int] = field(default_factory=dict[tuple[bytes, int | None], int])
    _known_accessors: dict[str, int] = field(default_factory=dict[str, int])

    def view(self, content: bytes, target: int | None = None) -> int:
        """Index of a buffer view holding exactly `content`, aligned to 4 bytes."""
        key = (content, target)
        if key not in self._known_views:
            self.binary += b"\0" * (-len(self.binary) % 4)
            made: Json = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content)}
            if target is not None:
                made["target"] = target
            self.binary += content
            self.views.append(made)
            self._known_views[key] = len(self.views) - 1
        return self._known_views[key]

    def dense(
        self, values: Numbers, *, target: int | None = ARRAY_BUFFER, bounds: bool = False, normalised: bool = False
    ) -> int:
        """Index of a plain accessor. `bounds` adds min and max, which glTF demands of positions; `normalised` integers
        stand for 0 to 1.
        """
        accessor: Json = {"bufferView": self.view(_little_endian(values), target), **_shape(values)}
        accessor |= {"normalized": True} if normalised else {}
        return self._accessor(accessor | (_bounds(values) if bounds else {}))

    def sparse(self, values: Float32[np.ndarray, "V 3"], moved: Int64[np.ndarray, "S"]) -> int:
        """Index of an accessor that is zero except at the rows `moved` (sorted, at least one).

        The sparse views carry no target and the accessor no bufferView: the specification asks for both.
        """
        index_type = np.uint16 if len(values) <= np.iinfo(np.uint16).max else np.uint32
        kept = np.zeros_like(values)
        kept[moved] = values[moved]
        indices = moved.astype(index_type)
        accessor: Json = {
            **_shape(values),
            **_bounds(kept),
            "sparse": {
                "count": len(moved),
                "indices": {
                    "bufferView": self.view(_little_endian(indices)),
                    "componentType": _CODES[indices.dtype.str[1:]],
                },
                "values": {"bufferView": self.view(_little_endian(values[moved]))},
            },
        }
        return self._accessor(accessor)

    def _accessor(self, accessor: Json) -> int:
        key = repr(accessor)
        if key not in self._known_accessors:
            self.accessors.append(accessor)
            self._known_accessors[key] = len(self.accessors) - 1
        return self._known_accessors[key]


def _little_endian(values: Numbers) -> bytes:
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _shape(values: Numbers) -> Json:
    width = 1 if values.ndim == 1 else int(np.prod(values.shape[1:]))
    return {"componentType": _CODES[values.dtype.str[1:]], "count": len(values), "type": _NAMES[width]}


def _bounds(values: Numbers) -> Json:
    """Exact: a float32 written as the shortest decimal of its float64 twin reads back to itself."""
    return {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}


@dataclass(eq=False)
class BufferReader:
    """Reads accessors of one document within a budget of memory."""

    document: GlbDocument
    spent_bytes: int = 0

    def floats(self, index: object, width: str, where: str) -> Float32[np.ndarray, "N W"]:
        """An accessor as finite float32 rows; normalised integers become their real value."""
        accessor = self.document.item("accessors", index, where)
        values = self._numbers(accessor, width, where)
        if values.dtype.kind == "f":
            if not np.isfinite(values).all():
                raise self.document.broken(f"{where} contains NaN or infinity")
            return values.astype(np.float32, copy=False)
        if not accessor.get("normalized"):
            raise self.document.broken(f"{where} holds integers that are not marked as normalised")
        scaled = values.astype(np.float64) / np.iinfo(values.dtype).max
        return np.maximum(scaled, -1).astype(np.float32)

    def integers(self, index: object, width: str, where: str) -> Int64[np.ndarray, "N W"]:
        """An accessor of unsigned integers (indices, joints)."""
        values = self._numbers(self.document.item("accessors", index, where), width, where)
        if values.dtype.kind != "u":
            raise self.document.broken(f"{where} must hold unsigned integers")
        return values.astype(np.int64)

    def view(self, index: object, where: str) -> memoryview:
        """The bytes of one buffer view."""
        view = self.document.item("bufferViews", index, where)
        offset, length = view.get("byteOffset", 0), view.get("byteLength")
        if view.get("buffer") != 0 or not is_index(offset) or not is_index(length) or length == 0:
            raise self.document.broken(f"{where}: bufferViews[{index}] is malformed")
        if offset + length > len(self.document.binary):
            raise self.document.broken(f"{where}: bufferViews[{index}] reaches beyond the end of the buffer")
        return memoryview(self.document.binary)[offset : offset + length]

    def _numbers(self, accessor: Json, width: str, where: str) -> Numbers:
        """Rows of an accessor, sparse replacements applied."""
        if accessor.get("type") != width:
            raise self.document.broken(f"{where} is {accessor.get('type')!r}, expected {width}")
        count = self._count(accessor, where)
        dtype = self._dtype(accessor, where)
        row_bytes = dtype.itemsize * _WIDTHS[width]
        self._spend(count * max(row_bytes, 4 * _WIDTHS[width]), where)
        if "bufferView" in accessor:
            values = self._rows(accessor, accessor["bufferView"], count, _WIDTHS[width], dtype, where)
        else:
            values = np.zeros((count, _WIDTHS[width]), dtype)
        if "sparse" in accessor:
            values = self._replaced(values, accessor["sparse"], where)
        return values

    def _rows(self, place: Json, view: object, count: int, width: int, dtype: np.dtype[Any], where: str) -> Numbers:
        """A copy of `count` rows that start at the place's byteOffset in the view, honouring its stride."""
        content = self.view(view, where)
        offset = place.get("byteOffset", 0)
        row_bytes = dtype.itemsize * width
        stride = self.document.items("bufferViews")[view].get("byteStride", row_bytes) if is_index(view) else row_bytes
        if not is_index(offset) or not is_index(stride) or not row_bytes <= stride <= max(row_bytes, 252):
            raise self.document.broken(f"{where} has a malformed byteOffset or byteStride")
        if offset + (count - 1) * stride + row_bytes > len(content):
            raise self.document.broken(f"{where} reaches beyond the end of its buffer view")
        rows = np.ndarray((count, width), dtype, content, offset, (stride, dtype.itemsize))
        return rows.astype(dtype.newbyteorder("="), copy=True)

    def _replaced(self, values: Numbers, sparse: object, where: str) -> Numbers:
        """Sparse rows written over the base; indices must rise and stay inside."""
        if not isinstance(sparse, dict):
            raise self.document.broken(f"{where} has a malformed sparse entry")
        entry: Json = sparse
        indices_at, values_at = entry.get("indices"), entry.get("values")
        if not isinstance(indices_at, dict) or not isinstance(values_at, dict):
            raise self.document.broken(f"{where} has a malformed sparse entry")
        count = self._count(entry, where)
        if count > len(values):
            raise self.document.broken(f"{where} has more sparse values than rows")
        index_type = self._dtype(indices_at, where)
        if index_type.kind != "u":
            raise self.document.broken(f"{where} has sparse indices that are not unsigned")
        rows = self._rows(indices_at, indices_at.get("bufferView"), count, 1, index_type, where)[:, 0].astype(np.int64)
        if rows[-1] >= len(values) or np.any(np.diff(rows) <= 0):
            raise self.document.broken(f"{where} has sparse indices out of range or out of order")
        values[rows] = self._rows(
            values_at, values_at.get("bufferView"), count, values.shape[1], values.dtype.newbyteorder("<"), where
        )
        return values

    def _count(self, item: Json, where: str) -> int:
        count = item.get("count")
        if not is_index(count) or count == 0:
            raise self.document.broken(f"{where} has the count {str(count)[:20]}")
        if count > MAX_VERTICES:
            raise over_limit(self.document.file, f"asks for {count:,} elements in {where}", f"{MAX_VERTICES:,}")
        return count

    def _dtype(self, item: Json, where: str) -> np.dtype[Any]:
        code = item.get("componentType")
        if not isinstance(code, int) or code not in _DTYPES:
            raise self.document.broken(f"{where} has the unknown componentType {str(code)[:20]}")
        return np.dtype(_DTYPES[code])

    def _spend(self, wanted_bytes: int, where: str) -> None:
        allowed = FREE_EXPANSION_BYTES + MAX_EXPANSION * len(self.document.binary)
        self.spent_bytes += wanted_bytes
        if self.spent_bytes > allowed:
            raise over_limit(
                self.document.file, f"unfolds to more than {self.spent_bytes:,} bytes at {where}", f"{allowed:,} bytes"
            )
