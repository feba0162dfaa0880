"""Glasses as a part: rims, bridge and temples as tubes, lenses as glass; they ride on the head.

Glasses + head --> lines of their front in space, pushed off the skin; temples along the head --> tubes --> Mesh
               `-> drawn over the photo: skin that is not seen there
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64

from avatar3d.core.avatar import Avatar, Material, Mesh, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera
from avatar3d.render.raycast import Scene
from avatar3d.wear.glasses import Glasses
from avatar3d.wear.paint import EDGE_M, draw_line
from avatar3d.wear.plane import in_picture, place_on_frame
from avatar3d.wear.tubes import AHEAD, UP, Piece, Tube, fan, fewer_rings, skin_tube

# Frames are so deep, and stay so far off the skin unless that moves them too far (metres).
_DEPTH_M: Final = 0.0026
_EDGE_DEEP_M: Final = 0.0015
_CLEAR_M: Final = 0.0015
_FURTHEST_M: Final = 0.012
# Where a temple rests over the ear on the mean head, beside the eyes' height, and the tip behind it (metres).
_OVER_EAR: Final = (0.079, 0.004, -0.008)
_TIP: Final = (-0.004, -0.028, -0.026)
_OFF_HEAD_M: Final = 0.002
_BAND_M: Final = 0.008
# The corner behind a hinge: outward and back (metres).
_CORNER: Final = (0.001, -0.003)
# How thick and how high a temple is (metres); high as its hinge, within limits.
_TEMPLE_M: Final = 0.0018
_TEMPLE_HIGH_M: Final = (0.0018, 0.0045)
_SEGMENTS: Final = 9
# What hides skin is widened where skin is judged (texture.evidence), by more than a rim's shadow and blur are wide: so
# far inside the edges of a frame it may begin (metres).
_INSIDE_M: Final = 0.0007
_LEAST_M: Final = 0.0003
# Between these probabilities the net's word alone comes to hide skin, but not behind the lenses: there it is too coarse.
_NEAR_FRAME: Final = 0.035
"""So near to the found frame what looks like glasses is, distances between both lenses' middles."""
_SURELY: Final = (0.3, 0.7)
# Clear glass adds no light of its own: a pale one would veil dark eyes.
_GLASS: Final = (0.03, 0.03, 0.035, 0.03)


def put_on(avatar: Avatar, model: HeadModel, fitted: HeadFit, glasses: Glasses | None) -> Avatar:
    """The avatar with frame and lenses as meshes of their own, which ride on the head; without glasses, as it was."""
    if glasses is None:
        return avatar
    tubes = _tubes(model, fitted.neutral, glasses, fitted.camera)
    paint = glasses.front.paint
    dull = Material("glasses", base_colour=Texture("glasses", paint), roughness=0.35)
    clear = Material("lenses", colour_factor=_GLASS, roughness=0.05, alpha_mode="BLEND", double_sided=True)
    size = np.array(paint.shape[1::-1])
    joint = model.joint_names.index("head")
    lenses = [tube for tube in tubes if tube.closed]
    drawn = [*tubes, *(_bare_edge(tube) for tube in lenses if not tube.across_m.all())]
    drawn, lenses = ([fewer_rings(tube) for tube in some] for some in (drawn, lenses))
    worn = [([skin_tube(tube) for tube in drawn], dull), ([fan(tube) for tube in lenses], clear)]
    return replace(avatar, meshes=(*avatar.meshes, *(_mesh(pieces, skin, size, joint) for pieces, skin in worn)))


