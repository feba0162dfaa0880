"""The oracle of all splat rasterisers: torch in double precision, every Gaussian on every pixel; slow and right."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from avatar3d.core.photo import Camera
from avatar3d.core.splats import Gaussians
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.splats import (
    BLUR_PX2,
    LEAST_ALPHA,
    LEAST_LEFT,
    MOST_ALPHA,
    NEAREST_M,
    Hiding,
    SplatPicture,
)


class ReferenceSplats:
    """For tests: memory grows with Gaussians times pixels."""

    def draw(self, gaussians: Gaussians, camera: Camera, hiding: Hiding | None = None) -> SplatPicture:
        """See SplatRenderer."""
        leaves = [
            torch.tensor(array, dtype=torch.float64, requires_grad=True)
            for array in (
                gaussians.mean, gaussians.rotation_wxyz, gaussians.scale, gaussians.colour, gaussians.opacity
            )
        ]  # fmt: skip
        colour, coverage = _draw(leaves, camera, hiding)
        return SplatPicture(
            colour.detach().numpy().astype(np.float32),
            coverage.detach().numpy().astype(np.float32),
            gaussians,
            camera,
            trace=(leaves, colour, coverage),
        )

    def gradients(
        self, drawn: SplatPicture, colour: Float32[np.ndarray, "H W 3"], coverage: Float32[np.ndarray, "H W"]
    ) -> Gaussians:
        """See SplatRenderer."""
        leaves, drawn_colour, drawn_coverage = _as_trace(drawn.trace)
        found = torch.autograd.grad(
            [drawn_colour, drawn_coverage],
            leaves,
            [torch.tensor(colour, dtype=torch.float64), torch.tensor(coverage, dtype=torch.float64)],
            retain_graph=True,
        )
        return Gaussians(*(gradient.numpy().astype(np.float32) for gradient in found))


def _as_trace(trace: Any) -> tuple[list[torch.Tensor], torch.Tensor, torch.Tensor]:
    return trace


def _draw(leaves: list[torch.Tensor], camera: Camera, hiding: Hiding | None) -> tuple[torch.Tensor, torch.Tensor]:
    mean, wxyz, scale, colour, opacity = leaves
    turn = torch.tensor(matrix_from_quaternion(camera.rotation_wxyz), dtype=torch.float64)
    seen = mean @ turn.T + torch.tensor(camera.translation_m, dtype=torch.float64)
    drawn = (seen[:, 2] >= NEAREST_M) & (opacity > LEAST_ALPHA)
    order = torch.argsort(seen[:, 2], stable=True)
    order = order[drawn[order]]
    seen, wxyz, scale, colour, opacity = (values[order] for values in (seen, wxyz, scale, colour, opacity))
    x, y, z = seen.T
    zero = torch.zeros_like(z)
    jacobian = camera.focal_px * torch.stack(
        [torch.stack([1 / z, zero, -x / z**2], 1), torch.stack([zero, 1 / z, -y / z**2], 1)], 1
    )
    root = jacobian @ turn @ _rotations(wxyz) * scale[:, None, :]
    covariance = root @ root.transpose(1, 2) + BLUR_PX2 * torch.eye(2, dtype=torch.float64)
    inverse = torch.linalg.inv(covariance)
    down, across = torch.meshgrid(
        torch.arange(camera.height_px) + 0.5, torch.arange(camera.width_px) + 0.5, indexing="ij"
    )
    places = torch.stack([across, down], -1).to(torch.float64)
    principal = torch.tensor(camera.principal_px, dtype=torch.float64)
    away = places - (camera.focal_px * seen[:, :2] / z[:, None] + principal)[:, None, None, :]
    power = 0.5 * torch.einsum("shwi,sij,shwj->shw", away, inverse, away)
    raw = opacity[:, None, None] * torch.exp(-power)
    alpha = torch.where(raw >= LEAST_ALPHA, raw.clamp(max=MOST_ALPHA), 0)
    if hiding is not None:
        alpha = torch.where(torch.tensor(hiding.depth_m) >= z[:, None, None] - hiding.reach_m, alpha, 0)
    first = torch.ones((1, camera.height_px, camera.width_px), dtype=torch.float64)
    before = torch.cat([first, torch.cumprod(1 - alpha, 0)])[:-1]
    alpha = torch.where(before >= LEAST_LEFT, alpha, 0)
    left = torch.cat([first, torch.cumprod(1 - alpha, 0)])
    share = left[:-1] * alpha
    return torch.einsum("shw,sc->hwc", share, colour), 1 - left[-1]


def _rotations(wxyz: torch.Tensor) -> torch.Tensor:
    w, x, y, z = (wxyz / wxyz.norm(dim=1, keepdim=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return torch.stack([torch.stack(row, 1) for row in rows], 1)
