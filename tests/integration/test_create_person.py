"""A seed becomes a folder: photo, truth and avatar, the same bytes each time."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from avatar3d import generating
from avatar3d.core.errors import FaceUnusableError, NoFaceError
from avatar3d.formats.check import check_file
from avatar3d.formats.gltf import load_glb
from avatar3d.generating import create_person
from avatar3d.head.load import load_head_model
from avatar3d.people.person import generate_person
from avatar3d.people.truth import photo_bytes
from avatar3d.photo.load import decode_photo
from avatar3d.pipeline import CreateParams, Creation, Files, make_avatar
from avatar3d.report.record import record_from_json

SEED = 7
TRUTH = {"photo.png", "truth.json", "truth_segments.png", "truth_albedo.png"}


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return create_person(SEED, tmp_path_factory.mktemp("people") / "person-7", CreateParams())


def test_the_folder_holds_all_that_a_photo_gives_and_the_truth(person: Files) -> None:
    manifest = json.loads((person.folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"person-7.glb", "avatar.json", "preview.png", "report.html"} | TRUTH
    photo = (person.folder / "photo.png").read_bytes()
    assert manifest["photo_sha256"] == hashlib.sha256(photo).hexdigest()
    assert not check_file(person.glb, khronos=False).failures


def test_the_same_seed_gives_the_same_bytes(person: Files, tmp_path: Path) -> None:
    again = create_person(SEED, tmp_path / "person-7", CreateParams(report=False))
    for name in {"person-7.glb", "avatar.json"} | TRUTH:
        assert (again.folder / name).read_bytes() == (person.folder / name).read_bytes(), name


def test_the_avatar_is_what_the_photo_alone_would_give(person: Files) -> None:
    alone = make_avatar(person.folder / "photo.png", CreateParams(), name="person-7")
    own = load_glb(person.glb)
    np.testing.assert_array_equal(alone.avatar.mesh("face").positions, own.mesh("face").positions)


def test_the_avatar_shows_nobody_and_names_the_skins_licence(person: Files) -> None:
    extras = load_glb(person.glb).extras
    assert extras["synthetic"] is True
    assert extras["source"]["kind"] == "generated person"
    assert any("Congress" in line for line in extras["licences"])


def test_the_fitted_camera_looks_from_where_the_true_one_does(person: Files) -> None:
    truth = json.loads((person.folder / "truth.json").read_text())
    record = record_from_json(json.loads((person.folder / "avatar.json").read_text()), load_head_model())
    place = record.fitted.camera.position_m
    true_yaw = truth["pose"]["yaw_rad"]
    # The head turned to its left shows the camera its right side.
    assert np.arctan2(-place[0], place[2]) == pytest.approx(true_yaw, abs=np.radians(6))


def test_a_picture_that_is_refused_is_drawn_again_and_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    observe, seen = generating.observe_face, []

    def strict(photo: object) -> object:
        seen.append(photo)
        if len(seen) == 1:
            raise NoFaceError("There is no face in the picture.")
        return observe(photo)  # type: ignore[arg-type]

    monkeypatch.setattr(generating, "observe_face", strict)
    made = create_person(SEED, tmp_path / "again", CreateParams(report=False, hair="none"))
    assert json.loads((made.folder / "truth.json").read_text())["refused_attempts"] == ["FACE_NONE"]


def test_a_seed_of_which_nothing_can_be_used_says_so_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(_: object) -> None:
        raise NoFaceError("There is no face in the picture.")

    monkeypatch.setattr(generating, "observe_face", never)
    monkeypatch.setattr(generating, "_ATTEMPTS", 2)
    with pytest.raises(FaceUnusableError) as refused:
        create_person(SEED, tmp_path / "none", CreateParams())
    assert (refused.value.id, refused.value.exit_code) == ("PERSON_UNUSABLE", 15)
    assert not (tmp_path / "none").exists()


def test_a_brim_before_the_forehead_is_not_painted_on_it() -> None:
    """Person 18 wears a hat down to the brows: nothing of the forehead is seen, the nose and a cheek are."""
    photo = decode_photo(photo_bytes(generate_person(18, 0)), "hat.png")
    made = make_avatar(photo, CreateParams(hair="none", report=False))
    forehead, below = (151, 10, 67, 297), (4, 205)  # landmarks
    assert max(_believed(made, landmark) for landmark in forehead) < 0.1
    assert min(_believed(made, landmark) for landmark in below) > 0.9


def _believed(made: Creation, landmark: int) -> float:
    """How far the photo is believed at a landmark of the face's texture."""
    model = made.model
    uv = model.landmark_barycentric[landmark] @ model.uvs[model.triangle_uvs[model.landmark_triangles[landmark]]]
    column, row = (uv * len(made.skin.confidence)).astype(int)
    return float(made.skin.confidence[row, column])
