"""The model of skin that generated people wear, from the albedos of the calibration portraits.

    portraits (calibration half) --main job--> albedo, 1024 px (kept in FOLDER) --> log, tone taken off, both sides
        --> smooth and fine parts, outliers (frames, fringes) clipped --> mean and modes --> avatar3d/people/data/

    python -m tools.people.skins FOLDER

What is shipped are means and modes only. Who contributed how much to a mode is not kept.
"""

import argparse
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float32
from PIL import Image
from safetensors.numpy import save
from threadpoolctl import threadpool_limits

from avatar3d.core.errors import Avatar3dError
from avatar3d.people.skin import FINE_PX, SMOOTH_PX, SkinModel, draw_skin
from avatar3d.pipeline import CreateParams, make_avatar

_REPOSITORY: Final = Path(__file__).parents[2]
_TARGET: Final = _REPOSITORY / "avatar3d/people/data"
_SMOOTH_SIGMA_PX: Final = 5.0
_SMOOTH_MODES: Final = 20
_FINE_MODES: Final = 24
# Modes differ by this power of their own deviations: at 1 a few of them decide how a skin looks, and draws come nearer to a
# source (.74 of its individual traits) than two sources to one another (.62).
_FLATTENED: Final = 0.1
# Smooth modes hold what de-lighting left of lamps, too.
_SMOOTH_STRENGTH: Final = 0.7
# Beyond this many deviations of its texel a source shows no skin but a frame, a strand of hair or a false light.
_OUTLIER: Final = 2.0
_TONE: Final = (slice(90, 170), slice(60, 200))
"""Where the tone is read: cheeks, nose, mouth."""
FACE: Final = (slice(40, 230), slice(50, 206))
"""Where the portraits were seen, rows and columns of 256."""
DRAWS: Final = 400


def calibration_files() -> list[Path]:
    """The portraits training may see."""
    shared = Path(os.environ.get("AVATAR3D_SHARED", _REPOSITORY / "../shared"))
    split = json.loads((_REPOSITORY / "bench/splits/congress.json").read_text())
    return [shared / "data/portraits/congress" / name for name in split["calibration"]]


def recover_albedos(files: list[Path], folder: Path) -> None:
    """One PNG per portrait that can be used, by the main job itself: frames, hair and light taken off."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = folder / f"{path.stem}.png"
        if target.is_file():
            continue
        try:
            made = make_avatar(path, CreateParams(hair="none"))
        except Avatar3dError as error:
            print(path.name, error)
            continue
        Image.fromarray(made.skin.albedo.pixels).save(target)


@dataclass(frozen=True, eq=False)
class Sources:
    """Albedos of all portraits, each followed by its mirror image."""

    tones: Float32[np.ndarray, "N 3"]
    """Natural logarithms."""
    relative: Float32[np.ndarray, "N 256 256 3"]
    """Logarithms less the tone."""


def read_sources(folder: Path) -> Sources:
    """All albedos of a folder."""
    tones, relative = [], []
    for path in sorted(folder.glob("*.png")):
        small = cv2.resize(np.asarray(Image.open(path)), (FINE_PX, FINE_PX), interpolation=cv2.INTER_AREA)
        logs = np.log(np.maximum((small.astype(np.float32) / 255) ** np.float32(2.2), 0.004))
        tone = np.median(logs[_TONE], axis=(0, 1))
        for one in (logs, logs[:, ::-1]):
            tones.append(tone)
            relative.append(one - tone)
    return Sources(np.array(tones), np.array(relative))


def build(sources: Sources) -> tuple[SkinModel, dict[str, Float32[np.ndarray, "N K"]]]:
    """The model, and how much of each source each mode holds (for measuring only)."""
    low = np.stack([cv2.GaussianBlur(one, (0, 0), _SMOOTH_SIGMA_PX) for one in sources.relative])
    smooth = np.stack([cv2.resize(one, (SMOOTH_PX, SMOOTH_PX), interpolation=cv2.INTER_AREA) for one in low])
    fine = sources.relative - low
    smooth_mean, smooth_modes, smooth_shares = _modes(_tamed(smooth), _SMOOTH_MODES, _SMOOTH_STRENGTH)
    fine_mean = _tamed(fine).mean(0)
    _, fine_modes, fine_shares = _modes(_tamed(fine.mean(3)), _FINE_MODES, 1.0)
    tone_mean = sources.tones.mean(0)
    _, s, vt = np.linalg.svd(sources.tones - tone_mean, full_matrices=False)
    tone_modes = s[:, None] * vt / np.sqrt(len(sources.tones))
    model = SkinModel(smooth_mean, smooth_modes, fine_mean, fine_modes, tone_mean, tone_modes.astype(np.float32), "")
    return model, {"smooth": smooth_shares, "fine": fine_shares}


def _tamed(values: np.ndarray) -> np.ndarray:
    """Outliers clipped, texel by texel; robust deviation from the middle half."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    reach = _OUTLIER * (high - low) / 1.349
    return np.clip(values, middle - reach, middle + reach).astype(np.float32)


