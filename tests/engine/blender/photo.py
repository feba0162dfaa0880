"""From a photo: the avatar is made beside Blender, the camera stands where the photographer stood, a pin is dragged, the head follows.

usage: PYTHON_WITH_BPY photo.py REQUEST.json OUT.json      (photo, folder, picture)
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import extension
from bpy_extras.object_utils import world_to_camera_view
from extension import bpy, house, np, refused, wait

ops = bpy.ops.avatar3d
CHIN, DOWN_PX = 152, 9.0


def install(asked: dict[str, Any]) -> None:
    extension.install(extension.build(Path(tempfile.mkdtemp())))


def open_a_photo(asked: dict[str, Any]) -> dict[str, Any]:
    began = time.monotonic()
    ops.open_photo(filepath=asked["photo"], folder=asked["folder"])
    returned_s = time.monotonic() - began
    busy = refused(ops.open_photo, filepath=asked["photo"], folder=asked["folder"])
    said = wait(400)
    avatar = house("scene").avatars()[0]
    lens = bpy.context.scene.camera.data
    behind = lens.background_images[0]
    return {"said": said, "returned_s": returned_s, "busy": busy, "name": avatar.name, "shown": lens.show_background_images,
            "picture": list(behind.image.size), "packed": behind.image.packed_file is not None,
            "render": [bpy.context.scene.render.resolution_x, bpy.context.scene.render.resolution_y]}  # fmt: skip


def pins_lie_on_their_landmarks(asked: dict[str, Any]) -> dict[str, Any]:
    """Through Blender's own projection, and the head's surface below them."""
    scene, camera, pins = house("scene"), house("camera"), house("pins")
    avatar = scene.avatars()[0]
    record = scene.facts(avatar)["record"]
    landmarks, (wide, high) = pins.landmarks_of(record), camera.photo_size(record)
    bpy.context.view_layer.update()
    off, told = [], camera.pinned(avatar)
    for thing in avatar.objects:
        if camera.LANDMARK in thing:
            seen = world_to_camera_view(bpy.context.scene, bpy.context.scene.camera, thing.matrix_world.translation)
            x, y = landmarks[thing[camera.LANDMARK]]
            off.append(float(np.hypot(seen.x * wide - x, (1 - seen.y) * high - y)))
    same = max(float(np.hypot(told[at][0] - landmarks[at][0], told[at][1] - landmarks[at][1])) for at in told)
    graph = bpy.context.evaluated_depsgraph_get()
    head = scene.face(avatar).evaluated_get(graph).to_mesh()
    eye = np.array([v.co[:] for v in head.vertices])
    flat = [world_to_camera_view(bpy.context.scene, bpy.context.scene.camera, scene.face(avatar).matrix_world @ v.co)
            for v in head.vertices]  # fmt: skip
    seen = np.array([[each.x * wide, (1 - each.y) * high] for each in flat])
    chin = landmarks[CHIN]
    nearest = np.hypot(*(seen - chin).T).min()
    scale = wide / record["camera"]["width_px"]
    return {"pins": len(off), "off_px": max(off), "read_back_px": same, "chin_px": float(nearest), "vertices": len(eye),
            "face_px": float(np.ptp(seen[:, 0])), "scale": scale}  # fmt: skip


def fit_to_a_dragged_pin(asked: dict[str, Any]) -> dict[str, Any]:
    scene, camera, mesh = house("scene"), house("camera"), house("mesh")
    avatar = scene.avatars()[0]
    nothing = refused(ops.fit_pins)
    record = scene.facts(avatar)["record"]
    before = mesh.positions(scene.face(avatar))
    hash_before = scene.facts(avatar)["sha256"]
    for thing in avatar.objects:
        if thing.get(camera.LANDMARK) == CHIN:
            thing.location.y -= DOWN_PX / record["camera"]["focal_px"] * -thing.location.z
    bpy.ops.ed.undo_push(message="dragged")
    ops.fit_pins()
    job = house("session").NOW.job
    words, told = job.words, json.loads(Path(job.words[job.words.index("--pins") + 1]).read_text())
    began = time.monotonic()
    said = wait(120)
    waited = time.monotonic() - began
    after = mesh.positions(scene.face(scene.avatars()[0]))
    moved = after - before
    chin = int(np.argmin(np.abs(before[:, 0]) + np.abs(before[:, 1] + 0.075) - before[:, 2]))
    stays = scene.source(avatar) is not None and scene.facts(avatar)["sha256"] != hash_before
    faults = house("exporting").faults(avatar)
    bpy.ops.ed.undo()
    undone = mesh.positions(scene.face(scene.avatars()[0]))
    if asked.get("picture"):
        bpy.ops.ed.redo()
    return {"nothing": nothing, "said": said, "seconds": waited, "pins": told, "words": words[1:], "same_count": len(after) == len(before),
            "moved_mm": 1000 * float(np.abs(moved).max()), "chin_mm": 1000 * float(moved[chin, 1]), "source": stays, "faults": faults,
            "undone": bool(np.array_equal(undone, before))}  # fmt: skip


def place_pins_anew_and_remove_all(asked: dict[str, Any]) -> dict[str, Any]:
    """The photo again on the avatar that is there; then nothing of it is left."""
    before = extension.counts()
    ops.place_pins(filepath=asked["photo"], folder=asked["folder"])
    after = extension.counts()
    ops.remove_avatar()
    return {"before": before, "after": after, "left": extension.counts()}


def another_photo_is_refused(asked: dict[str, Any]) -> str:
    wrong = Path(asked["folder"]) / "wrong.png"
    image = bpy.data.images.new("wrong", 64, 64)
    image.filepath_raw, image.file_format = str(wrong), "PNG"
    image.save()
    return refused(ops.place_pins, filepath=str(wrong))


if __name__ == "__main__":
    steps = [
        install,
        open_a_photo,
        pins_lie_on_their_landmarks,
        fit_to_a_dragged_pin,
        another_photo_is_refused,
        place_pins_anew_and_remove_all,
    ]
    extension.run(steps, json.loads(Path(sys.argv[-2]).read_text()), Path(sys.argv[-1]))
