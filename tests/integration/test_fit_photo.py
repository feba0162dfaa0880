"""From a real photograph to a fitted head."""

import numpy as np
import pytest
from skimage import data

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Photo
from avatar3d.fit.fit import fit_head
from avatar3d.head.load import load_head_model
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face


def _collins(*, mirrored: bool = False) -> HeadFit:
    pixels = data.astronaut()
    pixels = np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels
    photo = Photo(name="collins", pixels=pixels, alpha=None, focal_px=None, sha256="")
    face = observe_face(photo)
    return fit_head(load_head_model(), face, segments=segment_face(face))


@pytest.fixture(scope="module")
def collins() -> HeadFit:
    return _collins()


def test_the_landmarks_of_a_real_face_are_met_within_two_percent(collins: HeadFit) -> None:
    assert collins.residual_iod < 0.02


def test_a_smiling_person_smiles(collins: HeadFit) -> None:
    for side in ("Left", "Right"):
        assert collins.expression[ARKIT_INDEX[f"mouthSmile{side}"]] > 0.4


def test_she_looks_about_straight_into_the_camera(collins: HeadFit) -> None:
    model = load_head_model()
    for joint, pupil in (("leftEye", 473), ("rightEye", 468)):
        centre = model.joint_regressor[model.joint_names.index(joint)] @ collins.neutral
        corners = collins.posed[model.triangles[model.landmark_triangles[pupil]]]
        gaze = model.landmark_barycentric[pupil] @ corners - centre
        toward = collins.camera.position_m - centre
        assert gaze @ toward > np.cos(np.radians(15)) * np.linalg.norm(gaze) * np.linalg.norm(toward)


def test_the_camera_stands_where_cameras_stand(collins: HeadFit) -> None:
    assert 0.3 < np.linalg.norm(collins.camera.position_m) < 6


def test_the_mirrored_photo_gives_nearly_the_mirrored_head(collins: HeadFit) -> None:
    model = load_head_model()
    other = _collins(mirrored=True)
    skin = np.unique(model.triangles[model.landmark_triangles[:468]])
    back = (other.neutral[model.mirror] * np.array([-1, 1, 1], np.float32))[skin]
    assert np.linalg.norm(back - collins.neutral[skin], axis=1).mean() < 0.001
