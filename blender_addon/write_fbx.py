# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For `avatar3d export --format fbx`: a GLB of avatar3d as FBX 7.4, binary, by Blender's own exporter.

    PYTHON_WITH_BPY write_fbx.py AVATAR.glb OUT.fbx
    blender --background --factory-startup --python write_fbx.py -- AVATAR.glb OUT.fbx

Shape keys, skin, materials and pictures (embedded) go with it; no leaf bones, no animation, no modifier applied: that would drop the
shape keys. Metres, +Y up, face to +Z; centimetres inside, as FBX counts, so that Unity and Unreal import it at scale 1.
The same GLB gives the same bytes: Blender's clock is stopped, and PYTHONHASHSEED, which its ids come from, is the caller's.
"""

import datetime
import os
import re
import sys
import tempfile

_WHEN = datetime.datetime(2000, 1, 1)


class _StoppedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return _WHEN


def _picture_names(images) -> dict:
    """A file name for each picture, by the name Blender knows it by; without one Blender embeds but the first."""
    suffixes = {"JPEG": "jpg"}
    return {
        image.name: f"{re.sub('[^A-Za-z0-9_]', '_', image.name)}.{suffixes.get(image.file_format, 'png')}"
        for image in images
    }


def main(source: str, target: str) -> int:
    os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="avatar3d-"))
    import bpy  # noqa: I001, PLC0415, the line above comes first
    import addon_utils  # noqa: PLC0415, bpy makes it importable

    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("io_scene_fbx")
    bpy.ops.import_scene.gltf(filepath=source, disable_bone_shape=True)
    scene = bpy.context.scene
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", 1.0
    for thing in list(bpy.data.objects):
        if thing.type == "MESH" and not any(each.type == "ARMATURE" for each in thing.modifiers):
            bpy.data.objects.remove(thing)  # what the importer drew to stand for bones
    from io_scene_fbx import export_fbx_bin  # noqa: PLC0415

    export_fbx_bin.datetime = type("Clock", (), {"datetime": _StoppedClock})
    names = _picture_names(bpy.data.images)
    export_fbx_bin._gen_vid_path = lambda image, _scene: (names[image.name],) * 2  # no path of this machine
    bpy.ops.export_scene.fbx(
        filepath=target, object_types={"ARMATURE", "MESH"}, use_mesh_modifiers=False, add_leaf_bones=False, bake_anim=False,
        axis_forward="-Z", axis_up="Y", apply_unit_scale=True, apply_scale_options="FBX_SCALE_ALL", bake_space_transform=False,
        mesh_smooth_type="OFF", use_tspace=False, use_triangles=False, path_mode="COPY", embed_textures=True,
        use_armature_deform_only=False, armature_nodetype="NULL",
    )  # fmt: skip
    print(target, flush=True)  # noqa: T201, the answer
    return 0


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    code = main(*words)
    sys.stdout.flush()
    os._exit(code)  # bpy as a module does its work and then may not exit
