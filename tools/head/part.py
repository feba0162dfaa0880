"""One own part of the head (eyes, teeth, tongue, ...) as its modeller hands it to tools/build_head.py."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32


@dataclass(frozen=True, eq=False)
class PartGeometry:
    """Geometry with identity and expression, in ICT's frame (glTF axes, metres)."""

    name: str
    vertices: Float32[np.ndarray, "v 3"]
    """On the mean head, neutral."""
    polygons: Int32[np.ndarray, "p 4"]
    """Counter-clockwise from outside; the last index is -1 for a triangle."""
    polygon_uvs: Int32[np.ndarray, "p 4"]
    """Index into `uvs` per corner, -1 where the polygon has no fourth corner."""
    uvs: Float32[np.ndarray, "t 2"]
    """The part's own unit square; (0, 0) is the image's upper left corner."""
    identity: Float32[np.ndarray, "K v 3"]
    """Displacement per unit of each identity mode."""
    expression: Float32[np.ndarray, "52 v 3"]
    """Displacement at weight 1, ARKIT_NAMES order."""
    tongue: Float32[np.ndarray, "P v 3"] | None
    """The same in TONGUE_NAMES order; None for whatever is no tongue."""
    joint_weights: dict[str, Float32[np.ndarray, "v"]]
    """Sum to 1 over the joints named; at most four per vertex."""
    mirror: Int32[np.ndarray, "v"]
    """The part's vertex on the other side of x = 0; for eyeLeft an index into eyeRight and vice versa."""
