"""A clip in a GLB: sampled back by another reader, and with everything else as it was."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pygltflib
import pytest
from scipy.spatial.transform import Rotation

from avatar3d.core.avatar import Avatar, Mesh
from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES, TONGUE_NAMES, BlendshapeClip, Frame
from avatar3d.core.errors import InputError, LimitError, OutputInvalidError, UnsupportedFormatError
from avatar3d.core.transforms import IDENTITY_WXYZ, matrix_from_quaternion
from avatar3d.formats.animation import save_animated_glb
from avatar3d.formats.check import check_file
from avatar3d.formats.clip_provenance import clip_provenance
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.formats.keyframes import ROTATION_ERROR_RAD, WEIGHT_ERROR, linear_keys, rotation_keys, slerp
from avatar3d.formats.khronos import find_validator, validate
from avatar3d.formats.provenance import provenance_faults
from tests.synthetic import synthetic_avatar
from tests.unit.formats.clips import FULL_LOOK_RAD, talking_clip, turn

ALL_NAMES = (*ARKIT_NAMES, *TONGUE_NAMES)
# The file holds times and values as float32.
FLOAT = 1e-6


@lru_cache
def egg() -> Avatar:
    """The egg with a tongue that speaks and eyeballs that eyeLook turns, as our heads have."""
    meshes = {mesh.name: mesh for mesh in synthetic_avatar().meshes}
    tongue = meshes["tongue"]
    poses = np.stack([np.roll(tongue.morphs[ARKIT_INDEX["tongueOut"]], at, axis=1) for at in range(4)])
    meshes["tongue"] = replace(tongue, morph_names=ALL_NAMES, morphs=np.concatenate([tongue.morphs, poses]))
    for name, side in (("eyeLeft", "Left"), ("eyeRight", "Right")):
        meshes[name] = turned_by_looks(meshes[name], side)
    return replace(synthetic_avatar(), meshes=tuple(meshes.values()))


def turned_by_looks(eye: Mesh, side: str) -> Mesh:
    """An eyeball whose In and Out shapes turn it by all of a look."""
    arms = eye.positions - eye.positions.mean(0)
    morphs = np.zeros((52, len(arms), 3), np.float32)
    outward = 1 if side == "Left" else -1
    for name, angle in (("Out", outward * FULL_LOOK_RAD), ("In", -outward * FULL_LOOK_RAD)):
        morphs[ARKIT_INDEX[f"eyeLook{name}{side}"]] = Rotation.from_rotvec([0, angle, 0]).apply(arms) - arms
    return replace(eye, morph_names=ARKIT_NAMES, morphs=morphs)


@dataclass(frozen=True, eq=False)
class Channel:
    times_s: np.ndarray
    values: np.ndarray
    """[K D]; rotations xyzw."""


class Animated:
    """The animation of a file through pygltflib, interpolated as glTF 2.0, appendix C says."""

    def __init__(self, file: Path) -> None:
        self._gltf = pygltflib.GLTF2().load_binary(str(file))
        (self.animation,) = (each for each in self._gltf.animations if each.name == "talk")
        self.channels: dict[tuple[str, str], Channel] = {}
        for channel in self.animation.channels:
            node = self._gltf.nodes[channel.target.node]
            sampler = self.animation.samplers[channel.sampler]
            assert sampler.interpolation == "LINEAR"
            times = self._floats(sampler.input)
            self.channels[node.name, channel.target.path] = Channel(
                times, self._floats(sampler.output).reshape(len(times), -1)
            )

    def _floats(self, index: int) -> np.ndarray:
        accessor = self._gltf.accessors[index]
        assert accessor.componentType == pygltflib.FLOAT
        view = self._gltf.bufferViews[accessor.bufferView]
        width = {"SCALAR": 1, "VEC4": 4}[accessor.type]
        start = view.byteOffset + (accessor.byteOffset or 0)
        return np.frombuffer(self._gltf.binary_blob(), "<f4", accessor.count * width, start).astype(np.float64)

    def names(self, node: str) -> list[str]:
        mesh = next(each.mesh for each in self._gltf.nodes if each.name == node)
        return self._gltf.meshes[mesh].extras["targetNames"]

    def weights(self, node: str, time_s: float) -> dict[str, float]:
        channel = self.channels[node, "weights"]
        row = [np.interp(time_s, channel.times_s, column) for column in channel.values.T]
        return dict(zip(self.names(node), row, strict=True))

    def rotation(self, node: str, time_s: float) -> Rotation:
        channel = self.channels[node, "rotation"]
        at = int(np.clip(np.searchsorted(channel.times_s, time_s, side="right") - 1, 0, len(channel.times_s) - 2))
        before, after = channel.times_s[at : at + 2]
        share = np.clip((time_s - before) / (after - before), 0, 1)
        first, second = Rotation.from_quat(channel.values[at]), Rotation.from_quat(channel.values[at + 1])
        return first * Rotation.from_rotvec(share * (first.inv() * second).as_rotvec())


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_glb(egg(), tmp_path_factory.mktemp("still") / "egg.glb")


@pytest.fixture(scope="module")
def talking(still: Path) -> Path:
    marks = clip_provenance("sound", "cd" * 32, notes={"seed": 7})
    return save_animated_glb(still, talking_clip(), still.with_name("talking.glb"), provenance=marks)


@pytest.fixture(scope="module")
def animated(talking: Path) -> Animated:
    return Animated(talking)


MORPHING = [mesh.name for mesh in egg().meshes if mesh.morph_names]


def node_of(mesh: str) -> str:
    """A mesh named as a joint has another node's name."""
    return "tongueMesh" if mesh == "tongue" else mesh


