"""A first head of hair from one photo.

photo --> hair pixels --> style (lift, hairline, hang) --> shell over the skull --> picture with alpha --> Mesh
"""

from typing import Final

import numpy as np

from avatar3d.core.avatar import Material, Mesh, Skin
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.paint import paint_hair
from avatar3d.hair.segment import HairPicture, segment_hair
from avatar3d.hair.shell import HairShell, build_shell, sample_meridians
from avatar3d.hair.style import measure_style

# Fewer hair pixels than this, in squared inter-ocular distances, is a shaved head.
_LEAST_AREA: Final = 0.25
# Cut-out, not blended: no sorting faults, right in every engine; the picture's strands make the edge.
_CUTOFF: Final = 0.5


def grow_hair(
    model: HeadModel, fitted: HeadFit, face: FaceObservation, skin: Skin, *, picture: HairPicture | None = None
) -> Mesh | None:
    """Hair as one textured shell that rides on the head joint; None for a bald or shaved head.

    `picture` is segment_hair's answer, when it is known already.
    """
    picture = picture or segment_hair(model, fitted, face)
    px_per_iod = picture.crop_from_photo[0, 0] * face.interocular_px
    if float(picture.hair.sum()) < _LEAST_AREA * px_per_iod**2:
        return None
    surface = sample_meridians(model, fitted, picture.skull)
    style = measure_style(picture, fitted, surface)
    shell = build_shell(model, fitted, style)
    texture = paint_hair(shell, style, picture, fitted, face, skin)
    material = Material(
        name="hair", base_colour=texture, roughness=0.62, alpha_mode="MASK", alpha_cutoff=_CUTOFF, double_sided=True
    )
    return _mesh(model, shell, material)


def _mesh(model: HeadModel, shell: HairShell, material: Material) -> Mesh:
    rows, columns = shell.over_line.shape
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    count = rows * columns
    joints = np.zeros((count, 4), np.int32)
    joints[:, 0] = model.joint_names.index("head")
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1
    # The pole's triangles and a folded curtain have no area: they are left out.
    triangles = shell.triangles
    corners = shell.points.reshape(-1, 3)[triangles].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(
        name="hair",
        positions=shell.points.reshape(-1, 3).astype(np.float32),
        normals=_normals(shell),
        uvs=np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32),
        triangles=triangles[area > 1e-9],
        material=material,
        morph_names=(),
        morphs=np.zeros((0, count, 3), np.float32),
        joints=joints,
        weights=weights,
    )


def _normals(shell: HairShell) -> np.ndarray:
    """Smooth, and the same on both sides of the seam behind and all around the crown."""
    points = shell.points.astype(np.float64)
    corners = points.reshape(-1, 3)[shell.triangles]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((points.shape[0] * points.shape[1], 3))
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(shell.triangles[:, corner], face[:, axis], len(normals))
    normals = normals.reshape(points.shape)
    normals[:, 0] += normals[:, -1]
    normals[:, -1] = normals[:, 0]
    normals[0] = normals[0].sum(0)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    unit = np.where(length > 1e-12, normals / np.maximum(length, 1e-20), [0.0, 1.0, 0.0])
    return unit.reshape(-1, 3).astype(np.float32)
