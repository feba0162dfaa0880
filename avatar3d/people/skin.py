"""Skins of people who do not exist, drawn from statistics of many portraits' albedos.

log albedo = tone + smooth part (mean + modes, 64 px) + fine part (mean + modes of brightness, 256 px) + pores

A mode is a mixture of all portraits and coefficients are drawn anew for every skin, so that none of them comes back;
how near the nearest comes is measured where the model is built (tools/people/skins.py) and stands in its bill of materials.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float, Float32
from safetensors import SafetensorError, deserialize

from avatar3d.core.errors import ModelMissingError, ModelUntrustedError

FINE_PX: Final = 256
SMOOTH_PX: Final = 64
_FOLDER: Final = Path(__file__).parent / "data"
_HINT: Final = "Install avatar3d again, or build the model: python -m tools.people.skins"
_DTYPES: Final = {"F16": np.float16, "F32": np.float32, "I8": np.int8}
# Coefficients beyond this many deviations make masks, not faces (by eye).
_FARTHEST: Final = 1.8
# What blood takes from the palest of the Monk tones, sRGB: (247, 234, 208) becomes (225, 188, 162) (by eye).
_BLOOD: Final = np.array([0.08, 0.18, 0.20])
# Deviation of what the modes' pixels are too coarse for, natural logarithms.
_PORES: Final = 0.035
# Where beards shade the skin, and cheeks to compare with: rows and columns of SMOOTH_PX (by eye on the mean).
_BEARD: Final = ((slice(32, 35), slice(28, 36)), (slice(42, 46), slice(26, 38)))
_CHEEKS: Final = ((slice(28, 33), slice(17, 22)), (slice(28, 33), slice(42, 47)))
MONK: Final = np.array(
    [(246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150), (160, 126, 86),
     (130, 92, 67), (96, 65, 52), (66, 50, 42), (55, 42, 36)], np.float32,
) / np.float32(255)  # fmt: skip
"""The ten tones of the Monk scale by eye, palest first, sRGB."""


@dataclass(frozen=True, eq=False)
class SkinModel:
    """Statistics of albedos in the head's atlas, natural logarithms of linear RGB less the skin's tone."""

    smooth_mean: Float32[np.ndarray, "64 64 3"]
    smooth_modes: Float32[np.ndarray, "K 64 64 3"]
    """One deviation each, as below."""
    fine_mean: Float32[np.ndarray, "256 256 3"]
    fine_modes: Float32[np.ndarray, "J 256 256"]
    tone_mean: Float32[np.ndarray, "3"]
    tone_modes: Float32[np.ndarray, "3 3"]
    """Rows; mean and modes of the sources' tones."""
    licence: str


@dataclass(frozen=True, eq=False)
class MadeSkin:
    """An albedo and what it was drawn from."""

    albedo: Float32[np.ndarray, "S S 3"]
    """Linear RGB."""
    tone: Float32[np.ndarray, "3"]
    """Linear RGB."""
    smooth: Float32[np.ndarray, "K"]
    fine: Float32[np.ndarray, "J"]

    @property
    def paleness(self) -> float:
        """0 where hair and eyes are nearly always dark, 1 where they have any colour."""
        return float(np.clip((self.tone.mean() ** (1 / 2.2) - 0.42) / 0.22, 0, 1))

    @property
    def monk(self) -> int:
        """The nearest of the Monk scale's tones, 1 palest to 10 darkest."""
        tones = np.array([_with_blood(one, 1.1).mean() for one in MONK])
        return 1 + int(np.argmin(np.abs((self.tone ** np.float32(1 / 2.2)).mean() - tones)))


