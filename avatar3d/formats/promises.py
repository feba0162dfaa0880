"""What every avatar of ours promises, measured on the avatar itself: shapes, lips, skeleton, skin, size, textures.

The bounds are wide: they catch a swapped, mirrored, scaled, empty or mis-rigged shape, not an unusual face.
Places are told in inter-ocular units (IOU: the distance between the two eye joints, about 62 mm) from the point
between the eyes; +y is up, +x the person's left, +z to the front.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import KDTree

from avatar3d.core.avatar import Avatar, Mesh, Skeleton
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.finding import Finding, failed, passed, warned

_JOINTS: Final = ("root", "neck", "head", "jaw", "leftEye", "rightEye")
_HEAD_JOINTS: Final = ("head", "jaw", "tongue", "leftEye", "rightEye")
_HEAD_HEIGHT_M: Final = (0.20, 0.30)
_EYE_DISTANCE_M: Final = (0.050, 0.075)
_PEAK_M: Final = (2e-4, 0.06)
"""How far a shape's most moved vertex goes: less is invisible, more tears the face."""
_SKIN_M: Final = 1.4e-3
_SKIN_OTHERWISE_M: Final = {"eyeBlink": 3.5e-3, "eyeLook": 6e-4, "jawOpen": 0.01, "mouthClose": 0.01}
"""The least that a shape's most moved vertex of the face mesh itself goes, by the first words of its name.

No other mesh may stand in for the skin. Half or less of the least measured on the heads of nine people and on the
egg of tests/synthetic.py, in mm (heads; egg): eyeBlink 8.7; 7.1, eyeLook 2.2 (In); 1.3 (Out), jawOpen 40; 25,
mouthClose 39; 25, and of all others 3.0 (eyeWide); 2.8 (mouthPress). TongueOut opens the jaw: 12; 3.4.
"""
_TONGUE: Final = "tongueOut"
"""On the skin it is jawOpen in small: where it pushes, and that it is a shape of its own, only the tongue tells."""
_SIDE_SHARE: Final = 0.75
"""Least part of a one-sided shape's motion that lies on its own side."""
_FURTHEST: Final = 0.7
"""The part of a shape's peak from which on a vertex counts as moved furthest."""
_SAME: Final = 0.999
"""Two shapes with more correlation than this are one shape under two names."""
_LIP_PAIR_M: Final = 0.004
_LIPS_CLOSED: Final = 0.35
"""What may be left of the gap that jawOpen makes, once mouthClose is added."""

