"""Five minutes of a performance at 60 frames a second, measured where no test checks every shape; prints JSON."""

import json
import math
import time

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.speech.performance.controls import Controls
from avatar3d.speech.performance.perform import Performer
from tests.unit.speech.babble import babble

RATE_HZ = 60


def main() -> None:
    heard, controls = babble(300, RATE_HZ), Controls()
    performer, performers, frames, batches = Performer(seed=11), [], [], []
    for start in range(0, len(heard), 200):
        began = time.process_time()
        for moment in heard[start : start + 200]:
            performer, frame = performer.step(moment.articulation, moment.pitch_hz, controls)
            performers.append(performer)
            frames.append(frame)
        batches.append((time.process_time() - began) / 200)
    spoken_s = sum(p.hearing.speaking for p in performers) / RATE_HZ
    shut = np.array([frame.weights[ARKIT_INDEX["eyeBlinkLeft"]] for frame in frames]) > 0.02
    angles = np.degrees([p.head.angles for p in performers])
    turns = np.array([frame.head_wxyz for frame in frames], np.float64)
    cosines = np.clip(np.abs((turns[1:] * turns[:-1]).sum(1)), 0, 1)
    brows = np.array([frame.weights[ARKIT_INDEX["browInnerUp"]] for frame in frames])
    told = {
        "blinks_per_minute": performer.blinking.count / 5,
        "blink_s": float(shut.sum() / RATE_HZ / performer.blinking.count),
        "accents_per_s": performer.head.accents / spoken_s,
        "away": float(np.mean([p.gaze.attention.away for p in performers])),
        "saccades_per_s": sum(p.gaze.shifted_rad > math.radians(0.5) for p in performers) / 300,
        "head_deviation_deg": angles.std(axis=0).round(2).tolist(),
        "head_most_deg": np.abs(angles).max(axis=0).round(1).tolist(),
        "head_fastest_deg_s": float(2 * np.degrees(np.arccos(cosines)).max() * RATE_HZ),
        "brow_mean": float(brows.mean()),
        "brow_most": float(brows.max()),
        "step_ms": 1000 * float(np.percentile(batches, 10)),  # other programs may be running
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
