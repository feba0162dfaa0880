"""FLAME 2020 and 2023 as their owner publishes them (.pkl): linear modes, and the jaw as three more.

Li et al. 2017, "Learning a model of facial shape and expression from 4D scans": template + shapedirs (300 identity, then 100
expression) + pose correctives, skinned to root, neck, jaw, left and right eye. A jaw that turns is no linear mode: `jawX` and its
like are the displacement of a turn of .2 rad about that axis, per radian, correctives with it.
"""

from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64
from scipy.spatial.transform import Rotation

from avatar3d.core.errors import ModelUntrustedError
from avatar3d.head.source import SourceHead, check_array, check_triangles, in_our_axes, largest_piece, strongest_modes
from avatar3d.head.terms import TERMS
from avatar3d.head.unpickle import read_pickle

_KEYS: Final = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f")
_IDENTITY: Final = 300
"""Columns of shapedirs; what follows is expression."""
_JAW, _LEFT_EYE, _RIGHT_EYE, _JOINTS = 2, 3, 4, 5
_TURN_RAD: Final = 0.2
_MOST_VERTICES: Final = 50_000


def read_flame(path: Path) -> SourceHead:
    """Raises ModelUntrustedError (21) for a file that is no FLAME model, and as `read_pickle`."""
    raw = read_pickle(path, _KEYS)
    missing = [key for key in _KEYS if key not in raw]
    if missing:
        raise ModelUntrustedError(
            f"expected a FLAME model, found a dictionary without {', '.join(missing)}.",
            hint="Give generic_model.pkl or flame2023.pkl.",
            file=path,
        )
    rest = check_array(raw["v_template"], "v_template", (None, 3)).astype(np.float64)
    count = len(rest)
    if count > _MOST_VERTICES:
        raise ModelUntrustedError(f"expected 5,023 vertices, found {count:,}.", hint="Is this FLAME?", file=path)
    modes = np.moveaxis(check_array(raw["shapedirs"], "shapedirs", (count, 3, None)), 2, 0).astype(np.float32)
    if len(modes) <= _IDENTITY:
        raise ModelUntrustedError(
            f"expected {_IDENTITY} identity modes and expressions after them, found {len(modes)}.",
            hint="Is this FLAME?",
            file=path,
        )
    correctives = check_array(raw["posedirs"], "posedirs", (count, 3, 9 * (_JOINTS - 1))).astype(np.float64)
    regressor = check_array(raw["J_regressor"], "J_regressor", (_JOINTS, count)).astype(np.float64)
    weights = check_array(raw["weights"], "weights", (count, _JOINTS)).astype(np.float64)
    triangles = check_triangles(raw["f"], "f", count)
    joints = regressor @ rest
    scale, axes = in_our_axes(joints[_LEFT_EYE], joints[_RIGHT_EYE])
    skin = largest_piece(triangles, count)
    jaw = _jaw(rest, joints[_JAW], weights[:, _JAW], correctives[:, :, 9 * (_JAW - 1) : 9 * _JAW])
    turned = (scale * axes.T).astype(np.float32)
    expression = np.concatenate([modes[_IDENTITY:], jaw]) @ turned
    return SourceHead(
        kind="flame",
        licence=TERMS["flame"].line,
        vertices=(rest @ turned).astype(np.float32),
        triangles=skin,
        identity=strongest_modes(modes[:_IDENTITY] @ turned, np.unique(skin)),
        expression=expression,
        expression_names=(*(f"expression{k}" for k in range(len(modes) - _IDENTITY)), "jawX", "jawY", "jawZ"),
        left_eye=_ball(weights, _LEFT_EYE),
        right_eye=_ball(weights, _RIGHT_EYE),
        left_eye_m=(joints[_LEFT_EYE] @ turned).astype(np.float32),
        right_eye_m=(joints[_RIGHT_EYE] @ turned).astype(np.float32),
        counts={
            "vertices": count,
            "triangles": len(triangles),
            "identity": _IDENTITY,
            "expression": len(modes) - _IDENTITY,
        },
    )


def _ball(weights: Float64[np.ndarray, "N 5"], joint: int) -> np.ndarray:
    return np.flatnonzero(weights[:, joint] > 0.5).astype(np.int32)


def _jaw(
    rest: Float64[np.ndarray, "N 3"],
    joint: Float64[np.ndarray, "3"],
    weight: Float64[np.ndarray, "N"],
    correctives: Float64[np.ndarray, "N 3 9"],
) -> Float32[np.ndarray, "3 N 3"]:
    """Displacement per radian of the jaw's turn about each axis."""
    moved: list[np.ndarray] = []
    for axis in np.eye(3):
        turn = Rotation.from_rotvec(_TURN_RAD * axis).as_matrix() - np.eye(3)
        bent = correctives @ turn.ravel()
        moved.append((bent + weight[:, None] * ((rest + bent - joint) @ turn.T)) / _TURN_RAD)
    return np.stack(moved).astype(np.float32)
