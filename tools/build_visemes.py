"""The 15 visemes as weights of the 52 and the tongue's four:  python tools/build_visemes.py

Each is what the house's own speech shows for the phone that stands for it (speech/marks/visemes.py), held still: targets of
speech/coarticulate.py, lips sealed for PP and tucked for FF. Writes avatar3d/core/data/visemes.json.
"""

import json
from pathlib import Path

import numpy as np

from avatar3d.core.blendshapes import SHAPE_INDEX
from avatar3d.core.names import VISEMES
from avatar3d.speech.coarticulate import phone_pulls, weights_of
from avatar3d.speech.lips import seal
from avatar3d.speech.marks.visemes import symbols_of_viseme
from avatar3d.speech.phones import BILABIALS, LABIODENTALS, PHONE_INDEX

OUT = Path(__file__).parents[1] / "avatar3d" / "core" / "data" / "visemes.json"
LEAST = 5e-4


def main() -> None:
    told = {name: weights(*symbols_of_viseme("oculus", name)) for name in VISEMES}
    source = "speech/coarticulate.py, speech/lips.py: tools/build_visemes.py"
    OUT.write_text(json.dumps({"source": source, "weights": told}, indent=1) + "\n", encoding="utf-8")


def weights(symbol: str) -> dict[str, float]:
    """By name, above LEAST."""
    targets = phone_pulls()[0][PHONE_INDEX[symbol]]
    face, tongue = weights_of(targets[None])
    face = seal(face, float(symbol in BILABIALS), float(symbol in LABIODENTALS))
    row = np.concatenate([face[0], tongue[0]])
    return {name: round(float(row[at]), 4) for name, at in SHAPE_INDEX.items() if row[at] > LEAST}


if __name__ == "__main__":
    main()
