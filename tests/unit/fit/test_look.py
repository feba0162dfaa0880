"""What a look at the picture adds to a glance at the landmarks."""

import struct
from importlib import import_module
from typing import Any

import cv2
import numpy as np

from avatar3d.fit.look import face_square, learnt_look, two_looks
from avatar3d.fit.trunk import SIDE_PX, run_trunk
from avatar3d.photo.mesh_layout import MIRROR
from tests.unit.fit.faces import camera_at, default_head, face_of
from tools.head.trunk import Table, mesh_file, read_trunk

# The tensor of MediaPipe's mesh that the last block makes: 6 x 6 x 128.
_LAST_BLOCK = 141
_GRAPH = """
input_stream: "IMAGE:image"
input_side_packet: "MODEL_BLOB:blob"
output_stream: "FLOATS:floats"
node { calculator: "TfLiteModelCalculator" input_side_packet: "MODEL_BLOB:blob" output_side_packet: "MODEL:model" }
node {
  calculator: "ImageToTensorCalculator" input_stream: "IMAGE:image" output_stream: "TENSORS:in"
  options { [mediapipe.ImageToTensorCalculatorOptions.ext] {
    output_tensor_width: 192 output_tensor_height: 192 output_tensor_float_range { min: 0.0 max: 1.0 } } }
}
node {
  calculator: "InferenceCalculatorCpu" input_stream: "TENSORS:in" input_side_packet: "MODEL:model"
  output_stream: "TENSORS:out"
  options { [mediapipe.InferenceCalculatorOptions.ext] { delegate { tflite { } } } }
}
node { calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:out" output_stream: "FLOATS:floats" }
"""


def clouds(seed: int, *, height: int = 400, width: int = 300) -> np.ndarray:
    """A soft coloured picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 6)
    return np.clip((soft - soft.mean()) * 12 + 128, 0, 255).astype(np.uint8)


def some_landmarks() -> np.ndarray:
    """A face of 150 pixels, tilted, in a picture of 300 x 400."""
    head = default_head()
    face = face_of(head, head.rest, camera_at(0.6, yaw_rad=0.1))
    points = face.landmarks_px[:468].astype(np.float64)
    turn = np.array([[0.98, 0.199], [-0.199, 0.98]])
    return (points - points.mean(0)) @ turn * 0.5 + [150, 200]


def mediapipes_answer(square: np.ndarray) -> np.ndarray:
    """Of the wheel's own mesh, told to give out the last block instead of the landmarks."""
    content = bytearray(mesh_file().read_bytes())
    graph = Table(bytes(content), struct.unpack_from("<I", content, 0)[0]).tables(2)[0]
    struct.pack_into("<i", content, graph.vector(2)[0], _LAST_BLOCK)
    import_module("mediapipe.calculators.tensor.image_to_tensor_calculator_pb2")
    import_module("mediapipe.calculators.tensor.inference_calculator_pb2")
    text_format: Any = import_module("google.protobuf.text_format")
    calculator_pb2: Any = import_module("mediapipe.framework.calculator_pb2")
    bindings: Any = import_module("mediapipe.python._framework_bindings.calculator_graph")
    creator: Any = import_module("mediapipe.python.packet_creator")
    getter: Any = import_module("mediapipe.python.packet_getter")
    formats: Any = import_module("mediapipe").ImageFormat
    running = bindings.CalculatorGraph(graph_config=text_format.Parse(_GRAPH, calculator_pb2.CalculatorGraphConfig()))
    answers: list[np.ndarray] = []
    running.observe_output_stream("floats", lambda _, packet: answers.append(np.array(getter.get_float_list(packet))))
    running.start_run({"blob": creator.create_string(bytes(content))})
    running.add_packet_to_input_stream(
        "image", creator.create_image_frame(image_format=formats.SRGB, data=square).at(1)
    )
    running.wait_until_idle()
    return answers[0].reshape(6, 6, 128)


def test_the_layers_in_numpy_answer_as_mediapipe_does() -> None:
    square = clouds(1, height=SIDE_PX, width=SIDE_PX)
    ours = run_trunk(read_trunk(mesh_file().read_bytes()), square).reshape(2, 4, 4, 128)[1]
    theirs = mediapipes_answer(square)[1:5, 1:5]
    assert np.abs(theirs).mean() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_the_stored_layers_are_those_of_mediapipes_wheel() -> None:
    look = learnt_look(default_head().name)
    assert look is not None
    wheel = read_trunk(mesh_file().read_bytes())
    assert set(look.trunk) == set(wheel)
    for name, weights in wheel.items():
        np.testing.assert_array_equal(look.trunk[name], weights, err_msg=name)


def test_a_face_in_a_larger_picture_makes_the_same_square() -> None:
    picture, landmarks = clouds(2), some_landmarks()
    large = cv2.resize(picture, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    near = face_square(picture, landmarks).astype(float) - face_square(large, landmarks * 5)
    assert np.abs(near).mean() < 1.5


def test_the_second_look_sees_the_mirror_image() -> None:
    trunk = read_trunk(mesh_file().read_bytes())
    picture, landmarks = clouds(3), some_landmarks()
    there = landmarks[MIRROR[:468]] * [-1, 1] + [picture.shape[1], 0]
    flipped = two_looks(trunk, np.ascontiguousarray(picture[:, ::-1]), there)
    straight = two_looks(trunk, picture, landmarks)
    off, size = np.abs(flipped[0] - straight[1]).mean(), np.abs(straight[1] - straight[0]).mean()
    assert off < 0.1 * size


def test_a_picture_that_shows_nothing_tells_nothing() -> None:
    head = default_head()
    look = learnt_look(head.name)
    assert look is not None
    assert look.at(face_of(head, head.rest, camera_at(0.6))) is None


def test_a_head_that_no_look_was_learnt_for_has_none() -> None:
    assert learnt_look("some other head") is None
