"""The head's own polygons for Blender: `python tools/build_topology.py [--check]` writes blender_addon/data/topology.npz.

A GLB knows triangles, and vertices that are split where textures are. For each part of the head the table tells, by the
SHA-256 of its index buffer (uint32, little-endian), what the split took apart:

    KEY.source    [N]    welded vertex of each of the GLB's vertices
    KEY.polygons  [P 4]  the GLB's vertices of each quad; -1 as the last one of a triangle
    KEY.mirror    [W]    welded vertex on the other side of the face; -1 where it belongs to another part
"""

import argparse
import hashlib
import io
import sys
from pathlib import Path
from typing import Final

import numpy as np

from avatar3d.core.head import HeadModel
from avatar3d.head.load import load_head_model
from avatar3d.rig.surface import split_part

FILE: Final = Path(__file__).parents[1] / "blender_addon/data/topology.npz"


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when the file is stale")
    check = parser.parse_args(words).check
    made = table(load_head_model())
    if check:
        stale = not FILE.is_file() or not _same(made, FILE.read_bytes())
        if stale:
            print(f"{FILE.name} is not what the head makes of it: python tools/build_topology.py")
        return int(stale)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    np.savez_compressed(written, **made)
    FILE.write_bytes(written.getvalue())
    print(f"wrote {FILE.name}: {len(made) // 3} parts, {len(written.getvalue()):,} bytes")
    return 0


def table(model: HeadModel) -> dict[str, np.ndarray]:
    """Every part of the head that an avatar may carry."""
    made: dict[str, np.ndarray] = {}
    for part in model.part_names:
        if not len(model.part(part)):
            continue
        surface = split_part(model, part)
        vertices, source = np.unique(surface.source, return_inverse=True)
        entry = {
            "source": source.astype(np.int32),
            "polygons": _polygons(model, surface.source, surface.triangles),
            "mirror": _mirror(model, vertices),
        }
        key = hashlib.sha256(surface.triangles.astype("<u4").tobytes()).hexdigest()
        for name, array in entry.items():
            known = made.setdefault(f"{key}.{name}", array)
            assert np.array_equal(known, array), f"two parts have the indices of {part}, and other {name}"
    return made


def _polygons(model: HeadModel, source: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The part's polygons, their corners as the GLB's vertices, each begun where its triangles meet."""
    owners = {frozenset(corners): row for row, corners in enumerate(source[triangles].tolist())}
    found: list[list[int]] = []
    for polygon in model.polygons.tolist():
        a, b, c, d = polygon
        halves = [(a, b, c)] if d < 0 else [(a, b, c), (a, c, d)]
        if any(frozenset(half) not in owners for half in halves):
            if d < 0:
                continue
            halves = [(b, c, d), (b, d, a)]
            polygon = [b, c, d, a]
            if any(frozenset(half) not in owners for half in halves):
                continue
        at = {}
        for half in halves:
            for vertex in triangles[owners[frozenset(half)]].tolist():
                assert at.setdefault(source[vertex], vertex) == vertex, "a seam runs through a quad"
        found.append([at[corner] if corner >= 0 else -1 for corner in polygon])
    corners = sum(4 if polygon[3] >= 0 else 3 for polygon in found)
    assert corners - 2 * len(found) == len(triangles), "some triangle belongs to no polygon"
    return np.array(found, np.int32)


def _mirror(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """Welded vertices to welded vertices."""
    local = {vertex: row for row, vertex in enumerate(vertices.tolist())}
    return np.array([local.get(other, -1) for other in model.mirror[vertices].tolist()], np.int32)


def _same(made: dict[str, np.ndarray], stored: bytes) -> bool:
    with np.load(io.BytesIO(stored), allow_pickle=False) as kept:
        return set(kept) == set(made) and all(np.array_equal(kept[name], made[name]) for name in made)


if __name__ == "__main__":
    sys.exit(main())
