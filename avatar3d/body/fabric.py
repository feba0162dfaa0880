"""Cloth and leather, drawn: colour, weave, seams and folds of the clothes.

places in the T-pose --folds where cloth is pulled, seams along hems--> heights --> relief, and shade in the colour
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32
from scipy.spatial import KDTree

from avatar3d.body.attach import Dressed
from avatar3d.body.canvas import Canvas, encoded, noise, relief, texel_width, unroll
from avatar3d.body.cloth import Draped
from avatar3d.core.avatar import Material, Texture
from avatar3d.core.segments import Segments
from avatar3d.render.stage import LINEAR_FROM_SRGB

_SIZES: Final = {"shirt": 1024, "trousers": 1024, "shoes": 512}
_ROUGHNESS: Final = {"shirt": 0.92, "trousers": 0.88, "shoes": 0.55}
_FOLD_SHADE: Final = 0.16
"""Darkening in the deepest fold, log."""
_DEEP_M: Final = 0.006
"""Of the folds where cloth is pulled most."""
# Linear. Trousers and shoes one wears with anything.
TROUSERS: Final = ((0.022, 0.030, 0.055), (0.020, 0.021, 0.024), (0.055, 0.050, 0.042), (0.16, 0.12, 0.075))
SHOES: Final = ((0.030, 0.026, 0.024), (0.10, 0.055, 0.030), (0.55, 0.54, 0.52))
SHIRTS: Final = (
    (0.60, 0.60, 0.58), (0.030, 0.045, 0.11), (0.25, 0.27, 0.29), (0.020, 0.022, 0.026), (0.07, 0.16, 0.17),
    (0.22, 0.035, 0.035), (0.10, 0.14, 0.07), (0.16, 0.26, 0.42),
)  # fmt: skip
_SOLE: Final = (0.62, 0.60, 0.56)
_DARK_SOLE: Final = (0.03, 0.028, 0.026)
_SOCK: Final = (0.05, 0.05, 0.055)


_APART: Final = 0.6
"""Trousers are so much lighter or darker than the shirt, log."""
_SURE: Final = 0.8
_LEAST_SEEN: Final = 0.03
"""Of the picture around the face that clothes must cover to tell their colour."""
_CLOTH_BETWEEN: Final = (0.015, 0.70)
"""Black and white cloth, linear."""


@dataclass(frozen=True)
class Colours:
    """Linear colours of the clothes."""

    shirt: tuple[float, float, float]
    trousers: tuple[float, float, float]
    shoes: tuple[float, float, float]


def colours_by(seed: int, shirt: tuple[float, float, float] | None = None) -> Colours:
    """Chosen by a seed; a shirt of its own colour when the photo told it."""
    rng = np.random.default_rng(seed)
    picked = SHIRTS[int(rng.integers(len(SHIRTS)))]
    worn = shirt or picked
    apart = [each for each in TROUSERS if abs(np.log(sum(each) / sum(worn))) > _APART] or list(TROUSERS)
    return Colours(worn, apart[int(rng.integers(len(apart)))], SHOES[int(rng.integers(len(SHOES)))])


def shirt_colour(segments: Segments, tone: Float32[np.ndarray, "3"]) -> tuple[float, float, float] | None:
    """Linear colour of the photo's clothes as skin of this tone says the light was; None where it shows too few."""
    worn = segments.of("clothes") > _SURE
    skin = segments.of("skin") > _SURE
    if worn.mean() < _LEAST_SEEN or not skin.any():
        return None
    light = np.median(LINEAR_FROM_SRGB[segments.pixels[skin]], axis=0) / np.maximum(tone, 1e-3)
    colour = np.median(LINEAR_FROM_SRGB[segments.pixels[worn]], axis=0) / np.maximum(light.mean(), 1e-3)
    red, green, blue = np.clip(colour, *_CLOTH_BETWEEN).tolist()
    return red, green, blue