class TestWeights:
    def test_of_every_shape_that_moves_a_mesh_are_those_of_the_clip(self, animated: Animated) -> None:
        for mesh in egg().meshes:
            if not mesh.morph_names:
                continue
            moving = [name for name, morph in zip(mesh.morph_names, mesh.morphs, strict=True) if morph.any()]
            assert moving
            for frame in talking_clip().frames:
                got = animated.weights(node_of(mesh.name), frame.time_s)
                meant = dict(zip(ALL_NAMES, [*frame.weights, *frame.tongue], strict=True))
                worst = max(abs(got[name] - meant[name]) for name in moving)
                assert worst <= WEIGHT_ERROR + FLOAT, f"{mesh.name} at {frame.time_s}"

    def test_of_the_face_are_all_52_and_of_the_tongue_four_more(self, animated: Animated) -> None:
        assert animated.names("face") == list(ARKIT_NAMES)
        assert animated.names("tongueMesh") == list(ALL_NAMES)
        assert {node for node, path in animated.channels if path == "weights"} == {node_of(name) for name in MORPHING}

    def test_are_stored_once_for_all_meshes_with_the_same_shapes(self, animated: Animated) -> None:
        weights = [each for each in animated.animation.channels if each.target.path == "weights"]
        assert len({each.sampler for each in weights}) == 2

    def test_of_a_mesh_with_other_shapes_follow_its_own_order(self, tmp_path: Path) -> None:
        lashes = next(mesh for mesh in egg().meshes if mesh.name == "lashes")
        chosen = ("eyeBlinkRight", "shapeOfTheirOwn", "jawOpen")
        morphs = np.stack([lashes.morphs[ARKIT_INDEX["eyeBlinkRight"]]] * 3)
        some = replace(lashes, morph_names=chosen, morphs=morphs)
        avatar = replace(egg(), meshes=tuple(some if mesh.name == "lashes" else mesh for mesh in egg().meshes))
        clip = talking_clip(0.5)
        seen = Animated(save_animated_glb(save_glb(avatar, tmp_path / "a.glb"), clip, tmp_path / "b.glb"))
        for frame in clip.frames:
            got = seen.weights("lashes", frame.time_s)
            assert got["jawOpen"] == pytest.approx(frame.weights[ARKIT_INDEX["jawOpen"]], abs=WEIGHT_ERROR + FLOAT)
            assert got["shapeOfTheirOwn"] == 0


