"""Levels of detail: the whole avatar at 20k, 10k, 5k and 2.5k triangles, from an Avatar to Avatars.

    parts with a known need get a share each -> the rest is hair's, clothes' and glasses' -> collapse, cards by visibility

The first three levels carry all shapes; the last one speaks with the jaw, both blinks and five vowels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.errors import UsageError
from avatar3d.core.names import with_vowels
from avatar3d.rig.cards import is_card, pieces, seen_pixels, thin_hair
from avatar3d.rig.collapse import collapse

TRIANGLES: Final = (20_000, 10_000, 5_000, 2_500)
"""Of the levels, the whole avatar (engines.md, 4a)."""
LAST_SHAPES: Final = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
"""What the last level keeps, besides the vowels."""
STATES: Final = (
    "jawOpen", "jawOpen+mouthClose", "eyeBlinkLeft+eyeBlinkRight", "eyeWideLeft+eyeWideRight",
    "eyeLookDownLeft+eyeLookDownRight", "mouthPucker", "mouthFunnel", "mouthSmileLeft+mouthSmileRight",
    "mouthStretchLeft+mouthStretchRight", "mouthPressLeft+mouthPressRight", "mouthRollLower+mouthRollUpper",
    "mouthUpperUpLeft+mouthUpperUpRight+mouthLowerDownLeft+mouthLowerDownRight", "mouthLeft", "mouthRight",
    "browInnerUp+browOuterUpLeft+browOuterUpRight", "browDownLeft+browDownRight", "tongueOut",
)  # fmt: skip
"""Faces in which the surface is judged besides the neutral one."""

# Shares of a head's triangles by level (the last for everything below), chosen by looking at the levels: the face first,
# teeth least, as they are mostly hidden. What has no share here takes the rest.
_SHARES: Final[dict[str, tuple[float, float, float, float]]] = {
    "face": (0.366, 0.420, 0.460, 0.540),
    "eyeLeft": (0.028, 0.028, 0.030, 0.036),
    "eyeRight": (0.028, 0.028, 0.030, 0.036),
    "teethUpper": (0.060, 0.050, 0.050, 0.044),
    "teethLower": (0.060, 0.050, 0.050, 0.044),
    "tongue": (0.0256, 0.018, 0.014, 0.008),
    "mouth": (0.034, 0.026, 0.022, 0.022),
    "lashes": (0.017, 0.020, 0.020, 0.018),
    "brows": (0.017, 0.020, 0.020, 0.018),
    "glasses": (0.053, 0.060, 0.080, 0.110),
    "lenses": (0.003, 0.004, 0.006, 0.008),
    "wetLines": (0.005, 0.0096, 0.008, 0.0),
}
_OTHERS_SHARE: Final = 0.22
"""What hair, glasses and clothes get at least, if they have so much."""
_LEVELS_OF_SHARES: Final = (20_000, 10_000, 5_000, 2_500)
_EYES: Final = ("eyeLeft", "eyeRight")
_TEETH: Final = ("teethUpper", "teethLower")
_OUTWARD: Final = 0.5
"""Cosine to straight out of the arch: lips show these sides of teeth."""
_BLINKS: Final = ("eyeBlinkLeft", "eyeBlinkRight")
_TOUCHING_M: Final = 0.0015
_PARTING_M: Final = 0.004
"""Vertices so near to each other that some expression takes so far apart are lips or lids."""
_DEAR: Final = 30.0
_FRONT: Final = 0.7
"""Of an eyeball's depth: what lies before is seen."""
_LEAST: Final = 8
"""Triangles of a part that is still there."""


@dataclass(frozen=True, eq=False)
class Level:
    """One level of detail."""

    avatar: Avatar
    target: int

    @property
    def triangles(self) -> int:
        return sum(len(mesh.triangles) for mesh in self.avatar.meshes)


def make_levels(
    avatar: Avatar, targets: Sequence[int] = TRIANGLES, *, last_shapes_below: int = 5_000
) -> tuple[Level, ...]:
    """The avatar at each of `targets` triangles (falling); one that has no more than that stays as it is.

    Below `last_shapes_below` triangles only LAST_SHAPES and the vowels are left. Raises UsageError for targets that rise.
    """
    if list(targets) != sorted(set(targets), reverse=True) or any(target < 500 for target in targets):
        raise UsageError(
            f"expected levels of falling size, 500 triangles or more, got {list(targets)}.",
            hint="For example 20000,10000.",
        )
    plans = [_plan(avatar, target) for target in targets]
    whole = sum(len(mesh.triangles) for mesh in avatar.meshes)
    hairy = [mesh for mesh in avatar.meshes if whole > targets[-1] and _has_cards(mesh)]
    made = {mesh.name: _part(mesh, [plan[mesh.name] for plan in plans]) for mesh in avatar.meshes if mesh not in hairy}
    for mesh in hairy:  # last: it can always do with less, and pays for what could not
        made[mesh.name] = _hair(
            avatar,
            mesh,
            [
                _room(plan, made, target, at, mesh.name)
                for at, (plan, target) in enumerate(zip(plans, targets, strict=True))
            ],
        )
    face = avatar.meshes[0]
    over = [sum(len(own[at].triangles) for own in made.values()) - target for at, target in enumerate(targets)]
    if max(over) > 0 and whole > targets[-1]:
        counts = [len(own.triangles) - max(more, 0) for own, more in zip(made[face.name], over, strict=True)]
        made[face.name] = _part(face, counts)
    levels: list[Level] = []
    for index, target in enumerate(targets):
        shown = [made[mesh.name][index] for mesh in avatar.meshes if plans[index][mesh.name] >= _LEAST]
        meshes = [mesh for mesh in shown if len(mesh.triangles)]
        if target < last_shapes_below:
            meshes = [with_vowels(mesh, LAST_SHAPES) for mesh in meshes]
        levels.append(Level(replace(avatar, meshes=tuple(meshes)), target))
    return tuple(levels)


