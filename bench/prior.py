"""What is the learnt guess at identity worth? The same pictures fitted with less and less of it.

    python -m bench.prior [--heads 10]

    mean head   nobody's face, placed
    alone       the optimiser with the landmarks' measured noise and people's N(0, 1); "n=" how often that noise counts
    glance      leaning on the regression from the landmarks (fit.prior)
    look        and from the face net's lower layers (fit.look): the product
    bare look   the regression's answer itself, clamped, without the optimiser after it

The heads, skins and pictures are bench.geometry's, and so are the errors: mm, median over the face's scan; "worse" counts
the heads that come out worse than the mean head. Identity: RMS distance of each fit to the true heads of everybody;
"to truth" asks how often the nearest is the person's own.
"""

import argparse
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.fit import fit as fitting
from avatar3d.fit.basis import landmark_basis
from avatar3d.fit.look import learnt_look
from avatar3d.fit.person import FitParams, gather
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.segment import segment_face
from bench.geometry import skin_surface
from bench.heads import SEED, as_photo, ict, observed, scanned, shoot, true_identities, unseen_skins
from bench.identity import aligned, front_skin
from bench.measure import paired_gain, save_result, scan_error_mm, show


@dataclass(frozen=True)
class Arm:
    """One way to find out who this is."""

    name: str
    glance: bool = False
    look: bool = False
    noise: float = 10.0


ARMS = (
    Arm("alone, n=10"), Arm("alone, n=5", noise=5.0), Arm("alone, n=1", noise=1.0),
    Arm("glance", glance=True), Arm("look", glance=True, look=True),
)  # fmt: skip


def fit_by(arm: Arm, model: HeadModel, face: FaceObservation) -> np.ndarray:
    """The neutral head that this arm finds, metres."""

    def unlearnt(head: str) -> None:
        """No regression is known for it."""

    looking = fitting.learnt_look if arm.look else unlearnt
    glancing = fitting.learnt_glance if arm.glance else unlearnt
    with patch.object(fitting, "learnt_look", looking), patch.object(fitting, "learnt_glance", glancing):
        params = FitParams(noise_inflation=arm.noise)
        return fitting.fit_head(model, face, params, segments=segment_face(face)).neutral


def bare_look(model: HeadModel, face: FaceObservation) -> np.ndarray:
    """The head that the regression alone answers with, metres."""
    look = learnt_look(model.name)
    evidence = gather(landmark_basis(model), face, FitParams(), look and look.at(face))
    return shape_head(model, evidence.prior.mean.astype(np.float32))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=10)
    count = parser.parse_args().heads
    model, source = load_head_model(), ict()
    scan, front = scanned(source), front_skin(model, source)
    skins = unseen_skins(source, min(count, 47))
    identities = true_identities(count, seed=1)
    mean = model.rest[front].astype(np.float64)
    truths = np.stack([aligned(shape_head(model, who)[front].astype(np.float64), mean) for who in identities])
    names = ["mean head", *(arm.name for arm in ARMS), "bare look"]
    errors: dict[str, list[float]] = {name: [] for name in names}
    nearest: dict[str, list[bool]] = {name: [] for name in names}
    for person, identity in enumerate(identities):
        neutral = source.rest + np.tensordot(identity, source.identity, 1)
        pixels = shoot(source, neutral, skins[person % len(skins)], np.random.default_rng(SEED + 1000 + person)).pixels
        face = observed(as_photo(pixels))
        if face is None:
            continue
        found = {arm.name: fit_by(arm, model, face) for arm in ARMS}
        for name, vertices in {"mean head": model.rest, **found, "bare look": bare_look(model, face)}.items():
            errors[name].append(
                float(np.median(scan_error_mm(neutral[scan].astype(np.float64), skin_surface(model, vertices))))
            )
            placed = aligned(vertices[front].astype(np.float64), mean)
            nearest[name].append(np.linalg.norm((placed - truths).reshape(count, -1), axis=1).argmin() == person)
    rows = [_row(name, errors[name], errors["mean head"], nearest[name]) for name in names]
    show("the learnt guess (asked: better than the optimiser alone, never worse than the mean head)", rows)
    alone = min((name for name in names if name.startswith("alone")), key=lambda name: float(np.mean(errors[name])))
    gain, low, high = paired_gain(errors[alone], errors["look"])
    print(f"look over {alone}: {100 * gain:.1f} % ({100 * low:.1f} to {100 * high:.1f})")
    print(save_result("prior", {"rows": rows, "errors mm": errors, "gain over alone": [gain, low, high]}))


def _row(name: str, own: list[float], usual: list[float], nearest: list[bool]) -> dict[str, Any]:
    worse = sum(one > other for one, other in zip(own, usual, strict=True))
    return {
        "who": name, "n": len(own), "mm": float(np.mean(own)), "worst mm": float(np.max(own)), "worse": worse,
        "to truth %": 100 * float(np.mean(nearest)),
    }  # fmt: skip


if __name__ == "__main__":
    main()
