"""The GLB in Godot 3.2, imported by the editor without a window: names, order, every displacement, posed skin."""

from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.formats.gltf import save_glb
from tests.engine.motion import assert_same_motion, see
from tests.engine.test_engines import corrupt_morph
from tests.synthetic import synthetic_avatar

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("who", ["egg", "created"])
def test_godot_moves_every_vertex_as_the_avatar_does(
    who: str, godot: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    avatar: Avatar = synthetic_avatar() if who == "egg" else request.getfixturevalue("created_avatar")
    assert_same_motion(avatar, see(godot, save_glb(avatar, tmp_path / "avatar.glb"), tmp_path / "seen"))


def test_one_wrong_number_of_one_morph_is_caught(godot: list[str], tmp_path: Path) -> None:
    avatar = synthetic_avatar()
    file = save_glb(avatar, tmp_path / "egg.glb")
    corrupt_morph(file, shape=avatar.meshes[0].morph_names.index("mouthPucker"))
    with pytest.raises(AssertionError, match=r"face mouthPucker: vertex \d+ is off by"):
        assert_same_motion(avatar, see(godot, file, tmp_path / "seen"))


def test_compact_files_are_not_for_godot_3(godot: list[str], tmp_path: Path) -> None:
    """It reads sparse accessors wrongly, hence dense shapes by default (docs/decisions/0005)."""
    avatar = synthetic_avatar()
    seen = see(godot, save_glb(avatar, tmp_path / "egg.glb", compact=True), tmp_path / "seen")
    face = avatar.meshes[0]
    off = np.linalg.norm(seen.meshes["face"].displacements - face.morphs, axis=2).max()
    assert off > 0.001
