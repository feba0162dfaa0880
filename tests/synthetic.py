"""The smallest avatar that keeps every promise of a real one: an egg with a mouth, eyes, teeth, tongue and lashes.

About 800 vertices in code, no file and no photo. Its 52 shapes are bumps in the right places, all different, so that
a reader which swaps, drops or mirrors one is caught.
"""

from functools import cache

import numpy as np

from avatar3d.core.avatar import Avatar, Material, Mesh, Skeleton, Texture
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.provenance import provenance

RADII_M = np.array([0.075, 0.12, 0.095])
"""Half width, half height, half depth of the egg; its chin is at -0.12, its crown at +0.12."""
MOUTH_Y, MOUTH_HALF_WIDTH = -0.06, 0.026
EYE = np.array([0.032, 0.01, 0.078])
"""The person's left eye; the right one is its mirror image."""

JOINTS = ("root", "neck", "head", "jaw", "tongue", "leftEye", "rightEye")
PARENTS = np.array([-1, 0, 1, 2, 3, 2, 2], np.int32)
JOINT_POSITIONS = np.array(
    [[0, -0.2, 0], [0, -0.11, -0.03], [0, -0.05, -0.02], [0, -0.02, 0.0], [0, -0.05, 0.05], EYE, EYE * [-1, 1, 1]],
    np.float32,
)

# Where a shape acts (the person's left half; y, z follow from the egg), how wide, and where it pushes, in metres.
_BUMPS: dict[str, tuple[float, float, float, tuple[float, float, float]]] = {
    "browDown": (0.032, 0.045, 0.018, (-0.002, -0.006, 0.001)),
    "browInnerUp": (0.0, 0.045, 0.02, (0.0, 0.008, 0.001)),
    "browOuterUp": (0.045, 0.045, 0.016, (0.0, 0.008, 0.0)),
    "cheekPuff": (0.0, -0.045, 0.05, (0.0, 0.0, 0.007)),
    "cheekSquint": (0.038, -0.015, 0.02, (0.0, 0.005, 0.002)),
    "eyeBlink": (0.032, 0.018, 0.012, (0.0, -0.009, 0.001)),
    "eyeLookDown": (0.032, 0.016, 0.012, (0.0, -0.003, 0.0)),
    "eyeLookIn": (0.026, 0.012, 0.012, (-0.0015, 0.0, 0.0)),
    "eyeLookOut": (0.038, 0.012, 0.012, (0.0015, 0.0, 0.0)),
    "eyeLookUp": (0.032, 0.019, 0.012, (0.0, 0.003, 0.0)),
    "eyeSquint": (0.032, 0.002, 0.014, (0.0, 0.004, 0.001)),
    "eyeWide": (0.032, 0.02, 0.013, (0.0, 0.004, 0.0)),
    "jawForward": (0.0, -0.095, 0.04, (0.0, 0.0, 0.009)),
    "jawLeft": (0.0, -0.095, 0.04, (0.009, 0.0, 0.0)),
    "jawRight": (0.0, -0.095, 0.04, (-0.009, 0.0, 0.0)),
    "mouthDimple": (0.03, MOUTH_Y, 0.012, (0.003, 0.0, -0.004)),
    "mouthFrown": (0.026, MOUTH_Y, 0.016, (0.0, -0.007, 0.0)),
    "mouthFunnel": (0.0, MOUTH_Y, 0.026, (0.0, 0.001, 0.008)),
    "mouthLeft": (0.0, MOUTH_Y, 0.03, (0.008, 0.0, 0.0)),
    "mouthLowerDown": (0.014, MOUTH_Y - 0.008, 0.014, (0.0, -0.006, 0.001)),
    "mouthPress": (0.02, MOUTH_Y, 0.012, (0.0, 0.002, -0.002)),
    "mouthPucker": (0.0, MOUTH_Y, 0.022, (0.0, -0.001, 0.01)),
    "mouthRight": (0.0, MOUTH_Y, 0.03, (-0.008, 0.0, 0.0)),
    "mouthRollLower": (0.0, MOUTH_Y - 0.008, 0.016, (0.0, 0.003, -0.004)),
    "mouthRollUpper": (0.0, MOUTH_Y + 0.008, 0.016, (0.0, -0.003, -0.004)),
    "mouthShrugLower": (0.0, MOUTH_Y - 0.012, 0.02, (0.0, 0.004, 0.003)),
    "mouthShrugUpper": (0.0, MOUTH_Y + 0.01, 0.018, (0.0, 0.004, 0.002)),
    "mouthSmile": (0.028, MOUTH_Y, 0.018, (0.006, 0.007, -0.002)),
    "mouthStretch": (0.03, MOUTH_Y - 0.004, 0.018, (0.007, -0.003, -0.002)),
    "mouthUpperUp": (0.014, MOUTH_Y + 0.008, 0.013, (0.0, 0.006, 0.001)),
    "noseSneer": (0.012, -0.015, 0.014, (0.002, 0.005, 0.0)),
    "tongueOut": (0.0, MOUTH_Y - 0.004, 0.012, (0.0, -0.002, 0.003)),
}


