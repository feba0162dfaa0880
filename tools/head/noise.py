"""Measure how the landmark detector answers to heads, and learn to read heads from its answers.

    generated people and what the detector saw (tools/head/cases.py)
    --> answer, main directions of the errors left over, remainder      (avatar3d/fit/noise.py)
    --> regression from landmarks to identity                           (avatar3d/fit/prior.py)
    --> the same with what the face net answers to the picture          (avatar3d/fit/look.py)
    --> avatar3d/head/data/NAME_noise.safetensors

    python -m tools.head.noise [--batches 65] [--cases FOLDER]

To be run again whenever the landmark map changes. FOLDER keeps what was observed, so that only the last step is repeated.
"""

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64
from safetensors.numpy import save_file

from avatar3d.core.head import HeadModel
from avatar3d.fit.basis import SEEN, SKIN_LANDMARKS, LandmarkBasis, landmark_basis
from avatar3d.fit.camera import View
from avatar3d.fit.energies import State, depth_term, landmark_term
from avatar3d.fit.look import Look
from avatar3d.fit.noise import LandmarkNoise, circumstances, upright_term
from avatar3d.fit.prior import Glance, glance_features
from avatar3d.head.load import load_head_model
from tools.head.cases import CASES_SEED, Cases, collect_cases, mirrored_identity, with_mirrored
from tools.head.glances import Pictures, glance_from, look_from, portraits_seen, seen_of
from tools.head.landmarks import calibration_portraits
from tools.head.trunk import mesh_file, read_trunk

_MODES: Final = 60
# Noise that no mode tells has at least this size, IOD: the last digits of a network.
_LEAST_LEFT: Final = 0.004
_FOLDS: Final = 5
# Heads that a column must outweigh before it is believed, in standard deviations.
_RIDGE: Final = 100.0


def state_of(cases: Cases, row: int, basis: LandmarkBasis) -> State:
    """The true state of one case. The model shares ICT's identity modes and frame."""
    rotation = cases.rotation[row]
    translation = cases.translation[row] + rotation @ basis.centre
    scale = float(cases.focal[row] / translation[2])
    view = View(rotation, translation[:2] * scale, scale, float(cases.focal[row]))
    identity = cases.identity[row, : len(basis.identity)].astype(np.float64)
    return State(view, identity, cases.expression[row][SEEN].astype(np.float64))


def errors(basis: LandmarkBasis, cases: Cases) -> Float64[np.ndarray, "N L 3"]:
    """Observed - true, upright, IOD."""
    found = np.zeros((len(cases.focal), SKIN_LANDMARKS, 3))
    even = np.ones(len(basis.index))
    for row, points in enumerate(cases.seen):
        state, seen = state_of(cases, row, basis), seen_of(points, basis)
        picture, depth = landmark_term(basis, state, seen, even), depth_term(basis, state, seen, even)
        off, _ = upright_term(state.view, picture, depth)
        count = len(basis.index)
        found[row, basis.index] = -np.concatenate([off[: 2 * count].reshape(-1, 2), off[2 * count :, None]], axis=1)
    return found


