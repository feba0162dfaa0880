"""How large the files and meshes are.

Budgets (issue 2, 1024 textures): dense GLB under 8 MB, compact under 5 MB.

    python -m bench.size [PHOTO]
"""

import sys
import tempfile
from pathlib import Path

from avatar3d.cli.demo import picture_of_collins
from avatar3d.formats.gltf import save_glb
from avatar3d.pipeline import CreateParams, make_avatar
from bench.measure import save_result, show


def main() -> None:
    """Print the tables and write bench/results/size.json."""
    photo = Path(sys.argv[1]) if len(sys.argv) > 1 else picture_of_collins()
    avatar = make_avatar(photo, CreateParams()).avatar
    with tempfile.TemporaryDirectory() as folder:
        sizes = {
            kind: save_glb(avatar, Path(folder) / f"{kind}.glb", compact=kind == "compact").stat().st_size
            for kind in ("dense", "compact")
        }
    budgets = {"dense": 8e6, "compact": 5e6}
    show("files", [{"glb": kind, "MB": f"{size / 1e6:.2f}", "budget": f"{budgets[kind] / 1e6:.0f}"} for kind, size in sizes.items()])  # fmt: skip
    meshes = [
        {
            "mesh": mesh.name,
            "vertices": len(mesh.positions),
            "triangles": len(mesh.triangles),
            "shapes": len(mesh.morph_names),
        }
        for mesh in avatar.meshes
    ]
    show("meshes", meshes)
    save_result("size", {"bytes": sizes, "meshes": meshes})


if __name__ == "__main__":
    main()