@cache
def synthetic_avatar() -> Avatar:
    """The egg. Cached: treat it as frozen."""
    return Avatar(
        name="egg",
        meshes=(_face(), _eye("eyeLeft", 1), _eye("eyeRight", -1), _teeth(), _tongue(), _lashes()),
        skeleton=Skeleton(JOINTS, PARENTS, JOINT_POSITIONS),
        extras=provenance("egg: CC0-1.0, made in tests/synthetic.py", "0" * 64),
    )


def _face() -> Mesh:
    positions, normals, uvs, triangles = _ball(columns=40, rows=32, radii=RADII_M, slit=True)
    lower = _below_the_lips(positions, uvs)
    joints, weights = _face_weights(positions, lower)
    return Mesh(
        name="face",
        positions=positions,
        normals=normals,
        uvs=uvs,
        triangles=triangles,
        material=Material(
            "skin",
            base_colour=_noise("skin_albedo", 64, (210, 160, 140), 30),
            normal=_noise("skin_normal", 64, (128, 128, 250), 5),
            occlusion_roughness_metallic=_noise("skin_orm", 16, (250, 150, 0), 4),
            roughness=1.0,
            metallic=1.0,
        ),
        morph_names=ARKIT_NAMES,
        morphs=np.stack([_face_shape(name, positions, lower) for name in ARKIT_NAMES]),
        joints=joints,
        weights=weights,
    )


