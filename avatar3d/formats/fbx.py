"""Avatar to FBX, by a Blender as a process of its own (write_fbx.py in the extension's folder)."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.avatar import Avatar, Material, Texture
from avatar3d.core.durable import write_atomically
from avatar3d.core.errors import Avatar3dError, UsageError
from avatar3d.formats.blender import ADDON_VARIABLE, find_blender, run_script
from avatar3d.formats.gltf import save_glb
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear

_SCRIPT: Final = "write_fbx.py"


def save_fbx(avatar: Avatar, path: Path | str, *, blender: str | None = None) -> Path:
    """Write `avatar` as binary FBX 7.4, atomically: shape keys, skin, materials, pictures inside.

    `blender` is a command, else AVATAR3D_BLENDER, else the one on the PATH. Raises UsageError (2, BLENDER_MISSING,
    ADDON_MISSING), Avatar3dError when Blender fails.
    """
    found = find_blender(blender)
    script = found.script.with_name(_SCRIPT)
    if not script.is_file():
        raise UsageError(
            f"The Blender extension at {script.parent} has no {_SCRIPT}.",
            hint=f"Name the folder of this version's extension in {ADDON_VARIABLE}.",
            id="ADDON_MISSING",
        )
    with tempfile.TemporaryDirectory(prefix="avatar3d-fbx-") as folder:
        glb = save_glb(_without_factors(avatar), Path(folder) / "avatar.glb")
        out = Path(folder) / "avatar.fbx"
        ended, said, told = run_script(replace(found, script=script), glb, out)
        if ended != 0 or not out.is_file():
            lines = [line.strip() for line in (*said, *told) if line.strip()]
            why = next(
                (line for line in reversed(lines) if "Error" in line), lines[-1] if lines else f"it ended with {ended}"
            )
            raise Avatar3dError(
                f"Blender wrote no FBX: {why[:300]}", hint="It must be Blender 4.2 or later.", id="BLENDER_FAILED"
            )
        return write_atomically(path, out.read_bytes())


def _without_factors(avatar: Avatar) -> Avatar:
    """Tints worked into their pictures: FBX has a picture or a colour, and Blender would leave the picture out."""
    done: dict[int, Material] = {}
    for mesh in avatar.meshes:
        material = mesh.material
        picture, factor = material.base_colour, np.array(material.colour_factor, np.float32)
        if picture is not None and np.any(factor != 1):
            pixels = picture.pixels.copy()
            pixels[..., :3] = srgb_from_linear(LINEAR_FROM_SRGB[pixels[..., :3]] * factor[:3])
            if pixels.shape[2] == 4:
                pixels[..., 3] = np.round(pixels[..., 3] * factor[3])
            tinted = Texture(f"{picture.name}_{material.name}", pixels)
            material = replace(material, base_colour=tinted, colour_factor=(1.0, 1.0, 1.0, 1.0))
        done[id(mesh.material)] = material
    return replace(avatar, meshes=tuple(replace(mesh, material=done[id(mesh.material)]) for mesh in avatar.meshes))