class TestRotations:
    def test_of_the_head_are_those_of_the_clip(self, animated: Animated) -> None:
        for frame in talking_clip().frames:
            apart = animated.rotation("head", frame.time_s).inv() * rotation_of(frame.head_wxyz)
            assert apart.magnitude() <= ROTATION_ERROR_RAD + FLOAT

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_of_the_eyes_and_the_weights_together_look_where_the_clip_looks(
        self, side: str, animated: Animated
    ) -> None:
        eye = next(mesh for mesh in egg().meshes if mesh.name == f"eye{side.title()}")
        for frame in talking_clip().frames[1::5]:
            gaze = rotation_of(getattr(frame, f"{side}_eye_wxyz"))
            seen = animated.rotation(f"{side}Eye", frame.time_s) * ball_turn(
                eye, animated.weights(eye.name, frame.time_s)
            )
            assert gaze.magnitude() > np.radians(10)
            # The joint's own error, and what 0.002 of two weights turn.
            assert (seen.inv() * gaze).magnitude() <= ROTATION_ERROR_RAD + 2 * WEIGHT_ERROR * FULL_LOOK_RAD

    def test_leave_the_whole_gaze_to_the_joints_of_eyes_without_shapes(self, tmp_path: Path) -> None:
        clip = talking_clip(0.5)
        plain = save_glb(synthetic_avatar(), tmp_path / "plain.glb")
        seen = Animated(save_animated_glb(plain, clip, tmp_path / "talking.glb"))
        for frame in clip.frames:
            apart = seen.rotation("leftEye", frame.time_s).inv() * rotation_of(frame.left_eye_wxyz)
            assert apart.magnitude() <= ROTATION_ERROR_RAD + FLOAT

    def test_are_of_no_other_joint_so_that_the_jaw_moves_once(self, animated: Animated) -> None:
        assert {node for node, path in animated.channels if path == "rotation"} == {"head", "leftEye", "rightEye"}
        assert {path for _, path in animated.channels} == {"weights", "rotation"}

    def test_take_the_short_way_whatever_the_signs_of_the_quaternions(self, still: Path, tmp_path: Path) -> None:
        frames = [replace(each, head_wxyz=each.head_wxyz * (-1) ** at) for at, each in enumerate(talking_clip().frames)]
        seen = Animated(save_animated_glb(still, BlendshapeClip(tuple(frames)), tmp_path / "a.glb"))
        values = seen.channels["head", "rotation"].values
        assert (np.sum(values[1:] * values[:-1], axis=1) > 0).all()


def rotation_of(wxyz: np.ndarray) -> Rotation:
    return Rotation.from_matrix(matrix_from_quaternion(wxyz))


def ball_turn(eye: Mesh, weights: dict[str, float]) -> Rotation:
    """How an eyeball stands under its shapes, measured on its vertices."""
    moved = eye.positions + sum(weights[name] * morph for name, morph in zip(eye.morph_names, eye.morphs, strict=True))
    return Rotation.align_vectors(moved - moved.mean(0), eye.positions - eye.positions.mean(0))[0]


