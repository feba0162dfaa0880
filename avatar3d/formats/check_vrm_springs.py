"""The rules of VRMC_springBone-1.0."""

from itertools import pairwise
from typing import Final

from avatar3d.formats.glb import GlbDocument, Json, is_index
from avatar3d.formats.vrm1 import SPRING_BONE
from avatar3d.formats.vrm_json import (
    Faults,
    Rule,
    at,
    parents_of_nodes,
    place_of,
    record,
    records,
    short,
    values,
    within,
)

_README: Final = "VRMC_springBone-1.0/README.md"


def _told(document: GlbDocument) -> Json | None:
    extensions = record(document.json.get("extensions"))
    return record(extensions[SPRING_BONE]) if SPRING_BONE in extensions else None


def _chains(document: GlbDocument, _extension: Json) -> Faults:
    told = _told(document)
    if told is None:
        return
    if told.get("specVersion") != "1.0":
        yield SPRING_BONE, f"is of version {short(told.get('specVersion'))}, expected '1.0'"
    parents, taken = parents_of_nodes(document), dict[int, int]()
    for index, spring in enumerate(records(told.get("springs"))):
        where = f"springs[{index}]"
        said = [joint.get("node") for joint in records(spring.get("joints"))]
        nodes = [node for node in said if is_index(node) and at(document, "nodes", node) is not None]
        if not nodes or len(nodes) < len(said):
            yield where, "has no joints, or one that is no node"
            continue
        for upper, lower in pairwise(nodes):
            above = parents.get(lower)
            while above is not None and above != upper:
                above = parents.get(above)
            if above is None:
                yield where, f"joint {lower} does not hang below {upper}, which comes before it"
        for node in nodes:
            if taken.setdefault(node, index) != index:
                yield where, f"joint {node} belongs to springs[{taken[node]}] as well"


def _forces(document: GlbDocument, _extension: Json) -> Faults:
    for index, spring in enumerate(records((_told(document) or {}).get("springs"))):
        for joint in records(spring.get("joints")):
            where = f"springs[{index}] joint {short(joint.get('node'))}"
            if not within(joint.get("hitRadius", 0.0), 0):
                yield where, f"has a hitRadius of {short(joint['hitRadius'])}, expected 0 or more"
            if not within(joint.get("stiffness", 1.0), 0):
                yield where, f"has a stiffness of {short(joint['stiffness'])}, expected 0 or more"
            if not within(joint.get("dragForce", 0.5), 0, 1):
                yield where, f"has a dragForce of {short(joint['dragForce'])}, expected 0 to 1"
            if "gravityDir" in joint and not place_of(joint["gravityDir"]):
                yield where, "has a gravityDir that is not three numbers"


def _colliders(document: GlbDocument, _extension: Json) -> Faults:
    told = _told(document)
    if told is None:
        return
    colliders, groups = records(told.get("colliders")), records(told.get("colliderGroups"))
    for index, collider in enumerate(colliders):
        shape = record(collider.get("shape"))
        kinds = [kind for kind in ("sphere", "capsule") if kind in shape]
        if at(document, "nodes", collider.get("node")) is None:
            yield f"colliders[{index}]", f"is on node {short(collider.get('node'))}, which does not exist"
        if len(kinds) != 1:
            yield f"colliders[{index}]", "is not either a sphere or a capsule"
        elif not within(record(shape[kinds[0]]).get("radius", 0.0), 0):
            yield (
                f"colliders[{index}]",
                f"has the radius {short(record(shape[kinds[0]])['radius'])}, expected 0 or more",
            )
    for index, group in enumerate(groups):
        if any(not within(each, 0, len(colliders) - 1) for each in values(group.get("colliders"))):
            yield f"colliderGroups[{index}]", f"names a collider beyond the {len(colliders)} that there are"
    for index, spring in enumerate(records(told.get("springs"))):
        if any(not within(each, 0, len(groups) - 1) for each in values(spring.get("colliderGroups"))):
            yield f"springs[{index}]", f"names a collider group beyond the {len(groups)} that there are"


SPRING_RULES: Final[tuple[Rule, ...]] = (
    Rule("springs", f"{_README}, Exception, joints", _chains),
    Rule("spring forces", f"{_README}, VRMC_springBone.springs[*].joints[*]", _forces),
    Rule("colliders", f"{_README}, VRMC_springBone.colliders", _colliders),
)
