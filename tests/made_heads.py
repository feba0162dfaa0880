"""Head models of others, made from our own: FLAME's and GNM's layouts on a topology that is not ours, with a known truth.

    our mean + a person --remeshed, eyeballs added, shifted, in the file's units and axes--> generic_model.pkl, gnm_head.npz

Nothing of the real models is in them. Where our vertices ought to come to lie is known, because the surface is one of our people.
"""

import pickle
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from avatar3d.carry.sheet import Sheet
from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.head.deform import shape_head
from avatar3d.head.load import load_head_model

SHIFT_M = np.array([0.003, -1.52, 0.02])


@dataclass(frozen=True, eq=False)
class Made:
    """A made model: arrays on its own vertices, and the truth on ours."""

    points: np.ndarray
    triangles: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    balls: tuple[np.ndarray, np.ndarray]
    centres: np.ndarray
    jaw: np.ndarray
    jaw_weight: np.ndarray
    truth: np.ndarray
    """Our vertices of that person, without the shift."""


def made_head(triangles: int, *, finer: int = 1, seed: int = 3, ball: tuple[int, int] = (26, 21)) -> Made:
    """One of our people remeshed to so many triangles of skin, with two eyeballs."""
    o3d: Any = pytest.importorskip("open3d", reason="open3d remeshes the made heads (extra `dev`)")
    own = load_head_model()
    rng = np.random.default_rng(seed)
    truth = shape_head(own, (0.35 * rng.standard_normal(len(own.identity))).astype(np.float32)).astype(np.float64)
    truth = 0.5 * (truth + truth[own.mirror] * [-1, 1, 1])
    skin = np.unique(own.triangles[own.part("face")])
    number = np.full(len(own.rest), -1)
    number[skin] = np.arange(len(skin))
    sheet = Sheet(truth[skin], number[own.triangles[own.part("face")]].astype(np.int64))
    mesh = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(sheet.points), o3d.utility.Vector3iVector(sheet.triangles)
    )
    if finer:
        mesh = mesh.subdivide_midpoint(finer)
    mesh = mesh.simplify_quadric_decimation(triangles)
    points, faces = np.asarray(mesh.vertices), np.asarray(mesh.triangles).astype(np.int64)
    mine = Sheet(points, faces)
    at = sheet.nearest(points, mine.normals, least_alike=0.35, turn_m=0.003)
    identity, expression = (sheet.at(at, modes[:, skin]) for modes in (own.identity, own.expression))
    centres = (own.joint_regressor @ truth.astype(np.float32))[
        [own.joint_names.index(n) for n in ("leftEye", "rightEye")]
    ]
    jaw = (own.joint_regressor @ truth.astype(np.float32))[own.joint_names.index("jaw")]
    weight = np.where(own.skin_joints == own.joint_names.index("jaw"), own.skin_weights, 0).sum(1)
    balls, count = [], len(points)
    moves_i, moves_e = [identity], [expression]
    for centre, part in zip(centres, ("eyeLeft", "eyeRight"), strict=True):
        members = np.unique(own.triangles[own.part(part)])
        radius = float(np.median(np.linalg.norm(truth[members] - centre, axis=1)))
        sphere, sphere_faces = _sphere(*ball)
        points = np.concatenate([points, centre + radius * sphere])
        faces = np.concatenate([faces, sphere_faces + count])
        moves_i.append(np.tile(own.identity[:, members].mean(1)[:, None], (1, len(sphere), 1)))
        moves_e.append(np.zeros((len(expression), len(sphere), 3), np.float32))
        balls.append(np.arange(count, count + len(sphere)))
        count += len(sphere)
    jaw_weight = np.zeros(count)
    jaw_weight[: len(identity[0])] = sheet.at(at, weight[skin][:, None])[:, 0]
    return Made(
        points,
        faces,
        np.concatenate(moves_i, 1),
        np.concatenate(moves_e, 1),
        (balls[0], balls[1]),
        centres,
        jaw,
        jaw_weight,
        truth,
    )


