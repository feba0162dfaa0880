"""The parts' own textures, painted by rule (no photo, no third party): ivory, gum, tongue, throat, lashes, brows.

Run `python -m tools.head.parts.paint` to write them to avatar3d/head/data/. Licence: ours, Apache-2.0.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from tools.head.parts.sockets import UV_CENTRES, UV_RADIUS
from tools.head.parts.teeth import GUM_BAND, TEETH_BAND

SIZE: Final = 256
DATA: Final = Path(__file__).resolve().parents[3] / "avatar3d/head/data"
FILES: Final = {
    "eyeLeft": "eyes", "eyeRight": "eyes", "teethUpper": "teeth", "teethLower": "teeth", "tongue": "tongue",
    "mouth": "mouth", "lashes": "lashes", "brows": "brows",
}  # fmt: skip
_SEED: Final = 20261120


def texture(part: str) -> UInt8[np.ndarray, "H W C"]:
    """The sRGB (or sRGB + alpha) picture of a part."""
    painters: dict[str, Callable[[], np.ndarray]] = {
        "eyes": _eyes, "teeth": _teeth, "tongue": _tongue, "mouth": _mouth, "lashes": _lashes, "brows": _brows,
    }  # fmt: skip
    return np.clip(np.round(painters[FILES[part]]()), 0, 255).astype(np.uint8)


def _grid(size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    centre = (np.arange(size) + 0.5) / size
    return np.meshgrid(centre, centre)


def _noise(seed: int, scale: float, size: int = SIZE) -> np.ndarray:
    """Smooth noise of unit deviation."""
    field = gaussian_filter(np.random.default_rng(_SEED + seed).normal(size=(size, size)), scale, mode="wrap")
    return field / field.std()


def _mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    return a * (1 - share[..., None]) + b * share[..., None]


def _eyes() -> np.ndarray:
    """A brown iris on a warm sclera: the stand-in until a photo gives its own."""
    u, v = _grid()
    radius, angle = np.hypot(u - 0.5, v - 0.5), np.arctan2(v - 0.5, u - 0.5)
    sclera = np.array([218, 211, 205.0]) + 3 * _noise(0, 6)[..., None] * [0.4, 1.0, 1.0]
    sclera = _mix(sclera, np.array([196, 142, 132.0]), np.clip((radius - 0.36) / 0.14, 0, 1) ** 1.5 * 0.8)
    fibre = zoom(np.random.default_rng(_SEED).normal(size=(1, 96)), (1, 4), order=1, mode="grid-wrap")[0]
    spoke = np.interp(angle, np.linspace(-np.pi, np.pi, len(fibre)), fibre)
    iris = np.array([104, 70, 44.0]) * (1 + 0.13 * spoke + 0.25 * np.clip(1 - radius / 0.16, 0, 1))[..., None]
    iris = _mix(iris, np.array([38, 26, 20.0]), np.clip((radius - 0.195) / 0.05, 0, 1) ** 1.5)
    picture = _mix(iris, sclera, np.clip((radius - 0.238) / 0.022, 0, 1))
    return _mix(
        np.broadcast_to(np.array([12, 9, 9.0]), picture.shape), picture, np.clip((radius - 0.088) / 0.012, 0, 1)
    )


def _teeth() -> np.ndarray:
    """Fourteen ivory cells (edge at the top) over a band of gum."""
    u, v = _grid()
    cell = u * 14 % 1
    crown = np.clip((v - TEETH_BAND[0]) / (TEETH_BAND[1] - TEETH_BAND[0]), 0, 1)
    ivory = np.array([234, 226, 208.0])
    picture = _mix(
        np.broadcast_to(ivory, (*u.shape, 3)), np.array([206, 182, 146.0]), np.clip((crown - 0.45) / 0.5, 0, 1)
    )
    picture = _mix(picture, np.array([214, 210, 202.0]), np.clip(1 - crown / 0.14, 0, 1) * 0.6)
    # Ring u: 0 and 1 look to the left neighbour, 0.5 to the right one; darker where teeth touch.
    side = np.minimum(np.minimum(cell, 1 - cell), np.abs(cell - 0.5))
    picture = picture * (0.72 + 0.28 * np.clip(side / 0.09, 0, 1))[..., None]
    inner = np.clip((cell - 0.55) / 0.1, 0, 1) * np.clip((0.98 - cell) / 0.05, 0, 1)
    picture = picture * (1 - 0.14 * inner)[..., None]
    back = np.abs(u - 0.5) * 2
    # Side teeth stand in the shade of the cheeks, the more the nearer the gum; fissures are dark.
    shade = np.clip((back - 0.36) / 0.36, 0, 1)
    picture = picture * (1 - (0.32 + 0.15 * crown) * shade)[..., None] ** np.array([0.9, 1.0, 1.15])
    fissure = (back > 6 / 14) * np.clip(1 - crown / 0.12, 0, 1)
    picture = _mix(picture, np.array([120, 96, 76.0]), 0.55 * fissure)
    neck = np.clip((crown - 0.80) / 0.2, 0, 1)
    picture = _mix(picture, np.array([172, 112, 98.0]), 0.35 * neck)
    picture += 2.5 * _noise(1, 2.5)[..., None]
    depth = np.clip((v - GUM_BAND[0]) / (GUM_BAND[1] - GUM_BAND[0]), 0, 1)
    gum = _mix(
        np.broadcast_to(np.array([204, 130, 122.0]), picture.shape),
        np.array([150, 74, 72.0]),
        np.abs(depth - 0.36) * 1.4,
    )
    gum = (
        gum
        * (1 - 0.30 * np.clip((back - 0.3) / 0.7, 0, 1) * (depth < 0.75))[..., None]
        * (1 + 0.03 * _noise(2, 3))[..., None]
    )
    return _mix(picture, gum, (v > (TEETH_BAND[1] + GUM_BAND[0]) / 2).astype(float))


def _tongue() -> np.ndarray:
    """Pink, paler and rougher on the back, dark toward the root, smooth red below."""
    u, v = _grid()
    above = np.clip(1 - np.abs(u - 0.5) / 0.3, 0, 1)
    picture = _mix(np.broadcast_to(np.array([172, 84, 84.0]), (*u.shape, 3)), np.array([201, 122, 116.0]), above)
    picture = picture * (1 - 0.12 * np.exp(-(((u - 0.5) / 0.02) ** 2)))[..., None]
    picture = picture * (1 + 0.05 * above * _noise(3, 1.0) + 0.03 * _noise(4, 5))[..., None]
    return picture * (1 - 0.5 * np.clip((v - 0.45) / 0.5, 0, 1))[..., None]


def _mouth() -> np.ndarray:
    """Pink behind the lips, dark red flesh in the throat: engines add the shade."""
    u, v = _grid()
    radius = np.hypot(u - 0.5, v - 0.5) / 0.5
    picture = _mix(
        np.broadcast_to(np.array([92, 34, 33.0]), (*u.shape, 3)),
        np.array([158, 78, 74.0]),
        np.clip((radius - 0.15) / 0.8, 0, 1) ** 1.3,
    )
    for middle in UV_CENTRES:  # the cups behind the lids: conjunctiva, darker behind the ball
        near = np.hypot(u - middle[0], v - middle[1]) / UV_RADIUS
        cup = _mix(
            np.broadcast_to(np.array([170, 104, 96.0]), picture.shape), np.array([250, 196, 184.0]), np.clip(near, 0, 1)
        )
        picture = np.where((near < 1.15)[..., None], cup, picture)
    return picture * (1 + 0.05 * _noise(5, 6))[..., None]


_LASH_LINE = 0.055
"""Of the picture's height: about 0.8 mm on the upper card."""


