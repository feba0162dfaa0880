"""Noise, streaks, polygons and layers: what people are drawn with.

All lengths and places are in points: a sheet is CANVAS_PT wide, UNIT_PT lie between the eyes, however many pixels show it.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

CANVAS_PT: Final = 400
"""Edge of the square in which people are drawn."""
UNIT_PT: Final = 56.0
"""One inter-ocular distance there."""
EYES_PT: Final = (200.0, 173.0)
"""Where the middle between the eyes lies there."""
_TILE_PT: Final = 512
Field = Float[np.ndarray, "H W"]
Picture = Float[np.ndarray, "H W 3"]


@dataclass(frozen=True)
class Paper:
    """A sheet and what can be drawn on it; pixel centres lie at integer + 0.5."""

    scale: int = 1
    """Pixels per point. At 1 the net is trained; more shows finer hair and cleaner edges."""

    @property
    def px(self) -> int:
        """Edge in pixels."""
        return CANVAS_PT * self.scale

    @property
    def shape(self) -> tuple[int, int]:
        return self.px, self.px

    def grid(self) -> tuple[Field, Field]:
        """x and y of the pixel centres, points."""
        return _grid(self.scale)

    def streaks(self, u: Field, v: Field, *, along: int = 24, seed: int = 0) -> Field:
        """Streaks that run along v: u in points across, v in points along. Deviation about 1."""
        tile = _tile(along, seed, self.scale)
        across, down = (np.mod(one * self.scale, len(tile) - 1).astype(np.float32) for one in (u, v))
        return cv2.remap(tile, across, down, cv2.INTER_LINEAR)

    def clouds(self, rng: np.random.Generator, size_pt: float) -> Field:
        """Smooth noise with blobs of about that size; mean 0, deviation about 1."""
        cells = max(2, round(CANVAS_PT / size_pt) + 2)
        small = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        return cv2.resize(small, self.shape, interpolation=cv2.INTER_CUBIC) * np.float32(1.3)

    def rough(self, rng: np.random.Generator, size_pt: float) -> Field:
        """Clouds with finer clouds on them."""
        return (
            0.7 * self.clouds(rng, size_pt)
            + 0.45 * self.clouds(rng, size_pt / 3)
            + 0.3 * self.clouds(rng, max(1.5, size_pt / 9))
        ).astype(np.float32)

    def grain(self, rng: np.random.Generator) -> Field:
        """White noise."""
        return rng.standard_normal(self.shape, dtype=np.float32)

    def polygon(self, points: np.ndarray, *, soften: float = 0.0) -> Field:
        """1 inside the polygon."""
        filled = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(filled, [self._sixteenths(points)], (255,), cv2.LINE_AA, 4)
        return self.soft(filled.astype(np.float32) / np.float32(255), soften)

    def lines(self, paths: list[np.ndarray], width_pt: float, *, closed: bool = False) -> Field:
        """1 on the lines."""
        drawn = np.zeros(self.shape, np.uint8)
        width = width_pt * self.scale
        # Thin lines fade, because OpenCV draws none below one pixel.
        strength = 255 * min(1.0, width)
        points = [self._sixteenths(path) for path in paths]
        cv2.polylines(drawn, points, closed, (strength,), max(1, round(width)), cv2.LINE_AA, 4)
        return drawn.astype(np.float32) / np.float32(255)

    def _sixteenths(self, points: np.ndarray) -> np.ndarray:
        """OpenCV's own fixed point: pixel centres at whole numbers, four bits behind the point."""
        return np.round((np.asarray(points) * self.scale - 0.5) * 16).astype(np.int32)

    def soft(self, mask: Field, sigma_pt: float) -> Field:
        """Blurred."""
        sigma = sigma_pt * self.scale
        if sigma < 0.3:
            return mask
        mask = np.asarray(mask, np.float32)
        if sigma > 5:
            # At a quarter of the size nothing is lost.
            few = cv2.resize(mask, (self.px // 4, self.px // 4), interpolation=cv2.INTER_AREA)
            few = cv2.GaussianBlur(few, (0, 0), sigma / 4, borderType=cv2.BORDER_REPLICATE)
            return np.asarray(cv2.resize(few, self.shape, interpolation=cv2.INTER_LINEAR), np.float32)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)

    def grown(self, mask: Field, radius_pt: float) -> Field:
        """Dilated by so much."""
        radius = max(1, round(radius_pt * self.scale))
        return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)))

    def lowered(self, mask: Field, by_pt: float) -> Field:
        """Moved down."""
        return np.roll(mask, round(by_pt) * self.scale, 0)

    def away_from(self, mask: np.ndarray) -> Field:
        """Distance from the mask, inter-ocular distances."""
        return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3) / np.float32(UNIT_PT * self.scale)

    def spread_out(self, values: Field, known: np.ndarray, sigma_pt: float) -> Field:
        """Values where known, and around them what lies nearby."""
        weight = known.astype(np.float32)
        near, wide = self.soft(weight, sigma_pt), self.soft(weight, sigma_pt * 4)
        mean = float(values[known].mean()) if known.any() else 1.0
        held = values * weight
        blurred = self.soft(held, sigma_pt) + 0.02 * self.soft(held, sigma_pt * 4) + 1e-4 * mean
        return np.where(known, values, blurred / (near + 0.02 * wide + 1e-4)).astype(np.float32)


