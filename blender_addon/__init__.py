# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""avatar3d in Blender: import, pins, sculpt and re-derive, live faces, export.

    client, bridge, websocket, vmc, livelink --> frame      no bpy: sockets, threads, bytes; tested without Blender
    glb, topology, livelink_csv, pins, job               no bpy: files and processes
    scene, mesh, rig, materials, apply, actions, camera  bpy: what an avatar is in a .blend
    operators/ (one file per verb), panel                bpy: what the artist presses

Nothing here imports the Python package avatar3d: its command line is called as a process.
"""


def register() -> None:
    from . import registry  # noqa: PLC0415, the files without bpy are imported where there is no Blender, too

    registry.register()


def unregister() -> None:
    from . import registry  # noqa: PLC0415, the same

    registry.unregister()
