"""One network, four ways to run it: whole, step by step, many streams in torch, and as an ONNX graph."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from avatar3d.core.audio import AudioChunk
from avatar3d.core.errors import InputError, ModelUntrustedError
from avatar3d.speech.animate import SpeechStream, answer_all, at_rate, hear_chunks
from avatar3d.speech.coarticulate import CONTROL_INDEX, weights_of
from avatar3d.speech.lips import seal
from avatar3d.speech.network.features import RATE_HZ, STEP
from avatar3d.speech.network.golden import golden_vectors
from avatar3d.speech.network.model import (
    DILATIONS,
    LOOKAHEAD_S,
    OUTPUTS,
    SILENT_STEPS,
    STEP_S,
    VOICE,
    WIDTH,
    Network,
    answer,
    draw,
    ease,
    gate,
    listen,
    listening_at_start,
    load_network,
    network_from,
    posteriors,
    shapes,
    silent_features,
)
from avatar3d.speech.network.onnx import export_onnx
from avatar3d.speech.network.torch import Listeners, SpeechNet
from avatar3d.speech.phones import PHONE_INDEX
from avatar3d.speech.train.hearings import features_of

SAME = 1e-5
STEPS = 80


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network()


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Vowel-like buzz that comes and goes, and silence: all of the network's ways are walked."""
    rng = np.random.default_rng(3)
    time_s = np.arange(STEPS * STEP) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * 120 * k * time_s) / k for k in range(1, 20))
    loud = np.repeat(rng.random(STEPS) * (rng.random(STEPS) > 0.3), STEP)
    return (0.1 * loud * buzz + 1e-4 * rng.normal(size=len(time_s))).astype(np.float32)


def steps(sound: np.ndarray) -> np.ndarray:
    return sound.reshape(STEPS, STEP)


def test_step_by_step_answers_what_the_whole_answers(network: Network, sound: np.ndarray) -> None:
    features = features_of(sound)
    memory, rows = listening_at_start(network).memory, []
    for row in features:
        memory, told = answer(network, memory, row)
        rows.append(told)
    np.testing.assert_allclose(np.stack(rows), answer_all(network, features), atol=1e-4, rtol=1e-5)


def test_many_streams_in_torch_answer_as_numpy_does(network: Network, sound: np.ndarray) -> None:
    listeners, state = Listeners(network, 3), listening_at_start(network)
    for step in steps(sound):
        state, alone = listen(network, state, step)
        both = listeners.listen(np.stack([step, 0.5 * step, step]))
        np.testing.assert_allclose(both.controls[2], alone.controls, atol=SAME)
        np.testing.assert_allclose(both.phones[0], alone.phones, atol=SAME)
        assert both.closed[0] == pytest.approx(float(alone.closed), abs=1e-4)


