"""The head that something is worn on: where its skin ends in every direction, and what the photo shows there.

Around a head: azimuth in degrees about the vertical through the skull's middle, 0 ahead, positive to the person's left.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera
from avatar3d.render.raycast import Scene

# The skull's middle from the middle between the eyes, in inter-ocular distances: up, forward (hair.scalp has the same).
_SKULL_MIDDLE: Final = (0.30, -1.20)
# Heads and busts are narrower than this (metres); rays come from outside, so that ears count.
_OUTSIDE_M: Final = 0.6
# Steps in which outlines are looked for (metres), and how wide a gap does not end what is worn.
_STEP_M: Final = 0.001
_GAP_M: Final = 0.006


@dataclass(frozen=True, eq=False)
class Wearer:
    """A bare head, the camera that saw it, and how surely each pixel shows what it wears."""

    skin: Scene
    middle: Float64[np.ndarray, "3"]
    """Inside the skull; metres."""
    eyes: Float64[np.ndarray, "3"]
    iod_m: float
    camera: Camera
    seen: Float32[np.ndarray, "H W"]
    """Where it wears something, in the net's crop."""
    sure: Float32[np.ndarray, "H W"]
    """Probability of what is worn; lower in gaps that are only taken for part of it."""
    crop_from_photo: Float64[np.ndarray, "2 3"]

    @staticmethod
    def of(
        avatar: Avatar,
        camera: Camera,
        seen: Float32[np.ndarray, "H W"],
        sure: Float32[np.ndarray, "H W"],
        crop_from_photo: Float64[np.ndarray, "2 3"],
    ) -> "Wearer":
        """The avatar's head; hair counts as none of it."""
        names, places = avatar.skeleton.names, avatar.skeleton.positions.astype(np.float64)
        left, right = (places[names.index(name)] for name in ("leftEye", "rightEye"))
        eyes, iod_m = (left + right) / 2 * [0, 1, 1], float(np.linalg.norm(left - right))
        face = avatar.meshes[0]
        middle = eyes + np.array([0, *_SKULL_MIDDLE]) * iod_m
        return Wearer(Scene(face.positions, face.triangles), middle, eyes, iod_m, camera, seen, sure, crop_from_photo)

    @property
    def camera_deg(self) -> float:
        """Azimuth of the camera."""
        away = self.camera.position_m - self.middle
        return float(np.degrees(np.arctan2(away[0], away[2])))

    def height(self, y_m: Float64[np.ndarray, "*S"]) -> Float64[np.ndarray, "*S"]:
        """Over the eyes, inter-ocular distances."""
        return (y_m - self.eyes[1]) / self.iod_m

    def outer(
        self, origins: Float64[np.ndarray, "... 3"], ways: Float64[np.ndarray, "... 3"]
    ) -> Float64[np.ndarray, "..."]:
        """How far from origins, along unit ways, the outermost skin lies (metres); 0 where there is none."""
        shape = np.broadcast_shapes(origins.shape, ways.shape)
        start, way = (np.broadcast_to(part, shape).reshape(-1, 3) for part in (origins, ways))
        hits = self.skin.cast((start + _OUTSIDE_M * way).astype(np.float32), (-way).astype(np.float32))
        found = np.where(hits.triangle >= 0, _OUTSIDE_M - hits.distance.astype(np.float64), 0)
        return np.maximum(found, 0).reshape(shape[:-1])

    def root(
        self, origins: Float64[np.ndarray, "... 3"], ways: Float64[np.ndarray, "... 3"]
    ) -> Float64[np.ndarray, "..."]:
        """The same to the first skin: through an ear to its root."""
        shape = np.broadcast_shapes(origins.shape, ways.shape)
        start, way = (np.ascontiguousarray(np.broadcast_to(part, shape).reshape(-1, 3)) for part in (origins, ways))
        hits = self.skin.cast(start.astype(np.float32), way.astype(np.float32))
        return np.where(hits.triangle >= 0, hits.distance.astype(np.float64), 0).reshape(shape[:-1])

    def worn(self, points: Float64[np.ndarray, "*S 3"], *, surely: bool = False) -> Float32[np.ndarray, "*S"]:
        """Whether the photo shows what is worn where it shows these points, or how surely; 0 outside the net's crop."""
        flat = self.camera.project(points.reshape(-1, 3).astype(np.float32)).astype(np.float64)
        return look(
            self.sure if surely else self.seen, flat @ self.crop_from_photo[:, :2].T + self.crop_from_photo[:, 2]
        ).reshape(points.shape[:-1])

    def reach(self, start: Float64[np.ndarray, "3"], way: Float64[np.ndarray, "3"], most_m: float) -> float:
        """How far from a point along a way what is worn goes on (metres)."""
        steps = np.arange(0, most_m, _STEP_M)
        on = self.worn(start + steps[:, None] * way) > 0.5
        if not on.any():
            return 0.0
        first = int(np.argmax(on))
        gap = round(_GAP_M / _STEP_M)
        quiet = np.convolve(on[first:], np.ones(gap), mode="full")[gap - 1 :] == 0  # nothing in the next few steps
        ends = np.flatnonzero(quiet)
        return float(steps[first + ends[0] - 1 if len(ends) else len(steps) - 1]) if len(ends) else float(steps[on][-1])


def look(image: np.ndarray, at_px: np.ndarray) -> np.ndarray:
    """An image at places (N 2) with pixel centres at integer + 0.5; 0 outside it."""
    width = 1024  # cv2.remap takes pictures of at most 32,767 rows and columns
    count = len(at_px)
    padded = np.full((-(-count // width) * width, 2), -1e4, np.float32)
    padded[:count] = at_px - 0.5
    x, y = (np.ascontiguousarray(part) for part in padded.reshape(-1, width, 2).transpose(2, 0, 1))
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return found.reshape(-1, *image.shape[2:])[:count]


def ways_around(azimuth_deg: Float64[np.ndarray, "*S"]) -> Float64[np.ndarray, "*S 3"]:
    """Level unit vectors."""
    around = np.radians(azimuth_deg)
    return np.stack([np.sin(around), np.zeros_like(around), np.cos(around)], axis=-1)
