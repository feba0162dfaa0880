"""From whatever a decoder gave to sRGB bytes: ICC profiles, CMYK, 16 bits, floats, mattes.

ICC conversion is LittleCMS through Pillow's ImageCms, relative colorimetric with black point compensation.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8, UInt16
from PIL import Image, ImageCms

from avatar3d.core.errors import UnreadableError

GREY = 128
"""The neutral sRGB grey that a picture with a matte is composited on."""

_ADOBE_TO_SRGB = np.array(
    [[1.3983557, -0.3983557, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429287, 1.0429287]], dtype=np.float64
)
"""Linear AdobeRGB (1998) to linear sRGB, both D65; from the primaries of the two specifications."""
_BT2020_TO_SRGB = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
"""Linear BT.2020 to linear sRGB, both D65 (ITU-R BT.2087, 2)."""
_HLG_WHITE, _PQ_WHITE_NITS = 0.75, 203.0
"""Where HDR puts what is white in an ordinary picture (ITU-R BT.2408, 2.1); what is brighter is cut off."""


@dataclass(frozen=True, eq=False)
class Colours:
    """Pixels in sRGB and what had to be done for it."""

    rgb: UInt8[np.ndarray, "H W 3"]
    alpha: UInt8[np.ndarray, "H W"] | None
    warnings: tuple[str, ...]


def to_srgb(image: Image.Image, *, adobe_rgb: bool = False, invert_cmyk: bool | None = None) -> Colours:
    """Convert a loaded Pillow image of any mode to sRGB bytes.

    adobe_rgb: EXIF says the unprofiled picture is AdobeRGB. invert_cmyk: whether to turn CMYK inks around;
    None chooses the reading that could be printed.
    Raises UnreadableError (IMG_NONFINITE) for NaN or infinite samples.
    """
    warnings: list[str] = []
    profile = image.info.get("icc_profile")
    image, alpha = _split_alpha(_to_eight_bits(image, warnings))
    if image.mode == "CMYK":
        image = _right_inks(image, invert_cmyk)
        if not profile:
            warnings.append("The picture is CMYK without a colour profile; its colours are approximate.")
    converted = _by_profile(image, profile, warnings) if profile else None
    rgb = np.asarray(converted if converted is not None else image.convert("RGB"))
    if not profile and adobe_rgb and image.mode == "RGB":
        rgb = _from_adobe_rgb(rgb)
    if alpha is not None and bool((alpha == 255).all()):
        alpha = None
    if alpha is not None:
        rgb = _on_grey(rgb, alpha)
    return Colours(np.ascontiguousarray(rgb), alpha, tuple(warnings))


def from_hdr(samples: UInt16[np.ndarray, "H W 3"], curve: str) -> UInt8[np.ndarray, "H W 3"]:
    """sRGB of a video picture in BT.2020 by the curve "hlg" or "pq" (ITU-R BT.2100), 65,535 the highest signal."""
    signal = np.linspace(0, 1, 65536)
    linear = (_from_hlg(signal) / _from_hlg(np.array(_HLG_WHITE)) if curve == "hlg" else _from_pq(signal)).astype(
        np.float32
    )
    return _quantised(np.clip(linear[samples] @ _BT2020_TO_SRGB.T.astype(np.float32), 0, 1))


def _from_hlg(signal: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The scene's light: what a camera for ordinary pictures would have encoded."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _from_pq(signal: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The display's light, 1 for white."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = signal ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10_000 / _PQ_WHITE_NITS


def _quantised(linear: Float32[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """sRGB bytes of light in [0, 1]."""
    levels = _encoded(np.linspace(0, 1, 4096))
    return (levels * 255 + 0.5).astype(np.uint8)[(linear * 4095 + 0.5).astype(np.int32)]


def _encoded(linear: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """sRGB's curve."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def _to_eight_bits(image: Image.Image, warnings: list[str]) -> Image.Image:
    if image.mode == "F":
        samples = np.asarray(image, dtype=np.float32)
        if not bool(np.isfinite(samples).all()):
            bad = int((~np.isfinite(samples)).sum())
            raise UnreadableError(
                f"{bad:,} of {samples.size:,} samples are not finite numbers.",
                hint="Export the picture again as 8- or 16-bit PNG or JPEG.",
                id="IMG_NONFINITE",
            )
        return Image.fromarray(_tone_mapped(samples, warnings))
    if image.mode.startswith("I"):
        samples = np.asarray(image).astype(np.int64)
        top = 65535
        if image.mode == "I" and samples.max(initial=0) > top:
            top = int(samples.max())
            warnings.append("The picture has 32-bit samples; they are scaled by their largest.")
        return Image.fromarray(((np.clip(samples, 0, top) * 255 + top // 2) // top).astype(np.uint8))
    return image


def _tone_mapped(samples: Float[np.ndarray, "H W"], warnings: list[str]) -> UInt8[np.ndarray, "H W"]:
    """Linear floats, 1.0 = white, to sRGB bytes. Brighter than white: Reinhard's curve that keeps the peak at 1."""
    linear = np.maximum(samples, 0)
    peak = float(linear.max(initial=0))
    if peak > 1:
        warnings.append(f"The picture is HDR (brightest sample {peak:.3g} times white); it is tone-mapped.")
        linear = linear * (1 + linear / peak**2) / (1 + linear)
    return (np.clip(_encoded(linear), 0, 1) * 255 + 0.5).astype(np.uint8)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, UInt8[np.ndarray, "H W"] | None]:
    if image.mode in ("P", "PA") or (image.mode in ("1", "L", "RGB") and "transparency" in image.info):
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    elif image.mode in ("YCbCr", "HSV", "RGBX"):
        image = image.convert("RGB")
    if image.mode not in ("LA", "RGBA"):
        return image, None
    alpha = np.asarray(image.getchannel("A"))
    return image.convert({"LA": "L", "RGBA": "RGB"}[image.mode]), alpha


def _right_inks(image: Image.Image, invert: bool | None) -> Image.Image:
    if invert is None:
        total = np.asarray(image.reduce(max(1, min(image.size) // 128))).astype(np.int32).sum(-1)
        impossible = 255 * 3.3  # no press takes more than about 330 % ink
        invert = int((total > impossible).sum()) > int((4 * 255 - total > impossible).sum())
    return Image.fromarray(255 - np.asarray(image), mode="CMYK") if invert else image


def _by_profile(image: Image.Image, profile: bytes, warnings: list[str]) -> Image.Image | None:
    """Through LittleCMS; None (and a warning) when the profile is broken or not meant for this picture."""
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            image.mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if image.mode == "RGB" and _changes_nothing(transform):
            return image
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        warnings.append("The colour profile is broken or does not fit the picture; its colours are taken as sRGB.")
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(27, 27, 3)
    after = ImageCms.applyTransform(Image.fromarray(grid), transform)
    return after is not None and int(np.abs(np.asarray(after).astype(int) - grid).max()) <= 2


def _from_adobe_rgb(rgb: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    linear = (np.arange(256) / 255.0) ** 2.19921875
    mixed = np.clip(linear.astype(np.float32)[rgb] @ _ADOBE_TO_SRGB.T.astype(np.float32), 0, 1)
    return _quantised(mixed)


def _on_grey(rgb: UInt8[np.ndarray, "H W 3"], alpha: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    cover = alpha[..., None].astype(np.uint16)
    return ((rgb * cover + GREY * (255 - cover) + 127) // 255).astype(np.uint8)
