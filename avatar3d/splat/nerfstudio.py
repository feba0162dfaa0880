"""Photos of one person as a dataset of nerfstudio's format ("nerfstudio-data"): their cameras are known, and need no COLMAP.

    transforms.json   per photo: focal lengths, principal point, size, transform_matrix (world from camera, OpenGL axes)
    images/  masks/   PNG; a mask is black where nothing is to be learnt
    points.ply        where Gaussians may begin: the surface of the avatar, with its colours

The world is the avatar's frame, metres; nerfstudio's own turning is switched off in the file (orientation_override), its
centring and scaling on its command line, or undone later by what it writes to dataparser_transforms.json.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from avatar3d.core.durable import write_atomically
from avatar3d.core.photo import Camera
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.render.stage import Stage, srgb_from_linear
from avatar3d.splat.still import cover

POINTS: Final = 30_000
Transform = tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"], float]
"""A turn R, a shift t and a scale: trained = scale * (R world + t)."""


@dataclass(frozen=True, eq=False)
class View:
    """One photo, as a trainer sees it."""

    pixels: UInt8[np.ndarray, "H W 3"]
    """sRGB."""
    head: Float32[np.ndarray, "h w"]
    """How surely a pixel shows face or hair; of any size with the photo's shape."""
    camera: Camera
    """Of the photo's pixels."""


def write_dataset(folder: Path, stage: Stage, views: Sequence[View], *, licence: str) -> None:
    """Write the dataset into an existing folder. Raises DiskError (40)."""
    frames: list[dict[str, Any]] = []
    for number, view in enumerate(views, 1):
        name = f"{number:04}.png"
        height, width = view.pixels.shape[:2]
        mask = cv2.resize(view.head, (width, height), interpolation=cv2.INTER_LINEAR)
        write_atomically(folder / "images" / name, _png(cv2.cvtColor(view.pixels, cv2.COLOR_RGB2BGR)))
        write_atomically(folder / "masks" / name, _png(np.where(mask > 0.5, 255, 0).astype(np.uint8)))
        frames.append(_frame(view.camera, f"images/{name}", f"masks/{name}"))
    told = {
        "camera_model": "OPENCV",
        "orientation_override": "none",
        "ply_file_path": "points.ply",
        "avatar3d": {"frame": "glTF axes, metres: +Y up, the face looks to +Z", "licence": licence},
        "frames": frames,
    }
    write_atomically(folder / "points.ply", _points(stage))
    write_atomically(folder / "transforms.json", json.dumps(told, indent=1).encode())


def world_from_camera(camera: Camera) -> Float64[np.ndarray, "4 4"]:
    """Camera to world as nerfstudio means it: OpenGL axes (x right, y up, z back) into the avatar's frame, metres."""
    turn = matrix_from_quaternion(camera.rotation_wxyz).astype(np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = turn.T * [1, -1, -1]
    matrix[:3, 3] = -turn.T @ camera.translation_m
    return matrix


def _frame(camera: Camera, image: str, mask: str) -> dict[str, Any]:
    return {
        "file_path": image,
        "mask_path": mask,
        "fl_x": float(camera.focal_px),
        "fl_y": float(camera.focal_px),
        "cx": float(camera.principal_px[0]),
        "cy": float(camera.principal_px[1]),
        "w": camera.width_px,
        "h": camera.height_px,
        "transform_matrix": world_from_camera(camera).tolist(),
    }


def _points(stage: Stage) -> bytes:
    """Points of the surface with their colours, as a .ply that Open3D reads."""
    cloud = cover(stage, POINTS)
    places = np.einsum("sk,skc->sc", cloud.barycentric, stage.positions[stage.triangles[cloud.triangle]])
    row = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")])
    rows = np.zeros(len(places), row)
    for at, name in enumerate("xyz"):
        rows[name] = places[:, at]
    for name, column in zip(("red", "green", "blue"), srgb_from_linear(cloud.colour).T, strict=True):
        rows[name] = column
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(rows)}"]
    header += [*(f"property float {axis}" for axis in "xyz"), *(f"property uchar {name}" for name in row.names[3:])]  # pyright: ignore[reportOptionalSubscript] (it has names)
    return "\n".join([*header, "end_header\n"]).encode() + rows.tobytes()


def _png(picture: UInt8[np.ndarray, "..."]) -> bytes:
    """Without metadata."""
    done, content = cv2.imencode(".png", picture)
    assert done, "OpenCV writes PNG"
    return content.tobytes()


def undo_transform(told: object) -> Transform | None:
    """Of dataparser_transforms.json (trained = scale * (R world + t)): R, t and scale; None when that is not what it holds."""
    if not isinstance(told, dict):
        return None
    content: dict[str, Any] = told
    try:
        rows, scale = np.asarray(content.get("transform"), np.float64), float(content.get("scale", 0))
    except (TypeError, ValueError):
        return None
    if rows.shape != (3, 4) or not np.isfinite(rows).all() or not 0 < scale < np.inf:
        return None
    turn = rows[:, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3 or np.linalg.det(turn) < 0:
        return None
    return turn, rows[:, 3], scale
