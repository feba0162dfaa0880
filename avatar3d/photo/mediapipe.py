"""The only file that imports mediapipe: face boxes, 478 landmarks, person mask.

The models come with mediapipe's wheel (Apache-2.0): BlazeFace short and full range, the attention mesh with irises,
the selfie segmenter. The import is lazy (0.5 s) and every graph is built once. All run on one CPU, deterministic.
"""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

_LOCK = threading.Lock()
MESH_POINTS = 478
_REACH = 0.5  # of the box's side: what the crop takes beyond the detector's box


@dataclass(frozen=True, eq=False)
class FaceBox:
    """A face the detector believes in."""

    left: float
    top: float
    side: float
    """Of the square box, brow to chin, picture pixels."""
    score: float
    keypoints: Float32[np.ndarray, "6 2"]
    """Picture pixels: eye on the picture's left, eye on its right, nose tip, mouth, ear left, ear right."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send the C++ libraries' chatter (file descriptor 2) nowhere while a graph is built."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


@functools.cache
def _solutions() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        import mediapipe  # noqa: PLC0415  half a second, only when a face is looked for

    return mediapipe.solutions


def _warm(graph: Any) -> Any:
    with _quiet():
        graph.process(np.zeros((64, 64, 3), np.uint8))
    return graph


@functools.cache
def _detector(full_range: bool) -> Any:
    solutions = _solutions()
    with _quiet():
        graph = solutions.face_detection.FaceDetection(model_selection=int(full_range), min_detection_confidence=0.3)
    return _warm(graph)


@functools.cache
def _mesh() -> Any:
    solutions = _solutions()
    with _quiet():
        graph = solutions.face_mesh.FaceMesh(
            static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3
        )
    return _warm(graph)


@functools.cache
def _segmenter() -> Any:
    solutions = _solutions()
    with _quiet():
        graph = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    return _warm(graph)


def detect_faces(pixels: UInt8[np.ndarray, "H W 3"], *, full_range: bool) -> list[FaceBox]:
    """All faces one detector sees. Short range wants faces above a fifth of the picture, full range above a tenth."""
    height, width = pixels.shape[:2]
    scale = np.array([width, height], np.float32)
    with _LOCK:
        found = _detector(full_range).process(np.ascontiguousarray(pixels)).detections or []
    boxes: list[FaceBox] = []
    for one in found:
        box = one.location_data.relative_bounding_box
        points = np.array([(p.x, p.y) for p in one.location_data.relative_keypoints], np.float32) * scale
        side = max(box.width * width, box.height * height)
        centre = ((box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height)
        boxes.append(FaceBox(centre[0] - side / 2, centre[1] - side / 2, side, float(one.score[0]), points))
    return boxes


def mesh_landmarks(square: UInt8[np.ndarray, "S S 3"]) -> Float32[np.ndarray, "478 3"] | None:
    """Landmarks (x, y, relative z) in pixels of a square crop around one upright face; None when no face is there."""
    with _LOCK:
        found = _mesh().process(np.ascontiguousarray(square)).multi_face_landmarks
    if not found:
        return None
    points = np.array([(p.x, p.y, p.z) for p in found[0].landmark], np.float32)
    return points * np.float32(square.shape[0])


def person_mask(pixels: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    """How much each pixel belongs to a person, 0 to 1."""
    with _LOCK:
        return np.asarray(_segmenter().process(np.ascontiguousarray(pixels)).segmentation_mask, np.float32)
