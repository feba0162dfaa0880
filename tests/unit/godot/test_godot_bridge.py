"""godot_bridge without an engine: its scripts are Godot 4's language, its names Godot 4's names, its scene a scene. Not run."""

import configparser
import re
import shutil
from pathlib import Path

import pytest
from gdtoolkit.parser import parser
from lark.exceptions import LarkError

from avatar3d.core.blendshapes import ARKIT_NAMES
from tests.unit.godot.gdscript import CLASSES, Project
from tests.unit.godot.scene import read_scene
from tools.bindings_gdscript import xr_sums

BRIDGE = Path(__file__).parents[3] / "godot_bridge"
ADDON = BRIDGE / "addons/avatar3d"
SCENE = BRIDGE / "demo/talking_head.tscn"
SHARED = ("wire_generated.gd", "reader.gd", "session.gd", "keeper.gd")
"""These run in Godot 3.2, too (tests/engine/test_godot.py)."""
MODIFIER_NAMES = {
    line.split()[0]: line.split()[1] for line in Path(__file__).with_name("xr_face_modifier.txt").read_text().splitlines()
    if line and not line.startswith("#")
}  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BRIDGE, tmp_path / "bridge"))


def test_every_script_is_gdscript_of_godot_4_and_names_what_exists() -> None:
    assert Project(BRIDGE).faults() == []


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        ("avatar3d_receiver.gd", "get_ready_state()", "get_state()", "WebSocketPeer has no get_state"),
        ("avatar3d_receiver.gd", "_session.asks(", "_session.ask(", "Session has no ask"),
        ("avatar3d_receiver.gd", "_frame.media_time_s", "_frame.time_s", "Wire.Frame has no time_s"),
        ("avatar3d_receiver.gd", "_udp.bind(", "_udp.listen(", "PacketPeerUDP has no listen"),
        ("avatar3d_face.gd", "XRServer.add_tracker", "XRServer.add_face_tracker", "XRServer has no add_face_tracker"),
        (
            "avatar3d_face.gd",
            "array_mesh.get_blend_shape_name",
            "array_mesh.get_shape_name",
            "ArrayMesh has no get_shape_name",
        ),
        ("avatar3d_face.gd", "var skeleton: Skeleton3D", "var skeleton: Skeleton", "Skeleton is no known type"),
        ("avatar3d_face.gd", "receiver.moves", "receiver.moved", "Avatar3DReceiver has no moved"),
        ("avatar3d_face.gd", "_head = _joint(", "_head = _join(", "_join() is no function"),
        ("wire/xr_face_generated.gd", "FT_JAW_OPEN", "FT_JAW_OPENS", "XRFaceTracker has no FT_JAW_OPENS"),
        ("plugin.gd", "commit_action", "commit", "EditorUndoRedoManager has no commit"),
    ],
)
def test_a_name_that_does_not_exist_is_found(copy: Path, file: str, right: str, wrong: str, told: str) -> None:
    script = copy / "addons/avatar3d" / file
    assert right in script.read_text()
    script.write_text(script.read_text().replace(right, wrong, 1))
    assert any(told in fault for fault in Project(copy).faults())


def test_what_is_no_gdscript_is_found() -> None:
    with pytest.raises(LarkError):
        parser.parse("func f() -> int\n\treturn 1\n")


def test_what_runs_in_godot_3_and_4_uses_only_what_both_have() -> None:
    """Godot 3.2 itself refuses what is Godot 4's alone; what is Godot 3's alone, and parses, is looked for here."""
    only_3 = r"\b(Pool\w+Array|Reference|yield|export|onready|setget|instance|empty|subarray|push_error|print|to_utf8|JSON|File|OS)\b"
    for name in SHARED:
        code = "\n".join(line.split("#")[0] for line in (ADDON / "wire" / name).read_text().splitlines())
        assert re.findall(only_3, code) == [], name
        assert not re.search(r"^(extends|class_name|@|static var)", code, re.MULTILINE), name


def test_the_scene_is_whole() -> None:
    sections = read_scene(SCENE)
    project = Project(BRIDGE)
    paths = {section.words["id"]: section.words["path"] for section in sections if section.kind == "ext_resource"}
    for path in paths.values():
        assert (BRIDGE / path.removeprefix("res://")).is_file()
    for section in sections[1:]:
        if section.kind == "ext_resource":
            continue
        kind = section.words["type"]
        for name, value in section.values.items():
            if name == "script":
                path = BRIDGE / paths[value.split('"')[1]].removeprefix("res://")
                script = project.scripts[path]
                assert script.extends == kind
                kind = script.name
            else:
                assert project.member(kind, name, next(iter(project.scripts))) is not None, f"{kind} has no {name}"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('ExtResource("3")', 'ExtResource("4")'),
        ('NodePath("../Receiver")', 'NodePath("../Reciever")'),
        ("load_steps=5", "load_steps=4"),
        ("Color(1, 1, 1, 1)", "Color(1, 1, 1)"),
        ('"Light" type="DirectionalLight3D" parent="."', '"Light" type="DirectionalLight3D" parent="Nowhere"'),
        ("fov = 28.0", "fov = twenty"),
        ('[node name="Status"', '[node name="Face"'),
    ],
)
def test_a_broken_scene_is_found(right: str, wrong: str, tmp_path: Path) -> None:
    text = SCENE.read_text()
    assert right in text
    broken = text.replace(right, wrong, 1)
    (tmp_path / "broken.tscn").write_text(broken)
    with pytest.raises(ValueError, match=r"broken\.tscn"):
        read_scene(tmp_path / "broken.tscn")


def test_plugin_and_project_point_to_what_is_there() -> None:
    plugin = configparser.ConfigParser()
    plugin.read(ADDON / "plugin.cfg")
    assert (ADDON / plugin["plugin"]["script"].strip('"')).is_file()
    assert set(plugin["plugin"]) == {"name", "description", "author", "version", "script"}
    project = (BRIDGE / "project.godot").read_text()
    assert "config_version=5" in project
    for path in re.findall(r'"res://([^"]+)"', project):
        assert (BRIDGE / path).is_file()
    for script in ADDON.rglob("*.gd"):
        for path in re.findall(r'(?:preload|@icon)\("([^"]+)"\)', script.read_text()):
            place = BRIDGE / path.removeprefix("res://") if path.startswith("res://") else script.parent / path
            assert place.is_file(), f"{script.name}: {path}"


def test_the_engine_finds_51_of_the_52_names_by_itself_and_the_tracker_is_fed_for_each() -> None:
    """XRFaceModifier3D compares names in small letters without underscores with a table of its own; browInnerUp is not in it."""
    sums = xr_sums()
    left_out = []
    for name in ARKIT_NAMES:
        entry = MODIFIER_NAMES.get(name.lower())
        if entry is None:
            left_out.append(name)
            continue
        assert sums[entry] == {name: 1.0}, f"{entry} is fed {sums.get(entry)}"
    assert left_out == ["browInnerUp"]
    assert sums["FT_BROW_INNER_UP_LEFT"] == sums["FT_BROW_INNER_UP_RIGHT"] == {"browInnerUp": 1.0}


def test_every_entry_of_the_tracker_that_is_fed_exists_and_stays_within_0_and_1() -> None:
    for entry, terms in xr_sums().items():
        assert entry in CLASSES["XRFaceTracker"]["members"]
        assert sum(terms.values()) == pytest.approx(1)
        assert all(share > 0 for share in terms.values())
