"""The pictures beside our head model: what its small parts look like before a photo tells more."""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

_FOLDER: Final = Path(__file__).parent / "data"


@lru_cache
def part_picture(name: str) -> UInt8[np.ndarray, "H W C"] | None:
    """The sRGB (or sRGB and alpha) picture of that name, or None."""
    path = _FOLDER / f"{name}.png"
    if not path.is_file():
        return None
    with Image.open(path) as image:  # noqa: TID251  our own picture, not a user's
        return np.asarray(image.convert("RGBA" if image.mode in ("RGBA", "LA", "PA") else "RGB"))
