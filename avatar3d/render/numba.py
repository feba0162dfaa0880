"""The one door to numba: loops over triangles and pixels as machine code (extra `film`)."""

from collections.abc import Callable
from importlib import import_module
from inspect import unwrap
from typing import Any, Final, TypeVar

from avatar3d.core.errors import MissingExtraError

_CHOICES: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",  # a division by zero is infinite, and no loop asks for it
    "forceinline": True,  # of one loop in another: else each of their arrays is handed over in seven pieces
    "_nrt": False,  # the loops make no arrays, so nobody need count who holds one: a fifth of the time
    # Sums in any order and products fused; infinities and what is no number stay what they are.
    "fastmath": {"contract", "reassoc", "arcp", "nsz", "afn"},
}
_Loop = TypeVar("_Loop", bound=Callable[..., Any])


def compiled(loop: _Loop) -> _Loop:
    """The loop as machine code, made at its first call and kept on disk for later runs; it runs without Python's lock.

    What is kept is remade when the loop's own file changes, and only then: loops that share a layout share a file.
    Without numba the loop as it is: whoever calls it asks `require_numba` first.
    """
    try:
        numba = import_module("numba")
    except ImportError:
        return loop
    plain = unwrap(loop)  # tests wrap every function in a check of its shapes
    try:
        return numba.njit(plain, cache=True, **_CHOICES)
    except RuntimeError:  # neither beside the file nor in the user's cache can anything be kept
        return numba.njit(plain, **_CHOICES)


def require_numba(purpose: str = "A talking video") -> None:
    """Raises MissingExtraError without numba: ask before a long job."""
    try:
        import_module("numba")
    except ImportError as cause:
        raise MissingExtraError("numba", "film", purpose) from cause