def test_the_exported_graph_answers_as_numpy_does(network: Network, sound: np.ndarray, tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(
        export_onnx(network, tmp_path / "speech.onnx"), providers=["CPUExecutionProvider"]
    )
    told = session.get_modelmeta().custom_metadata_map
    state = listening_at_start(network, 1)
    past, level = state.hearing.past, np.full(1, json.loads(told["level_at_start"]), np.float32)
    memory, drawn = state.memory, state.drawn
    for step in steps(sound):
        state, heard = listen(network, state, step[None])
        given = {"samples": step[None], "past": past, "level": level, "memory": memory, "drawn": drawn}
        weights, tongue, voice, phones, _, past, level, memory, drawn = session.run(None, given)
        controls, tongue_wanted = weights_of(heard.controls)
        np.testing.assert_allclose(weights, seal(controls, heard.closed, heard.tucked), atol=SAME)
        np.testing.assert_allclose(tongue, tongue_wanted, atol=SAME)
        np.testing.assert_allclose(voice, heard.voice, atol=SAME)
        np.testing.assert_allclose(phones, heard.phones, atol=SAME)
    assert json.loads(told["lookahead_s"]) == LOOKAHEAD_S


def test_training_and_running_are_the_same_network(sound: np.ndarray) -> None:
    torch.manual_seed(0)
    net = SpeechNet().eval()
    network = network_from(net.tensors(), {"closed_from": 0.2, "closed_to": 0.6, "tucked_from": 0.2, "tucked_to": 0.6})
    features = features_of(sound)
    after_silence = np.concatenate([np.tile(silent_features(), (SILENT_STEPS, 1)), features])
    with torch.inference_mode():
        trained = net(torch.from_numpy(after_silence)[None])[0, SILENT_STEPS:].numpy()
    np.testing.assert_allclose(trained, answer_all(network, features), atol=SAME)


def test_products_in_bfloat16_answer_nearly_alike_and_factors_of_one_change_nothing(sound: np.ndarray) -> None:
    torch.manual_seed(0)
    net, heard = SpeechNet().eval(), torch.from_numpy(features_of(sound))[None]
    with torch.inference_mode():
        whole = net(heard)
        np.testing.assert_allclose(net(heard, torch.bfloat16), whole, atol=0.05)
        np.testing.assert_array_equal(net(heard, factors=torch.ones(len(DILATIONS), 1, 1, WIDTH)), whole)


def test_chunks_of_any_size_give_the_same_mouth(network: Network, sound: np.ndarray) -> None:
    def mouths(size: int) -> np.ndarray:
        stream, found = SpeechStream.begin(network), []
        for at in range(0, len(sound), size):
            stream, more = stream.push(sound[at : at + size])
            found.extend(more)
        return np.stack([each.weights for each in (*found, *stream.finish())])

    np.testing.assert_allclose(mouths(37), mouths(len(sound)), atol=1e-5)


def test_an_instant_is_known_once_its_future_is_heard_and_no_later(network: Network, sound: np.ndarray) -> None:
    stream, known_s = SpeechStream.begin(network), -1.0
    for at, step in enumerate(steps(sound), start=1):
        stream, found = stream.push(step)
        known_s = found[-1].time_s if found else known_s
        if at * STEP_S > LOOKAHEAD_S:
            assert known_s == pytest.approx(at * STEP_S - LOOKAHEAD_S)


def test_what_is_heard_later_changes_nothing_that_was_told(network: Network, sound: np.ndarray) -> None:
    changed = sound.copy()
    changed[len(sound) // 2 :] = 0
    told = [SpeechStream.begin(network).push(each)[1] for each in (sound, changed)]
    before = [
        np.stack([each.weights for each in found if each.time_s < STEPS * STEP_S / 2 - LOOKAHEAD_S]) for found in told
    ]
    np.testing.assert_array_equal(*before)


def test_the_mouth_is_told_until_the_sound_ends_at_the_rate_asked_for(network: Network, sound: np.ndarray) -> None:
    for rate_hz in (30.0, 60.0, 120.0):
        frames = list(at_rate(hear_chunks(network, [AudioChunk(0.0, RATE_HZ, sound)]), rate_hz))
        times_s = [each.time_s for each, _ in frames]
        np.testing.assert_allclose(times_s, np.arange(len(times_s)) / rate_hz)
        assert times_s[-1] >= len(sound) / RATE_HZ - 1 / rate_hz


def test_sound_at_another_rate_is_refused(network: Network) -> None:
    with pytest.raises(InputError, match="16000 Hz, got 44100"):
        list(hear_chunks(network, [AudioChunk(0.0, 44_100, np.zeros(10, np.float32))]))


def test_a_gate_is_shut_below_and_open_above_its_two_bounds() -> None:
    begins, full = np.array([0.2, 0.1], np.float32), np.array([0.6, 0.3], np.float32)
    told = gate(np.array([[0.1, 0.1], [0.4, 0.2], [1, 1]], np.float32), begins, full)
    np.testing.assert_allclose(told, [[0, 0], [0.5, 0.5], [1, 1]], atol=1e-6)


def test_the_shipped_weights_are_small_and_the_ones_the_bill_names() -> None:
    folder = Path(__file__).parents[3] / "avatar3d" / "speech" / "data"
    stored = (folder / "speech.safetensors").read_bytes()
    bill = json.loads((folder / "speech.json").read_text())
    assert len(stored) < 10_000_000
    assert sha256(stored).hexdigest() == bill["sha256"]
    assert bill["licence"]
    assert 1_000_000 <= sum(int(np.prod(shape)) for shape in shapes().values()) <= 3_000_000


def test_weights_of_another_shape_are_not_trusted(network: Network) -> None:
    tensors = dict(network.tensors)
    tensors["in.bias"] = tensors["in.bias"][:-1]
    gates = {"closed_from": 0.2, "closed_to": 0.6, "tucked_from": 0.2, "tucked_to": 0.6}
    with pytest.raises(ModelUntrustedError):
        network_from(tensors, gates)


def test_a_changed_weight_changes_the_answer(network: Network, sound: np.ndarray) -> None:
    changed = replace(network, tensors=network.tensors | {"out.bias": network["out.bias"] + 1})
    features = features_of(sound)
    assert np.abs(answer_all(changed, features) - answer_all(network, features)).min() > 0.5


def test_the_golden_vectors_are_what_the_exported_graph_answers(network: Network, tmp_path: Path) -> None:
    told = json.loads(golden_vectors(network))
    session = onnxruntime.InferenceSession(
        export_onnx(network, tmp_path / "speech.onnx"), providers=["CPUExecutionProvider"]
    )
    start = listening_at_start(network, 1)
    past, level, memory, drawn = start.hearing.past, start.hearing.level_db, start.memory, start.drawn
    for row in told["steps"]:
        samples = np.array([row["samples"]], np.float32)
        given = {"samples": samples, "past": past, "level": level, "memory": memory, "drawn": drawn}
        weights, tongue, voice, phones, _, past, level, memory, drawn = session.run(None, given)
        for name, value in {"weights": weights, "tongue": tongue, "voice": voice, "phones": phones}.items():
            np.testing.assert_allclose(value[0], row[name], atol=told["within"], err_msg=name)
    spoken = [row["voice"] for row in told["steps"]]
    assert max(spoken) > 0.5 > min(spoken)


def test_a_phone_that_is_heard_for_sure_draws_the_mouth_toward_what_it_asks_for(network: Network) -> None:
    answers = np.zeros((2, OUTPUTS), np.float32)
    answers[0, VOICE + 1 + PHONE_INDEX["a"]] = answers[1, VOICE + 1 + PHONE_INDEX["u"]] = 30
    wide, narrow = draw(network, answers, posteriors(answers))
    jaw, pucker = CONTROL_INDEX["jawOpen"], CONTROL_INDEX["mouthPucker"]
    assert wide[jaw] > narrow[jaw] + 0.05
    assert narrow[pucker] > wide[pucker] + 0.2


def test_a_mouth_eases_toward_what_it_draws_and_is_there_after_two_steps() -> None:
    rest, wide = np.zeros(19, np.float32), np.ones(19, np.float32)
    assert 0 < ease(rest, wide)[0] < 1
    np.testing.assert_allclose(ease(wide, wide), wide)


def test_the_memory_that_an_engine_begins_with_is_that_after_steps_of_zeros(network: Network, tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(
        export_onnx(network, tmp_path / "speech.onnx"), providers=["CPUExecutionProvider"]
    )
    told = session.get_modelmeta().custom_metadata_map
    start = listening_at_start(network, 1)
    memory = np.zeros_like(start.memory)
    given = {"samples": np.zeros((1, STEP), np.float32), "past": start.hearing.past, "drawn": start.drawn}
    for _ in range(json.loads(told["silent_steps"])):
        memory = session.run(["next_memory"], {**given, "memory": memory, "level": start.hearing.level_db})[0]
    np.testing.assert_allclose(memory, start.memory, atol=SAME)


def test_a_stream_begins_at_rest(network: Network) -> None:
    _, heard = listen(network, listening_at_start(network), np.zeros(STEP, np.float32))
    assert heard.controls.max() < 0.02
    assert heard.closed < 0.02
