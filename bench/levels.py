"""Levels of detail and profiles, measured:  python -m bench.levels AVATAR.glb... [--json FILE]

Per level: triangles, distance (mm) from each of its vertices and triangle centres to the surface of the avatar as it is and back,
mean and largest, in the neutral face and four expressions (skin only); what is left of the lips' gap with jawOpen and mouthClose,
and of the eyes' opening with a blink. Per profile: what its first level has of each thing that is limited.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from avatar3d.carry.sheet import Sheet
from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.profiles import PROFILES
from avatar3d.exporting import ExportParams, export_files
from avatar3d.formats.contacts import check_lids, lip_pairs
from avatar3d.formats.glb import read_glb
from avatar3d.formats.targets.budgets import FIELDS, counts
from avatar3d.formats.targets.rule import Subject
from avatar3d.rig.lod import make_levels

FACES = {
    "neutral": (),
    "jawOpen": ("jawOpen",),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
    "pucker": ("mouthPucker",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
}


def shown(mesh: Mesh, names: tuple[str, ...]) -> np.ndarray | None:
    """Positions [V 3] with these shapes on; None where the level has them no more."""
    if not set(names) <= set(mesh.morph_names):
        return None
    moves = [mesh.morphs[mesh.morph_names.index(name)] for name in names]
    return (mesh.positions + sum(moves, np.zeros_like(mesh.positions))).astype(np.float64)


def distances_mm(one: Sheet, other: Sheet) -> np.ndarray:
    """From the corners and middles of the triangles of each to the other."""
    apart = []
    for a, b in ((one, other), (other, one)):
        points = np.concatenate([a.points[np.unique(a.triangles)], a.points[a.triangles].mean(1)])
        normals = np.zeros_like(points)
        apart.append(b.nearest(points, normals, least_alike=-2, turn_m=0).distance_m)
    return 1000 * np.concatenate(apart)


def lip_gap_mm(face: Mesh, avatar: Avatar) -> float:
    """Largest gap between upper and lower lip with jawOpen and mouthClose, over that at rest; NaN without the shapes."""
    closed, opened = shown(face, ("jawOpen", "mouthClose")), shown(face, ("jawOpen",))
    if closed is None or opened is None:
        return float("nan")
    names = avatar.skeleton.names
    across = (
        avatar.skeleton.positions[names.index("leftEye")] - avatar.skeleton.positions[names.index("rightEye")]
    ).astype(float)
    rest = face.positions.astype(np.float64)
    upper, lower = lip_pairs(rest, opened - rest, across)
    if not len(upper):
        return float("nan")
    own = [np.linalg.norm(at[upper] - at[lower], axis=1) for at in (rest, closed)]
    return float(1000 * np.maximum(own[1] - own[0], 0).mean())


def lids_left(face: Mesh, avatar: Avatar) -> str:
    """What a blink leaves of each eye's opening."""
    if "eyeBlinkLeft" not in face.morph_names:
        return "-"
    from dataclasses import replace

    from avatar3d.core.blendshapes import ARKIT_NAMES

    whole = np.zeros((len(ARKIT_NAMES), len(face.positions), 3), np.float32)
    for name, move in zip(face.morph_names, face.morphs, strict=True):
        if name in ARKIT_NAMES:
            whole[ARKIT_NAMES.index(name)] = move
    found = check_lids(replace(face, morph_names=ARKIT_NAMES, morphs=whole), avatar.skeleton)
    return ", ".join(finding.reason.split()[1] for finding in found)


def twins(face: Mesh) -> float:
    """Share of vertices whose mirror twin in the texture's layout is there too."""
    distance = np.asarray(KDTree(face.uvs).query(face.uvs * [-1, 1] + [1, 0])[0])
    return float((distance < 1e-6).mean())


def measure(path: Path) -> dict:
    avatar = Avatar.load(path)
    began_s = time.perf_counter()
    levels = make_levels(avatar)
    told: dict = {"seconds": round(time.perf_counter() - began_s, 2), "levels": [], "profiles": {}}
    whole = avatar.meshes[0]
    for level in levels:
        face = level.avatar.meshes[0]
        row: dict = {"triangles": level.triangles, "face": len(face.triangles), "twins": round(twins(face), 3)}
        for name, shapes in FACES.items():
            now, before = shown(face, shapes), shown(whole, shapes)
            if now is not None and before is not None:
                apart = distances_mm(
                    Sheet(now, face.triangles.astype(np.int64)), Sheet(before, whole.triangles.astype(np.int64))
                )
                row[name] = [round(float(apart.mean()), 3), round(float(apart.max()), 2)]
        row |= {"lip_gap_mm": round(lip_gap_mm(face, level.avatar), 3), "lids_left": lids_left(face, level.avatar)}
        told["levels"].append(row)
    return told


def profiles(path: Path, out: Path) -> dict:
    """What each profile's first level has of what is limited."""
    avatar = Avatar.load(path)
    told: dict = {}
    for name in PROFILES:
        made = export_files(avatar, out, ExportParams((name,)))
        file = next(file for file in made.files if file.suffix == ".glb")
        subject = Subject(read_glb(file, known=frozenset({"EXT_meshopt_compression", "EXT_texture_webp"})), name)
        row = {field: max((count for _, count in counts(subject, field)), default=0) for field in FIELDS}
        told[name] = row | {"failures": len(made.reports[name].failures)}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatars", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profiles", type=Path, metavar="DIR", help="also export every profile there and count")
    asked = parser.parse_args()
    told = {}
    for path in asked.avatars:
        told[path.stem] = measure(path)
        print(
            f"{path.stem}: all levels in {told[path.stem]['seconds']} s; distance to the whole avatar, mean and largest (mm)"
        )
        for row in told[path.stem]["levels"]:
            print("  ", *(f"{key} {value}" for key, value in row.items()))
        if asked.profiles:
            told[path.stem]["profiles"] = profiles(path, asked.profiles)
            for name, row in told[path.stem]["profiles"].items():
                print("  ", f"{name:12}", *(f"{key} {value:,}" for key, value in row.items()))
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
