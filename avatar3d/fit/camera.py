"""The camera as the fit moves it: rotation, the head's place and size in the picture, and perspective.

`scale_px` (pixels per metre at the head's centre) and `focal_px` are separate numbers here, so that changing the
focal length changes the perspective alone and not the size of the face:

    distance = focal / scale        pixel = principal + (scale * x + place) / (1 + scale * z / focal)

x, z: camera axes (OpenCV), metres, from the head's centre, after rotation.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.photo import Camera
from avatar3d.core.transforms import OPENCV_FROM_GLTF, quaternion_from_matrix

# A portrait without EXIF: about a 50 mm lens on 35 mm film (shared facts.md, "Fitting").
USUAL_FOCAL: Final = 1.4


@dataclass(frozen=True, eq=False)
class View:
    """Seven numbers that place a head before a camera."""

    rotation: Float64[np.ndarray, "3 3"]
    """camera (OpenCV axes) from head (glTF axes)."""
    place_px: Float64[np.ndarray, "2"]
    """Where the head's centre falls, from the principal point."""
    scale_px: float
    """Pixels per metre at the head's centre."""
    focal_px: float

    @property
    def distance_m(self) -> float:
        return self.focal_px / self.scale_px

    @property
    def turned_rad(self) -> tuple[float, float]:
        """Yaw and pitch of the head, 0 and 0 from the front."""
        row = self.rotation[2]  # the camera's forward axis in the head's: (0, 0, -1) from the front
        return float(np.arctan2(row[0], -row[2])), float(np.arcsin(np.clip(row[1], -1, 1)))

    def moved(self, step: Float64[np.ndarray, "7"]) -> "View":
        """Turned by step[:3] (rotation vector, camera axes), shifted by step[3:5] (pixels), scale and focal by
        the exponentials of step[5] and step[6].
        """
        return replace(
            self,
            rotation=rotation_matrix(step[:3]) @ self.rotation,
            place_px=self.place_px + step[3:5],
            scale_px=float(self.scale_px * np.exp(step[5])),
            focal_px=float(self.focal_px * np.exp(step[6])),
        )

    def project(self, points: Float64[np.ndarray, "L 3"]) -> Float64[np.ndarray, "L 2"]:
        """Pixels from the principal point; `points` in metres from the head's centre."""
        turned = points @ self.rotation.T
        return (self.scale_px * turned[:, :2] + self.place_px) / self._nearness(turned)[:, None]

    def jacobians(
        self, points: Float64[np.ndarray, "L 3"]
    ) -> tuple[Float64[np.ndarray, "L 2 7"], Float64[np.ndarray, "L 2 3"]]:
        """Derivatives of `project` by a step of `moved` and by the points."""
        turned = points @ self.rotation.T
        nearness = self._nearness(turned)
        seen = (self.scale_px * turned[:, :2] + self.place_px) / nearness[:, None]
        by_turned = np.zeros((len(points), 2, 3))
        by_turned[:, 0, 0] = by_turned[:, 1, 1] = self.scale_px / nearness
        by_turned[:, :, 2] = -seen * (self.scale_px / self.focal_px / nearness)[:, None]
        by_step = np.zeros((len(points), 2, 7))
        by_step[:, :, :3] = np.einsum("lij,ljk->lik", by_turned, -_cross_matrices(turned))
        by_step[:, 0, 3] = by_step[:, 1, 4] = 1 / nearness
        flattening = seen * ((nearness - 1) / nearness)[:, None]
        by_step[:, :, 5] = self.scale_px * turned[:, :2] / nearness[:, None] - flattening
        by_step[:, :, 6] = flattening
        return by_step, by_turned @ self.rotation

    def _nearness(self, turned: Float64[np.ndarray, "L 3"]) -> Float64[np.ndarray, "L"]:
        return np.maximum(1 + turned[:, 2] * (self.scale_px / self.focal_px), 0.05)


def rotation_matrix(vector_rad: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """Rodrigues' formula."""
    angle = float(np.linalg.norm(vector_rad))
    if angle < 1e-12:
        return np.eye(3)
    cross = _cross_matrices(vector_rad[None] / angle)[0]
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def first_view(
    points: Float64[np.ndarray, "L 3"],
    seen_px: Float64[np.ndarray, "L 2"],
    weights: Float64[np.ndarray, "L"],
    focal_px: float,
) -> View:
    """Scaled orthography by least squares: the affine camera nearest to the points, made a rotation.

    `seen_px` from the principal point. Tomasi-Kanade style: two rows of the affine map, orthogonalised by SVD.
    """
    w = weights / weights.sum()
    mean_3d, mean_2d = w @ points, w @ seen_px
    design = (points - mean_3d) * np.sqrt(w)[:, None]
    rows = np.linalg.lstsq(design, (seen_px - mean_2d) * np.sqrt(w)[:, None], rcond=None)[0].T
    u, s, vt = np.linalg.svd(rows, full_matrices=False)
    top = u @ vt
    rotation = np.stack([top[0], top[1], np.cross(top[0], top[1])])
    scale = float(s.mean())
    return View(rotation, mean_2d - scale * (top @ mean_3d), scale, focal_px)


def usual_focal_px(width_px: int, height_px: int) -> float:
    """The focal length to assume of a picture that does not tell."""
    return USUAL_FOCAL * max(width_px, height_px)


def to_camera(view: View, centre: Float64[np.ndarray, "3"], width_px: int, height_px: int) -> Camera:
    """The view as the Camera noun, in the head's own frame (`centre` is where the view's points were counted from)."""
    distance = view.distance_m
    translation = np.array([*(view.place_px / view.scale_px), distance]) - view.rotation @ centre
    return Camera(
        focal_px=view.focal_px,
        principal_px=np.array([width_px / 2, height_px / 2], np.float32),
        width_px=width_px,
        height_px=height_px,
        rotation_wxyz=quaternion_from_matrix(view.rotation.astype(np.float32)),
        translation_m=translation.astype(np.float32),
    )


def facing(rotation: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "3 3"]:
    """How the head is turned away from looking straight into the camera (glTF axes)."""
    return OPENCV_FROM_GLTF.astype(np.float64) @ rotation


def _cross_matrices(vectors: Float64[np.ndarray, "L 3"]) -> Float64[np.ndarray, "L 3 3"]:
    """[v]x of every row: [v]x @ a = v x a."""
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
