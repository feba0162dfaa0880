"""Regressions from pictures back to identity: by landmarks alone, and with what a face net answers.

renders, whose truth is known --+--> ridge regression --> Glance, Look (avatar3d/fit/prior.py, look.py)
calibration portraits ----------+    (they only hold the look back)
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.fit.basis import SKIN_LANDMARKS, LandmarkBasis
from avatar3d.fit.energies import Seen
from avatar3d.fit.look import Look, two_looks
from avatar3d.fit.prior import ANGLES, Glance, glance_features
from avatar3d.fit.trunk import Trunk
from avatar3d.photo.load import load_photo
from avatar3d.photo.mesh_layout import MIRROR
from tools.head.landmarks import calibration_portraits, observe_pixels

# Of the regression on landmarks, in its features' own units (cm, people), per picture: more pictures would else trust single
# landmarks more (with 13,000 and a fixed one a chin guessed .25 inter-ocular distances too low bent foreheads by 5 mm, not 2).
_GLANCE_RIDGE: Final = 0.0022
# The same for what the face net answers, in spreads.
_LOOK_RIDGE: Final = 0.43
# Added to the spread of an answer: some hardly ever move.
_LEAST_SPREAD: Final = 0.1
# Portraits, which no truth is known of, count together as this share of the renders: there the net shall add nothing on average.
_PORTRAITS_COUNT: Final = 0.2


def seen_of(points: Float64[np.ndarray, "478 3"], basis: LandmarkBasis) -> Seen:
    """Landmarks as the fit takes them."""
    eyes = points[[33, 133], :2].mean(0) - points[[263, 362], :2].mean(0)
    return Seen(points[basis.index, :2], points[basis.index, 2], float(np.linalg.norm(eyes)))


def glance_from(features: Float64[np.ndarray, "N F"], identity: Float64[np.ndarray, "N K"]) -> Glance:
    """By the landmarks alone."""
    middle, mean = features.mean(0), identity.mean(0)
    slopes = _slopes(features - middle, identity - mean, _GLANCE_RIDGE * len(features))
    return Glance(mean - middle @ slopes, slopes)


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a regression sees of faces, and who they are."""

    features: Float64[np.ndarray, "N L"]
    """Of a glance at the landmarks."""
    answers: Float64[np.ndarray, "N F"]
    """The face net's."""
    identity: Float64[np.ndarray, "N K"]


def portraits_seen(
    basis: LandmarkBasis, trunk: Trunk, glance: Glance, mirrored: Float64[np.ndarray, "K K"]
) -> Pictures:
    """Calibration portraits and their mirror images; who they are is what the landmarks alone tell."""
    features: list[np.ndarray] = []
    answers: list[np.ndarray] = []
    for path in calibration_portraits():
        pixels = load_photo(path).pixels
        face = observe_pixels(pixels)
        if face is not None:
            middle = np.array([pixels.shape[1], pixels.shape[0]]) / 2
            points = np.concatenate([face.landmarks_px - middle, face.depth_px[:, None]], axis=1).astype(np.float64)
            both = (points, points[MIRROR] * [-1, 1, 1])
            features += [glance_features(basis, seen_of(one, basis)) for one in both]
            answers += list(two_looks(trunk, pixels, face.landmarks_px[:SKIN_LANDMARKS].astype(np.float64)))
    told = glance.offset + np.stack(features) @ glance.slopes
    own = (told[::2] + told[1::2] @ mirrored) / 2
    identity = np.stack([own, own @ mirrored], axis=1).reshape(told.shape)
    return Pictures(np.stack(features), np.stack(answers).astype(np.float64), identity)


def both_ways(glance: Glance, basis: LandmarkBasis, mirrored: Float64[np.ndarray, "K K"]) -> Glance:
    """The mean of what it tells of landmarks and, mirrored back, of their mirror image."""
    order = [int(np.flatnonzero(basis.index == MIRROR[landmark])[0]) for landmark in basis.index]
    points = glance.slopes[:-ANGLES].reshape(len(order), 3, -1)[order] * np.array([-1, 1, 1])[:, None]
    angles = glance.slopes[-ANGLES:] * np.array([-1, 1, 1, 1, -1])[:, None]
    across = np.concatenate([points.reshape(-1, points.shape[2]), angles])
    return Glance((glance.offset + glance.offset @ mirrored) / 2, (glance.slopes + across @ mirrored) / 2)


def look_from(
    renders: Pictures,
    portraits: Pictures,
    basis: LandmarkBasis,
    trunk: Trunk,
    mirrored: Float64[np.ndarray, "K K"],
) -> Look:
    """One regression on landmarks and answers, learnt on renders and held back on portraits."""
    usual, spread = renders.answers.mean(0), renders.answers.std(0) + _LEAST_SPREAD
    middle, mean = renders.features.mean(0), renders.identity.mean(0)
    alike = np.sqrt(_LOOK_RIDGE / _GLANCE_RIDGE)
    rows: list[np.ndarray] = []
    targets: list[np.ndarray] = []
    count = len(renders.features)
    for pictures, weight in ((renders, 1.0), (portraits, _PORTRAITS_COUNT * count / len(portraits.features))):
        own = np.concatenate([(pictures.features - middle) * alike, (pictures.answers - usual) / spread], axis=1)
        rows.append(own * np.sqrt(weight))
        targets.append((pictures.identity - mean) * np.sqrt(weight))
    slopes = _slopes(np.concatenate(rows), np.concatenate(targets), _LOOK_RIDGE * count)
    by_landmarks, by_answers = np.split(slopes, [len(middle)])
    by_landmarks = by_landmarks * alike
    glance = both_ways(Glance(mean - middle @ by_landmarks, by_landmarks), basis, mirrored)
    return Look(trunk, glance, usual, spread, by_answers, mirrored)


def _slopes(
    design: Float64[np.ndarray, "N F"], target: Float64[np.ndarray, "N K"], ridge: float
) -> Float64[np.ndarray, "F K"]:
    """Ridge regression, solved among pictures or features, whichever are fewer; columns count as they are."""
    if len(design) < design.shape[1]:
        return design.T @ np.linalg.solve(design @ design.T + ridge * np.eye(len(design)), target)
    return np.linalg.solve(design.T @ design + ridge * np.eye(design.shape[1]), design.T @ target)