# Height of the motion's centre by the first word of the name: lowest, highest, in IOU from the eyes.
_HEIGHTS: Final[dict[str, tuple[float, float]]] = {
    "brow": (-0.1, 1.5),
    "eye": (-0.6, 0.7),
    "cheek": (-1.6, 0.2),
    "nose": (-1.3, 0.4),
    "mouth": (-2.4, -0.4),
    "jaw": (-2.6, -0.4),
    "tongue": (-2.4, -0.4),
}
# Where a shape pushes on the whole, where that cannot be in doubt: axis and sign.
_PUSHES: Final[dict[str, tuple[int, int]]] = {
    "browDown": (1, -1), "browInnerUp": (1, 1), "browOuterUp": (1, 1), "cheekSquint": (1, 1), "eyeBlink": (1, -1),
    "eyeWide": (1, 1), "jawForward": (2, 1), "jawLeft": (0, 1), "jawOpen": (1, -1), "jawRight": (0, -1),
    "mouthFrown": (1, -1), "mouthFunnel": (2, 1), "mouthLeft": (0, 1), "mouthLowerDown": (1, -1),
    "mouthPucker": (2, 1), "mouthRight": (0, -1), "mouthShrugLower": (1, 1), "mouthSmile": (1, 1),
    "mouthUpperUp": (1, 1), "noseSneer": (1, 1), "tongueOut": (2, 1),
}  # fmt: skip
_WHOLE_NAMES: Final = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""Left and right here are where the mouth goes, not which half of the face moves."""


@dataclass(frozen=True, eq=False)
class _Motion:
    """Morphing meshes as one cloud: all of them, or the face alone."""

    face_alone: bool
    positions: Float64[np.ndarray, "V 3"]
    """IOU from the point between the eyes."""
    morphs: Float64[np.ndarray, "52 V 3"]
    """Metres."""

    def centre(self, shape: int) -> Float64[np.ndarray, "3"]:
        """Where the motion is, weighted by its energy."""
        energy = self.energy(shape)
        return energy @ self.positions / energy.sum()

    def energy(self, shape: int) -> Float64[np.ndarray, "V"]:
        """Squared displacement, square metres."""
        return np.sum(self.morphs[shape] ** 2, axis=1)

    def push(self, shape: int) -> Float64[np.ndarray, "3"]:
        """Mean displacement of what moves furthest: the tongue's tip, though the jaw goes back for it."""
        length = np.sqrt(self.energy(shape))
        return self.morphs[shape][length > _FURTHEST * length.max()].mean(axis=0)


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
    morphing = [mesh for mesh in avatar.meshes if mesh.morph_names == ARKIT_NAMES]
    if not morphing or avatar.meshes[0].morph_names != ARKIT_NAMES:
        yield failed("shapes", avatar.meshes[0].name, "the first mesh must be the face and carry the 52 shapes")
        return
    yield from _check_shapes(
        _motion(morphing[:1], avatar.skeleton, face_alone=True), _motion(morphing, avatar.skeleton, face_alone=False)
    )
    yield _check_lips(avatar.meshes[0], avatar.skeleton)


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


def _motion(meshes: list[Mesh], skeleton: Skeleton, *, face_alone: bool) -> _Motion:
    left, right = _joint(skeleton, "leftEye"), _joint(skeleton, "rightEye")
    positions = np.concatenate([mesh.positions for mesh in meshes]).astype(np.float64)
    return _Motion(
        face_alone=face_alone,
        positions=(positions - (left + right) / 2) / np.linalg.norm(left - right),
        morphs=np.concatenate([mesh.morphs for mesh in meshes], axis=1).astype(np.float64),
    )


def _check_shapes(face: _Motion, whole: _Motion) -> Iterator[Finding]:
    """Each shape moves something, where its name says, to where its name says; no two are the same.

    The face alone must do so, and with the teeth, lashes and all others too: neither may hide a dead or foreign other.
    """
    faults = [
        fault
        for shape in range(len(ARKIT_NAMES))
        if (fault := _shape_fault(face, shape) or _shape_fault(whole, shape)) is not None
    ]
    faults += dict.fromkeys(_twins(face) + _twins(whole))
    yield from (failed("shapes", name, reason) for name, reason in faults)
    if not faults:
        peak = np.sqrt(np.max(np.sum(face.morphs**2, axis=2), axis=1))
        least = int(np.argmin(peak))
        yield passed(
            "shapes",
            "",
            f"all 52 move what their name says, the face by {1000 * peak[least]:.1f} mm ({ARKIT_NAMES[least]}) "
            f"to {1000 * peak.max():.1f} mm ({ARKIT_NAMES[int(np.argmax(peak))]})",
        )


