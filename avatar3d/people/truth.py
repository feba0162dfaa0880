"""Files about a generated person: photo.png, truth.json, truth_segments.png, truth_albedo.png, all marked synthetic."""

import io
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from avatar3d import __version__
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.core.segments import KINDS
from avatar3d.formats.provenance import DIGITAL_SOURCE_TYPE, picture_mark
from avatar3d.head.load import load_head_model
from avatar3d.people.person import Person

TRUTH_VERSION: Final = 1
PALETTE: Final = np.array(
    [(40, 40, 40), (235, 190, 160), (200, 150, 110), (255, 120, 120), (150, 80, 220), (255, 220, 0), (255, 255, 255),
     (220, 30, 60), (0, 255, 255), (40, 110, 220), (0, 255, 0), (120, 70, 20), (255, 130, 0), (255, 0, 255)], np.uint8
)  # fmt: skip
"""A colour per kind, to look at."""


def photo_bytes(person: Person) -> bytes:
    """photo.png."""
    return _png(Image.fromarray(person.pixels))


def truth_files(person: Person, seed: int, refused: Sequence[str]) -> dict[str, bytes]:
    """Name and content of each file besides the photo.

    `refused` are the error ids of the same seed's earlier attempts, which the photo's door did not let in.
    """
    segments = Image.fromarray(person.label)
    segments.putpalette(PALETTE.ravel().tolist())
    srgb = np.clip(person.portrait.skin.albedo, 0, 1) ** np.float32(1 / 2.2)
    return {
        "truth.json": json.dumps(_truth(person, seed, refused), indent=1).encode(),
        "truth_segments.png": _png(segments),
        "truth_albedo.png": _png(Image.fromarray(np.round(srgb * 255).astype(np.uint8))),
    }


def _truth(person: Person, seed: int, refused: Sequence[str]) -> dict[str, Any]:
    portrait, camera = person.portrait, person.camera
    sitter, traits, skin, lamp, style = (
        portrait.head.sitter, portrait.traits, portrait.skin, portrait.lamp, portrait.style,
    )  # fmt: skip
    return {
        "version": TRUTH_VERSION,
        "avatar3d": __version__,
        "synthetic": True,
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
        "licences": [*load_head_model().licence.splitlines(), person.licence],
        "seed": seed,
        "refused_attempts": list(refused),
        "head": load_head_model().name,
        "identity": _numbers(sitter.identity),
        "expression": dict(zip(ARKIT_NAMES, _numbers(sitter.expression), strict=True)),
        "left_eye_wxyz": _numbers(sitter.gaze_wxyz),
        "right_eye_wxyz": _numbers(sitter.gaze_wxyz),
        "pose": {"yaw_rad": sitter.yaw_rad, "pitch_rad": sitter.pitch_rad, "distance_m": sitter.distance_m},
        "camera": {
            "focal_px": float(camera.focal_px),
            "principal_px": _numbers(camera.principal_px),
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "rotation_wxyz": _numbers(camera.rotation_wxyz),
            "translation_m": _numbers(camera.translation_m),
        },
        "light": {
            "toward_lamp_camera_frame": _numbers(lamp.toward),
            "ambient": lamp.ambient,
            "wrap": lamp.wrap,
            "hard_shadow": lamp.shadow,
        },
        "attributes": {
            "age_years": round(traits.age_years, 1),
            "sex": traits.sex,
            "skin_tone_linear": _numbers(skin.tone),
            "monk": skin.monk,
            "hair": {
                "kind": style.kind,
                "colour_srgb": _numbers(style.colour),
                "second_colour_srgb": _numbers(style.second),
                "top_iod": float(style.top),
                "side_iod": float(style.side),
                "below_eyes_iod": float(style.bottom) if style.kind in ("bob", "long") else None,
                "curl": float(style.curl),
            },
            **portrait.worn,
        },
        "landmarks_px": [_numbers(point) for point in person.landmarks_px],
        "segments": {"file": "truth_segments.png", "kinds": list(KINDS)},
        "albedo": {"file": "truth_albedo.png", "gamma": 2.2, "atlas": "face"},
    }


def _numbers(values: np.ndarray) -> list[float]:
    """Shortest decimals that give back the same float32."""
    return [float(str(value)) for value in np.asarray(values, np.float32)]


def _png(picture: Image.Image) -> bytes:
    """With the mark of synthetic media."""
    encoded, marks = io.BytesIO(), PngInfo()
    marks.add_itxt("XML:com.adobe.xmp", picture_mark())
    picture.save(encoded, "PNG", compress_level=6, pnginfo=marks)
    return encoded.getvalue()
