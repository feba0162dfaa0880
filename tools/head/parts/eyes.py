"""Our eyeballs: a sphere with a corneal bulge whose profile is measured on ICT's sclera.

angle from the pole     0 ........ 23.3 ........ 115 .... 180 degrees
texture radius          0 ........ 0.25 ........ 0.49 ... 0.5
                        pupil      limbus        back
"""

from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from tools.head.part import PartGeometry
from tools.head.parts.follow import material_vertices
from tools.head.parts.source import IctSource

SEGMENTS: Final = 20
LIMBUS_DEG: Final = 23.3
"""Half angle of an 11.8 mm iris (human mean) on a 14.9 mm ball (ICT's)."""
IRIS_UV_RADIUS: Final = 0.25
RING_DEG: Final = (3.5, 7.0, 11.0, 15.5, 20.0, LIMBUS_DEG, 27.0, 33.0, 40.0, 48.0, 58.0, 72.0, 90.0, 115.0)
LOOK_DEG: Final = {"Up": 22.0, "Down": 27.0, "In": 30.0, "Out": 30.0}
"""Rotation at weight 1. ICT moves only the lids: its upper margin travels 11.9 degrees on the ball for Up and 24.6 for
Down; human lids follow the gaze by about 0.55 and 0.9. Sideways the lids tell nothing: the usual range of trackers."""
CORNEA: Final = 0.65
"""Share of ICT's corneal bulge: its lids do not rise over a turned cornea, ours must not show through them."""
RECESS_M: Final = 7e-4
"""The ball is this much smaller toward its equator, where the corners of the lids lie close."""


def build_eyes(ict: IctSource) -> list[PartGeometry]:
    """eyeLeft and eyeRight, mirror images with one shared texture layout (iris centre at (.5, .5))."""
    return [_build_eye(ict, left=True), _build_eye(ict, left=False)]


def eye_sphere(ict: IctSource, side: str) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the ball under the lids: a sphere fitted to the visible sclera, metres."""
    points = ict.mean[material_vertices(ict, f"M_Sclera{side}")].astype(np.float64)
    centre = points.mean(0)
    for _ in range(3):
        offset = points - centre
        angle = np.degrees(np.arccos(offset[:, 2] / np.linalg.norm(offset, axis=1)))
        shell = points[(angle > 28) & (angle < 80)]
        solution = np.linalg.lstsq(np.c_[2 * shell, np.ones(len(shell))], (shell**2).sum(1), rcond=None)[0]
        centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def texture_radius(angle_deg: np.ndarray) -> np.ndarray:
    """Distance from the texture's centre of a point this far from the pole."""
    return np.interp(angle_deg, [0, LIMBUS_DEG, 115, 180], [0, IRIS_UV_RADIUS, 0.49, 0.5])


def _profile(ict: IctSource, side: str, centre: np.ndarray, radius: float, angles: np.ndarray) -> np.ndarray:
    """Radius per angle: ICT's cornea blended into the fitted ball."""
    offset = ict.mean[material_vertices(ict, f"M_Sclera{side}")] - centre
    distance = np.linalg.norm(offset, axis=1)
    angle = np.degrees(np.arccos(offset[:, 2] / distance))
    front = angle < 32
    terms = np.c_[np.ones(front.sum()), (angle[front] / 32) ** 2, (angle[front] / 32) ** 4]
    fit = np.linalg.lstsq(terms, distance[front], rcond=None)[0]
    bulge = fit[0] + fit[1] * (angles / 32) ** 2 + fit[2] * (angles / 32) ** 4
    blend = np.clip((32 - angles) / 8, 0, 1) * CORNEA
    recess = RECESS_M * np.clip((angles - 42) / 24, 0, 1)
    return np.maximum(radius, blend * bulge + (1 - blend) * radius) - recess


def _build_eye(ict: IctSource, *, left: bool) -> PartGeometry:
    side = "Left" if left else "Right"
    centre, radius = eye_sphere(ict, "Left")
    angles = np.array([0.0, *RING_DEG, 180.0])
    radii = _profile(ict, "Left", centre, radius, angles)
    azimuth = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    local = [np.array([[0, 0, radii[0]]])]
    texture = [np.array([[0.5, 0.5]])]
    for angle, ring_radius in zip(angles[1:-1], radii[1:-1], strict=True):
        polar = np.radians(angle)
        circle = np.c_[np.cos(azimuth), np.sin(azimuth)]
        local.append(ring_radius * np.c_[np.sin(polar) * circle, np.full(SEGMENTS, np.cos(polar))])
        texture.append(0.5 + texture_radius(np.array(angle)) * circle * [1, -1])
    local.append(np.array([[0, 0, -radii[-1]]]))
    # The back pole gets one texture point per segment so that its triangles do not cross the iris.
    back = 0.5 + 0.5 * np.c_[np.cos(azimuth + np.pi / SEGMENTS), -np.sin(azimuth + np.pi / SEGMENTS)]
    vertices, uvs = np.concatenate(local), np.concatenate([*texture, back])
    polygons, polygon_uvs = _ball_polygons(len(RING_DEG))
    if not left:
        centre, vertices = centre * [-1, 1, 1], vertices * [-1, 1, 1]
        polygons, polygon_uvs = _flip(polygons, polygons), _flip(polygon_uvs, polygons)
    return PartGeometry(
        name=f"eye{side}",
        vertices=(vertices + centre).astype(np.float32),
        polygons=polygons,
        polygon_uvs=polygon_uvs,
        uvs=uvs.astype(np.float32),
        identity=follow_lids(ict, side, centre, radius, vertices + centre),
        expression=_gaze(vertices, side),
        tongue=None,
        joint_weights={f"{side.lower()}Eye": np.ones(len(vertices), np.float32)},
        mirror=np.arange(len(vertices), dtype=np.int32),
    )


