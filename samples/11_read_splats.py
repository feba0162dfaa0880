"""11. Read NAME.splats, the splats bound to an avatar's triangles, with numpy alone; 11_ReadSplats.cs and .mjs do the same.

    python samples/11_read_splats.py ana/ana.splats

Copy `read` and `place` into your program; the layout is told in avatar3d/formats/splat_binding.py. Tested by
tests/unit/formats/test_splat_readers.py, all three on the same file.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = (("triangle", "<u4", 1), ("barycentric", "<f4", 3), ("offset", "<f4", 1), ("rotation", "<f4", 4),
           ("scale", "<f4", 3), ("colour", "<f4", 3), ("opacity", "<f4", 1))  # fmt: skip


def read(content: bytes) -> dict[str, Any]:
    """Columns of all splats by name, and "meshes": pairs of a name and a number of triangles."""
    version, count, triangles, names = np.frombuffer(content, "<u4", 4, 4).tolist()
    if content[:4] != b"A3DS" or version != 1 or len(content) != 20 + names + 64 * count:
        raise ValueError("not a whole .splats file of version 1")
    lines = content[20 : 20 + names].decode().split("\n")
    read: dict[str, Any] = {"meshes": [(line.split("\t")[0], int(line.split("\t")[1])) for line in lines if line]}
    at = 20 + names
    for name, kind, width in COLUMNS:
        read[name] = np.frombuffer(content, kind, count * width, at).reshape((count, width) if width > 1 else count)
        at += 4 * width * count
    if count and read["triangle"].max() >= triangles:
        raise ValueError("a splat rides on a triangle that is not there")
    return read


def place(a: Any, b: Any, c: Any, barycentric: Any, offset: float) -> Any:
    """Where a splat is, and its triangle's frame (columns x, y, z) and size, from the posed corners."""
    length, across = np.linalg.norm(b - a), np.cross(b - a, c - a)
    area = np.linalg.norm(across)
    x, z, size = (b - a) / length, across / area, (length + area / length) / 2
    return barycentric @ np.stack([a, b, c]) + offset * size * z, np.stack([x, np.cross(z, x), z], 1), size


if __name__ == "__main__":
    told = read(Path(sys.argv[1]).read_bytes())
    print(
        json.dumps(
            {name: np.asarray(values).ravel().tolist() if name != "meshes" else values for name, values in told.items()}
        )
    )
