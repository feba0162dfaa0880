"""Do three photos of one person tell the head better than one?

    python -m bench.together [--heads 16]

ICT heads as in bench.geometry, five pictures each: three from the front, one turned by 35 degrees to each side; pose,
light, expression and lens vary. Error: median over the scan of the distance to the mesh, mm, averaged over heads, and
the paired gain over the first photo alone. Below it: how far single photos of one person, and of two, look alike.
"""

import argparse

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.fit.fit import meet
from avatar3d.fit.together import fit_together, likeness
from avatar3d.head.load import load_head_model
from avatar3d.photo.segment import segment_face
from bench.geometry import skin_surface
from bench.heads import REGIONS, SEED, as_photo, ict, observed, scanned, shoot, true_identities, unseen_skins
from bench.measure import paired_gain, save_result, scan_error_mm, show

YAWS_DEG = (0.0, -35.0, 35.0, 0.0, 0.0)
SETS = {"front alone": (0,), "front, left, right": (0, 1, 2), "three from the front": (0, 3, 4)}


def fitted_neutral(model: HeadModel, faces: list[FaceObservation]) -> np.ndarray:
    """The head of one person's photos."""
    return fit_together(model, faces, segments=[segment_face(face) for face in faces]).fits[0].neutral


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=16)
    count = parser.parse_args().heads
    model, source = load_head_model(), ict()
    regions = {region: scanned(source, region=region) for region in REGIONS}
    skins = unseen_skins(source, count)
    errors = {(name, region): list[float]() for name in SETS for region in regions}
    people: list[list[np.ndarray]] = []
    for index, identity in enumerate(true_identities(count, seed=7)):
        neutral = source.rest + np.tensordot(identity, source.identity, 1)
        rng = np.random.default_rng(SEED + 7000 + index)
        turned = np.radians(YAWS_DEG) + rng.normal(0, 0.05, len(YAWS_DEG))
        shots = [shoot(source, neutral, skins[index % len(skins)], rng, yaw_rad=float(yaw)) for yaw in turned]
        faces = [face for shot in shots if (face := observed(as_photo(shot.pixels))) is not None]
        if len(faces) < len(shots):
            continue
        people.append([meet(model, face, segments=segment_face(face)).known.identity for face in faces])
        for name, chosen in SETS.items():
            fitted = skin_surface(model, fitted_neutral(model, [faces[k] for k in chosen]))
            for region, where in regions.items():
                error = np.median(scan_error_mm(neutral[where].astype(np.float64), fitted))
                errors[name, region].append(float(error))
    rows = [
        {"photos": name, "region": region, "n": len(found), "mm": float(np.mean(found)),
         **dict(zip(("gain", "95 % from", "to"), paired_gain(errors["front alone", region], found), strict=True))}
        for (name, region), found in errors.items()
    ]  # fmt: skip
    show("several photos", rows)
    same = [likeness(mine[0], other) for mine in people for other in mine[1:]]
    strangers = [likeness(a[0], b[k]) for a in people for b in people if a is not b for k in range(len(b))]
    alike = [
        {"pairs": name, "n": len(found), **{f"{q} %": float(np.percentile(found, q)) for q in (1, 5, 50, 95, 99)}}
        for name, found in (("same person", same), ("two people", strangers))
    ]
    show("likeness of single photos", alike)
    print(save_result("together", {"rows": rows, "likeness": alike}))


if __name__ == "__main__":
    main()
