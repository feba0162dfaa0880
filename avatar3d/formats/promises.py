"""What every avatar of ours promises, measured on the avatar itself: shapes, lips, lids, skeleton, skin, size, textures.

The bounds are wide: they catch a swapped, mirrored, scaled, empty or mis-rigged shape, not an unusual face.
Places are told in inter-ocular units (IOU: the distance between the two eye joints, about 62 mm) from the point
between the eyes; +y is up, +x the person's left, +z to the front.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.avatar import Avatar, Mesh, Skeleton
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.contacts import check_lids, check_lips
from avatar3d.formats.finding import Finding, failed, passed, warned
from avatar3d.formats.motion import measure_motion
from avatar3d.formats.shapes import check_shapes

_JOINTS: Final = ("root", "neck", "head", "jaw", "leftEye", "rightEye")
_HEAD_JOINTS: Final = ("head", "jaw", "tongue", "leftEye", "rightEye")
_HEAD_HEIGHT_M: Final = (0.20, 0.30)
_EYE_DISTANCE_M: Final = (0.050, 0.075)


def check_promises(avatar: Avatar) -> Iterator[Finding]:
    """Every promise about an avatar, kept or broken."""
    missing = [name for name in _JOINTS if name not in avatar.skeleton.names]
    if missing:
        yield failed("skeleton", "skin", f"joints missing: {', '.join(missing)}")
        return
    yield from _check_skeleton(avatar.skeleton)
    yield from _check_skin(avatar)
    yield from _check_head_size(avatar)
    yield from _check_textures(avatar.meshes[0])
    morphing = [_with_the_52(mesh) for mesh in avatar.meshes if mesh.morph_names[:52] == ARKIT_NAMES]
    if not morphing or avatar.meshes[0].morph_names != ARKIT_NAMES:
        yield failed("shapes", avatar.meshes[0].name, "the first mesh must be the face and carry the 52 shapes")
        return
    yield from check_shapes(
        measure_motion(morphing[:1], avatar.skeleton, face_alone=True),
        measure_motion(morphing, avatar.skeleton, face_alone=False),
    )
    yield check_lips(avatar.meshes[0], _joint(avatar.skeleton, "leftEye") - _joint(avatar.skeleton, "rightEye"))
    yield from check_lids(avatar.meshes[0], avatar.skeleton)


def _with_the_52(mesh: Mesh) -> Mesh:
    """Without the shapes of speech that a tongue has after them."""
    return replace(mesh, morph_names=ARKIT_NAMES, morphs=mesh.morphs[: len(ARKIT_NAMES)])


def _joint(skeleton: Skeleton, name: str) -> Float64[np.ndarray, "3"]:
    return skeleton.positions[skeleton.names.index(name)].astype(np.float64)


def _check_skeleton(skeleton: Skeleton) -> Iterator[Finding]:
    """Units and axes, told by the eyes: they must be a human distance apart, left at +x, in front of the neck."""
    left, right, neck = (_joint(skeleton, name) for name in ("leftEye", "rightEye", "neck"))
    distance = float(np.linalg.norm(left - right))
    faults: list[str] = []
    if not _EYE_DISTANCE_M[0] <= distance <= _EYE_DISTANCE_M[1]:
        faults.append(f"the eyes are {distance:.4f} m apart, expected {_EYE_DISTANCE_M}: the unit must be the metre")
    if left[0] <= right[0]:
        faults.append("the left eye is not at +x of the right one: the axes are mirrored or turned")
    if left[1] <= neck[1] or left[2] <= neck[2]:
        faults.append("the eyes are not above and in front of the neck: expected +y up and the face to +z")
    yield from (failed("skeleton", "leftEye", fault) for fault in faults)
    if not faults:
        yield passed(
            "skeleton", "", f"one root joint, {len(skeleton.names)} joints, eyes {1000 * distance:.1f} mm apart"
        )


def _check_skin(avatar: Avatar) -> Iterator[Finding]:
    moved = np.zeros(len(avatar.skeleton.names))
    worst = 0.0
    for mesh in avatar.meshes:
        np.add.at(moved, mesh.joints.ravel(), mesh.weights.ravel())
        worst = max(worst, float(np.abs(mesh.weights.astype(np.float64).sum(axis=1) - 1).max()))
    idle = [name for name in ("head", "jaw", "leftEye", "rightEye") if moved[avatar.skeleton.names.index(name)] == 0]
    if worst > 1e-4:
        yield failed("skin", "", f"skin weights sum to 1 only within {worst:.4f}")
    if idle:
        yield failed("skin", "", f"joints that move nothing: {', '.join(idle)}")
    if worst <= 1e-4 and not idle:
        yield passed("skin", "", f"at most 4 influences, weights sum to 1 within {worst:.0e}")


def _check_head_size(avatar: Avatar) -> Iterator[Finding]:
    """Chin to crown: the part of the face mesh that hangs on the head and what is below it."""
    face, names = avatar.meshes[0], avatar.skeleton.names
    first = np.argmax(face.weights, axis=1)
    main_joint = face.joints[np.arange(len(face.joints)), first]
    of_head = np.isin(main_joint, [names.index(name) for name in _HEAD_JOINTS if name in names])
    if not of_head.any():
        yield failed("head size", face.name, "no vertex hangs on the head joint")
        return
    height = float(np.ptp(face.positions[of_head, 1]))
    low, high = _HEAD_HEIGHT_M
    report = passed if low <= height <= high else failed
    yield report("head size", face.name, f"the head is {height:.3f} m tall; human heads are {low:.2f} to {high:.2f} m")


def _check_textures(face: Mesh) -> Iterator[Finding]:
    skin = face.material
    if skin.base_colour is None:
        yield failed("textures", face.name, "the face has no base colour texture")
        return
    height, width = skin.base_colour.pixels.shape[:2]
    if float(skin.base_colour.pixels.std()) < 1:
        yield failed("textures", face.name, "the face's base colour texture is one flat colour")
    if skin.normal is not None:
        vectors = skin.normal.pixels[..., :3].astype(np.float32) / 127.5 - 1
        length = np.linalg.norm(vectors, axis=-1)
        if float(np.mean((vectors[..., 2] > 0) & (abs(length - 1) < 0.2))) < 0.99:
            yield failed("textures", face.name, "the normal map holds vectors that are not unit or point inward")
    if face.uvs.min() < 0 or face.uvs.max() > 1:
        yield warned("textures", face.name, "UVs leave the unit square")
    yield passed("textures", face.name, f"base colour of {width} x {height} pixels")
