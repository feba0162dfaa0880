"""Textures as a platform wants them: no larger than asked, and packed its way."""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8

from avatar3d.core.avatar import Avatar, Material, Texture

_PLAIN_PX: Final = 16


def limit_textures(avatar: Avatar, most_px: int) -> Avatar:
    """No texture of more than `most_px` on an edge; smaller ones stay to the bit. The same picture stays one object."""
    done: dict[int, Texture] = {}

    def small(texture: Texture | None) -> Texture | None:
        if texture is None or max(texture.pixels.shape[:2]) <= most_px:
            return texture
        if id(texture) not in done:
            height, width = texture.pixels.shape[:2]
            scale = most_px / max(height, width)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            done[id(texture)] = replace(texture, pixels=resized(texture.pixels, size))
        return done[id(texture)]

    return replace(
        avatar,
        meshes=tuple(
            replace(
                mesh,
                material=replace(
                    mesh.material,
                    base_colour=small(mesh.material.base_colour),
                    normal=small(mesh.material.normal),
                    occlusion_roughness_metallic=small(mesh.material.occlusion_roughness_metallic),
                ),
            )
            for mesh in avatar.meshes
        ),
    )


def resized(pixels: UInt8[np.ndarray, "H W C"], size: tuple[int, int]) -> UInt8[np.ndarray, "_ _ C"]:
    """To (width, height); areas are averaged when it shrinks."""
    shrinks = size[0] <= pixels.shape[1] and size[1] <= pixels.shape[0]
    made = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(made, np.uint8).reshape(size[1], size[0], pixels.shape[2])


def packed_orm(material: Material) -> UInt8[np.ndarray, "H W 3"]:
    """Occlusion, roughness, metallic of a material with its factors worked in."""
    packed = material.occlusion_roughness_metallic
    if packed is None:
        plain = [255, round(255 * material.roughness), round(255 * material.metallic)]
        return np.full((_PLAIN_PX, _PLAIN_PX, 3), plain, np.uint8)
    factors = np.array([1, material.roughness, material.metallic])
    return np.round(packed.pixels[..., :3] * factors).astype(np.uint8)


def metallic_smoothness(material: Material) -> UInt8[np.ndarray, "H W 4"]:
    """Unity's own packing (Standard and URP Lit): metallic in red, occlusion in green, smoothness, which is 1 - roughness, in alpha."""
    orm = packed_orm(material)
    nothing = np.zeros_like(orm[..., 0])
    return np.stack([orm[..., 2], orm[..., 0], nothing, 255 - orm[..., 1]], axis=2)
