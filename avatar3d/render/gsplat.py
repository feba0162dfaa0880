"""The one door to gsplat (CUDA, extra `gsplat`). No machine of ours has run it: see docs/decisions on splats."""

from importlib import import_module
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from avatar3d.core.errors import MissingExtraError, UsageError
from avatar3d.core.photo import Camera
from avatar3d.core.splats import Gaussians
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.splats import BLUR_PX2, NEAREST_M, Hiding, SplatPicture


class GsplatSplats:
    """Raises MissingExtraError without gsplat and UsageError without CUDA; hides nothing behind a surface."""

    def __init__(self) -> None:
        if not torch.cuda.is_available():  # asked first: gsplat's import fails in several ways without it
            raise UsageError("gsplat draws on CUDA, and there is none here.", hint='Choose the renderer "numba".')
        try:
            self._rasterization: Any = import_module("gsplat").rasterization
        except ImportError as cause:
            raise MissingExtraError("gsplat", "gsplat", "Drawing splats on CUDA") from cause

    def draw(self, gaussians: Gaussians, camera: Camera, hiding: Hiding | None = None) -> SplatPicture:
        """See SplatRenderer; raises UsageError when something hides, which gsplat cannot do pixel by pixel."""
        if hiding is not None:
            raise UsageError("gsplat cannot hide splats behind a surface.", hint='Choose the renderer "numba".')
        leaves = [
            torch.tensor(array, device="cuda", requires_grad=True)
            for array in (
                gaussians.mean, gaussians.rotation_wxyz, gaussians.scale, gaussians.opacity, gaussians.colour
            )
        ]  # fmt: skip
        view, lens = np.eye(4, dtype=np.float32), np.eye(3, dtype=np.float32)
        view[:3, :3], view[:3, 3] = matrix_from_quaternion(camera.rotation_wxyz), camera.translation_m
        lens[0, 0] = lens[1, 1] = camera.focal_px
        lens[:2, 2] = camera.principal_px
        colour, coverage, _ = self._rasterization(
            *leaves,
            viewmats=torch.tensor(view[None], device="cuda"),
            Ks=torch.tensor(lens[None], device="cuda"),
            width=camera.width_px,
            height=camera.height_px,
            near_plane=NEAREST_M,
            eps2d=BLUR_PX2,
            packed=False,
        )
        return SplatPicture(
            colour[0].detach().cpu().numpy(),
            coverage[0, ..., 0].detach().cpu().numpy(),
            gaussians,
            camera,
            trace=(leaves, colour, coverage),
        )

    def gradients(
        self, drawn: SplatPicture, colour: Float32[np.ndarray, "H W 3"], coverage: Float32[np.ndarray, "H W"]
    ) -> Gaussians:
        """See SplatRenderer."""
        trace: Any = drawn.trace
        leaves, drawn_colour, drawn_coverage = trace
        toward = [torch.tensor(colour[None], device="cuda"), torch.tensor(coverage[None, ..., None], device="cuda")]
        found = torch.autograd.grad([drawn_colour, drawn_coverage], leaves, toward, retain_graph=True)
        mean, wxyz, scale, opacity, shown = (gradient.cpu().numpy() for gradient in found)
        return Gaussians(mean, wxyz, scale, colour=shown, opacity=opacity)
