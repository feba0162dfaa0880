"""What Blender sees in a GLB or an FBX: every shape and every pose, as vertex positions of the evaluated objects.

usage: PYTHON_WITH_BPY read_blender.py FILE REQUEST.json OUT_FOLDER      (the formats are in motion.py)

Runs in its own process and Python: beside mediapipe or torch, bpy does its work and then does not exit.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()  # before bpy: no settings of this user, none left behind
import bpy
from mathutils import Matrix, Quaternion

# Blender is z-up and its glTF importer turns y to z and z to -y.
BLENDER_FROM_GLTF = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)


def main(file: str, request_file: str, out: str) -> None:
    poses = json.loads(Path(request_file).read_text())["poses"]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if file.endswith(".fbx"):
        import addon_utils

        addon_utils.enable("io_scene_fbx")
        bpy.ops.import_scene.fbx(filepath=file, use_anim=False)
    else:
        bpy.ops.import_scene.gltf(filepath=file, disable_bone_shape=True)
    armature = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE")
    meshes = []
    for thing in sorted(
        (thing for thing in bpy.data.objects if thing.type == "MESH" and thing.data.polygons),
        key=lambda thing: thing.name,
    ):
        keys = thing.data.shape_keys
        names = [key.name for key in keys.key_blocks[1:]] if keys else []
        pose(armature, {})
        rest = positions(thing, {})
        shapes = [positions(thing, {name: 1.0}) - rest for name in names]
        posed = []
        for asked in poses:
            pose(armature, asked["rotations"])
            posed.append(positions(thing, asked["weights"]))
        path = Path(out) / f"mesh{len(meshes)}.f32"
        np.concatenate([rest, *shapes, *posed]).astype("<f4").tofile(path)
        meshes.append(
            {"name": thing.name, "shapes": names, "poses": len(poses), "vertices": len(rest), "file": path.name}
        )
    told = {
        "engine": f"Blender {bpy.app.version_string}",
        "meshes": meshes,
        "bones": [bone.name for bone in armature.data.bones],
        "pictures": sorted(image.name for image in bpy.data.images if image.size[0]),
    }
    (Path(out) / "motion.json").write_text(json.dumps(told))


def pose(armature, rotations: dict) -> None:
    """Turn bones in the avatar's axes about their joints; the importer gave them axes of its own.

    A bone's children must follow, so bones are set from the root on: world = parent's motion, then its own turn.
    """
    motions = {}
    for bone in armature.pose.bones:  # parents come first
        turn = BLENDER_FROM_GLTF @ matrix(rotations.get(bone.name, [1, 0, 0, 0])) @ BLENDER_FROM_GLTF.T
        joint = np.array(bone.bone.matrix_local.translation, np.float64)
        own = np.eye(4)
        own[:3, :3], own[:3, 3] = turn, joint - turn @ joint
        motions[bone.name] = (motions[bone.parent.name] if bone.parent else np.eye(4)) @ own
        # In armature space a bone is rest then motion; matrix_basis is that, relative to the posed parent.
        rest = np.array(bone.bone.matrix_local, np.float64)
        parent_rest = np.array(bone.parent.bone.matrix_local, np.float64) if bone.parent else np.eye(4)
        parent_posed = motions[bone.parent.name] @ parent_rest if bone.parent else np.eye(4)
        basis = np.linalg.inv(parent_posed @ np.linalg.inv(parent_rest) @ rest) @ motions[bone.name] @ rest
        bone.matrix_basis = Matrix(basis.tolist())


def matrix(wxyz: list) -> np.ndarray:
    return np.array(Quaternion(wxyz).to_matrix(), np.float64)


def positions(thing, weights: dict) -> np.ndarray:
    """Evaluated vertices in the avatar's axes, float64 [V 3]."""
    if thing.data.shape_keys:
        for key in thing.data.shape_keys.key_blocks[1:]:
            key.value = weights.get(key.name, 0.0)
    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    evaluated = thing.evaluated_get(graph)
    mesh = evaluated.to_mesh()
    flat = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", flat)
    world = np.array(evaluated.matrix_world, np.float64)
    evaluated.to_mesh_clear()
    return (flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]) @ BLENDER_FROM_GLTF


main(*sys.argv[-3:])
