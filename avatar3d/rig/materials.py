"""What the parts are made of: pictures beside the head model for the small ones, the photo's for face and eyes."""

from typing import Final

import numpy as np
from jaxtyping import Int32, UInt8
from scipy.spatial import KDTree

from avatar3d.core.avatar import Material, Skin, Texture
from avatar3d.core.head import HeadModel
from avatar3d.head.pictures import part_picture

# Per part: pictures tried in turn, linear tint with picture, linear colour without, roughness.
_SMALL_PARTS: Final[
    dict[str, tuple[tuple[str, ...], tuple[float, float, float], tuple[float, float, float], float]]
] = {
    "teethUpper": (("teethUpper", "teeth"), (1.0, 0.97, 0.92), (0.62, 0.58, 0.50), 0.30),
    "teethLower": (("teethLower", "teeth"), (0.94, 0.91, 0.86), (0.55, 0.51, 0.44), 0.32),
    "tongue": (("tongue",), (0.80, 0.74, 0.74), (0.40, 0.13, 0.13), 0.45),
    "mouth": (("mouth",), (0.85, 0.80, 0.80), (0.13, 0.030, 0.030), 0.70),
    "lashes": (("lashes",), (1.0, 1.0, 1.0), (0.010, 0.007, 0.005), 0.90),
    "brows": (("brows",), (1.0, 1.0, 1.0), (0.035, 0.022, 0.015), 0.90),
}
_HAIRY: Final = ("lashes", "brows")
# Cut-out, not blended: no sorting, right in every engine. Low, so that thin lashes survive mip-mapping.
HAIR_CUTOFF: Final = 0.35
# Linear factor from brows to lashes, which are darker and shade one another, and how light they may be: faint or hidden brows
# are measured as skin.
_LASH: Final = 0.3
_LIGHTEST_LASH: Final = 0.045
# Skin this near to a brow card lies under it (metres).
_UNDER_BROW_M: Final = 0.004
# Where the cheek's shade begins and is full, along the arch from its middle (it ends at .5; canines at .2), and how much of
# the coded colour is left in it.
_CHEEK: Final = (0.20, 0.36)
_CHEEK_SHADE: Final = np.array([0.44, 0.35, 0.33])
# Confidence from which the albedo there is the photo's own.
_SEEN: Final = 0.4


def face_material(skin: Skin) -> Material:
    """Skin: the photo's albedo and relief; dry enough not to look like plastic."""
    return Material(name="face", base_colour=skin.albedo, normal=skin.normal, roughness=0.58)


def eye_material(eyes: Texture) -> Material:
    """One wet material for both eyes."""
    return Material(name="eyes", base_colour=eyes, roughness=0.12)


def part_material(
    name: str, *, tint: tuple[float, float, float] | None = None, seen: Texture | None = None
) -> Material:
    """Teeth, tongue, mouth, lashes or brows. The deeper inside the mouth, the darker: nothing else shades it there.

    `tint` (linear) takes the place of the usual one: the person's own brow colour. `seen` is what the photo showed.
    """
    pictures, usual, colour, roughness = _SMALL_PARTS[name]
    if seen is not None:
        seen = Texture(seen.name, _in_the_cheek(seen.pixels)) if name == "teethLower" else seen
        return Material(name=name, base_colour=seen, roughness=roughness, double_sided=name == "mouth")
    tint, colour = tint or usual, tint or colour
    pixels = next((found for found in map(part_picture, pictures) if found is not None), None)
    if name == "teethLower" and pixels is not None:
        pixels = _in_the_cheek(pixels)
    hairy = name in _HAIRY
    if name == "lashes" and pixels is not None and tint != usual:
        pixels = np.concatenate([np.full_like(pixels[..., :3], 255), pixels[..., 3:]], axis=-1)  # the drawing is black
    return Material(
        name=name,
        base_colour=None if pixels is None else Texture(name=name, pixels=pixels),
        colour_factor=(*(colour if pixels is None else tint), 1.0),
        roughness=roughness,
        alpha_mode="MASK" if hairy and pixels is not None and pixels.shape[2] == 4 else "OPAQUE",
        alpha_cutoff=HAIR_CUTOFF if hairy else 0.5,
        double_sided=hairy or name == "mouth",
    )


def _in_the_cheek(pixels: UInt8[np.ndarray, "H W C"]) -> UInt8[np.ndarray, "H W C"]:
    """Lower crowns behind the canines in the shade of the cheek, which no engine casts there: white, they gleam in the
    corners of an open mouth. Columns of the picture go along the arch.
    """
    width = pixels.shape[1]
    aside = np.abs((np.arange(width) + 0.5) / width - 0.5)
    way = np.clip((aside - _CHEEK[0]) / (_CHEEK[1] - _CHEEK[0]), 0, 1)
    shade = 1 - (way * way * (3 - 2 * way))[:, None] * (1 - _CHEEK_SHADE)
    shaded = pixels.copy()
    shaded[..., :3] = np.round(pixels[..., :3] * shade)
    return shaded


def brow_colour(model: HeadModel, skin: Skin) -> tuple[float, float, float] | None:
    """Linear colour of this person's brows: the darker texels of the face's albedo under them. None without brows."""
    spots = _under_brows(model, skin)
    if not len(spots):
        return None
    pixels = skin.albedo.pixels
    patch = np.concatenate([pixels[y - 6 : y + 7, x - 6 : x + 7, :3].reshape(-1, 3) for x, y in spots])
    dark = patch[np.argsort(patch.astype(np.int32).sum(1))[: max(1, len(patch) // 6)]]
    code = np.median(dark, axis=0) / 255
    red, green, blue = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4).tolist()
    return red, green, blue


def lash_colour(brows: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
    """Linear colour of lashes that grow with such brows: never darker than the usual, which dark brows have."""
    if brows is None:
        return None
    share = min(_LASH, _LIGHTEST_LASH / max(brows))
    red, green, blue = (max(share * own, usual) for own, usual in zip(brows, _SMALL_PARTS["lashes"][2], strict=True))
    return red, green, blue


def brows_in_albedo(model: HeadModel, skin: Skin) -> bool:
    """Whether the photo saw the skin under the brows, so that the albedo carries this person's own."""
    spots = _under_brows(model, skin)
    return bool(len(spots)) and float(np.median(skin.confidence[spots[:, 1], spots[:, 0]])) > _SEEN


def _under_brows(model: HeadModel, skin: Skin) -> Int32[np.ndarray, "N 2"]:
    """Texels (column, row) of the face's atlas under the brow cards, away from its border."""
    if "brows" not in model.part_names or not len(model.part("brows")):
        return np.zeros((0, 2), np.int32)
    brows = model.rest[np.unique(model.triangles[model.part("brows")])]
    chosen = model.part("face")
    corners, uvs = model.rest[model.triangles[chosen]].mean(1), model.uvs[model.triangle_uvs[chosen]].mean(1)
    near = np.asarray(KDTree(brows).query(corners)[0]) < _UNDER_BROW_M
    size = skin.albedo.pixels.shape[0]
    return np.clip((uvs[near] * size).astype(np.int32), 6, size - 7)
