"""A first head of hair from one photo.

photo --> hair pixels --> style (lift, hairline, hang) --> shell over the skull --> its colour --> locks --> picture --> Mesh
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar3d.core.avatar import Material, Mesh, Skin
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.hair.atlas import on_shell
from avatar3d.hair.finish import paint_picture
from avatar3d.hair.lining import line_curtain
from avatar3d.hair.locks import Locks, grow_locks, no_locks
from avatar3d.hair.paint import HairPaint, paint_hair
from avatar3d.hair.relief import relief
from avatar3d.hair.segment import HairPicture, segment_hair
from avatar3d.hair.shell import HairShell, build_shell, sample_meridians
from avatar3d.hair.style import HairStyle, measure_style
from avatar3d.render.raycast import Scene

# Cut-out, not blended: no sorting faults, right in every engine; the picture's strands make the edge.
_CUTOFF: Final = 0.5
# Single hairs mirror light along a line and not as a plane does. With the relief of hairs (relief.py) their gloss is a band
# of streaks; rougher and plainer it would lie over all of the hair and turn black grey. By eye on six portraits.
_ROUGHNESS: Final = 0.48
_SPECULAR: Final = 0.5


@dataclass(frozen=True, eq=False)
class Hair:
    """Somebody's hair."""

    mesh: Mesh | None
    """None for stubble, which is only drawn on the skin."""
    shell: HairShell
    style: HairStyle
    paint: HairPaint
    picture: HairPicture


def grow_hair(
    model: HeadModel,
    fitted: HeadFit,
    face: FaceObservation,
    skin: Skin,
    *,
    picture: HairPicture | None = None,
    with_locks: bool = True,
) -> Hair | None:
    """Hair as one textured shell that rides on the head joint, or stubble without it; None for a bald head.

    `picture` is segment_hair's answer, when it is known already. Without locks only the shell is made: a cap.
    """
    picture = picture or segment_hair(model, fitted, face)
    if picture.is_bald:
        return None
    surface = sample_meridians(model, fitted, picture.skull)
    style = measure_style(picture, fitted, surface)
    shell = build_shell(model, fitted, style)
    paint = paint_hair(shell, style, picture, fitted, face, skin)
    if picture.stubble > 0:
        return Hair(None, shell, style, paint, picture)
    bald = Scene(fitted.neutral, model.triangles[model.part("face")])
    locks = grow_locks(shell, paint, style, bald) if with_locks else no_locks()
    drawn = paint_picture(paint, locks, style.curl)
    material = Material(
        name="hair",
        base_colour=drawn,
        normal=relief(drawn.pixels),
        roughness=_ROUGHNESS,
        specular=_SPECULAR,
        alpha_mode="MASK",
        alpha_cutoff=_CUTOFF,
        double_sided=True,
    )
    return Hair(_mesh(model, shell, locks, material), shell, style, paint, picture)


def _mesh(model: HeadModel, shell: HairShell, locks: Locks, material: Material) -> Mesh:
    rows, columns = shell.over_line.shape
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    below = on_shell(u.ravel(), v.ravel())
    inner_points, inner_normals, inner_uvs, inner_triangles = line_curtain(shell)
    positions = np.concatenate([shell.points.reshape(-1, 3), locks.points, inner_points]).astype(np.float32)
    count = len(positions)
    joints = np.zeros((count, 4), np.int32)
    joints[:, 0] = model.joint_names.index("head")
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1
    # The pole's triangles and a folded curtain have no area: they are left out.
    lining_from = rows * columns + len(locks.points)
    triangles = np.concatenate([shell.triangles, locks.triangles + rows * columns, inner_triangles + lining_from])
    corners = positions[triangles].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(across, axis=1)
    normals = np.concatenate([shell.normals.reshape(-1, 3), locks.normals, inner_normals]).astype(np.float32)
    # Where a ribbon or a wave of the shell folds back on itself it would show its wrong side.
    folded = np.sum(across * normals[triangles].sum(1), axis=1) < 0
    triangles = triangles[(area > 1e-9) & ~folded]
    kept, corner = np.unique(triangles, return_inverse=True)
    return Mesh(
        name="hair",
        positions=positions[kept],
        normals=normals[kept],
        uvs=np.concatenate([below, locks.uvs, inner_uvs]).astype(np.float32)[kept],
        triangles=corner.reshape(-1, 3).astype(np.int32),
        material=material,
        morph_names=(),
        morphs=np.zeros((0, len(kept), 3), np.float32),
        joints=joints[kept],
        weights=weights[kept],
    )