def test_on_a_real_head_teeth_open_once_and_both_eyes_look_where_the_clip_looks(tmp_path: Path) -> None:
    from tests.unit.rig.test_assembly import avatar

    head, clip = avatar(), talking_clip(1.0)
    seen = Animated(save_animated_glb(save_glb(head, tmp_path / "a.glb"), clip, tmp_path / "b.glb"))
    jaw = head.skeleton.names.index("jaw")
    teeth = next(mesh for mesh in head.meshes if mesh.name == "teethLower")
    assert (teeth.weights[teeth.joints == jaw] > 0).any(), "they hang on the jaw's joint ..."
    assert ("jaw", "rotation") not in seen.channels, "... which therefore stands still"
    for frame in clip.frames[::6]:
        weights = seen.weights("teethLower", frame.time_s)
        way = sum(weights[name] * morph for name, morph in zip(teeth.morph_names, teeth.morphs, strict=True))
        meant = np.einsum("s,svc->vc", frame.weights, teeth.morphs)
        assert np.abs(way - meant).max() < 4 * WEIGHT_ERROR * 0.05
        for side in ("left", "right"):
            eye = next(mesh for mesh in head.meshes if mesh.name == f"eye{side.title()}")
            gaze = rotation_of(getattr(frame, f"{side}_eye_wxyz"))
            looks = seen.rotation(f"{side}Eye", frame.time_s) * ball_turn(eye, seen.weights(eye.name, frame.time_s))
            assert (looks.inv() * gaze).magnitude() < np.radians(0.2)


class TestTheFile:
    def test_is_as_it_was_but_for_the_animation_and_its_marks(self, still: Path, talking: Path) -> None:
        before, after = read_glb(still), read_glb(talking)
        rest = json.loads(json.dumps(after.json))
        assert rest.pop("animations")
        assert rest["asset"]["extras"].pop("motion")
        for key in ("accessors", "bufferViews"):
            rest[key] = rest[key][: len(before.json[key])]
        rest["buffers"][0]["byteLength"] = before.json["buffers"][0]["byteLength"]
        assert rest == before.json
        assert list(after.json)[:-1] == list(before.json)
        assert after.binary[: len(before.binary)] == before.binary

    def test_still_is_the_avatar(self, still: Path, talking: Path) -> None:
        before, after = load_glb(still), load_glb(talking)
        for old, new in zip(before.meshes, after.meshes, strict=True):
            np.testing.assert_array_equal(new.positions, old.positions)
            np.testing.assert_array_equal(new.morphs, old.morphs)
        assert check_file(talking, khronos=False).failures == ()

    def test_says_where_the_motion_comes_from_and_keeps_the_other_marks(self, talking: Path) -> None:
        extras = read_glb(talking).json["asset"]["extras"]
        assert provenance_faults(extras) == []
        assert extras["motion"]["synthetic"] is True
        assert extras["motion"]["source"]["sha256"] == ["cd" * 32]
        assert extras["motion"]["notes"] == {"seed": 7}

    def test_bounds_its_times_which_rise_from_the_first_frame_to_the_last(
        self, talking: Path, animated: Animated
    ) -> None:
        document = read_glb(talking).json
        for sampler in document["animations"][0]["samplers"]:
            bounds = document["accessors"][sampler["input"]]
            assert (bounds["min"], bounds["max"]) == ([0.0], [2.0])
        for channel in animated.channels.values():
            assert (np.diff(channel.times_s) > 0).all()

    def test_has_fewer_keys_than_the_clip_has_frames(self, animated: Animated) -> None:
        assert len(animated.channels["face", "weights"].times_s) < 0.85 * 121
        assert len(animated.channels["head", "rotation"].times_s) < 0.4 * 121

    def test_spends_two_keys_on_a_pause(self, still: Path, tmp_path: Path) -> None:
        spoken = talking_clip().frames
        rest = [still_frame(2 + at / 60) for at in range(1, 481)]
        seen = Animated(save_animated_glb(still, BlendshapeClip((*spoken, *rest)), tmp_path / "a.glb"))
        for channel in seen.channels.values():
            assert np.count_nonzero(channel.times_s > 2.001) <= 2

    def test_is_the_same_for_the_same_clip(self, still: Path, talking: Path, tmp_path: Path) -> None:
        marks = clip_provenance("sound", "cd" * 32, notes={"seed": 7})
        again = save_animated_glb(still, talking_clip(), tmp_path / "a.glb", provenance=marks)
        assert again.read_bytes() == talking.read_bytes()

    def test_aligns_its_numbers_behind_a_buffer_of_odd_length(self, still: Path, tmp_path: Path) -> None:
        document = read_glb(still)
        odd = json.loads(json.dumps(document.json))
        odd["buffers"][0]["byteLength"] += 1
        (tmp_path / "odd.glb").write_bytes(glb_bytes(odd, document.binary + b"x"))
        talking = save_animated_glb(tmp_path / "odd.glb", talking_clip(0.1), tmp_path / "a.glb")
        assert all(view["byteOffset"] % 4 == 0 for view in read_glb(talking).json["bufferViews"])
        assert Animated(talking).weights("face", 0.1)["jawOpen"] > 0.1

    def test_may_take_the_place_of_the_avatar(self, still: Path, tmp_path: Path) -> None:
        path = tmp_path / "egg.glb"
        path.write_bytes(still.read_bytes())
        save_animated_glb(path, talking_clip(0.2), path)
        assert Animated(path).channels

    def test_passes_the_khronos_validator(self, talking: Path) -> None:
        validator = find_validator()
        if validator is None:
            pytest.skip("no Khronos validator: needs node 20 and npm ci --prefix tests/engine")
        verdict = validate(validator, talking)
        assert (verdict.errors, verdict.warnings, verdict.error_count, verdict.warning_count) == ((), (), 0, 0)


