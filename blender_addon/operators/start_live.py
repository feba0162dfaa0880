# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start to receive faces."""

import ipaddress
from urllib.parse import urlsplit

import bpy

from .. import scene, session
from ..bridge import Bridge
from ..client import Datagrams, Receiver
from ..settings import settings
from .verb import OfAvatar


class StartLive(OfAvatar):
    """Let the avatar follow a bridge, an iPhone or a VMC sender"""

    bl_idname = "avatar3d.start_live"
    bl_label = "Start"
    bl_options = {"REGISTER"}  # noqa: RUF012, frames are no undo steps

    def run(self, context: bpy.types.Context) -> str:
        avatar, told = scene.needed(context), settings(context)
        session.start_live(_receiver(told), avatar)
        return f"{avatar.name} listens."


def _receiver(told: bpy.types.PropertyGroup) -> Receiver:
    if told.kind == "BRIDGE":
        if not told.token:
            raise RuntimeError(
                "The token is missing: paste the address that `avatar3d live` prints, with all behind its #."
            )
        if not _own(told.url) and not _online():
            raise RuntimeError(
                "Another computer may be asked only when Preferences > System > Network allows online access."
            )
        return Bridge(told.url, told.token, fingerprint=told.fingerprint, face=told.number)
    return Datagrams(told.kind.lower(), "0.0.0.0" if told.anywhere else "127.0.0.1", told.port)  # noqa: S104, asked for


def _own(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _online() -> bool:
    return bool(getattr(bpy.app, "online_access", True))
