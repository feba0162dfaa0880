"""Glasses as a part: rims, bridge and temples as tubes, lenses as glass; they ride on the head.

Glasses + head --> paths in space, pushed off the skin --> tubes --> Mesh
               `-> drawn over the photo: skin that is not seen there
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32

from avatar3d.core.avatar import Avatar, Material, Mesh
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera
from avatar3d.render.raycast import Scene
from avatar3d.wear.glasses import Glasses, outlines, place_on_frame

# Frames are so deep, and stay so far off the skin unless that moves them too far (metres).
_DEPTH_M: Final = 0.0026
_CLEAR_M: Final = 0.0015
_FURTHEST_M: Final = 0.012
# Where the bridge leaves the rim: index of the outline, which starts at the outer end and runs over the top.
_BRIDGE_AT, _TEMPLE_AT = 20, 4
_BRIDGE_RISE_M: Final = 0.002
# Where a temple rests over the ear on the mean head, beside the eyes' height, and the tip behind it (metres).
_OVER_EAR: Final = (0.079, 0.004, -0.008)
_TIP: Final = (-0.004, -0.028, -0.026)
_OFF_HEAD_M: Final = 0.002
_BAND_M: Final = 0.008
_TEMPLE_M: Final = 0.0018
_AHEAD, _UP = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
_SIDES: Final = 6
_SEGMENTS: Final = 9
# Skin this near to a frame is not trusted: the rim's own shadow and blur (metres).
_SHADOW_M: Final = 0.0014
# From this probability on, the net's word alone hides skin: an outline is simpler than the frame it stands for.
_SURELY: Final = 0.5
# Clear glass adds no light of its own: a pale one would veil dark eyes.
_GLASS: Final = (0.03, 0.03, 0.035, 0.03)


@dataclass(frozen=True, eq=False)
class _Tube:
    """A path with an elliptic section."""

    path: Float64[np.ndarray, "P 3"]
    across_m: float
    """Sideways: at right angles to the path and `deep`."""
    deep_m: float
    deep: tuple[float, float, float]
    """About which way its depth lies; never along the path."""
    closed: bool = False


def put_on(avatar: Avatar, model: HeadModel, fitted: HeadFit, glasses: Glasses | None) -> Avatar:
    """The avatar with frame and lenses as meshes of their own, which ride on the head; without glasses, as it was."""
    if glasses is None:
        return avatar
    tubes = _tubes(model, fitted.neutral, glasses, fitted.camera)
    red, green, blue = map(float, glasses.colour)
    dull = Material("glasses", colour_factor=(red, green, blue, 1.0), roughness=0.35)
    clear = Material("lenses", colour_factor=_GLASS, roughness=0.05, alpha_mode="BLEND", double_sided=True)
    frame = [_skin_tube(tube) for tube in tubes]
    lenses = [_fan(tube.path) for tube in tubes if tube.closed]
    joint = model.joint_names.index("head")
    worn = (_mesh("glasses", frame, dull, joint), _mesh("lenses", lenses, clear, joint))
    return replace(avatar, meshes=(*avatar.meshes, *worn))


def hidden_by_glasses(
    model: HeadModel,
    fitted: HeadFit,
    glasses: Glasses | None,
    seen: Float32[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W"]:
    """How surely a frame or its shadow lies at each photo pixel; `seen` is the net's probability of glasses there.

    Nobody who wears none hides anything: what the net then takes for glasses is skin.
    """
    hidden = np.zeros(seen.shape, np.uint8)
    if glasses is None:
        return hidden.astype(np.float32)
    for tube in _tubes(model, fitted.neutral, glasses, fitted.camera):
        depth_m = float(fitted.camera.view(tube.path.astype(np.float32))[:, 2].mean())
        across_m = max(tube.across_m, tube.deep_m) + 2 * _SHADOW_M
        broad = max(1, round(fitted.camera.focal_px / depth_m * across_m))
        line = np.round(fitted.camera.project(tube.path.astype(np.float32)) - 0.5).astype(np.int32)
        cv2.polylines(hidden, [line], tube.closed, (255,), thickness=broad)
    drawn = cv2.GaussianBlur(hidden, (3, 3), 0).astype(np.float32) / np.float32(255)
    return np.maximum(drawn, np.clip(seen / np.float32(_SURELY), 0, 1))


def _tubes(model: HeadModel, vertices: Float32[np.ndarray, "V 3"], glasses: Glasses, camera: Camera) -> list[_Tube]:
    """Rims, bridge, temples on one head that this camera saw."""
    rims, outside = (
        place_on_frame(model, vertices, outlines(glasses.shape[None], beyond_m=beyond)[0])
        for beyond in (0, glasses.thickness_m / 2)
    )
    skin = Scene(vertices, model.triangles[model.part("face")])
    # Toward the camera, not just forward: so the rims stay where the photo shows them.
    toward = camera.position_m - rims
    rims = rims + toward * (_forward(skin, outside.reshape(-1, 3)) / toward[..., 2:])
    bend = np.linspace(0, 1, _SEGMENTS)[:, None]
    left, right = rims[:, _BRIDGE_AT]
    arch = _BRIDGE_RISE_M * np.sin(np.pi * bend) * np.array([0, 1, 1])
    bridge = left + (right - left) * bend + arch
    sides = [_temple(model, vertices, rim[_TEMPLE_AT], sign) for rim, sign in zip(rims, (1, -1), strict=True)]
    thin = glasses.thickness_m
    return [
        *(_Tube(rim, thin, _DEPTH_M, _AHEAD, closed=True) for rim in rims),
        _Tube(bridge, thin, _DEPTH_M, _AHEAD),
        *(_Tube(side, _TEMPLE_M, max(thin, _TEMPLE_M), _UP) for side in sides),
    ]


def _forward(skin: Scene, points: Float64[np.ndarray, "N 3"]) -> float:
    """How far a frame must move forward to clear the skin (metres)."""
    from_m = points.astype(np.float32) + np.array([0, 0, 0.1], np.float32)
    hits = skin.cast(from_m, np.tile(np.array([[0, 0, -1]], np.float32), (len(points), 1)))
    gap = np.where(hits.triangle >= 0, hits.distance - 0.1, 1.0)
    return float(np.clip(_CLEAR_M + _DEPTH_M / 2 - gap.min(), 0, _FURTHEST_M))


def _temple(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"], start: Float64[np.ndarray, "3"], sign: int
) -> Float64[np.ndarray, "S 3"]:
    """From the rim around the corner, along the head, over the ear and down behind it."""
    skin = np.unique(model.triangles[model.part("face")])
    eyes = model.joint_regressor[model.joint_names.index("leftEye")] @ model.rest
    wanted = np.array([sign * _OVER_EAR[0], eyes[1] + _OVER_EAR[1], _OVER_EAR[2]])
    ear = vertices[skin[np.argmin(np.sum((model.rest[skin] - wanted) ** 2, axis=1))]].astype(np.float64)
    ear[0] += sign * _OFF_HEAD_M
    corner = start + np.array([sign * 0.4 * abs(ear[0] - start[0]), 0, -0.003])
    along = corner + (ear - corner) * np.linspace(0, 1, _SEGMENTS)[:, None]
    side, high = vertices[skin[np.abs(model.rest[skin, 0]) < _OVER_EAR[0]]], start[1]
    for point in along[1:-1]:
        near = (np.abs(side[:, 2] - point[2]) < _BAND_M) & (np.abs(side[:, 1] - high) < _BAND_M)
        if near.any():
            point[0] = sign * max(sign * point[0], float((sign * side[near, 0]).max()) + _OFF_HEAD_M)
    tip = along[-1] + np.array([sign * _TIP[0], *_TIP[1:]])
    return np.concatenate([start[None], along, (along[-1] + tip)[None] / 2 + [[0, 0.004, -0.003]], tip[None]])


def _skin_tube(tube: _Tube) -> tuple[Float64[np.ndarray, "N 3"], Float64[np.ndarray, "N 3"], Int32[np.ndarray, "T 3"]]:
    """Vertices, normals and triangles of a tube; open ends are closed by drawing their ring together."""
    path = tube.path
    if not tube.closed:
        path = np.concatenate([path[:1], path, path[-1:]])
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not tube.closed:
        ahead[:2], ahead[-2:] = path[2] - path[1], path[-2] - path[-3]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    across = np.cross(ahead, tube.deep)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    deep = np.cross(across, ahead)
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    cosine, sine = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    size = np.ones(len(path))
    if not tube.closed:
        size[[0, -1]] = 0
    radii = size[:, None, None] / 2
    points = path[:, None] + radii * (tube.across_m * cosine * across[:, None] + tube.deep_m * sine * deep[:, None])
    normals = tube.deep_m * cosine * across[:, None] + tube.across_m * sine * deep[:, None]
    normals = np.tile(normals / np.linalg.norm(normals, axis=-1, keepdims=True), (len(path) // len(normals), 1, 1))
    if not tube.closed:
        normals[[0, -1]] = np.stack([-ahead[0], ahead[-1]])[:, None]
    rings = len(path) if tube.closed else len(path) - 1
    here = np.arange(rings)[:, None] * _SIDES + np.arange(_SIDES)
    after = (np.arange(rings)[:, None] + 1) % len(path) * _SIDES + np.arange(_SIDES)
    here_next, after_next = np.roll(here, -1, axis=1), np.roll(after, -1, axis=1)
    triangles = np.concatenate(
        [np.stack(corners, -1).reshape(-1, 3) for corners in ((here, after, after_next), (here, after_next, here_next))]
    )
    points, normals = points.reshape(-1, 3), normals.reshape(-1, 3)
    corner, second, third = (points[triangles[:, i]] for i in range(3))
    full = np.linalg.norm(np.cross(second - corner, third - corner), axis=1)
    return points, normals, triangles[full > 1e-12].astype(np.int32)


def _fan(rim: Float64[np.ndarray, "P 3"]) -> tuple[np.ndarray, np.ndarray, Int32[np.ndarray, "T 3"]]:
    """A lens: its middle bulges a little."""
    middle = rim.mean(0) + [0, 0, 0.002]
    points = np.concatenate([rim, middle[None]])
    normals = points - (middle - np.array([0, 0, 0.09]))
    index = np.arange(len(rim))
    triangles = np.stack([index, np.roll(index, -1), np.full(len(rim), len(rim))], axis=1)
    corner, second, third = points[triangles[0]]
    if np.cross(second - corner, third - corner)[2] < 0:
        triangles = triangles[:, ::-1]
    return points, normals / np.linalg.norm(normals, axis=1, keepdims=True), triangles.astype(np.int32)


def _mesh(name: str, pieces: list[tuple[np.ndarray, np.ndarray, np.ndarray]], material: Material, joint: int) -> Mesh:
    starts = np.cumsum([0, *(len(points) for points, _, _ in pieces)])
    count = int(starts[-1])
    joints, weights = np.zeros((count, 4), np.int32), np.zeros((count, 4), np.float32)
    joints[:, 0], weights[:, 0] = joint, 1
    return Mesh(
        name=name,
        positions=np.concatenate([points for points, _, _ in pieces]).astype(np.float32),
        normals=np.concatenate([normals for _, normals, _ in pieces]).astype(np.float32),
        uvs=np.zeros((count, 2), np.float32),
        triangles=np.concatenate([each[2] + start for each, start in zip(pieces, starts, strict=False)]).astype(
            np.int32
        ),
        material=material,
        morph_names=(),
        morphs=np.zeros((0, count, 3), np.float32),
        joints=joints,
        weights=weights,
    )