def _lashes() -> np.ndarray:
    """Single hairs with alpha: upper lashes in the upper half (tips at the top), lower ones below."""
    generator = np.random.default_rng(_SEED + 6)
    hairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    along = np.linspace(0, 1, 900)
    for upper, count in ((True, 92), (False, 34)):
        for root in np.linspace(0.012, 0.988, count) + generator.normal(0, 0.003, count):
            lean = generator.normal(0, 0.02) + (generator.choice([-1, 1]) * 0.010)
            length = generator.uniform(0.60, 1.0) * (0.46 if upper else 0.34 * generator.uniform(0.6, 1))
            y = (0.49 - length * along) if upper else (0.51 + length * along)
            width = np.maximum((0.0034 if upper else 0.0022) * (1 - along) ** 0.6, 0.0008)
            hairs.append((root + lean * along**1.5, y, width))
    alpha = _strokes(hairs, 2 * SIZE, SIZE)
    alpha[SIZE // 2 :] *= 0.8
    # Roots stand so close that they read as one dark line along the lid; without it an eye stares from afar.
    y = (np.arange(SIZE)[:, None] + 0.5) / SIZE
    alpha = np.maximum(alpha, ((y > 0.49 - _LASH_LINE) & (y < 0.495)).astype(float))
    return _with_colour(alpha, (38, 27, 21))


def _brows() -> np.ndarray:
    """Short hairs sweeping up and outward (u from the nose outward, v = 0 the upper edge); white, to be tinted."""
    generator = np.random.default_rng(_SEED + 7)
    along = np.linspace(0, 1, 260)
    hairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for _ in range(420):
        u = generator.uniform(0.02, 0.94)
        spread = np.interp(u, [0, 0.1, 0.8, 1], [0.36, 0.5, 0.36, 0.2])
        v = 0.52 + (generator.beta(2, 2) - 0.42) * spread
        angle = np.interp(u, [0, 0.15, 0.5, 1], [1.35, 0.9, 0.35, 0.0]) + generator.normal(0, 0.12) + (v - 0.5) * 0.9
        length = generator.uniform(0.10, 0.17)
        x, y = u + length * along * np.cos(angle) * 0.55, v - length * along * np.sin(angle)
        hairs.append((x, y / 2, np.maximum(0.0036 * np.sin(np.pi * (0.15 + 0.85 * along)) ** 0.6, 0.0012)))
    half = _strokes(hairs, SIZE, SIZE)[: SIZE // 2]
    return _with_colour(np.concatenate([half, half]), (255, 255, 255))


def _strokes(hairs: list[tuple[np.ndarray, np.ndarray, np.ndarray]], width: int, height: int) -> np.ndarray:
    """Coverage [height width] of hairs given as x, y and thickness along each, fractions of the picture's sides."""
    scale = 4
    alpha = np.zeros((height * scale, width * scale))
    for x, y, thickness in hairs:
        for px, py, w in zip(x * width * scale, y * height * scale, thickness * width * scale, strict=True):
            left, right, row = round(px - w / 2), round(px + w / 2) + 1, int(py)
            if 0 <= row < height * scale and right > 0 and left < width * scale:
                alpha[row, max(left, 0) : min(right, width * scale)] = 1
    return alpha.reshape(height, scale, width, scale).mean((1, 3))


def _with_colour(alpha: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """RGBA [H W 4] of one colour."""
    return np.concatenate([np.broadcast_to(np.array(colour, float), (*alpha.shape, 3)), 255 * alpha[..., None]], axis=2)


def save_textures(folder: Path = DATA) -> list[Path]:
    """Write each picture once as PNG; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part, stem in {stem: part for part, stem in FILES.items()}.items():
        path = folder / f"{part}.png"
        Image.fromarray(texture(stem)).save(path, optimize=True)
        paths.append(path)
    return paths


if __name__ == "__main__":
    for saved in save_textures():
        print(saved.name, saved.stat().st_size)
