"""How nearly a head meets landmarks put elsewhere by hand, and what else that changes, on real portraits.

    python -m bench.pins [--photos 8]

Pins: so many landmarks at random, each so far (IOD) from where the detector saw it, in a random direction. Miss: from a pin
to its landmark on the head as the asset poses it. Elsewhere: how far skin moves that is more than 60 mm from every pin.
Idle: pins where the fitted head already has its landmarks. Draft: the second fit alone, without reading and writing files.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from avatar3d.core.errors import Avatar3dError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.sitting import Pins
from avatar3d.fit.basis import LIPS, SKIN_LANDMARKS
from avatar3d.fit.fit import Meeting, settle
from avatar3d.fit.pins import pin_misses, pull_to_pins, shown_landmarks, with_pins
from avatar3d.fit.together import fit_together
from avatar3d.head.load import load_head_model
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from avatar3d.rig.assemble import as_rigged
from bench.measure import save_result, show

PORTRAITS = Path(__file__).parents[2] / "shared/data/portraits"
CASES = ((1, 0.02), (5, 0.02), (1, 0.05), (5, 0.05), (20, 0.05), (1, 0.1), (1, 0.6))


def pinned(model: HeadModel, meeting: Meeting, pins: Pins) -> HeadFit:
    fitted = settle(model, with_pins(meeting, pins))
    return pull_to_pins(model, fitted, pins, shown=partial(as_rigged, model))


def chosen_pins(meeting: Meeting, count: int, off_iod: float, rng: np.random.Generator) -> Pins:
    order = np.sort(rng.choice(SKIN_LANDMARKS, count, replace=False)).astype(np.int32)
    angle = rng.uniform(0, 2 * np.pi, count)
    aside = off_iod * meeting.face.interocular_px * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Pins(order, (meeting.face.landmarks_px[order] + aside).astype(np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=8)
    count = parser.parse_args().photos
    model = load_head_model()
    skin = np.unique(model.triangles[model.part("face")])
    rows: dict[str, list[dict[str, Any]]] = {}
    used = 0
    for number, file in enumerate(sorted(PORTRAITS.rglob("*.jpg"))):
        if used == count:
            break
        try:
            face = observe_face(load_photo(file))
        except Avatar3dError:
            continue
        used += 1
        made = fit_together(model, [face], segments=[segment_face(face)])
        plain, rng = as_rigged(model, made.fits[0]), np.random.default_rng(number)
        marks = shown_landmarks(model, plain)
        idle = np.sort(rng.choice(SKIN_LANDMARKS, 5, replace=False)).astype(np.int32)
        cases = [("idle", Pins(idle, marks[idle]))]
        cases += [(f"{n} pins at {off:.0%}", chosen_pins(made.main, n, off, rng)) for n, off in CASES]
        for name, pins in cases:
            began = time.process_time()
            fitted = as_rigged(model, pinned(model, made.main, pins))
            cpu = time.process_time() - began
            miss = pin_misses(model, fitted, pins)
            places = model.rest[model.triangles[model.landmark_triangles[pins.landmarks]][:, 0]]
            far = np.linalg.norm(model.rest[skin][:, None] - places, axis=2).min(1) > 0.06
            moved = 1000 * np.linalg.norm(fitted.neutral - plain.neutral, axis=1)[skin]
            on_lips = np.isin(pins.landmarks, LIPS)
            rows.setdefault(name, []).append(
                {
                    "miss": (miss / face.interocular_px).tolist(),
                    "miss_px": miss.tolist(),
                    "lips": (miss / face.interocular_px)[on_lips].tolist(),
                    "elsewhere": float(np.median(moved[far])),
                    "most": float(moved.max()),
                    "cpu": cpu,
                }
            )
    table: list[dict[str, Any]] = []
    for name, found in rows.items():
        miss, pixels = (np.concatenate([each[key] for each in found]) for key in ("miss", "miss_px"))
        table.append(
            {
                "case": name,
                "miss_median_pct": 100 * float(np.median(miss)),
                "miss_p95_pct": 100 * float(np.percentile(miss, 95)),
                "miss_max_pct": 100 * float(miss.max()),
                "miss_median_px": float(np.median(pixels)),
                "elsewhere_mm": float(np.median([each["elsewhere"] for each in found])),
                "most_moved_mm": float(np.max([each["most"] for each in found])),
                "cpu_s": float(np.median([each["cpu"] for each in found])),
            }
        )
    show(f"pins on {used} portraits; misses in % of the distance between the eyes", table)
    save_result("pins", {"photos": used, "rows": table})


if __name__ == "__main__":
    main()
