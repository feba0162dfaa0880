"""Our tongue: a lofted body on a mid-line curve; tongueOut bends the same body along a second curve between the lips.

         rest                                  tongueOut (with 0.30 of jawOpen)
root ~~~~~~~~~~~~~~ tip  | teeth        root ~~~~~~~~~~~~~~~~~~~ teeth ~~~~ tip
"""

from typing import Final

import numpy as np
from scipy.interpolate import PchipInterpolator

from avatar3d.core.blendshapes import ARKIT_INDEX, TONGUE_NAMES
from tools.head.part import PartGeometry
from tools.head.parts.follow import follow_similarity
from tools.head.parts.source import IctSource
from tools.head.parts.teeth import TONGUE_OUT_JAW, jaw_motion, jaw_vertices

RINGS: Final = 16
SEGMENTS: Final = 16
# Mid-line of the back of the tongue at rest: share of the length, height y and depth z in mm (read off ICT's tongue).
REST_LINE_MM: Final = ((-43.0, 38.0), (-33.0, 47.0), (-28.5, 60.0), (-29.0, 74.0), (-31.6, 85.0), (-34.6, 95.0))
REST_HALF_WIDTH_MM: Final = (13.0, 15.0, 15.5, 15.0, 13.0, 10.0)
REST_THICKNESS_MM: Final = (14.0, 18.0, 18.0, 12.5, 6.5, 2.6)
# jawOpen: how far the back sinks toward the floor of the mouth, which keeps the underside.
SUNK_MM: Final = (0.0, 2.5, 5.5, 5.0, 2.0, 0.0)
# tongueOut: the same stations when stuck out, over the lower lip and down before it; height and depth relative to the
# lower teeth's edge in the open jaw.
OUT_GATE_MM: Final = ((5.3, -18.0), (6.6, -4.0), (7.3, 5.0), (7.4, 14.0), (5.0, 22.5), (-0.5, 28.5))
OUT_HALF_WIDTH_MM: Final = (13.0, 15.0, 15.5, 14.5, 13.5, 13.0, 13.5, 13.5, 12.0)
OUT_THICKNESS_MM: Final = (14.0, 16.0, 9.0, 4.6, 3.9, 3.9, 4.8, 5.0, 3.4)
# The poses of speech: the same three of the whole tongue, teeth closed. Up, its tip lies behind the upper incisors on the
# ridge of the gum (t, d, n, l); between the teeth (th) it needs jawOpen .15 or more; back, it closes the throat against the
# soft palate (k, g, ng); wide, it is flat and lies along the upper molars (ee, s, sh).
POSES: Final = {
    "tongueUp": (
        ((-43.0, 38.0), (-33.0, 47.0), (-28.0, 60.0), (-27.0, 73.0), (-23.8, 84.0), (-20.6, 93.3)),
        (13.0, 15.0, 15.5, 15.0, 13.0, 10.5),
        (14.0, 18.0, 18.5, 14.0, 8.0, 3.2),
    ),
    "tongueTeeth": (
        ((-43.0, 38.0), (-33.0, 47.0), (-28.0, 62.0), (-27.0, 79.0), (-27.5, 96.5), (-29.5, 113.5)),
        (13.0, 15.0, 15.5, 15.0, 13.5, 11.0),
        (14.0, 18.0, 17.0, 11.0, 5.5, 3.0),
    ),
    "tongueBack": (
        ((-36.0, 38.0), (-19.0, 48.0), (-14.5, 59.0), (-23.5, 72.5), (-31.5, 82.5), (-35.5, 90.5)),
        (13.0, 15.5, 16.0, 15.0, 13.0, 10.0),
        (20.0, 32.0, 32.0, 18.0, 7.5, 2.8),
    ),
    "tongueWide": (
        ((-42.0, 38.0), (-31.0, 47.0), (-25.5, 60.0), (-25.5, 74.0), (-29.0, 85.0), (-33.8, 94.5)),
        (14.0, 17.0, 18.5, 18.0, 15.5, 12.0),
        (14.5, 18.5, 19.0, 14.0, 7.5, 2.8),
    ),
}


