"""One photo as splats are refined against it: a crop of face and hair, the avatar drawn there, and what to believe.

Avatar, HeadFit, photo, what it shows --look_at--> Look --halve--> Look, coarser
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from avatar3d.core.avatar import Avatar
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Camera, FaceObservation, Light
from avatar3d.render.first_hit import FirstHits, first_hits
from avatar3d.render.lights import ambient_light
from avatar3d.render.pose import Posed, pose_stage
from avatar3d.render.preview import RenderParams, render_linear
from avatar3d.render.splats import Hiding
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.draw import REACH_M

_EXACT: Final = RenderParams(exact=True)
_ERODED: Final = 0.02
"""Face and hair are believed this far inside their rim, inter-ocular distances: outside it lies what is behind them."""
_BESIDE: Final = 0.05
"""And nothing may be drawn this far outside of it."""
_AROUND: Final = 0.06
"""So far around what lies before face and hair (glasses, a hand) the photo is not believed either."""
_MARGIN: Final = 0.12
"""Room around face and hair, of their larger extent."""


@dataclass(frozen=True, eq=False)
class Look:
    """A square crop; everything in it is seen through one camera."""

    camera: Camera
    photo: Float32[np.ndarray, "H W 3"]
    """sRGB, [0, 1]."""
    believed: Float32[np.ndarray, "H W"]
    """1 well inside face and hair, where the photo shows them; 0 elsewhere."""
    empty: Float32[np.ndarray, "H W"]
    """1 where the photo shows that neither is there and the mesh has nothing either."""
    mesh: Float32[np.ndarray, "H W 3"]
    """The avatar in the photo's pose and light: linear, premultiplied."""
    mesh_coverage: Float32[np.ndarray, "H W"]
    albedo: Float32[np.ndarray, "H W 3"]
    """The same without light."""
    hits: FirstHits
    posed: Posed
    """The avatar's stage in the photo's expression."""
    weights: Float32[np.ndarray, "52"]
    """That expression."""
    light: Light

    @property
    def hiding(self) -> Hiding:
        return Hiding(self.hits.depth_m, REACH_M)


def look_at(
    avatar: Avatar,
    fitted: HeadFit,
    face: FaceObservation,
    light: Light,
    *,
    shown: Float32[np.ndarray, "h w"],
    hair: Float32[np.ndarray, "h w"],
    covered: Float32[np.ndarray, "h w"],
    size_px: int,
) -> Look:
    """The photo's crop around face and hair, `size_px` wide.

    `shown` is how surely each pixel of a plane over the photo (FaceObservation.plane_size) shows skin of the face, ears,
    brows, lips, beard or hair, `hair` how surely hair: it alone may reach beyond the mesh; `covered` how surely something lies before them (glasses, a hand, a hat).
    """
    height, width = face.photo.pixels.shape[:2]
    planes = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in (shown, hair, covered)]
    crop, camera = _crop(fitted.camera, planes[0] > 0.5, size_px)
    photo = _warp(face.photo.pixels.astype(np.float32) / np.float32(255), crop, size_px)
    inside, hairy, before = (_warp(plane, crop, size_px) > 0.5 for plane in planes)
    unit = face.interocular_px * float(crop[0, 0])
    in_picture = _warp(np.ones((height, width), np.float32), crop, size_px) > 0.99
    stage = stage_avatar(avatar)
    posed = pose_stage(stage, fitted.expression, {}, camera.position_m, sky=None, pixel_m=1e-3)
    lit = render_linear(avatar, camera, weights=fitted.expression, light=light, params=_EXACT)
    bare = render_linear(avatar, camera, weights=fitted.expression, light=ambient_light((1.0, 1.0, 1.0)), params=_EXACT)
    clear = _shrunk(~before, _AROUND * unit) > 0
    on_mesh = lit.coverage > 0.99
    believed = _shrunk(inside & in_picture, _ERODED * unit) * (clear & (on_mesh | hairy))
    beside = _shrunk(~inside & in_picture, _BESIDE * unit) > 0
    empty = (beside | ~hairy) & in_picture & (lit.coverage < 1 / 255)
    return Look(
        camera=camera,
        photo=photo,
        believed=believed.astype(np.float32),
        empty=empty.astype(np.float32),
        mesh=lit.colour,
        mesh_coverage=lit.coverage,
        albedo=bare.colour / np.maximum(bare.coverage, np.float32(1 / 255))[..., None],
        hits=first_hits(stage, posed.vertices, camera),
        posed=posed,
        weights=fitted.expression,
        light=light,
    )


def halve(look: Look) -> Look:
    """Half the size: means of four pixels, of the surface every second one."""
    half = look.camera.width_px // 2
    camera = replace(
        look.camera,
        focal_px=look.camera.focal_px / 2,
        principal_px=look.camera.principal_px / np.float32(2),
        width_px=half,
        height_px=half,
    )

    def mean(plane: Float32[np.ndarray, "H W ..."]) -> Float32[np.ndarray, "h w ..."]:
        return np.asarray(cv2.resize(plane, (half, half), interpolation=cv2.INTER_AREA), np.float32)

    hits = FirstHits(look.hits.triangle[1::2, 1::2], look.hits.barycentric[1::2, 1::2],
                     np.ascontiguousarray(look.hits.depth_m[1::2, 1::2]))  # fmt: skip
    return replace(
        look,
        camera=camera,
        photo=mean(look.photo),
        believed=(mean(look.believed) > 0.99).astype(np.float32),
        empty=(mean(look.empty) > 0.99).astype(np.float32),
        mesh=mean(look.mesh),
        mesh_coverage=mean(look.mesh_coverage),
        albedo=mean(look.albedo),
        hits=hits,
    )


def _crop(camera: Camera, shown: Bool[np.ndarray, "H W"], size_px: int) -> tuple[Float64[np.ndarray, "2 3"], Camera]:
    """crop_from_photo (2 x 3, pixel centres at integer + 0.5) of a square around what is shown, and its camera."""
    shown = shown if shown.any() else np.ones_like(shown)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    low = np.array([columns[0], rows[0]], np.float64)
    high = np.array([columns[-1] + 1, rows[-1] + 1], np.float64)
    side = float((high - low).max()) * (1 + 2 * _MARGIN)
    factor, corner = size_px / side, (low + high - side) / 2
    crop = np.array([[factor, 0, -factor * corner[0]], [0, factor, -factor * corner[1]]])
    seen = replace(
        camera,
        focal_px=camera.focal_px * factor,
        principal_px=((camera.principal_px - corner) * factor).astype(np.float32),
        width_px=size_px,
        height_px=size_px,
    )
    return crop, seen


def _warp(
    picture: Float32[np.ndarray, "H W ..."], crop: Float64[np.ndarray, "2 3"], size_px: int
) -> Float32[np.ndarray, "h w ..."]:
    """Into the crop; a picture with much larger pixels than the crop's is softened first."""
    if crop[0, 0] < 1:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / float(crop[0, 0]))
    moved = crop.copy()
    moved[:, 2] += 0.5 * moved[:, :2].sum(axis=1) - 0.5  # warpAffine counts pixel centres at whole numbers
    return np.asarray(cv2.warpAffine(picture, moved, (size_px, size_px), flags=cv2.INTER_LINEAR), np.float32)


def _shrunk(mask: Bool[np.ndarray, "H W"], by_px: float) -> Float32[np.ndarray, "H W"]:
    radius = max(1, round(by_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel, borderValue=(0.0,)), np.float32)