def _modes(values: np.ndarray, count: int, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean; the first modes, one deviation each, together `strength` times as varied as the sources; sources' shares."""
    mean = values.mean(0)
    u, s, vt = np.linalg.svd((values - mean).reshape(len(values), -1), full_matrices=False)
    spread = s[:count] ** _FLATTENED
    spread *= strength * np.sqrt((s**2).sum() / (spread**2).sum() / len(values))
    modes = (spread[:, None] * vt[:count]).reshape(count, *mean.shape)
    return mean, modes.astype(np.float32), (u[:, :count] * (spread / s[:count])).astype(np.float32)


def measure(model: SkinModel, sources: Sources, shares: dict[str, np.ndarray]) -> dict[str, Any]:
    """Whether drawn skins lead back to a source: how alike they are, beside how alike sources of two people are.

    Alike: correlation of what is a skin's own inside the face, its log brightness less the tone and the mean of all
    sources, with a source or its mirror image. Mixed: how many sources with equal shares would do the same,
    (sum of shares)^2 / sum of squared shares.
    """
    looks = sources.relative[:, FACE[0], FACE[1]].mean(3).reshape(len(sources.relative), -1)
    mean = looks.mean(0)
    own = _unit(looks - mean)
    alike = (own[::2] @ own.T).reshape(len(own) // 2, -1, 2).max(2)
    np.fill_diagonal(alike, -1)
    rng = np.random.default_rng(20261121)
    likest, mixed = [], []
    for number in range(DRAWS):
        made = draw_skin(rng, model, bearded=number % 2 == 0)
        look = (np.log(made.albedo) - np.log(made.tone))[FACE].mean(2).reshape(1, -1)
        likest.append(float((_unit(look - mean) @ own.T).max()))
        for part, drawn in (("smooth", made.smooth), ("fine", made.fine)):
            weights = np.abs(shares[part] @ drawn).reshape(-1, 2).sum(1)
            mixed.append(float(weights.sum() ** 2 / (weights**2).sum()))
    return {
        "draws": DRAWS,
        "likest_source": {"greatest": round(max(likest), 3), "median": round(float(np.median(likest)), 3)},
        "likest_of_two_sources": {"greatest": round(float(alike.max()), 3),
                                  "median": round(float(np.median(alike.max(1))), 3)},
        "sources_mixed": {"least": round(min(mixed), 1), "median": round(float(np.median(mixed)), 1)},
    }  # fmt: skip


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pack(model: SkinModel) -> bytes:
    """The model as safetensors: modes in eight bits with a scale each, means in half precision."""
    tensors: dict[str, np.ndarray] = {
        "smooth_mean": model.smooth_mean.astype(np.float16),
        "fine_mean": model.fine_mean.astype(np.float16),
        "tone_mean": model.tone_mean,
        "tone_modes": model.tone_modes,
    }
    for name, modes in (("smooth", model.smooth_modes), ("fine", model.fine_modes)):
        scale = np.abs(modes).max(axis=tuple(range(1, modes.ndim))) / 127
        tensors[f"{name}_modes"] = np.round(modes / scale.reshape(-1, *[1] * (modes.ndim - 1))).astype(np.int8)
        tensors[f"{name}_scale"] = scale.astype(np.float32)
    return save(tensors)


def main() -> None:
    """Recover what is missing, build, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with threadpool_limits(1):
        recover_albedos(calibration_files(), folder)
        sources = read_sources(folder)
        model, shares = build(sources)
        measured = measure(model, sources, shares)
    content = pack(model)
    bill = {
        "name": "skin",
        "file": "skin.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "licence": "Skin: statistics by avatar3d (Apache-2.0) of albedos recovered from official portraits of the US "
        "Congress (public domain, works of the US government)",
        "builder": "python -m tools.people.skins",
        "sources": [
            {
                "name": "official portraits of members of the US Congress, calibration half of bench/splits/congress.json",
                "licence": "public domain (US government work)",
                "used_for": f"mean and modes of {len(sources.tones) // 2} albedos; none is kept",
            }
        ],
        "measured": measured,
    }
    _TARGET.mkdir(exist_ok=True)
    (_TARGET / "skin.safetensors").write_bytes(content)
    (_TARGET / "skin.json").write_text(json.dumps(bill, indent=2) + "\n")
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
