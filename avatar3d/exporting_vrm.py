"""An avatar becomes a VRM: a humanoid of the head, a thumbnail, answers about rights, one file.

AVATAR.glb -> humanoid on the ground -> 512 px portrait -> .vrm
"""

from pathlib import Path
from typing import Any, Final

from avatar3d.core.avatar import Avatar
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import UsageError
from avatar3d.formats.provenance import picture_mark
from avatar3d.formats.vrm import VrmParams, encode_vrm, load_vrm
from avatar3d.formats.vrm_meta import VrmMeta
from avatar3d.report.pictures import View, draw_views, png_bytes
from avatar3d.rig.humanoid import as_humanoid

THUMBNAIL_PX: Final = 512
"""meta.md prefers 1,024 and asks for a square; a portrait of 512 says as much for a quarter of the bytes."""
_GENTLE: Final = {"mouthSmileLeft": 0.12, "mouthSmileRight": 0.12}


def save_vrm(
    avatar: Avatar,
    path: Path | str,
    *,
    meta: VrmMeta | None = None,
    params: VrmParams | None = None,
    thumbnail: bool = True,
) -> Path:
    """Write `avatar` as VRM, atomically: what `Avatar.save("me.vrm", meta=...)` calls. Returns the path.

    Raises UsageError (2) without a `meta`: who made it and what others may do with it is never guessed.
    """
    if meta is None:
        raise UsageError(
            "a VRM says who made it and what others may do with it; no meta was given.",
            hint="Give meta=answered({...}) of avatar3d.formats.vrm_meta, or use avatar3d export-vrm.",
            id="VRM_META",
        )
    portrait = _portrait(avatar) if thumbnail else None
    return write_atomically(path, encode_vrm(as_humanoid(avatar), meta, params, thumbnail_png=portrait))


def export_vrm(glb: Path, out: Path, meta: VrmMeta, params: VrmParams) -> dict[str, Any]:
    """Read a GLB or VRM of ours, write it as VRM; what `avatar3d export-vrm --json` prints."""
    avatar = load_vrm(glb)
    file = save_vrm(avatar, out, meta=meta, params=params)
    return {"vrm": str(file), "version": params.version, "bytes": file.stat().st_size, "authors": list(meta.authors)}


def _portrait(avatar: Avatar) -> bytes:
    """The face from the front with the hint of a smile, a PNG that bears the synthetic mark."""
    (pixels,) = draw_views(avatar, [View("portrait", weights=_GENTLE)], THUMBNAIL_PX)
    return png_bytes(pixels, picture_mark())