def clothes_materials(dressed: Dressed, colours: Colours, seed: int) -> dict[str, Material]:
    """A material for each of the clothes; double-sided, since sleeves and legs are open."""
    made: dict[str, Material] = {}
    for name, part in dressed.clothes.items():
        size = _SIZES[name]
        canvas = unroll(part, size)
        lowered = part.positions - np.array([0, dressed.lift_m, 0], np.float32)
        colour = np.array(getattr(colours, name), np.float32)
        paint = {"shirt": _knit, "trousers": _denim, "shoes": _leather}[name]
        linear, height_m = paint(dressed, canvas, lowered, colour, seed)
        normal = relief(height_m, texel_width(part, size))
        made[name] = Material(
            name=name,
            base_colour=Texture(name, encoded(linear)),
            normal=Texture(f"{name}Normal", normal),
            roughness=_ROUGHNESS[name],
            double_sided=True,
        )
    return made


def _knit(
    dressed: Dressed, canvas: Canvas, places: Float32[np.ndarray, "V 3"], colour: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cotton: fine weave, ribbed neckline, a stitched seam along the hems."""
    at = canvas.of(places)
    pulled = _pulled(dressed, at, {"UpperArm": (0.12, 0.9), "spine": (0.13, 0.55), "Shoulder": (0.12, 0.25)})
    folds = _folds(canvas, places, np.array([0.055, 0.020, 0.055]), seed) * (0.14 + pulled)
    edge = canvas.of(_edge_distance(canvas.part))
    height = _DEEP_M * folds + _stitches(edge)
    fold_shade = _FOLD_SHADE * np.minimum(folds, 0.3)
    weave = 0.045 * _weave(canvas)
    shade = np.exp(
        fold_shade + weave + _seam_shade(edge) + 0.04 * canvas.of(noise(places / np.float32(0.09), seed + 3))
    )
    return canvas.picture((colour * shade[:, None]).astype(np.float32)), _smooth(canvas.picture(height), 1.1)


def _denim(
    dressed: Dressed, canvas: Canvas, places: Float32[np.ndarray, "V 3"], colour: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Twill: diagonal weave, worn on thighs and knees, pulled at crotch and knees, gathered over the shoes."""
    at = canvas.of(places)
    joints = dict(zip(dressed.skeleton.names, dressed.skeleton.positions, strict=True))
    pulled = _pulled(dressed, at, {"UpperLeg": (0.13, 0.5), "LowerLeg": (0.11, 0.8), "Foot": (0.13, 0.9)})
    folds = _folds(canvas, places, np.array([0.07, 0.016, 0.07]), seed + 11) * (0.12 + pulled)
    edge = canvas.of(_edge_distance(canvas.part))
    low = dressed.lift_m
    knee, hip = (float(joints[name][1]) - low for name in ("leftLowerLeg", "leftUpperLeg"))
    worn = np.exp(-(((at[:, 1] - 0.6 * hip - 0.4 * knee) / 0.16) ** 2)) * np.clip(at[:, 2] * 8 + 0.6, 0, 1)
    fly = np.exp(-((at[:, 0] / 0.0022) ** 2)) * (at[:, 1] > hip - 0.10) * (at[:, 2] > 0)
    height = _DEEP_M * folds + _stitches(edge) - 0.0008 * fly
    weave = 0.10 * _weave(canvas)
    uneven = 0.05 * canvas.of(noise(places / np.float32(0.06), seed + 5))
    shade = np.exp(0.22 * worn + _FOLD_SHADE * np.minimum(folds, 0.3) + weave + uneven + _seam_shade(edge) - 0.4 * fly)
    return canvas.picture((colour * shade[:, None]).astype(np.float32)), _smooth(canvas.picture(height), 1.1)


def _leather(
    _: Dressed, canvas: Canvas, places: Float32[np.ndarray, "V 3"], colour: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """A third each of the picture: sole, upper with a seam round the toe, sock."""
    at = canvas.of(places)
    down = canvas.of(canvas.part.uvs)[:, 1] * 3
    sole, sock = down < 1, down > 2
    base = np.where(sole[:, None], _SOLE if colour.max() > 0.06 else _DARK_SOLE, colour)
    base = np.where(sock[:, None], _SOCK, base)
    across = canvas.of(canvas.part.uvs)[:, 0]
    upper = ~sole & ~sock
    toe_cap = np.exp(-(((down - 1.42 - 0.25 * (across - 0.5) ** 2) / 0.012) ** 2)) * upper
    rim = np.exp(-(((down - 1.86) / 0.014) ** 2)) * upper
    grain = noise(at / np.float32(0.004), seed) * 0.5 + noise(at / np.float32(0.0016), seed + 1) * 0.5
    height = 0.00025 * grain * upper - 0.0008 * (toe_cap + rim)
    tread = sole & (np.abs((down * 14) % 1 - 0.5) < 0.12)
    shade = np.exp(0.05 * grain - 0.5 * (toe_cap + rim) - 0.35 * tread)
    return canvas.picture((base * shade[:, None]).astype(np.float32)), _smooth(
        canvas.picture(height.astype(np.float32)), 0.8
    )


def _pulled(
    dressed: Dressed, at: Float32[np.ndarray, "N 3"], pulls: dict[str, tuple[float, float]]
) -> Float32[np.ndarray, "N"]:
    """How much cloth is pulled near such joints: reach (metres) and strength by a part of their names."""
    total = np.zeros(len(at), np.float32)
    low = np.array([0, dressed.lift_m, 0], np.float32)
    for name, place in zip(dressed.skeleton.names, dressed.skeleton.positions, strict=True):
        for part, (reach_m, strength) in pulls.items():
            if name.endswith(part):
                away = ((at - (place - low)) ** 2).sum(1)
                total = np.maximum(total, strength * np.exp(-away / (2 * reach_m**2)))
    return total


def _folds(
    canvas: Canvas, places: Float32[np.ndarray, "V 3"], grain_m: np.ndarray, seed: int
) -> Float32[np.ndarray, "N"]:
    """Ridges across a limb, bent by a slower noise that vertices are near enough for; between -0.5 and 0.5."""
    slow = np.stack([noise(places / np.float32(0.12), seed + k) for k in range(3)], axis=1)
    bent = places + np.float32(0.03) * slow
    bent[:, 1] += np.float32(0.35) * np.abs(bent[:, 0])  # folds hang down towards the outside
    return 0.5 - np.abs(noise(canvas.of((bent / grain_m).astype(np.float32)), seed + 7))


def _weave(canvas: Canvas) -> Float32[np.ndarray, "N"]:
    """Threads two texels wide, with a little chance."""
    rows, columns = np.nonzero(canvas.shown)
    thread = np.where((rows + columns) // 2 % 2 == 0, 1.0, -1.0)
    chance = ((rows * 7919 ^ columns * 104729) * 2654435761 & 0xFFFF) / 32767.5 - 1
    return (0.5 * thread + 0.5 * chance).astype(np.float32)


def _edge_distance(part: Draped) -> Float32[np.ndarray, "V"]:
    """Metres to the nearest vertex of the part's outline."""
    _, place = np.unique(np.round(part.positions * 1e5).astype(np.int64), axis=0, return_inverse=True)
    run = place.ravel()[
        np.concatenate([part.triangles[:, [0, 1]], part.triangles[:, [1, 2]], part.triangles[:, [2, 0]]])
    ]
    known = set(map(tuple, run.tolist()))
    rim = {a for a, b in known if (b, a) not in known}
    on_rim = np.isin(place.ravel(), list(rim))
    return KDTree(part.positions[on_rim]).query(part.positions)[0].astype(np.float32)


def _stitches(edge_m: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    """The doubled hem is thicker, and a seam runs along its inner edge."""
    doubled = 0.0006 * np.clip((0.019 - edge_m) / 0.002, 0, 1)
    return (doubled - 0.0007 * np.exp(-(((edge_m - 0.0165) / 0.0012) ** 2))).astype(np.float32)


def _seam_shade(edge_m: Float32[np.ndarray, "N"]) -> Float32[np.ndarray, "N"]:
    return (-0.22 * np.exp(-(((edge_m - 0.0165) / 0.0014) ** 2))).astype(np.float32)


def _smooth(height: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(height.astype(np.float32), (0, 0), sigma))
