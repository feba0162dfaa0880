"""`create --head` with models of others: ICT's own file, and FLAME and GNM made in their layouts. Slow, so it runs with the engines."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.adopting import add_model
from avatar3d.carry.sheet import Sheet
from avatar3d.converting import convert_clip
from avatar3d.core.blendshapes import ARKIT_NAMES
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.head.load import load_head_model
from avatar3d.head.terms import TERMS
from avatar3d.pipeline import CreateParams, make_avatar
from tests.made_heads import Made, flame_arrays, gnm_arrays, made_head, write_flame

pytestmark = pytest.mark.engine
CLIP = Path(__file__).parents[1] / "golden/rosetta/spoken_with_joy.csv"
SKIN_TRIANGLES = 7790
"""Of FLAME's skin."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder, for all tests of this file."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(home))
    load_head_model.cache_clear()


@pytest.fixture(scope="module")
def made() -> Made:
    return made_head(SKIN_TRIANGLES)


def avatar_of(head: str, portrait: Path, out: Path) -> None:
    """A valid GLB with 52 shapes that move, and the licence in it."""
    made = make_avatar(portrait, CreateParams(head=head, hair="none", report=False), name=head)
    file = save_glb(made.avatar, out / f"{head}.glb")
    assert [finding for finding in check_file(file, khronos=head == "ict").findings if finding.level == "fail"] == []
    face = load_glb(file).mesh("face")
    assert face.morph_names == ARKIT_NAMES
    assert (np.linalg.norm(face.morphs, axis=2).max(1) > 0.001).all()
    assert TERMS[head].line in str(made.avatar.extras)


def errors_mm(head: str, made: Made) -> dict[str, float]:
    """How far our skin lies from where it ought to, along the normal and at all, once both stand alike; mm."""
    own, found = load_head_model(), load_head_model(head).rest.astype(np.float64)
    triangles = own.triangles[own.part("face")]
    skin = np.unique(triangles)
    here, there = found[skin] - found[skin].mean(0), made.truth[skin] - made.truth[skin].mean(0)
    u, _, vt = np.linalg.svd(here.T @ there)
    gap = here @ u @ vt - there
    normals = Sheet(made.truth[skin], np.searchsorted(skin, triangles).astype(np.int64)).normals
    return {
        "along": 1000 * float(np.median(np.abs((gap * normals).sum(1)))),
        "all": 1000 * float(np.median(np.linalg.norm(gap, axis=1))),
    }


@pytest.mark.parametrize("kind", ["flame", "gnm"])
def test_a_made_model_becomes_a_head_of_ours(kind: str, made: Made, shared: Path, tmp_path: Path) -> None:
    if kind == "flame":
        file = write_flame(tmp_path / "generic_model.pkl", flame_arrays(made))
    else:
        file = tmp_path / "gnm_head.npz"
        np.savez(file, **gnm_arrays(made, expression=60))
    bill = add_model(kind, file, accepted=True)
    assert bill["counts"]["identity"] == {"flame": 300, "gnm": 253}[kind]
    assert bill["laid_mm"]["told_share"] > 0.95
    assert bill["rosetta_mm"]["mean"] < 0.5
    found = errors_mm(kind, made)
    assert found["along"] < 0.3
    assert found["all"] < 1.0
    convert_clip(CLIP, kind, tmp_path / "theirs.csv")
    assert convert_clip(tmp_path / "theirs.csv", "arkit", tmp_path / "back.csv")["from"] == kind
    avatar_of(kind, shared / "portraits/biden.jpg", tmp_path)


def test_ict_s_own_file_makes_an_avatar_too(shared: Path, tmp_path: Path) -> None:
    add_model("ict", shared / "head/ict_facekit.npz", accepted=True)
    avatar_of("ict", shared / "portraits/biden.jpg", tmp_path)
