"""Bodies to test: the mean head, in plain colours, on bodies of different people; and poses."""

from functools import cache

import numpy as np

from avatar3d.body.attach import Dressed, Kind, dress, put_together
from avatar3d.body.figure import Traits
from avatar3d.core.avatar import Avatar, Material
from avatar3d.core.head import HeadModel
from avatar3d.core.transforms import quaternion_from_rotation_vector
from avatar3d.head.load import load_head_model
from avatar3d.render.pose import pose_stage
from avatar3d.render.stage import stage_avatar
from avatar3d.rig.assemble import RiggedHead, cut_mesh, rig_neutral
from avatar3d.rig.skeleton import place_skeleton

PEOPLE = {
    "man": Traits(1.0, 40.0, 25.0),
    "woman": Traits(0.0, 30.0, 22.0),
    "heavy": Traits(1.0, 65.0, 33.0, 1.70),
}


@cache
def mean_head() -> tuple[HeadModel, RiggedHead, Avatar]:
    model = load_head_model()
    head = rig_neutral(model, model.rest)
    meshes = tuple(cut_mesh(model, head, part, Material(part)) for part in ("face", "eyeLeft", "eyeRight"))
    return model, head, Avatar("mean", meshes, place_skeleton(model, head.neutral), {"licences": ["test"]})


@cache
def dressed(who: str, kind: Kind = "full") -> Dressed:
    model, head, avatar = mean_head()
    return dress(avatar, model, head.neutral, PEOPLE[who], kind)


@cache
def whole(who: str, kind: Kind = "full") -> Avatar:
    plain = {name: Material(name) for name in ("body", "shirt", "trousers", "shoes")}
    return put_together(mean_head()[2], dressed(who, kind), plain)


def _turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """wxyz of a rotation vector in degrees."""
    return quaternion_from_rotation_vector(np.radians(np.array([x, y, z], np.float32))).astype(np.float32)


def _arms(below_level: float) -> dict[str, np.ndarray]:
    """Mostly by the upper arms, a little by the shoulders, as people do it."""
    upper, blade = 0.85 * below_level, 0.15 * below_level
    return {
        "leftUpperArm": _turn(z=-upper), "rightUpperArm": _turn(z=upper),
        "leftShoulder": _turn(z=-blade), "rightShoulder": _turn(z=blade),
    }  # fmt: skip


POSES: dict[str, dict[str, np.ndarray]] = {
    "T": {},
    "arms down": _arms(78),
    "arms up": _arms(-70),
    "sitting": _arms(60)
    | {f"{side}UpperLeg": _turn(x=-85) for side in ("left", "right")}
    | {f"{side}LowerLeg": _turn(x=85) for side in ("left", "right")},
    "walking": _arms(70)
    | {"leftUpperLeg": _turn(x=-30), "rightUpperLeg": _turn(x=22), "rightLowerLeg": _turn(x=35)}
    | {"spine": _turn(y=12), "chest": _turn(y=12), "upperChest": _turn(y=8), "hips": _turn(y=-8)},
}


def posed(avatar: Avatar, pose: str) -> dict[str, np.ndarray]:
    """Vertices of each mesh in a pose."""
    stage = stage_avatar(avatar)
    eye = np.array([0, 1, 5], np.float32)
    vertices = pose_stage(stage, None, POSES[pose], eye, sky=None, pixel_m=1e-3).vertices
    ends = np.cumsum([len(mesh.positions) for mesh in avatar.meshes])
    return dict(zip((mesh.name for mesh in avatar.meshes), np.split(vertices, ends[:-1]), strict=True))
