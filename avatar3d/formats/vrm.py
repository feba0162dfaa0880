"""VRM files, 1.0 and 0.x: a GLB that also says which joints make a human, which shapes a smile, and what is allowed.

    humanoid avatar, meta, thumbnail -> (0.x: half a turn) -> gltf_write, no tangents -> + extensions -> .vrm

rig/humanoid.py makes a humanoid of a head; exporting_vrm.py puts all together.
"""

from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final, Literal, get_args

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import TONGUE_NAMES
from avatar3d.core.errors import InputError, UsageError
from avatar3d.core.humanoid import REQUIRED
from avatar3d.core.vrm import CustomNames, custom_expressions, preset_expressions
from avatar3d.formats.glb import SPECULAR, GlbDocument, Json, glb_bytes, read_glb
from avatar3d.formats.gltf_read import avatar_from_document
from avatar3d.formats.gltf_write import describe
from avatar3d.formats.vrm0 import VRM0, extension_of_vrm0, half_turned
from avatar3d.formats.vrm1 import extensions_of_vrm1
from avatar3d.formats.vrm_materials import MTOON, properties_0, toon
from avatar3d.formats.vrm_meta import VrmMeta
from avatar3d.formats.vrm_parts import LookType

VrmVersion = Literal["1.0", "0.x"]
VERSIONS: Final[tuple[VrmVersion, ...]] = get_args(VrmVersion)
_ALIGNED: Final = 4


@dataclass(frozen=True)
class VrmParams:
    """What may be chosen about a VRM."""

    version: VrmVersion = "1.0"
    mtoon: bool = False
    """Toon materials beside the physical ones."""
    look: LookType = "bone"
    """What turns the eyes to what they look at: their joints, or the look expressions, which take the lids along."""
    custom_names: CustomNames = "perfect-sync"
    """JawOpen, as programs with perfect sync and our vmc:// say it; or jawOpen, as ARKit and our vmc://?names=camel."""


def encode_vrm(
    avatar: Avatar, meta: VrmMeta, params: VrmParams | None = None, *, thumbnail_png: bytes | None = None
) -> bytes:
    """The bytes of a .vrm file of a humanoid that stands on the ground; the same input gives the same bytes.

    Raises UsageError (2) for an unknown version and InputError (10) for an avatar that is no humanoid.
    """
    chosen = params or VrmParams()
    if chosen.version not in VERSIONS:
        raise UsageError(f"expected a VRM version of {', '.join(VERSIONS)}, got {chosen.version!r}.")
    missing = [bone for bone in (*REQUIRED, "leftEye", "rightEye") if bone not in avatar.skeleton.names]
    if missing:
        raise InputError(
            f"A VRM needs the joints {', '.join(missing)}, which {avatar.name!r} lacks.",
            hint="See rig/humanoid.py.",
            id="VRM_SKELETON",
        )
    of_0 = chosen.version == "0.x"
    document, binary = describe(
        half_turned(avatar) if of_0 else avatar,
        generator=f"avatar3d {installed_version('avatar3d')}",
        compact=False,
        lossless_textures=False,
        tangents=False,
    )
    image, binary = _with_image(document, binary, thumbnail_png)
    presets = preset_expressions()
    tongue = any(set(TONGUE_NAMES) <= set(mesh.morph_names) for mesh in avatar.meshes)
    customs = custom_expressions(chosen.custom_names, tongue=tongue)
    used: set[str] = set(document.pop("extensionsUsed", ()))
    if of_0:
        texture = None if image is None else _with_texture(document, image)
        told = extension_of_vrm0(avatar, meta, presets, customs, thumbnail=texture, look=chosen.look)
        told["materialProperties"] = [properties_0(each, mtoon=chosen.mtoon) for each in document["materials"]]
        extensions: Json = {VRM0: told}
    else:
        extensions = extensions_of_vrm1(avatar, meta, presets, customs, thumbnail=image, look=chosen.look)
        if chosen.mtoon:
            document["materials"] = [toon(each) for each in document["materials"]]
            used = (used | {MTOON}) - {SPECULAR}
    head: Json = {
        "asset": document.pop("asset"),
        "extensionsUsed": sorted(used | set(extensions)),
        "extensions": extensions,
    }
    return glb_bytes(head | document, binary)


def _with_image(document: Json, binary: bytes, png: bytes | None) -> tuple[int | None, bytes]:
    """The number of the picture among the images, and the buffer that holds it; `document` is changed."""
    if png is None:
        return None, binary
    binary += b"\0" * (-len(binary) % _ALIGNED)
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(png)})
    binary += png
    document["buffers"] = [{"byteLength": len(binary)}]
    images: list[Json] = document.setdefault("images", [])
    images.append({"name": "thumbnail", "mimeType": "image/png", "bufferView": len(document["bufferViews"]) - 1})
    return len(images) - 1, binary


def _with_texture(document: Json, image: int) -> int:
    """VRM 0.x names a texture, not an image; it shares the sampler of all others, if there is one."""
    textures: list[Json] = document.setdefault("textures", [])
    textures.append({"name": "thumbnail", "source": image} | ({"sampler": 0} if document.get("samplers") else {}))
    return len(textures) - 1


def is_vrm0(document: GlbDocument) -> bool:
    """Whether a file speaks VRM 0.x, so that its model looks to -Z."""
    extensions = document.json.get("extensions", {})
    return isinstance(extensions, dict) and VRM0 in extensions


def avatar_from_vrm(document: GlbDocument) -> Avatar:
    """The avatar of a .vrm, its face to +Z whatever the version. Errors as `load_glb`."""
    avatar = avatar_from_document(document)
    return half_turned(avatar) if is_vrm0(document) else avatar


def load_vrm(path: Path | str) -> Avatar:
    """Read a .vrm that we wrote: the humanoid, its shapes and skin; what VRM adds to glTF is left aside."""
    return avatar_from_vrm(read_glb(path))
