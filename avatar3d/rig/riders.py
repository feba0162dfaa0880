"""The small parts that go with the skin: lashes and brows ride on it, lower teeth and tongue on the jaw."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import cKDTree  # pyright: ignore[reportUnknownVariableType]

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel

_ON_SKIN: Final = ("lashes", "brows")
_NEIGHBOURS: Final = 4
# When a lash looks for the skin it grows from, moving alike counts this much more than being near.
_ALIKE: Final = 2.0
# Least motion of a jaw part that counts as a shape of the jaw (metres).
_STILL_M: Final = 1e-5


@dataclass(frozen=True, eq=False)
class Riders:
    """Which skin each vertex of lashes and brows follows, and which vertices belong to the lower jaw."""

    vertices: Int32[np.ndarray, "N"]
    skin: Int32[np.ndarray, "N K"]
    share: Float32[np.ndarray, "N K"]
    teeth: Int32[np.ndarray, "T"]
    tongue: Int32[np.ndarray, "G"]
    still: Int32[np.ndarray, "S"]
    """Eyeballs and upper teeth: fixed to the skull in every shape."""


def carry_parts(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], shapes: Float32[np.ndarray, "52 V 3"]
) -> Float32[np.ndarray, "52 V 3"]:
    """The shapes (metres) with every part that is not skin moved as this head's skin and jaw demand.

    Lashes and brows keep the mean head's motion relative to the skin they grow from. Lower teeth turn rigidly about
    this head's own jaw joint; the tongue keeps the mean's motion relative to them.
    """
    riders = find_riders(model)
    carried = shapes.copy()
    extra = shapes - model.expression
    if len(riders.vertices):
        on_skin = np.einsum("snkc,nk->snc", extra[:, riders.skin], riders.share)
        carried[:, riders.vertices] = model.expression[:, riders.vertices] + on_skin
    jaw = model.joint_names.index("jaw")
    pivot_mean = (model.joint_regressor[jaw] @ model.rest).astype(np.float64)
    pivot = (model.joint_regressor[jaw] @ neutral).astype(np.float64)
    size = _jaw_length(neutral, riders, pivot) / _jaw_length(model.rest, riders, pivot_mean)
    for index in range(len(shapes)):
        mean_teeth = model.rest[riders.teeth].astype(np.float64)
        moved = mean_teeth + model.expression[index, riders.teeth]
        if np.abs(model.expression[index, riders.teeth]).max(initial=0) < _STILL_M:
            carried[index, riders.teeth] = 0
            carried[index, riders.tongue] = model.expression[index, riders.tongue] * size
            continue
        turn, shift = _rigid(mean_teeth - pivot_mean, moved - pivot_mean)
        for part in (riders.teeth, riders.tongue):
            own = (neutral[part] - pivot) @ (turn - np.eye(3)).T + shift * size
            mean = (model.rest[part] - pivot_mean) @ (turn - np.eye(3)).T + shift
            relative = model.expression[index, part] - mean if part is riders.tongue else 0.0
            carried[index, part] = own + relative * size
    carried[:, riders.still] = 0
    return carried


def _jaw_length(vertices: Float32[np.ndarray, "V 3"], riders: Riders, pivot: Float64[np.ndarray, "3"]) -> float:
    """From the jaw joint to the middle of the lower teeth, metres; 1 when there are none."""
    return float(np.linalg.norm(vertices[riders.teeth].mean(0) - pivot)) if len(riders.teeth) else 1.0


def _rigid(
    source: Float64[np.ndarray, "N 3"], target: Float64[np.ndarray, "N 3"]
) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
    """Rotation and translation that carry source to target best (Kabsch 1976)."""
    middle, goal = source.mean(0), target.mean(0)
    u, _, vt = np.linalg.svd((target - goal).T @ (source - middle))
    turn = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return turn, goal - turn @ middle


@lru_cache(maxsize=2)
def find_riders(model: HeadModel) -> Riders:
    """Bound on the mean head: each lash and brow vertex to the skin that is near and moves like it."""

    def members(*names: str) -> Int32[np.ndarray, "N"]:
        found = [model.part(name) for name in names if name in model.part_names]
        return np.unique(model.triangles[np.concatenate(found)]).astype(np.int32)

    skin = members("face")
    vertices = np.setdiff1d(members(*_ON_SKIN), skin).astype(np.int32)
    blinks = [ARKIT_INDEX["eyeBlinkLeft"], ARKIT_INDEX["eyeBlinkRight"]]

    def place(chosen: Int32[np.ndarray, "N"]) -> Float32[np.ndarray, "N 9"]:
        return np.concatenate([model.rest[chosen], *(_ALIKE * model.expression[blinks][:, chosen])], axis=1)

    distance, nearest = cKDTree(place(skin)).query(place(vertices), k=_NEIGHBOURS)
    share = 1 / np.maximum(np.asarray(distance), 2e-4)
    return Riders(
        vertices=vertices,
        skin=skin[np.asarray(nearest)].reshape(len(vertices), _NEIGHBOURS).astype(np.int32),
        share=(share / share.sum(1, keepdims=True)).reshape(len(vertices), _NEIGHBOURS).astype(np.float32),
        teeth=members("teethLower"),
        tongue=np.setdiff1d(members("tongue"), members("teethLower", "face", "mouth")).astype(np.int32),
        still=np.setdiff1d(members("eyeLeft", "eyeRight", "teethUpper"), members("face", "mouth")).astype(np.int32),
    )
