"""ICT-FaceKit (light) as a HeadModel: the scans' own statistics, for development, builders and benchmarks.

    ict_facekit.npz (cm) --> metres, twelve materials --> parts, 57 shapes --> 52 ARKit names, triangles, joints

The file is read where it lies and never shipped; the head the product loads is `avatar3d` (head/load.py).
ICT has no tongueOut, which comes from our own head, and its eyeLook shapes turn the eyeballs, which here is the eye joints' work.
"""

import os
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.errors import ModelMissingError, ModelUntrustedError
from avatar3d.core.head import HeadModel
from avatar3d.head.added import added_names, arrays_of
from avatar3d.head.own import load_own
from avatar3d.head.source import check_array

PARTS: Final = ("face", "eyeLeft", "eyeRight", "teethUpper", "teethLower", "tongue", "mouth", "lashes", "brows")
JOINTS: Final = ("root", "neck", "head", "jaw", "leftEye", "rightEye", "tongue")
LICENCE: Final = "ICT-FaceKit light, MIT, (c) USC Institute for Creative Technologies"
_NO_HAIR: Final = 0.9
"""Below this our picture of lashes is clear: ICT's cards, which are whole sheets, would be black bars in it."""
_HAND_OVER_M: Final = 0.03
"""Half the height over which the neck hands over to the head, and the root to the neck; as in our own head."""
_TEXTS: Final = ("expression_names", "materials")
_KEYS: Final = ("mean", "identity", "expression", *_TEXTS, "faces", "face_uvs", "uvs", "face_material")

# Vertex ranges of ICT-FaceKit's own README that share a material with something else.
_MOUTH_SOCKET: Final = (11248, 13294)
# ICT's face and back-of-head atlases are two squares side by side; here they share one, the face taking this width.
_FACE_WIDTH: Final = 0.7
# Where joints lie in the mean head, metres, by eye: (across, up, forward).
_JOINT_POINTS: Final = {
    "root": (0.0, -0.19, 0.0),
    "neck": (0.0, -0.11, -0.005),
    "head": (0.0, -0.02, 0.005),
    "jaw": (0.065, -0.005, 0.02),
    "tongue": (0.0, -0.035, 0.05),
}


def ict_path() -> Path:
    """Where the file is expected: $AVATAR3D_SHARED/data/head, else beside the project's folder."""
    shared = os.environ.get("AVATAR3D_SHARED") or Path(__file__).parents[2] / "../shared"
    return Path(shared) / "data/head/ict_facekit.npz"


def load_ict(path: Path | None = None) -> HeadModel:
    """ICT-FaceKit with 100 identity modes and the 52 ARKit shapes, metres: from `path`, else as the user added it, else
    where the project expects it.

    Raises ModelMissingError (20) when it is in none of these places, ModelUntrustedError (21).
    """
    if path is None and "ict" in added_names():
        return load_ict_added("ict")
    return ict_from(ict_arrays(path or ict_path()))


def load_ict_added(name: str) -> HeadModel:
    """An added ICT-FaceKit. Raises ModelMissingError (20), ModelUntrustedError (21)."""
    raw = arrays_of(name)
    texts = {key: np.array(raw[key].tobytes().decode().split("\n")) for key in _TEXTS}
    return replace(ict_from(raw | texts), name=name)


def ict_arrays(source: Path) -> dict[str, np.ndarray]:
    """The file's arrays. Raises ModelMissingError (20), ModelUntrustedError (21) for another file."""
    if not source.is_file():
        raise ModelMissingError(
            f"expected ICT-FaceKit at {source}, found nothing.",
            hint="avatar3d models add ict FILE --accept-licence, or set AVATAR3D_SHARED to the folder of data/head/ict_facekit.npz.",
            file=source,
        )
    try:
        with np.load(source, allow_pickle=False) as archive:
            raw = {key: archive[key] for key in _KEYS}
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
        TypeError,
        AttributeError,
    ) as error:
        raise ModelUntrustedError(
            f"expected ICT-FaceKit as an .npz with {', '.join(_KEYS)}; {str(error)[:80]}.",
            hint="Convert it again.",
            file=source,
        ) from error
    count = len(check_array(raw["mean"], "mean", (None, 3)))
    check_array(raw["identity"], "identity", (None, count, 3))
    check_array(raw["expression"], "expression", (len(raw["expression_names"]), count, 3))
    faces = check_array(raw["faces"], "faces", (None, 4), "iu")
    check_array(raw["face_uvs"], "face_uvs", faces.shape, "iu")
    check_array(raw["face_material"], "face_material", (len(faces),), "iu")
    check_array(raw["uvs"], "uvs", (None, 2))
    corners = (int(faces.max()) < count and int(faces.min()) >= -1) and int(raw["face_uvs"].max()) < len(raw["uvs"])
    if not corners or int(raw["face_material"].max()) >= len(raw["materials"]):
        raise ModelUntrustedError("faces name vertices that do not exist.", hint="Convert it again.", file=source)
    return raw


