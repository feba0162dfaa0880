"""Weights of one vocabulary as another's, by way of ARKit's.

    theirs --decode--> ARKit --encode--> the other's

Where a vocabulary says how ARKit's shapes are told in it, that is a sum. Where it does not (visemes, presets), the weights in
[0, 1] are taken whose face is nearest to the one meant: least squares over the vertices of our mean head.
"""

import numpy as np
from jaxtyping import Float64

from avatar3d.rosetta.solve import bounded
from avatar3d.rosetta.tables import Vocabulary


def to_theirs(arkit: Float64[np.ndarray, "T 56"], other: Vocabulary) -> Float64[np.ndarray, "T N"]:
    """ARKit's weights in another's names; in [0, 1] but for modes, which have any size."""
    if other.encode is not None:
        told = arkit @ other.encode.T
        return told if other.decode is None else np.clip(told, 0.0, 1.0)
    assert other.decode is not None
    return bounded(other.decode.T @ other.gram @ other.decode, arkit @ other.gram @ other.decode)


def to_arkit(theirs: Float64[np.ndarray, "T N"], other: Vocabulary) -> Float64[np.ndarray, "T 56"]:
    """The weights of ARKit's, each in [0, 1], that another's mean."""
    if other.decode is not None:
        return np.clip(theirs @ other.decode.T, 0.0, 1.0)
    assert other.cross is not None
    return bounded(other.gram, theirs @ other.cross.T)


def there_and_back(arkit: Float64[np.ndarray, "T 56"], other: Vocabulary) -> Float64[np.ndarray, "T 56"]:
    """What is left of these weights after a journey."""
    return to_arkit(to_theirs(arkit, other), other)
