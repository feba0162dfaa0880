"""A strict reader of Godot's text scenes (.tscn, format 3), as far as ours go: what it does not know is an error."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_HEADER = re.compile(
    r"^\[(gd_scene|ext_resource|sub_resource|node)((?: \w+=(?:\"[^\"]*\"|\d+|PackedStringArray\([^)]*\)))*)\]$"
)
_WORD = re.compile(r"(\w+)=(\"[^\"]*\"|\d+|PackedStringArray\([^)]*\))")
_VALUE = re.compile(
    r"^(-?\d+(\.\d+)?|true|false|\"[^\"]*\"|(?:Color|Transform3D)\([-\d., ]+\)|NodePath\(\"[^\"]*\"\)"
    r"|(?:Ext|Sub)Resource\(\"\w+\"\))$"
)
_NUMBERS = {"Color": 4, "Transform3D": 12}


@dataclass
class Section:
    kind: str
    words: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)


def read_scene(path: Path) -> list[Section]:
    """Its sections. Raises ValueError where it is malformed, or refers to what is not there."""
    sections: list[Section] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        if header := _HEADER.match(line):
            words = {name: value.strip('"') for name, value in _WORD.findall(header[2])}
            sections.append(Section(header[1], words))
            continue
        name, equals, value = line.partition(" = ")
        if not (equals and sections and name.replace("/", "_").isidentifier() and _VALUE.match(value)):
            raise ValueError(f"{path.name}:{number}: {line!r} is neither a section nor a value")
        kind = value.partition("(")[0]
        if kind in _NUMBERS and value.count(",") + 1 != _NUMBERS[kind]:
            raise ValueError(f"{path.name}:{number}: {kind} has {_NUMBERS[kind]} numbers")
        if name in sections[-1].values:
            raise ValueError(f"{path.name}:{number}: {name} twice")
        sections[-1].values[name] = value
    _check(path, sections)
    return sections


def _check(path: Path, sections: list[Section]) -> None:
    kinds = [section.kind for section in sections]
    order = ["gd_scene", "ext_resource", "sub_resource", "node"]
    if kinds != sorted(kinds, key=order.index) or kinds.count("gd_scene") != 1:
        raise ValueError(f"{path.name}: sections in the order {kinds}")
    resources = [section for section in sections if section.kind.endswith("_resource")]
    if int(sections[0].words["load_steps"]) != len(resources) + 1 or sections[0].words["format"] != "3":
        raise ValueError(f"{path.name}: load_steps is {len(resources) + 1}, format 3")
    known = {(section.kind[:3], section.words["id"]) for section in resources}
    nodes = [section for section in sections if section.kind == "node"]
    for section in sections:
        for name, value in section.values.items():
            if (told := re.match(r"(Ext|Sub)Resource\(\"(\w+)\"\)", value)) and (told[1].lower(), told[2]) not in known:
                raise ValueError(f"{path.name}: {name} refers to {value}, which is not there")
            if (told := re.match(r"NodePath\(\"\.\./(\w+)\"\)", value)) and told[1] not in {
                n.words["name"] for n in nodes
            }:
                raise ValueError(f"{path.name}: {name} points to {told[1]}, which is not there")
    if "parent" in nodes[0].words or any(node.words.get("parent") != "." for node in nodes[1:]):
        raise ValueError(f"{path.name}: one root, everything else below it")
    if len({node.words["name"] for node in nodes}) != len(nodes):
        raise ValueError(f"{path.name}: two nodes of one name")
