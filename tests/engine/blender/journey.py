"""Every operator of the extension, in the order in which an artist meets them.

usage: PYTHON_WITH_BPY journey.py REQUEST.json OUT.json       (the request: glb, csv, folder)
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).parent))
import extension
from edits import (
    bake_detail,
    follow_a_skin,
    look_who_followed,
    read_keys_of_keys,
    refit_by_hand,
    remesh_again,
    remesh_and_rederive,
    sculpt_and_rederive,
)
from extension import bpy, counts, house, np, refused, wait

ops = bpy.ops.avatar3d
kept: dict[str, Any] = {}


def install(asked: dict[str, Any]) -> dict[str, Any]:
    file = extension.build(Path(tempfile.mkdtemp()))
    extension.install(file)
    verbs = house("operators").CLASSES
    return {"bytes": file.stat().st_size, "names": sorted(zipfile.ZipFile(file).namelist()), "verbs": sorted(verb.bl_idname for verb in verbs),
            "there": sorted(f"avatar3d.{name}" for name in dir(ops))}  # fmt: skip


def refuse_without_avatar(asked: dict[str, Any]) -> dict[str, Any]:
    broken = Path(asked["folder"]) / "broken.glb"
    broken.write_bytes(Path(asked["glb"]).read_bytes()[:5000])
    before = counts()
    said = {
        name: refused(getattr(ops, name)) for name in ("sculpt", "rederive", "export_avatar", "start_live", "fit_pins")
    }
    said["import_broken"] = refused(ops.import_avatar, filepath=str(broken))
    said["import_missing"] = refused(ops.import_avatar, filepath=str(broken) + "x")
    return {"said": said, "unchanged": counts() == before}


def import_avatar(asked: dict[str, Any]) -> dict[str, Any]:
    bpy.ops.ed.undo_push(message="before")
    kept["empty"] = counts()
    ops.import_avatar(filepath=asked["glb"])
    scene, mesh, glb = house("scene"), house("mesh"), house("glb")
    avatar = scene.avatars()[0]
    told, have = glb.read(asked["glb"]), scene.parts(avatar)
    parts = {}
    for part in told.parts:
        thing = have[part.name]
        names, shapes = mesh.shapes(thing)
        rows = mesh.origin(thing.data)
        groups, weights = mesh.weights(thing)
        full = np.zeros((len(part.positions), len(groups)))
        np.add.at(full, (np.arange(len(full))[:, None], part.joints), part.weights)
        normals = np.empty(3 * len(thing.data.loops), np.float32)
        thing.data.corner_normals.foreach_get("vector", normals)
        corners, _ = mesh.polygons(thing.data)
        cosine = np.sum(mesh.to_gltf(normals.reshape(-1, 3)) * part.normals[rows][corners], axis=1)
        sizes = np.array([polygon.loop_total for polygon in thing.data.polygons])
        welded = len(np.unique(np.concatenate([part.positions, *part.shapes], axis=1), axis=0))
        parts[part.name] = {
            "label": thing.name, "names": names == part.shape_names, "quads": int((sizes == 4).sum()), "polygons": len(sizes),
            "vertices": len(rows), "welded": welded, "placed_m": np.abs(mesh.positions(thing) - part.positions[rows]).max(),
            "shapes_m": np.abs(shapes - part.shapes[:, rows]).max(initial=0),
            "weights": np.abs(weights - full[rows]).max(), "normals_deg": np.degrees(np.arccos(np.clip(cosine.min(), -1, 1))),
            "values": [key.value for key in thing.data.shape_keys.key_blocks] if names else [],
            "valid": not thing.data.validate(), "mirror": len(thing["avatar3d_mirror"]), "uvs": uv_off(thing, part),
        }  # fmt: skip
    rig = scene.rig(avatar)
    packed = {image.name: bytes(image.packed_file.data) for image in bpy.data.images if image.packed_file}
    mirror = np.array(have["face"]["avatar3d_mirror"])
    places = mesh.positions(have["face"])
    return {
        "parts": parts, "source": scene.source(avatar) == Path(asked["glb"]).read_bytes(),
        "pictures": all(packed.get(name) == data for name, _, data in told.images), "collections": len(bpy.data.collections),
        "bones": [bone.name for bone in rig.data.bones], "joints": list(told.joint_names),
        "turned_back": bool((mirror[mirror] == np.arange(len(mirror))).all()) if len(mirror) else None,
        "mirror_m": np.median(np.abs(places[mirror] * [-1, 1, 1] - places)) if len(mirror) else None,
        "licence": house("panel").licence(scene.facts(avatar)),
        "ungrouped": [n for n in told.parts[0].shape_names if house("panel").group_of(n) == "Others"],
    }  # fmt: skip


def uv_off(thing: bpy.types.Object, part: Any) -> float:
    """How far a corner's UV is from all that the file gives the vertices at its place."""
    mesh = house("mesh")
    _, place = np.unique(part.positions, axis=0, return_inverse=True)
    place = place.ravel()
    by_place = np.argsort(place, kind="stable")
    slot = np.empty(len(place), int)
    slot[by_place] = np.arange(len(place)) - np.searchsorted(place[by_place], place[by_place])
    table = np.full((place.max() + 1, slot.max() + 1, 2), np.inf)
    table[place, slot] = part.uvs
    there = place[mesh.origin(thing.data)][mesh.polygons(thing.data)[0]]
    return np.abs(table[there] - mesh.uvs(thing.data)[:, None]).max(axis=2).min(axis=1).max()


