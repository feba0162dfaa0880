"""Many meshes and materials become one skinned mesh with one material and one atlas; and hair without cut-outs.

opaque_hair: triangles that are mostly cut out go, the rest is solid          one_mesh: vertices, shapes, skin and pictures joined
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Material, Mesh, Texture
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from avatar3d.rig.atlas import Place, draw_atlas, place_pictures
from avatar3d.rig.cards import is_card, pieces
from avatar3d.rig.collapse import keep_triangles, weld
from avatar3d.rig.textures import packed_orm

_PLAIN_PX: Final = 16
"""A material without a picture gets so much of the atlas."""
_IMPORTANCE: Final = {"face": 1.0, "hair": 0.75, "eyes": 0.6, "lashes": 0.5}
"""Edge of a picture in the atlas, as a share of its own; what is not named is small or inside the mouth."""
_OTHERWISE: Final = 0.35
_SHELL: Final = 0.42
"""Hair without cards shows only a part of its picture."""
_ORM_SHRUNK: Final = 8
_CUTOFF: Final = 0.5
_MOSTLY: Final = 0.5
"""Share of a triangle that must be there for it to stay when cut-outs go."""
_PRESSED_M: Final = 0.016
"""How far from the skin a shell's rim may be to belong to it."""
_ON_SKIN_M: Final = 0.0006
_DULL: Final = 0.9
"""Roughness of what mirrors little (KHR_materials_specular), which one material cannot say apart."""


def opaque_hair(avatar: Avatar) -> Avatar:
    """Every cut-out material solid: triangles that the cut-out mostly took are gone. Blended meshes (lenses) are left out."""
    meshes: list[Mesh] = []
    for mesh in avatar.meshes:
        if mesh.material.alpha_mode == "BLEND":
            continue
        if mesh.material.alpha_mode == "MASK":
            mesh = _pressed(_solid(mesh), avatar.meshes[0])
        if len(mesh.triangles):
            meshes.append(mesh)
    return replace(avatar, meshes=tuple(meshes))


def _solid(mesh: Mesh) -> Mesh:
    picture, factor = mesh.material.base_colour, mesh.material.colour_factor
    material = replace(mesh.material, alpha_mode="OPAQUE", colour_factor=(*factor[:3], 1.0))
    if picture is None or picture.pixels.shape[2] < 4:
        return replace(mesh, material=material)
    shown = _there(mesh, picture)
    cards = is_card(pieces(mesh)) if not mesh.morph_names else np.zeros(len(mesh.triangles), bool)
    if np.any(shown & ~cards):  # a shell: solid cards over it would be slabs
        shown &= ~cards
    kept = keep_triangles(mesh, mesh.triangles[shown])
    return replace(kept, material=replace(material, base_colour=Texture(picture.name, _filled(picture.pixels))))


def _pressed(mesh: Mesh, face: Mesh) -> Mesh:
    """The rim of a shell laid on the skin that it ended over, in a fade that there is no more; what hangs free hangs on."""
    if mesh.morph_names or not len(mesh.triangles):
        return mesh
    sheet, number = weld(mesh), mesh.triangles
    edges = np.sort(np.concatenate([sheet[number[:, [k, (k + 1) % 3]]] for k in range(3)]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    pull = np.zeros(sheet.max() + 1)
    pull[unique[count == 1]] = 1
    beside = np.zeros_like(pull)
    np.maximum.at(beside, unique.ravel(), 0.5 * pull[unique[:, ::-1]].ravel())
    share = np.maximum(pull, beside)[sheet]
    distance, nearest = map(np.asarray, KDTree(face.positions).query(mesh.positions))
    away = (mesh.positions - face.positions[nearest]) * face.normals[nearest]
    height = away.sum(1) - _ON_SKIN_M
    share = np.where((distance < _PRESSED_M) & (height > 0), share, 0)
    moved = mesh.positions - (share * height)[:, None] * face.normals[nearest]
    return replace(mesh, positions=moved.astype(np.float32))


def _there(mesh: Mesh, picture: Texture) -> Bool[np.ndarray, "F"]:
    """Which triangles the cut-out leaves for more than _MOSTLY."""
    spots = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 1], [1, 2, 2], [2, 1, 2]], np.float64)
    spots /= spots.sum(1, keepdims=True)
    uvs = np.einsum("sk,fkc->fsc", spots, mesh.uvs[mesh.triangles].astype(np.float64))
    height, width = picture.pixels.shape[:2]
    column = (np.clip(uvs[..., 0], 0, 0.99999) * width).astype(int)
    row = (np.clip(uvs[..., 1], 0, 0.99999) * height).astype(int)
    alpha = picture.pixels[row, column, 3] / 255 * mesh.material.colour_factor[3]
    return (alpha >= mesh.material.alpha_cutoff).mean(1) > _MOSTLY


