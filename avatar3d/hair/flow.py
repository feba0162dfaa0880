"""Which way hair runs over the shell's picture, and strands drawn along it.

the photo's streaks (structure tensor) --> spread over what it did not see --> directions --> noise smeared along them
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32

from avatar3d.hair.segment import HairPicture

_SEED: Final = 11
# Scales of the structure tensor (texels): derivative, first gathering, and those over which it spreads.
_DERIVATIVE: Final = 1.2
_GATHER: Final = 8.0
_SPREAD: Final = (14.0, 40.0)
# Weight of the usual direction beside the photo's streaks, and its own spread.
_USUAL: Final = 0.6
# Coherence of blots and of hairs, gathered over so few texels.
_BLOTS: Final = (0.25, 0.6)
# Coherence of the streaks in straight and in coily hair (24 portraits: 0.44 to 0.79, and 0.16 to 0.31).
_STRAIGHT: Final = 0.42
_COILY: Final = 0.20
# What the ends of short straight hair look like, and between which sizes of a face streaks become visible (pixels
# between the eyes): a bob at 42 has a coherence of 0.28, as curls have.
_OF_ENDS: Final = 0.35
_UNRESOLVED_PX: Final = 40.0
_RESOLVED_PX: Final = 60.0
# Scales of single curls in the crop, and their contrast (standard deviation of log brightness) where nothing is seen and
# where curls are: 0.08 to 0.10 in black or smooth hair, 0.14 to 0.26 in curls.
_LOCAL_PX: Final = (1.5, 6.0)
_FLAT: Final = 0.09
_SHOWN: Final = 0.13
# How far coily hair sways from its way (radians, standard deviation), and over how many texels.
_SWAY: Final = 1.0
_SWAY_PX: Final = 6.0
_STREAK_PX: Final = (0.8, 6.0)
# Widths of a hair, a wisp and a lock in the drawn picture, texels (standard deviations), and the first two's strength.
_WIDTHS_PX: Final = (0.55, 1.2, 6.0)
_HAIRS, _WISPS = 0.9, 0.6
# Steps by which noise is smeared to either side, a texel and a bit of 512, and how much further down than across the noise
# itself is soft, since most hair runs down: so long steps leave no dots.
_STEP: Final = 1.6 / 512
_DOWN: Final = 3.0


@dataclass(frozen=True, eq=False)
class HairFlow:
    """Directions in the shell's picture."""

    across: Float32[np.ndarray, "S S"]
    down: Float32[np.ndarray, "S S"]
    """Unit direction from root to tip, texels."""


