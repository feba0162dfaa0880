"""What a portrait tells of the body below it: how its wearer presents, and how heavy the face looks. Weak, and said so.

segments, landmarks, fitted neutral --seven measures, ridge--> woman's or man's      cheeks and jaw --> body mass index

Measured in docs/decisions/0038-bodies.md: of 96 official portraits 94 are told as they present, by leaving one out; hair
does most of it. Age is not told: nothing tried beat the mean by a year. Everything can be given instead.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments

USUAL_AGE_YEARS: Final = 40.0
# Measures: hair below the mouth and in all, beard (squared inter-ocular distances, at most so much), lips redder than skin,
# jaw and height of the face over the breadth of its cheeks, brows over the eyes. Means, deviations and the ridge's answer,
# positive for women, on 96 portraits of US office holders (public domain).
_MOST: Final = np.array([4.0, 6.0, 1.0, 9.0, 9.0, 9.0, 9.0])
_MEAN: Final = np.array([0.4762, 2.724, 0.001621, 0.03189, 0.7814, 1.13, 0.6551])
_DEVIATION: Final = np.array([1.12, 1.844, 0.01375, 0.02914, 0.0186, 0.03974, 0.04485])
_TELLS: Final = np.array([0.1363, 0.443, -0.02199, 0.1643, -0.09692, 0.01856, 0.03672])
_OFFSET: Final = -0.4221
# Of generated heads (identity N(0, 1)): cheeks' breadth over the face's height, jaw's over the cheeks', and deviations.
_BREADTH: Final = (0.8759, 0.0359)
_JAW: Final = (0.7759, 0.0305)
_BMI: Final = (24.5, 2.2)
"""Usual, and per deviation: adiposity widens lower faces (Coetzee, Chen, Perrett and Stephen 2010). Not calibrated here."""
_BMI_BETWEEN: Final = (19.0, 32.0)
_SURE: Final = 0.8


@dataclass(frozen=True)
class Guess:
    """What the photo seems to say."""

    male: float
    """0 presents as a woman, 1 as a man."""
    bmi: float


def guess_build(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], face: FaceObservation, segments: Segments
) -> Guess:
    """From one observed face, its fitted neutral and what the picture shows where."""
    corners = neutral[model.triangles[model.landmark_triangles]]
    marks = np.einsum("nc,ncd->nd", model.landmark_barycentric, corners).astype(np.float64)
    measured = np.minimum(measures(marks, face, segments), _MOST)
    woman = _OFFSET + float(((measured - _MEAN) / _DEVIATION) @ _TELLS)
    _, _, _, _, jaw, _, _ = measured
    breadth = 1 / _height_over_breadth(marks)
    wide = 0.5 * ((breadth - _BREADTH[0]) / _BREADTH[1] + (jaw - _JAW[0]) / _JAW[1])
    return Guess(float(woman <= 0), float(np.clip(_BMI[0] + _BMI[1] * wide, *_BMI_BETWEEN)))


def measures(marks: np.ndarray, face: FaceObservation, segments: Segments) -> np.ndarray:
    """The seven, of landmarks on the neutral (metres) and the picture's segments."""
    points = face.landmarks_px.astype(np.float64) @ segments.crop_from_photo[:, :2].T + segments.crop_from_photo[:, 2]
    unit = float(face.interocular_px * np.hypot(*segments.crop_from_photo[0, :2])) ** 2
    hair = segments.of("hair").astype(np.float64)
    below = np.arange(len(hair))[:, None] > points[[13, 14], 1].mean()
    cheeks = _apart(marks, 234, 454)
    brows = _apart(marks, 105, 159) + _apart(marks, 334, 386)
    eyes = float(np.linalg.norm(marks[[33, 133]].mean(0) - marks[[263, 362]].mean(0)))
    return np.array(
        [
            (hair * below).sum() / unit,
            hair.sum() / unit,
            float(segments.of("beard").sum()) / unit,
            _redness(segments, "lips") - _redness(segments, "skin"),
            _apart(marks, 172, 397) / cheeks,
            _height_over_breadth(marks),
            brows / eyes,
        ]
    )


def _height_over_breadth(marks: np.ndarray) -> float:
    return _apart(marks, 10, 152) / _apart(marks, 234, 454)


def _apart(marks: np.ndarray, one: int, other: int) -> float:
    return float(np.linalg.norm(marks[one] - marks[other]))


def _redness(segments: Segments, kind: str) -> float:
    """Median share of red where the kind is sure; a third where there is none."""
    pixels = segments.pixels[segments.of(kind) > _SURE].astype(np.float64)
    return float(np.median(pixels[:, 0] / np.maximum(pixels.sum(1), 1))) if len(pixels) else 1 / 3
