"""What both versions of VRM ask of bones and of the pose at rest.

1.0: VRMC_vrm-1.0/humanoid.md and tpose.md; 0.x: 0.0/README.md, "VRM rules" and "Defined bones".
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.humanoid import NEEDS_PARENT, PARENTS, REQUIRED, REQUIRED_0, THUMBS_0, nearest_parent
from avatar3d.formats.glb import GlbDocument, Json, is_index
from avatar3d.formats.vrm_json import Faults, at, node_places, parents_of_nodes, record, records, short, values

Bones = list[tuple[str, object]]
"""Names of VRM 1.0 as said, in order, and the nodes they name."""
_ARM_COSINE: Final = 0.97
"""Of an arm with the x axis: 14 degrees off is no T-pose any more."""
_ANKLE_M: Final = (-0.02, 0.30)
"""Height of the feet's joints over the ground."""
_OLD_THUMBS: Final[Mapping[str, str]] = {old: new for new, old in THUMBS_0.items()}


def bones_1(extension: Json) -> Bones:
    """Of VRMC_vrm.humanoid.humanBones."""
    told = record(record(extension.get("humanoid")).get("humanBones"))
    return [(name, record(bone).get("node")) for name, bone in told.items()]


def bones_0(extension: Json) -> Bones:
    """Of VRM.humanoid.humanBones, thumbs called as in 1.0."""
    told = records(record(extension.get("humanoid")).get("humanBones"))
    names = [str(bone.get("bone")) for bone in told]
    return [(_OLD_THUMBS.get(name, name), bone.get("node")) for name, bone in zip(names, told, strict=True)]


def _sound(document: GlbDocument, bones: Bones) -> dict[str, int]:
    """Bones that are known, and whose nodes exist."""
    return {
        name: node
        for name, node in bones
        if name in PARENTS and is_index(node) and at(document, "nodes", node) is not None
    }


def bone_rules(bones_of: Callable[[Json], Bones], *, of_0: bool) -> dict[str, Callable[[GlbDocument, Json], Faults]]:
    """The rules by name, for one version."""
    required = REQUIRED_0 if of_0 else REQUIRED

    def there(document: GlbDocument, extension: Json) -> Faults:
        found = _sound(document, bones_of(extension))
        for bone in required:
            if bone not in found:
                yield bone, f"the humanoid bone {bone} is required and names no node"

    def known(document: GlbDocument, extension: Json) -> Faults:
        for name, node in bones_of(extension):
            if name not in PARENTS:
                yield name, "is not the name of a humanoid bone"
            elif at(document, "nodes", node) is None:
                yield name, f"names node {short(node)}, which does not exist"

    def unique(_document: GlbDocument, extension: Json) -> Faults:
        bones = bones_of(extension)
        for name, count in Counter(name for name, _ in bones).items():
            if count > 1:
                yield name, f"is given {count} times"
        for node, count in Counter(str(node) for _, node in bones).items():
            if count > 1:
                yield f"node {node}", f"is {count} bones at once"

    def tree(document: GlbDocument, extension: Json) -> Faults:
        found, parents = _sound(document, bones_of(extension)), parents_of_nodes(document)
        bone_of = {node: name for name, node in found.items()}
        for bone, node in found.items():
            above = parents.get(node)
            while above is not None and above not in bone_of:
                above = parents.get(above)
            is_ = bone_of[above] if above is not None else ""
            expected = nearest_parent(bone, set(found))
            if is_ != expected:
                yield bone, f"hangs on {is_ or 'no bone'}, expected {expected or 'no bone'}"
            if bone in NEEDS_PARENT and PARENTS[bone] not in found:
                yield bone, f"may only be there together with {PARENTS[bone]}"

    def pose(document: GlbDocument, extension: Json) -> Faults:
        found, places = _sound(document, bones_of(extension)), node_places(document)
        yield from _pose_faults({bone: places[node] for bone, node in found.items()}, -1.0 if of_0 else 1.0)

    return {"bones": there, "bone names": known, "bones once": unique, "bone tree": tree, "T-pose": pose}


def _pose_faults(places: Mapping[str, Float64[np.ndarray, "3"]], front: float) -> Faults:
    """`front` is 1 where the model looks to +Z; its left is then at +X."""
    for side, sign in (("left", front), ("right", -front)):
        shoulder, hand = places.get(f"{side}UpperArm"), places.get(f"{side}Hand")
        if shoulder is not None and hand is not None:
            arm = hand - shoulder
            cosine = sign * arm[0] / max(float(np.linalg.norm(arm)), 1e-9)
            if cosine < _ARM_COSINE:
                yield f"{side}Hand", f"the arm does not point along {'+' if sign > 0 else '-'}x"
        foot = places.get(f"{side}Foot")
        if foot is not None and not _ANKLE_M[0] <= foot[1] <= _ANKLE_M[1]:
            yield f"{side}Foot", f"is {foot[1]:.2f} m over y = 0, which is the ground"
    hips, head = places.get("hips"), places.get("head")
    if hips is not None and head is not None and head[1] <= hips[1]:
        yield "head", "is not above the hips"
    eye = places.get("leftEye")
    if eye is not None and head is not None and front * (eye[2] - head[2]) <= 0:
        yield "leftEye", f"is not before the head along {'+' if front > 0 else '-'}z"


def uneven_scale(document: GlbDocument, _extension: Json) -> Faults:
    """Scales that are not positive and the same along all axes."""
    for index, node in enumerate(document.items("nodes")):
        scale = values(node.get("scale", [1, 1, 1]))
        if not (len(set(map(str, scale))) == 1 and isinstance(scale[0], int | float) and scale[0] > 0):
            yield f"nodes[{index}]", f"is scaled by {short(scale)}"


def turned_or_scaled(document: GlbDocument, extension: Json) -> Faults:
    """Bones of VRM 0.x that rest turned or scaled."""
    for bone, node in _sound(document, bones_0(extension)).items():
        said = document.items("nodes")[node]
        if (
            values(said.get("rotation", [0, 0, 0, 1])) != [0, 0, 0, 1]
            or values(said.get("scale", [1, 1, 1])) != [1, 1, 1]
            or "matrix" in said
        ):
            yield bone, "has a rotation or a scale at rest"
