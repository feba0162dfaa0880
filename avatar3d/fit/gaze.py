"""Where the eyes look: from the iris landmarks, given the head's pose.

iris centre (pixels) --> ray --> meets the eyeball's iris circle --> eyeLook weights --> what is left, by the joint
"""

from typing import Final

import numpy as np
from jaxtyping import Float32, Float64

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_rotation_vector

# MediaPipe's refined points: centre and four sides of each iris.
RIGHT_IRIS: Final = slice(468, 473)
LEFT_IRIS: Final = slice(473, 478)
# How far eyes turn, radians: comfortable limits, from which on a landmark is more likely wrong than right.
_MOST_YAW, _MOST_PITCH = 0.6, 0.45
# Half the angle between eyes that look at something half a metre away.
_MOST_TOE_IN: Final = 0.064
# Eyes never part, but seen irises lie a little farther out than the head's eyeballs suggest (median 3.4 degrees an eye
# over 40 portraits of the calibration half); this much is followed so that irises fall where they are seen.
_MOST_TOE_OUT: Final = 0.08
# A rotation for which ARKit's eyeLook weights are 1 (about 30 degrees in, out and up, 35 down).
_FULL_LOOK: Final = 0.55


def eye_angles(
    camera: Camera,
    iris_px: Float32[np.ndarray, "5 2"],
    centre: Float64[np.ndarray, "3"],
    radius_m: float,
) -> Float64[np.ndarray, "2"]:
    """(yaw to the person's left, pitch up) in radians, head frame, of an eyeball at `centre`.

    The ray through the iris' mean point is met with the sphere on which the iris circle's centre moves; a ray that
    misses takes the sphere's nearest point.
    """
    rotation = matrix_from_quaternion(camera.rotation_wxyz).astype(np.float64)
    inside = np.array([*((iris_px.mean(0) - camera.principal_px) / camera.focal_px), 1.0])
    direction = inside / np.linalg.norm(inside) @ rotation
    to_centre = centre - camera.position_m
    along = float(to_centre @ direction)
    nearest = camera.position_m + along * direction - centre
    aside = float(np.linalg.norm(nearest))
    if aside < radius_m:
        gaze = (nearest - direction * np.sqrt(radius_m**2 - aside**2)) / radius_m
    else:
        gaze = nearest / aside
    yaw, pitch = np.arctan2(gaze[0], gaze[2]), np.arcsin(np.clip(gaze[1], -1, 1))
    return np.array([np.clip(yaw, -_MOST_YAW, _MOST_YAW), np.clip(pitch, -_MOST_PITCH, _MOST_PITCH)])


def together(
    left: Float64[np.ndarray, "2"], right: Float64[np.ndarray, "2"]
) -> tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "2"]]:
    """Two eyes look at one thing: the same pitch, and yaws that differ no more than eyes and measurements do."""
    yaw, pitch = (left + right) / 2
    toe_in = np.clip((right[0] - left[0]) / 2, -_MOST_TOE_OUT, _MOST_TOE_IN)
    return np.array([yaw - toe_in, pitch]), np.array([yaw + toe_in, pitch])


def direction_of(angles: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "3"]:
    """Unit gaze of (yaw, pitch), head frame."""
    yaw, pitch = angles
    return np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def turn_between(source: Float64[np.ndarray, "3"], target: Float64[np.ndarray, "3"]) -> Float32[np.ndarray, "4"]:
    """Unit quaternion of the shortest turn from one direction to another."""
    first, second = source / np.linalg.norm(source), target / np.linalg.norm(target)
    axis = np.cross(first, second)
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, first @ second)
    return quaternion_from_rotation_vector((axis / max(float(length), 1e-12) * angle).astype(np.float32))


def look_weights(left: Float64[np.ndarray, "2"], right: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "52"]:
    """ARKit's eyeLook weights of two gaze directions: they turn the eyeballs and take the lids along."""
    weights = np.zeros(len(ARKIT_INDEX))
    for side, (yaw, pitch) in (("Left", left), ("Right", right)):
        outward = yaw if side == "Left" else -yaw
        for name, angle in (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch)):
            weights[ARKIT_INDEX[f"eyeLook{name}{side}"]] = np.clip(angle / _FULL_LOOK, 0, 1)
    return weights


def gaze_of(
    model: HeadModel, person: Float32[np.ndarray, "V 3"], camera: Camera, landmarks_px: Float32[np.ndarray, "478 2"]
) -> tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "2"]]:
    """(yaw, pitch) of the left and of the right eye."""
    centres, radii = eyeballs(model, person)
    left = eye_angles(camera, landmarks_px[LEFT_IRIS], centres[0], radii[0])
    right = eye_angles(camera, landmarks_px[RIGHT_IRIS], centres[1], radii[1])
    return together(left, right)


def remaining_turns(
    model: HeadModel,
    person: Float32[np.ndarray, "V 3"],
    looking: Float64[np.ndarray, "52"],
    gaze: tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "2"]],
) -> tuple[Float32[np.ndarray, "4"], Float32[np.ndarray, "4"]]:
    """What the eye joints must still turn after the eyeLook weights, left then right.

    Nearly nothing for a head whose eyeLook shapes turn its eyeballs; the whole gaze for one whose shapes do not.
    """
    active = np.flatnonzero(looking)
    posed = person + np.tensordot(looking[active].astype(np.float32), model.expression[active], 1)
    turns: list[Float32[np.ndarray, "4"]] = []
    for joint, iris, angles in (("leftEye", LEFT_IRIS, gaze[0]), ("rightEye", RIGHT_IRIS, gaze[1])):
        centre = model.joint_regressor[model.joint_names.index(joint)] @ person
        corners = posed[model.triangles[model.landmark_triangles[iris]]]
        ring = np.einsum("lc,lcd->ld", model.landmark_barycentric[iris], corners)[1:]
        turns.append(turn_between((ring.mean(0) - centre).astype(np.float64), direction_of(angles)))
    return turns[0], turns[1]


def eyeballs(
    model: HeadModel, vertices: Float32[np.ndarray, "V 3"]
) -> tuple[Float64[np.ndarray, "2 3"], Float64[np.ndarray, "2"]]:
    """Joint positions and radii of the iris circle's centre, left eye first, of a head with these vertices, metres."""
    centres, radii = np.zeros((2, 3)), np.zeros(2)
    for row, (joint, iris) in enumerate((("leftEye", LEFT_IRIS), ("rightEye", RIGHT_IRIS))):
        centres[row] = model.joint_regressor[model.joint_names.index(joint)] @ vertices
        corners = vertices[model.triangles[model.landmark_triangles[iris]]]
        ring = np.einsum("lc,lcd->ld", model.landmark_barycentric[iris], corners)[1:]
        radii[row] = np.linalg.norm(ring.mean(0) - centres[row])
    return centres, radii
