"""avatar.json: everything needed to rebuild a fit, and nothing else about the person."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float32, Int32

from avatar3d.core.errors import UnreadableError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, Light
from avatar3d.core.sitting import Sitting
from avatar3d.head.bend import bend_field
from avatar3d.head.deform import pose_head, shape_head

RECORD_VERSION = 1
_LANDMARKS: Final = 478
_MAX_PIXELS: Final = 2**28


@dataclass(frozen=True, eq=False)
class FitRecord:
    """A fit and the light it was seen in, as avatar.json keeps them."""

    head: str
    """Name of the head model the coefficients belong to."""
    fitted: HeadFit
    light: Light
    sitting: Sitting | None = None
    """What the photo told; None in records of older versions and of people who were blended."""


def record_as_json(record: FitRecord) -> dict[str, Any]:
    """The JSON object of avatar.json. Numbers are rounded to float32's own precision."""
    fitted, camera = record.fitted, record.fitted.camera
    return {
        "version": RECORD_VERSION,
        "head": record.head,
        "identity": _numbers(fitted.identity),
        "expression": _numbers(fitted.expression),
        "resting": _numbers(fitted.resting),
        "smile_lean": float(str(np.float32(fitted.smile_lean))),
        "left_eye_wxyz": _numbers(fitted.left_eye_wxyz),
        "right_eye_wxyz": _numbers(fitted.right_eye_wxyz),
        "camera": {
            "focal_px": float(camera.focal_px),
            "principal_px": _numbers(camera.principal_px),
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "rotation_wxyz": _numbers(camera.rotation_wxyz),
            "translation_m": _numbers(camera.translation_m),
        },
        "light": {"spherical_harmonics": [_numbers(row) for row in record.light.coefficients]},
        "residual_iod": float(fitted.residual_iod),
        "pins": [
            {"landmark": int(landmark), "shift_m": _numbers(shift)}
            for landmark, shift in zip(fitted.pins, fitted.pin_shifts_m, strict=True)
        ],
    } | ({} if record.sitting is None else _sitting_as_json(record.sitting))


def _sitting_as_json(sitting: Sitting) -> dict[str, Any]:
    return {
        "photo": {"sha256": sitting.photo_sha256, "size_px": list(sitting.size_px)},
        "landmarks_px": [_numbers(point) for point in sitting.landmarks_px],
        "known": sitting.known.tolist(),
    }


def record_from_json(stored: dict[str, Any], model: HeadModel) -> FitRecord:
    """Rebuild the fit on its head model. Raises UnreadableError when the two do not belong together."""
    try:
        if stored["version"] != RECORD_VERSION or stored["head"] != model.name:
            raise UnreadableError(
                f"expected version {RECORD_VERSION} for head {model.name!r}, "
                f"got version {stored['version']} for {stored['head']!r}.",
                hint="Create the avatar again with this version.",
                id="RECORD_FOREIGN",
            )
        identity = _array(stored["identity"], (model.identity.shape[0],))
        expression = _array(stored["expression"], (52,))
        resting = _array(stored["resting"], (52,))
        left_eye = _array(stored["left_eye_wxyz"], (4,))
        right_eye = _array(stored["right_eye_wxyz"], (4,))
        seen = stored["camera"]
        camera = Camera(
            focal_px=float(seen["focal_px"]),
            principal_px=_array(seen["principal_px"], (2,)),
            width_px=int(seen["width_px"]),
            height_px=int(seen["height_px"]),
            rotation_wxyz=_array(seen["rotation_wxyz"], (4,)),
            translation_m=_array(seen["translation_m"], (3,)),
        )
        lit = stored["light"]["spherical_harmonics"]
        light = Light(_array(lit, (25 if len(lit) > 9 else 9, 3)))
        residual, lean = float(stored["residual_iod"]), float(stored.get("smile_lean", 0))
        if not abs(lean) < 1:
            raise ValueError("a smile_lean between -1 and 1")
        pins, shifts = _pins(stored.get("pins", []))
        sitting = _sitting(stored) if "known" in stored else None
    except (KeyError, TypeError, ValueError, OverflowError) as cause:
        raise UnreadableError(
            f"avatar.json lacks or misspells {cause}.",
            hint="Create the avatar again, or restore the file.",
            id="RECORD_BROKEN",
        ) from cause
    neutral = shape_head(model, identity) + np.tensordot(resting, model.expression, 1)
    neutral = neutral + bend_field(model, pins, shifts)
    fitted = HeadFit(
        identity=identity,
        expression=expression,
        resting=resting,
        camera=camera,
        left_eye_wxyz=left_eye,
        right_eye_wxyz=right_eye,
        neutral=neutral.astype(np.float32),
        posed=pose_head(model, neutral.astype(np.float32), expression, left_eye, right_eye, smile_lean=lean),
        residual_iod=residual,
        smile_lean=lean,
        pins=pins,
        pin_shifts_m=shifts,
    )
    return FitRecord(model.name, fitted, light, sitting)


def _pins(stored: list[dict[str, Any]]) -> tuple[Int32[np.ndarray, "P"], Float32[np.ndarray, "P 3"]]:
    landmarks = np.array([int(pin["landmark"]) for pin in stored], np.int32)
    if not ((landmarks >= 0) & (landmarks < _LANDMARKS)).all():
        raise ValueError(f"pins of {_LANDMARKS} landmarks")
    return landmarks, _array([pin["shift_m"] for pin in stored] or np.zeros((0, 3)), (len(stored), 3))


def _sitting(stored: dict[str, Any]) -> Sitting:
    width, height = (int(side) for side in stored["photo"]["size_px"])
    known = np.asarray(stored["known"], np.float64)
    if known.ndim != 1 or not np.isfinite(known).all() or not 0 < width * height <= _MAX_PIXELS:
        raise ValueError("a photo and what was known of it")
    landmarks = _array(stored["landmarks_px"], (_LANDMARKS, 2))
    return Sitting(str(stored["photo"]["sha256"]), (width, height), landmarks, known)


def _numbers(values: np.ndarray) -> list[float]:
    """Shortest decimals that give back the same float32."""
    return [float(str(value)) for value in np.asarray(values, np.float32)]


def _array(values: object, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(values, np.float32)
    if array.shape != shape:
        raise ValueError(f"shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("finite numbers")
    return array