def ict_from(raw: dict[str, Any]) -> HeadModel:
    """The head of these arrays, metres."""
    rest = (raw["mean"] * 0.01).astype(np.float32)
    polygon_parts = _polygon_parts(raw, rest)
    kept = np.flatnonzero(polygon_parts >= 0)
    polygons = raw["faces"][kept]
    corner_uvs = raw["face_uvs"][kept]
    triangles, triangle_uvs, owner = _split(polygons, corner_uvs)
    triangle_parts = polygon_parts[kept][owner].astype(np.int32)
    uvs, triangle_uvs = _uvs(raw, rest, triangles, triangle_uvs, triangle_parts)
    of_part = [_members(triangles[triangle_parts == part], len(rest)) for part in range(len(PARTS))]
    landmark_triangles, barycentric, confidence = _landmarks(len(triangles))
    expression, regressor = _expressions(raw, of_part[1] | of_part[2]), _joint_regressor(rest, of_part)
    _put_tongue_out(expression, rest, of_part[PARTS.index("tongue")])
    skin_joints, skin_weights = _skin(rest, expression[ARKIT_NAMES.index("jawOpen")], regressor, of_part)
    return HeadModel(
        name="ict",
        licence=LICENCE,
        rest=rest,
        identity=raw["identity"].astype(np.float32) * np.float32(0.01),
        expression=expression,
        tongue=np.zeros((0, len(rest), 3), np.float32),
        polygons=polygons.astype(np.int32),
        triangles=triangles,
        triangle_uvs=triangle_uvs,
        uvs=uvs,
        part_names=PARTS,
        triangle_parts=triangle_parts,
        mirror=_mirror(rest, of_part),
        joint_names=JOINTS,
        joint_parents=np.array([-1, 0, 1, 2, 2, 2, 3], np.int32),
        joint_regressor=regressor,
        skin_joints=skin_joints,
        skin_weights=skin_weights,
        landmark_triangles=landmark_triangles,
        landmark_barycentric=barycentric,
        landmark_confidence=confidence,
    )


def _polygon_parts(raw: dict[str, Any], rest: Float32[np.ndarray, "V 3"]) -> Int32[np.ndarray, "P"]:
    """Index into PARTS per polygon; -1 for the transparent shells over the eyes, which are left out."""
    material = np.array([str(name) for name in raw["materials"]])[raw["face_material"]]
    faces = raw["faces"]
    first = faces[:, 0]
    parts = np.full(len(faces), -1, np.int32)
    parts[np.isin(material, ["M_Face", "M_BackHead"])] = PARTS.index("face")
    parts[(material == "M_BackHead") & (first >= _MOUTH_SOCKET[0]) & (first < _MOUTH_SOCKET[1])] = PARTS.index("mouth")
    parts[material == "M_ScleraLeft"] = PARTS.index("eyeLeft")
    parts[material == "M_ScleraRight"] = PARTS.index("eyeRight")
    parts[material == "M_EyeLashes"] = PARTS.index("lashes")
    jaw_drop = raw["expression"][[str(n) for n in raw["expression_names"]].index("jawOpen"), :, 1].astype(np.float32)
    moves = jaw_drop < -0.5  # cm; upper teeth and gums do not move with the jaw, lower ones and the tongue do
    parts[material == "M_Teeth"] = PARTS.index("teethUpper")
    parts[(material == "M_Teeth") & moves[first]] = PARTS.index("teethLower")
    # Gums, tongue and mouth floor are one sheet: what moves and keeps away from the lower teeth is called tongue.
    lower_teeth = rest[np.unique(faces[parts == PARTS.index("teethLower")][:, :3])]
    gums = np.flatnonzero(material == "M_GumsTongue")
    away = np.asarray(KDTree(lower_teeth).query(rest[first[gums]])[0]) > 0.005
    lower = moves[first[gums]]
    parts[gums] = np.where(lower & away, PARTS.index("tongue"), PARTS.index("teethUpper"))
    parts[gums[lower & ~away]] = PARTS.index("teethLower")
    return parts