def _filled(pixels: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
    """Without alpha; what was cut out takes the colour of what is near, coarser level by level."""
    weight = pixels[..., 3:].astype(np.float64) / 255
    return np.round(_from_near(pixels[..., :3] * weight, weight)).astype(np.uint8)


def _from_near(
    sums: Float64[np.ndarray, "H W 3"], weight: Float64[np.ndarray, "H W 1"]
) -> Float64[np.ndarray, "H W 3"]:
    height, width = weight.shape[:2]
    if min(height, width) < 2 or height % 2 or width % 2:
        total = max(float(weight.sum()), 1e-9)
        return np.broadcast_to(sums.sum((0, 1)) / total, sums.shape)
    quarters = (sums[0::2, 0::2] + sums[1::2, 0::2] + sums[0::2, 1::2] + sums[1::2, 1::2]) / 4
    less = (weight[0::2, 0::2] + weight[1::2, 0::2] + weight[0::2, 1::2] + weight[1::2, 1::2]) / 4
    near = np.repeat(np.repeat(_from_near(quarters, less), 2, axis=0), 2, axis=1)
    own = np.divide(sums, weight, out=np.zeros_like(sums), where=weight > 1e-6)
    return weight * own + (1 - weight) * near


def one_mesh(avatar: Avatar, atlas_px: int) -> Avatar:
    """One mesh, "face", of one material: base colour, normal and ORM atlases of `atlas_px` (ORM an eighth of it).

    Shapes are the union, the face's first. A blended mesh (lenses) cannot be part of it and is left out.
    """
    meshes = [mesh for mesh in avatar.meshes if mesh.material.alpha_mode != "BLEND"]
    alike = {_told(mesh.material): mesh.material for mesh in meshes}
    materials = list(alike.values())
    places = place_pictures([_wanted(material) for material in materials], atlas_px)
    names = tuple(dict.fromkeys(name for mesh in meshes for name in mesh.morph_names))
    masked = any(material.alpha_mode == "MASK" for material in materials)
    starts = np.cumsum([0, *(len(mesh.positions) for mesh in meshes)])
    where = dict(zip(alike, places, strict=True))
    normals = [_normal(material) for material in materials]
    colour = draw_atlas(
        [_colour(material, alpha=masked) for material in materials],
        places,
        atlas_px,
        (128, 110, 100, 255)[: 4 if masked else 3],
    )
    material = Material(
        name="avatar",
        base_colour=Texture("avatar_colour", colour),
        normal=Texture("avatar_normal", draw_atlas(normals, places, atlas_px, (128, 128, 255)))
        if any(material.normal is not None for material in materials)
        else None,
        occlusion_roughness_metallic=Texture(
            "avatar_orm",
            draw_atlas([_orm(material) for material in materials], places, atlas_px, (255, 160, 0), shrunk=_ORM_SHRUNK),
        ),
        roughness=1.0,
        metallic=1.0,
        alpha_mode="MASK" if masked else "OPAQUE",
        alpha_cutoff=_CUTOFF,
        double_sided=any(material.double_sided for material in materials),
    )
    joined = Mesh(
        name=meshes[0].name,
        positions=np.concatenate([mesh.positions for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        uvs=np.concatenate([_uvs(mesh, where[_told(mesh.material)], atlas_px) for mesh in meshes]),
        triangles=np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=False)]).astype(
            np.int32
        ),
        material=material,
        morph_names=names,
        morphs=np.concatenate([_shapes(mesh, names) for mesh in meshes], axis=1),
        joints=np.concatenate([mesh.joints for mesh in meshes]),
        weights=np.concatenate([mesh.weights for mesh in meshes]),
    )
    return replace(avatar, meshes=(joined,))


def _told(material: Material) -> tuple[Any, ...]:
    """What makes two materials one."""
    pictures = (material.base_colour, material.normal, material.occlusion_roughness_metallic)
    told = (None if picture is None else (picture.pixels.shape, picture.pixels.tobytes()) for picture in pictures)
    return (
        *told, material.colour_factor, material.roughness, material.metallic, material.specular, material.alpha_mode,
        material.alpha_cutoff,
    )  # fmt: skip


def _wanted(material: Material) -> tuple[int, int]:
    if material.base_colour is None:
        return _PLAIN_PX, _PLAIN_PX
    height, width = material.base_colour.pixels.shape[:2]
    share = _IMPORTANCE.get(material.name, _OTHERWISE)
    if material.name == "hair" and material.alpha_mode == "OPAQUE":
        share = _SHELL
    return max(_PLAIN_PX, round(width * share)), max(_PLAIN_PX, round(height * share))


def _uvs(mesh: Mesh, place: Place, atlas_px: int) -> np.ndarray:
    uvs = mesh.uvs if mesh.material.base_colour is not None else np.full_like(mesh.uvs, 0.5)
    return place.uvs(uvs, atlas_px)


def _shapes(mesh: Mesh, names: tuple[str, ...]) -> np.ndarray:
    own = dict(zip(mesh.morph_names, mesh.morphs, strict=True))
    shapes = np.zeros((len(names), len(mesh.positions), 3), np.float32)
    for index, name in enumerate(names):
        if name in own:
            shapes[index] = own[name]
    return shapes


def _colour(material: Material, *, alpha: bool) -> UInt8[np.ndarray, "H W C"]:
    """Base colour with its factor worked in; alpha such that one cut-off fits all."""
    if material.base_colour is None:
        pixels = np.full((_PLAIN_PX, _PLAIN_PX, 3), 255, np.uint8)
    else:
        pixels = material.base_colour.pixels
    factor = np.array(material.colour_factor[:3], np.float32)
    rgb = pixels[..., :3] if np.all(factor == 1) else srgb_from_linear(LINEAR_FROM_SRGB[pixels[..., :3]] * factor)
    if not alpha:
        return rgb
    solid = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    if material.alpha_mode == "MASK" and pixels.shape[2] == 4:
        scaled = pixels[..., 3:].astype(np.float64) * material.colour_factor[3] * _CUTOFF / material.alpha_cutoff
        solid = np.round(np.clip(scaled, 0, 255)).astype(np.uint8)
    return np.concatenate([rgb, solid], axis=2)


def _normal(material: Material) -> UInt8[np.ndarray, "H W 3"]:
    flat = np.empty((_PLAIN_PX, _PLAIN_PX, 3), np.uint8)
    flat[:] = (128, 128, 255)
    return flat if material.normal is None else material.normal.pixels[..., :3]


def _orm(material: Material) -> UInt8[np.ndarray, "H W 3"]:
    packed = packed_orm(material)
    if material.specular < 1:
        packed[..., 1] = np.maximum(packed[..., 1], round(255 * _DULL))
    return packed
