# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Push the take down into the NLA."""

import bpy

from .. import actions, scene
from .verb import OfAvatar


class PushTake(OfAvatar):
    """Keep the take as a strip of the NLA, so that another can be recorded"""

    bl_idname = "avatar3d.push_take"
    bl_label = "Push to NLA"

    def run(self, context: bpy.types.Context) -> str:
        avatar = scene.needed(context)
        owners = (scene.face(avatar).data.shape_keys, scene.rig(avatar))
        pushed = [track.name for owner in owners if owner and (track := actions.push_down(owner))]
        if not pushed:
            raise RuntimeError("There is no take to push.")
        return f"{' and '.join(pushed)} are in the NLA."
