"""A head corrected by hand, at once: the stored landmarks and a file of pins, no detector, no picture decoded.

avatar.json, pins -> Meeting -> HeadFit -> rigged -> the last draft's GLB, every part cut anew -> DIR/NAME/{glb, json}
"""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32
from threadpoolctl import threadpool_limits

from avatar3d import __version__
from avatar3d.core.avatar import Avatar
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import UnreadableError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.sitting import Pins
from avatar3d.editing import read_record, reshape
from avatar3d.fit.fit import settle
from avatar3d.fit.pins import meeting_again, missed_pins, pull_to_pins, told_landmarks, with_pins
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.head.load import load_head_model
from avatar3d.photo.file import read_file
from avatar3d.photo.pins import read_pins
from avatar3d.report.publish import publishing, write_manifest
from avatar3d.report.record import FitRecord, record_as_json
from avatar3d.rig.assemble import as_rigged, rig_head
from avatar3d.rig.surface import split_part

_RECORD: Final = "avatar.json"
_MAX_PHOTO_BYTES: Final = 100_000_000


@dataclass(frozen=True, eq=False)
class Draft:
    """A corrected head on disk."""

    glb: Path
    model: HeadModel
    fitted: HeadFit
    """Posed as the asset will pose it."""
    pins: Pins | None
    seconds: float

    @property
    def warnings(self) -> tuple[str, ...]:
        return missed_pins(self.model, self.fitted, self.pins)

    def as_json(self) -> dict[str, Any]:
        """What `avatar3d create --draft --json` prints."""
        return {
            "glb": str(self.glb),
            "folder": str(self.glb.parent),
            "draft": True,
            "residual_iod": self.fitted.residual_iod,
            "warnings": self.warnings,
            "seconds": {"draft": round(self.seconds, 3)},
            **told_landmarks(self.model, self.fitted, self.pins),
        }


def can_draft(photo: Path, folder: Path) -> bool:
    """Whether `folder` holds an avatar of this very photo from which a draft can start."""
    try:
        stored = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        return bool(stored["known"]) and stored["photo"]["sha256"] == _hash_of(photo) and _glb(folder).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def draft_files(photo: Path, folder: Path, pins_file: Path | None) -> Draft:
    """The avatar in `folder` with its shape fitted anew: all of `folder` or nothing of it.

    Its textures stay, hair and what is worn follow the skin; preview and report are gone until `create` draws them.
    Raises UnreadableError (10) for pins or a record that cannot be used.
    """
    began_s = time.perf_counter()
    with threadpool_limits(1):
        record, kept = read_record(folder / _RECORD)
        model, sitting = load_head_model(record.head), record.sitting
        if sitting is None or sitting.photo_sha256 != _hash_of(photo):
            raise UnreadableError(
                f"{folder} holds no avatar of {photo.name} that a draft can start from.",
                hint="Create it once without --draft.",
                id="DRAFT_FOREIGN",
                file=photo,
            )
        pins = None
        if pins_file is not None:
            pins = read_pins(pins_file, photo_sha256=sitting.photo_sha256, size_px=sitting.size_px)
        try:
            meeting = meeting_again(model, sitting)
        except ValueError as cause:
            raise UnreadableError(f"{folder / _RECORD} lacks {cause}.", id="RECORD_BROKEN") from cause
        fitted = settle(model, meeting if pins is None else with_pins(meeting, pins))
        if pins is not None:
            fitted = pull_to_pins(model, fitted, pins, shown=partial(as_rigged, model))
        before = load_glb(_glb(folder))
        avatar = reshape(model, _neutral_of(model, record, before), rig_head(model, fitted), before)
        with publishing(folder) as fresh:
            written = save_glb(replace(avatar, name=folder.name), fresh / f"{folder.name}.glb")
            changed = FitRecord(record.head, fitted, record.light, sitting)
            write_atomically(fresh / _RECORD, json.dumps(record_as_json(changed), indent=1).encode())
            facts = {"avatar3d": __version__, "name": folder.name, "synthetic": True, "draft": True,
                     "pins": 0 if pins is None else len(pins.landmarks),
                     "head": {"name": model.name, "licence": model.licence}}  # fmt: skip
            write_manifest(fresh, kept | facts)
        shown = as_rigged(model, fitted)
    return Draft(folder / written.name, model, shown, pins, time.perf_counter() - began_s)


def _glb(folder: Path) -> Path:
    return folder / f"{folder.name}.glb"


def _hash_of(photo: Path) -> str:
    content = read_file(photo, _MAX_PHOTO_BYTES, too_large="IMG_FILE_TOO_LARGE", hint="Save it as a JPEG.")
    return hashlib.sha256(content).hexdigest()


def _neutral_of(model: HeadModel, record: FitRecord, avatar: Avatar) -> Float32[np.ndarray, "V 3"]:
    """The neutral head of an avatar as its file has it, metres; parts that it lacks as the record has them."""
    neutral = record.fitted.neutral.copy()
    for mesh in avatar.meshes:
        if mesh.name in model.part_names:
            neutral[split_part(model, mesh.name).source] = mesh.positions
    return neutral
