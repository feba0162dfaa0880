"""Every operator of the extension, in the order in which an artist meets them.

usage: PYTHON_WITH_BPY journey.py REQUEST.json OUT.json       (the request: glb, csv, folder)
"""

import contextlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).parent))
import extension
from extension import bpy, counts, house, np, refused, wait

ops = bpy.ops.avatar3d
LOCKED = "mouthSmileLeft"
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


def sculpt_and_rederive(asked: dict[str, Any]) -> dict[str, Any]:
    scene, mesh, extract, rederiving = house("scene"), house("mesh"), house("extract"), house("rederiving")
    avatar = scene.avatars()[0]
    before_names, before = mesh.shapes(scene.face(avatar))
    moved = before.copy()
    key = scene.face(avatar).data.shape_keys.key_blocks[LOCKED]
    key.data[100].co.x += 0.001  # sculpted by hand
    moved[before_names.index(LOCKED)] = mesh.shapes(scene.face(avatar))[1][before_names.index(LOCKED)]
    ops.lock_key(key=LOCKED)
    painted = paint(scene.face(avatar))
    raise_brows(scene.face(avatar))
    ops.sculpt()
    copy = extract.edit_copy(avatar)
    settings = bpy.context.preferences.addons[extension.MODULE].preferences
    command, settings.command = settings.command, "/nowhere/avatar3d"
    lost = refused(ops.rederive)
    settings.command = command
    ops.rederive()
    busy = refused(ops.rederive)
    ops.cancel_job()
    cancelled = wait()
    ops.rederive()
    key.data[7].co.z += 0.002
    with contextlib.suppress(AssertionError):
        wait()
    meanwhile = house("session").NOW.said
    key.data[7].co.z -= 0.002
    places = np.empty(3 * len(copy.data.vertices), np.float32)
    copy.data.vertices.foreach_get("co", places)
    places = places.reshape(-1, 3)
    tip = places[places[:, 1].argmin()].copy()
    near = np.exp(-np.sum((places - tip) ** 2, axis=1) / 0.012**2)
    places[:, 1] -= 0.006 * near
    copy.data.vertices.foreach_set("co", places.ravel())
    ops.rederive()
    said = wait()
    head = scene.face(avatar)
    names, after = mesh.shapes(head)
    report = rederiving.report_of(head)
    shown = rederiving.lines(report)
    ops.check_avatar()
    check = house("session").NOW.said
    ops.discard_sculpt()
    return {
        "said": said, "names": names == (*before_names, "ownBrows"), "report": report, "shown": shown, "check": check,
        "lost": lost, "busy": busy, "cancelled": cancelled, "meanwhile": meanwhile,
        "own_off": np.abs(after[names.index("ownBrows")] - own_brows(mesh.positions(head))).max(),
        "nose_m": np.abs(mesh.positions(head)[:, 2].max() - float(-tip[1])),
        "locked_m": np.abs(after[:-1] - moved)[names.index(LOCKED)].max(),
        "locked_moved_m": np.abs(before - moved)[names.index(LOCKED)].max(),
        "others_m": np.median(np.abs(np.delete(after[:-1] - before, names.index(LOCKED), axis=0))),
        "painted_off": np.abs(shares(head)[1] - painted).max(),
    }  # fmt: skip


def own_brows(rest: np.ndarray) -> np.ndarray:
    """A shape of the artist's own: a bump of 4 mm above the nose, and nothing at its tip."""
    above = np.array([0, rest[rest[:, 2].argmax(), 1] + 0.06])
    brow = rest[np.argmin(np.linalg.norm(rest[:, :2] - above, axis=1) - rest[:, 2])]
    moved = np.zeros_like(rest)
    moved[:, 1] = 0.004 * np.exp(-np.sum((rest - brow) ** 2, axis=1) / 0.01**2)
    return moved


