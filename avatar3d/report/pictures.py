"""The pictures people judge an avatar by: preview, sheet of the 52 shapes, turntable."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from avatar3d.core.avatar import Avatar
from avatar3d.core.blendshapes import ARKIT_NAMES, SHAPE_INDEX
from avatar3d.core.head import HeadFit
from avatar3d.core.photo import Camera, FaceObservation, Light
from avatar3d.core.transforms import OPENCV_FROM_GLTF, matrix_from_quaternion, quaternion_from_matrix
from avatar3d.render.preview import render_avatar, render_faces
from avatar3d.report.overlay import crop_face

# A portrait lens: far enough that the nose does not grow (about 85 mm on full frame at 1.2 m).
_DISTANCE_M = 1.2
_HEIGHT_M = 0.33
"""What the picture shows from top to bottom, or more when hair stands higher."""
_ABOVE_M = 0.008
"""Room above the crown."""
_MIDDLE_BEHIND_EYES_M = 0.075
_MIDDLE_BELOW_EYES_M = 0.03
_LABEL_PX = 22
_PNG_LEVEL = 4
"""Half the time of zlib's usual 6, for a hundredth more bytes."""
_PREVIEW_PX = 480
_TURNTABLE_PX = 512
TURNTABLE_FRAMES = 96
_TURNTABLE_MARGIN = 1.16
"""Height of the picture over that of the bust."""


@dataclass(frozen=True)
class View:
    """One picture of an avatar: from where, and with which face."""

    label: str
    yaw_deg: float = 0.0
    """Positive: the camera walks toward the person's left."""
    weights: Mapping[str, float] = field(default_factory=dict[str, float])


PREVIEW_VIEWS = (
    View("front"),
    View("3/4", yaw_deg=35.0),
    View("side", yaw_deg=90.0),
    View("jaw open", weights={"jawOpen": 0.8}),
    View("eyes closed", weights={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}),
    View(
        "smile",
        weights={"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.4, "cheekSquintRight": 0.4},
    ),
)


def orbit_camera(avatar: Avatar, yaw_deg: float, size_px: int, *, height_m: float = _HEIGHT_M) -> Camera:
    """A camera on a level circle around the head, looking at its middle."""
    names = avatar.skeleton.names
    eyes = avatar.skeleton.positions[[names.index("leftEye"), names.index("rightEye")]].mean(0)
    middle = eyes - np.array([0, _MIDDLE_BELOW_EYES_M, _MIDDLE_BEHIND_EYES_M], np.float32)
    yaw = np.deg2rad(yaw_deg)
    about_up = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]], np.float32)
    rotation = OPENCV_FROM_GLTF @ about_up
    return Camera(
        focal_px=size_px * _DISTANCE_M / height_m,
        principal_px=np.array([size_px / 2, size_px / 2], np.float32),
        width_px=size_px,
        height_px=size_px,
        rotation_wxyz=quaternion_from_matrix(rotation.astype(np.float32)),
        translation_m=(np.array([0, 0, _DISTANCE_M]) - rotation @ middle).astype(np.float32),
    )


def draw_views(avatar: Avatar, views: Sequence[View], size_px: int) -> list[UInt8[np.ndarray, "S S 3"]]:
    """Each view as a square picture, as much of it as the crown asks for."""
    names = avatar.skeleton.names
    middle_m = float(avatar.skeleton.positions[names.index("leftEye"), 1]) - _MIDDLE_BELOW_EYES_M
    crown_m = max(float(mesh.positions[:, 1].max()) for mesh in avatar.meshes)
    height_m = max(_HEIGHT_M, 2 * (crown_m - middle_m + _ABOVE_M))
    drawn: dict[int, UInt8[np.ndarray, "S S 3"]] = {}
    for yaw_deg in dict.fromkeys(view.yaw_deg for view in views):
        seen = [index for index, view in enumerate(views) if view.yaw_deg == yaw_deg]
        camera = orbit_camera(avatar, yaw_deg, size_px, height_m=height_m)
        faces = [_weights(views[index].weights) for index in seen]
        drawn |= zip(seen, render_faces(avatar, camera, faces), strict=True)
    return [drawn[index] for index in range(len(views))]