def follow_lids(ict: IctSource, side: str, centre: np.ndarray, radius: float, targets: np.ndarray) -> np.ndarray:
    """Modes [K v 3]: the ball moves and grows so that the lids keep resting on it.

    Per mode, translation t and growth s minimise the change of the gap, n . (d - t - s (p - c)), over the lid skin near
    the ball; ICT's own eyeball, a weak prior, settles what lids do not tell.
    """
    skin = material_vertices(ict, "M_Face")
    offset = ict.mean[skin].astype(np.float64) - centre
    distance = np.linalg.norm(offset, axis=1)
    lids = (np.abs(distance - radius) < LID_M) & (offset[:, 2] > 0.15 * radius)
    normal = offset[lids] / distance[lids, None]
    rows = np.c_[normal, (normal * offset[lids]).sum(1)]
    moved = np.einsum("knc,nc->kn", ict.identity[:, skin[lids]].astype(np.float64), normal)
    sclera = material_vertices(ict, f"M_Sclera{side}")
    ball = ict.mean[sclera].astype(np.float64) - centre
    prior = np.concatenate([np.c_[np.tile(np.eye(3)[axis], (len(ball), 1)), ball[:, axis]] for axis in range(3)])
    wanted = np.concatenate([ict.identity[:, sclera, axis] for axis in range(3)], axis=1).astype(np.float64)
    weight = np.sqrt(PRIOR * lids.sum() / len(prior))
    solution = np.linalg.lstsq(np.r_[rows, weight * prior], np.c_[moved, weight * wanted].T, rcond=None)[0]
    growth = solution[3][:, None, None] * (targets - centre)[None]
    return (solution[:3].T[:, None] + growth).astype(np.float32)


LID_M: Final = 2.5e-3
PRIOR: Final = 0.08


def _ball_polygons(rings: int) -> tuple[np.ndarray, np.ndarray]:
    """Pole fans and ring quads [p 4], and the same with the back pole's own texture points."""
    polygons: list[list[int]] = []
    texture: list[list[int]] = []
    last = 1 + rings * SEGMENTS
    for s in range(SEGMENTS):
        t = (s + 1) % SEGMENTS
        polygons.append([0, 1 + s, 1 + t, -1])
        texture.append(polygons[-1])
        for r in range(rings - 1):
            a, b = 1 + r * SEGMENTS, 1 + (r + 1) * SEGMENTS
            polygons.append([a + s, b + s, b + t, a + t])
            texture.append(polygons[-1])
        a = 1 + (rings - 1) * SEGMENTS
        polygons.append([a + s, last, a + t, -1])
        texture.append([a + s, last + s, a + t, -1])
    return np.array(polygons, np.int32), np.array(texture, np.int32)


def _flip(source: np.ndarray, polygons: np.ndarray) -> np.ndarray:
    """The same polygons wound the other way (for a mirrored part)."""
    triangle = polygons[:, 3] < 0
    flipped = source[:, [0, 3, 2, 1]].copy()
    flipped[triangle] = source[triangle][:, [0, 2, 1, 3]]
    return flipped


def _gaze(vertices: np.ndarray, side: str) -> np.ndarray:
    """[52 v 3] displacement of the four eyeLook shapes of this side; zero elsewhere. `vertices` are about the centre."""
    outward = 1 if side == "Left" else -1
    shapes = np.zeros((len(ARKIT_NAMES), len(vertices), 3), np.float32)
    turns = {"Up": (-1, 0), "Down": (1, 0), "In": (0, -outward), "Out": (0, outward)}
    for direction, (about_x, about_y) in turns.items():
        angle = np.radians(LOOK_DEG[direction])
        cos, sin = np.cos(angle), np.sin(angle)
        if about_x:
            s = sin * about_x
            rotation = np.array([[1, 0, 0], [0, cos, -s], [0, s, cos]])
        else:
            s = sin * about_y
            rotation = np.array([[cos, 0, s], [0, 1, 0], [-s, 0, cos]])
        shapes[ARKIT_INDEX[f"eyeLook{direction}{side}"]] = vertices @ rotation.T - vertices
    return shapes
