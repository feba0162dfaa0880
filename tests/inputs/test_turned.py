"""Rows I46 and I47, and the nearness of the camera: our own render of Collins's avatar, turned by known angles."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.errors import FaceUnusableError
from avatar3d.core.photo import Camera, FaceObservation, Photo
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.photo.observe import observe_face
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render.preview import RenderParams, render_avatar


@pytest.fixture(scope="module")
def avatar(astronaut: Path) -> Avatar:
    return make_avatar(astronaut, CreateParams()).avatar


def picture(avatar: Avatar, *, yaw_deg: float = 0.0, distance_m: float = 1.0, iod_px: float = 70.0) -> Photo:
    """The head turned to its left by `yaw_deg`, its face `distance_m` before the camera."""
    half = np.radians(yaw_deg) / 2
    # Half a turn about x (glTF axes to the camera's), after the yaw about y.
    rotation = np.array([0.0, np.cos(half), 0.0, np.sin(half)], np.float32)
    matrix = matrix_from_quaternion(rotation)
    face = next(mesh for mesh in avatar.meshes if mesh.name == "face").positions
    middle = 0.5 * (face.min(0) + face.max(0))
    at = np.array([0.0, 0.0, distance_m + float(face[:, 2].max()) - float(middle[2])], np.float32)
    focal = iod_px / 0.063 * (distance_m + 0.03)
    centre = np.array([240.0, 300.0], np.float32)
    camera = Camera(focal, centre, 480, 600, rotation, (at - matrix @ middle).astype(np.float32))
    pixels = render_avatar(avatar, camera, params=RenderParams(samples=1, occlusion_rays=0))
    return Photo("turned", pixels, None, None, "")


@pytest.mark.parametrize("yaw_deg", [-90.0, -70.0, 65.0, 90.0])
def test_a_head_turned_too_far_is_refused_with_its_side_and_angle(avatar: Avatar, yaw_deg: float) -> None:
    with pytest.raises(FaceUnusableError) as refused:
        observe_face(picture(avatar, yaw_deg=yaw_deg))
    assert refused.value.id == "FACE_POSE"
    told = re.search(r"turned (?:about )?(\d+) degrees to its (left|right); the limit is 50", refused.value.message)
    assert told is not None
    assert told[2] == ("left" if yaw_deg > 0 else "right")
    assert abs(int(told[1]) - abs(yaw_deg)) < 22  # rough in profile, where half the face is guessed


@pytest.mark.parametrize("yaw_deg", [-40.0, 45.0])
def test_a_head_turned_by_half_is_used_with_a_warning(avatar: Avatar, yaw_deg: float) -> None:
    face = observe_face(picture(avatar, yaw_deg=yaw_deg))
    (said,) = (warning for warning in face.warnings if "turned" in warning)
    told = re.search(r"turned (\d+) degrees to its (left|right)", said)
    assert told is not None
    assert told[2] == ("left" if yaw_deg > 0 else "right")
    assert abs(int(told[1]) - abs(yaw_deg)) < 6


def test_only_a_near_camera_is_warned_of(avatar: Avatar) -> None:
    def nearness(face: FaceObservation) -> bool:
        return any("nearer than 0.35 m" in warning for warning in face.warnings)

    # This head reads flatter than most (decision 0007: 0.068 to 0.094 at 0.2 m), so it is told only from nearer.
    assert nearness(observe_face(picture(avatar, distance_m=0.14, iod_px=90)))
    assert not nearness(observe_face(picture(avatar, distance_m=0.8, iod_px=90)))


def test_a_head_lying_on_its_side_is_used(avatar: Avatar) -> None:
    upright = picture(avatar)
    lying = Photo("lying", cv2.rotate(upright.pixels, cv2.ROTATE_90_CLOCKWISE), None, None, "")
    found, expected = observe_face(lying), observe_face(upright)
    assert found.photo.pixels.shape == upright.pixels.shape
    assert (found.photo.pixels == upright.pixels).all()
    assert any("turned by 90 degrees" in warning for warning in found.warnings)
    assert np.linalg.norm(found.landmarks_px - expected.landmarks_px, axis=1).mean() < 0.01 * 70
