"""Does the lens change the head? One head at four distances, a phone's lens, no EXIF, and mirrored.

    python -m bench.lens [--heads 5]

RMS: between the fitted neutrals of two distances, over the skin in front of the ears, after a similarity (a photo
cannot tell size), worst pair and mean; nose width: between the wings, after the same; mirrored: the fit of the
mirrored picture, mirrored back.
"""

import argparse
from itertools import combinations

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.photo.segment import segment_face
from bench.heads import SEED, as_photo, ict, observed, true_identities, unseen_skins
from bench.identity import aligned
from bench.measure import save_result, show
from tools.head.synthetic import random_light, render_portrait

DISTANCES_M = (0.3, 0.5, 1.0, 2.0)
# A phone's picture reduced to 2048 pixels; its main lens is 26 mm on 35 mm film.
LENS = Lens(1536, 2048, 2048 * 26 / 36)
# MediaPipe's points on the wings of the nose.
_WINGS = (129, 358)


def places(model: HeadModel, vertices: np.ndarray, landmarks: tuple[int, ...]) -> np.ndarray:
    """Landmarks of a head, metres."""
    corners = vertices[model.triangles[model.landmark_triangles[list(landmarks)]]]
    return np.einsum("lc,lcd->ld", model.landmark_barycentric[list(landmarks)], corners)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=5)
    count = parser.parse_args().heads
    model, source = load_head_model(), ict()
    identities = true_identities(count, seed=3)
    skins = unseen_skins(source, count)
    face = np.unique(model.triangles[model.part("face")])
    front = face[np.linalg.norm(model.rest[face] - model.rest[face[model.rest[face, 2].argmax()]], axis=1) < 0.095]
    target = model.rest[front].astype(np.float64)
    rows: list[dict[str, float | int | str]] = []
    for person in range(count):
        neutral = (source.rest + np.tensordot(identities[person], source.identity, 1)).astype(np.float32)
        rng = np.random.default_rng(SEED + 3000 + person)
        light, yaw, pitch = random_light(rng), rng.normal(0, 0.08), rng.normal(0, 0.05)
        fits: list[np.ndarray] = []
        mirrored: list[float] = []
        widths: list[float] = []
        guesses: list[float] = []
        for distance in DISTANCES_M:
            camera = look_at_head(LENS, distance_m=distance, yaw_rad=yaw, pitch_rad=pitch)
            picture = render_portrait(source, neutral, skins[person], camera, light, samples=1 if distance < 0.6 else 2)
            straight, flipped = observed(as_photo(picture)), observed(as_photo(np.ascontiguousarray(picture[:, ::-1])))
            if straight is None or flipped is None:
                continue
            fitted = fit_head(model, straight, segments=segment_face(straight))
            other = fit_head(model, flipped, segments=segment_face(flipped)).neutral[model.mirror] * np.array(
                [-1, 1, 1], np.float32
            )
            here = aligned(fitted.neutral[front].astype(np.float64), target)
            there = aligned(other[front].astype(np.float64), target)
            fits.append(here)
            mirrored.append(1000 * float(np.sqrt(((here - there) ** 2).sum(1).mean())))
            wings = places(model, fitted.neutral, _WINGS)
            size = np.linalg.norm(fitted.neutral[front] - fitted.neutral[front].mean(0), axis=1).mean()
            widths.append(float(np.linalg.norm(wings[0] - wings[1]) / size))
            guesses.append(fitted.camera.focal_px / LENS.focal_px)
        between = [1000 * float(np.sqrt(((a - b) ** 2).sum(1).mean())) for a, b in combinations(fits, 2)]
        rows.append({
            "head": person, "seen": f"{len(fits)} of {len(DISTANCES_M)}",
            "RMS mm mean": float(np.mean(between)), "RMS mm worst": max(between),
            "nose width drift %": 100 * (max(widths) - min(widths)) / float(np.mean(widths)),
            "mirrored RMS mm": max(mirrored),
            "focal guess / true": " ".join(f"{guess:.2f}" for guess in guesses),
        })  # fmt: skip
    show("lens (budget: RMS at most 0.8 mm, nose width drift at most 4 %)", rows)
    print(save_result("lens", {"rows": rows}))


if __name__ == "__main__":
    main()