class TestKeys:
    @pytest.mark.parametrize("seed", range(5))
    def test_hold_the_stated_error_on_any_curve(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        times = np.cumsum(random.uniform(0.001, 0.03, 300))
        values = np.cumsum(random.normal(size=(300, 3)), axis=0).astype(np.float32) * np.float32(0.003)
        keys = linear_keys(times, values, WEIGHT_ERROR)
        assert (keys[0], keys[-1]) == (0, 299)
        back = np.stack([np.interp(times, times[keys], values[keys, at]) for at in range(3)], axis=1)
        assert np.abs(back - values).max() <= WEIGHT_ERROR + FLOAT

    def test_are_two_for_a_straight_line_and_one_for_one_frame(self) -> None:
        times = np.arange(1000) / 60
        line = (times[:, None] * np.array([[0.01, -0.02]])).astype(np.float32)
        assert linear_keys(times, line, WEIGHT_ERROR).tolist() == [0, 999]
        assert linear_keys(times[:1], line[:1], WEIGHT_ERROR).tolist() == [0]
        assert linear_keys(times[:2], line[:2], WEIGHT_ERROR).tolist() == [0, 1]

    def test_keep_one_frame_that_stands_out(self) -> None:
        values = np.zeros((500, 1), np.float32)
        values[237] = 0.01
        assert 237 in linear_keys(np.arange(500) / 60, values, WEIGHT_ERROR)

    def test_are_two_for_a_steady_turn_beyond_half_a_circle_of_signs(self) -> None:
        times = np.arange(200) / 60
        wxyz = np.array(
            [turn(0, angle, 0) * (-1) ** at for at, angle in enumerate(np.linspace(0, 2.5, 200))], np.float32
        )
        assert rotation_keys(times, wxyz, ROTATION_ERROR_RAD).tolist() == [0, 199]

    @pytest.mark.parametrize("seed", range(3))
    def test_hold_the_stated_angle_on_any_turn(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        vectors = np.cumsum(random.normal(size=(300, 3)), axis=0) * 0.0005
        wxyz = np.array([turn(*vector) for vector in vectors], np.float32)
        times = np.arange(300) / 60
        keys = rotation_keys(times, wxyz, ROTATION_ERROR_RAD)
        assert 2 < len(keys) < 250
        for start, end in pairwise(keys.tolist()):
            for at in range(start, end):
                share = np.array([(times[at] - times[start]) / (times[end] - times[start])])
                (between,) = slerp(wxyz[start].astype(float), wxyz[end].astype(float), share)
                apart = rotation_of(between.astype(np.float32)).inv() * rotation_of(wxyz[at])
                assert apart.magnitude() <= ROTATION_ERROR_RAD + 5 * FLOAT


def still_frame(time_s: float, **changes: object) -> Frame:
    return replace(Frame(time_s, np.zeros(52, np.float32), IDENTITY_WXYZ, IDENTITY_WXYZ, IDENTITY_WXYZ), **changes)


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        ((), OutputInvalidError),
        ((still_frame(1.0), still_frame(0.5)), OutputInvalidError),
        ((still_frame(-1.0),), OutputInvalidError),
        ((still_frame(0.0, weights=np.full(52, np.nan, np.float32)),), OutputInvalidError),
        ((still_frame(0.0, head_wxyz=np.zeros(4, np.float32)),), OutputInvalidError),
        ((still_frame(1e6), still_frame(1e6 + 1 / 60)), LimitError),
    ],
)
def test_a_clip_that_gltf_cannot_hold_is_refused(
    frames: tuple[Frame, ...], error: type[Exception], still: Path, tmp_path: Path
) -> None:
    with pytest.raises(error):
        save_animated_glb(still, BlendshapeClip(frames), tmp_path / "a.glb")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_of_one_frame_is_one_pose(still: Path, tmp_path: Path) -> None:
    seen = Animated(save_animated_glb(still, BlendshapeClip((still_frame(0.5),)), tmp_path / "a.glb"))
    assert all(len(channel.times_s) == 1 for channel in seen.channels.values())