def hidden_by_glasses(
    model: HeadModel,
    fitted: HeadFit,
    glasses: Glasses | None,
    seen: Float32[np.ndarray, "H W"],
) -> Float32[np.ndarray, "H W"]:
    """How surely a frame or its shadow lies over the photo; `seen` is the net's probability of glasses, as fine or coarse.

    Nobody who wears none hides anything: what the net then takes for glasses is skin.
    """
    hidden, clear = np.zeros(seen.shape, np.uint8), np.zeros(seen.shape, np.uint8)
    if glasses is None:
        return hidden.astype(np.float32)
    scale = seen.shape[1] / fitted.camera.width_px
    tubes = _tubes(model, fitted.neutral, glasses, fitted.camera)
    for tube in tubes:
        depth_m = float(fitted.camera.view(tube.path.astype(np.float32))[:, 2].mean())
        broad_m = tube.across_m if tube.deep == AHEAD else tube.deep_m
        broad_px = (
            scale
            * fitted.camera.focal_px
            / depth_m
            * np.where(broad_m > 0, np.maximum(broad_m - 2 * _INSIDE_M, _LEAST_M), 0)
        )
        line = np.float32(scale) * fitted.camera.project(tube.path.astype(np.float32)) - np.float32(0.5)
        draw_line(hidden, line.astype(np.float64), broad_px, closed=tube.closed)
        if tube.closed:
            cv2.fillPoly(clear, [np.round(line).astype(np.int32)], (255,))
    drawn, clear = (cv2.GaussianBlur(mask, (3, 3), 0).astype(np.float32) / np.float32(255) for mask in (hidden, clear))
    low, high = _SURELY
    # Further from the frame that was found the net sees brows, folds or the shadow of a lash.
    eyes = fitted.camera.project(np.stack([tube.path.mean(0) for tube in tubes if tube.closed]).astype(np.float32))
    reach = max(1, round(_NEAR_FRAME * scale * float(np.linalg.norm(eyes[0] - eyes[-1]))))
    near = cv2.dilate(hidden, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))) > 0
    return np.maximum(drawn, np.clip((seen - low) / np.float32(high - low), 0, 1) * (1 - clear) * near)


