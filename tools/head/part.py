"""What a modeller of a head part (eyes, teeth, lashes ...) hands to the builder."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32


@dataclass(frozen=True, eq=False)
class PartGeometry:
    """One part of the head other than the skin, in ICT's frame (glTF axes, metres, ICT's origin)."""

    name: str
    """A part name of HeadModel: eyeLeft, eyeRight, teethUpper, teethLower, tongue, mouth, lashes, brows."""
    vertices: Float32[np.ndarray, "v 3"]
    """At rest on the mean head, metres."""
    polygons: Int32[np.ndarray, "p 4"]
    """Counter-clockwise from outside; the last index is -1 for a triangle."""
    polygon_uvs: Int32[np.ndarray, "p 4"]
    """Index into `uvs` per corner; -1 where the polygon has no fourth corner."""
    uvs: Float32[np.ndarray, "t 2"]
    """This part's own [0, 1] square, (0, 0) is the image's upper left corner."""
    identity: Float32[np.ndarray, "K v 3"]
    """Displacement per ICT identity mode (all of ICT's, in ICT's order), metres."""
    expression: Float32[np.ndarray, "52 v 3"]
    """Displacement per ARKit shape in ARKIT_NAMES order, metres."""
    joint_weights: dict[str, Float32[np.ndarray, "v"]]
    """Skin weight per joint name; sums to 1 over the joints."""
    mirror: Int32[np.ndarray, "v"]
    """The vertex on the other side; for eyeLeft an index into eyeRight and the other way round."""