def test_a_file_that_talks_already_is_refused(talking: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="already"):
        save_animated_glb(talking, talking_clip(), tmp_path / "a.glb")


def without(joint: str) -> Callable[[dict], None]:
    def change(document: dict) -> None:
        next(node for node in document["nodes"] if node.get("name") == joint)["name"] = "renamed"

    return change


def without_known_shapes(document: dict) -> None:
    for mesh in document["meshes"]:
        for item in (mesh, *mesh["primitives"]):
            if "extras" in item:
                item["extras"]["targetNames"] = [f"key{at}" for at in range(len(item["extras"]["targetNames"]))]


def tilted(document: dict) -> None:
    next(node for node in document["nodes"] if node.get("name") == "head")["rotation"] = [0, 0.7071068, 0, 0.7071068]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("head"), "skeleton has no head"),
        (without("leftEye"), "skeleton has no leftEye"),
        (without_known_shapes, "no mesh has blendshapes"),
        (tilted, "rotated"),
        (lambda document: document.pop("skins"), "0 skins"),
        (lambda document: document.update(nodes=[]), ""),
        (lambda document: document["meshes"][0].pop("primitives"), "no primitives"),
        (lambda document: document["accessors"][0].update(count=10**9), "asks for"),
        (lambda document: document.update(animations=7), "not an array"),
    ],
)
def test_a_file_that_is_no_avatar_ends_in_an_error_that_says_why(
    change: Callable[[dict], None], message: str, still: Path, tmp_path: Path
) -> None:
    document = read_glb(still)
    changed = json.loads(json.dumps(document.json))
    change(changed)
    path = tmp_path / "a.glb"
    path.write_bytes(glb_bytes(changed, document.binary))
    with pytest.raises(InputError) as caught:
        save_animated_glb(path, talking_clip(0.1), tmp_path / "b.glb")
    assert message in caught.value.message
    assert not (tmp_path / "b.glb").exists()


def test_a_cut_file_is_refused_wherever_it_is_cut(still: Path, tmp_path: Path) -> None:
    content, path = still.read_bytes(), tmp_path / "a.glb"
    for size in [*range(0, 40, 7), len(content) // 3, len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(InputError):
            save_animated_glb(path, talking_clip(0.1), tmp_path / "b.glb")
