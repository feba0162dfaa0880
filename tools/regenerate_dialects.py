"""Write the dialects' golden datagrams: `python tools/regenerate_dialects.py`. They change only when a dialect does.

tests/golden/live/ dialects.json tells a face, and for each dialect the files with its datagrams (livelink.bin, vmc_arkit_1.bin, ...) in their
order. Python reads them (tests/unit/live/test_livelink.py and its neighbours); so may JavaScript and C#.
"""

import json
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_NAMES, Frame
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.live.dialects import DIALECTS

GOLDEN: Final = Path(__file__).parents[1] / "tests/golden/live"
FORMS: Final = {
    "livelink": ("livelink", {}), "ifacialmocap": ("ifacialmocap", {}), "ifacialmocap_2": ("ifacialmocap", {"version": "2"}),
    "vmc_arkit": ("vmc", {}), "vmc_vrm0": ("vmc", {"names": "vrm0"}), "vmc_vrm1": ("vmc", {"names": "vrm1", "bones": "no"}),
    "vrchat": ("vrchat", {"eyes": "both"}),
}  # fmt: skip
"""What each file shows: dialect and options."""


def face() -> Frame:
    """Weights are multiples of 1/64, exact in every language; head and eyes turn about all axes."""
    weights = np.arange(len(ARKIT_NAMES), dtype=np.float32) / 64
    head, left, right = (
        quaternion_from_rotation_vector(np.array(turn, np.float32))
        for turn in ((0.25, -0.5, 0.125), (0.125, 0.25, 0.0), (0.125, 0.1875, 0.0))
    )
    return Frame(12.75, weights, head, left, right)


def datagrams() -> dict[str, list[bytes]]:
    """Of each form of the face."""
    return {form: DIALECTS[name].encoder(options)(face()) for form, (name, options) in FORMS.items()}


def files() -> dict[str, bytes]:
    """Every golden file's bytes."""
    shown, packets = face(), datagrams()
    names = {
        form: [f"{form}_{at}.bin" if len(parts) > 1 else f"{form}.bin" for at in range(1, len(parts) + 1)]
        for form, parts in packets.items()
    }
    told = {
        "time_s": shown.time_s,
        "weights": dict(zip(ARKIT_NAMES, shown.weights.tolist(), strict=True)),
        "head_wxyz": shown.head_wxyz.tolist(),
        "left_eye_wxyz": shown.left_eye_wxyz.tolist(),
        "right_eye_wxyz": shown.right_eye_wxyz.tolist(),
        "datagrams": {
            form: {"dialect": FORMS[form][0], "options": FORMS[form][1], "files": names[form]} for form in packets
        },
    }
    content = {name: part for form, parts in packets.items() for name, part in zip(names[form], parts, strict=True)}
    return content | {"dialects.json": (json.dumps(told, indent=1) + "\n").encode()}


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (GOLDEN / name).write_bytes(content)
        print(f"wrote {GOLDEN / name}")