def _shape_fault(motion: _Motion, shape: int) -> tuple[str, str] | None:
    name = ARKIT_NAMES[shape]
    energy = motion.energy(shape)
    peak = float(np.sqrt(energy.max()))
    least, most = _PEAK_M
    if motion.face_alone:
        least = next((bound for words, bound in _SKIN_OTHERWISE_M.items() if name.startswith(words)), _SKIN_M)
    if not least <= peak <= most:
        moved = "the face mesh itself" if motion.face_alone else "all"
        return (
            name,
            f"moves {moved} by {1000 * peak:.3f} mm at most; expected {1000 * least:.1f} to {1000 * most:.0f} mm",
        )
    height = float(motion.centre(shape)[1])
    low, high = next(bounds for region, bounds in _HEIGHTS.items() if name.startswith(region))
    if not low <= height <= high:
        return name, f"moves the face {height:+.2f} eye distances from the eyes' height; expected {low} to {high}"
    bare = name if name in _WHOLE_NAMES else name.removesuffix("Left").removesuffix("Right")
    if bare != name:
        on_its_side = motion.positions[:, 0] > 0 if name.endswith("Left") else motion.positions[:, 0] < 0
        share = float(energy[on_its_side].sum() / energy.sum())
        if share < _SIDE_SHARE:
            return (
                name,
                f"only {100 * share:.0f} % of its motion is on its own side; expected {100 * _SIDE_SHARE:.0f} %",
            )
    if bare in _PUSHES and not (motion.face_alone and name == _TONGUE):
        axis, sign = _PUSHES[bare]
        if motion.push(shape)[axis] * sign <= 0:
            return name, f"pushes the wrong way along {'xyz'[axis]}"
    return None


def _twins(motion: _Motion) -> list[tuple[str, str]]:
    """Shapes that are one shape under two names."""
    flat = motion.morphs.reshape(len(ARKIT_NAMES), -1)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit = np.divide(flat, length, out=np.zeros_like(flat), where=length > 0)
    first, second = np.nonzero(np.triu(unit @ unit.T, 1) > _SAME)
    pairs = [(ARKIT_NAMES[a], ARKIT_NAMES[b]) for a, b in zip(first, second, strict=True)]
    return [(a, f"is the same motion as {b}") for a, b in pairs if not (motion.face_alone and _TONGUE in (a, b))]


def _check_lips(face: Mesh, skeleton: Skeleton) -> Finding:
    """MouthClose on top of jawOpen brings back together the lips that jawOpen parted."""
    jaw_open, mouth_close = (
        face.morphs[ARKIT_NAMES.index(name)].astype(np.float64) for name in ("jawOpen", "mouthClose")
    )
    rest = face.positions.astype(np.float64)
    upper, lower = _lip_pairs(rest, jaw_open, _joint(skeleton, "leftEye") - _joint(skeleton, "rightEye"))
    if len(upper) == 0:
        return failed("lips", face.name, "jawOpen parts no lips that touch at rest; expected it to open the mouth")
    opened = rest + jaw_open
    closed = opened + mouth_close
    gaps = [float(np.mean(np.linalg.norm(at[upper] - at[lower], axis=1))) for at in (rest, opened, closed)]
    parted, left_over = gaps[1] - gaps[0], gaps[2] - gaps[0]
    text = f"jawOpen parts {len(upper)} lip pairs by {1000 * parted:.1f} mm, with mouthClose {1000 * left_over:.1f} mm are left"
    return (passed if left_over <= _LIPS_CLOSED * parted else failed)("lips", face.name, text)


def _lip_pairs(
    rest: Float64[np.ndarray, "V 3"], jaw_open: Float64[np.ndarray, "V 3"], across: Float64[np.ndarray, "3"]
) -> tuple[Int64[np.ndarray, "P"], Int64[np.ndarray, "P"]]:
    """Vertices of the upper lip, each with its nearest of the lower lip, that touch at rest and part with the jaw.

    Upper: hardly moved by jawOpen. Lower: moved by more than half of its peak. Both in the middle of the face.
    """
    drop = -jaw_open[:, 1]
    middle = np.abs(rest @ across / np.linalg.norm(across) ** 2) < 0.25
    lower = np.flatnonzero(middle & (drop > 0.5 * drop.max()))
    upper = np.flatnonzero(middle & (drop < 0.15 * drop.max()))
    if len(lower) == 0 or len(upper) == 0:
        return upper[:0], lower[:0]
    distance, nearest = map(np.asarray, KDTree(rest[lower]).query(rest[upper]))
    close = distance < _LIP_PAIR_M
    return upper[close], lower[nearest[close]]
