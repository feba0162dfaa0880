"""ICT-FaceKit as our part modellers read it: metres, ARKit order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES

_METRES_PER_CM = 0.01


@dataclass(frozen=True, eq=False)
class IctSource:
    """The measured head: mean, identity modes, expressions, polygons with materials."""

    mean: np.ndarray
    """[v 3] metres."""
    identity: np.ndarray
    """[K v 3] metres per unit coefficient, N(0, 1)."""
    expression: np.ndarray
    """[52 v 3] metres, ARKIT_NAMES order; tongueOut is zero (ICT has none)."""
    polygons: np.ndarray
    """[p 4], -1 = triangle."""
    polygon_materials: np.ndarray
    """[p] index into `materials`."""
    materials: tuple[str, ...]


def load_ict_source(path: Path) -> IctSource:
    """Read the converted ICT-FaceKit archive (MIT; centimetres in the file)."""
    archive = np.load(path)
    shapes = dict(zip((str(name) for name in archive["expression_names"]), archive["expression"], strict=True))
    expression = np.stack([_arkit_shape(name, shapes) for name in ARKIT_NAMES])
    return IctSource(
        mean=archive["mean"].astype(np.float32) * np.float32(_METRES_PER_CM),
        identity=archive["identity"].astype(np.float32) * np.float32(_METRES_PER_CM),
        expression=expression * np.float32(_METRES_PER_CM),
        polygons=archive["faces"],
        polygon_materials=archive["face_material"],
        materials=tuple(str(name) for name in archive["materials"]),
    )


def _arkit_shape(name: str, shapes: dict[str, np.ndarray]) -> np.ndarray:
    """One ARKit shape; ICT splits browInnerUp and cheekPuff into sides and has no tongueOut."""
    ict_name = (
        name.replace("Left", "_L").replace("Right", "_R")
        if name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
        else name
    )
    if ict_name in shapes:
        return shapes[ict_name].astype(np.float32)
    if f"{name}_L" in shapes:
        return shapes[f"{name}_L"].astype(np.float32) + shapes[f"{name}_R"].astype(np.float32)
    return np.zeros_like(next(iter(shapes.values())), dtype=np.float32)