def _split(
    polygons: Int32[np.ndarray, "P 4"], corner_uvs: Int32[np.ndarray, "P 4"]
) -> tuple[Int32[np.ndarray, "F 3"], Int32[np.ndarray, "F 3"], Int32[np.ndarray, "F"]]:
    """Triangles (the first halves of all polygons, then the second halves of the quads), their UVs, their polygon."""
    quads = np.flatnonzero(polygons[:, 3] >= 0)
    triangles = np.concatenate([polygons[:, :3], polygons[quads][:, [0, 2, 3]]]).astype(np.int32)
    uvs = np.concatenate([corner_uvs[:, :3], corner_uvs[quads][:, [0, 2, 3]]]).astype(np.int32)
    return triangles, uvs, np.concatenate([np.arange(len(polygons)), quads]).astype(np.int32)


def _members(triangles: Int32[np.ndarray, "F 3"], count: int) -> Bool[np.ndarray, "V"]:
    inside = np.zeros(count, bool)
    inside[triangles] = True
    return inside


def _uvs(
    raw: dict[str, Any],
    rest: Float32[np.ndarray, "V 3"],
    triangles: Int32[np.ndarray, "F 3"],
    triangle_uvs: Int32[np.ndarray, "F 3"],
    triangle_parts: Int32[np.ndarray, "F"],
) -> tuple[Float32[np.ndarray, "T 2"], Int32[np.ndarray, "F 3"]]:
    """One [0, 1] square per part, origin upper left; the eyes get an azimuthal map centred on the gaze axis."""
    uvs = raw["uvs"].astype(np.float64).copy()
    tile = np.floor(uvs[:, 0])
    uvs[:, 0] -= tile
    uvs[:, 1] = 1 - uvs[:, 1]
    skin = np.unique(triangle_uvs[triangle_parts == PARTS.index("face")])
    back = tile[skin] == 1
    uvs[skin, 0] = np.where(back, _FACE_WIDTH + (1 - _FACE_WIDTH) * uvs[skin, 0], _FACE_WIDTH * uvs[skin, 0])
    lashes = np.unique(triangle_uvs[triangle_parts == PARTS.index("lashes")])
    uvs[lashes, 1] = _NO_HAIR + (1 - _NO_HAIR) * uvs[lashes, 1]
    eyes: list[np.ndarray] = []
    for name, side in (("eyeLeft", 1.0), ("eyeRight", -1.0)):
        chosen = triangle_parts == PARTS.index(name)
        members, corners = np.unique(triangles[chosen], return_inverse=True)
        ball = rest[members].astype(np.float64)
        direction = ball - (ball.min(0) + ball.max(0)) / 2
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        angle = np.arccos(np.clip(direction[:, 2], -1, 1)) / np.pi  # 0 at the pupil, 1 at the back
        around = direction[:, :2] / np.maximum(np.linalg.norm(direction[:, :2], axis=1, keepdims=True), 1e-9)
        eyes.append(0.5 + 0.5 * angle[:, None] * around * [side, -1.0])
        triangle_uvs[chosen] = corners.reshape(-1, 3) + len(uvs) + sum(map(len, eyes[:-1]))
    chosen = triangle_parts == PARTS.index("mouth")
    members, corners = np.unique(triangles[chosen], return_inverse=True)
    triangle_uvs[chosen] = corners.reshape(-1, 3) + len(uvs) + sum(map(len, eyes))
    eyes.append(_deep(rest[members].astype(np.float64)))
    return np.concatenate([uvs, *eyes]).astype(np.float32), triangle_uvs


def _deep(lining: Float64[np.ndarray, "M 3"]) -> Float64[np.ndarray, "M 2"]:
    """The mouth's lining as our picture of it has it: the lips' rim outside, the throat, which is dark, in the middle."""
    across = lining[:, :2] - lining[:, :2].mean(0)
    around = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    ahead = (lining[:, 2] - lining[:, 2].min()) / max(float(np.ptp(lining[:, 2])), 1e-9)
    return 0.5 + 0.45 * ahead[:, None] * around * [1.0, -1.0]


