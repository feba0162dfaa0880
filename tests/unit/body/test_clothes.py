"""Nothing pokes through what is worn, whoever wears it and however they move."""

import numpy as np
import pytest

from avatar3d.body.attach import BARE_M
from avatar3d.body.model import load_body_model
from avatar3d.render.raycast import Scene
from avatar3d.render.stage import vertex_normals
from tests.unit.body.bodies import PEOPLE, POSES, dressed, posed, whole

_TUCKED_M = 0.008
_REACH_M = 0.06


def _uncovered(below: np.ndarray, triangles: np.ndarray, over: np.ndarray, over_triangles: np.ndarray) -> np.ndarray:
    """Triangles of the part below of which some place has no cloth outside it."""
    normals = vertex_normals(below, triangles, np.arange(len(below), dtype=np.int32))
    cloth, bare = Scene(over, over_triangles), np.zeros(len(triangles), bool)
    for share in ((1, 1, 1), (8, 1, 1), (1, 8, 1), (1, 1, 8), (4, 4, 1), (4, 1, 4), (1, 4, 4)):
        mean = np.array(share, np.float32) / np.float32(sum(share))
        places, out = (np.einsum("k,fkc->fc", mean, values[triangles]) for values in (below, normals))
        bare |= ~cloth.blocked(places.astype(np.float32), out.astype(np.float32), reach=_REACH_M)
    return bare


def _sheet_size(name: str) -> int:
    """Triangles of a garment without its turned hems, which come after them."""
    return next(len(garment.triangles) for garment in load_body_model().garments if garment.name == name)


def _covered_rows(who: str) -> np.ndarray:
    """Of the body's mesh: vertices well inside neckline and sleeves."""
    model = load_body_model()
    joined = dressed(who).joined.vertices
    depth = {place.tobytes(): depth for place, depth in zip(joined, model.covered_m, strict=True)}
    lift = np.array([0, dressed(who).lift_m, 0], np.float32)
    places = (dressed(who).skin.positions.astype(np.float64) - lift).astype(np.float32)
    near = [depth.get(place.tobytes()) for place in places]
    if None in near:  # the lift rounds: by the nearest place instead
        from scipy.spatial import KDTree

        return model.covered_m[KDTree(joined).query(places)[1]] > _TUCKED_M
    return np.array(near) > _TUCKED_M


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("who", PEOPLE)
def test_no_skin_pokes_through_the_shirt(who: str, pose: str) -> None:
    avatar = whole(who)
    at, body, shirt = posed(avatar, pose), avatar.mesh("body"), avatar.mesh("shirt")
    inside = _covered_rows(who)[body.triangles].all(1)
    assert inside.sum() > 50
    bare = _uncovered(at["body"], body.triangles[inside], at["shirt"], shirt.triangles)
    assert bare.sum() == 0


@pytest.mark.parametrize("pose", ["T", "arms down", "arms up"])  # thighs that rise lift a shirt from below
@pytest.mark.parametrize("who", PEOPLE)
def test_no_trousers_poke_through_the_shirt(who: str, pose: str) -> None:
    avatar = whole(who)
    at, trousers, shirt = posed(avatar, pose), avatar.mesh("trousers"), avatar.mesh("shirt")
    sheet = trousers.triangles[: _sheet_size("trousers")]
    over = Scene(shirt.positions, shirt.triangles)
    middles = trousers.positions[sheet].mean(1) + np.array([0, -_TUCKED_M, 0], np.float32)
    out = trousers.normals[sheet].mean(1)
    tucked = over.blocked(middles.astype(np.float32), out.astype(np.float32), reach=_REACH_M)
    tucked &= trousers.positions[sheet][:, :, 1].min(1) > float(shirt.positions[:, 1].min()) + _TUCKED_M
    assert tucked.sum() > 50
    bare = _uncovered(at["trousers"], sheet[tucked], at["shirt"], shirt.triangles)
    assert bare.sum() == 0


@pytest.mark.parametrize("who", PEOPLE)
def test_hidden_skin_is_left_out(who: str) -> None:
    model = load_body_model()
    kept = len(dressed(who).skin.triangles)
    hidden = int((model.covered_m[model.triangles].min(1) >= BARE_M).sum())
    assert len(model.triangles) - hidden <= kept <= len(model.triangles) - hidden + 100
    assert kept < 0.5 * len(model.triangles)


def test_clothes_are_whole() -> None:
    for name in ("shirt", "trousers", "shoes"):
        mesh = whole("man").mesh(name)
        corners = mesh.positions[mesh.triangles]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        assert (area > 1e-9).all()
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
        assert mesh.uvs.min() >= 0
        assert mesh.uvs.max() <= 1


def test_with_the_longest_hair_a_whole_body_stays_within_its_triangles() -> None:
    body = sum(len(whole("man").mesh(name).triangles) for name in ("body", "shirt", "trousers", "shoes"))
    head_without_hair, longest_hair = 14_000, 11_700
    assert body + head_without_hair + longest_hair <= 35_000
