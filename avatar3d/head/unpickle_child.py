"""The child process of unpickle.py: `python -I unpickle_child.py NAME...` reads a pickle on stdin and writes arrays on stdout.

It imports nothing of ours. Exit 0: arrays (see unpickle.py); 3: a sentence about why not, "cut:" before it where the file is
damaged rather than refused. Every class the pickle may name is one of the stand-ins here, which keep data and do nothing.
"""

import io
import json
import pickle  # noqa: TID251  its machine is used, its power to import is taken away: see _Reader
import pickletools
import struct
import sys
from typing import Any, Final

import numpy as np

_MEMORY_BYTES: Final = 3 * 2**30
_CPU_SECONDS: Final = 60
_MOST_OPCODES: Final = 20_000_000
_MOST_MEMO: Final = 5_000_000
_DEEPEST: Final = 200
_LARGEST_DENSE: Final = 10_000_000
_NUMBERS: Final = "fiub"


class Refused(Exception):  # noqa: N818  a verdict, not a fault
    """What the pickle asks for is not given."""


class DType:
    """Stands for numpy.dtype: a number's kind, size and byte order."""

    def __init__(self, kind: object = "", *_: object) -> None:
        self.text = kind.decode("latin1") if isinstance(kind, bytes) else kind

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "|"
        order = order.decode("latin1") if isinstance(order, bytes) else order
        if isinstance(self.text, str) and order in ("<", ">", "|", "="):
            self.text = str(order) + self.text

    def plain(self) -> "np.dtype[Any]":
        """Numbers only: no objects, records or texts."""
        text = self.text
        if (
            not isinstance(text, str)
            or text.lstrip("<>|=")[:1] not in _NUMBERS
            or not text.lstrip("<>|=")[1:].isdigit()
        ):
            raise Refused(f"it holds an array of {str(text)[:20]!r}, expected numbers")
        return np.dtype(text)


class Array:
    """Stands for a numpy array: what __reduce__ and __setstate__ of one say."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, tuple) else ()

    def plain(self) -> np.ndarray:
        """The array, when its bytes are as many as its shape says."""
        try:
            _, shape, kind, is_fortran, content = self.state
        except ValueError as error:
            raise Refused("it holds an array without its content") from error
        content = content.encode("latin1") if isinstance(content, str) else content
        return _shaped(content, kind, shape, bool(is_fortran))


class FromBuffer(Array):
    """Stands for numpy's _frombuffer of protocol 5."""

    def __init__(self, content: object = b"", kind: object = None, shape: object = (), order: object = "C") -> None:
        super().__init__()
        self.state = (1, shape, kind, order == "F", content)


class Scalar(Array):
    """Stands for numpy's scalars."""

    def __init__(self, kind: object = None, content: object = b"") -> None:
        super().__init__()
        self.state = (1, (), kind, False, content)


class Kept:
    """Stands for objects that are a dictionary of attributes: chumpy's Ch, scipy's matrices, `object` itself."""

    def __init__(self, *_: object) -> None:
        self.state: dict[Any, Any] = {}

    def __setstate__(self, state: object) -> None:
        state = state[0] if isinstance(state, tuple) and state else state
        self.state = dict(state) if isinstance(state, dict) else {}


class Ignored(Kept):
    """Stands for sets and ordered dictionaries, in which chumpy keeps notes to itself."""

    def __setitem__(self, key: object, value: object) -> None:
        """Notes are not kept."""


class Chumpy(Kept):
    """Stands for everything of chumpy: a plain Ch has its values under `x`, an expression of several has none."""

    def plain(self) -> np.ndarray:
        if "x" not in self.state:
            raise Refused("it holds a chumpy expression, expected a plain chumpy array")
        return _plain(self.state["x"], 1)


class Sparse(Kept):
    """scipy's csc_matrix or csr_matrix, made dense."""

    by_column = True

    def plain(self) -> np.ndarray:
        shape = self.state.get("_shape", self.state.get("shape"))
        values, rows, starts = (_plain(self.state.get(name), 1) for name in ("data", "indices", "indptr"))
        if (
            not isinstance(shape, tuple)
            or len(shape) != 2
            or not all(isinstance(n, int) and 0 < n < 10**6 for n in shape)
        ):
            raise Refused("it holds a sparse matrix without a shape")
        if shape[0] * shape[1] > _LARGEST_DENSE:
            raise Refused(f"it holds a sparse matrix of {shape[0]} x {shape[1]}")
        dense = np.zeros(shape, np.float64)
        lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        at = (rows, lines) if self.by_column else (lines, rows)
        if len(lines) != len(rows) or len(rows) != len(values):
            raise Refused("it holds a sparse matrix that contradicts itself")
        np.add.at(dense, at, values)
        return dense


class SparseRows(Sparse):
    """csr_matrix."""

    by_column = False


class Plain:
    """Stands for `object`, `ndarray` and base classes that are only named."""

    def __new__(cls, *_: object) -> "Plain":
        raise Refused("it makes an object of a class that is only to be named")


class Reconstructed:
    """copy_reg._reconstructor(class, base, state): an empty object of one of ours."""

    def __new__(cls, kind: object = None, *_: object) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, Kept)):
            raise Refused("it makes an object of a class that is only to be named")
        return kind()


