"""How a jaw glides while it opens: what no photo of one face tells is drawn as the population has it, the same for the same face.

    who this is --> a direction among the identity modes --> two draws N(0,1) --> condylar path: how far, how steep

A condyle's path in a full opening is 12.8 mm long (SD 2.8, 8.1 to 19.2) while the incisors go 41.1 mm, and neither length
goes with the other nor with the face's form (Fukui et al. 2002, Eur J Orthod 24:327, 21 adults); it leads down from the
Frankfort horizontal by 46.2 degrees (SD 7.3; Santana-Mora et al. 2013, PLoS ONE 8:e59980, 21 adults, their healthier side).
Turns about the other axes are negligible (Mapelli et al. 2009, Clin Anat 22:311). The model's mean keeps the scans' own
motion: only how a person departs from the mean is drawn. It is an invention in the way the back of the head is one.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.head import HeadModel

_PATH_M: Final = (0.0128, 0.0028)
_INCISORS_M: Final = 0.0411
_STEEP_DEG: Final = (46.2, 7.3)
# Drawn by the number of its decision.
_SEED: Final = 9
# Mean and spread of the two draws over the 47 calibration portraits: fitted people depart from the model's mean in like ways, and
# theirs are the jaws that must differ as the population's do.
_USUAL: Final = np.array([0.12, 1.18])
_SPREAD: Final = np.array([0.82, 0.76])
# Draws stay within what was measured (8.1 to 19.2 mm is -1.7 to 2.3 SD).
_FURTHEST: Final = 1.7
_MIRRORED: Final = np.array([-1, 1, 1])
# Nearer to the mean than this norm of the identity, a face has no character to draw from; random people have 10, fits 5.
_SOMEBODY: Final = 1.0


def own_glide(model: HeadModel, neutral: Float32[np.ndarray, "V 3"], incisors_m: float) -> Float64[np.ndarray, "3"]:
    """How the hinge of this head departs from the mean head's while its incisors go `incisors_m` (metres, model frame)."""
    further, steeper = np.clip(_draws(model, neutral), -_FURTHEST, _FURTHEST)

    def path(length: float, angle: float) -> Float64[np.ndarray, "3"]:
        return length * np.array([0, -np.sin(np.radians(angle)), np.cos(np.radians(angle))])

    own = path(_PATH_M[0] + further * _PATH_M[1], _STEEP_DEG[0] + steeper * _STEEP_DEG[1])
    return (own - path(_PATH_M[0], _STEEP_DEG[0])) * incisors_m / _INCISORS_M


def _draws(model: HeadModel, neutral: Float32[np.ndarray, "V 3"]) -> Float64[np.ndarray, "2"]:
    """N(0,1) over people, much the same for two photos of one: the head's direction from the mean, along two fixed ones.

    Modes are summed with signs only, so the variance is 1 for whatever modes a fit can see.
    """
    readers, signs = _mode_readers(model)
    identity = readers @ (neutral - model.rest).ravel()
    toward = signs @ (identity / max(float(np.linalg.norm(identity)), _SOMEBODY))
    somebody = min(float(np.linalg.norm(identity)) / _SOMEBODY, 1.0)
    return somebody * (toward - _USUAL) / _SPREAD


@lru_cache(maxsize=2)
def _mode_readers(model: HeadModel) -> tuple[Float64[np.ndarray, "K M"], Float64[np.ndarray, "2 K"]]:
    """What reads the symmetric modes off a head (least squares; its mirror image reads the same), and which count backwards."""
    modes = model.identity.astype(np.float64)
    alike = np.abs(modes + modes[:, model.mirror] * _MIRRORED).sum(axis=(1, 2)) > np.abs(modes).sum(axis=(1, 2))
    modes = modes[alike].reshape(alike.sum(), -1)
    signs = np.random.default_rng(_SEED).choice(np.array([-1.0, 1.0]), size=(2, len(modes)))
    return np.linalg.solve(modes @ modes.T, modes), signs
