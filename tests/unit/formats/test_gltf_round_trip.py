"""What save_glb writes, load_glb gives back; and the bytes are always the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar, Material, Mesh, Texture
from avatar3d.core.errors import OutputInvalidError
from avatar3d.formats.glb import read_glb
from avatar3d.formats.gltf import encode_glb, load_glb, save_glb
from tests.synthetic import synthetic_avatar

ARRAYS = ("positions", "normals", "uvs", "triangles", "morphs", "joints", "weights")


def assert_same_mesh(got: Mesh, expected: Mesh) -> None:
    assert (got.name, got.morph_names) == (expected.name, expected.morph_names)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=f"{expected.name} {name}")
        assert getattr(got, name).dtype == getattr(expected, name).dtype


def test_a_dense_file_gives_everything_back_to_the_bit(tmp_path: Path) -> None:
    avatar = synthetic_avatar()
    loaded = load_glb(save_glb(avatar, tmp_path / "egg.glb", lossless_textures=True))
    assert (loaded.name, loaded.extras) == (avatar.name, avatar.extras)
    assert loaded.skeleton.names == avatar.skeleton.names
    np.testing.assert_array_equal(loaded.skeleton.parents, avatar.skeleton.parents)
    np.testing.assert_array_equal(loaded.skeleton.positions, avatar.skeleton.positions)
    for got, expected in zip(loaded.meshes, avatar.meshes, strict=True):
        assert_same_mesh(got, expected)
        for slot in ("base_colour", "normal", "occlusion_roughness_metallic"):
            texture, wanted = getattr(got.material, slot), getattr(expected.material, slot)
            assert (texture is None) == (wanted is None)
            if wanted is not None:
                assert texture.name == wanted.name
                np.testing.assert_array_equal(texture.pixels, wanted.pixels)
        bare = {"base_colour": None, "normal": None, "occlusion_roughness_metallic": None}
        assert vars(replace(got.material, **bare)) == vars(replace(expected.material, **bare))


def test_a_file_that_is_loaded_and_saved_again_is_the_same_file(tmp_path: Path) -> None:
    first = save_glb(synthetic_avatar(), tmp_path / "one.glb", lossless_textures=True)
    second = save_glb(load_glb(first), tmp_path / "two.glb", lossless_textures=True)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("compact", [False, True])
def test_the_same_avatar_gives_the_same_bytes(compact: bool) -> None:
    assert encode_glb(synthetic_avatar(), compact=compact) == encode_glb(synthetic_avatar(), compact=compact)


def test_a_compact_file_is_smaller_and_within_a_micrometre(tmp_path: Path) -> None:
    avatar = synthetic_avatar()
    dense = save_glb(avatar, tmp_path / "dense.glb")
    compact = save_glb(avatar, tmp_path / "compact.glb", compact=True)
    assert compact.stat().st_size < 0.5 * dense.stat().st_size
    for got, expected in zip(load_glb(compact).meshes, avatar.meshes, strict=True):
        assert np.abs(got.morphs - expected.morphs).max(initial=0) < 1e-6
        np.testing.assert_array_equal(got.positions, expected.positions)


def test_skin_as_jpeg_stays_within_a_grey_level(tmp_path: Path) -> None:
    avatar = synthetic_avatar()
    ramp = np.linspace(0, 1, 128)
    shading = 1 - 0.4 * (ramp[:, None] - 0.3) ** 2 - 0.2 * np.cos(9 * ramp[None, :])
    skin = Texture("skin", np.clip(shading[..., None] * [190, 140, 120], 0, 255).astype(np.uint8))
    face = replace(avatar.meshes[0], material=Material("skin", base_colour=skin))
    got = load_glb(save_glb(replace(avatar, meshes=(face,)), tmp_path / "egg.glb")).meshes[0].material.base_colour
    assert got is not None
    assert np.abs(got.pixels.astype(int) - skin.pixels).mean() < 1


def test_avatar_save_and_load_find_this_door(tmp_path: Path) -> None:
    path = synthetic_avatar().save(tmp_path / "egg.glb", compact=True)
    assert Avatar.load(path).meshes[0].name == "face"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The JSON of the egg's file."""
    return read_glb(save_glb(synthetic_avatar(), tmp_path_factory.mktemp("glb") / "egg.glb")).json