def compose_preview(
    face: FaceObservation, avatar: Avatar, fitted: HeadFit, light: Light, *, lift_m: float = 0.0
) -> UInt8[np.ndarray, "H W 3"]:
    """preview.png: the photo, the avatar as the photo shows it, and the preview views, four to a row, labelled.

    `lift_m`: how far the avatar stands higher than the fit has it.
    """
    photo, to_crop = crop_face(face, _PREVIEW_PX)
    alike = _draw_alike(avatar, fitted, light, to_crop, lift_m)
    pictures = [photo, alike, *draw_views(avatar, PREVIEW_VIEWS, _PREVIEW_PX)]
    return _tile(pictures, ["photo", "as in the photo", *(view.label for view in PREVIEW_VIEWS)], columns=4)


def _draw_alike(
    avatar: Avatar, fitted: HeadFit, light: Light, to_crop: Float32[np.ndarray, "2 3"], lift_m: float
) -> UInt8[np.ndarray, "S S 3"]:
    """The avatar through the photo's camera, cut like the photo, with its expression, glance and light."""
    camera, zoom = fitted.camera, float(to_crop[0, 0])
    camera_turn = matrix_from_quaternion(camera.rotation_wxyz)
    cut = replace(
        camera,
        focal_px=camera.focal_px * zoom,
        principal_px=camera.principal_px * np.float32(zoom) + to_crop[:, 2],
        width_px=_PREVIEW_PX,
        height_px=_PREVIEW_PX,
        translation_m=camera.translation_m - camera_turn @ np.array([0, lift_m, 0], np.float32),
    )
    glance = {"leftEye": fitted.left_eye_wxyz, "rightEye": fitted.right_eye_wxyz}
    return render_avatar(avatar, cut, weights=fitted.expression, rotations=glance, light=light)


def draw_shape_sheet(avatar: Avatar, size_px: int) -> UInt8[np.ndarray, "H W 3"]:
    """All 52 blendshapes at full weight, in ARKIT_NAMES order, nine to a row."""
    views = [View(name, weights={name: 1.0}) for name in ARKIT_NAMES]
    return _tile(draw_views(avatar, views, size_px), list(ARKIT_NAMES), columns=9)


def film_turntable(avatar: Avatar) -> Iterator[UInt8[np.ndarray, "S S 3"]]:
    """One turn around the bust, all of it in the picture: cut off, its lower edge would rise into view at the back."""
    heights = np.concatenate([mesh.positions[:, 1] for mesh in avatar.meshes])
    low, high = float(heights.min()), float(heights.max())
    for index in range(TURNTABLE_FRAMES):
        camera = orbit_camera(
            avatar, 360 * index / TURNTABLE_FRAMES, _TURNTABLE_PX, height_m=_TURNTABLE_MARGIN * (high - low)
        )
        below_px = camera.focal_px * (float(camera.position_m[1]) - 0.5 * (low + high)) / _DISTANCE_M
        shift = np.array([0, below_px], np.float32)  # as a shift lens does: the camera stays level
        yield render_avatar(avatar, replace(camera, principal_px=camera.principal_px - shift))


def png_bytes(pixels: UInt8[np.ndarray, "H W 3"], xmp: str) -> bytes:
    """A PNG whose only metadata is an XMP packet, where readers look for it (PNG 3rd edition, 11.3.3.4)."""
    encoded, marks = io.BytesIO(), PngInfo()
    marks.add_itxt("XML:com.adobe.xmp", xmp)
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=_PNG_LEVEL, pnginfo=marks)
    return encoded.getvalue()


def _weights(named: Mapping[str, float]) -> Float32[np.ndarray, "S"]:
    weights = np.zeros(len(SHAPE_INDEX), np.float32)
    for name, weight in named.items():
        weights[SHAPE_INDEX[name]] = weight
    return weights


def _tile(
    pictures: Sequence[UInt8[np.ndarray, "S S 3"]], labels: Sequence[str], columns: int
) -> UInt8[np.ndarray, "H W 3"]:
    size = pictures[0].shape[0]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * size, rows * (size + _LABEL_PX)), (250, 250, 250))
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(max(9, min(15, size // 12)))  # the longest name fits its picture
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        left, top = (index % columns) * size, (index // columns) * (size + _LABEL_PX)
        sheet.paste(Image.fromarray(picture), (left, top))
        pen.text((left + 4, top + size + 2), label, fill=(40, 40, 40), font=font)
    return np.asarray(sheet, np.uint8)
