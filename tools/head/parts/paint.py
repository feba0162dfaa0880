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
    ivory = np.array([226, 216, 196.0])
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
    picture = picture * (1 - 0.24 * np.clip((back - 0.3) / 0.7, 0, 1)[..., None] * [0.9, 1.0, 1.15])
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
    picture = picture * (1 - 0.10 * np.exp(-(((u - 0.5) / 0.012) ** 2)))[..., None]
    picture = picture * (1 + 0.05 * above * _noise(3, 1.0) + 0.03 * _noise(4, 5))[..., None]
    return picture * (1 - 0.65 * np.clip((v - 0.45) / 0.5, 0, 1))[..., None]


def _mouth() -> np.ndarray:
    """Dark pink behind the lips, almost black in the throat."""
    u, v = _grid()
    radius = np.hypot(u - 0.5, v - 0.5) / 0.5
    picture = _mix(
        np.broadcast_to(np.array([34, 11, 11.0]), (*u.shape, 3)),
        np.array([140, 66, 62.0]),
        np.clip((radius - 0.15) / 0.8, 0, 1) ** 1.3,
    )
    return picture * (1 + 0.05 * _noise(5, 6))[..., None]


def _lashes() -> np.ndarray:
    """Single hairs with alpha: upper lashes in the upper half (tips at the top), lower ones below."""
    generator = np.random.default_rng(_SEED + 6)
    scale = 4
    size = SIZE * scale
    alpha = np.zeros((size, size))
    for upper, count in ((True, 62), (False, 26)):
        for root in np.linspace(0.012, 0.988, count) + generator.normal(0, 0.003, count):
            lean = generator.normal(0, 0.03) + (generator.choice([-1, 1]) * 0.012)
            length = generator.uniform(0.72, 1.0) * (0.46 if upper else 0.36 * generator.uniform(0.6, 1))
            along = np.linspace(0, 1, 700)
            x = root + lean * along**1.5
            y = (0.485 - length * along) if upper else (0.515 + length * along)
            width = np.maximum((0.0032 if upper else 0.0024) * (1 - along) ** 0.7, 0.0007) * size
            for px, py, w in zip(x * size, y * size, width, strict=True):
                lo, hi = round(px - w / 2), round(px + w / 2) + 1
                if 0 <= int(py) < size:
                    alpha[int(py), max(lo, 0) : max(min(hi, size), 0)] = 1
    alpha = alpha.reshape(SIZE, scale, SIZE, scale).mean((1, 3))
    alpha[SIZE // 2 :] *= 0.6
    alpha[: SIZE // 2] *= 0.9
    colour = np.broadcast_to(np.array([38, 27, 21.0]), (SIZE, SIZE, 3))
    return np.concatenate([colour, 255 * alpha[..., None]], axis=2)


def _brows() -> np.ndarray:
    """Short hairs sweeping up and outward (u from the nose outward, v = 0 the upper edge); white, to be tinted."""
    generator = np.random.default_rng(_SEED + 7)
    scale = 4
    size = SIZE * scale
    alpha = np.zeros((size, size))
    for _ in range(420):
        u = generator.uniform(0.02, 0.94)
        spread = np.interp(u, [0, 0.1, 0.8, 1], [0.6, 0.85, 0.7, 0.4])
        v = 0.5 + (generator.beta(2, 2) - 0.42) * spread
        angle = np.interp(u, [0, 0.15, 0.5, 1], [1.35, 0.9, 0.35, 0.0]) + generator.normal(0, 0.12)
        angle += (0.5 - v) * -0.9
        length = generator.uniform(0.10, 0.17)
        along = np.linspace(0, 1, 260)
        x, y = u + length * along * np.cos(angle) * 0.55, v - length * along * np.sin(angle) * 1.6
        width = np.maximum(0.0036 * np.sin(np.pi * (0.15 + 0.85 * along)) ** 0.6, 0.0012) * size
        for px, py, w in zip(x * size, y * size, width, strict=True):
            lo, hi = round(px - w / 2), round(px + w / 2) + 1
            if 0 <= int(py) < size and hi > 0 and lo < size:
                alpha[int(py), max(lo, 0) : min(hi, size)] = 1
    alpha = alpha.reshape(SIZE, scale, SIZE, scale).mean((1, 3))
    return np.concatenate([np.full((SIZE, SIZE, 3), 255.0), 255 * alpha[..., None]], axis=2)


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
