"""One mesh, one material, one atlas; and hair without cut-outs."""

from dataclasses import replace

import numpy as np

from avatar3d.core.avatar import Texture
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.rig.atlas import place_pictures
from avatar3d.rig.merge import one_mesh, opaque_hair
from avatar3d.rig.textures import limit_textures, metallic_smoothness
from tests.synthetic import synthetic_avatar


def test_pictures_lie_apart_and_inside() -> None:
    places = place_pictures([(1024, 1024), (768, 768), (300, 300), (200, 60), (16, 16)], 1024)
    taken = np.zeros((1024, 1024), int)
    for place in places:
        assert place.left >= 4
        assert place.top >= 4
        assert place.left + place.width + 4 <= 1024
        assert place.top + place.height + 4 <= 1024
        taken[place.top - 4 : place.top + place.height + 4, place.left - 4 : place.left + place.width + 4] += 1
    assert taken.max() == 1
    assert taken.mean() > 0.5


def test_one_mesh_has_everything_the_many_had() -> None:
    egg = synthetic_avatar()
    (whole,) = one_mesh(egg, 256).meshes
    assert len(whole.triangles) == sum(len(mesh.triangles) for mesh in egg.meshes)
    assert whole.morph_names == ARKIT_NAMES
    begin = 0
    for mesh in egg.meshes:
        own = slice(begin, begin := begin + len(mesh.positions))
        np.testing.assert_array_equal(whole.positions[own], mesh.positions)
        np.testing.assert_array_equal(whole.weights[own], mesh.weights)
        for name, morph in zip(whole.morph_names, whole.morphs, strict=True):
            wanted = mesh.morphs[mesh.morph_names.index(name)] if name in mesh.morph_names else 0 * mesh.positions
            np.testing.assert_array_equal(morph[own], wanted)


def test_the_atlas_shows_each_vertex_its_own_colour() -> None:
    egg = synthetic_avatar()
    eye = egg.mesh("eyeLeft")
    red = replace(
        eye, material=replace(eye.material, base_colour=Texture("red", np.full((32, 32, 3), (200, 20, 20), np.uint8)))
    )
    joined = one_mesh(replace(egg, meshes=(egg.meshes[0], red)), 512).meshes[0]
    pixels = joined.material.base_colour.pixels  # type: ignore[union-attr]
    at = np.clip((joined.uvs[len(egg.meshes[0].positions) :] * 512).astype(int), 0, 511)
    assert np.abs(pixels[at[:, 1], at[:, 0], :3].astype(int) - (200, 20, 20)).max() <= 1


def test_roughness_of_each_part_is_in_the_atlas() -> None:
    joined = one_mesh(synthetic_avatar(), 512).meshes[0]
    orm = joined.material.occlusion_roughness_metallic.pixels  # type: ignore[union-attr]
    begin = len(synthetic_avatar().meshes[0].positions)
    at = np.clip((joined.uvs[begin : begin + 60] * orm.shape[0]).astype(int), 0, orm.shape[0] - 1)
    assert abs(float(np.median(orm[at[:, 1], at[:, 0], 1])) - 0.2 * 255) < 12


def test_nothing_is_cut_out_where_nothing_may_be() -> None:
    egg = synthetic_avatar()
    lashes = egg.mesh("lashes")
    pixels = lashes.material.base_colour.pixels.copy()  # type: ignore[union-attr]
    pixels[..., 3] = 255
    pixels[:, pixels.shape[1] // 2 :, 3] = 0  # the right half of each card is cut out
    material = replace(lashes.material, base_colour=Texture("half", pixels))
    solid = opaque_hair(replace(egg, meshes=(*egg.meshes[:-1], replace(lashes, material=material))))
    kept = solid.mesh("lashes")
    assert {mesh.material.alpha_mode for mesh in solid.meshes} == {"OPAQUE"}
    assert 0 < len(kept.triangles) < len(lashes.triangles)
    assert kept.material.base_colour.pixels.shape[2] == 3  # type: ignore[union-attr]


def test_textures_shrink_to_the_limit_and_small_ones_stay() -> None:
    small = limit_textures(synthetic_avatar(), 32)
    sizes = {mesh.name: mesh.material.base_colour.pixels.shape[0] for mesh in small.meshes if mesh.material.base_colour}
    assert sizes == {"face": 32, "eyeLeft": 32, "eyeRight": 32, "lashes": 32}
    assert small.mesh("eyeLeft").material.base_colour is synthetic_avatar().mesh("eyeLeft").material.base_colour


def test_unity_gets_smoothness_where_gltf_has_roughness() -> None:
    face = synthetic_avatar().meshes[0].material
    packed, orm = metallic_smoothness(face), face.occlusion_roughness_metallic.pixels  # type: ignore[union-attr]
    np.testing.assert_array_equal(packed[..., 3], 255 - orm[..., 1])
    np.testing.assert_array_equal(packed[..., 0], orm[..., 2])