def undo_import(asked: dict[str, Any]) -> dict[str, Any]:
    bpy.ops.ed.undo_push(message="imported")
    there = counts()
    bpy.ops.ed.undo()
    gone = counts()
    bpy.ops.ed.redo()
    return {"gone": gone == kept["empty"], "back": counts() == there, "counts": [kept["empty"], gone, there, counts()]}


def follow_sliders(asked: dict[str, Any]) -> dict[str, Any]:
    scene = house("scene")
    avatar = scene.avatars()[0]
    scene.face(avatar).data.shape_keys.key_blocks["jawOpen"].value = 0.75
    bpy.context.view_layer.update()
    followed = {name: thing.data.shape_keys.key_blocks["jawOpen"].value
                for name, thing in scene.parts(avatar).items() if thing.data.shape_keys}  # fmt: skip
    ops.rest_face()
    bpy.context.view_layer.update()
    rested = max(key.value for thing in scene.parts(avatar).values() if thing.data.shape_keys
                 for key in thing.data.shape_keys.key_blocks)  # fmt: skip
    return {"followed": followed, "rested": rested}


class Layout:
    """Stands where Blender would draw: every operator and property that is shown must exist."""

    shown: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self

    def operator(self, name: str, **_: Any) -> Any:
        assert name.split(".")[1] in dir(ops), name
        self.shown.append(name)
        return self

    def prop(self, owner: Any, name: str, **_: Any) -> None:
        assert hasattr(owner, name), name
        self.shown.append(name)

    def label(self, *, text: str = "", **_: Any) -> None:
        self.shown.append(text)


def draw_panels(asked: dict[str, Any]) -> dict[str, Any]:
    """Each panel's own drawing, on paper: there is no window here."""
    shown = {}
    for each in house("panel").CLASSES:
        Layout.shown = []
        assert getattr(each, "poll", lambda _: True)(bpy.context)
        each.draw(SimpleNamespace(layout=Layout()), bpy.context)
        shown[each.bl_label] = Layout.shown
    return shown


def import_recording(asked: dict[str, Any]) -> dict[str, Any]:
    """Curves at the recording's own times."""
    scene, actions, faces = house("scene"), house("actions"), house("livelink_csv").read(asked["csv"])
    bpy.context.scene.render.fps = 24
    ops.import_recording(filepath=asked["csv"])
    avatar = scene.avatars()[0]
    keys, rig = scene.face(avatar).data.shape_keys, scene.rig(avatar)
    figures = take_figures(actions, keys, rig, faces)
    bpy.context.scene.frame_set(12)
    shown = keys.key_blocks["jawOpen"].value
    ops.push_take()
    tracks = [len(owner.animation_data.nla_tracks) for owner in (keys, rig)]
    bpy.context.scene.frame_set(12)
    pushed = keys.key_blocks["jawOpen"].value
    for owner in (keys, rig):
        owner.animation_data_clear()
    for action in list(bpy.data.actions):
        bpy.data.actions.remove(action)
    ops.rest_face()
    wrong = Path(asked["folder"]) / "wrong.csv"
    wrong.write_text("time,jawOpen\n0,1\n")
    return figures | {"shown": shown, "pushed": pushed, "tracks": tracks,
                      "wrong": refused(ops.import_recording, filepath=str(wrong))}  # fmt: skip


