r"""An avatar's head put on a body: one skeleton, one skin, clothes.

head's neutral --figure, T-pose, join--> surface --> face's bust and body's skin welded at the ring, garments over them
                                                \--> skeleton: root on the ground > hips > ... > neck > head > the head's own
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Float32, Int32

from avatar3d.body.cloth import Draped, drape
from avatar3d.body.figure import Figure, Traits, find_figure
from avatar3d.body.form import form_body
from avatar3d.body.joints import BODY_JOINTS, PARENTS
from avatar3d.body.model import BodyModel, load_body_model
from avatar3d.body.neck import Joined, bind_bust, four_strongest, join
from avatar3d.body.shoes import make_shoes
from avatar3d.body.tpose import lay_in_t
from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton
from avatar3d.core.head import HeadModel
from avatar3d.render.stage import vertex_normals

Kind = Literal["bust", "full"]
BARE_M: Final = 0.03
"""Skin so deep under clothes is left out, but for the triangles at the ring: nothing can poke through, nobody sees it."""
_LEGS_APART_M: Final = 0.002
_CHEST: Final = "upperChest"


@dataclass(frozen=True, eq=False)
class Dressed:
    """The parts of a body before they are painted: everything but materials."""

    face: Mesh
    skin: Draped
    """From the ring down, without what clothes hide."""
    clothes: Mapping[str, Draped]
    skeleton: Skeleton
    figure: Figure
    lift_m: float
    """How far the whole avatar was moved up, so that it stands on y = 0."""
    joined: Joined
    """As it was before that."""


@dataclass(frozen=True, eq=False)
class _Surface:
    """Body and bust as one."""

    joined: Joined
    normals: Float32[np.ndarray, "V 3"]
    row: Int32[np.ndarray, "H"]
    """Of each of the head model's vertices; -1 for none."""


def dress(avatar: Avatar, head: HeadModel, neutral: Float32[np.ndarray, "H 3"], traits: Traits, kind: Kind) -> Dressed:
    """The body of somebody with these traits below the avatar's head, whose rigged neutral is `neutral` (metres).

    Raises UsageError for a weight that does not go with the height.
    """
    model = load_body_model()
    skin = np.unique(head.triangles[head.part("face")])
    size = _spread(neutral[skin]) / _spread(head.rest[skin])
    figure = find_figure(model, traits, neutral, float(neutral[skin, 1].max()), size)
    formed = form_body(model, figure.build)
    laid = lay_in_t(formed, model.skin_joints, model.skin_weights, hanging=kind == "bust")
    names = avatar.skeleton.names
    necks = avatar.skeleton.positions[[names.index("neck"), names.index("head")]]
    joined = join(model, laid, figure.scale, neutral, necks)
    surface = _surface(model, head, joined)
    garments = {garment.name: garment for garment in model.garments}
    place, weights = joined.vertices, joined.weights
    clothes: dict[str, Draped] = {}
    lift_m = 0.0
    if kind == "full":
        trousers = drape(garments["trousers"], place, surface.normals, weights, middle_m=_LEGS_APART_M)
        shirt = drape(garments["shirt"], place, surface.normals, weights, over=trousers)
        shoes = make_shoes(place, joined.joints, weights)
        clothes = {"shirt": shirt, "trousers": trousers, "shoes": shoes.draped}
        lift_m = -shoes.ground_m
    else:
        clothes = {"shirt": drape(garments["bust"], place, surface.normals, weights)}
    skeleton = _skeleton(avatar.skeleton, joined, lift_m) if kind == "full" else avatar.skeleton
    face = _face(avatar.meshes[0], head, model, surface, names)
    body = _skin(model, surface, kind)
    parts = {"body": body} | clothes
    if kind == "bust":
        parts = {name: _on_head_joints(part, names) for name, part in parts.items()}
        face = _fewer_joints(face, names)
    else:
        parts = {name: replace(part, joints=_below_root(part)) for name, part in parts.items()}
    return Dressed(
        replace(face, positions=_lifted(face.positions, lift_m)),
        _raised(parts.pop("body"), lift_m),
        {name: _raised(part, lift_m) for name, part in parts.items()},
        skeleton,
        figure,
        lift_m,
        joined,
    )