@dataclass(eq=False)
class Canvas:
    """A picture in the making: later layers lie before earlier ones."""

    paper: Paper
    image: Picture
    """Roughly sRGB, 0 to 1; light may exceed 1."""
    label: UInt8[np.ndarray, "H W"] = field(init=False)
    """Index into KINDS: what each pixel shows."""
    lit: Field = field(init=False)
    """What the light around each place multiplies an sRGB colour by, for layers without a surface."""

    def __post_init__(self) -> None:
        self.label = np.zeros(self.paper.shape, np.uint8)
        self.lit = np.ones(self.paper.shape, np.float32)

    def lay(
        self, alpha: Field, colour: np.ndarray | tuple[float, ...], kind: int | None, *, above: float = 0.5
    ) -> None:
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
def _tile(along: int, seed: int, scale: int) -> Field:
    """Noise that repeats, blurred by so many points in y; mean 0, deviation 1. More pixels show finer streaks, too."""
    rng = np.random.default_rng([20261120, along, seed])
    edge = _TILE_PT * scale
    fy, fx = np.fft.fftfreq(edge)[:, None], np.fft.rfftfreq(edge)[None]
    power = np.zeros((edge, edge // 2 + 1))
    octaves = [(1.0, 1.0), (2.5, 0.9), (6.0, 0.8)] + [(1 / scale, 0.5)] * (scale > 1)
    for octave, weight in octaves:
        across, down = octave * scale * 0.5, max(octave, 1) * along * scale * 0.5
        response = np.exp(-4 * np.pi**2 * ((fx * across) ** 2 + (fy * down) ** 2))
        power += weight**2 * response / response.mean()
    noise = np.fft.irfft2(np.fft.rfft2(rng.normal(0, 1, (edge, edge))) * np.sqrt(power), s=(edge, edge))
    return (noise / noise.std()).astype(np.float32)


@lru_cache(maxsize=2)
def _grid(scale: int) -> tuple[Field, Field]:
    centres = ((np.arange(CANVAS_PT * scale) + 0.5) / scale).astype(np.float32)
    x, y = np.meshgrid(centres, centres)
    return x, y


def smooth_closed(points: np.ndarray, count: int = 64) -> np.ndarray:
    """A closed curve through the points, by Fourier interpolation of their order."""
    spectrum = np.fft.fft(points[:, 0] + 1j * points[:, 1])
    half = (len(points) + 1) // 2
    wide = np.zeros(count, complex)
    wide[:half], wide[-(len(points) - half) :] = spectrum[:half], spectrum[half:]
    curve = np.fft.ifft(wide) * count / len(points)
    return np.stack([curve.real, curve.imag], 1)


def step(x: np.ndarray, width: float | np.ndarray) -> Float32[np.ndarray, "*S"]:
    """From 0 to 1 around x = 0 over about that width."""
    return np.clip(x / width + 0.5, 0, 1).astype(np.float32)


def vivid(rng: np.random.Generator) -> Float32[np.ndarray, "3"]:
    """Any colour: greys, dark ones and bright ones alike."""
    kind = rng.random()
    if kind < 0.35:
        return (np.full(3, rng.uniform(0.02, 0.98)) + rng.normal(0, 0.02, 3)).clip(0, 1).astype(np.float32)
    hue, saturation, value = rng.uniform(0, 360), rng.beta(1.6, 1.6), rng.uniform(0.08, 1)
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