def _expressions(raw: dict[str, Any], eyeballs: Bool[np.ndarray, "V"]) -> Float32[np.ndarray, "52 V 3"]:
    """The ARKit shapes, metres: ICT's left and right halves of browInnerUp and cheekPuff added, eyeballs at rest."""
    names = [str(name) for name in raw["expression_names"]]
    shapes = np.zeros((len(ARKIT_NAMES), *raw["mean"].shape), np.float32)
    for index, name in enumerate(ARKIT_NAMES):
        sided = not name.startswith(("jaw", "mouthLeft", "mouthRight"))
        ict = name.replace("Left", "_L").replace("Right", "_R") if sided else name
        sources = [ict] if ict in names else [f"{ict}_L", f"{ict}_R"]
        for source in sources:
            if source in names:
                shapes[index] += raw["expression"][names.index(source)].astype(np.float32) * np.float32(0.01)
        if name.startswith("eyeLook"):
            shapes[index, eyeballs] = 0
    return shapes


def _mirror(rest: Float32[np.ndarray, "V 3"], of_part: list[Bool[np.ndarray, "V"]]) -> Int32[np.ndarray, "V"]:
    """The nearest vertex to each mirrored one, mutual pairs only, eyes exchanged; the unpaired map to themselves."""
    mirror = np.arange(len(rest), dtype=np.int32)
    flipped = rest * np.array([-1, 1, 1], np.float32)
    pairs = [(of_part[0], of_part[0]), (of_part[1], of_part[2]), (of_part[2], of_part[1])]
    pairs += [(part, part) for part in of_part[3:] if part.any()]
    for here, there in pairs:
        left, right = np.flatnonzero(here), np.flatnonzero(there)
        forth = right[np.asarray(KDTree(rest[right]).query(flipped[left])[1])]
        back = left[np.asarray(KDTree(rest[left]).query(flipped[right])[1])]
        mutual = back[np.searchsorted(right, forth)] == left
        mirror[left[mutual]] = forth[mutual]
    return mirror


def _joint_regressor(
    rest: Float32[np.ndarray, "V 3"], of_part: list[Bool[np.ndarray, "V"]]
) -> Float32[np.ndarray, "J V"]:
    """Means of skin vertices on both sides level with each joint; the eyes are the middle of their balls."""
    regressor = np.zeros((len(JOINTS), len(rest)), np.float32)
    for row, name in enumerate(JOINTS):
        if name in ("leftEye", "rightEye"):
            members = np.flatnonzero(of_part[1 if name == "leftEye" else 2])
        else:
            skin = np.flatnonzero(of_part[0])
            across, up, forward = _JOINT_POINTS[name]
            x, y, z = rest[skin].T
            cost = np.abs(y - up) + 0.3 * np.abs(z - forward) + 0.2 * np.abs(np.abs(x) - across)
            half = [skin[side][np.argsort(cost[side])[:12]] for side in (rest[skin, 0] > 0, rest[skin, 0] < 0)]
            members = np.concatenate(half)
        regressor[row, members] = 1 / len(members)
    return regressor


def _put_tongue_out(
    expression: Float32[np.ndarray, "52 V 3"], rest: Float32[np.ndarray, "V 3"], tongue: Bool[np.ndarray, "V"]
) -> None:
    """Writes tongueOut: the jaw opens as in our own head's, and the tongue goes as ours does at the like place of its length."""
    own = load_own()
    names = own.part_names
    theirs = np.unique(own.triangles[own.triangle_parts == names.index("tongue")])
    jaw, out = ARKIT_NAMES.index("jawOpen"), ARKIT_NAMES.index("tongueOut")
    opened = float(np.sum(own.expression[out] * own.expression[jaw], where=_skin_rows(own))
                   / np.sum(own.expression[jaw] ** 2, where=_skin_rows(own)))  # fmt: skip
    expression[out] = opened * expression[jaw]
    here, there = rest[tongue], own.rest[theirs]
    low, size = here.min(0), np.ptp(here, axis=0)
    alike = there.min(0) + (here - low) / size * np.ptp(there, axis=0)
    distance, near = (np.asarray(each) for each in KDTree(there).query(alike, k=4))
    share = 1 / np.maximum(distance, 1e-4)
    share /= share.sum(1, keepdims=True)
    expression[out, tongue] = np.einsum("nk,nkc->nc", share, own.expression[out, theirs][near])


