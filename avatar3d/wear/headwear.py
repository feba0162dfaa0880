"""Hats, caps and scarves as a part: found by the net, built over the skull as far as the photo shows them.

Segments --what hangs together over the eyes--> Headwear --hats, scarf--> sheets of cloth --> Mesh; hair under it is cut
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import FaceObservation, Light
from avatar3d.core.segments import KINDS, Segments
from avatar3d.wear.edge import AROUND, Edge, find_edge
from avatar3d.wear.hats import build_hat
from avatar3d.wear.scarf import build_scarf
from avatar3d.wear.sheet import cut_cloth
from avatar3d.wear.wearer import Wearer

_HEADWEAR: Final = KINDS.index("headwear")
# Squared inter-ocular distances that headwear covers at least, of those below the mouth that make it a scarf, and how sure
# the net is of it on average. 96 portraits and 94 made people without any: 0; the smallest of 39 made hats: 1.3.
_LEAST: Final = 0.8
_SCARF: Final = 0.8
_SURE: Final = 0.8
# What is nowhere as high as this (inter-ocular distances, upper quarter of its columns) is a band about bare hair, and left
# out: one made band .65, the lowest of 30 hats .86.
_BAND: Final = 0.75
_UPPER_QUARTER: Final = 75
# Less than this share of the largest piece is a stain.
_PIECE: Final = 0.1
_CLOSED: Final = 0.16
# Hair comes out from under a hat: so far inside its edge, and from there out by so much a metre down; what is left of it
# with fewer triangles than this is not worth a mesh.
_UNDER_M: Final = 0.002
_OUT: Final = 0.7
_FEW: Final = 60


@dataclass(frozen=True, eq=False)
class Headwear:
    """What somebody wears on the head."""

    kind: Literal["hat", "scarf"]
    """A scarf goes on below the mouth."""
    seen: Float32[np.ndarray, "H W"]
    """Whether it is there, in the net's crop: small gaps count as part of it."""
    sure: Float32[np.ndarray, "H W"]
    """Probability; 0 in the gaps."""
    crop_from_photo: Float64[np.ndarray, "2 3"]
    area: float
    """Squared inter-ocular distances."""


def find_headwear(face: FaceObservation, segments: Segments) -> Headwear | None:
    """What the net surely saw on this head, or None."""
    answer = (segments.probability.argmax(0) == _HEADWEAR).astype(np.uint8)
    points = face.landmarks_px.astype(np.float64) @ segments.crop_from_photo[:, :2].T + segments.crop_from_photo[:, 2]
    unit_px = face.interocular_px * float(np.hypot(*segments.crop_from_photo[0, :2]))
    if answer.sum() < _LEAST * unit_px**2:
        return None
    whole = _whole(answer, unit_px)
    rows = np.arange(len(answer))[:, None]
    over = whole & (rows < points[[33, 263], 1].mean())
    area = float(over.sum()) / unit_px**2
    told = segments.of("headwear")
    if area < _LEAST or float(told[over & (answer > 0)].mean()) < _SURE or _is_band(whole, unit_px):
        return None
    below = float((whole & (rows > points[[13, 14], 1].mean())).sum()) / unit_px**2
    seen, sure = whole.astype(np.float32), np.where(whole, told, 0).astype(np.float32)
    return Headwear("scarf" if below > _SCARF else "hat", seen, sure, segments.crop_from_photo, area)


def _is_band(whole: Bool[np.ndarray, "H W"], unit_px: float) -> bool:
    high = whole.sum(axis=0)
    return float(np.percentile(high[high > 0], _UPPER_QUARTER)) < _BAND * unit_px


def _whole(answer: np.ndarray, unit_px: float) -> Bool[np.ndarray, "H W"]:
    """Without stains, and with small gaps closed."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(answer, connectivity=8)
    sizes = stats[:, cv2.CC_STAT_AREA]
    kept = [index for index in range(1, count) if sizes[index] > _PIECE * sizes[1:].max()]
    mask = np.isin(labels, kept).astype(np.uint8)
    edge = 2 * round(_CLOSED * unit_px) + 1
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (edge, edge))) > 0


def put_on_headwear(
    avatar: Avatar, headwear: Headwear | None, fitted: HeadFit, face: FaceObservation, light: Light
) -> Avatar:
    """The avatar with it as a mesh of its own, and without the hair under it; without headwear, as it was."""
    if headwear is None:
        return avatar
    wearer = Wearer.of(avatar, fitted.camera, headwear.seen, headwear.sure, headwear.crop_from_photo)
    names = avatar.skeleton.names
    joints = (names.index("head"), names.index("neck"))
    if headwear.kind == "scarf":
        sheets, held = build_scarf(wearer)
        bare: list[Mesh] = [mesh for mesh in avatar.meshes if mesh.name != "hair"]
    else:
        edge = find_edge(wearer)
        if edge is None:
            return avatar
        sheets = build_hat(wearer, edge)
        held = [np.broadcast_to([1.0, 0.0], (*sheet.points.shape[:2], 2)) for sheet in sheets]
        bare = [one for mesh in avatar.meshes if (one := _below(mesh, wearer, edge)) is not None]
    cloth = cut_cloth("headwear", sheets, wearer, face.photo.pixels, light, joints, held)
    return replace(avatar, meshes=(*bare, cloth))


def _below(mesh: Mesh, wearer: Wearer, edge: Edge) -> Mesh | None:
    """Hair below the edge of a hat, which presses it to the head, other meshes whole; None when next to nothing is left."""
    if mesh.name != "hair":
        return mesh
    away = mesh.positions.astype(np.float64) - wearer.middle
    azimuth = np.degrees(np.arctan2(away[:, 0], away[:, 2]))
    below = np.interp(azimuth, AROUND, edge.y_m) - mesh.positions[:, 1]
    most = np.interp(azimuth, AROUND, edge.radius_m) - _UNDER_M + _OUT * np.maximum(below, 0)
    radius = np.hypot(away[:, 0], away[:, 2])
    inward = np.minimum(1, most / np.maximum(radius, 1e-6))
    pressed = wearer.middle + away * np.stack([inward, np.ones_like(inward), inward], axis=1)
    kept = (below > 0)[mesh.triangles].any(axis=1)
    if kept.sum() < _FEW:
        return None
    used, index = np.unique(mesh.triangles[kept], return_inverse=True)
    return replace(
        mesh,
        positions=pressed[used].astype(np.float32),
        normals=mesh.normals[used],
        uvs=mesh.uvs[used],
        triangles=index.reshape(-1, 3).astype(np.int32),
        morphs=mesh.morphs[:, used],
        joints=mesh.joints[used],
        weights=mesh.weights[used],
    )