def flame_arrays(made: Made, *, identity: int = 300, expression: int = 100) -> dict[str, np.ndarray]:
    """generic_model.pkl's arrays; metres, our axes, shifted. Modes beyond ours are zero."""
    count = len(made.points)
    shapes = np.zeros((count, 3, identity + expression))
    shapes[:, :, : len(made.identity)] = np.moveaxis(made.identity, 0, 2)
    chosen = [name for name in ARKIT_INDEX if not name.startswith("eyeLook")]
    mixed = np.random.default_rng(1).standard_normal((expression, len(chosen))) / np.sqrt(len(chosen))
    mixed[len(chosen) :] = 0
    picked = made.expression[[ARKIT_INDEX[name] for name in chosen]]
    shapes[:, :, identity:] = np.einsum("ek,kvc->vce", mixed, picked)
    weights = np.zeros((count, 5))
    weights[:, 2] = made.jaw_weight
    weights[:, 0] = 1 - made.jaw_weight
    joints = np.zeros((5, count))
    near = np.argsort(np.linalg.norm(made.points - made.jaw, axis=1))[:60]
    system = np.vstack([made.points[near].T, np.ones(len(near))])
    for row in (0, 1, 2):
        joints[row, near] = np.linalg.lstsq(system, np.append(made.jaw, 1.0), rcond=None)[0]
    for ball, row in zip(made.balls, (3, 4), strict=True):
        weights[ball] = 0
        weights[ball, row] = 1
        joints[row, ball] = 1 / len(ball)
    return {
        "v_template": made.points + SHIFT_M,
        "shapedirs": shapes,
        "posedirs": np.zeros((count, 3, 36)),
        "J_regressor": joints,
        "weights": weights,
        "f": made.triangles.astype(np.uint32),
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
    }


def write_flame(path: Path, arrays: dict[str, np.ndarray], *, protocol: int = 2) -> Path:
    """As FLAME is pickled: chumpy arrays, a sparse regressor, protocol 2."""
    module, package = types.ModuleType("chumpy.ch"), types.ModuleType("chumpy")

    class Ch:
        """A chumpy array's shell: its values are in `x`."""

        def __init__(self, x: np.ndarray) -> None:
            self.x = x

        def __getstate__(self) -> dict[str, Any]:
            return {"x": self.x, "_dirty_vars": {"x"}, "_cache": {"r": None}}

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    module.Ch = package.Ch = Ch  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in ("chumpy", "chumpy.ch")}
    sys.modules |= {"chumpy": package, "chumpy.ch": module}
    try:
        told: dict[str, Any] = {**arrays, "bs_type": "lrotmin", "bs_style": "lbs"}
        told |= {name: Ch(arrays[name]) for name in ("v_template", "shapedirs")}
        told["J_regressor"] = sp.csc_matrix(arrays["J_regressor"])
        path.write_bytes(pickle.dumps(told, protocol=protocol))
    finally:
        for name, was in before.items():
            if was is None:
                del sys.modules[name]
            else:
                sys.modules[name] = was
    return path


def gnm_arrays(made: Made, *, identity: int = 253, expression: int = 383) -> dict[str, np.ndarray]:
    """gnm_head.npz's arrays; metres, our axes, shifted. Modes beyond ours are zero."""
    count = len(made.points)
    people, faces = np.zeros((identity, count, 3), np.float32), np.zeros((expression, count, 3), np.float32)
    people[: len(made.identity)], faces[: len(made.expression)] = made.identity, made.expression
    weights = np.zeros((4, count), np.float32)
    weights[1] = 1
    for ball, row in zip(made.balls, (2, 3), strict=True):
        weights[:, ball] = 0
        weights[row, ball] = 1
    joints = np.stack([made.jaw + [0, -0.1, -0.03], made.jaw, *made.centres]) + SHIFT_M
    return {
        "version": np.array("3.0"),
        "variant": np.array("head"),
        "template_vertex_positions": (made.points + SHIFT_M).astype(np.float32),
        "vertex_identity_basis": people,
        "expression_basis": faces,
        "skinning_weights": weights,
        "pose_correctives_regressor": np.zeros((36, 3), np.float32),
        "triangles": made.triangles.astype(np.int32),
        "template_joint_positions": joints.astype(np.float32),
        "joint_identity_basis": np.zeros((identity, 4, 3), np.float32),
        "joint_parent_indices": np.array([-1, 0, 1, 1]),
        "joint_names": np.array(["neck", "head", "left_eye", "right_eye"]),
        "identity_names": np.array([f"head_{k}" for k in range(identity)]),
        "expression_names": np.array([f"lower_face_region_{k}" for k in range(expression)]),
    }


def _sphere(around: int, up: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere of around x up vertices."""
    turn, height = np.meshgrid(np.arange(around) * 2 * np.pi / around, np.linspace(0.01, np.pi - 0.01, up))
    points = np.stack([np.sin(height) * np.cos(turn), np.cos(height), np.sin(height) * np.sin(turn)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(around), np.arange(up - 1))
    a, b = j * around + i, j * around + (i + 1) % around
    return points, np.stack([a, b, a + around, b, b + around, a + around], -1).reshape(-1, 3)
