"""What `export` writes, opened by other people's programs: every displacement as it was meant."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from avatar3d.core.avatar import Avatar
from avatar3d.core.errors import UsageError
from avatar3d.core.names import renamed
from avatar3d.core.profiles import profile_of
from avatar3d.exporting import prepare
from avatar3d.formats.fbx import save_fbx
from avatar3d.formats.glb import read_glb
from avatar3d.formats.web import find_web_tools, save_web_glb
from tests.engine.motion import SeenAvatar, see, worst_errors_m
from tests.synthetic import synthetic_avatar

TOLERANCE_M = 1e-5
WEB_BYTES = 5_000_000


def apart_m(avatar: Avatar, seen: SeenAvatar) -> float:
    """Largest distance at rest and in any shape."""
    assert set(seen.meshes) == {mesh.name for mesh in avatar.meshes}
    for mesh in avatar.meshes:
        assert seen.meshes[mesh.name].shapes == mesh.morph_names
    errors = worst_errors_m(avatar, seen)
    return max(errors["rest"], errors["shapes"])


@pytest.fixture(scope="session")
def web_tools() -> None:
    try:
        find_web_tools()
    except UsageError as error:
        pytest.skip(f"{error.message} {error.hint}")


@pytest.mark.engine
@pytest.mark.usefixtures("web_tools")
class TestWebBuild:
    def test_three_decodes_every_displacement(self, created_avatar: Avatar, three: list[str], tmp_path: Path) -> None:
        file = save_web_glb(created_avatar, tmp_path / "a.web.glb")
        assert file.stat().st_size < WEB_BYTES
        seen = see(three, file, tmp_path / "seen")
        assert apart_m(created_avatar, seen) < TOLERANCE_M

    def test_keeps_names_licence_and_mark(self, tmp_path: Path) -> None:
        egg = synthetic_avatar()
        file = save_web_glb(egg, tmp_path / "egg.web.glb")
        document = read_glb(file, known=frozenset({"EXT_meshopt_compression", "EXT_texture_webp"}))
        assert document.json["asset"]["extras"] == egg.extras
        face = document.items("meshes")[0]
        assert (
            face["extras"]["targetNames"]
            == face["primitives"][0]["extras"]["targetNames"]
            == list(egg.meshes[0].morph_names)
        )
        assert file.read_bytes() == save_web_glb(egg, tmp_path / "again.web.glb").read_bytes()


@pytest.mark.engine
class TestFbx:
    def test_blender_reads_every_displacement_bone_and_picture(
        self, created_avatar: Avatar, blender: list[str], tmp_path: Path
    ) -> None:
        file = save_fbx(created_avatar, tmp_path / "a.fbx", blender=blender[0])
        seen = see(blender, file, tmp_path / "seen")
        assert apart_m(created_avatar, seen) < TOLERANCE_M
        told = json.loads((tmp_path / "seen" / "motion.json").read_text())
        assert told["bones"] == blenders_order(created_avatar, told["bones"])
        pictures = {
            t.name for m in created_avatar.meshes for t in (m.material.base_colour, m.material.normal) if t is not None
        }
        assert len(told["pictures"]) >= len(pictures)

    def test_a_wrong_displacement_is_caught(self, blender: list[str], tmp_path: Path) -> None:
        egg = synthetic_avatar()
        file = save_fbx(egg, tmp_path / "egg.fbx", blender=blender[0])
        seen = see(blender, file, tmp_path / "seen")
        assert apart_m(egg, seen) < TOLERANCE_M
        seen.meshes["face"].displacements[3, 10, 1] += 2 * TOLERANCE_M
        assert apart_m(egg, seen) > TOLERANCE_M


def blenders_order(avatar: Avatar, bones: Sequence[str]) -> list[str]:
    """The avatar's joints, no leaf more; Blender may list siblings in another order."""
    return sorted(avatar.skeleton.names, key=list(bones).index)


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Avatar, Path]]:
    """Three people of the head model, each as another platform wants it, and the files."""
    from tests.unit.rig.test_assembly import person

    folder = tmp_path_factory.mktemp("people")
    wanted = [
        prepare(person(seed), profile_of(profile))[0].avatar
        for seed, profile in ((4, "vrchat-quest"), (5, "meta-quest"), (6, "crowd"))
    ]
    return [(avatar, avatar.save(folder / f"{at}.glb")) for at, avatar in enumerate(wanted)]


@pytest.mark.engine
@pytest.mark.parametrize("engine", ["babylon", "three", "blender", "godot"])
def test_three_peoples_profiles_open(
    engine: str, people: list[tuple[Avatar, Path]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    command = request.getfixturevalue(engine)
    for avatar, file in people:
        assert apart_m(avatar, see(command, file, tmp_path / file.stem)) < TOLERANCE_M


@pytest.mark.engine
def test_babylon_shows_the_fifteen_visemes(babylon: list[str], tmp_path: Path) -> None:
    egg = renamed(synthetic_avatar(), "oculus15")
    seen = see(babylon, egg.save(tmp_path / "egg.glb"), tmp_path / "seen")
    assert apart_m(egg, seen) < TOLERANCE_M
    assert [name for name in seen.meshes["face"].shapes if name.startswith("viseme_")][:2] == [
        "viseme_sil",
        "viseme_PP",
    ]
