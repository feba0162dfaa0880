"""Where the eyes look: from the iris landmarks, given the head's pose.

iris centre (pixels) --> ray --> nearest to the eyeball's iris circle --> rotation of the eye joint
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
    """Two eyes look at one thing: the same pitch, and yaws that meet at infinity or nearer, not behind the head."""
    yaw, pitch = (left + right) / 2
    toe_in = np.clip((right[0] - left[0]) / 2, 0, _MOST_TOE_IN)
    return np.array([yaw - toe_in, pitch]), np.array([yaw + toe_in, pitch])


def eye_rotation(angles: Float64[np.ndarray, "2"]) -> Float32[np.ndarray, "4"]:
    """Unit quaternion that turns +Z to the gaze (yaw about +Y after pitch about +X)."""
    yaw, pitch = angles
    gaze = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    axis = np.cross([0.0, 0.0, 1.0], gaze)
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, gaze[2])
    return quaternion_from_rotation_vector((axis / max(length, 1e-12) * angle).astype(np.float32))


def look_weights(left: Float64[np.ndarray, "2"], right: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "52"]:
    """ARKit's eyeLook weights of two gaze directions: what lids do when eyes turn."""
    weights = np.zeros(len(ARKIT_INDEX))
    for side, (yaw, pitch) in (("Left", left), ("Right", right)):
        outward = yaw if side == "Left" else -yaw
        for name, angle in (("Out", outward), ("In", -outward), ("Up", pitch), ("Down", -pitch)):
            weights[ARKIT_INDEX[f"eyeLook{name}{side}"]] = np.clip(angle / _FULL_LOOK, 0, 1)
    return weights


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
