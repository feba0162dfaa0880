"""What `avatar3d check` says of a file of splats: it was read, and shows what it should."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.splats import Gaussians
from avatar3d.formats.finding import Finding, passed, warned
from avatar3d.formats.splat_binding import load_binding
from avatar3d.formats.splat_ply import load_ply
from avatar3d.formats.splat_spz import load_spz

_STATIC: Final[dict[str, Callable[[Path], Gaussians]]] = {".ply": load_ply, ".spz": load_spz}
SPLAT_SUFFIXES: Final = (*_STATIC, ".splats")
_LARGEST_M: Final = 1.0
"""Of a bust; what is larger is a scene, or in other units."""


def check_splats(file: Path) -> Iterator[Finding]:
    """The findings, once its reader has let it pass. Raises InputError (10, 11, 12) as the reader does."""
    suffix = file.suffix.lower()
    if suffix not in _STATIC:
        bound = load_binding(file)
        names = ", ".join(bound.mesh_names)
        yield passed(
            "splats",
            "",
            f"{len(bound.cloud.triangle):,} splats bound to {sum(bound.triangle_counts):,} triangles of {names}",
        )
        return
    gaussians = _STATIC[suffix](file)
    if not len(gaussians.mean):
        yield warned("splats", "", "it holds no splats")
        return
    low, high = np.quantile(gaussians.mean, (0.01, 0.99), axis=0)
    told = f"{len(gaussians.mean):,} splats in {' x '.join(f'{side:.2f}' for side in high - low)} m"
    yield (passed if (high - low).max() < _LARGEST_M else warned)("splats", "", told)
