"""What report.html tells about one avatar, in order: does it look right, where from, how well, how big."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from avatar3d.core.avatar import Avatar, Skin, Texture
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.report.overlay import draw_landmarks, draw_mesh
from avatar3d.report.page import Figure, Section, write_page
from avatar3d.report.pictures import draw_shape_sheet

_OVERLAY_PX = 480
_TEXTURE_PX = 480
_SHAPE_PX = 112


@dataclass(frozen=True, eq=False)
class Story:
    """Everything the page is made from."""

    avatar: Avatar
    model: HeadModel
    face: FaceObservation
    fitted: HeadFit
    skin: Skin
    eyes: Texture
    preview: np.ndarray
    """preview.png, sRGB u8 [H W 3]."""
    sizes: Mapping[str, int]
    """Bytes per written file."""
    seconds: Mapping[str, float]
    findings: tuple[tuple[str, str, str], ...]
    """Our own check of the GLB: level, node, reason."""


def tell_story(story: Story) -> str:
    """report.html as text."""
    face, model, fitted = story.face, story.model, story.fitted
    textures = [story.skin.albedo, story.skin.normal, story.eyes]
    sections = [
        Section("Photo and avatar", [Figure("The photo, and the avatar it became", story.preview)]),
        Section(
            "How the head lies on the photo",
            [
                Figure("Landmarks seen (green) and fitted (red)", draw_landmarks(face, model, fitted, _OVERLAY_PX)),
                Figure("The fitted mesh over the photo", draw_mesh(face, model, fitted, _OVERLAY_PX)),
            ],
            _fit_table(story),
        ),
        Section(
            "Textures",
            [
                *(Figure(texture.name, _shrink(texture.pixels[..., :3], _TEXTURE_PX)) for texture in textures),
                Figure("Seen in the photo (white) or filled in (black)", _grey(story.skin.confidence, _TEXTURE_PX)),
            ],
        ),
        Section("The 52 blendshapes", [Figure("Each at weight 1", draw_shape_sheet(story.avatar, _SHAPE_PX))]),
        Section("Meshes", table=_mesh_table(story.avatar)),
        Section("Files", table=[(name, f"{size / 1e6:.2f} MB") for name, size in story.sizes.items()]),
        Section("Time", table=[(stage, f"{seconds:.2f} s") for stage, seconds in story.seconds.items()]),
        Section("Check", table=story.findings or (("pass", "", "every promise holds"),)),
        Section("Licences and provenance", table=_flatten(story.avatar.extras)),
    ]
    return write_page(story.avatar.name, (*face.photo.warnings, *face.warnings), sections)


def _fit_table(story: Story) -> list[tuple[str, str]]:
    camera = story.fitted.camera
    distance = float(np.linalg.norm(camera.translation_m))
    return [
        ("residual of the inner landmarks", f"{100 * story.fitted.residual_iod:.2f} % of the inter-ocular distance"),
        ("focal length", f"{camera.focal_px:.0f} px ({'from EXIF' if story.face.photo.focal_px else 'estimated'})"),
        ("distance to the camera", f"{distance:.2f} m"),
        ("inter-ocular distance in the photo", f"{story.face.interocular_px:.0f} px"),
    ]


def _mesh_table(avatar: Avatar) -> list[tuple[str, ...]]:
    rows = [("mesh", "vertices", "triangles", "blendshapes")]
    for mesh in avatar.meshes:
        rows.append((mesh.name, str(len(mesh.positions)), str(len(mesh.triangles)), str(len(mesh.morph_names))))
    total = sum(len(mesh.triangles) for mesh in avatar.meshes)
    return [*rows, ("all", str(sum(len(mesh.positions) for mesh in avatar.meshes)), str(total), "")]


def _flatten(extras: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in extras.items():
        if isinstance(value, dict):
            rows += _flatten(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))
    return rows


def _shrink(pixels: np.ndarray, size_px: int) -> np.ndarray:
    """Average whole blocks of texels; exact and cheap."""
    return np.asarray(Image.fromarray(pixels).reduce(max(1, pixels.shape[0] // size_px)))


def _grey(values: np.ndarray, size_px: int) -> np.ndarray:
    return np.repeat(_shrink((values * 255).round().astype(np.uint8), size_px)[..., None], 3, axis=2)
