"""Where ICT's face skin ends: the inner loops of lips and lids."""

import numpy as np

from tools.head.parts.source import IctSource

Box = tuple[tuple[float, float, float], tuple[float, float, float]]


def border_loop(ict: IctSource, box: Box) -> np.ndarray:
    """Vertices in order of the one border loop of M_Face that lies within a box (metres, lowest and highest corner)."""
    face = ict.polygons[ict.polygon_materials == ict.materials.index("M_Face")]
    pairs: list[np.ndarray] = []
    for corner in range(4):
        first, second = face[:, corner], face[:, (corner + 1) % 4]
        second = np.where(second < 0, face[:, 0], second)
        keep = first >= 0
        pairs.append(np.stack([first[keep], second[keep]], 1))
    edges = np.concatenate(pairs)
    _, inverse, count = np.unique(np.sort(edges, 1), axis=0, return_inverse=True, return_counts=True)
    following = dict(edges[count[inverse.ravel()] == 1].tolist())
    low, high = np.array(box)
    start = next(v for v in following if ((ict.mean[v] > low) & (ict.mean[v] < high)).all())
    loop = [start]
    while following[loop[-1]] != start:
        loop.append(following[loop[-1]])
    return np.array(loop)