def _skin_rows(own: HeadModel) -> Bool[np.ndarray, "V 1"]:
    rows = np.zeros((len(own.rest), 1), bool)
    rows[own.triangles[own.part("face")]] = True
    return rows


def _skin(
    rest: Float32[np.ndarray, "V 3"],
    jaw_open: Float32[np.ndarray, "V 3"],
    regressor: Float32[np.ndarray, "J V"],
    of_part: list[Bool[np.ndarray, "V"]],
) -> tuple[Int32[np.ndarray, "V 4"], Float32[np.ndarray, "V 4"]]:
    """Head and jaw: lower teeth and tongue turn whole, skin and lining as far as jawOpen takes them along; eyeballs on their own joints."""
    arm = rest - regressor[JOINTS.index("jaw")] @ rest
    teeth = of_part[PARTS.index("teethLower")]
    # The turn about the ears' axis that best explains what the lower teeth do: small enough to be told by its tangent's arc.
    before, after = np.arctan2(arm[teeth, 1], arm[teeth, 2]), np.arctan2(*(arm + jaw_open)[teeth][:, 1:].T)
    angle = float(np.median(after - before))
    turned = np.stack([
        np.zeros(len(arm)),
        arm[:, 1] * np.cos(angle) + arm[:, 2] * np.sin(angle) - arm[:, 1],
        arm[:, 2] * np.cos(angle) - arm[:, 1] * np.sin(angle) - arm[:, 2],
    ], axis=1)  # fmt: skip
    lever = (turned**2).sum(1)
    share = np.clip((jaw_open * turned).sum(1) / np.maximum(lever, 1e-9), 0, 1) * np.clip(np.sqrt(lever) / 0.01, 0, 1)
    share[_ride_whole(of_part)] = 1
    share[of_part[PARTS.index("teethUpper")] & ~teeth] = 0
    above, low = _heights(rest)
    joints = np.tile(
        np.array([JOINTS.index(name) for name in ("head", "jaw", "neck", "root")], np.int32), (len(rest), 1)
    )
    weights = np.stack([above, 0 * above, (1 - above) * low, (1 - above) * (1 - low)], axis=1) * (1 - share)[:, None]
    weights[:, 1] = share
    joints[of_part[PARTS.index("tongue")], 1] = JOINTS.index("tongue")
    for part, name in ((1, "leftEye"), (2, "rightEye")):
        joints[of_part[part]] = [JOINTS.index(name), 0, 0, 0]
        weights[of_part[part]] = [1, 0, 0, 0]
    return np.where(weights > 0, joints, 0).astype(np.int32), weights.astype(np.float32)


def _heights(rest: Float32[np.ndarray, "V 3"]) -> tuple[np.ndarray, np.ndarray]:
    """How far each vertex is above the skull's edge, which falls from the nape to below the chin, and above the neck's foot; 0 to 1."""
    _, y, z = rest.astype(np.float64).T
    edge, foot = y + 0.045 + 0.4 * (z + 0.06), y - _JOINT_POINTS["neck"][1] + 0.01
    above, low = (np.clip(height / (2 * _HAND_OVER_M) + 0.5 * (height is edge), 0, 1) for height in (edge, foot))
    return above * above * (3 - 2 * above), low * low * (3 - 2 * low)


def _ride_whole(of_part: list[Bool[np.ndarray, "V"]]) -> Bool[np.ndarray, "V"]:
    """Vertices that are rigidly on the jaw."""
    return of_part[PARTS.index("teethLower")] | of_part[PARTS.index("tongue")]


def _landmarks(
    triangle_count: int,
) -> tuple[Int32[np.ndarray, "478"], Float32[np.ndarray, "478 3"], Float32[np.ndarray, "478"]]:
    """The calibrated map (tools/head/landmarks.py writes it); confidence zero where it is absent or does not fit."""
    path = Path(__file__).parent / "data/ict_landmarks.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as archive:
            if int(archive["triangle_count"]) == triangle_count:
                return archive["triangles"], archive["barycentric"], archive["confidence"]
    return np.zeros(478, np.int32), np.full((478, 3), 1 / 3, np.float32), np.zeros(478, np.float32)
