"""Fit the 18 preset expressions of VRM to the 52 of ARKit: writes avatar3d/core/data/vrm_presets.json, prints the errors.

    python tools/fit_vrm_presets.py [--check]

    vowels     phones of a vowel, said as loudly as speech of ours ever gets --least squares on the mean head--> one mouth
    emotions   speech/performance/emotion.py, face and mouth: the look of `avatar3d speak --emotion`, as it is
    the rest   by name: a blink is two eyeBlinks, a look four eyeLooks

An error is how far vertices of the mean head lie from where the phone (emotion, ...) itself puts them: the mean over what any of them
moves by .1 mm or more, and the worst vertex, in millimetres. `--check` says whether the file is what would be written.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.head.load import load_head_model
from avatar3d.speech.coarticulate import CONTROLS, phone_pulls, weights_of
from avatar3d.speech.performance.emotion import Look, look_of
from avatar3d.speech.phones import PHONE_INDEX, PHONES

FILE = Path(__file__).parents[1] / "avatar3d" / "core" / "data" / "vrm_presets.json"
# vrm-c/vrm-specification, VRMC_vrm-1.0/expressions.md, "Lip Sync Procedural": aa, i, u, eh, oh.
VOWELS = {"aa": "ɑaʌæ", "ih": "iɪ", "ou": "uʊ", "ee": "ɛe", "oh": "oɔ"}
FEELINGS = {"happy": "joy", "angry": "anger", "sad": "sadness", "relaxed": "tender", "surprised": "surprise"}
NAMED = {
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"), "blinkLeft": ("eyeBlinkLeft",), "blinkRight": ("eyeBlinkRight",),
    "lookUp": ("eyeLookUpLeft", "eyeLookUpRight"), "lookDown": ("eyeLookDownLeft", "eyeLookDownRight"),
    "lookLeft": ("eyeLookOutLeft", "eyeLookInRight"), "lookRight": ("eyeLookInLeft", "eyeLookOutRight"),
    "neutral": (),
}  # fmt: skip
# speech/coarticulate.py: the openers of a stressed vowel (1.12) at full effort (1.3).
LOUDEST = 1.12 * 1.3
OPENERS = ("jawOpen", "mouthLowerDown", "mouthUpperUp", "mouthStretch")
LEAST_M = 1e-4
# A preset that opens the mouth by this share of `aa`, and more, would open it twice when somebody speaks.
DOUBLES = 0.25


def loud_phones() -> np.ndarray:
    """[48 52]: the face of every phone, said loudly."""
    targets = phone_pulls()[0].copy()
    targets[:, [list(CONTROLS).index(name) for name in OPENERS]] *= LOUDEST
    return weights_of(np.clip(targets, 0, 1).astype(np.float32))[0].astype(np.float64)


def moved() -> np.ndarray:
    """[52 3V]: how each shape moves the mean head, metres."""
    return load_head_model("avatar3d").expression.reshape(len(ARKIT_NAMES), -1).astype(np.float64)


def error_mm(basis: np.ndarray, said: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """Mean and worst over the vertices that either moves; `said` and `wanted` are weights [52]."""
    apart, way = ((each @ basis).reshape(-1, 3) for each in (said - wanted, wanted))
    distance = np.linalg.norm(apart, axis=1)
    seen = (np.linalg.norm(way, axis=1) > LEAST_M) | (distance > LEAST_M)
    return (1000 * float(distance[seen].mean()), 1000 * float(distance.max())) if seen.any() else (0.0, 0.0)


def fitted() -> tuple[dict[str, dict[str, object]], str]:
    """The presets as the file has them, and the table to print."""
    basis, loud = moved(), loud_phones()
    presets: dict[str, dict[str, object]] = {}
    rows = ["preset      from                mean mm  worst mm"]
    for name, phones in VOWELS.items():
        wanted = loud[[PHONE_INDEX[phone] for phone in phones]]
        said = np.round(wanted.mean(0), 3)  # what a linear basis makes of least squares over equal phones
        errors = [error_mm(basis, said, each) for each in wanted]
        presets[name] = _preset(said, f"phones {' '.join(phones)}", errors)
    for name, feeling in FEELINGS.items():
        look = Look(look_of(feeling, 1.0))
        wanted = (look.face + look.mouth).astype(np.float64)
        said = np.round(wanted, 3)
        presets[name] = _preset(said, f"emotion {feeling}", [error_mm(basis, said, wanted)])
        opened = float((said @ basis).reshape(-1, 3)[:, 1].min()) / float(
            (_vector(presets["aa"]) @ basis).reshape(-1, 3)[:, 1].min()
        )
        if opened >= DOUBLES and said[ARKIT_INDEX["jawOpen"]] > 0:
            presets[name]["overrideMouth"] = "blend"
    for name, shapes in NAMED.items():
        said = np.zeros(len(ARKIT_NAMES))
        said[[ARKIT_INDEX[shape] for shape in shapes]] = 1
        presets[name] = _preset(said, "by name", [(0.0, 0.0)])
    for name, preset in presets.items():
        rows.append(f"{name:11} {preset['from']:18} {preset['mean_mm']:8.3f} {preset['worst_mm']:9.3f}")
    vowels = np.stack([_vector(presets[name]) for name in VOWELS]) @ basis
    spoken = [_spoken(vowels, basis, loud[PHONE_INDEX[phone]]) for phone in PHONES]
    means, worst = np.array(spoken).T
    rows.append(f"all {len(PHONES)} phones as mixtures of the five: mean {means.mean():.3f} mm, worst {worst.max():.3f} mm "
                f"({PHONES[int(worst.argmax())]})")  # fmt: skip
    return presets, "\n".join(rows)


def _spoken(vowels: np.ndarray, basis: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """How near the five vowels together come to a phone."""
    way = wanted @ basis
    mix, _ = nnls(vowels.T, way)
    distance = np.linalg.norm((mix @ vowels - way).reshape(-1, 3), axis=1)
    seen = np.linalg.norm(way.reshape(-1, 3), axis=1) > LEAST_M
    return (1000 * float(distance[seen].mean()) if seen.any() else 0.0), 1000 * float(distance.max())


def _preset(said: np.ndarray, source: str, errors: list[tuple[float, float]]) -> dict[str, object]:
    weights = {name: float(weight) for name, weight in zip(ARKIT_NAMES, said, strict=True) if weight}
    mean, worst = np.array(errors).T
    return {
        "weights": weights,
        "from": source,
        "mean_mm": round(float(mean.mean()), 3),
        "worst_mm": round(float(worst.max()), 3),
    }


def _vector(preset: dict[str, object]) -> np.ndarray:
    weights = preset["weights"]
    assert isinstance(weights, dict)
    return np.array([weights.get(name, 0.0) for name in ARKIT_NAMES])


def text() -> tuple[str, str]:
    """The file, and the table."""
    presets, table = fitted()
    said = {
        "schema": "avatar3d-vrm-presets-1",
        "about": "VRM's preset expressions as weights of ARKit's 52, fitted by tools/fit_vrm_presets.py; errors on the mean head",
        "presets": presets,
    }
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n", table


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit VRM's presets to ARKit's 52.")
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    check = parser.parse_args().check
    file, table = text()
    print(table)
    if check:
        sys.exit(
            0
            if FILE.read_text(encoding="utf-8") == file
            else f"{FILE.name} is not what the fit gives; run it without --check"
        )
    FILE.write_text(file, encoding="utf-8")


if __name__ == "__main__":
    main()
