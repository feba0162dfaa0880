# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel in the sidebar (N): what is pressed, in the order in which one works."""

import bpy

from . import camera, extract, rederiving, scene, session
from .settings import settings
from .wire_generated import ARKIT_NAMES

GROUPS = {
    "Brows": ("brow",), "Eyes": ("eyeBlink", "eyeSquint", "eyeWide"), "Gaze": ("eyeLook",), "Jaw": ("jaw",),
    "Mouth": ("mouth",), "Cheeks and nose": ("cheek", "nose"), "Tongue": ("tongue",),
}  # fmt: skip
"""Beginnings of the shapes' names."""
_WIDTH = 46


def group_of(name: str) -> str:
    """The group in which a shape is shown."""
    return next((group for group, begins in GROUPS.items() if name.startswith(begins)), "Others")


class _Panel(bpy.types.Panel):
    bl_space_type, bl_region_type, bl_category = "VIEW_3D", "UI", "avatar3d"


class AvatarPanel(_Panel):
    bl_idname, bl_label = "AVATAR3D_PT_avatar", "avatar3d"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        job = session.NOW.job
        if job is not None:
            row = column.row()
            row.label(text=f"{job.name}, {job.seconds:.0f} s: {job.progress[-40:]}", icon="SORTTIME")
            row.operator("avatar3d.cancel_job", text="", icon="X")
        if session.NOW.said:
            _lines(column, session.NOW.said, "ERROR" if session.NOW.failed else "INFO")
        column.operator("avatar3d.open_photo", icon="IMAGE_DATA")
        column.operator("avatar3d.import_avatar", icon="IMPORT")
        avatar = scene.avatar_of(context)
        if avatar is not None:
            column.label(text=avatar.name, icon="USER")


