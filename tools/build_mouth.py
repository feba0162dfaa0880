"""Measure the mouth of the rigged mean head: writes avatar3d/speech/data/mouth.json.

python -m tools.build_mouth
"""

import json
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.head import HeadModel
from avatar3d.head.load import load_head_model
from avatar3d.rig.assemble import rig_neutral
from avatar3d.rig.lips import find_lip_pairs

OUT: Final = Path(__file__).parents[1] / "avatar3d" / "speech" / "data" / "mouth.json"
# MediaPipe's canonical mesh: corners of the mouth, inner middle of the lips.
_CORNERS: Final = (61, 291)
_LIPS: Final = (13, 14)
# The middle of the lips, and of the upper incisors (metres to either side); how far up their edges reach (metres).
_MIDDLE_M: Final = 0.008
_INCISORS_M: Final = 0.006
_EDGE_M: Final = 0.0015


def measure_mouth(model: HeadModel) -> dict[str, float | list[float]]:
    """Millimetres at rest and per unit of each of the 52 weights; see speech/lips.py."""
    head = rig_neutral(model, model.rest)
    pairs = find_lip_pairs(model)
    middle = np.abs(head.neutral[pairs.lower, 0]) < _MIDDLE_M
    teeth = np.unique(model.triangles[model.part("teethUpper")])
    incisors = teeth[np.abs(head.neutral[teeth, 0]) < _INCISORS_M]
    edge = incisors[head.neutral[incisors, 1] < head.neutral[incisors, 1].min() + _EDGE_M]
    lower = pairs.lower[middle]

    def measures(field: Float32[np.ndarray, "V 3"]) -> dict[str, float]:
        marks = np.einsum("lk,lkc->lc", model.landmark_barycentric, field[model.triangles[model.landmark_triangles]])
        # The upper teeth do not move: the lip's way is told against where they rest.
        lip = field[lower].mean(0) - (field[edge].mean(0) if field is head.neutral else 0)
        return {
            "gap": 1000 * float(-pairs.apart(field)[middle, 1].mean()),
            "below": 1000 * float(-lip[1]),
            "before": 1000 * float(lip[2]),
            "width": 1000 * float(marks[_CORNERS[1], 0] - marks[_CORNERS[0], 0]),
            "protrusion": 1000 * float(marks[list(_LIPS), 2].mean()),
        }

    rest = measures(head.neutral) | {"gap": 0.0, "protrusion": 0.0}  # at rest the lips touch
    moved = [measures(shape) for shape in head.shapes]
    told: dict[str, float | list[float]] = {}
    for name in rest:
        told[f"{name}_mm"] = round(rest[name], 3)
        told[f"{name}s_mm"] = [round(each[name], 3) for each in moved]
    return told


def main() -> None:
    """Measure and write."""
    OUT.parent.mkdir(exist_ok=True)
    told = {
        "of": "the rigged mean head of avatar3d/head/data/avatar3d.safetensors",
        "by": "tools/build_mouth.py",
        "licence": "Apache-2.0",
        "names": ARKIT_NAMES,
        "mm": measure_mouth(load_head_model()),
    }
    OUT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
