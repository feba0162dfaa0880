"""GLB files: the door that Avatar.save and Avatar.load go through."""

from importlib.metadata import version
from pathlib import Path

from avatar3d.core.avatar import Avatar
from avatar3d.core.durable import write_atomically
from avatar3d.core.splats import RestSplats
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.gltf_read import avatar_from_document
from avatar3d.formats.gltf_splats import splats_from_document
from avatar3d.formats.gltf_write import describe


def encode_glb(
    avatar: Avatar, *, compact: bool = False, lossless_textures: bool = False, splats: RestSplats | None = None
) -> bytes:
    """The bytes of a .glb file. The same avatar gives the same bytes: no time, path or random number goes in.

    `compact` writes sparse morph targets (exact to 1e-6 m; Godot 3 and some loaders cannot read them).
    `lossless_textures` writes PNG throughout, so that pixels come back to the bit.
    `splats` add a primitive of KHR_gaussian_splatting (gltf_splats).
    """
    generator = f"avatar3d {version('avatar3d')}"
    document, binary = describe(
        avatar, generator=generator, compact=compact, lossless_textures=lossless_textures, splats=splats
    )
    return glb_bytes(document, binary)


def save_glb(
    avatar: Avatar,
    path: Path | str,
    *,
    compact: bool = False,
    lossless_textures: bool = False,
    splats: RestSplats | None = None,
) -> Path:
    """Write `avatar` as binary glTF 2.0, atomically. Choices as in `encode_glb`.

    Raises OutputInvalidError (30) for an avatar that breaks its own promises, DiskError (40) when it cannot be written.
    """
    return write_atomically(
        path, encode_glb(avatar, compact=compact, lossless_textures=lossless_textures, splats=splats)
    )


def load_glb(path: Path | str) -> Avatar:
    """Read what `save_glb` wrote: geometry, morphs, skin and skeleton to the bit, JPEG textures as decoded.

    Splats in the file are passed over; `load_splats` reads them.
    Safe on hostile files. Raises UnreadableError (10), UnsupportedFormatError (11) or LimitError (12).
    """
    return avatar_from_document(read_glb(path))


def load_splats(path: Path | str) -> RestSplats | None:
    """The splats of a GLB that `save_glb` wrote with some; None when it has none. Errors as `load_glb`."""
    return splats_from_document(read_glb(path))
