"""Photo-real skins for synthetic heads: a portrait's colours carried through a fit onto ICT's atlas.

    portrait --> ICT fitted --> each texel of the skin asks the photo (if it can see it) --> mirror --> spread

Only for rendering test heads. Light stays baked in, as it is in life.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.fit.basis import SEEN, landmark_basis
from avatar3d.fit.camera import to_camera
from avatar3d.fit.person import FitParams, first_pose, gather, independent_fit
from avatar3d.head.ict import ict_path
from avatar3d.people.heads import solid_triangles
from avatar3d.render.raycast import Scene
from avatar3d.texture.project import vertex_normals
from tools.head.parts.eyes import LIMBUS_DEG
from tools.head.synthetic import linear_from_srgb

ATLAS_PX: Final = 768


@dataclass(frozen=True, eq=False)
class Skin:
    """One portrait's colours on ICT's atlas; call it with surface points."""

    model: HeadModel
    atlas: Float32[np.ndarray, "S S 3"]
    """Linear RGB."""
    iris: Float64[np.ndarray, "3"]
    iris_rad: float = float(np.deg2rad(LIMBUS_DEG))
    """Half angle of the iris on the ball."""

    def __call__(
        self, triangle: Int32[np.ndarray, "N"], weights: Float32[np.ndarray, "N 3"]
    ) -> Float64[np.ndarray, "N 3"]:
        """Linear RGB."""
        part = np.array(self.model.part_names)[self.model.triangle_parts[triangle]]
        uv = np.einsum("nc,ncd->nd", weights, self.model.uvs[self.model.triangle_uvs[triangle]])
        colour = sample(self.atlas, uv * len(self.atlas))
        for name, flat in (("teethUpper", (0.5, 0.45, 0.38)), ("teethLower", (0.45, 0.4, 0.34)), ("tongue", (0.3, 0.12, 0.1)), ("mouth", (0.12, 0.04, 0.03))):  # fmt: skip
            colour[part == name] = flat
        for name in ("eyeLeft", "eyeRight"):
            chosen = part == name
            angle = np.pi * 2 * np.linalg.norm(uv[chosen] - 0.5, axis=1)[:, None]
            eye = np.where(angle < self.iris_rad, self.iris, np.array([0.5, 0.46, 0.43]))
            colour[chosen] = np.where(angle < 0.15, 0.01, eye)
        return colour


def split_names(half: str) -> list[str]:
    """File names of one half ("calibration" or "unseen") of the congress portraits."""
    return json.loads((Path(__file__).parent / "splits/congress.json").read_text())[half]


def portraits_folder() -> Path:
    return ict_path().parents[1] / "portraits/congress"


def skin_from(model: HeadModel, face: FaceObservation, *, seed: int) -> Skin:
    """A skin of ICT's atlas from one observed portrait."""
    pixels = face.photo.pixels
    height, width = pixels.shape[:2]
    basis = landmark_basis(model)
    evidence = gather(basis, face, FitParams(landmark_sigma_iod=0.03), None)
    state = independent_fit(evidence, first_pose(evidence))
    posed = model.rest + np.tensordot(state.identity, model.identity, 1)
    posed = (posed + np.tensordot(state.expression, model.expression[SEEN], 1)).astype(np.float32)
    camera = to_camera(state.view, basis.centre, width, height)
    where, triangle, weights = atlas_points(model)
    points = np.einsum("nc,ncd->nd", weights, posed[model.triangles[triangle]])
    normals = np.einsum("nc,ncd->nd", weights, vertex_normals(posed, model.triangles)[model.triangles[triangle]])
    toward = camera.position_m - points
    distance = np.linalg.norm(toward, axis=1, keepdims=True)
    facing = (normals * toward / distance).sum(1)
    hits = Scene(posed, model.triangles[solid_triangles(model)]).cast(
        np.tile(camera.position_m, (len(points), 1)), (-toward / distance).astype(np.float32)
    )
    seen = (hits.distance > distance[:, 0] - 0.002) & (facing > 0.2)
    at = camera.project(points.astype(np.float32))
    seen &= (at > 1).all(1) & (at < [width - 1, height - 1]).all(1)
    colours = sample(linear_from_srgb(pixels.astype(np.float64) / 255).astype(np.float32), at)
    atlas = np.zeros((ATLAS_PX * ATLAS_PX, 3), np.float32)
    known = np.zeros(ATLAS_PX * ATLAS_PX, bool)
    atlas[where[seen]], known[where[seen]] = colours[seen], True
    atlas, known = atlas.reshape(ATLAS_PX, ATLAS_PX, 3), known.reshape(ATLAS_PX, ATLAS_PX)
    atlas, known = _mirrored(atlas, known)
    rng = np.random.default_rng(seed)
    iris = np.array([[0.05, 0.03, 0.02], [0.10, 0.06, 0.03], [0.12, 0.17, 0.24], [0.10, 0.13, 0.07]])
    return Skin(model, spread(atlas, known), iris[rng.integers(4)] * rng.uniform(0.7, 1.3))