def put_together(avatar: Avatar, dressed: Dressed, materials: Mapping[str, Material]) -> Avatar:
    """The avatar with its body; `materials` by part: body, shirt, trousers, shoes."""
    names, old = dressed.skeleton.names, avatar.skeleton.names
    moved = np.array(
        [names.index(name if name != "root" or len(names) == len(old) else _CHEST) for name in old], np.int32
    )
    others = [_carried(mesh, dressed, moved) for mesh in avatar.meshes[1:]]
    parts = {"body": dressed.skin} | dict(dressed.clothes)
    meshes = [_mesh(name, part, materials[name]) for name, part in parts.items()]
    return replace(avatar, meshes=(dressed.face, *others, *meshes), skeleton=dressed.skeleton)


def _spread(points: Float32[np.ndarray, "N 3"]) -> float:
    return float(np.linalg.norm(points - points.mean(0)))


def _surface(model: BodyModel, head: HeadModel, joined: Joined) -> _Surface:
    row = np.full(len(head.rest), -1, np.int32)
    known = np.flatnonzero(model.head_vertex >= 0).astype(np.int32)
    row[model.head_vertex[known]] = known
    bust = row[head.triangles[head.part("face")]]
    triangles = np.concatenate([model.triangles, bust[(bust >= 0).all(1)]])
    own = np.arange(len(joined.vertices), dtype=np.int32)
    return _Surface(joined, vertex_normals(joined.vertices, triangles, own), row)


def _face(face: Mesh, head: HeadModel, model: BodyModel, surface: _Surface, names: tuple[str, ...]) -> Mesh:
    """The face with its bust as the body has it; its joints count in BODY_JOINTS plus the head's own after them."""
    source = face_source(head)
    row = surface.row[source]
    known = np.flatnonzero(row >= 0)
    rows = row[known]
    share = model.below_neck[rows]
    taken = known[share > 0]
    positions, normals, morphs = face.positions.copy(), face.normals.copy(), face.morphs.copy()
    positions[taken] = surface.joined.vertices[row[taken]]
    normals[taken] = surface.normals[row[taken]]
    morphs[:, known] *= (1 - share)[:, None]  # at the ring nothing moves that the body does not move
    wide = np.zeros((len(source), len(BODY_JOINTS) + len(names)), np.float32)
    columns = np.array([_column(name, names) for name in names])
    for slot in range(4):
        np.add.at(wide, (np.arange(len(source)), columns[face.joints[:, slot]]), face.weights[:, slot])
    necks = [BODY_JOINTS.index("neck"), BODY_JOINTS.index("head")]
    root = len(BODY_JOINTS) + names.index("root")
    bound = bind_bust(surface.joined, rows, share, wide[known, root], wide[known][:, necks])
    wide[known, root] = 0
    wide[known, : len(BODY_JOINTS)] = bound
    wide[:, BODY_JOINTS.index(_CHEST)] += wide[:, root]
    wide[:, root] = 0
    chosen, weights = four_strongest(wide)
    return replace(
        face, positions=positions, normals=normals, morphs=morphs, joints=_full_index(chosen, names), weights=weights
    )


def _column(name: str, names: tuple[str, ...]) -> int:
    """Where the head's joint counts: among the body's, or after them."""
    return BODY_JOINTS.index(name) if name in ("neck", "head") else len(BODY_JOINTS) + names.index(name)


def _full_index(chosen: Int32[np.ndarray, "N 4"], names: tuple[str, ...]) -> Int32[np.ndarray, "N 4"]:
    """From body's joints and the head's after them to the whole skeleton's numbers."""
    whole = _whole_names(names)
    table = [whole.index(name) for name in BODY_JOINTS] + [whole.index(name) for name in names]
    return np.array(table, np.int32)[chosen]


def _whole_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return ("root", *BODY_JOINTS, *(name for name in names if name not in ("root", "neck", "head")))


def _skin(model: BodyModel, surface: _Surface, kind: Kind) -> Draped:
    """The body's own skin, split at its UV seams."""
    at_ring = (model.head_vertex >= 0) & (model.below_neck == 1)
    deep = (model.covered_m[model.triangles].min(1) >= BARE_M) & ~at_ring[model.triangles].any(1)
    if kind == "bust":
        deep |= _on_arms(model)
    kept = ~deep
    corners = np.stack([model.triangles[kept].ravel(), model.triangle_uvs[kept].ravel()], axis=1)
    pairs, index = np.unique(corners, axis=0, return_inverse=True)
    rows = pairs[:, 0]
    joints, weights = four_strongest(surface.joined.weights[rows])
    return Draped(
        surface.joined.vertices[rows],
        surface.normals[rows],
        model.uvs[pairs[:, 1]],
        index.reshape(-1, 3).astype(np.int32),
        joints,
        weights,
    )