class _OfAvatar(_Panel):
    bl_parent_id, bl_options = "AVATAR3D_PT_avatar", {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return scene.avatar_of(context) is not None


class PinsPanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_pins", "Photo and pins"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.operator("avatar3d.place_pins", icon="PINNED")
        avatar = scene.avatar_of(context)
        if avatar is not None and camera.camera_of(avatar):
            column.operator("avatar3d.fit_pins", icon="MOD_SHRINKWRAP")


class FacePanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_face", "Face"

    def draw(self, context: bpy.types.Context) -> None:
        avatar = scene.avatar_of(context)
        head = scene.parts(avatar).get("face") if avatar else None
        if head is None or head.data.shape_keys is None:
            return
        self.layout.operator("avatar3d.rest_face", icon="LOOP_BACK")
        self.layout.prop(settings(context), "show", text="", icon="VIEWZOOM")
        wanted = settings(context).show.lower()
        held = set(extract.locked(head))
        shown: dict[str, list[bpy.types.ShapeKey]] = {}
        for key in head.data.shape_keys.key_blocks[1:]:
            if wanted in key.name.lower():
                shown.setdefault(group_of(key.name), []).append(key)
        for group in [*GROUPS, "Others"]:
            if group not in shown:
                continue
            box = self.layout.box().column(align=True)
            box.label(text=f"{group} ({len(shown[group])})")
            for key in shown[group]:
                row = box.row(align=True)
                row.prop(key, "value", text=key.name, slider=True)
                icon = "LOCKED" if key.name in held else "UNLOCKED"
                row.operator("avatar3d.lock_key", text="", icon=icon, emboss=False).key = key.name
        tongue = scene.parts(avatar).get("tongue")
        if tongue is not None and tongue.data.shape_keys:
            box = self.layout.box().column(align=True)
            box.label(text="Tongue, for speech")
            for key in tongue.data.shape_keys.key_blocks[1:]:
                if key.name not in ARKIT_NAMES:
                    box.prop(key, "value", text=key.name, slider=True)


class SculptPanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_sculpt", "Sculpt and re-derive"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        avatar = scene.avatar_of(context)
        copy = extract.edit_copy(avatar) if avatar else None
        column.operator("avatar3d.sculpt", icon="SCULPTMODE_HLT")
        column.operator("avatar3d.rederive", icon="FILE_REFRESH")
        if copy is not None:
            column.operator("avatar3d.bake_detail", icon="NORMALS_FACE")
            column.operator("avatar3d.discard_sculpt", icon="TRASH")
        head = scene.parts(avatar).get("face") if avatar else None
        for line in rederiving.lines(rederiving.report_of(head)) if head else ():
            _lines(column, line, "NONE")


class LivePanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_live", "Live"

    def draw(self, context: bpy.types.Context) -> None:
        column, told, receiver = self.layout.column(), settings(context), session.NOW.receiver
        if receiver is None:
            column.prop(told, "kind")
            if told.kind == "BRIDGE":
                column.prop(told, "url")
                column.prop(told, "token")
                column.prop(told, "number")
                if told.url.startswith("wss"):
                    column.prop(told, "fingerprint")
            else:
                column.prop(told, "port")
                column.prop(told, "anywhere")
            column.operator("avatar3d.start_live", icon="PLAY")
        else:
            column.label(text=receiver.status, icon="ERROR" if receiver.failed else "LINKED")
            column.label(text=f"{receiver.tally.taken:,} frames, {receiver.tally.refused:,} refused")
            kept = receiver.recording
            text = "Record" if kept is None else f"End the take ({kept:,} frames)"
            column.operator("avatar3d.record", text=text, icon="REC", depress=kept is not None)
            column.operator("avatar3d.stop_live", icon="PAUSE")
        row = column.row()
        row.alert = True
        row.operator("avatar3d.panic", icon="CANCEL")
        column.operator("avatar3d.import_recording", icon="IMPORT")
        column.operator("avatar3d.push_take", icon="NLA_PUSHDOWN")


class ExportPanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_export", "Export"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.operator("avatar3d.check_avatar", icon="CHECKMARK")
        column.operator("avatar3d.export_avatar", icon="EXPORT")
        column.operator("avatar3d.remove_avatar", icon="TRASH")


class LicencePanel(_OfAvatar):
    bl_idname, bl_label = "AVATAR3D_PT_licence", "Whose face, and licence"

    def draw(self, context: bpy.types.Context) -> None:
        avatar = scene.avatar_of(context)
        for line in licence(scene.facts(avatar)) if avatar else ():
            _lines(self.layout.column(), line, "NONE")


def licence(facts: dict[str, object]) -> list[str]:
    """Who is depicted, from what, under which licences, and the synthetic mark."""
    extras = facts.get("extras")
    told = extras if isinstance(extras, dict) else {}
    source = told.get("source") if isinstance(told.get("source"), dict) else {}
    prints = source.get("sha256") or []
    prints = [prints] if isinstance(prints, str) else prints
    lines = [f"Depicts: {facts.get('name', 'unknown')}"]
    if source:
        lines.append(
            f"Made from: a {source.get('kind', 'picture')}, SHA-256 {', '.join(str(each)[:12] for each in prints)}..."
        )
    lines.append("Marked as synthetic" if told.get("synthetic") else "NOT marked as synthetic")
    if told.get("digitalSourceType"):
        lines.append(str(told["digitalSourceType"]).rsplit("/", 1)[-1])
    lines += [str(each) for each in told.get("licences", [])]
    lines.append("Use your own face, or that of somebody who agreed.")
    return lines


def _lines(layout: bpy.types.UILayout, text: str, icon: str) -> None:
    """A sentence in as many rows as it needs."""
    row = ""
    for word in text.split():
        if row and len(row) + len(word) > _WIDTH:
            layout.label(text=row, icon=icon)
            row, icon = "", "BLANK1" if icon != "NONE" else "NONE"
        row = f"{row} {word}".strip()
    layout.label(text=row, icon=icon)


CLASSES = (AvatarPanel, PinsPanel, FacePanel, SculptPanel, LivePanel, ExportPanel, LicencePanel)
