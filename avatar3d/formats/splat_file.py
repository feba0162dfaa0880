"""The door for files of splats that somebody gave, and what their formats share: limits, errors, how they store numbers.

All of them store colour as sRGB (display-referred): 0.5 + SH_C0 times the degree-0 coefficient; opacity and scale each as
its format wants. Higher degrees of spherical harmonics are read over: our colours do not change with the eye's place.
"""

from pathlib import Path
from typing import Final, NoReturn

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.core.files import open_given, short_name
from avatar3d.core.splats import Gaussians

MAX_BYTES: Final = 512 * 2**20
MAX_SPLATS: Final = 2_000_000
"""Eighty clouds of a head of ours; an .spz of so many unfolds to 180 MB at most."""
FARTHEST: Final = 1e4
"""Coordinates and widths beyond this are no numbers of a scene."""
SH_C0: Final = 0.28209479177387814
"""The spherical harmonic of degree 0."""
_NEAREST_LOGIT: Final = 1e-6
"""From 0 and from 1: what lies nearer has no finite logit."""
_LEAST_WIDTH: Final = 1e-9
"""A narrower splat has no logarithm to speak of."""


def read_splat_file(file: Path) -> bytes:
    """The whole file; a pipe or a device is never opened. Raises UnreadableError (10) and LimitError (12)."""
    with open_given(file, "splat") as stream:
        content = stream.read(MAX_BYTES + 1)
    if not content:
        broken(file, "it is empty")
    if len(content) > MAX_BYTES:
        too_large(file, f"has more than {MAX_BYTES:,} bytes")
    return content


def broken(file: Path, what: str) -> NoReturn:
    """Raises the error for a file that was cut, or contradicts itself."""
    raise UnreadableError(
        f'Cannot read the splats in "{short_name(file)}": {what}.',
        hint="Copy or export it again.",
        id="SPLATS_INVALID",
        file=file,
    )


def not_splats(file: Path, what: str, hint: str) -> NoReturn:
    """Raises the error for a file that is well, but of another kind."""
    raise UnsupportedFormatError(
        f'"{short_name(file)}" holds no such splats: {what}.', hint=hint, id="SPLATS_FORMAT", file=file
    )


def too_large(file: Path, what: str) -> NoReturn:
    """Raises the error for a file that asks for more than we give."""
    raise LimitError(
        f'"{short_name(file)}" {what}.',
        hint="Thin the splats out, or cut the scene away.",
        id="SPLATS_TOO_LARGE",
        file=file,
    )


def check_count(file: Path, count: int) -> None:
    """Before anything is made room for."""
    if count > MAX_SPLATS:
        too_large(file, f"asks for {count:,} splats; the limit is {MAX_SPLATS:,}")


def checked(file: Path, gaussians: Gaussians) -> Gaussians:
    """The same Gaussians with rotations of unit length. Raises UnreadableError (10) for numbers that are none."""
    numbers = (gaussians.mean, gaussians.scale, gaussians.rotation_wxyz, gaussians.colour, gaussians.opacity)
    if not all(np.isfinite(each).all() and np.abs(each).max(initial=0) < FARTHEST for each in numbers):
        broken(file, "it holds NaN, infinity or numbers beyond any scene")
    length = np.linalg.norm(gaussians.rotation_wxyz, axis=1, keepdims=True)
    if (length < 1e-6).any():
        broken(file, "it holds a rotation of length 0")
    return Gaussians(
        mean=gaussians.mean,
        rotation_wxyz=(gaussians.rotation_wxyz / length).astype(np.float32),
        scale=gaussians.scale,
        colour=gaussians.colour,
        opacity=gaussians.opacity,
    )


def coefficients_of(colour: Float32[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 3"]:
    """Linear RGB to coefficients of degree 0 of sRGB (IEC 61966-2-1)."""
    linear = np.clip(colour.astype(np.float64), 0, None)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-12) ** (1 / 2.4) - 0.055)
    return ((srgb - 0.5) / SH_C0).astype(np.float32)


def colour_of(coefficients: Float32[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 3"]:
    """The way back; what is darker than black is black."""
    srgb = np.clip(0.5 + SH_C0 * coefficients.astype(np.float64), 0, None)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def logit_of(opacity: Float32[np.ndarray, "S"]) -> Float32[np.ndarray, "S"]:
    """Opacity as it is trained."""
    inside = np.clip(opacity.astype(np.float64), _NEAREST_LOGIT, 1 - _NEAREST_LOGIT)
    return np.log(inside / (1 - inside)).astype(np.float32)


def opacity_of(logit: Float32[np.ndarray, "S"]) -> Float32[np.ndarray, "S"]:
    """The way back."""
    return (1 / (1 + np.exp(-np.clip(logit.astype(np.float64), -50, 50)))).astype(np.float32)


def log_of(scale: Float32[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 3"]:
    """Widths as they are trained: natural logarithms."""
    return np.log(np.maximum(scale.astype(np.float64), _LEAST_WIDTH)).astype(np.float32)


def scale_of(logarithm: Float32[np.ndarray, "S 3"]) -> Float32[np.ndarray, "S 3"]:
    """The way back."""
    return np.exp(np.clip(logarithm.astype(np.float64), -50, 50)).astype(np.float32)
