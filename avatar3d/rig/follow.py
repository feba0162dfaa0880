"""An avatar whose face was sculpted: its head rigged anew, and every part taken where the skin went.

GLB --> the neutral head it shows --+--> rigged ----------+
                          sculpted -+--> rigged likewise --+--> the difference --> shapes, teeth, eyes, lashes, joints

Only the difference is used, so that what was not touched stays to the bit, also where somebody changed a shape by hand.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float32
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.errors import ModelError
from avatar3d.core.head import HeadModel
from avatar3d.head.load import load_head_model
from avatar3d.head.registry import head_names
from avatar3d.rig.assemble import RiggedHead, rig_neutral
from avatar3d.rig.lids import find_lid_margins
from avatar3d.rig.lips import find_lip_pairs
from avatar3d.rig.riders import find_riders
from avatar3d.rig.surface import smooth_normals, split_part
from avatar3d.rig.wet_line import WET_LINES, wet_lines

_FACE: Final = "face"
_AROUND_MOUTH_M: Final = 0.035
"""Teeth and tongue go as this much skin around the lips does in the mean: a fuller lip moves no tooth."""
_NEIGHBOURS: Final = 6
_NO_TONE: Final = np.zeros(3, np.float32)


@dataclass(frozen=True, eq=False)
class Resculpted:
    """What a sculpted face changes."""

    avatar: Avatar
    """Everything but the face."""
    change: Float32[np.ndarray, "M N 3"]
    """To be added to the shapes of the face's own vertices, metres."""


def own_head(avatar: Avatar) -> HeadModel | None:
    """The head model that the avatar's face is of, by its triangles; None for a remeshed one."""
    face = avatar.mesh(_FACE)
    for name in sorted(head_names(), key=lambda name: name != "avatar3d"):
        try:
            model = load_head_model(name)
        except ModelError:
            continue
        surface = split_part(model, _FACE)
        if np.array_equal(surface.triangles, face.triangles):
            return model
    return None


def resculpt(avatar: Avatar, model: HeadModel, moves: Float32[np.ndarray, "N 3"]) -> Resculpted:
    """The avatar after its face's vertices moved (metres): all other parts and joints, and how the face's shapes change."""
    neutral = shown_neutral(model, avatar)
    sculpted = _sculpted(model, neutral, moves)
    before, after = rig_neutral(model, neutral), rig_neutral(model, sculpted)
    face = split_part(model, _FACE).source
    skin = np.unique(model.triangles[model.part(_FACE)])
    # What the rig itself settles (lips, bust) belongs to both; the artist's own surface stays where it was put.
    gone = after.neutral - before.neutral
    gone[skin] = sculpted[skin] - neutral[skin]

    def follow(points: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
        distance, nearest = KDTree(neutral[skin]).query(points, k=_NEIGHBOURS)
        share = 1 / np.maximum(np.asarray(distance), 1e-4)
        share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
        return (points + np.einsum("nk,nkc->nc", share, gone[skin][np.asarray(nearest)])).astype(np.float32)

    def followed(mesh: Mesh) -> Mesh:
        if mesh.name == _FACE:
            return mesh
        if mesh.name in model.part_names:
            return _shifted(mesh, model, before, after, gone)
        if mesh.name == WET_LINES and len(mesh.positions) == len(wet_lines(model, *_of(after), _NO_TONE).positions):
            old, new = (wet_lines(model, *_of(head), _NO_TONE) for head in (before, after))
            return replace(
                mesh,
                positions=mesh.positions + (new.positions - old.positions),
                morphs=mesh.morphs + (new.morphs - old.morphs),
            )
        return replace(mesh, positions=follow(mesh.positions))

    joints = follow(avatar.skeleton.positions)
    for row, name in enumerate(model.joint_names):
        if name in avatar.skeleton.names:
            at = avatar.skeleton.names.index(name)
            joints[at] = avatar.skeleton.positions[at] + (model.joint_regressor[row] @ (sculpted - neutral))
    changed = replace(
        avatar,
        meshes=tuple(map(followed, avatar.meshes)),
        skeleton=replace(avatar.skeleton, positions=joints.astype(np.float32)),
    )
    return Resculpted(changed, (after.shapes - before.shapes)[:, face].astype(np.float32))


def shown_neutral(model: HeadModel, avatar: Avatar) -> Float32[np.ndarray, "V 3"]:
    """The neutral head of an avatar of this model, metres; parts that its file lacks go with the skin next to them."""
    neutral, told = model.rest.copy(), np.zeros(len(model.rest), bool)
    for mesh in avatar.meshes:
        if mesh.name in model.part_names:
            source = split_part(model, mesh.name).source
            neutral[source], told[source] = mesh.positions, True
    skin = np.unique(model.triangles[model.part(_FACE)])
    rest = np.flatnonzero(~told)
    if len(rest):
        nearest = skin[np.asarray(KDTree(model.rest[skin]).query(model.rest[rest])[1])]
        neutral[rest] += neutral[nearest] - model.rest[nearest]
    return neutral


def _sculpted(
    model: HeadModel, neutral: Float32[np.ndarray, "V 3"], moves: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, "V 3"]:
    """The neutral with its skin moved, lashes and lining by their skin, an eye with its lids, the teeth with the mouth."""
    gone = np.zeros_like(neutral)
    gone[split_part(model, _FACE).source] = moves
    skin = np.unique(model.triangles[model.part(_FACE)])
    riders = find_riders(model)
    gone[riders.vertices] = np.einsum("nkc,nk->nc", gone[riders.skin], riders.share)
    for lids in find_lid_margins(model):
        gone[lids.ball] = gone[np.concatenate([lids.upper, lids.lower])].mean(0)
    pairs = find_lip_pairs(model)
    if len(pairs.lower):
        near = KDTree(model.rest[np.concatenate([pairs.lower, pairs.handles_upper])]).query(model.rest[skin])[0]
        mouth = gone[skin[np.asarray(near) < _AROUND_MOUTH_M]].mean(0)
        for name in ("teethUpper", "teethLower", "tongue"):
            if name in model.part_names:
                gone[np.setdiff1d(model.triangles[model.part(name)], skin)] = mouth
    return (neutral + gone).astype(np.float32)


def _of(head: RiggedHead) -> tuple[Float32[np.ndarray, "V 3"], Float32[np.ndarray, "52 V 3"]]:
    return head.neutral, head.shapes


def _shifted(
    mesh: Mesh, model: HeadModel, before: RiggedHead, after: RiggedHead, gone: Float32[np.ndarray, "V 3"]
) -> Mesh:
    """One part of the head by what changed."""
    surface = split_part(model, mesh.name)
    if not np.array_equal(surface.triangles, mesh.triangles):
        return mesh
    source = surface.source
    change = np.concatenate([after.shapes - before.shapes, after.tongue - before.tongue])[:, source]
    neutral = np.zeros_like(gone)
    positions = (mesh.positions + gone[source]).astype(np.float32)
    neutral[source] = positions
    return replace(
        mesh,
        positions=positions,
        normals=smooth_normals(neutral, model.triangles[model.part(mesh.name)])[source],
        morphs=(mesh.morphs + change[: len(mesh.morphs)]).astype(np.float32),
    )