def _face_shape(name: str, positions: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Displacements [V 3] of the face for one shape, float32; exactly zero away from where it acts."""
    jaw_open = lower * _front(positions) * np.array([0.0, -0.025, -0.004])
    if name == "jawOpen":
        return jaw_open.astype(np.float32)
    if name == "mouthClose":
        lips = np.exp(-(((positions[:, 1:2] - MOUTH_Y) / 0.012) ** 2) - (positions[:, :1] / 0.05) ** 4)
        return np.where(lips > 0.01, -jaw_open * lips, 0).astype(np.float32)
    side = {"Left": 1.0, "Right": -1.0}.get(next((s for s in ("Left", "Right") if name.endswith(s)), ""), 1.0)
    bare = name if name in _BUMPS else name.removesuffix("Left").removesuffix("Right")
    x, y, width, push = _BUMPS[bare]
    mirror = np.array([1.0 if name in _BUMPS else side, 1.0, 1.0])
    depth = RADII_M[2] * np.sqrt(1 - (x / RADII_M[0]) ** 2 - (y / RADII_M[1]) ** 2)
    distance = np.linalg.norm(positions - np.array([x, y, depth]) * mirror, axis=1, keepdims=True) / width
    amount = np.where(distance < 2, np.exp(-(distance**2)), 0)
    return (amount * np.array(push) * mirror).astype(np.float32)


def _below_the_lips(positions: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """[V 1]: 1 for what the jaw carries. The lip slit's two rows coincide and differ in v alone."""
    return ((positions[:, 1:2] < MOUTH_Y - 1e-4) | (uvs[:, 1:2] > _MOUTH_V)).astype(np.float64)


def _front(positions: np.ndarray) -> np.ndarray:
    """[V 1]: 1 on the face, falling to 0 at the back of the head."""
    return np.clip((positions[:, 2:3] + 0.02) / 0.06, 0, 1)


def _face_weights(positions: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    jaw = (lower * _front(positions))[:, 0]
    neck = np.clip((-0.09 - positions[:, 1]) / 0.03, 0, 1) * (1 - jaw)
    weights = np.stack([1 - jaw - neck, jaw, neck, np.zeros_like(jaw)], axis=1).astype(np.float32)
    weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
    joints = np.tile(np.array([2, 3, 1, 0], np.int32), (len(positions), 1))
    joints[weights == 0] = 0
    return joints, weights


def _eye(name: str, side: int) -> Mesh:
    positions, normals, uvs, triangles = _ball(columns=12, rows=8, radii=np.full(3, 0.012))
    eye = _noise("eye", 32, (230, 228, 225), 10)
    return _rigid(
        name, positions + (EYE * [side, 1, 1]).astype(np.float32), normals, uvs, triangles, Material("eye", eye, roughness=0.2),
        JOINTS.index("leftEye" if side > 0 else "rightEye"),
    )  # fmt: skip


def _teeth() -> Mesh:
    """Lower teeth: they carry the 52 shapes, of which only the jaw's move them."""
    positions, normals, uvs, triangles = _ball(columns=8, rows=6, radii=np.array([0.02, 0.005, 0.01]))
    positions += np.array([0, MOUTH_Y - 0.01, 0.06], np.float32)
    teeth = _rigid(
        "teethLower", positions, normals, uvs, triangles, Material("teeth", colour_factor=(0.8, 0.75, 0.7, 1.0)), 3
    )
    moves = {
        "jawOpen": (0, -0.02, 0),
        "jawForward": (0, 0, 0.009),
        "jawLeft": (0.009, 0, 0),
        "jawRight": (-0.009, 0, 0),
    }
    return _with_shapes(teeth, {name: np.tile(np.array(push), (len(positions), 1)) for name, push in moves.items()})


def _tongue() -> Mesh:
    positions, normals, uvs, triangles = _ball(columns=8, rows=6, radii=np.array([0.014, 0.004, 0.02]))
    positions += np.array([0, MOUTH_Y - 0.012, 0.045], np.float32)
    tongue = _rigid(
        "tongue", positions, normals, uvs, triangles, Material("tongue", colour_factor=(0.6, 0.2, 0.2, 1.0)), 4
    )
    out = (positions[:, 2:3] - positions[:, 2].min()) / 0.04 * np.array([0.0, 0.0, 0.035])
    return _with_shapes(tongue, {"tongueOut": out, "jawOpen": np.tile([0, -0.018, 0.0], (len(positions), 1))})


def _lashes() -> Mesh:
    """Two see-through quads over the eyes; they follow the lids."""
    corners = np.array([[-0.012, 0.006, 0.018], [0.012, 0.006, 0.018], [-0.012, 0.002, 0.014], [0.012, 0.002, 0.014]])
    left, right = EYE + corners, (EYE + corners) * [-1, 1, 1]
    positions = np.concatenate([left, right]).astype(np.float32)
    normals = np.tile(np.array([0, 0.70710678, 0.70710678], np.float32), (8, 1))
    uvs = np.tile(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32), (2, 1))
    triangles = np.array([[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6]], np.int32)
    alpha = _noise("lashes", 32, (30, 20, 15, 128), 100)
    lashes = _rigid(
        "lashes",
        positions,
        normals,
        uvs,
        triangles,
        Material("lashes", alpha, alpha_mode="MASK", double_sided=True, specular=0.35),
        2,
    )
    down = np.array([0.0, -0.009, 0.001])
    is_left = np.arange(8)[:, None] < 4
    return _with_shapes(lashes, {"eyeBlinkLeft": is_left * down, "eyeBlinkRight": ~is_left * down})


def _rigid(
    name: str,
    positions: np.ndarray,
    normals: np.ndarray,
    uvs: np.ndarray,
    triangles: np.ndarray,
    material: Material,
    joint: int,
) -> Mesh:
    joints = np.zeros((len(positions), 4), np.int32)
    joints[:, 0] = joint
    weights = np.zeros((len(positions), 4), np.float32)
    weights[:, 0] = 1
    return Mesh(
        name,
        positions,
        normals,
        uvs,
        triangles,
        material,
        (),
        np.zeros((0, len(positions), 3), np.float32),
        joints,
        weights,
    )


def _with_shapes(mesh: Mesh, moves: dict[str, np.ndarray]) -> Mesh:
    from dataclasses import replace

    morphs = np.zeros((len(ARKIT_NAMES), len(mesh.positions), 3), np.float32)
    for name, move in moves.items():
        morphs[ARKIT_NAMES.index(name)] = move
    return replace(mesh, morph_names=ARKIT_NAMES, morphs=morphs)


def _noise(name: str, size: int, colour: tuple[int, ...], spread: int) -> Texture:
    """A texture with something in every pixel, the same every time."""
    random = np.random.default_rng(len(name) + size)
    wobble = random.integers(-spread, spread + 1, (size, size, len(colour)))
    return Texture(name, np.clip(np.array(colour) + wobble, 0, 255).astype(np.uint8))


_MOUTH_V = 0.5 - np.arcsin(MOUTH_Y / RADII_M[1]) / np.pi


def _ball(columns: int, rows: int, radii: np.ndarray, *, slit: bool = False) -> tuple[np.ndarray, ...]:
    """An ellipsoid around the origin with UVs; its seam is at the back. positions, normals, uvs, triangles.

    With `slit` the row at the mouth's height is cut open over the mouth's width: two rows of vertices, one place.
    """
    v = np.linspace(0, 1, rows + 1)
    mouth = int(np.argmin(np.abs(v - _MOUTH_V)))
    if slit:
        v[mouth] = _MOUTH_V
    u = np.linspace(0, 1, columns + 1)
    grid_u, grid_v = np.meshgrid(u, v)
    longitude, latitude = (grid_u - 0.5) * 2 * np.pi, (0.5 - grid_v) * np.pi
    unit = np.stack(
        [np.cos(latitude) * np.sin(longitude), np.sin(latitude), np.cos(latitude) * np.cos(longitude)], axis=-1
    ).reshape(-1, 3)
    uvs = np.stack([grid_u, grid_v], axis=-1).reshape(-1, 2)
    at = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    quads = np.stack([at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]], axis=-1)
    if slit:
        positions = unit * radii
        open_here = at[mouth][(np.abs(positions[at[mouth], 0]) < MOUTH_HALF_WIDTH) & (positions[at[mouth], 2] > 0)]
        copies = len(unit) + np.arange(len(open_here))
        below = quads[mouth]
        for original, copy in zip(open_here, copies, strict=True):
            below[below == original] = copy
        unit = np.concatenate([unit, unit[open_here]])
        uvs = np.concatenate([uvs, uvs[open_here] + [0, 1e-3]])
    flat = quads.reshape(-1, 4)
    triangles = np.concatenate([flat[:, [0, 1, 2]], flat[:, [0, 2, 3]]])
    corners = (unit * radii)[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    normals = unit / radii
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return (
        (unit * radii).astype(np.float32),
        normals.astype(np.float32),
        uvs.astype(np.float32),
        triangles[area > 1e-12].astype(np.int32),
    )
