"""Reads arrays out of a pickle of somebody else's without running anything that it asks for.

    file --stdin--> child process (unpickle_child.py): size and opcodes looked through, allow-list, stand-ins --stdout--> arrays

The child knows a dozen names (numpy's arrays, scipy's sparse matrices, chumpy's Ch) and gives for each a class of its own that
keeps data; numpy, scipy and chumpy are not called by the pickle, and nothing else can be named. It has bounded memory and time.
"""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.errors import LimitError, ModelUntrustedError, UnreadableError
from avatar3d.core.files import open_given, short_name

MAX_BYTES: Final = 512 * 2**20
"""FLAME 2020 has 53 MB."""
_SECONDS: Final = 120
_CHILD: Final = Path(__file__).with_name("unpickle_child.py")
_HINT: Final = "Give the model's own file, as its owner publishes it."
_FRAME: Final = struct.Struct("<Q")


def read_pickle(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of these names in a pickled dictionary; what it lacks is left out. Sparse matrices come dense, as float64.

    Raises UnreadableError (10) for a file that is none, LimitError (12), ModelUntrustedError (21, MODEL_PICKLE_REFUSED) for a
    pickle that names, does or needs more than a model's may.
    """
    with open_given(path, "model") as stream:
        size = stream.seek(0, 2)
        stream.seek(0)
        if size > MAX_BYTES:
            raise LimitError(
                f'"{short_name(path)}" has {size:,} bytes, a model at most {MAX_BYTES:,}.', hint=_HINT, file=path
            )
        command = [sys.executable, "-I", str(_CHILD), *names]
        try:
            done = subprocess.run(command, stdin=stream, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as cause:
            raise _refused(path, f"it takes longer than {_SECONDS} seconds to read") from cause
    if done.returncode != 0:
        told = (
            done.stdout[:300].decode("utf-8", "replace")
            if done.returncode == 3
            else "it needs more memory or time than a model may"
        )
        if told.startswith("cut:"):
            raise UnreadableError(
                f'Cannot read "{short_name(path)}": {told[4:]}.', hint="Copy or download it again.", file=path
            )
        raise _refused(path, told)
    return _arrays(done.stdout)


def _refused(path: Path, why: str) -> ModelUntrustedError:
    return ModelUntrustedError(
        f'"{short_name(path)}" was refused: {why}.', hint=_HINT, id="MODEL_PICKLE_REFUSED", file=path
    )


def _arrays(told: bytes) -> dict[str, np.ndarray]:
    """u64 length | JSON [[name, dtype, shape], ...] | the arrays' bytes end to end."""
    (length,) = _FRAME.unpack_from(told)
    place = _FRAME.size + length
    found: dict[str, np.ndarray] = {}
    for name, dtype, shape in json.loads(told[_FRAME.size : place]):
        count = int(np.prod(shape, dtype=np.int64))
        found[name] = np.frombuffer(told, dtype, count, place).reshape(shape)
        place += found[name].nbytes
    return found
