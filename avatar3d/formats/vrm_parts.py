"""What both versions of VRM say of an avatar, before either spells it: gaze, first person, springs of hair, what shapes move.

Everything is in the avatar's frame (face to +Z); VRM 0.x is turned when it is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64

from avatar3d.core.avatar import Avatar, Mesh, Skeleton
from avatar3d.core.vrm import Expression

FirstPerson = Literal["auto", "both", "thirdPersonOnly"]

LookType = Literal["bone", "expression"]


@dataclass(frozen=True)
class LookRange:
    """How far eyes go for where they ought to look: in proportion up to `most_deg`, and no further."""

    most_deg: float
    gives: float
    """There: degrees of the joint, or the weight of a look expression."""


LOOK_RANGES: Final[Mapping[LookType, Mapping[str, LookRange]]] = {
    "bone": {
        "inner": LookRange(25, 25), "outer": LookRange(25, 25), "down": LookRange(25, 10), "up": LookRange(20, 8),
    },
    "expression": {
        "inner": LookRange(30, 1), "outer": LookRange(30, 1), "down": LookRange(27, 1), "up": LookRange(22, 1),
    },
}  # fmt: skip
"""By type of look-at. Joints turn both eyes alike, or they would cross, and to a side degree for degree until the iris meets the
corner; up and down they turn less than asked, because lids do not follow joints: looked at, 12 degrees up and 15 down already
showed white beyond the iris. Our eyeLook shapes take the lids along and turn the eyes by 30, 27 and 22 degrees (decision 0011)."""

# Forces of a spring (VRMC_springBone-1.0, "springs[*].joints[*]"), set by eye: hair of a hand's length that settles within a second.
STIFFNESS: Final = 1.0
GRAVITY: Final = 0.05
DRAG: Final = 0.4
HIT_RADIUS_M: Final = 0.02
_LEAST_RADIUS_M: Final = 0.01
_MOVES_M: Final = 1e-7


@dataclass(frozen=True, eq=False)
class Capsule:
    """What hair cannot enter; a sphere where both ends are one."""

    joint: str
    offset_m: Float64[np.ndarray, "3"]
    """From the joint."""
    tail_m: Float64[np.ndarray, "3"]
    radius_m: float

    def spheres(self, count: int) -> Iterator[Float64[np.ndarray, "3"]]:
        """Centres from end to end, for a format that knows no capsules."""
        for share in np.linspace(0, 1, count if not np.array_equal(self.offset_m, self.tail_m) else 1):
            yield self.offset_m + share * (self.tail_m - self.offset_m)


@dataclass(frozen=True, eq=False)
class Springs:
    """Chains of hair that swing, and what they swing against."""

    chains: tuple[tuple[str, ...], ...]
    """Joints from the root; the last is a tip that only shows where the one before it points."""
    colliders: tuple[Capsule, ...]


@dataclass(frozen=True)
class Bind:
    """One morph target of one mesh."""

    mesh: int
    target: int
    weight: float


def binds(avatar: Avatar, expression: Expression) -> list[Bind]:
    """All morph targets that this expression moves; those that move nothing are left out."""
    return [
        Bind(index, target, weight)
        for index, mesh in enumerate(avatar.meshes)
        for shape, weight in expression.weights.items()
        if shape in mesh.morph_names
        and np.abs(mesh.morphs[(target := mesh.morph_names.index(shape))]).max(initial=0) > _MOVES_M
    ]


def eyes_from_head(skeleton: Skeleton) -> Float64[np.ndarray, "3"]:
    """From the head's joint to the point between the eyes, metres."""
    left, right, head = (
        skeleton.positions[skeleton.names.index(name)].astype(np.float64) for name in ("leftEye", "rightEye", "head")
    )
    return (left + right) / 2 - head


def first_person(mesh: Mesh, skeleton: Skeleton) -> FirstPerson:
    """Who sees a mesh: nobody wants the inside of the own head before the eyes (VRMC_vrm-1.0/firstPerson.md)."""
    held = np.where(mesh.weights > 0, _below(skeleton, "head")[mesh.joints], False).any(1)
    return "thirdPersonOnly" if held.all() else "auto" if held.any() else "both"