class Latin1:
    """_codecs.encode(text, "latin1"), as Python 3 writes bytes in old protocols."""

    def __new__(cls, text: object = "", encoding: object = "latin1") -> Any:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise Refused("it encodes something that is no text")
        return text.encode("latin1")


_ALLOWED: Final[dict[tuple[str, str], type]] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): Scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): FromBuffer for core in ("core", "_core")},
    ("numpy", "ndarray"): Plain,
    ("numpy", "dtype"): DType,
    **{(f"scipy.sparse.{module}csc", "csc_matrix"): Sparse for module in ("", "_")},
    **{(f"scipy.sparse.{module}csr", "csr_matrix"): SparseRows for module in ("", "_")},
    **{(builtin, "set"): Ignored for builtin in ("__builtin__", "builtins")},
    ("collections", "OrderedDict"): Ignored,
    ("copy_reg", "_reconstructor"): Reconstructed,
    ("copyreg", "_reconstructor"): Reconstructed,
    ("__builtin__", "object"): Plain,
    ("builtins", "object"): Plain,
    ("_codecs", "encode"): Latin1,
}


def _stand_in(module: str, name: str) -> type:
    if module.split(".")[0] == "chumpy":
        return Chumpy
    if (module, name) not in _ALLOWED:
        raise Refused(f"it asks for {module[:40]}.{name[:40]}, which no model needs")
    return _ALLOWED[module, name]


class _Reader(pickle.Unpickler):
    """Finds stand-ins only."""

    def find_class(self, module: str, name: str) -> Any:
        return _stand_in(module, name)

    def persistent_load(self, pid: object) -> Any:
        raise Refused("it refers to something outside itself")


def _shaped(content: object, kind: object, shape: object, is_fortran: bool) -> np.ndarray:
    if not isinstance(kind, DType) or not isinstance(content, bytes | bytearray) or not isinstance(shape, tuple):
        raise Refused("it holds an array that is not made of numbers")
    dtype, count = kind.plain(), 1
    for length in shape:
        if not isinstance(length, int) or length < 0:
            raise Refused("it holds an array of no possible shape")
        count *= length
    if len(shape) > 4 or count * dtype.itemsize != len(content):
        raise Refused(f"it holds an array of {len(content)} bytes that says it has {count} numbers")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if is_fortran else "C")


def _plain(value: object, depth: int = 0) -> np.ndarray:
    if depth < 4 and isinstance(value, Array | Chumpy | Sparse):
        return value.plain()
    if isinstance(value, list | tuple | int | float):
        found = np.asarray(value)
        if found.dtype.kind in _NUMBERS:
            return found
    raise Refused("one of its entries is no array of numbers")


def _look_through(content: bytes) -> None:
    """The opcodes before they run: no code from registries or outside, memo and nesting within bounds."""
    depth = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        name = opcode.name
        if name in ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "INST", "OBJ"):
            raise Refused(f"it uses {name}, which no model needs")
        if name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > _MOST_MEMO:
            raise Refused("its memo is larger than a model needs")
        if name == "GLOBAL":
            module, _, wanted = str(argument).partition(" ")
            _stand_in(module, wanted)
        depth += (name == "MARK") - (
            name in ("TUPLE", "LIST", "DICT", "SETITEMS", "APPENDS", "POP_MARK", "FROZENSET", "ADDITEMS")
        )
        if depth > _DEEPEST or count > _MOST_OPCODES:
            raise Refused("it is nested deeper, or is longer, than a model needs")


def read_arrays(content: bytes, names: list[str]) -> bytes:
    """The arrays of these names as unpickle.py reads them. Raises Refused."""
    try:
        _look_through(content)
        told = _Reader(io.BytesIO(content), encoding="latin1").load()
    except Refused:
        raise
    except RecursionError as error:
        raise Refused("it is nested deeper than a model needs") from error
    except (
        EOFError,
        ValueError,
        IndexError,
        KeyError,
        struct.error,
        UnicodeDecodeError,
        pickle.UnpicklingError,
    ) as error:
        raise Refused(f"cut:it is no whole pickle ({type(error).__name__})") from error
    except (TypeError, AttributeError) as error:
        raise Refused(f"it calls what it may not call ({str(error)[:60]})") from error
    if not isinstance(told, dict):
        raise Refused("it is no dictionary of arrays")
    found = {str(name): _plain(value) for name, value in told.items() if isinstance(name, str) and name in names}
    arrays = {name: np.ascontiguousarray(array) for name, array in found.items()}
    header = json.dumps([[name, array.dtype.str, array.shape] for name, array in arrays.items()]).encode()
    return b"".join([struct.pack("<Q", len(header)), header, *(array.tobytes() for array in arrays.values())])


def _limit() -> None:
    """Memory and time of this process; Windows has neither, and relies on the look through the opcodes."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Read, look through, write."""
    _limit()
    try:
        told = read_arrays(sys.stdin.buffer.read(), sys.argv[1:])
    except Refused as why:
        told, code = str(why).encode(), 3
    except MemoryError:
        told, code = b"it needs more memory than a model may", 3
    else:
        code = 0
    sys.stdout.buffer.write(told)
    sys.stdout.buffer.flush()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
