"""Every shape and a posed joint, vertex by vertex, in engines that other people wrote."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.formats.check import check_file
from avatar3d.formats.glb import glb_bytes, read_glb
from avatar3d.formats.gltf import save_glb
from avatar3d.formats.khronos import find_validator, validate
from tests.engine.motion import assert_same_motion, see
from tests.synthetic import synthetic_avatar

AvatarAndFile = tuple[Avatar, Path]


def test_the_khronos_validator_finds_nothing_to_say(avatar_and_file: AvatarAndFile) -> None:
    validator = find_validator()
    if validator is None:
        pytest.skip("no Khronos validator: needs node 20 and npm ci --prefix tests/engine")
    verdict = validate(validator, avatar_and_file[1])
    assert (verdict.errors, verdict.warnings, verdict.error_count, verdict.warning_count) == ((), (), 0, 0)


def test_our_own_check_passes(avatar_and_file: AvatarAndFile) -> None:
    report = check_file(avatar_and_file[1], khronos=False)
    assert report.failures == ()


@pytest.mark.parametrize(
    "engine",
    ["babylon", pytest.param("three", marks=pytest.mark.engine), pytest.param("blender", marks=pytest.mark.engine)],
)
class TestEngine:
    def test_moves_every_vertex_as_the_avatar_does(
        self, engine: str, avatar_and_file: AvatarAndFile, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        avatar, file = avatar_and_file
        seen = see(request.getfixturevalue(engine), file, tmp_path)
        assert_same_motion(avatar, seen)

    @pytest.mark.parametrize("compact", [False, True])
    def test_is_caught_when_one_number_of_one_morph_is_wrong(
        self, engine: str, compact: bool, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        command = request.getfixturevalue(engine)
        avatar = synthetic_avatar()
        file = save_glb(avatar, tmp_path / "egg.glb", compact=compact)
        corrupt_morph(file, shape=avatar.meshes[0].morph_names.index("mouthPucker"))
        with pytest.raises(AssertionError, match=r"face mouthPucker: vertex \d+ is off by"):
            assert_same_motion(avatar, see(command, file, tmp_path / "seen"))


@pytest.mark.engine
@pytest.mark.parametrize("mesh", ["hair", "lashes"])
def test_three_draws_cards_alike_in_any_order_from_eight_directions(
    mesh: str, created_avatar: Avatar, three: list[str], tmp_path: Path
) -> None:
    turns = draw_order(three, save_glb(created_avatar, tmp_path / "a.glb"), mesh, range(0, 360, 45))
    assert len(turns) == 8
    assert turns[0]["covered"] > 20  # lashes are few pixels, and none from behind
    assert [turn for turn in turns if turn["unlike"] > 0.001] == []


@pytest.mark.engine
def test_hair_that_needs_sorting_is_caught(created_avatar: Avatar, three: list[str], tmp_path: Path) -> None:
    file = save_glb(created_avatar, tmp_path / "a.glb")
    document = read_glb(file)
    hair = next(material for material in document.items("materials") if material["name"] == "hair")
    hair["alphaMode"] = "BLEND"
    del hair["alphaCutoff"]
    file.write_bytes(glb_bytes(document.json, document.binary))
    assert all(seen["unlike"] > 0.02 for seen in draw_order(three, file, "hair", [0, 90]))


def draw_order(three: list[str], file: Path, mesh: str, yaws: Iterable[int]) -> list[dict[str, float]]:
    """Per direction how many pixels a mesh covers, and the share that looks otherwise with its triangles reversed."""
    asked = json.dumps({"name": mesh, "yaws": list(yaws), "fov": 30})
    command = [three[0], str(Path(__file__).with_name("draw_order.mjs")), str(file), asked]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)


def corrupt_morph(file: Path, *, shape: int, by_m: float = 2e-6) -> None:
    """Add two thousandths of a millimetre to one coordinate of one shape of the first mesh."""
    document = read_glb(file)
    target = document.items("meshes")[0]["primitives"][0]["targets"][shape]["POSITION"]
    accessor = document.items("accessors")[target]
    view = accessor["sparse"]["values"]["bufferView"] if "sparse" in accessor else accessor["bufferView"]
    place = document.items("bufferViews")[view]
    binary = bytearray(document.binary)
    numbers = np.frombuffer(binary, "<f4", place["byteLength"] // 4, place["byteOffset"])
    numbers[int(np.argmax(np.abs(numbers)))] += by_m
    file.write_bytes(glb_bytes(document.json, bytes(binary)))