TIP_START: Final = 0.76
ROUND_START: Final = 0.90
"""From these shares of the length on the tip narrows, and thins, like an ellipse."""
BLUNT: Final = 2.8
GROOVE: Final = 0.13
"""Depth of the groove along the middle of the back, share of the thickness."""
ROOT_JAW: Final = 0.5
"""Share of the jaw's motion at the root, which hangs on the skull side too; all of it from a third of the length."""


def build_tongue(ict: IctSource) -> PartGeometry:
    """The tongue as one part: rides on the jaw, with its own joint from the middle forward."""
    rest = _loft(np.array(REST_LINE_MM), np.array(REST_HALF_WIDTH_MM), np.array(REST_THICKNESS_MM))
    share = np.concatenate([np.repeat(np.linspace(0, 1, RINGS), SEGMENTS), [0.0, 1.0]])
    jaw = ROOT_JAW + (1 - ROOT_JAW) * np.clip(share / 0.35, 0, 1)
    shapes = jaw[None, :, None] * jaw_motion(ict, rest)
    shapes[ARKIT_INDEX["jawOpen"]] += _sunk() - rest
    shapes[ARKIT_INDEX["tongueOut"]] = _stuck_out(ict) - rest
    free = np.clip((share - 0.35) / 0.45, 0, 1)
    free = free * free * (3 - 2 * free)
    lower = jaw_vertices(ict, upper=False)
    polygons, corners, uvs = _skin()
    mirror = [r * SEGMENTS + (-np.arange(SEGMENTS)) % SEGMENTS for r in range(RINGS)]
    return PartGeometry(
        name="tongue",
        vertices=rest.astype(np.float32),
        polygons=polygons,
        polygon_uvs=corners,
        uvs=uvs,
        identity=follow_similarity(ict.mean[lower], ict.identity[:, lower], rest),
        expression=shapes,
        tongue=np.stack([_loft(*(np.array(values) for values in POSES[name])) - rest for name in TONGUE_NAMES]),
        joint_weights={
            "head": (1 - jaw).astype(np.float32),
            "jaw": (jaw - free).astype(np.float32),
            "tongue": free.astype(np.float32),
        },
        mirror=np.concatenate([*mirror, [RINGS * SEGMENTS, RINGS * SEGMENTS + 1]]).astype(np.int32),
    )


def _sunk() -> np.ndarray:
    """The tongue on the floor of an open mouth, in the jaw's own frame."""
    line = np.array(REST_LINE_MM) - np.c_[SUNK_MM, np.zeros(len(SUNK_MM))]
    return _loft(line, np.array(REST_HALF_WIDTH_MM), np.array(REST_THICKNESS_MM) - SUNK_MM)


def _stuck_out(ict: IctSource) -> np.ndarray:
    """The tongue at tongueOut = 1, in the head's frame, the jaw opened by TONGUE_OUT_JAW."""
    line = np.array(REST_LINE_MM)
    rigid = (
        TONGUE_OUT_JAW * jaw_motion(ict, np.c_[np.zeros(len(line)), line * 1e-3])[ARKIT_INDEX["jawOpen"]][:, 1:] * 1e3
    )
    jaw = ROOT_JAW + (1 - ROOT_JAW) * np.clip(np.linspace(0, 1, len(line)) / 0.35, 0, 1)
    start = line + jaw[:, None] * rigid
    edge = np.array([0.0, -34.2e-3, 104e-3])
    gate = (edge + TONGUE_OUT_JAW * jaw_motion(ict, edge[None])[ARKIT_INDEX["jawOpen"]][0])[1:] * 1e3
    path = np.array([start[0], start[1] - [1, 0], start[2] + [-4, 2], *(gate + np.array(OUT_GATE_MM))])
    return _loft(path, np.array(OUT_HALF_WIDTH_MM), np.array(OUT_THICKNESS_MM))


