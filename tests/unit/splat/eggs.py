"""An egg seen by a camera, and the same egg repainted as the photo that splats learn from."""

from dataclasses import replace

import numpy as np

from avatar3d.core.avatar import Avatar, Texture
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import quaternion_from_matrix
from avatar3d.render.first_hit import first_hits
from avatar3d.render.lights import ambient_light, studio_light
from avatar3d.render.pose import pose_stage
from avatar3d.render.preview import RenderParams, render_linear
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.look import Look
from tests.synthetic import synthetic_avatar

EXACT = RenderParams(exact=True)
PX = 96
CALM = np.zeros(52, np.float32)


def egg(*, painted: bool = False) -> Avatar:
    """The synthetic avatar, its skin called face; `painted` with stripes that the plain one lacks."""
    plain = synthetic_avatar()
    face, *others = plain.meshes
    pixels = np.full((256, 256, 3), (205, 150, 130), np.uint8)
    if painted:
        pixels[:, np.arange(256) // 11 % 2 == 0] = (150, 80, 60)
    material = replace(face.material, name="face", base_colour=Texture("albedo", pixels), normal=None,
                       occlusion_roughness_metallic=None)  # fmt: skip
    return replace(plain, meshes=(replace(face, material=material), *others))


def camera_at(yaw_deg: float) -> Camera:
    yaw = np.deg2rad(yaw_deg)
    about = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    rotation = (np.diag([1.0, -1.0, -1.0]) @ about).astype(np.float32)
    return Camera(
        PX * 3.0, np.float32([PX / 2, PX / 2]), PX, PX, quaternion_from_matrix(rotation), np.float32([0, 0, 0.9])
    )


def look_at_egg(avatar: Avatar, truth: Avatar, yaw_deg: float = 0.0) -> Look:
    """What look_at makes of a photo, without a photo's doubts: all of the truth is believed."""
    camera, light = camera_at(yaw_deg), studio_light()
    stage = stage_avatar(avatar)
    posed = pose_stage(stage, None, {}, camera.position_m, sky=None, pixel_m=1e-3)
    lit, true = (render_linear(who, camera, light=light, params=EXACT) for who in (avatar, truth))
    bare = render_linear(avatar, camera, light=ambient_light((1.0, 1.0, 1.0)), params=EXACT)
    inside = true.coverage > 0.99
    return Look(
        camera=camera,
        photo=np.clip(true.colour, 0, 1) ** np.float32(1 / 2.2),
        believed=inside.astype(np.float32),
        empty=(true.coverage == 0).astype(np.float32),
        mesh=lit.colour,
        mesh_coverage=lit.coverage,
        albedo=bare.colour / np.maximum(bare.coverage, np.float32(1 / 255))[..., None],
        hits=first_hits(stage, posed.vertices, camera),
        posed=posed,
        weights=CALM,
        light=light,
    )
