"""The one door to cameras: OpenCV's, which mediapipe brings along."""

from collections.abc import Callable, Generator
from time import monotonic
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8

from avatar3d.core.errors import UnreadableError

_MISSES: Final = 30
"""A camera that gives no picture so many times in a row is gone."""


def camera_pictures(
    source: int | str, *, clock: Callable[[], float] = monotonic
) -> Generator[tuple[float, UInt8[np.ndarray, "H W 3"]]]:
    """Seconds since the first picture, and sRGB pictures, for as long as the camera gives any.

    `source` is the camera's number; OpenCV takes a file's name, too. Close the iterator to let the camera go.
    Raises UnreadableError (10) when there is no such camera.
    """
    camera = cv2.VideoCapture(source)
    try:
        if not camera.isOpened():
            raise UnreadableError(
                f"The camera {source} cannot be opened.",
                hint="Close other programs that use it, or try another number.",
                id="CAMERA_MISSING",
            )
        began_s, last_s, missed = None, -1.0, 0
        while missed < _MISSES:
            there, picture = camera.read()
            if not there:
                missed += 1
                continue
            missed, now_s = 0, clock()
            began_s = now_s if began_s is None else began_s
            if now_s - began_s > last_s:
                last_s = now_s - began_s
                yield last_s, np.ascontiguousarray(picture[..., ::-1], np.uint8)
    finally:
        camera.release()
