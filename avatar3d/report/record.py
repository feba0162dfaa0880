"""avatar.json: everything needed to rebuild a fit, and nothing else about the person."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from avatar3d.core.errors import UnreadableError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, Light
from avatar3d.head.deform import pose_head, shape_head

RECORD_VERSION = 1


@dataclass(frozen=True, eq=False)
class FitRecord:
    """A fit and the light it was seen in, as avatar.json keeps them."""

    head: str
    """Name of the head model the coefficients belong to."""
    fitted: HeadFit
    light: Light


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
    except (KeyError, TypeError, ValueError) as cause:
        raise UnreadableError(
            f"avatar.json lacks or misspells {cause}.",
            hint="Create the avatar again, or restore the file.",
            id="RECORD_BROKEN",
        ) from cause
    neutral = shape_head(model, identity) + np.tensordot(resting, model.expression, 1)
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
    )
    return FitRecord(model.name, fitted, light)


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
