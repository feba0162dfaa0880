"""Joints for long hair: three chains of two, ready for an engine's springs (VRM spring bones, Unity, Unreal, Godot)."""

from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.avatar import Avatar, Skeleton
from avatar3d.hair.grow import Hair
from avatar3d.hair.scalp import Skull
from avatar3d.hair.texels import ramp

# Chains and where around the head they hang (degrees, 0 ahead, positive to the person's left).
_CHAINS: Final = (("hairRight", -80.0), ("hairLeft", 80.0), ("hairBack", 180.0))
# They begin at this height (inter-ocular distances over the eyes), and only in hair that hangs so much lower.
_ROOT: Final = -0.15
_LEAST_LENGTH: Final = 1.0
# The second joint's share of the way down; where, as shares of it, the head lets go and the second joint takes over.
_MIDDLE: Final = 0.5
_HEAD_LETS_GO: Final = 0.35
_SECOND_TAKES: Final = (0.4, 0.8)
# Behind this azimuth begins the back's chain, over so many degrees.
_BACK_FROM_DEG: Final = (110.0, 150.0)
# Hair within this of a joint's place (degrees; inter-ocular distances) tells how far out it lies.
_NEAR: Final = (20.0, 0.25)


def hang_on_joints(avatar: Avatar, hair: Hair | None) -> Avatar:
    """The avatar with hair that hangs on joints of its own, children of the head; short hair stays on the head.

    Without springs nothing moves: the joints rest where they are.
    """
    if hair is None or hair.mesh is None or hair.style.hang is None:
        return avatar
    length = _ROOT - float(hair.style.hang.ends.mean())
    if length < _LEAST_LENGTH:
        return avatar
    mesh, skull = hair.mesh, hair.style.skull
    points = mesh.positions.astype(np.float64)
    height, azimuth = skull.height(points), skull.azimuth(points)
    first = len(avatar.skeleton.names)
    weights = _weights((_ROOT - height) / length, azimuth)
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    chosen = np.take_along_axis(weights, order, axis=1)
    joints = np.concatenate([[avatar.skeleton.names.index("head")], first + np.arange(2 * len(_CHAINS))])
    hung = replace(
        mesh,
        joints=np.where(chosen > 0, joints[order], 0).astype(np.int32),
        weights=(chosen / chosen.sum(1, keepdims=True)).astype(np.float32),
    )
    meshes = tuple(hung if each is mesh else each for each in avatar.meshes)
    return replace(avatar, meshes=meshes, skeleton=_longer(avatar.skeleton, skull, points, height, azimuth, length))


def _weights(down: Float64[np.ndarray, "N"], azimuth: Float64[np.ndarray, "N"]) -> Float64[np.ndarray, "N 7"]:
    """Shares of the head and of each chain's two joints; `down`: 0 where hair begins to hang, 1 at its end."""
    head = 1 - ramp(down, 0, _HEAD_LETS_GO)
    second = ramp(down, *_SECOND_TAKES)
    back = ramp(np.abs(azimuth), *_BACK_FROM_DEG)
    left = (1 - back) * (azimuth > 0)
    shares = np.stack([1 - back - left, left, back], axis=1) * (1 - head)[:, None]
    split = np.stack([shares * (1 - second)[:, None], shares * second[:, None]], axis=2)
    return np.concatenate([head[:, None], split.reshape(len(down), -1)], axis=1)


def _longer(
    skeleton: Skeleton,
    skull: Skull,
    points: Float64[np.ndarray, "N 3"],
    height: Float64[np.ndarray, "N"],
    azimuth: Float64[np.ndarray, "N"],
    length: float,
) -> Skeleton:
    """The skeleton and the chains' joints, which lie inside the hair."""
    names, parents, positions = list(skeleton.names), skeleton.parents.tolist(), [*skeleton.positions]
    for name, around in _CHAINS:
        for index, down in enumerate((0.0, _MIDDLE)):
            level = _ROOT - down * length
            apart = np.abs((azimuth - around + 180) % 360 - 180)
            near = (apart < _NEAR[0]) & (np.abs(height - level) < _NEAR[1])
            if not near.any():
                near = np.arange(len(points)) == np.argmin(apart / _NEAR[0] + np.abs(height - level) / _NEAR[1])
            place = points[near].mean(0)
            place[1] = skull.eyes[1] + level * skull.iod_m
            parents.append(skeleton.names.index("head") if index == 0 else len(names) - 1)
            names.append(f"{name}{index + 1}")
            positions.append(place.astype(np.float32))
    return Skeleton(tuple(names), np.array(parents, np.int32), np.stack(positions).astype(np.float32))
