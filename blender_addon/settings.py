# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: where the avatar3d command is (kept by Blender), and what is listened to (kept nowhere)."""

from urllib.parse import parse_qs, urlsplit

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

_TYPED = {"url": "ws://127.0.0.1:8765", "token": ""}
"""Address and token stay in memory: a property would be written into the .blend, and a token belongs into no file."""


def _paste(settings: object, value: str) -> None:
    """An address; the viewer's, as `avatar3d live` prints it, brings its token with it."""
    parts = urlsplit(value.strip())
    token = parse_qs(parts.fragment).get("token", [""])[0]
    if token:
        _TYPED["token"] = token
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    _TYPED["url"] = f"{scheme}://{parts.netloc}" if parts.netloc else value.strip()


def _type_token(settings: object, value: str) -> None:
    _TYPED["token"] = value.strip()


class Preferences(bpy.types.AddonPreferences):
    """Of the extension."""

    bl_idname = __package__

    command: StringProperty(
        name="avatar3d command", default="avatar3d",
        description="The program, with its path where it is not on PATH: /home/anna/avatar3d/.venv/bin/avatar3d",
    )  # type: ignore[valid-type]  # fmt: skip

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.prop(self, "command")


class Settings(bpy.types.PropertyGroup):
    """Of the panel."""

    kind: EnumProperty(
        name="From",
        items=[
            ("BRIDGE", "Bridge", "avatar3d live, by WebSocket"),
            ("LIVELINK", "Live Link Face", "An iPhone, by UDP"),
            ("VMC", "VMC", "Virtual Motion Capture, by UDP"),
        ],
    )  # type: ignore[valid-type]
    url: StringProperty(
        name="Address", get=lambda _: _TYPED["url"], set=_paste,
        description="What `avatar3d live` prints: the viewer's address brings its token along",
    )  # type: ignore[valid-type]  # fmt: skip
    token: StringProperty(
        name="Token", subtype="PASSWORD", get=lambda _: _TYPED["token"], set=_type_token,
        description="Needed where the address has none; never saved",
    )  # type: ignore[valid-type]  # fmt: skip
    fingerprint: StringProperty(name="Fingerprint", description="SHA-256 of the bridge's certificate, for wss:// only")  # type: ignore[valid-type]
    port: IntProperty(name="Port", min=0, max=65535, description="0: the usual one")  # type: ignore[valid-type]
    anywhere: BoolProperty(
        name="From other devices", description="Listen on all addresses, not only on this computer's own"
    )  # type: ignore[valid-type]
    number: IntProperty(name="Face", min=0, max=31, description="Which of the bridge's faces")  # type: ignore[valid-type]
    show: StringProperty(name="Shape", description="Show only the shapes with this in their names")  # type: ignore[valid-type]


CLASSES = (Preferences, Settings)


def register() -> None:
    for each in CLASSES:
        bpy.utils.register_class(each)
    bpy.types.WindowManager.avatar3d = PointerProperty(type=Settings)


def unregister() -> None:
    _TYPED.update(url="ws://127.0.0.1:8765", token="")
    del bpy.types.WindowManager.avatar3d
    for each in reversed(CLASSES):
        bpy.utils.unregister_class(each)


def settings(context: bpy.types.Context) -> "Settings":
    return context.window_manager.avatar3d


def command(context: bpy.types.Context) -> str:
    """Of the preferences; the default where the extension is not installed as one (tests)."""
    mine = context.preferences.addons.get(__package__)
    return mine.preferences.command if mine and mine.preferences else "avatar3d"