def measure_curl(picture: HairPicture, interocular_px: float, *, hangs: bool) -> float:
    """0 straight to 1 coily: how far neighbouring streaks run in different directions. `interocular_px` is the photo's.

    A small photo shows no streaks, nor does hair drowned in black, so they say nothing: straight. Short straight hair shows
    its many ends, which look like curls; there only much disorder counts.
    """
    log = np.log(picture.pixels.mean(2).astype(np.float32) + 8)
    sure = cv2.erode((picture.hair > 0.8).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if sure.sum() < 200:
        return 0.0
    smooth = cv2.GaussianBlur(log, (0, 0), _STREAK_PX[0])
    dx, dy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    energy = dx * dx + dy * dy
    weight = sure / (energy + np.median(energy[sure]))
    parts = np.stack([(dy * dy - dx * dx) * weight, -2 * dx * dy * weight, energy * weight], axis=2).astype(np.float32)
    near = cv2.GaussianBlur(parts, (0, 0), _STREAK_PX[1])[sure]
    coherence = float(np.hypot(near[:, 0], near[:, 1]).sum() / max(float(near[:, 2].sum()), 1e-9))
    curl = (_STRAIGHT - coherence) / (_STRAIGHT - _COILY)
    if not hangs:
        curl = (curl - _OF_ENDS) / (1 - _OF_ENDS)
    resolved = np.clip((interocular_px - _UNRESOLVED_PX) / (_RESOLVED_PX - _UNRESOLVED_PX), 0, 1)
    local = cv2.GaussianBlur(log, (0, 0), _LOCAL_PX[0]) - cv2.GaussianBlur(log, (0, 0), _LOCAL_PX[1])
    shown = np.clip((float(local[sure].std()) - _FLAT) / (_SHOWN - _FLAT), 0, 1)
    return float(np.clip(curl, 0, 1) * resolved * shown)


def usual_flow(size: int, sweep: float) -> Float32[np.ndarray, "S S 2"]:
    """From the crown down; at the sides turned backward by `sweep` (0: straight down, 0.6: combed back)."""
    azimuth = np.linspace(-180, 180, size, dtype=np.float32)
    back = sweep * np.sign(azimuth) * np.exp(-(((np.abs(azimuth) - 85) / 40) ** 2))
    rows = np.clip(np.arange(size, dtype=np.float32)[:, None] / size / 0.25, 0, 1)
    across = back[None] * rows
    flow = np.stack([across, np.ones_like(across)], axis=2)
    return flow / np.linalg.norm(flow, axis=2, keepdims=True)


def find_flow(
    brightness: Float32[np.ndarray, "S S"], known: Float32[np.ndarray, "S S"], usual: Float32[np.ndarray, "S S 2"]
) -> HairFlow:
    """Directions of the streaks in `brightness` (log) where `known`, the usual ones elsewhere."""
    smooth = cv2.GaussianBlur(brightness, (0, 0), _DERIVATIVE)
    dx, dy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    sure = cv2.erode((known > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    # The doubled angle of the gradient, turned by a right angle: that of the streak. (Bigun & Granlund 1987)
    energy = dx * dx + dy * dy
    limit = np.percentile(energy[sure > 0], 90) if sure.any() else 1.0
    scale = sure * np.minimum(energy, limit) / np.maximum(energy, 1e-9)
    tensor = np.stack([(dy * dy - dx * dx) * scale, -2 * dx * dy * scale, energy * scale], axis=2)
    near = _around(tensor, _GATHER)
    length = np.hypot(near[..., 0], near[..., 1])
    mean = float(length[sure > 0].mean()) if (sure > 0).sum() > 500 else 1.0
    doubled = near[..., :2] / max(mean, 1e-9)
    doubled /= np.maximum(np.linalg.norm(doubled, axis=2, keepdims=True), 1.0)
    # Streaks that agree are hairs; blots have a direction too, but each another.
    agree = np.clip((length / np.maximum(near[..., 2], 1e-9) - _BLOTS[0]) / (_BLOTS[1] - _BLOTS[0]), 0, 1)
    doubled *= agree[..., None]
    for sigma in _SPREAD:
        doubled = doubled + _around(doubled, sigma)
    turned = np.stack([usual[..., 0] ** 2 - usual[..., 1] ** 2, 2 * usual[..., 0] * usual[..., 1]], axis=2)
    doubled = doubled + _USUAL * turned
    angle = 0.5 * np.arctan2(doubled[..., 1], doubled[..., 0])
    across, down = np.cos(angle), np.sin(angle)
    # Which end is the tip: the one that agrees with the usual direction.
    sign = np.where(across * usual[..., 0] + down * usual[..., 1] < 0, -1, 1)
    return HairFlow((across * sign).astype(np.float32), (down * sign).astype(np.float32))


def waved(flow: HairFlow, curl: float) -> HairFlow:
    """The same directions swaying to both sides, as curls do."""
    if curl <= 0:
        return flow
    size = flow.across.shape[0]
    noise = np.random.default_rng(_SEED + 1).standard_normal((size, size)).astype(np.float32)
    sway = _around(noise[..., None].repeat(2, axis=2), _SWAY_PX)[..., 0]
    angle = curl * _SWAY * sway / sway.std()
    cos, sin = np.cos(angle), np.sin(angle)
    return HairFlow(cos * flow.across - sin * flow.down, sin * flow.across + cos * flow.down)


def finer_flow(flow: HairFlow, size: int) -> HairFlow:
    """The same directions in a picture of so many texels."""
    way = cv2.resize(np.stack([flow.across, flow.down], axis=2), (size, size), interpolation=cv2.INTER_LINEAR)
    way /= np.maximum(np.linalg.norm(way, axis=2, keepdims=True), 1e-6)
    return HairFlow(way[..., 0], way[..., 1])


def draw_strands(flow: HairFlow, *, run_px: float, locks: float, curl: float) -> Float32[np.ndarray, "S S"]:
    """Noise smeared along the flow (Cabral & Leedom 1993): zero mean, unit variance, seamless from left to right.

    Hairs, under them wisps of some hairs, and so large a share of `locks`; curls shorten and bend all.
    """
    total = smear(_noise(flow.across.shape[0]), flow, run_px * (1 - 0.7 * curl))
    mixed = total / total.std(axis=(0, 1)) @ np.array([_HAIRS, _WISPS, locks], np.float32)
    mixed -= mixed.mean()
    return (mixed / mixed.std()).astype(np.float32)


def smear(picture: Float32[np.ndarray, "S S C"], flow: HairFlow, run_px: float) -> Float32[np.ndarray, "S S C"]:
    """The mean of a seamless picture (2 or 4 channels) along the flow, so far to either side."""
    size = flow.across.shape[0]
    step = _STEP * size
    way = np.float32(step) * np.stack([flow.across, flow.down], axis=2)
    run = max(2, round(run_px / step))
    edge = int(np.ceil(step * run)) + 1  # no step leads further over the seam behind the head
    picture, way = (np.concatenate([part[:, -edge:], part, part[:, :edge]], axis=1) for part in (picture, way))
    total, none = picture[:, edge:-edge].copy(), np.empty(0, np.float32)  # one map of two channels, and none beside it
    start = np.stack(np.meshgrid(np.arange(edge, edge + size), np.arange(size)), axis=2).astype(np.float32)
    for sign in (-1, 1):
        at = start.copy()
        for _ in range(run):
            at += sign * cv2.remap(way, at, none, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            total += cv2.remap(picture, at, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return total / np.float32(2 * run + 1)


@lru_cache(maxsize=1)
def _noise(size: int) -> Float32[np.ndarray, "S S 3"]:
    """Of a hair's, a wisp's and a lock's width."""
    rng = np.random.default_rng(_SEED)
    layers: list[Float32[np.ndarray, "S S"]] = []
    for width in _WIDTHS_PX:
        edge = int(4 * width) + 1
        white = rng.standard_normal((size, size)).astype(np.float32)
        white = np.concatenate([white[:, -edge:], white, white[:, :edge]], axis=1)
        layer = cv2.GaussianBlur(white, (0, 0), sigmaX=width, sigmaY=max(width, _DOWN * _WIDTHS_PX[0]))[:, edge:-edge]
        layers.append(layer / layer.std())
    return np.stack(layers, axis=2)


def _around(picture: Float32[np.ndarray, "S S C"], sigma: float) -> Float32[np.ndarray, "S S C"]:
    """Gaussian smoothing of a picture that closes on itself from left to right, at a scale fit for its width."""
    size = picture.shape[0]
    step = max(1, int(sigma / 4))
    small = cv2.resize(picture, (size // step, size // step), interpolation=cv2.INTER_AREA)
    edge = min(small.shape[1], int(4 * sigma / step))
    wide = np.concatenate([small[:, -edge:], small, small[:, :edge]], axis=1)
    wide = cv2.GaussianBlur(wide, (0, 0), sigma / step)[:, edge:-edge]
    return cv2.resize(wide, (size, size), interpolation=cv2.INTER_LINEAR)
