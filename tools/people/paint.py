"""Noise, streaks, polygons and layers: what people are dressed with."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from tools.people.heads import CANVAS_PX

_TILE_PX: Final = 512
Field = Float32[np.ndarray, "H W"]


@dataclass(eq=False)
class Canvas:
    """A picture in the making: later layers lie before earlier ones."""

    image: Float32[np.ndarray, "H W 3"]
    """Roughly sRGB, 0 to 1; light may exceed 1."""
    label: UInt8[np.ndarray, "H W"]
    lit: Field = field(default_factory=lambda: np.ones((CANVAS_PX, CANVAS_PX), np.float32))
    """How bright the light is around each place, for layers without a surface."""

    def lay(self, alpha: Field, colour: np.ndarray, kind: int | None, *, above: float = 0.5) -> None:
        """A layer of colour ([3] or [H W 3]) where alpha is; its kind where alpha is at least `above`."""
        rows, columns = np.flatnonzero((alpha > 0).any(1)), np.flatnonzero((alpha > 0).any(0))
        if not len(rows):
            return
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        laid = np.asarray(colour, np.float32)
        laid = laid[box] if laid.ndim == 3 else laid
        cover = alpha[box].astype(np.float32)[..., None]
        part = self.image[box]
        self.image[box] = part + (laid - part) * cover
        if kind is not None:
            self.label[box][alpha[box] >= above] = kind


@lru_cache(maxsize=8)
def _tile(across: int, along: int, seed: int) -> Field:
    """Noise that repeats, blurred so much in x and in y; mean 0, deviation 1."""
    rng = np.random.default_rng([20261120, across, along, seed])
    noise = rng.normal(0, 1, (_TILE_PX, _TILE_PX)).astype(np.float32)
    total = np.zeros_like(noise)
    for octave, weight in ((1.0, 1.0), (2.5, 0.9), (6.0, 0.8)):
        spectrum = np.fft.rfft2(rng.normal(0, 1, noise.shape))
        fy, fx = np.fft.fftfreq(_TILE_PX)[:, None], np.fft.rfftfreq(_TILE_PX)[None]
        spectrum *= np.exp(-2 * np.pi**2 * ((fx * across * octave * 0.5) ** 2 + (fy * along * octave * 0.5) ** 2))
        layer = np.fft.irfft2(spectrum, s=noise.shape)
        total += (weight * layer / layer.std()).astype(np.float32)
    return (total / total.std()).astype(np.float32)


def streaks(u: Field, v: Field, *, along: int = 24, seed: int = 0) -> Field:
    """Streaks that run along v: u in pixels across, v in pixels along. Deviation about 1."""
    tile = _tile(1, along, seed)
    return cv2.remap(
        tile, np.mod(u, _TILE_PX - 1).astype(np.float32), np.mod(v, _TILE_PX - 1).astype(np.float32), cv2.INTER_LINEAR
    )


def clouds(rng: np.random.Generator, size_px: float, shape: tuple[int, int] = (CANVAS_PX, CANVAS_PX)) -> Field:
    """Smooth noise with blobs of about that size; mean 0, deviation about 1."""
    cells = tuple(max(2, round(n / size_px) + 2) for n in shape)
    small = rng.normal(0, 1, cells).astype(np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC) * np.float32(1.3)


def rough(rng: np.random.Generator, size_px: float) -> Field:
    """Clouds with finer clouds on them."""
    return (
        0.7 * clouds(rng, size_px) + 0.45 * clouds(rng, size_px / 3) + 0.3 * clouds(rng, max(1.5, size_px / 9))
    ).astype(np.float32)


def grain(rng: np.random.Generator) -> Field:
    """White noise."""
    return rng.standard_normal((CANVAS_PX, CANVAS_PX), dtype=np.float32)


def polygon(points: np.ndarray, *, soften: float = 0.0) -> Field:
    """1 inside the polygon (canvas pixels, centres at integer + 0.5)."""
    filled = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    cv2.fillPoly(filled, [np.round((np.asarray(points) - 0.5) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return soft(filled.astype(np.float32) / np.float32(255), soften)


def lines(paths: list[np.ndarray], width_px: float, *, closed: bool = False) -> Field:
    """1 on the lines."""
    drawn = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    # Thin lines fade, because OpenCV draws none below one pixel.
    strength = 255 * min(1.0, width_px)
    points = [np.round((np.asarray(path) - 0.5) * 16).astype(np.int32) for path in paths]
    cv2.polylines(drawn, points, closed, (strength,), max(1, round(width_px)), cv2.LINE_AA, 4)
    return drawn.astype(np.float32) / np.float32(255)


def smooth_closed(points: np.ndarray, count: int = 64) -> np.ndarray:
    """A closed curve through the points, by Fourier interpolation of their order."""
    spectrum = np.fft.fft(points[:, 0] + 1j * points[:, 1])
    half = (len(points) + 1) // 2
    wide = np.zeros(count, complex)
    wide[:half], wide[-(len(points) - half) :] = spectrum[:half], spectrum[half:]
    curve = np.fft.ifft(wide) * count / len(points)
    return np.stack([curve.real, curve.imag], 1)


def soft(mask: Field, sigma: float) -> Field:
    """Blurred."""
    if sigma < 0.3:
        return mask
    mask = np.asarray(mask, np.float32)
    if sigma > 5:
        # At a quarter of the size nothing is lost.
        few = cv2.resize(mask, (CANVAS_PX // 4, CANVAS_PX // 4), interpolation=cv2.INTER_AREA)
        few = cv2.GaussianBlur(few, (0, 0), sigma / 4, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(few, (CANVAS_PX, CANVAS_PX), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def grown(mask: Field, radius_px: float) -> Field:
    """Dilated (or eroded) by so many pixels."""
    radius = max(1, round(abs(radius_px)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask, kernel) if radius_px > 0 else cv2.erode(mask, kernel)


def step(x: np.ndarray, width: float) -> Field:
    """From 0 to 1 around x = 0 over about that width."""
    return np.clip(x / width + 0.5, 0, 1).astype(np.float32)


def spread_out(values: Field, known: np.ndarray, sigma: float) -> Field:
    """Values where known, and around them what lies nearby."""
    weight = known.astype(np.float32)
    near = soft(weight, sigma)
    wide = soft(weight, sigma * 4)
    mean = float(values[known].mean()) if known.any() else 1.0
    blurred = (soft(values * weight, sigma) + 0.02 * soft(values * weight, sigma * 4) + 1e-4 * mean) / (near + 0.02 * wide + 1e-4)  # fmt: skip
    return np.where(known, values, blurred).astype(np.float32)


def grid() -> tuple[Field, Field]:
    """x and y of the pixel centres."""
    return _grid()


@lru_cache(maxsize=1)
def _grid() -> tuple[Field, Field]:
    x, y = np.meshgrid(np.arange(CANVAS_PX) + 0.5, np.arange(CANVAS_PX) + 0.5)
    return x.astype(np.float32), y.astype(np.float32)


def vivid(rng: np.random.Generator) -> Float32[np.ndarray, "3"]:
    """Any colour: greys, dark ones and bright ones alike."""
    kind = rng.random()
    if kind < 0.35:
        return (np.full(3, rng.uniform(0.02, 0.98)) + rng.normal(0, 0.02, 3)).clip(0, 1).astype(np.float32)
    hue, saturation, value = rng.uniform(0, 360), rng.beta(1.6, 1.6), rng.uniform(0.08, 1)
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