def _loft(line_mm: np.ndarray, half_width_mm: np.ndarray, thickness_mm: np.ndarray) -> np.ndarray:
    """Rings [RINGS * SEGMENTS + 2, 3] in metres along the upper mid-line (y, z); the line is the tongue's back."""
    knots = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line_mm, axis=0), axis=1))])
    knots /= knots[-1]
    at = 0.985 * (1 - (1 - np.linspace(0, 1, RINGS)) ** 1.45)  # dense toward the tip
    line, width, thick = (_smooth(knots, values, at) for values in (line_mm, half_width_mm, thickness_mm))
    width = width * _ellipse(at, TIP_START)
    blunt = thick * _ellipse(at, ROUND_START)
    line = line - np.c_[0.5 * (thick - blunt), np.zeros(RINGS)]
    thick = blunt
    tangent = np.gradient(line, at, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    down = np.c_[-tangent[:, 1], tangent[:, 0]]
    down *= np.where(down[:, :1] > 0, -1, 1)
    theta = np.arange(SEGMENTS) * 2 * np.pi / SEGMENTS
    sin, cos = np.sin(theta), np.cos(theta)
    across = np.sign(sin) * np.abs(sin) ** 0.92
    # The back is gently domed with a mid-line groove; the underside is rounder and narrower.
    below = np.where(cos > 0, 0.5 * (1 - np.abs(cos) ** 0.95), 0.5 + 0.5 * np.abs(cos) ** 1.2)
    groove = np.where(np.isclose(theta, 0), GROOVE, 0.0)
    narrow = np.where(cos < 0, 1 - 0.35 * cos**2, 1.0)
    rings = np.zeros((RINGS, SEGMENTS, 3))
    rings[..., 0] = width[:, None] * (across * narrow)[None, :]
    depth = thick[:, None] * (below + groove)[None, :]
    rings[..., 1:] = line[:, None, :] + depth[..., None] * down[:, None, :]
    root = rings[0].mean(0) - [0, 2 * tangent[0, 0], 2 * tangent[0, 1]]
    tip = rings[-1].mean(0) + [0, *(tangent[-1] * thick[-1] * 0.45)]
    return np.concatenate([rings.reshape(-1, 3), root[None], tip[None]]) * 1e-3


def _ellipse(at: np.ndarray, start: float) -> np.ndarray:
    """1 up to `start`, then the outline of a blunt ellipse that ends at 1."""
    return (1 - np.clip((at - start) / (1 - start), 0, 1) ** BLUNT) ** (1 / BLUNT)


def _smooth(knots: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Shape-preserving cubic through the knots."""
    return PchipInterpolator(knots, values)(at)


def _skin() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Polygons, corner texture indices and texture points: u around (seam below), v from the root (1) to the tip (0)."""
    columns = SEGMENTS + 1
    half = SEGMENTS // 2
    u = np.linspace(0.02, 0.98, columns)
    v = np.linspace(0.97, 0.05, RINGS)
    uvs = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), -1).reshape(-1, 2)
    uvs = np.concatenate([uvs, [[0.5, 0.99]], [[0.5, 0.01]]])
    polygons: list[list[int]] = []
    texture: list[list[int]] = []
    for s in range(SEGMENTS):
        # Column 0 of the texture is the seam under the tongue: ring vertex `half`.
        a, b = (half + s) % SEGMENTS, (half + s + 1) % SEGMENTS
        for r in range(RINGS - 1):
            near, far = r * SEGMENTS, (r + 1) * SEGMENTS
            polygons.append([near + b, near + a, far + a, far + b])
            texture.append([r * columns + s + 1, r * columns + s, (r + 1) * columns + s, (r + 1) * columns + s + 1])
        last = (RINGS - 1) * SEGMENTS
        polygons.append([a, b, RINGS * SEGMENTS, -1])
        texture.append([s, s + 1, RINGS * columns, -1])
        polygons.append([last + b, last + a, RINGS * SEGMENTS + 1, -1])
        texture.append([(RINGS - 1) * columns + s + 1, (RINGS - 1) * columns + s, RINGS * columns + 1, -1])
    return np.array(polygons, np.int32), np.array(texture, np.int32), uvs.astype(np.float32)