def raise_brows(head: bpy.types.Object) -> None:
    mesh = house("mesh")
    rest = mesh.positions(head)
    key = head.shape_key_add(name="ownBrows", from_mix=False)
    key.data.foreach_set("co", mesh.to_blender(rest + own_brows(rest)).astype(np.float32).ravel())
    key.slider_min, key.slider_max, key.value = -1.0, 2.0, 0.0
    driver = key.driver_add("value").driver
    driver.type = "AVERAGE"
    target = driver.variables.new().targets[0]
    target.id_type, target.id, target.data_path = "KEY", head.data.shape_keys, 'key_blocks["browInnerUp"].value'
    head.vertex_groups.new(name="mask").add([0, 1, 2], 0.7, "REPLACE")
    teeth = house("scene").parts(house("scene").avatars()[0])["teethLower"]
    teeth.shape_key_add(name="ownTeeth", from_mix=False).value = 0.0


def look_who_followed(asked: dict[str, Any]) -> dict[str, Any]:
    """After the sculpt: each other part is marked as one that followed, and is what it was then."""
    scene, building, marks = house("scene"), house("building"), house("rederiving").FOLLOWED
    parts = scene.parts(scene.avatars()[0])
    return {name: thing.get(marks) == building.state(thing) for name, thing in parts.items() if name != "face"}


def paint(head: bpy.types.Object) -> np.ndarray:
    """The head's shares after somebody gave the neck half of its crown."""
    crown = np.argsort(-house("mesh").positions(head)[:, 1])[:60].tolist()
    for group in head.vertex_groups:
        group.remove(crown)
    for name in ("head", "neck"):
        head.vertex_groups[name].add(crown, 0.5, "REPLACE")
    return shares(head)[1]


def shares(head: bpy.types.Object) -> tuple[tuple[str, ...], np.ndarray]:
    names, table = house("mesh").weights(head)
    bones = [at for at, name in enumerate(names) if name != "mask"]
    table = table[:, bones]
    return tuple(names[at] for at in bones), table / table.sum(axis=1, keepdims=True)