def _below(skeleton: Skeleton, joint: str) -> Bool[np.ndarray, "J"]:
    """Which joints are this one or hang on it; parents come before children."""
    of = np.zeros(len(skeleton.names), bool)
    for at, parent in enumerate(skeleton.parents.tolist()):
        of[at] = skeleton.names[at] == joint or (parent >= 0 and of[parent])
    return of


def springs(avatar: Avatar) -> Springs:
    """The chains of joints called hair..., and capsules for skull and neck that touch none of them at rest."""
    skeleton = avatar.skeleton
    chains = tuple(chain for chain in _chains(skeleton) if len(chain) > 1)
    if not chains:
        return Springs((), ())
    resting = skeleton.positions[[skeleton.names.index(joint) for chain in chains for joint in chain[1:]]].astype(
        np.float64
    )
    return Springs(chains, tuple(_clear_of(resting, each, skeleton) for each in (_skull(avatar), _neck(avatar))))


def _chains(skeleton: Skeleton) -> Iterator[tuple[str, ...]]:
    children: dict[int, list[int]] = {}
    for at, parent in enumerate(skeleton.parents.tolist()):
        children.setdefault(parent, []).append(at)
    for at, name in enumerate(skeleton.names):
        parent = int(skeleton.parents[at])
        if not name.startswith("hair") or (parent >= 0 and skeleton.names[parent].startswith("hair")):
            continue
        chain = [at]
        while len(children.get(chain[-1], ())) == 1:
            chain.append(children[chain[-1]][0])
        yield tuple(skeleton.names[joint] for joint in chain)


def _main_joint(mesh: Mesh) -> Float32[np.ndarray, "V"]:
    return mesh.joints[np.arange(len(mesh.joints)), np.argmax(mesh.weights, axis=1)].astype(np.float32)


def _skull(avatar: Avatar) -> Capsule:
    """The sphere nearest to what lies above the eyes, least squares."""
    skeleton, face = avatar.skeleton, avatar.meshes[0]
    head, eyes = (skeleton.names.index(name) for name in ("head", "leftEye"))
    high = (face.positions[:, 1] > skeleton.positions[eyes, 1]) & (_main_joint(face) == head)
    points = face.positions[high].astype(np.float64)
    if len(points) < 4:
        return _at(skeleton, "head", skeleton.positions[head].astype(np.float64), _LEAST_RADIUS_M)
    fit, *_ = np.linalg.lstsq(np.c_[2 * points, np.ones(len(points))], (points**2).sum(1), rcond=None)
    return _at(skeleton, "head", fit[:3], float(np.sqrt(fit[3] + fit[:3] @ fit[:3])))


def _neck(avatar: Avatar) -> Capsule:
    """Round the line from neck to head, as thick as the skin there on average."""
    skeleton, face = avatar.skeleton, avatar.meshes[0]
    neck, head = (skeleton.positions[skeleton.names.index(name)].astype(np.float64) for name in ("neck", "head"))
    around = face.positions[_main_joint(face) == skeleton.names.index("neck")].astype(np.float64)
    axis = (head - neck) / np.linalg.norm(head - neck)
    arms = around - neck
    out = np.linalg.norm(arms - (arms @ axis)[:, None] * axis, axis=1)
    radius = float(out.mean()) if len(out) else _LEAST_RADIUS_M
    return Capsule("neck", np.zeros(3), head - neck, radius)


def _at(skeleton: Skeleton, joint: str, centre: Float64[np.ndarray, "3"], radius_m: float) -> Capsule:
    offset = centre - skeleton.positions[skeleton.names.index(joint)]
    return Capsule(joint, offset, offset, radius_m)


def _clear_of(resting: Float64[np.ndarray, "N 3"], one: Capsule, skeleton: Skeleton) -> Capsule:
    """Thin enough that no joint at rest is pushed: hair lies close, and nothing may move before anybody moves."""
    start = skeleton.positions[skeleton.names.index(one.joint)] + one.offset_m
    way = one.tail_m - one.offset_m
    along = np.clip((resting - start) @ way / max(float(way @ way), 1e-12), 0, 1)
    room = float(np.linalg.norm(resting - start - along[:, None] * way, axis=1).min()) - HIT_RADIUS_M
    return Capsule(one.joint, one.offset_m, one.tail_m, max(min(one.radius_m, room), 0.0))
