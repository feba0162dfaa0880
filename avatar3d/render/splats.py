"""Rasterisers of Gaussians behind one protocol: chosen by name, each executes or raises.

Gaussians, Camera, what hides them --draw--> SplatPicture --gradients, of a loss over that picture--> Gaussians

All follow Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023: a Gaussian's shadow on the
picture is the affine one (Zwicker et al., "EWA splatting", 2002, equation 31), widened by BLUR_PX2; opacities are
composited from the nearest centre to the furthest.
"""

import importlib
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from avatar3d.core.errors import UsageError
from avatar3d.core.photo import Camera
from avatar3d.core.splats import Gaussians

BLUR_PX2: Final = 0.3
"""Added to both variances: nothing is thinner than a pixel (Kerbl et al., their code)."""
LEAST_ALPHA: Final = 1 / 255
"""Where a Gaussian covers less than this it is not drawn (the same)."""
MOST_ALPHA: Final = 0.99
"""No Gaussian covers more (the same)."""
LEAST_LEFT: Final = 1e-4
"""Behind what lets less than this through, nothing is drawn (the same)."""
NEAREST_M: Final = 0.05
"""Gaussians whose centre is nearer to the camera's plane are not drawn."""

_KNOWN: Final = {
    "numba": "avatar3d.render.splat_numba:NumbaSplats",
    "reference": "avatar3d.render.splat_reference:ReferenceSplats",
    "gsplat": "avatar3d.render.gsplat:GsplatSplats",
}


@dataclass(frozen=True, eq=False)
class Hiding:
    """A surface that hides what lies behind it."""

    depth_m: Float32[np.ndarray, "H W"]
    """Along the camera's axis; infinite where there is no surface."""
    reach_m: float
    """A Gaussian is hidden where its centre lies deeper by more than this."""


@dataclass(frozen=True, eq=False)
class SplatPicture:
    """What a rasteriser drew, and from what."""

    colour: Float32[np.ndarray, "H W 3"]
    """Premultiplied by coverage."""
    coverage: Float32[np.ndarray, "H W"]
    gaussians: Gaussians
    camera: Camera
    trace: object
    """The backend's own notes for the way back."""


@runtime_checkable
class SplatRenderer(Protocol):
    """Draws Gaussians and leads a loss over the picture back to them."""

    def draw(self, gaussians: Gaussians, camera: Camera, hiding: Hiding | None = None) -> SplatPicture:
        """The picture. Any three numbers per Gaussian may stand in `colour`: so depths and normals are drawn, too."""
        ...

    def gradients(
        self, drawn: SplatPicture, colour: Float32[np.ndarray, "H W 3"], coverage: Float32[np.ndarray, "H W"]
    ) -> Gaussians:
        """The loss' gradient for every number of the Gaussians, given those for the picture's two planes."""
        ...


def load_splat_renderer(name: str) -> SplatRenderer:
    """The one backend asked for; never another. Raises UsageError for an unknown name, MissingExtraError without it."""
    if name not in _KNOWN:
        raise UsageError(f"no splat renderer is called {name!r}.", hint=f"Choose one of: {', '.join(sorted(_KNOWN))}.")
    module, attribute = _KNOWN[name].split(":")
    return getattr(importlib.import_module(module), attribute)()