def _on_arms(model: BodyModel) -> Bool[np.ndarray, "F"]:
    arms = [k for k, name in enumerate(BODY_JOINTS) if name.startswith(("left", "right")) and "Shoulder" not in name]
    mostly = (np.isin(model.skin_joints, arms) * model.skin_weights).sum(1) > 0.5
    return mostly[model.triangles].any(1)


def face_source(head: HeadModel) -> Int32[np.ndarray, "N"]:
    """The head model's vertex behind each of the face mesh's: one per pair of vertex and UV, as the assembler splits them."""
    chosen = head.part("face")
    corners = np.stack([head.triangles[chosen].ravel(), head.triangle_uvs[chosen].ravel()], axis=1)
    return np.unique(corners, axis=0)[:, 0].astype(np.int32)


def _skeleton(own: Skeleton, joined: Joined, lift_m: float) -> Skeleton:
    names = _whole_names(own.names)
    parents = dict(PARENTS)
    for name, parent in zip(own.names, own.parents.tolist(), strict=True):
        if name not in ("root", "neck", "head"):
            parents[name] = own.names[parent]
    extra = [name for name in names if name not in PARENTS and name != "root"]
    places = np.concatenate(
        [
            np.array([[0.0, -lift_m, 0.0]], np.float32),
            joined.joints,
            own.positions[[own.names.index(name) for name in extra]].reshape(-1, 3),
        ]
    )
    return Skeleton(
        names,
        np.array([-1, *(names.index(parents[name]) for name in names[1:])], np.int32),
        _lifted(places, lift_m),
    )


def _below_root(part: Draped) -> Int32[np.ndarray, "N 4"]:
    return np.where(part.weights > 0, part.joints + 1, 0).astype(np.int32)


def _on_head_joints(part: Draped, names: tuple[str, ...]) -> Draped:
    """Hung on the head's own joints: neck and head, all else on the root."""
    table = np.array([names.index(name if name in ("neck", "head") else "root") for name in BODY_JOINTS])
    joints, weights = _merged(table[part.joints], part.weights, len(names))
    return replace(part, joints=joints, weights=weights)


def _fewer_joints(face: Mesh, names: tuple[str, ...]) -> Mesh:
    whole = _whole_names(names)
    table = np.array([names.index(name if name in names else "root") for name in whole])
    joints, weights = _merged(table[face.joints], face.weights, len(names))
    return replace(face, joints=joints, weights=weights)


def _merged(
    joints: np.ndarray, weights: Float32[np.ndarray, "N 4"], count: int
) -> tuple[Int32[np.ndarray, "N 4"], Float32[np.ndarray, "N 4"]]:
    wide = np.zeros((len(joints), count), np.float32)
    for slot in range(4):
        np.add.at(wide, (np.arange(len(joints)), joints[:, slot]), weights[:, slot])
    return four_strongest(wide)


def _lifted(positions: Float32[np.ndarray, "N 3"], lift_m: float) -> Float32[np.ndarray, "N 3"]:
    return positions + np.array([0, lift_m, 0], np.float32)


def _raised(part: Draped, lift_m: float) -> Draped:
    return replace(part, positions=_lifted(part.positions, lift_m))


def _carried(mesh: Mesh, dressed: Dressed, moved: Int32[np.ndarray, "J"]) -> Mesh:
    """Another of the head's meshes, on the new skeleton, moved up with it."""
    joints = np.where(mesh.weights > 0, moved[mesh.joints], 0).astype(np.int32)
    return replace(mesh, positions=_lifted(mesh.positions, dressed.lift_m), joints=joints)


def _mesh(name: str, part: Draped, material: Material) -> Mesh:
    return Mesh(
        name=name,
        positions=part.positions,
        normals=part.normals,
        uvs=part.uvs,
        triangles=part.triangles,
        material=material,
        morph_names=(),
        morphs=np.zeros((0, len(part.positions), 3), np.float32),
        joints=part.joints,
        weights=part.weights,
    )
