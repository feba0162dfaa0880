"""Does the same person stay the same, and do others stay different?

    python -m bench.identity [--heads 50]

50 ICT heads, four pictures each (pose, light, expression, lens vary). Distance: RMS over the scanned face between two
fitted neutrals, each brought to the mean head by a similarity. Ratio: mean distance of one person's fits over that of
all pairs; it means something only while different people stay apart at least half as far as they truly are.
Rank-1: the nearest head of another picture (the first of each person is the gallery) is the same person's. A person
keeps their skin from picture to picture, as in life, which helps; "to truth" asks for the nearest *true* head instead.
"""

import argparse

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.head import HeadModel
from avatar3d.fit.fit import fit_head
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.segment import segment_face
from bench.heads import SEED, as_photo, ict, observed, scanned, shoot, true_identities, unseen_skins
from bench.measure import save_result, show, similarity

SHOTS = 4


def aligned(points: Float64[np.ndarray, "N 3"], target: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
    """Brought to the target by a similarity."""
    motion = similarity(points, target, scale=True)
    return points @ motion[:3, :3].T + motion[:3, 3]


def front_skin(model: HeadModel, source: HeadModel) -> Int32[np.ndarray, "N"]:
    """The model's vertices that lie on ICT's scanned face (both mean heads share one frame)."""
    skin = np.unique(model.triangles[model.part("face")])
    distance = np.asarray(KDTree(source.rest[scanned(source)]).query(model.rest[skin])[0])
    return skin[distance < 0.0015].astype(np.int32)


def distances_mm(faces: Float64[np.ndarray, "P N 3"]) -> Float64[np.ndarray, "P P"]:
    """RMS vertex distance of every pair."""
    flat = faces.reshape(len(faces), -1)
    squared = (flat**2).sum(1)
    gram = np.maximum(squared[:, None] + squared[None] - 2 * flat @ flat.T, 0)
    return 1000 * np.sqrt(gram / faces.shape[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=50)
    count = parser.parse_args().heads
    model, source = load_head_model(), ict()
    identities = true_identities(count, seed=2)
    front = front_skin(model, source)
    mean = model.rest[front].astype(np.float64)
    truth = np.stack([aligned(shape_head(model, who)[front].astype(np.float64), mean) for who in identities])
    skins = unseen_skins(source, 47)
    faces: list[np.ndarray] = []
    owner: list[int] = []
    for person in range(count):
        neutral = source.rest + np.tensordot(identities[person], source.identity, 1)
        for index in range(SHOTS):
            rng = np.random.default_rng(SEED + 2000 + person * SHOTS + index)
            picture = shoot(source, neutral, skins[person % len(skins)], rng, smile=index % 2 == 1)
            face = observed(as_photo(picture.pixels))
            if face is not None:
                faces.append(
                    aligned(fit_head(model, face, segments=segment_face(face)).neutral[front].astype(np.float64), mean)
                )
                owner.append(person)
    who = np.array(owner)
    stacked = np.stack(faces)
    fitted, true = distances_mm(stacked), distances_mm(truth)
    to_truth = np.stack([np.linalg.norm((face - truth).reshape(count, -1), axis=1) for face in stacked])
    pair = np.triu(np.ones_like(fitted, bool), 1)
    same = who[:, None] == who[None]
    first = np.array([np.flatnonzero(who == person)[0] for person in np.unique(who)])
    probes = np.setdiff1d(np.arange(len(who)), first)
    rank1 = float(np.mean(who[first][fitted[np.ix_(probes, first)].argmin(1)] == who[probes]))
    row = {
        "heads": count, "pictures": len(faces),
        "same mm": float(fitted[pair & same].mean()), "all pairs mm": float(fitted[pair & ~same].mean()),
        "ratio": float(fitted[pair & same].mean() / fitted[pair & ~same].mean()),
        "true pairs mm": float(true[np.triu_indices(count, 1)].mean()),
        "apart / true": float(fitted[pair & ~same].mean() / true[np.triu_indices(count, 1)].mean()),
        "rank-1 %": 100 * rank1, "to truth %": 100 * float(np.mean(to_truth.argmin(1) == who)),
    }  # fmt: skip
    show("identity (budget: ratio at most 0.65, apart / true at least 0.5)", [row])
    print(save_result("identity", row))


if __name__ == "__main__":
    main()
