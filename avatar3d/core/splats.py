"""Gaussians bound to triangles, and Gaussians placed in the world."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32


@dataclass(frozen=True, eq=False)
class SplatCloud:
    """Gaussians that ride on an avatar: each is placed in the frame of its triangle, and measured in its size.

    Frame and size of a triangle (corners a, b, c): x along ab, z along the normal, y = z cross x; the size is the mean of
    the length of ab and of the height of c over it (Qian et al., "GaussianAvatars", 2024, section 3.2).
    """

    triangle: Int32[np.ndarray, "S"]
    """Index into the avatar's triangles: those of its meshes, one mesh after another."""
    barycentric: Float32[np.ndarray, "S 3"]
    """Weights of a, b and c; sum to 1."""
    offset: Float32[np.ndarray, "S"]
    """Along the normal, triangle sizes."""
    rotation_wxyz: Float32[np.ndarray, "S 4"]
    """splat to triangle's frame, unit."""
    scale: Float32[np.ndarray, "S 3"]
    """Standard deviations along the splat's own axes, triangle sizes; a flat splat's third is the least."""
    colour: Float32[np.ndarray, "S 3"]
    """Albedo, linear RGB (spherical harmonics of degree 0): light is not in it."""
    opacity: Float32[np.ndarray, "S"]
    """At its centre, [0, 1]."""


@dataclass(frozen=True, eq=False)
class Gaussians:
    """Gaussians in the world, as a rasteriser takes them: metres, the head's frame."""

    mean: Float32[np.ndarray, "S 3"]
    rotation_wxyz: Float32[np.ndarray, "S 4"]
    """splat to world; need not be of unit length."""
    scale: Float32[np.ndarray, "S 3"]
    """Standard deviations along the splat's own axes, metres."""
    colour: Float32[np.ndarray, "S 3"]
    """What the camera sees, linear RGB."""
    opacity: Float32[np.ndarray, "S"]


@dataclass(frozen=True, eq=False)
class BoundSplats:
    """A cloud with the meshes that its triangles are counted through, so that it can be told from that of another head."""

    cloud: SplatCloud
    mesh_names: tuple[str, ...]
    """In the avatar's order."""
    triangle_counts: tuple[int, ...]
    """Of each mesh; `cloud.triangle` counts through all of them."""


@dataclass(frozen=True, eq=False)
class RestSplats:
    """Gaussians where the resting avatar has them, and what each of them rides on: enough to bind them again."""

    gaussians: Gaussians
    """Colour is albedo, linear RGB, as no light is known to a file; rotations are of unit length."""
    triangle: Int32[np.ndarray, "S"]
    """Index into the avatar's triangles: those of its meshes, one mesh after another."""


@dataclass(frozen=True, eq=False)
class ColouredPoints:
    """Points of surfaces that somebody found, without any order."""

    places: Float32[np.ndarray, "P 3"]
    """Metres, in the frame of whoever found them."""
    colours: Float32[np.ndarray, "P 3"]
    """As seen: linear RGB, light in it."""
