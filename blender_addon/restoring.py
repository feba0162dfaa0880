# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's exporter wrote, with the names, the order, the licence and the synthetic mark of the file that was imported. No bpy."""

from typing import Any

import numpy as np

from . import glb

_JOINT_TYPES = {5121: "<u1", 5123: "<u2"}


def restore(data: bytes, facts: dict[str, Any], part_of: dict[str, str], generator: str) -> bytes:
    """`part_of` tells which part an exported node's name belongs to; `facts` are those kept at import (scene.py)."""
    told, binary = glb.chunks(data)
    changed = bytearray(binary)
    order = {part: at for at, part in enumerate(facts.get("order", []))}
    nodes = told["nodes"]
    for node in nodes:
        part = part_of.get(node.get("name", ""))
        if part is None or "mesh" not in node:
            continue
        written = told["meshes"][node["mesh"]]
        written["name"] = part
        node["name"] = facts.get("nodes", {}).get(part) or part
        if names := written.get("extras", {}).get("targetNames"):
            for primitive in written["primitives"]:
                primitive["extras"] = {"targetNames": names}
    ranks = sorted(range(len(told["meshes"])), key=lambda at: order.get(told["meshes"][at]["name"], len(order)))
    told["meshes"] = [told["meshes"][at] for at in ranks]
    for node in nodes:
        if "mesh" in node:
            node["mesh"] = ranks.index(node["mesh"])
    _sort_joints(told, changed, facts.get("joints", []))
    _sort_nodes(told, facts.get("joints", []))
    _tidy_animations(told)
    told["scenes"][told.get("scene", 0)]["name"] = facts.get("name", "avatar")
    asset = told["asset"]
    asset["generator"] = generator
    asset |= {key: facts[key] for key in ("copyright", "extras") if facts.get(key)}
    return glb.pack(told, bytes(changed))


def _sort_joints(told: dict[str, Any], binary: bytearray, joints: list[str]) -> None:
    """The skin's joints in the skeleton's order: their matrices, and the numbers in JOINTS_0, go along."""
    for skin in told.get("skins", []):
        names = [told["nodes"][joint].get("name", "") for joint in skin["joints"]]
        order = sorted(
            range(len(names)), key=lambda at: joints.index(names[at]) if names[at] in joints else len(joints) + at
        )
        if order == list(range(len(names))):
            continue
        new = np.argsort(order)
        skin["joints"] = [skin["joints"][old] for old in order]
        matrices = _view(told, binary, skin["inverseBindMatrices"], "<f4", 16)
        matrices[:] = matrices[order]
        done = set()
        for mesh in told["meshes"]:
            for primitive in mesh["primitives"]:
                number = primitive["attributes"].get("JOINTS_0")
                if number is not None and number not in done:
                    done.add(number)
                    numbers = _view(told, binary, number, _JOINT_TYPES[told["accessors"][number]["componentType"]], 4)
                    weights = _view(told, binary, primitive["attributes"]["WEIGHTS_0"], "<f4", 4)
                    numbers[:] = np.where(weights > 0, new[numbers], 0)


def _view(told: dict[str, Any], binary: bytearray, number: int, kind: str, width: int) -> np.ndarray:
    """An accessor's rows, to be written into."""
    accessor = told["accessors"][number]
    at = told["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
    return np.frombuffer(binary, kind, accessor["count"] * width, at).reshape(-1, width)


def _tidy_animations(told: dict[str, Any]) -> None:
    """Blender writes the shapes that follow the head's sliders twice: once by their driver, once by their object."""
    for animation in told.get("animations", []):
        seen: set[tuple[int, str]] = set()
        channels, samplers = [], []
        for channel in animation["channels"]:
            target = channel["target"]["node"], channel["target"]["path"]
            if target not in seen:
                seen.add(target)
                samplers.append(animation["samplers"][channel["sampler"]])
                channels.append(channel | {"sampler": len(samplers) - 1})
        animation["channels"], animation["samplers"] = channels, samplers


def _sort_nodes(told: dict[str, Any], joints: list[str]) -> None:
    """Joints first, in the skeleton's order, then the meshes in theirs; whatever points at a node follows."""
    nodes = told["nodes"]
    rank = {name: at for at, name in enumerate(joints)}

    def place(at: int) -> tuple[int, int]:
        node = nodes[at]
        if "mesh" in node:
            return 1, node["mesh"]
        return (0, rank[node["name"]]) if node.get("name") in rank else (2, at)

    order = sorted(range(len(nodes)), key=place)
    new = {old: at for at, old in enumerate(order)}
    told["nodes"] = [nodes[old] for old in order]
    for node in told["nodes"]:
        if "children" in node:
            node["children"] = sorted(new[child] for child in node["children"])
    for skin in told.get("skins", []):
        skin["joints"] = [new[joint] for joint in skin["joints"]]
        if "skeleton" in skin:
            skin["skeleton"] = new[skin["skeleton"]]
    for each in told["scenes"]:
        each["nodes"] = sorted(new[node] for node in each["nodes"])
    for animation in told.get("animations", []):
        for channel in animation["channels"]:
            channel["target"]["node"] = new[channel["target"]["node"]]