def take_figures(actions: Any, keys: Any, rig: Any, faces: list[Any]) -> dict[str, Any]:
    """How far the curves are from the frames they were made of."""
    names = house("wire_generated").ARKIT_NAMES
    stage = bpy.context.scene
    times = [
        (face.time_s - faces[0].time_s) * stage.render.fps / stage.render.fps_base + stage.frame_start for face in faces
    ]
    off = 0.0
    curves = {curve.data_path: curve for curve in actions.curves_of(keys.animation_data.action)}
    for at, name in enumerate(names):
        curve = curves[f'key_blocks["{name}"].value']
        found = [curve.evaluate(time) for time in times]
        off = max(off, float(np.abs(np.array(found) - [face.weights[at] for face in faces]).max()))
    turns = [c for c in actions.curves_of(rig.animation_data.action) if '"head"' in c.data_path]
    found = np.array([[curve.evaluate(time) for curve in turns] for time in times])
    sent = np.array([face.head_wxyz for face in faces])
    turned = float(np.abs(found * np.sign((found * sent).sum(1))[:, None] - sent).max())  # q and -q are one turn
    return {"frames": len(faces), "curves": len(curves), "weights_off": off, "head_off": turned}


def export(asked: dict[str, Any]) -> dict[str, Any]:
    file = Path(asked["folder"]) / "round.glb"
    scene = house("scene")
    avatar = scene.avatars()[0]
    scene.face(avatar).data.shape_keys.key_blocks["jawOpen"].value = 0.5
    before = [thing.name for thing in bpy.context.selected_objects]
    ops.export_avatar(filepath=str(file))
    said = wait()
    return {"file": str(file), "said": said, "kept": scene.face(avatar).data.shape_keys.key_blocks["jawOpen"].value,
            "selected": before == [thing.name for thing in bpy.context.selected_objects],
            "measured": house("exporting").compare(avatar, file.read_bytes())}  # fmt: skip


def export_a_take(asked: dict[str, Any]) -> dict[str, Any]:
    scene = house("scene")
    ops.import_recording(filepath=asked["csv"])
    file = Path(asked["folder"]) / "take.glb"
    ops.export_avatar(filepath=str(file), animation=True, check=False)
    avatar = scene.avatars()[0]
    keys = scene.face(avatar).data.shape_keys
    curves = {c.data_path: c for c in house("actions").curves_of(keys.animation_data.action)}
    curve = curves['key_blocks["jawOpen"].value']
    first, last = (int(value) for value in keys.animation_data.action.frame_range)
    jaw = [curve.evaluate(frame) for frame in range(first, last + 1)]
    for owner in (keys, scene.rig(avatar)):
        owner.animation_data_clear()
    for action in list(bpy.data.actions):
        bpy.data.actions.remove(action)
    ops.rest_face()
    return {"file": str(file), "jaw": jaw, "fps": bpy.context.scene.render.fps}


