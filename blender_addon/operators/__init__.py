# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per verb. A verb looks, calls one thing, and tells."""

from .bake_detail import BakeDetail
from .cancel_job import CancelJob
from .check_avatar import CheckAvatar
from .discard_sculpt import DiscardSculpt
from .export_avatar import ExportAvatar
from .fit_pins import FitPins
from .import_avatar import ImportAvatar
from .import_recording import ImportRecording
from .lock_key import LockKey
from .open_photo import OpenPhoto
from .panic import Panic
from .place_pins import PlacePins
from .push_take import PushTake
from .record import Record
from .rederive import Rederive
from .remove_avatar import RemoveAvatar
from .rest_face import RestFace
from .sculpt import Sculpt
from .start_live import StartLive
from .stop_live import StopLive

CLASSES = (
    ImportAvatar, RemoveAvatar, RestFace, OpenPhoto, PlacePins, FitPins, Sculpt, DiscardSculpt, Rederive, LockKey, BakeDetail,
    StartLive, StopLive, Record, PushTake, Panic, ImportRecording, CheckAvatar, ExportAvatar, CancelJob,
)  # fmt: skip
