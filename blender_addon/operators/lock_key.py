# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock a shape that was sculpted by hand."""

import bpy
from bpy.props import StringProperty

from .. import extract, mesh, scene
from .verb import OfAvatar


class LockKey(OfAvatar):
    """Lock or unlock this shape: Re-derive leaves a locked one as it is"""

    bl_idname = "avatar3d.lock_key"
    bl_label = "Lock Shape"

    key: StringProperty(name="Shape", description="Empty: the active one")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> str:
        head = scene.face(scene.needed(context))
        active = head.active_shape_key
        name = self.key or (active.name if active else "")
        if name not in mesh.shapes(head)[0]:
            raise scene.NoAvatar(f"The head has no shape {name!r}.")
        held = extract.locked(head)
        extract.set_locked(head, [each for each in held if each != name] if name in held else [*held, name])
        return f"{name} is {'open' if name in held else 'locked'}."