def at_nearest(surface: Any, shapes: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Displacements [K V 3] of a surface at other points [W 3]: those of its nearest point."""
    transfer = house("transfer")
    tree = transfer.BVHTree.FromPolygons(surface.positions.tolist(), surface.triangles.tolist())
    places, nearest = transfer._nearest(tree, positions)
    triangles = surface.triangles[nearest]
    share = transfer._barycentric(places, surface.positions[triangles])
    return np.einsum("wk,nwkd->nwd", share, shapes[:, triangles]).astype(np.float32)


def stretched_m(head: bpy.types.Object) -> list[float]:
    """The longest edge at rest, and with the jaw open: metres."""
    mesh = house("mesh")
    names, shapes = mesh.shapes(head)
    ends = np.array([edge.vertices[:] for edge in head.data.edges])
    rest = mesh.positions(head)
    return [
        np.linalg.norm(np.diff((rest + shape)[ends], axis=1)[:, 0], axis=1).max()
        for shape in (np.zeros_like(rest), shapes[names.index("jawOpen")])
    ]


def thinned(copy: bpy.types.Object, ratio: float) -> None:
    """Subdivided once and thinned: no vertex, edge or face is left where it was."""
    bpy.context.view_layer.objects.active = copy
    fine = copy.modifiers.new("Fine", "SUBSURF")
    fine.subdivision_type, fine.levels = "SIMPLE", 1
    thin = copy.modifiers.new("Thin", "DECIMATE")
    thin.ratio = ratio
    for modifier in ("Fine", "Thin"):
        bpy.ops.object.modifier_apply(modifier=modifier)


def refit_by_hand(asked: dict[str, Any]) -> dict[str, Any]:
    """A fit anew moves the head and leaves alone what hands made; so does a key that is relative to another."""
    scene, mesh, building, refit = (house(n) for n in ("scene", "mesh", "building", "refit"))
    avatar = scene.avatars()[0]
    head = scene.face(avatar)
    blocks = head.data.shape_keys.key_blocks
    blocks["ownBrows"].relative_key = blocks["jawOpen"]
    names, before = mesh.shapes(head)
    weights, own = shares(head)[1], [names.index("ownBrows"), names.index(LOCKED)]
    refit.apply(avatar, scene.source(avatar), {})
    after = mesh.shapes(head)[1]
    changes = building.changes(head)
    off = np.abs(after[own] - before[own]).max()
    blocks["ownBrows"].relative_key = blocks[0]
    rest = mesh.positions(head)
    mesh.set_shapes(head, ("ownBrows",), [own_brows(rest)])
    return {"off_m": off, "weights_off": np.abs(shares(head)[1] - weights).max(), "changes": sorted(changes)}


def remesh_and_rederive(asked: dict[str, Any]) -> dict[str, Any]:
    """Another topology: every triangle of the head cut anew, its vertices elsewhere on the surface, no UV."""
    scene, mesh, extract, rederiving = (house(n) for n in ("scene", "mesh", "extract", "rederiving"))
    avatar = scene.avatars()[0]
    head = scene.face(avatar)
    names, before = mesh.shapes(head)
    surface = extract._as_surface(head)
    extract.set_locked(head, [LOCKED, "jawOpen"])  # the key that glues the lips where they are taken for each other
    ops.sculpt()
    copy = extract.edit_copy(avatar)
    thinned(copy, 0.4)
    while copy.data.uv_layers:
        copy.data.uv_layers.remove(copy.data.uv_layers[0])
    ops.rederive()
    said = wait()
    head = scene.face(avatar)
    kept_lock = extract.locked(head) == ["jawOpen", LOCKED]
    extract.set_locked(head, [LOCKED])
    after_names, after = mesh.shapes(head)
    stretched = stretched_m(head)
    bones, weights = shares(head)
    crown = weights[mesh.positions(head)[:, 1].argmax(), bones.index("neck")]
    expected = at_nearest(surface, before, mesh.positions(head))
    off = np.linalg.norm(after - expected, axis=2)
    moving = np.linalg.norm(expected, axis=2) > 1e-4
    report = rederiving.report_of(head)
    uvs = mesh.uvs(head.data)
    starts = mesh.polygons(head.data)[1]
    span = [np.ptp(piece, axis=0).max() for piece in np.split(uvs, starts[1:])]
    ops.check_avatar()
    file = Path(asked["folder"]) / "remeshed.glb"
    ops.export_avatar(filepath=str(file), check=False)
    blend = Path(asked["folder"]) / "remeshed.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    driven = scene.parts(avatar)["teethLower"].data.shape_keys.animation_data.drivers[0].driver
    return {
        "said": said, "names": after_names == names, "vertices": len(head.data.vertices), "was": before.shape[1],
        "report": report, "median_mm": 1000 * np.median(off[moving]), "p95_mm": 1000 * np.percentile(off[moving], 95),
        "locked_m": np.percentile(off[names.index(LOCKED)], 99), "stretched_m": stretched, "uv_span": max(span), "uv_range": [uvs.min(), uvs.max()], "file": str(file), "blend": str(blend),
        "driven_by_head": driven.variables[0].targets[0].id == head.data.shape_keys,
        "kept_lock": kept_lock, "crown_of_neck": crown,
    }  # fmt: skip


def remesh_again(asked: dict[str, Any]) -> dict[str, Any]:
    """A head that was remeshed before: none of its vertices is the file's, and its keys were made on it."""
    scene, extract = house("scene"), house("extract")
    avatar = scene.avatars()[0]
    extract.set_locked(scene.face(avatar), ["jawOpen"])
    ops.sculpt()
    thinned(extract.edit_copy(avatar), 0.35)
    ops.rederive()
    said = wait()
    head = scene.face(avatar)
    extract.set_locked(head, [LOCKED])
    bones, weights = shares(head)
    rest = house("mesh").positions(head)
    file = Path(asked["folder"]) / "again.glb"
    ops.export_avatar(filepath=str(file), check=False)
    return {"said": said, "vertices": len(head.data.vertices), "stretched_m": stretched_m(head), "file": str(file),
            "exported": house("session").NOW.said, "crown_of_neck": weights[rest[:, 1].argmax(), bones.index("neck")],
            "driven": [curve.data_path for curve in head.data.shape_keys.animation_data.drivers],
            "range": [head.data.shape_keys.key_blocks["ownBrows"].slider_min, head.data.shape_keys.key_blocks["ownBrows"].slider_max],
            "own_m": dict(zip(*house("mesh").shapes(head), strict=True))["ownBrows"].max()}  # fmt: skip


def bake_detail(asked: dict[str, Any]) -> dict[str, Any]:
    """A ridge that only the fine copy has shows in the normal map where it is, and nowhere else."""
    scene, extract, materials, baking = (house(n) for n in ("scene", "extract", "materials", "baking"))
    avatar = scene.avatars()[0]
    head = scene.face(avatar)
    if extract.edit_copy(avatar):
        ops.discard_sculpt()
    nothing = refused(ops.bake_detail)
    ops.sculpt()
    copy = extract.edit_copy(avatar)
    fine = copy.modifiers.new("Fine", "SUBSURF")
    fine.subdivision_type, fine.levels = "SIMPLE", 2
    bpy.context.view_layer.objects.active = copy
    bpy.ops.object.modifier_apply(modifier="Fine")
    places = np.empty(3 * len(copy.data.vertices), np.float32)
    copy.data.vertices.foreach_get("co", places)
    places = places.reshape(-1, 3)
    brow = places[places[:, 1].argmin()] + np.array([0.0, 0.02, 0.055])  # the forehead, above the nose
    near = np.exp(-np.sum(((places - brow) / [0.03, 0.05, 0.004]) ** 2, axis=1))
    places[:, 1] -= 0.0015 * near
    copy.data.vertices.foreach_set("co", places.ravel())
    node = materials.picture_node(head.active_material, "Normal")
    old = tilted(node.image)
    before = counts()
    ops.bake_detail(size=512)
    new = baking._vectors(materials.picture_node(head.active_material, "Normal").image)
    new /= np.linalg.norm(new, axis=2, keepdims=True)  # eight bits: an arc cosine takes what is missing for degrees
    step = max(1, old.shape[0] // 512)
    turned = np.degrees(np.arccos(np.clip(np.sum(new * old[::step, ::step][:512, :512]
                                                 / np.linalg.norm(old[::step, ::step][:512, :512], axis=2, keepdims=True), axis=2), -1, 1)))  # fmt: skip
    after = counts()
    ops.discard_sculpt()
    return {"nothing": nothing, "turned_share": float((turned > 12).mean()), "most_deg": float(np.percentile(turned, 99.9)),
            "median_deg": float(np.median(turned)), "before": before, "after": after}  # fmt: skip


def tilted(picture: bpy.types.Image) -> np.ndarray:
    """The map with a detail of no symmetry in the place of its own; what it says then."""
    width, height = picture.size
    flat = np.ones((height, width, 4), np.float32)
    flat[..., 0] = 0.5 + 0.2 * np.sin(np.linspace(0, 5, width))
    flat[..., 1] = 0.5 + 0.15 * np.cos(np.linspace(0, 4, height))[:, None]
    flat[..., 2] = 0.5 + np.sqrt(0.25 - np.sum((flat[..., :2] - 0.5) ** 2, axis=2))
    picture.pixels.foreach_set(flat.ravel())
    return house("baking")._vectors(picture)


def read_keys_of_keys(asked: dict[str, Any]) -> dict[str, Any]:
    """A key may be relative to another one: its displacement is from there."""
    scene, mesh = house("scene"), house("mesh")
    head = scene.face(scene.avatars()[0])
    blocks = head.data.shape_keys.key_blocks
    names, before = mesh.shapes(head)
    at, to = names.index("mouthFunnel"), names.index("jawOpen")
    blocks["mouthFunnel"].relative_key = blocks["jawOpen"]
    after = mesh.shapes(head)[1]
    blocks["mouthFunnel"].relative_key = blocks[0]
    others = np.delete(np.arange(len(names)), at)
    return {"off_m": np.abs(after[at] - (before[at] - before[to])).max(), "apart_m": np.abs(before[to]).max(),
            "others_m": np.abs(after[others] - before[others]).max()}  # fmt: skip


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


def follow_a_skin(asked: dict[str, Any]) -> dict[str, Any]:
    """What a re-derivation says of the other parts and of the bones is done; sliders stay; bare vertices get their neighbours' bones."""
    scene, mesh, extract, rederiving, building = (
        house(n) for n in ("scene", "mesh", "extract", "rederiving", "building")
    )
    avatar = scene.avatars()[0]
    head, armature = scene.face(avatar), scene.rig(avatar)
    head.data.shape_keys.key_blocks["browInnerUp"].value = 0.4
    places = mesh.positions(head)
    bare = np.argsort(places[:, 1])[[0, len(places) // 3, len(places) - 1]].tolist()
    groups, table = mesh.weights(head)
    for group in head.vertex_groups:
        group.remove(bare)
    folder = Path(asked["folder"])
    extract.write(avatar, "face", folder / "bare.npz")
    with np.load(folder / "bare.npz", allow_pickle=False) as stored:
        edited = dict(stored)
    table = table[:, [groups.index(name) for name in map(str, edited["bone_names"])]]
    spread = np.zeros_like(table)
    np.add.at(spread, (np.arange(len(spread))[:, None], edited["bones"]), edited["bone_weights"])
    away = np.linalg.norm(places[bare][:, None] - places, axis=2)
    away[:, bare] = np.inf
    filled = np.abs(spread[bare] - table[away.argmin(axis=1)]).max()
    names, shapes = mesh.shapes(head)
    others = {name: thing for name, thing in scene.parts(avatar).items() if thing != head}
    joints = [bone.name for bone in armature.data.bones]
    result = {
        "names": np.array(names), "shapes": shapes, "joint_names": edited["bone_names"], "joints": edited["bones"],
        "weights": edited["bone_weights"], "follow_names": np.array(list(others)), "skeleton_names": np.array(joints),
        "skeleton_positions": bone_places(armature) + [0.0, 0.0, 0.002],
    }  # fmt: skip
    told = {part.name: part for part in house("glb").read(asked["glb"]).parts}
    for name in others:
        result[f"positions_{name}"] = told[name].positions + np.array([0.001, 0, 0], np.float32)
        if told[name].shape_names:
            result[f"shapes_{name}"] = told[name].shapes
    np.savez(folder / "moved.npz", **result)
    rederiving.apply(avatar, "face", folder / "bare.npz", folder / "moved.npz")
    off = {
        name: np.abs(mesh.positions(thing) - told[name].positions[mesh.origin(thing.data)] - [0.001, 0, 0]).max()
        for name, thing in others.items()
    }
    return {
        "off_m": off, "marked": all(thing.get(rederiving.FOLLOWED) == building.state(thing) for thing in others.values()),
        "bones_m": np.abs(bone_places(armature) - result["skeleton_positions"]).max(), "filled": filled,
        "replaced": "source" not in edited, "value": head.data.shape_keys.key_blocks["browInnerUp"].value,
    }  # fmt: skip


def bone_places(armature: bpy.types.Object) -> np.ndarray:
    """Where each bone begins [J 3], glTF axes."""
    return house("mesh").to_gltf(np.array([bone.head_local[:] for bone in armature.data.bones], np.float64))


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
