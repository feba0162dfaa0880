"""teethUpper and teethLower: crowns and gum of one jaw as one part; the upper fixed to the skull, the lower to the jaw."""

from typing import Final

import numpy as np

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from tools.head.part import PartGeometry
from tools.head.parts.dentition import Surface, build_crown, measure_sockets, reverse
from tools.head.parts.follow import follow_similarity, material_vertices, rigid_motion
from tools.head.parts.gums import build_gum
from tools.head.parts.source import IctSource

TONGUE_OUT_JAW: Final = 0.30
"""Share of jawOpen inside tongueOut: the teeth are closed at rest and a tongue needs a door."""
JAW_SHAPES: Final = ("jawOpen", "jawForward", "jawLeft", "jawRight")
TEETH_BAND: Final = (0.02, 0.58)
"""Texture rows of the crowns, biting edge first."""
GUM_BAND: Final = (0.62, 0.99)


def build_teeth(ict: IctSource) -> list[PartGeometry]:
    """Both dentitions."""
    return [_build_jaw(ict, upper=True), _build_jaw(ict, upper=False)]


def jaw_vertices(ict: IctSource, *, upper: bool) -> np.ndarray:
    """ICT's teeth vertices of one jaw: what moves with jawOpen and what does not."""
    teeth = material_vertices(ict, "M_Teeth")
    moves = np.linalg.norm(ict.expression[ARKIT_INDEX["jawOpen"]][teeth], axis=1) > 1e-4
    return teeth[~moves] if upper else teeth[moves]


def jaw_motion(ict: IctSource, points: np.ndarray) -> np.ndarray:
    """[52 n 3] displacement of points fixed to the jaw: ICT's rigid motion of its lower teeth, shape by shape."""
    lower = jaw_vertices(ict, upper=False)
    shapes = np.zeros((len(ARKIT_NAMES), len(points), 3), np.float32)
    for name in JAW_SHAPES:
        moved = ict.mean[lower] + ict.expression[ARKIT_INDEX[name]][lower]
        rotation, translation = rigid_motion(ict.mean[lower].astype(np.float64), moved.astype(np.float64))
        shapes[ARKIT_INDEX[name]] = points @ rotation.T + translation - points
    shapes[ARKIT_INDEX["tongueOut"]] = TONGUE_OUT_JAW * shapes[ARKIT_INDEX["jawOpen"]]
    return shapes


def _build_jaw(ict: IctSource, *, upper: bool) -> PartGeometry:
    sockets = measure_sockets(ict, upper=upper)
    width = 1 / len(sockets)
    crowns = [
        build_crown(socket, (k * width + 0.002, TEETH_BAND[0], (k + 1) * width - 0.002, TEETH_BAND[1]), flip=k < 7)
        for k, socket in enumerate(sockets)
    ]
    surfaces = [_outward(crown) for crown in crowns]
    starts = np.cumsum([0, *(len(crown.vertices) for crown in crowns)])
    mirror = [starts[13 - k] + crown.mirror for k, crown in enumerate(crowns)]
    gum = build_gum(sockets, upper=upper, band=GUM_BAND)
    merged = _merge([*surfaces, gum])
    mirror.append(starts[-1] + gum.mirror)
    source = jaw_vertices(ict, upper=upper)
    vertices = merged.vertices
    shapes = np.zeros((len(ARKIT_NAMES), len(vertices), 3), np.float32) if upper else jaw_motion(ict, vertices)
    return PartGeometry(
        name="teethUpper" if upper else "teethLower",
        vertices=vertices.astype(np.float32),
        polygons=merged.polygons,
        polygon_uvs=merged.polygon_uvs,
        uvs=merged.uvs.astype(np.float32),
        identity=follow_similarity(ict.mean[source], ict.identity[:, source], vertices),
        expression=shapes,
        tongue=None,
        joint_weights={"head" if upper else "jaw": np.ones(len(vertices), np.float32)},
        mirror=np.concatenate(mirror).astype(np.int32),
    )


def _outward(crown: Surface) -> Surface:
    """The crown wound counter-clockwise from outside (by the sign of its volume)."""
    local = crown.vertices - crown.vertices.mean(0)
    polygons = crown.polygons
    quads = polygons[polygons[:, 3] >= 0]
    triangles = np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])
    volume = np.linalg.det(local[triangles]).sum()
    if volume > 0:
        return crown
    return Surface(
        crown.vertices, reverse(polygons, polygons), reverse(crown.polygon_uvs, polygons), crown.uvs, crown.mirror
    )


def _merge(surfaces: list[Surface]) -> Surface:
    vertex, texture = 0, 0
    polygons, corners = [], []
    for surface in surfaces:
        polygons.append(np.where(surface.polygons < 0, -1, surface.polygons + vertex))
        corners.append(np.where(surface.polygon_uvs < 0, -1, surface.polygon_uvs + texture))
        vertex, texture = vertex + len(surface.vertices), texture + len(surface.uvs)
    return Surface(
        np.concatenate([surface.vertices for surface in surfaces]),
        np.concatenate(polygons).astype(np.int32),
        np.concatenate(corners).astype(np.int32),
        np.concatenate([surface.uvs for surface in surfaces]),
        np.zeros(0, np.int64),
    )
