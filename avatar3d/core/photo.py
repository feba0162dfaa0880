"""A picture, the camera that took it, the light in it, and the face observed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from avatar3d.core.transforms import matrix_from_quaternion

_PLANE_PX: Final = 200.0
"""Between the eyes, so many pixels tell where something lies before a face: the net that says it sees 42."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded picture: upright, sRGB, with nothing of its metadata but the focal length."""

    name: str
    """File stem, for naming what is made of it."""
    pixels: UInt8[np.ndarray, "H W 3"]
    """sRGB."""
    alpha: UInt8[np.ndarray, "H W"] | None
    """The file's own matte, when it had one; the pixels are already composited on grey."""
    focal_px: float | None
    """Focal length in pixels of `pixels`, when the file's EXIF tells it."""
    sha256: str
    """Of the file's bytes."""
    warnings: tuple[str, ...] = ()
    """What the door had to repair, one sentence each."""
    file: str = ""
    """The file's name with its ending, without its folder; for messages."""
    size_px: tuple[int, int] | None = None
    """Width and height of the file's picture, upright; more than those of `pixels` when the door reduced it."""
    licence: str = ""
    """Of what a generated person was drawn from; empty for a photograph."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera in the head's frame. Inside it, axes are OpenCV's (x right, y down, z forward)."""

    focal_px: float
    principal_px: Float32[np.ndarray, "2"]
    width_px: int
    height_px: int
    rotation_wxyz: Float32[np.ndarray, "4"]
    """camera_from_head: rotates head-frame points (glTF axes, metres) into camera axes."""
    translation_m: Float32[np.ndarray, "3"]
    """camera_from_head, in camera axes, metres."""

    def view(self, points: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
        """Head-frame points (metres) in camera axes."""
        return points @ matrix_from_quaternion(self.rotation_wxyz).T + self.translation_m

    def project(self, points: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 2"]:
        """Head-frame points (metres) to pixels; pixel centres are at integer + 0.5."""
        seen = self.view(points)
        return (self.focal_px * seen[:, :2] / seen[:, 2:] + self.principal_px).astype(np.float32)

    @property
    def position_m(self) -> Float32[np.ndarray, "3"]:
        """The eye point in the head's frame."""
        return (-matrix_from_quaternion(self.rotation_wxyz).T @ self.translation_m).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Light:
    """Distant light as real spherical harmonics of degree 2, or of degree 4 when skin in the photo shows more than that.

    Radiance toward a normal n in the head's frame is `light_basis(n) @ coefficients`.
    """

    coefficients: Float32[np.ndarray, "K 3"]
    """Linear RGB, 9 or 25 rows; shading multiplies linear albedo."""

    def shade(self, normals: Float32[np.ndarray, "N 3"]) -> Float32[np.ndarray, "N 3"]:
        """Linear RGB factor for each unit normal, never negative."""
        basis = light_basis(normals, len(self.coefficients))
        return np.maximum(basis @ self.coefficients, 0).astype(np.float32)


def light_basis(normals: Float[np.ndarray, "N 3"], terms: int) -> Float[np.ndarray, "N K"]:
    """Real spherical harmonics at unit normals, without normalising factors; `terms` is 9 (degree 2) or 25 (degree 4).

    1, y, z, x, xy, yz, 3z^2-1, xz, x^2-y^2, then degrees 3 and 4 by rising order m (docs/conventions.md).
    """
    x, y, z = normals.T
    xx, yy, zz = x * x, y * y, z * z
    basis = [np.ones_like(x), y, z, x, x * y, y * z, 3 * zz - 1, x * z, xx - yy]
    if terms > len(basis):
        basis += [y * (3 * xx - yy), x * y * z, y * (5 * zz - 1), z * (5 * zz - 3)]
        basis += [x * (5 * zz - 1), z * (xx - yy), x * (xx - 3 * yy)]
        basis += [x * y * (xx - yy), y * z * (3 * xx - yy), x * y * (7 * zz - 1), y * z * (7 * zz - 3)]
        basis += [35 * zz * zz - 30 * zz + 3, x * z * (7 * zz - 3), (xx - yy) * (7 * zz - 1)]
        basis += [x * z * (xx - 3 * yy), xx * (xx - 3 * yy) - yy * (3 * xx - yy)]
    return np.stack(basis, axis=1)


@dataclass(frozen=True, eq=False)
class FaceObservation:
    """One face found in one photo."""

    photo: Photo
    landmarks_px: Float32[np.ndarray, "478 2"]
    """MediaPipe face mesh with irises (468-472 the person's right eye, 473-477 the left), photo pixels."""
    depth_px: Float32[np.ndarray, "478"]
    """MediaPipe's relative depth in pixels, smaller is nearer; weak evidence."""
    person: Bool[np.ndarray, "H W"]
    """Where a person is (MediaPipe selfie mask); knows no hair, skin or clothes."""
    warnings: tuple[str, ...] = ()
    """What makes this face hard: nearness, expression, pose; one sentence each."""

    @property
    def plane_scale(self) -> float:
        """Pixels of a plane (a picture of what hides the face) per photo pixel and axis: 1, or less in a large photo."""
        return min(1.0, _PLANE_PX / self.interocular_px)

    @property
    def plane_size(self) -> tuple[int, int]:
        """Width and height of planes over the whole photo."""
        height, width = self.photo.pixels.shape[:2]
        return round(width * self.plane_scale), round(height * self.plane_scale)

    @property
    def interocular_px(self) -> float:
        """Distance between the outer eye corners' mid-eye points (mean of corners, per eye), pixels."""
        right = self.landmarks_px[[33, 133]].mean(0)
        left = self.landmarks_px[[263, 362]].mean(0)
        return float(np.linalg.norm(left - right))