def planted_faults(asked: dict[str, Any]) -> dict[str, Any]:
    """Each fault is made, told, and mended."""
    scene, exporting, glb = house("scene"), house("exporting"), house("glb")
    avatar = scene.avatars()[0]
    head, teeth = scene.face(avatar), scene.parts(avatar)["teethLower"]
    file, said = Path(asked["folder"]) / "never.glb", {}
    key = head.data.shape_keys.key_blocks["jawOpen"]
    key.name = "jawOpened"
    said["renamed"] = refused(ops.check_avatar), refused(ops.export_avatar, filepath=str(file))
    key.name = "jawOpen"
    key.data[5].co.x = float("nan")
    said["nan"] = (refused(ops.check_avatar),)
    key.data[5].co.x = head.data.shape_keys.key_blocks[0].data[5].co.x
    teeth.location.x = 0.01
    bpy.context.view_layer.update()
    said["moved"] = (refused(ops.check_avatar),)
    teeth.location.x = 0
    bpy.context.view_layer.update()
    modifier = head.modifiers.new("Fine", "SUBSURF")
    said["modifier"] = (refused(ops.check_avatar),)
    head.modifiers.remove(modifier)
    groups = [group.name for group in teeth.vertex_groups]
    teeth.vertex_groups["jaw"].name = "nobody"
    said["bone"] = (refused(ops.check_avatar),)
    teeth.vertex_groups["nobody"].name = "jaw"
    # One number of one shape in the file, by two hundredths of a millimetre.
    told, binary = glb.chunks((Path(asked["folder"]) / "round.glb").read_bytes())
    face = next(each for each in told["meshes"] if each["name"] == "face")
    accessor = told["accessors"][face["primitives"][0]["targets"][17]["POSITION"]]
    at = told["bufferViews"][accessor["bufferView"]].get("byteOffset", 0) + accessor.get("byteOffset", 0)
    changed = bytearray(binary)
    numbers = np.frombuffer(changed, "<f4", accessor["count"] * 3, at)
    numbers[np.abs(numbers).argmax()] += 2e-5
    try:
        exporting.compare(avatar, glb.pack(told, bytes(changed)))
    except exporting.Broken as broken:
        said["corrupted"] = (str(broken),)
    ops.check_avatar()
    return {"said": said, "written": file.exists(), "groups": groups == [group.name for group in teeth.vertex_groups]}


def turn_bones(asked: dict[str, Any]) -> dict[str, Any]:
    """Each eye's bone by its own looks; and a take whose turns were sent as q and -q by turns."""
    scene, actions, apply, frame = (house(n) for n in ("scene", "actions", "apply", "frame"))
    names = house("wire_generated").ARKIT_NAMES
    left, right = (0.96, 0.28, 0.0, 0.0), (0.96, 0.0, 0.28, 0.0)
    turns = {}
    for looks in ("", "eyeLookInLeft", "eyeLookUpRight"):
        weights = np.array([0.5 * (name == looks) for name in names], np.float32)
        turned = apply.turns(frame.Face(0.0, weights, left_eye_wxyz=left, right_eye_wxyz=right))
        turns[looks] = turned["leftEye"] == left, turned["rightEye"] == right
    sent = [np.array([np.cos(at / 20), 0, np.sin(at / 20), 0]) * (1, -1, -1, 1)[at % 4] for at in range(8)]
    faces = [frame.Face(at / 60, np.zeros(52, np.float32), tuple(turn)) for at, turn in enumerate(sent)]
    avatar = scene.avatars()[0]
    made = actions.make_take(avatar, faces, "signs", fps=60, start=1)
    curves = [curve for curve in actions.curves_of(made[-1]) if '"head"' in curve.data_path]
    found = np.array([[point.co.y for point in curve.keyframe_points] for curve in curves]).T
    for owner in (scene.face(avatar).data.shape_keys, scene.rig(avatar)):
        owner.animation_data_clear()
    for action in made:
        bpy.data.actions.remove(action)
    return {"turns": turns, "off": np.abs(np.abs(found) - np.abs(sent)).max(),
            "least": np.sum(found[1:] * found[:-1], axis=1).min()}  # fmt: skip


def remove_and_disable(asked: dict[str, Any]) -> dict[str, Any]:
    for _ in house("scene").avatars():
        ops.remove_avatar()
    left = counts()
    session = house("session")
    bpy.ops.preferences.addon_disable(module=extension.MODULE)
    return {"left": left, "empty": kept["empty"], "timer": bpy.app.timers.is_registered(session.poll),
            "verbs": dir(ops), "settings": hasattr(bpy.types.WindowManager, "avatar3d"),
            "panels": [name for name in dir(bpy.types) if name.startswith("AVATAR3D")]}  # fmt: skip


STEPS = [
    install, refuse_without_avatar, import_avatar, undo_import, follow_sliders, draw_panels, import_recording, export, export_a_take,
    planted_faults, sculpt_and_rederive, look_who_followed, refit_by_hand, remesh_and_rederive, remesh_again, bake_detail,
    read_keys_of_keys, turn_bones, follow_a_skin, remove_and_disable,
]  # fmt: skip

if __name__ == "__main__":
    extension.run(STEPS, json.loads(Path(sys.argv[-2]).read_text()), Path(sys.argv[-1]))
