# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that Blender must know of, and forget again."""

import bpy

from . import operators, panel, session, settings


def register() -> None:
    settings.register()
    for each in (*operators.CLASSES, *panel.CLASSES):
        bpy.utils.register_class(each)
    bpy.types.TOPBAR_MT_file_import.append(_import_entry)
    bpy.types.TOPBAR_MT_file_export.append(_export_entry)
    bpy.app.timers.register(session.poll, first_interval=0.5, persistent=True)


def unregister() -> None:
    session.end()
    if bpy.app.timers.is_registered(session.poll):
        bpy.app.timers.unregister(session.poll)
    bpy.types.TOPBAR_MT_file_export.remove(_export_entry)
    bpy.types.TOPBAR_MT_file_import.remove(_import_entry)
    for each in reversed((*operators.CLASSES, *panel.CLASSES)):
        bpy.utils.unregister_class(each)
    settings.unregister()


def _import_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator("avatar3d.import_avatar", text="avatar3d Avatar (.glb)")


def _export_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator("avatar3d.export_avatar", text="avatar3d Avatar (.glb)")
