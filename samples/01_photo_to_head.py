"""1. One photo becomes a rigged head, on disk and in memory.

    python samples/01_photo_to_head.py PHOTO FOLDER

Tested by tests/integration/test_samples.py.
"""

import sys
from pathlib import Path

import avatar3d


def main(photo: Path, folder: Path) -> None:
    avatar = avatar3d.create(photo, folder)

    face = avatar.mesh("face")
    print(f"{avatar.name}: {len(avatar.meshes)} meshes, {len(avatar.skeleton.names)} joints")
    print(f"face: {len(face.positions):,} vertices, {len(face.morph_names)} blendshapes")

    # A displacement is in metres, on this person's own neutral head.
    jaw_open = face.morphs[face.morph_names.index("jawOpen")]
    print(f"jawOpen moves the chin by {1000 * abs(jaw_open[:, 1]).max():.0f} mm")

    # What was written can be read back, and a mesh handed to trimesh.
    again = avatar3d.Avatar.load(folder / avatar.name / f"{avatar.name}.glb")
    again.mesh("face").to_trimesh().export(folder / f"{avatar.name}.obj")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