class TestTheFile:
    def test_has_one_root_joint_and_no_skinned_mesh_below_another_node(self, document: dict) -> None:
        children = {child for node in document["nodes"] for child in node.get("children", [])}
        roots = [index for index in range(len(document["nodes"])) if index not in children]
        assert document["scenes"][0]["nodes"] == roots
        assert [document["nodes"][root]["name"] for root in roots if "mesh" not in document["nodes"][root]] == ["root"]
        assert len(document["skins"]) == 1

    def test_gives_no_two_nodes_one_name(self, document: dict) -> None:
        names = [node["name"] for node in document["nodes"]]
        assert len(set(names)) == len(names)

    def test_has_one_primitive_and_one_material_per_mesh(self, document: dict) -> None:
        assert all(len(mesh["primitives"]) == 1 for mesh in document["meshes"])

    def test_names_the_shapes_in_both_places(self, document: dict) -> None:
        face = document["meshes"][0]
        assert face["extras"]["targetNames"] == face["primitives"][0]["extras"]["targetNames"]
        assert len(face["extras"]["targetNames"]) == len(face["primitives"][0]["targets"]) == 52

    def test_stores_equal_arrays_and_pictures_once(self, document: dict) -> None:
        teeth = next(mesh for mesh in document["meshes"] if mesh["name"] == "teethLower")
        assert (
            len({target["POSITION"] for target in teeth["primitives"][0]["targets"]}) == 5
        )  # four moves and stillness
        assert [image["name"] for image in document["images"]].count("eye") == 1

    def test_bounds_every_position_accessor(self, document: dict) -> None:
        for mesh in document["meshes"]:
            for primitive in mesh["primitives"]:
                used = [primitive["attributes"]["POSITION"], *(t["POSITION"] for t in primitive.get("targets", []))]
                assert all({"min", "max"} <= document["accessors"][at].keys() for at in used)

    def test_carries_the_marks(self, document: dict) -> None:
        asset = document["asset"]
        assert asset["extras"]["synthetic"] is True
        assert asset["extras"]["licences"]
        assert "avatar3d" in asset["generator"]
        assert "synthetic" in asset["copyright"].lower()


def test_sparse_accessors_have_no_byte_offset_and_no_base_view(tmp_path: Path) -> None:
    document = read_glb(save_glb(synthetic_avatar(), tmp_path / "egg.glb", compact=True)).json
    sparse = [accessor for accessor in document["accessors"] if "sparse" in accessor]
    assert len(sparse) > 50
    for accessor in sparse:
        assert not {"bufferView", "byteOffset"} & accessor.keys()
        assert "byteOffset" not in json.dumps(accessor["sparse"])
        for part in ("indices", "values"):
            assert "target" not in document["bufferViews"][accessor["sparse"][part]["bufferView"]]


class TestSkinWeights:
    def test_a_joint_named_twice_in_a_vertex_is_merged_and_the_sum_made_one(self, tmp_path: Path) -> None:
        avatar = synthetic_avatar()
        eye = avatar.meshes[1]
        joints, weights = eye.joints.copy(), eye.weights.copy()
        joints[0], weights[0] = [2, 2, 3, 5], [0.5, 0.5, 1.0, 0.0]
        changed = replace(avatar, meshes=(avatar.meshes[0], replace(eye, joints=joints, weights=weights)))
        got = load_glb(save_glb(changed, tmp_path / "egg.glb")).meshes[1]
        np.testing.assert_array_equal(got.weights[0], [0.5, 0, 0.5, 0])
        np.testing.assert_array_equal(got.joints[0], [2, 0, 3, 0])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("positions", np.nan, "NaN"),
        ("morphs", np.inf, "NaN"),
        ("normals", 0.0, "unit"),
        ("weights", 0.0, "weight"),
        ("triangles", 10**6, "no vertex"),
        ("joints", 99, "joint"),
    ],
)
def test_a_broken_mesh_is_refused_before_anything_is_written(
    tmp_path: Path, field: str, value: float, message: str
) -> None:
    avatar = synthetic_avatar()
    array = getattr(avatar.meshes[0], field).copy()
    array[3] = value
    broken = replace(avatar, meshes=(replace(avatar.meshes[0], **{field: array}),))
    with pytest.raises(OutputInvalidError, match=message):
        save_glb(broken, tmp_path / "egg.glb")
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_a_lone_surrogate_still_makes_a_file(tmp_path: Path) -> None:
    avatar = replace(synthetic_avatar(), name="caf\udce9 \U0001f600")
    assert load_glb(save_glb(avatar, tmp_path / "egg.glb")).name == "caf? \U0001f600"