def noise_from(
    found: Float64[np.ndarray, "N L 3"], heads: Float64[np.ndarray, "N C"], *, modes: int = _MODES
) -> LandmarkNoise:
    """The detector's answer by ridge regression, and principal components of what it leaves.

    `heads`: identity, expression and circumstances; the second half mirrors the first. What is left is judged on heads
    that the regression did not see (folds). Heads whose picture went wrong altogether are left out.
    """
    size = np.linalg.norm(found[..., :2], axis=2).mean(1)
    good = size < 3 * np.median(size)
    fold = np.tile(np.arange(len(found) // 2) % _FOLDS, 2)[good]
    flat, known = found[good].reshape(good.sum(), -1), heads[good]
    rest = np.zeros_like(flat)
    for turn in range(_FOLDS):
        mean, answer = _ridge(known[fold != turn], flat[fold != turn])
        rest[fold == turn] = flat[fold == turn] - mean - known[fold == turn] @ answer
    print(f"the answer explains {1 - rest.var() / (flat - flat.mean(0)).var():.0%} of the errors of unseen heads")
    mean, answer = _ridge(known, flat)
    _, strength, directions = np.linalg.svd(rest, full_matrices=False)
    main = directions[:modes]
    left = np.sqrt((rest - rest @ main.T @ main).var(0) + _LEAST_LEFT**2)
    scaled = main * (strength[:modes, None] / np.sqrt(len(rest)))
    shape = (-1, *found.shape[1:])
    return LandmarkNoise(mean.reshape(shape)[0], answer.reshape(shape), scaled.reshape(shape), left.reshape(shape)[0])


def _ridge(
    known: Float64[np.ndarray, "N C"], found: Float64[np.ndarray, "N R"]
) -> tuple[Float64[np.ndarray, "R"], Float64[np.ndarray, "C R"]]:
    """Value at zero and slopes; columns count alike whatever their unit."""
    middle, spread = known.mean(0), known.std(0) + 1e-9
    design = (known - middle) / spread
    mean = found.mean(0)
    slopes = np.linalg.solve(design.T @ design + _RIDGE * np.eye(design.shape[1]), design.T @ (found - mean))
    slopes /= spread[:, None]
    return mean - middle @ slopes, slopes


def map_digest(model: HeadModel) -> str:
    """Of where the landmarks lie on the head, whatever other parts it has: what the measurement belongs to."""
    places = (
        model.triangles[model.landmark_triangles].tobytes() + model.landmark_barycentric.astype(np.float32).tobytes()
    )
    return hashlib.sha256(places).hexdigest()


def learn(model: HeadModel, cases: Cases) -> tuple[LandmarkNoise, Glance, Look]:
    """Everything the fit wants to know of the detector."""
    basis, cases = landmark_basis(model), with_mirrored(cases, model)
    states = [state_of(cases, row, basis) for row in range(len(cases.focal))]
    heads = np.stack([np.concatenate([at.identity, at.expression, circumstances(at.view)]) for at in states])
    noise = noise_from(errors(basis, cases), heads)
    features = np.stack([glance_features(basis, seen_of(points, basis)) for points in cases.seen])
    identity = np.stack([at.identity for at in states])
    glance = glance_from(features, identity)
    trunk, mirrored = read_trunk(mesh_file().read_bytes()), mirrored_identity(model)
    renders = Pictures(features, cases.looks[:, 0].astype(np.float64), identity)
    portraits = portraits_seen(basis, trunk, glance, mirrored)
    look = look_from(renders, portraits, basis, trunk, mirrored)
    return noise, glance, look


def stored_arrays(noise: LandmarkNoise, glance: Glance, look: Look) -> dict[str, np.ndarray]:
    """As fit/noise.py, fit/prior.py and fit/look.py read them."""
    own = {key: value for key, value in vars(look).items() if key not in ("trunk", "glance")}
    named = {"noise": vars(noise), "glance": vars(glance), "look": own, "look.glance": vars(look.glance), "trunk": look.trunk}  # fmt: skip
    found = {f"{name}.{key}": value for name, values in named.items() for key, value in values.items()}
    return {key: np.ascontiguousarray(value.astype(np.float16)) for key, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=65)
    parser.add_argument("--cases", type=Path, default=None)
    choices = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        cases = collect_cases(choices.cases or Path(passing), choices.batches)
    model = load_head_model()
    noise, glance, look = learn(model, cases)
    target = Path(__file__).parents[2] / f"avatar3d/head/data/{model.name}_noise.safetensors"
    save_file(stored_arrays(noise, glance, look), target)
    bill = {
        "file": target.name,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "what": "how the landmark detector errs on renders, and regressions from its landmarks and from the lower layers of its net (included) to identity",
        "landmark_map_sha256": map_digest(model),
        "licence": "Apache-2.0",
        "builder": "python -m tools.head.noise",
        "seed": CASES_SEED,
        "pictures": len(cases.focal),
        "sources": [
            {
                "name": "ICT-FaceKit light",
                "licence": "MIT",
                "copyright": "2020 USC Institute for Creative Technologies",
            },
            {
                "name": "official portraits of members of the US Congress (voteview/member_photos)",
                "licence": "public domain, works of the US government",
                "files": [path.name for path in calibration_portraits()],
            },
            {
                "name": "MediaPipe face mesh (the detector that is measured; lower layers of face_landmark.tflite included)",
                "licence": "Apache-2.0",
                "copyright": "The MediaPipe Authors",
                "sha256": hashlib.sha256(mesh_file().read_bytes()).hexdigest(),
            },
        ],
    }
    target.with_suffix(".json").write_text(json.dumps(bill, indent=1) + "\n")
    print(
        f"{target}: {len(cases.focal)} pictures, mean error {np.linalg.norm(noise.mean[:, :2], axis=1).mean():.4f} IOD"
    )


if __name__ == "__main__":
    main()
