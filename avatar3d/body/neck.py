"""Where body and head meet: the body laid below the head, the bust between them shaped and bound by both.

    body in a T, scaled --necks on one another--> ring and bust: the body's, fading into the head's neck --> one surface

The head model's bust is a guess for arms that hang; in a T-pose shoulders rise. So the body decides at the ring, the head
on the neck, and over the skin between them one fades into the other: shape, skin weights and shapes' displacements.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.body.figure import meeting_place
from avatar3d.body.form import Formed
from avatar3d.body.joints import BODY_JOINTS
from avatar3d.body.model import BodyModel

_NECK = BODY_JOINTS.index("neck")
_HEAD = BODY_JOINTS.index("head")


@dataclass(frozen=True, eq=False)
class Joined:
    """A body below a head, in the head's frame; metres."""

    vertices: Float32[np.ndarray, "V 3"]
    """The head's own where it has any, as they are to be from now on."""
    joints: Float32[np.ndarray, "J 3"]
    """In the order of BODY_JOINTS; neck and head are the head's own."""
    weights: Float32[np.ndarray, "V J"]
    """Skin weights that belong to the body, for all vertices."""


def join(
    model: BodyModel,
    laid: Formed,
    scale: float,
    head: Float32[np.ndarray, "H 3"],
    neck: Float32[np.ndarray, "2 3"],
) -> Joined:
    """`head` has the head model's vertices, `neck` the places of its joints neck and head."""
    known = model.head_vertex >= 0
    body = laid.vertices * np.float32(scale)
    ours = head[model.head_vertex[known]].astype(np.float64)
    share = model.below_neck[known].astype(np.float64)
    shift = meeting_place(model, head[np.maximum(model.head_vertex, 0)]) - meeting_place(model, body)
    shift[0] = 0.0  # both are symmetric about the sagittal plane
    body = body + shift
    vertices = body.copy()
    vertices[known] = ours + share[:, None] * (body[known] - ours)
    joints = laid.joints * np.float32(scale) + shift.astype(np.float32)
    joints[[_NECK, _HEAD]] = neck
    weights = np.zeros((len(body), len(BODY_JOINTS)), np.float32)
    np.put_along_axis(weights, model.skin_joints, model.skin_weights, axis=1)
    return Joined(vertices.astype(np.float32), joints.astype(np.float32), weights)


def bind_bust(
    joined: Joined,
    rows: Int32[np.ndarray, "N"],
    share: Float32[np.ndarray, "N"],
    trunk: Float32[np.ndarray, "N"],
    of_neck: Float32[np.ndarray, "N 2"],
) -> Float32[np.ndarray, "N J"]:
    """Skin weights of the head's vertices that are rows of the body: `trunk` is what hung on the head's root, `of_neck` on
    its neck and head. What hung on the root hangs on chest and shoulders as the body's does there; towards the ring all does.
    """
    own = joined.weights[rows]
    below = own.copy()
    below[:, [_NECK, _HEAD]] = 0
    total = below.sum(1, keepdims=True)
    chest = np.zeros_like(below)
    chest[:, BODY_JOINTS.index("upperChest")] = 1
    below = np.where(total > 1e-3, below / np.maximum(total, 1e-3), chest)
    heads = below * trunk[:, None]
    heads[:, [_NECK, _HEAD]] = of_neck
    return heads + share[:, None] * (own - heads)


def four_strongest(
    weights: Float64[np.ndarray, "N J"] | Float32[np.ndarray, "N J"],
) -> tuple[Int32[np.ndarray, "N 4"], Float32[np.ndarray, "N 4"]]:
    """As glTF wants them: at most four, summing to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    chosen = np.take_along_axis(weights, order, axis=1)
    chosen = chosen / chosen.sum(1, keepdims=True)
    return np.where(chosen > 0, order, 0).astype(np.int32), chosen.astype(np.float32)