def atlas_points(
    model: HeadModel,
) -> tuple[Int32[np.ndarray, "N"], Int32[np.ndarray, "N"], Float32[np.ndarray, "N 3"]]:
    """Texel index, triangle and barycentric of every texel the skin covers: rays cast down onto the flat atlas."""
    members = model.part("face")
    flat = np.concatenate([model.uvs * ATLAS_PX, np.zeros((len(model.uvs), 1))], axis=1).astype(np.float32)
    x, y = np.meshgrid(np.arange(ATLAS_PX) + 0.5, np.arange(ATLAS_PX) + 0.5)
    origins = np.stack([x.ravel(), y.ravel(), np.full(x.size, 10.0)], axis=1).astype(np.float32)
    hits = Scene(flat, model.triangle_uvs[members]).cast(origins, np.tile(np.float32([0, 0, -1]), (x.size, 1)))
    where = np.flatnonzero(hits.triangle >= 0)
    return where.astype(np.int32), members[hits.triangle[where]].astype(np.int32), hits.barycentric[where]


def sample(image: Float32[np.ndarray, "H W 3"], at: Float64[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 3"]:
    """Bilinear; pixel centres at integer + 0.5; the border goes on."""
    place = np.ascontiguousarray(at - 0.5, np.float32)
    rows = 32_000  # OpenCV's remap takes at most 32,767 rows or columns
    chunks = [place[start : start + rows] for start in range(0, max(len(place), 1), rows)]
    got = [cv2.remap(image, c[:, None, 0], c[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for c in chunks if len(c)]  # fmt: skip
    return np.concatenate([g.reshape(-1, 3) for g in got]).astype(np.float64) if got else np.zeros((0, 3))


def _mirrored(
    atlas: Float32[np.ndarray, "S S 3"], known: Bool[np.ndarray, "S S"]
) -> tuple[Float32[np.ndarray, "S S 3"], Bool[np.ndarray, "S S"]]:
    """ICT's face atlas is symmetric about its own middle: unseen texels take the other side's colour."""
    face = known.copy()
    width = round(0.7 * ATLAS_PX)
    other, there = atlas[:, :width][:, ::-1], known[:, :width][:, ::-1]
    take = ~known[:, :width] & there
    atlas[:, :width][take], face[:, :width][take] = other[take], True
    return atlas, face


def spread(atlas: Float32[np.ndarray, "S S 3"], known: Bool[np.ndarray, "S S"]) -> Float32[np.ndarray, "S S 3"]:
    """Pull-push: unknown texels take the average of the nearest known ones, coarse to fine."""
    tone = np.median(atlas[known], axis=0)
    weighted = np.concatenate([atlas * known[..., None], known[..., None].astype(np.float32)], axis=2)
    levels = [weighted]
    while levels[-1].shape[0] > 3:
        levels.append(cv2.pyrDown(levels[-1]))
    filled = np.where(levels[-1][..., 3:] > 1e-3, levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-3), tone)
    for level in reversed(levels[:-1]):
        coarse = cv2.resize(filled.astype(np.float32), level.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        share = np.clip(level[..., 3:], 0, 1)
        filled = level[..., :3] / np.maximum(level[..., 3:], 1e-3) * share + coarse * (1 - share)
    return np.where(known[..., None], atlas, filled).astype(np.float32)
