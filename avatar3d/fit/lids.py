"""How this person's lids rest: part of who they are, not of the moment.

A fitted eyeBlink of 0.2 in a photo with open eyes is a heavy lid. Left in the expression, the avatar's neutral would
stare; so the resting share moves into the neutral head. What exceeds it (a wink, a blink) stays expression.
A relaxed face shows no white above or below its iris: where the fit does, surprise or a lost smile left the eye open.
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.optimize import lsq_linear

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera

_RESTING: Final = ("eyeBlink", "eyeWide", "eyeSquint")
# More than this is a blink, not a lid.
_MOST: Final = 0.45
# A smile lifts the lower lid: this share of squint per unit of smile belongs to the smile.
_SMILE_SQUINT: Final = 1.0
# Lid margins of a relaxed eye from the pupil's middle (margin reflex distances; oculoplastic texts give 4 to 5 mm
# above and 5 mm or a little more below), with the landmark on each margin and the shape that moves it.
_UPPER_M: Final = 0.0045
_LOWER_M: Final = 0.0054
_MARGINS: Final = (
    ("leftEye", 386, "eyeBlinkLeft", 1.0, _UPPER_M),
    ("rightEye", 159, "eyeBlinkRight", 1.0, _UPPER_M),
    ("leftEye", 374, "eyeSquintLeft", -1.0, _LOWER_M),
    ("rightEye", 145, "eyeSquintRight", -1.0, _LOWER_M),
)
# The landmarks along the middle of each margin, upper and lower, with the shapes that move them.
_LINES: Final = (
    ("Left", (385, 386, 387), (380, 374, 373)),
    ("Right", (158, 159, 160), (144, 145, 153)),
)
_LASHES_M: Final = (0.0004, 0.0003)
"""The detector marks the upper lid on its lashes and the lower below its wet line: the eyeball ends so far inside.
Eye regions of 13 portraits (chosen on 10, one of them among the 13) differ by 434 from their photos (mean square, levels) where they did by 451; .6 and .5 mm: 435."""
_OPEN_M: Final = 0.003
"""In proportion, of an eye that is less open than this: a closed one stays closed."""
_CALMED: Final = 0.8
"""Share of the excess that is taken away: some people do have wide eyes."""


def lids_on_picture(
    model: HeadModel,
    person: Float32[np.ndarray, "V 3"],
    expression: Float64[np.ndarray, "52"],
    camera: Camera,
    landmarks_px: Float32[np.ndarray, "478 2"],
) -> Float64[np.ndarray, "52"]:
    """The expression with blink and squint of each eye such that both margins lie where the photo shows the eyeball end.

    What the whole face agrees on leaves lids half a millimetre too far open (median of 24 portraits, lower lid), which
    shows as a stare. `person` is the head before any expression, metres. Weights stay within [0, 1].
    """
    used = np.flatnonzero(expression)
    posed = person + np.tensordot(expression[used].astype(np.float32), model.expression[used], 1)
    fitted = expression.copy()
    for side, *lines in _LINES:
        shapes = [ARKIT_INDEX[f"eyeBlink{side}"], ARKIT_INDEX[f"eyeSquint{side}"]]
        marks = [mark for line in lines for mark in line]
        corners, weights = model.triangles[model.landmark_triangles[marks]], model.landmark_barycentric[marks]
        points = np.einsum("nc,ncd->nd", weights, posed[corners]).astype(np.float32)
        off = landmarks_px[marks] - camera.project(points)
        moves = np.stack([np.einsum("nc,ncd->nd", weights, model.expression[shape][corners]) for shape in shapes])
        slopes = np.stack([camera.project(points + move.astype(np.float32)) - camera.project(points) for move in moves])
        upward = camera.project(points + np.array([0, 0.001, 0], np.float32)) - camera.project(points)
        millimetre = np.linalg.norm(upward, axis=1)
        upward /= millimetre[:, None]
        upper, lower = (landmarks_px[list(line)].mean(axis=0) for line in lines)
        opened_m = 0.001 * float((upper - lower) @ upward.mean(axis=0) / millimetre.mean())
        inside_m = np.repeat([-_LASHES_M[0], _LASHES_M[1]], len(marks) // 2) * np.clip(opened_m / _OPEN_M, 0, 1)
        goal = (off * upward).sum(axis=1).astype(np.float64) + inside_m / 0.001 * millimetre
        system = (slopes * upward).sum(axis=2).T.astype(np.float64)
        found = lsq_linear(system, goal, bounds=(-expression[shapes] - 1e-6, 1 - expression[shapes] + 1e-6)).x
        fitted[shapes] = np.clip(expression[shapes] + found, 0, 1)
    return fitted


def resting_lids(expression: Float64[np.ndarray, "52"]) -> Float64[np.ndarray, "52"]:
    """The lid weights to fold into the neutral head; zero elsewhere, never more than the expression has."""
    resting = np.zeros_like(expression)
    smile = np.mean([expression[ARKIT_INDEX[f"mouthSmile{side}"]] for side in ("Left", "Right")])
    for name in _RESTING:
        sides = [ARKIT_INDEX[f"{name}{side}"] for side in ("Left", "Right")]
        both = expression[sides].min()  # a wink is not how lids rest
        if name == "eyeSquint":
            both = max(0.0, both - _SMILE_SQUINT * smile)
        resting[sides] = np.minimum(expression[sides], min(both + 0.1, _MOST)) if both > 0 else 0
    return resting


def calmed_lids(
    model: HeadModel, person: Float32[np.ndarray, "V 3"], resting: Float64[np.ndarray, "52"]
) -> Float64[np.ndarray, "52"]:
    """Resting weights with as much more blink and squint as keeps this head from staring.

    `person` is the head before any lid weight, metres. The two eyes get the same.
    """
    calm = resting.copy()
    excess = {"eyeBlink": 0.0, "eyeSquint": 0.0}
    for joint, landmark, shape, up, limit in _MARGINS:
        corners = model.triangles[model.landmark_triangles[landmark]]
        weights = model.landmark_barycentric[landmark]
        lids = np.flatnonzero(resting)
        margin = weights @ person[corners][:, 1] + resting[lids] @ (model.expression[lids][:, corners, 1] @ weights)
        pupil = float((model.joint_regressor[model.joint_names.index(joint)] @ person)[1])
        per_weight = -up * float(weights @ model.expression[ARKIT_INDEX[shape]][corners][:, 1])
        opened = max(0.0, up * (float(margin) - pupil) - limit)
        if per_weight > 0:
            kind = shape.removesuffix("Left").removesuffix("Right")
            excess[kind] += 0.5 * _CALMED * opened / per_weight
    for kind, weight in excess.items():
        for side in ("Left", "Right"):
            index = ARKIT_INDEX[f"{kind}{side}"]
            calm[index] = max(calm[index], min(calm[index] + weight, _MOST))
    return calm
