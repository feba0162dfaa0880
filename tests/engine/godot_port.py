"""The Godot 4 nodes in the language of Godot 3.2, so that what they do can be run: types are left out, names are the old ones.

What has no counterpart goes through godot/four.gd. It shows that the nodes' logic is right where the two engines do the same thing;
it does not show that Godot 4 runs them.
"""

import re
from pathlib import Path

_TYPE = r"[\w.]+(?:\[[\w.]+\])?"
_RULES: tuple[tuple[str, str], ...] = (
    (r"^@icon.*$|^@tool$|^class_name .*$", ""),
    (r"^@(?:export|onready)\w*(?:\([^)]*\))? ", ""),
    (rf"\b(var|const) (\w+): {_TYPE} =", r"\1 \2 ="),
    (rf"\bvar (\w+): {_TYPE}$", r"var \1"),
    (r"\bconst (\w+) :=", r"const \1 ="),
    (rf"\bfor (\w+): {_TYPE} in", r"for \1 in"),
    (rf"\) -> {_TYPE}:$", "):"),
    (rf"(?<=[(,]) ?(\w+): {_TYPE}(?=[,)])(?=.*:$)", r" \1"),
    (rf"^(signal \w+\()(\w+): {_TYPE}\)", r"\1\2)"),
    (r"\b(\w+)\.emit\((.*)\)$", r'emit_signal("\1", \2)'),
    (r", \)$", ")"),
    (r'&"', '"'),
    (r"\bWebSocketPeer\b", "Four.Peer"),
    (r"\bTLSOptions\b", "Four.Tls"),
    (r"\bJSON\.new\(\)", "Four.Json.new()"),
    (r"\bJSON\.stringify\(", "JSON.print("),
    (r"\bTime\.get_ticks", "OS.get_ticks"),
    (r"\bPackedStringArray\(", "PoolStringArray("),
    (r"\bPackedInt32Array\(\)", "[]"),
    (r"\b_udp\.bind\(", "_udp.listen("),
    (r"\.is_empty\(\)", ".empty()"),
    (r"\b(\w+) as Skeleton3D", r"(\1 if \1 is Skeleton else null)"),
    (r"\b(\w+) as MeshInstance3D", r"(\1 if \1 is MeshInstance else null)"),
    (r"\b([\w.]+) as ArrayMesh", r"\1"),
    (r"\b(\w+)\.find_blend_shape_by_name\(", r"Four.find_shape(\1, "),
    (r"(_meshes\[at\])\.set_blend_shape_value\(", r"Four.set_shape(\1, "),
    (r"\b(\w+)\.get_bone_global_rest\(", r"Four.global_rest(\1, "),
    (r"\b(\w+)\.set_bone_pose_rotation\(", r"Four.set_rotation(\1, "),
    (r"\.get_rotation_quaternion\(\)", ".get_rotation_quat()"),
    (r"\bQuaternion\.IDENTITY", "Quat()"),
    (r"\bQuaternion\(", "Quat("),
    (r"\bXRFaceTracker\.(FT_\w+)", r'"\1"'),
    (r"\bXRFaceTracker\b", "Four.Tracker"),
    (r"\bXRServer\.", "Four."),
    (r"\b(\w+)\.append_array\((.*)\)$", r"\1 += \2"),
    (r"\b(\w+)\.contains\((\"?\w+\"?)\)", r"(\2 in \1)"),
    (r"^extends RefCounted$", "extends Reference"),
)


def ported(script: Path) -> str:
    """The script for Godot 3.2. AssertionError where a type or an annotation is left."""
    lines = []
    for line in script.read_text().splitlines():
        code = line.split("##")[0].rstrip()
        for pattern, replacement in _RULES:
            code = re.sub(pattern, replacement, code)
        lines.append(code)
    text = "\n".join(lines) + "\n"
    text = text.replace("extends Node\n", 'extends Node\n\nconst Four = preload("res://four.gd")\n', 1)
    left = re.findall(r"^\s*@.*|\w+: (?:[A-Z]\w+|int|float|bool)\b.*=.*|\b\w+3D\b|Packed\w+Array", text, re.MULTILINE)
    assert left == [], left
    return text