def _tubes(model: HeadModel, vertices: Float32[np.ndarray, "V 3"], glasses: Glasses, camera: Camera) -> list[Tube]:
    """Rims, bridge, temples on one head that this camera saw."""
    front = glasses.front
    widest = np.concatenate([front.rims[..., None, :] + front.rim_m[..., None, None] / 2 * [[0, 1], [0, -1]]])
    flat = [*front.rims, front.bridge, *front.hinges]
    lines = [place_on_frame(model, vertices, line) for line in flat]
    skin = Scene(vertices, model.triangles[model.part("face")])
    ahead = _forward(skin, place_on_frame(model, vertices, widest.reshape(-1, 2)))
    # Toward the camera, not just forward: so the rims stay where the photo shows them.
    toward = [camera.position_m - line for line in lines]
    left, right, bridge, *hinges = (line + to * (ahead / to[:, 2:]) for line, to in zip(lines, toward, strict=True))
    rims = [Tube(rim, rim_flat, thick, np.where(thick > 0, _DEPTH_M, 0), AHEAD, closed=True)
            for rim, rim_flat, thick in zip((left, right), front.rims, front.rim_m, strict=True)]  # fmt: skip
    colour = front.bridge[len(front.bridge) // 2]
    sides = [_temple(model, vertices, skin, hinge, colour, thick, sign)
             for hinge, thick, sign in zip(hinges, front.hinge_m, (1, -1), strict=True)]  # fmt: skip
    return [*rims, Tube(bridge, front.bridge, front.bridge_m, np.full(len(bridge), _DEPTH_M), AHEAD), *sides]


def _bare_edge(rim: Tube) -> Tube:
    """The edge of a lens where it has no rim."""
    bare = rim.across_m == 0
    return replace(rim, across_m=np.where(bare, EDGE_M, 0), deep_m=np.where(bare, _EDGE_DEEP_M, 0))


def _forward(skin: Scene, points: Float64[np.ndarray, "N 3"]) -> float:
    """How far a frame must move forward to clear the skin (metres)."""
    from_m = points.astype(np.float32) + np.array([0, 0, 0.1], np.float32)
    hits = skin.cast(from_m, np.tile(np.array([[0, 0, -1]], np.float32), (len(points), 1)))
    gap = np.where(hits.triangle >= 0, hits.distance - 0.1, 1.0)
    return float(np.clip(_CLEAR_M + _DEPTH_M / 2 - gap.min(), 0, _FURTHEST_M))


def _temple(
    model: HeadModel,
    vertices: Float32[np.ndarray, "V 3"],
    scene: Scene,
    hinge: Float64[np.ndarray, "B 3"],
    colour: Float64[np.ndarray, "2"],
    hinge_m: Float64[np.ndarray, "B"],
    sign: int,
) -> Tube:
    """From the rim around the corner, along the head, over the ear and down behind it; of the colour at one place."""
    skin = np.unique(model.triangles[model.part("face")])
    eyes = model.joint_regressor[model.joint_names.index("leftEye")] @ model.rest
    wanted = np.array([sign * _OVER_EAR[0], eyes[1] + _OVER_EAR[1], _OVER_EAR[2]])
    ear = vertices[skin[np.argmin(np.sum((model.rest[skin] - wanted) ** 2, axis=1))]].astype(np.float64)
    ear[0] += sign * _OFF_HEAD_M
    start = hinge[-1]
    corner = start + np.array([sign * _CORNER[0], 0, _CORNER[1]])
    along = corner + (ear - corner) * np.linspace(0, 1, _SEGMENTS)[:, None]
    side, high = vertices[skin[np.abs(model.rest[skin, 0]) < _OVER_EAR[0]]], start[1]
    for point in along[1:-1]:
        near = (np.abs(side[:, 2] - point[2]) < _BAND_M) & (np.abs(side[:, 1] - high) < _BAND_M)
        if near.any():
            point[0] = sign * max(sign * point[0], float((sign * side[near, 0]).max()) + _OFF_HEAD_M)
    tip = along[-1] + np.array([sign * _TIP[0], *_TIP[1:]])
    side_on = np.array([[sign * 0.2, tip[1], tip[2]]], np.float32)
    hit = scene.cast(side_on, np.array([[-sign, 0, 0]], np.float32))
    if hit.triangle[0] >= 0:
        tip[0] = sign * (0.2 - float(hit.distance[0]) + _OFF_HEAD_M)
    path = np.concatenate([hinge, along, (along[-1] + tip)[None] / 2 + [[0, 0.004, -0.003]], tip[None]])
    high_m = np.full(len(path), np.clip(hinge_m[-1], *_TEMPLE_HIGH_M))
    high_m[: len(hinge)] = hinge_m
    return Tube(path, np.tile(colour, (len(path), 1)), np.full(len(path), _TEMPLE_M), high_m, UP)


def _mesh(pieces: list[Piece], material: Material, size: Int64[np.ndarray, "2"], joint: int) -> Mesh:
    """One mesh on one joint, named as its material; its colours are in a picture of the frame's plane of this size."""
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    count = int(starts[-1])
    joints, weights = np.zeros((count, 4), np.int32), np.zeros((count, 4), np.float32)
    joints[:, 0], weights[:, 0] = joint, 1
    uvs = (in_picture(np.concatenate([piece.flat for piece in pieces])) + 0.5) / size
    triangles = np.concatenate([piece.triangles + start for piece, start in zip(pieces, starts, strict=False)])
    points, normals = (np.concatenate(part) for part in zip(*((p.points, p.normals) for p in pieces), strict=True))
    first, second, third = (points[triangles[:, corner]] for corner in range(3))
    # Where a sharp bend folds a tube back on itself it would show its wrong side.
    outward = np.sum(np.cross(second - first, third - first) * normals[triangles].sum(1), axis=1) > 0
    return Mesh(
        name=material.name,
        positions=points.astype(np.float32),
        normals=normals.astype(np.float32),
        uvs=np.clip(uvs, 0, 1).astype(np.float32),
        triangles=triangles[outward].astype(np.int32),
        material=material,
        morph_names=(),
        morphs=np.zeros((0, count, 3), np.float32),
        joints=joints,
        weights=weights,
    )
