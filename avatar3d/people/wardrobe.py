"""What people may wear and stand before: everything, for training; or what one sees on portraits."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from avatar3d.people.paint import vivid

_NONE: Final = np.zeros((0, 64, 64, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """Cloth, colours and backgrounds to choose from."""

    cloth: UInt8[np.ndarray, "C 64 64 3"]
    """Squares of real cloth, sRGB, 56 pixels per inter-ocular distance; may be none."""
    background: UInt8[np.ndarray, "B 64 64 3"]
    plain: bool
    """Quiet colours, natural hair, calm walls. A net that shall not learn what is usual must see anything instead."""

    def colour(self, rng: np.random.Generator) -> Float32[np.ndarray, "3"]:
        """Any colour; of a plain wardrobe a greyed and darkened one."""
        found = vivid(rng)
        if not self.plain:
            return found
        grey = found.mean()
        return ((grey + (found - grey) * rng.uniform(0.05, 0.3)) * rng.uniform(0.25, 0.85)).astype(np.float32)


PLAIN: Final = Wardrobe(_NONE, _NONE, plain=True)
