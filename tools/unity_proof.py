"""What an imported GLB must move in Unity: `python -m tools.unity_proof [GLB]` writes expected.json beside it.

Without GLB the package's sample is made anew first: the egg of tests/synthetic.py, with sparse morph targets. For each shape of each
renderer: how far it moves a vertex at most and on average, in Unity's axes (glTFast mirrors x), in metres. The EditMode test
unity_bridge/Tests/Editor/ImportProof.cs measures the same of what Unity has imported, and writes proof.json.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from avatar3d.formats.gltf import load_glb, save_glb

SAMPLE: Final = Path(__file__).parents[1] / "unity_bridge/Tests/Editor/Sample/egg.glb"
UNITY_FROM_GLTF: Final = np.array([-1, 1, 1], np.float32)


def expected(glb: Path) -> bytes:
    """The JSON file's bytes."""
    avatar = load_glb(glb)
    rows = [
        {"mesh": node, "name": name, "vertices": len(mesh.positions), **_moved(mesh.morphs[at] * UNITY_FROM_GLTF)}
        for node, mesh in zip(renderers(glb), avatar.meshes, strict=True)
        for at, name in enumerate(mesh.morph_names)
    ]
    told = {"glb": glb.name, "sha256": hashlib.sha256(glb.read_bytes()).hexdigest(), "shapes": rows}
    return (json.dumps(told, indent=1) + "\n").encode()


def renderers(glb: Path) -> list[str]:
    """Names of the nodes with a mesh, in the order of load_glb's meshes: importers name renderers after them."""
    content = glb.read_bytes()
    (length,) = struct.unpack_from("<I", content, 12)
    nodes: list[dict[str, Any]] = json.loads(content[20 : 20 + length])["nodes"]
    return [node["name"] for node in nodes if "mesh" in node]


def _moved(displacements: np.ndarray) -> dict[str, Any]:
    """[V 3], metres."""
    lengths = np.linalg.norm(displacements.astype(np.float64), axis=1)
    means = displacements.astype(np.float64).mean(0)
    return {"largest_m": round(float(lengths.max()), 9), "mean_m": [round(float(mean), 12) for mean in means]}


def main(words: list[str]) -> None:
    if words:
        glb = Path(words[0])
    else:
        from tests.synthetic import synthetic_avatar

        SAMPLE.parent.mkdir(parents=True, exist_ok=True)
        glb = save_glb(synthetic_avatar(), SAMPLE, compact=True)
        print(f"wrote {glb}")
    target = glb.with_name("expected.json")
    target.write_bytes(expected(glb))
    print(f"wrote {target}")


if __name__ == "__main__":
    main(sys.argv[1:])