def _plan(avatar: Avatar, target: int) -> dict[str, int]:
    """Triangles per mesh."""
    have = {mesh.name: len(mesh.triangles) for mesh in avatar.meshes}
    if sum(have.values()) <= target:
        return have
    column = next((at for at, size in enumerate(_LEVELS_OF_SHARES) if target >= size), len(_LEVELS_OF_SHARES) - 1)
    shares = {name: _SHARES[name][column] for name in have if name in _SHARES}
    known = {name: min(have[name], share * target) for name, share in shares.items()}
    others = {name: count for name, count in have.items() if name not in known}
    wanted = sum(others.values())
    floor = min(wanted, _OTHERS_SHARE * target)
    if sum(known.values()) > target - floor:
        shrink = (target - floor) / sum(known.values())
        known = {name: count * shrink for name, count in known.items()}
    room = target - sum(known.values())
    if wanted < room:  # a bald head: its parts share what hair would have had
        for _ in range(4):
            free = target - wanted - sum(known.values())
            open_parts = {name: count for name, count in known.items() if 0 < count < have[name]}
            if free < 1 or not open_parts:
                break
            grow = 1 + free / sum(open_parts.values())
            known |= {name: min(have[name], count * grow) for name, count in open_parts.items()}
        room = wanted
    told = known | {name: count * room / max(wanted, 1) for name, count in others.items()}
    return {name: int(count) for name, count in told.items()}


def _room(plan: dict[str, int], made: dict[str, list[Mesh]], target: int, at: int, name: str) -> int:
    """What hair gets: its plan, less what other parts could not go down to."""
    waiting = sum(count for other, count in plan.items() if other not in made and other != name)
    return max(_LEAST, min(plan[name], target - waiting - sum(len(own[at].triangles) for own in made.values())))


def _part(mesh: Mesh, wanted: Sequence[int]) -> list[Mesh]:
    """At each count; 0 is a part that is left out there, and stands for nothing."""
    if all(count >= len(mesh.triangles) for count in wanted):
        return [mesh] * len(wanted)
    levels = collapse(mesh, [max(count, _LEAST) for count in wanted], states=STATES, dear=_dear(mesh))
    return [mesh if count >= len(mesh.triangles) else level for count, level in zip(wanted, levels, strict=True)]


def _dear(mesh: Mesh) -> Float64[np.ndarray, "F"]:
    """What is looked at, and what must meet: irises, lips, rims of lids."""
    if mesh.name in _EYES:
        depth = mesh.positions[:, 2] - mesh.positions[:, 2].min()
        ahead = depth[mesh.triangles].mean(1) > _FRONT * depth.max(initial=0)
        return np.where(ahead, _DEAR, 1.0)
    if mesh.name in _TEETH:
        middle = (mesh.positions.min(0) + mesh.positions.max(0)) / 2
        across = mesh.positions[mesh.triangles].mean(1) - [middle[0], 0, mesh.positions[:, 2].min()]
        outward = np.einsum("fc,fc->f", mesh.normals[mesh.triangles].mean(1)[:, [0, 2]], across[:, [0, 2]])
        return np.where(outward > _OUTWARD * np.linalg.norm(across[:, [0, 2]], axis=1), _DEAR, 1.0)
    at = {name: index for index, name in enumerate(mesh.morph_names)}
    if not set(_BLINKS) <= at.keys():
        return np.ones(len(mesh.triangles))
    meeting = np.zeros(len(mesh.positions), bool)
    for moved in (mesh.positions, mesh.positions + sum(mesh.morphs[at[name]] for name in _BLINKS)):
        one, other = KDTree(moved).query_pairs(_TOUCHING_M, output_type="ndarray").T
        apart = np.square(mesh.morphs[:, one] - mesh.morphs[:, other]).sum(2).max(0) > _PARTING_M**2
        meeting[one[apart]] = meeting[other[apart]] = True
    return np.where(meeting[mesh.triangles].any(1), _DEAR, 1.0)


def _has_cards(mesh: Mesh) -> bool:
    return mesh.material.alpha_mode == "MASK" and not mesh.morph_names and bool(np.any(is_card(pieces(mesh))))


def _hair(avatar: Avatar, mesh: Mesh, wanted: Sequence[int]) -> list[Mesh]:
    """Each level from the one before."""
    seen = seen_pixels(avatar, mesh)
    levels: list[Mesh] = []
    for count in wanted:
        mesh, seen = thin_hair(mesh, count, seen)
        levels.append(mesh)
    return levels
