# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs while Blender waits for nobody: one receiver, one job, and the poll that looks at both.

The poll is Blender's timer; in module mode timers do not fire, and whoever drives Blender calls `poll` itself.
"""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import bpy

from . import apply, scene
from .bridge import Bridge
from .client import Receiver
from .frame import Face
from .job import Job

LOG = logging.getLogger("avatar3d")
_LIVE_S, _JOB_S, _IDLE_S = 1 / 60, 0.1, 0.5
Finish = Callable[[Job, Path], str]
"""Takes the job, which ended well, and its folder; gives a sentence for the panel."""


@dataclass
class Session:
    """Of this Blender; nothing of it is saved in a file."""

    receiver: Receiver | None = None
    avatar: str = ""
    """Name of the collection that is being driven."""
    last: Face | None = None
    job: Job | None = None
    finish: Finish | None = None
    folder: Path | None = None
    said: str = ""
    """The newest sentence for the panel."""
    failed: bool = False
    """Whether that sentence is bad news."""


NOW = Session()


def poll() -> float:
    """Show the newest face; take up a job that ended. Gives the seconds until it should be called again."""
    try:
        _look_at_live()
        _look_at_job()
    except Exception:
        LOG.exception("The avatar3d panel met an error")
        tell("Something went wrong: see the console (Window > Toggle System Console).", failed=True)
        stop_live()
    _redraw()
    return _LIVE_S if NOW.receiver else _JOB_S if NOW.job else _IDLE_S


def start_live(receiver: Receiver, avatar: bpy.types.Collection) -> None:
    stop_live()
    NOW.receiver, NOW.avatar, NOW.last = receiver, avatar.name, None
    receiver.start()


def stop_live() -> None:
    """Also what the panic button does last."""
    if NOW.receiver is not None:
        NOW.receiver.stop()
    NOW.receiver, NOW.last = None, None


def panic() -> None:
    """Neutral at once: the bridge is told where there is one, nothing is received any more, the face rests."""
    if isinstance(NOW.receiver, Bridge):
        NOW.receiver.panic()
    stop_live()
    for avatar in scene.avatars():
        with contextlib.suppress(scene.NoAvatar):
            apply.rest(avatar)


def start_job(name: str, words: list[str], finish: Finish, folder: Path) -> None:
    """Run a program beside Blender. Raises RuntimeError when it cannot be started, or when one runs already."""
    try:
        if NOW.job is not None:
            raise RuntimeError(f"{NOW.job.name} is still running.")
        NOW.job, NOW.finish, NOW.folder = Job(name, words), finish, folder
    except OSError as cause:
        shutil.rmtree(folder, ignore_errors=True)
        raise RuntimeError(
            f"The program {words[0]!r} does not start: give its path in Edit > Preferences > Add-ons > avatar3d."
        ) from cause
    except RuntimeError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    tell(f"{name} ...")


def new_folder() -> Path:
    """A private folder for a job's files; it goes when the job is over."""
    return Path(tempfile.mkdtemp(prefix="avatar3d-"))


def tell(sentence: str, *, failed: bool = False) -> None:
    NOW.said, NOW.failed = sentence, failed


def end() -> None:
    """Nothing is left running: when the extension is disabled, and when Blender ends."""
    stop_live()
    if NOW.job is not None:
        NOW.job.cancel()
        _forget_job()


def _look_at_live() -> None:
    if NOW.receiver is None:
        return
    avatar = bpy.data.collections.get(NOW.avatar)
    if avatar is None or scene.FACTS not in avatar:
        stop_live()
        tell("The avatar is gone; nothing is received any more.")
        return
    face = NOW.receiver.newest()
    if face is not None:
        NOW.last = face
        apply.apply(avatar, face)
    elif NOW.last is not None and (age_s := monotonic() - NOW.receiver.came_s) > 0.25:
        apply.apply(avatar, apply.eased(NOW.last, age_s))
        if age_s > 1:
            NOW.last = None


def _look_at_job() -> None:
    job = NOW.job
    if job is None or not job.done:
        return
    finish, folder = NOW.finish, NOW.folder
    try:
        if job.cancelled:
            tell(f"{job.name} was cancelled.")
        elif job.code != 0:
            tell(f"{job.name}: {job.failure()}", failed=True)
        elif finish is not None and folder is not None:
            _object_mode()
            tell(finish(job, folder))
            _undo_step(job.name)
    except (ValueError, OSError, KeyError, RuntimeError, scene.NoAvatar) as cause:
        tell(f"{job.name}: {cause}", failed=True)
    finally:
        _forget_job()


def _forget_job() -> None:
    if NOW.folder is not None:
        shutil.rmtree(NOW.folder, ignore_errors=True)
    NOW.job, NOW.finish, NOW.folder = None, None, None


def _object_mode() -> None:
    active = bpy.context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        with _window():
            bpy.ops.object.mode_set(mode="OBJECT")


def _undo_step(name: str) -> None:
    """What a job changed can be taken back like anything else."""
    with contextlib.suppress(RuntimeError), _window():
        bpy.ops.ed.undo_push(message=name)


def _window() -> contextlib.AbstractContextManager[object]:
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return contextlib.nullcontext()
    return bpy.context.temp_override(window=windows[0])


def _redraw() -> None:
    if bpy.app.background or (NOW.receiver is None and NOW.job is None):
        return
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
