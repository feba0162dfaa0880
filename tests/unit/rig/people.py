"""Heads of people of the model, rigged as an avatar is."""

from functools import cache

import numpy as np

from avatar3d.head.load import load_head_model
from avatar3d.rig.incisors import seat_teeth
from avatar3d.rig.lips import settle_lips
from avatar3d.rig.morphs import person_shapes
from avatar3d.rig.mouth import tuck_teeth


@cache
def rigged(seed: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Neutral and the 52 shapes of a random person; of the mean head without a seed."""
    model = load_head_model()
    identity = np.zeros(len(model.identity), np.float32)
    if seed is not None:
        identity = np.random.default_rng(seed).normal(size=len(identity)).astype(np.float32) * np.float32(0.7)
    born = (model.rest + np.tensordot(identity, model.identity, 1)).astype(np.float32)
    neutral = seat_teeth(model, settle_lips(model, born))
    shapes = person_shapes(model, neutral)
    return tuck_teeth(model, neutral, shapes), shapes