def draw_skin(
    rng: np.random.Generator, model: SkinModel, *, size_px: int = FINE_PX, contrast: float = 1.0, bearded: bool = True
) -> MadeSkin:
    """One new skin of any tone from the darkest to the palest.

    `contrast` scales its fine part; without `bearded` no shadow of a beard lies around the mouth.
    """
    smooth = rng.normal(0, 1, len(model.smooth_modes)).clip(-_FARTHEST, _FARTHEST).astype(np.float32)
    if not bearded:
        shadow, modes = _beard_shadow(model.smooth_mean), np.array([_beard_shadow(one) for one in model.smooth_modes])
        smooth = (smooth - (shadow + smooth @ modes) * modes / (modes @ modes)).astype(np.float32)
    fine = rng.normal(0, 1, len(model.fine_modes)).clip(-_FARTHEST, _FARTHEST).astype(np.float32)
    tone = _draw_tone(rng, model)
    coarse = model.smooth_mean + np.tensordot(smooth, model.smooth_modes, 1)
    detail = (model.fine_mean + np.tensordot(fine, model.fine_modes, 1)[..., None]) * np.float32(contrast)
    shape = (size_px, size_px)
    made = cv2.resize(coarse, shape, interpolation=cv2.INTER_CUBIC) + cv2.resize(detail, shape)
    if size_px > FINE_PX:
        made += np.float32(_PORES * contrast) * rng.standard_normal(shape, np.float32)[..., None]
    albedo = np.clip(np.exp(made + np.log(tone)), 0.002, 0.98)
    return MadeSkin(albedo.astype(np.float32), tone, smooth, fine)


def _beard_shadow(smooth: Float32[np.ndarray, "64 64 3"]) -> float:
    """How much brighter the skin is around the mouth than on the cheeks, natural logarithms."""
    around, cheeks = (float(np.mean([smooth[place].mean() for place in places])) for places in (_BEARD, _CHEEKS))
    return around - cheeks


def _draw_tone(rng: np.random.Generator, model: SkinModel) -> Float32[np.ndarray, "3"]:
    """Half of them as the sources', half anywhere on the Monk scale."""
    if rng.random() < 0.5:
        logs = model.tone_mean + rng.normal(0, 1, 3).clip(-_FARTHEST, _FARTHEST) @ model.tone_modes
        return np.exp(logs).astype(np.float32)
    at = rng.uniform(0, len(MONK) - 1)
    srgb = np.array([np.interp(at, np.arange(len(MONK)), MONK[:, channel]) for channel in range(3)])
    return (_with_blood(srgb, rng.uniform(0.8, 1.4)) ** 2.2 * np.exp(rng.normal(0, 0.04, 3))).astype(np.float32)


def _with_blood(srgb: Float[np.ndarray, "3"], strength: float) -> Float[np.ndarray, "3"]:
    """The scale's pale end lacks the blood of faces, and no albedo is as bright."""
    return srgb * (1 - np.clip((srgb.mean() - 0.35) / 0.5, 0, 1) * _BLOOD * strength)


@lru_cache(maxsize=1)
def load_skin_model(folder: Path = _FOLDER) -> SkinModel:
    """The model of skin, checked against its bill of materials.

    Raises ModelMissingError (20) when its file is absent, ModelUntrustedError (21) when it is not the one named there.
    """
    bill_path, path = folder / "skin.json", folder / "skin.safetensors"
    for needed in (bill_path, path):
        if not needed.is_file():
            raise ModelMissingError(f"expected the model of skin at {needed}.", hint=_HINT, file=needed)
    bill: dict[str, Any] = json.loads(bill_path.read_text(encoding="utf-8"))
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != bill["sha256"]:
        raise ModelUntrustedError(
            f"expected a model with sha256 {bill['sha256']}, found {found}.", hint=_HINT, file=path
        )
    try:
        tensors = dict(deserialize(content))
    except SafetensorError as error:
        raise ModelUntrustedError(f"the model is no safetensors file: {error}.", hint=_HINT, file=path) from error
    stored = {
        name: np.frombuffer(one["data"], _DTYPES[one["dtype"]]).reshape(one["shape"]).astype(np.float32)
        for name, one in tensors.items()
    }
    for name in ("smooth", "fine"):
        stored[f"{name}_modes"] *= stored.pop(f"{name}_scale").reshape(-1, *[1] * (stored[f"{name}_modes"].ndim - 1))
    return SkinModel(**stored, licence=str(bill["licence"]))
