"""People whose every side is known: generated ones' own avatars, with hair that no template holds."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera, Photo
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_matrix
from avatar3d.generating import sit
from avatar3d.pipeline import CreateParams, Creation, make_avatar
from avatar3d.render.first_hit import FirstHits, first_hits
from avatar3d.render.pose import pose_stage
from avatar3d.render.preview import RenderParams, render_avatar
from avatar3d.render.stage import stage_avatar
from bench.measure import similarity

WALL: Final = (150, 158, 166)
"""sRGB, behind everybody."""
VIEW_PX: Final = 512
BENT_M: Final = 0.004
"""Root mean square of how far the truth's hair is bent."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Someone whose every side is known."""

    made: Creation
    avatar: Avatar
    photo: Photo


def true_person(seed: int) -> Truth | None:
    """None for someone without hair."""
    made = make_avatar(sit(seed)[1], CreateParams())
    if "hair" not in [mesh.name for mesh in made.avatar.meshes]:
        return None
    rng = np.random.default_rng([77, seed])
    meshes = []
    for mesh in made.avatar.meshes:
        if mesh.name == "hair":
            waves = rng.normal(0, 2 * np.pi / 0.08, (12, 3)), rng.uniform(0, 2 * np.pi, 12), rng.normal(0, 1, (12, 3))
            bend = np.sin(mesh.positions @ waves[0].T + waves[1]) @ waves[2]
            bend *= BENT_M * np.sqrt(3) / np.sqrt((bend**2).sum(axis=1).mean())
            mesh = replace(mesh, positions=(mesh.positions + bend).astype(np.float32))
        meshes.append(mesh)
    avatar = replace(made.avatar, meshes=tuple(meshes))
    params = RenderParams(background=WALL)
    picture = render_avatar(
        avatar, made.fitted.camera, weights=made.fitted.expression, light=made.skin.light, params=params
    )
    return Truth(made, avatar, Photo(f"truth{seed}", picture, made.fitted.camera.focal_px, None, ""))


def aligned(truth: Truth, made: Creation, camera: Camera) -> Camera:
    """The camera that sees the avatar where `camera` sees the truth: similarity between both heads' landmarks."""
    model = made.model
    used = model.landmark_confidence[:468] > 0
    own, true = (
        np.einsum("nij,ni->nj", head[model.triangles[model.landmark_triangles]], model.landmark_barycentric)[:468][used]
        for head in (made.fitted.posed.astype(np.float64), truth.made.fitted.posed.astype(np.float64))
    )
    motion = similarity(own, true, scale=True)
    factor = float(np.cbrt(np.linalg.det(motion[:3, :3])))
    rotation = matrix_from_quaternion(camera.rotation_wxyz)
    turned = (rotation @ (motion[:3, :3] / factor)).astype(np.float32)
    moved = (rotation @ motion[:3, 3] + camera.translation_m) / factor
    return replace(camera, rotation_wxyz=quaternion_from_matrix(turned), translation_m=moved.astype(np.float32))


def turned(camera: Camera, yaw_deg: float) -> Camera:
    """A square view of the head, the camera having walked toward the person's left by so much."""
    yaw = np.deg2rad(yaw_deg)
    about = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    pivot = np.array([0.0, 0.0, 0.0])
    rotation = matrix_from_quaternion(camera.rotation_wxyz).astype(np.float64)
    distance = float((rotation @ pivot + camera.translation_m)[2])
    place = np.array([0.0, 0.0, distance])
    return Camera(
        focal_px=VIEW_PX * distance / 0.34,
        principal_px=np.array([VIEW_PX / 2, VIEW_PX / 2], np.float32),
        width_px=VIEW_PX,
        height_px=VIEW_PX,
        rotation_wxyz=quaternion_from_matrix((rotation @ about).astype(np.float32)),
        translation_m=(place - rotation @ about @ pivot).astype(np.float32),
    )


def hits_of(avatar: Avatar, weights: np.ndarray, camera: Camera) -> tuple[FirstHits, np.ndarray]:
    """First hits, and each hit's height (metres; -1 where nothing)."""
    stage = stage_avatar(avatar)
    posed = pose_stage(stage, weights, {}, camera.position_m, sky=None, pixel_m=1e-3)
    hits = first_hits(stage, posed.vertices, camera)
    there = np.einsum("hwk,hwk->hw", posed.vertices[stage.triangles[hits.triangle]][..., 1], hits.barycentric)
    return hits, np.where(hits.triangle >= 0, there, -1)


def head_mask(truth: Truth, camera: Camera) -> np.ndarray:
    """Where the truth shows hair, or the head above the chin."""
    stage = stage_avatar(truth.avatar)
    hits, height = hits_of(truth.avatar, truth.made.fitted.expression, camera)
    names = np.array([mesh.name for mesh in truth.avatar.meshes])
    hair = (hits.triangle >= 0) & (names == "hair")[stage.triangle_mesh[hits.triangle]]
    model = truth.made.model
    chin = truth.made.fitted.posed[model.triangles[model.landmark_triangles[152]]].mean(axis=0)[1]
    return hair | (height > chin - 0.01)
