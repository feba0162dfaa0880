"""The only file that imports mediapipe: face boxes, 478 landmarks, person mask.

The models come with mediapipe's wheel (Apache-2.0): BlazeFace short and full range, the attention mesh with irises,
the selfie segmenter. The import is lazy (0.5 s), every graph is built once, everything runs on the CPU and gives the
same numbers every time. The mesh is given the exact square to look at, so no second detector comes between.
"""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

_LOCK = threading.Lock()
MESH_SIDE_PX = 192
"""What the mesh model itself looks at; larger squares are reduced to it."""
MESH_REACH = 1.5
"""Side of the square the mesh model was trained on, in sides of the box around its 468 landmarks."""
_PRESENCE = "facelandmarkcpu__face_presence_score"
_MESH_GRAPH = """
input_stream: "IMAGE:image"
input_stream: "ROI:roi"
input_side_packet: "WITH_ATTENTION:attention"
output_stream: "LANDMARKS:landmarks"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:attention"
  output_stream: "LANDMARKS:landmarks"
}
"""


@dataclass(frozen=True, eq=False)
class FaceBox:
    """A face the detector believes in."""

    centre_px: Float32[np.ndarray, "2"]
    side_px: float
    """Of the square box, brow to chin."""
    score: float
    keypoints_px: Float32[np.ndarray, "6 2"]
    """The person's right eye, left eye, nose tip, mouth, right ear, left ear."""


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Send the C++ libraries' chatter (file descriptor 2) nowhere while a graph is built."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # no stderr at all: nothing to keep quiet
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
def _mediapipe() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        return import_module("mediapipe")  # half a second, only when a face is looked for


@functools.cache
def _detector(full_range: bool) -> Any:
    solution = _mediapipe().solutions.face_detection.FaceDetection
    with _quiet():
        graph = solution(model_selection=int(full_range), min_detection_confidence=0.1)
        graph.process(np.zeros((64, 64, 3), np.uint8))
    return graph


@functools.cache
def _segmenter() -> Any:
    solution = _mediapipe().solutions.selfie_segmentation.SelfieSegmentation
    with _quiet():
        graph = solution(model_selection=0)
        graph.process(np.zeros((64, 64, 3), np.uint8))
    return graph


class _Mesh:
    """The landmark graph, run on a square of our choosing; only used under _LOCK."""

    def __init__(self) -> None:
        package = _mediapipe()
        text_format: Any = import_module("google.protobuf.text_format")
        calculator_pb2: Any = import_module("mediapipe.framework.calculator_pb2")
        rect_pb2: Any = import_module("mediapipe.framework.formats.rect_pb2")
        packet_creator: Any = import_module("mediapipe.python.packet_creator")
        packet_getter: Any = import_module("mediapipe.python.packet_getter")
        bindings = "mediapipe.python._framework_bindings"
        calculator_graph: Any = import_module(f"{bindings}.calculator_graph")
        resource_util: Any = import_module(f"{bindings}.resource_util")
        resource_util.set_resource_dir(str(Path(package.__file__).parent.parent))
        config = text_format.Parse(_MESH_GRAPH, calculator_pb2.CalculatorGraphConfig())
        self._creator, self._getter, self._format = packet_creator, packet_getter, package.ImageFormat.SRGB
        self._whole = rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1.0, height=1.0, rotation=0.0)
        self._landmarks: Any = None
        self._presence = 0.0
        self._time = 0
        with _quiet():
            self._graph = calculator_graph.CalculatorGraph(graph_config=config)
            self._graph.observe_output_stream("landmarks", self._keep_landmarks)
            self._graph.observe_output_stream(_PRESENCE, self._keep_presence)
            self._graph.start_run({"attention": packet_creator.create_bool(True)})
            self.run(np.zeros((MESH_SIDE_PX, MESH_SIDE_PX, 3), np.uint8))

    def _keep_landmarks(self, _stream: str, packet: Any) -> None:
        self._landmarks = self._getter.get_proto(packet)

    def _keep_presence(self, _stream: str, packet: Any) -> None:
        self._presence = float(self._getter.get_float(packet))

    def run(self, square: UInt8[np.ndarray, "S S 3"]) -> tuple[Float32[np.ndarray, "478 3"] | None, float]:
        self._landmarks, self._presence = None, 0.0
        self._time += 1
        image = self._creator.create_image_frame(image_format=self._format, data=np.ascontiguousarray(square))
        self._graph.add_packet_to_input_stream("image", image.at(self._time))
        self._graph.add_packet_to_input_stream("roi", self._creator.create_proto(self._whole).at(self._time))
        self._graph.wait_until_idle()
        if self._landmarks is None:
            return None, self._presence
        points = np.array([(p.x, p.y, p.z) for p in self._landmarks.landmark], np.float32)
        return points * np.float32(square.shape[0]), self._presence


@functools.cache
def _mesh() -> _Mesh:
    return _Mesh()


def detect_faces(pixels: UInt8[np.ndarray, "H W 3"], *, full_range: bool) -> list[FaceBox]:
    """All faces one detector sees, best first; weak ones (score from 0.5 short, 0.6 full range) among them.

    Both shrink the picture (to 128 and 192 px): short range wants faces above a fifth of it, full range a fifteenth.
    """
    height, width = pixels.shape[:2]
    scale = np.array([width, height], np.float32)
    with _LOCK:
        found = _detector(full_range).process(np.ascontiguousarray(pixels)).detections or []
    boxes: list[FaceBox] = []
    for one in found:
        box = one.location_data.relative_bounding_box
        points = np.array([(p.x, p.y) for p in one.location_data.relative_keypoints], np.float32) * scale
        centre = np.array([box.xmin + box.width / 2, box.ymin + box.height / 2], np.float32) * scale
        boxes.append(FaceBox(centre, max(box.width * width, box.height * height), float(one.score[0]), points))
    return sorted(boxes, key=lambda b: -b.score)


def mesh_landmarks(square: UInt8[np.ndarray, "S S 3"]) -> tuple[Float32[np.ndarray, "478 3"] | None, float]:
    """Landmarks (x, y, relative z; pixels of the square) of one upright face filling 1/MESH_REACH of the square.

    Also how sure the model is that a face is there, 0 to 1; the landmarks are None below 0.5.
    """
    with _LOCK:
        return _mesh().run(square)


def person_mask(pixels: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    """How much each pixel belongs to a person, 0 to 1."""
    with _LOCK:
        return np.asarray(_segmenter().process(np.ascontiguousarray(pixels)).segmentation_mask, np.float32)
