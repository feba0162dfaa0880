"""A person from a seed: a photo whose truth agrees with it, all marked as synthetic."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from avatar3d.core.segments import KINDS
from avatar3d.formats.provenance import DIGITAL_SOURCE_TYPE
from avatar3d.head.deform import pose_head, shape_head
from avatar3d.head.load import load_head_model
from avatar3d.people.person import PHOTO_PX, Person, generate_person
from avatar3d.people.truth import photo_bytes, truth_files


@pytest.fixture(scope="module")
def person() -> Person:
    return generate_person(3, 0)


def test_the_same_seed_gives_the_same_bytes(person: Person) -> None:
    again = generate_person(3, 0)
    assert photo_bytes(again) == photo_bytes(person)
    assert truth_files(again, 3, []) == truth_files(person, 3, [])


def test_another_attempt_is_another_person(person: Person) -> None:
    other = generate_person(3, 1)
    assert np.abs(other.portrait.head.sitter.identity - person.portrait.head.sitter.identity).max() > 0.5


def test_the_true_head_seen_by_the_true_camera_has_the_true_landmarks(person: Person) -> None:
    model = load_head_model()
    truth = json.loads(truth_files(person, 3, [])["truth.json"])
    identity, expression = (
        np.array(one, np.float32) for one in (truth["identity"], list(truth["expression"].values()))
    )
    left, right = (np.array(truth[f"{side}_eye_wxyz"], np.float32) for side in ("left", "right"))
    posed = pose_head(model, shape_head(model, identity), expression, left, right)
    corners = posed[model.triangles[model.landmark_triangles]]
    points = np.einsum("nc,ncd->nd", model.landmark_barycentric, corners).astype(np.float32)
    np.testing.assert_allclose(person.camera.project(points), truth["landmarks_px"], atol=0.05)


def test_segments_lie_where_the_landmarks_are(person: Person) -> None:
    lips = person.landmarks_px[[0, 17, 61, 291]].mean(0).round().astype(int)
    around = person.label[lips[1] - 20 : lips[1] + 20, lips[0] - 30 : lips[0] + 30]
    assert (around == KINDS.index("lips")).any()
    chin = person.landmarks_px[152].astype(int)
    assert person.label[10, 10] == KINDS.index("background")
    assert person.label[chin[1] - 12, chin[0]] in (KINDS.index("skin"), KINDS.index("beard"))


def test_every_file_says_that_it_is_synthetic_and_whose_rights_it_bears(person: Person) -> None:
    files = {"photo.png": photo_bytes(person), **truth_files(person, 3, ["FACE_NONE"])}
    for name in ("photo.png", "truth_segments.png", "truth_albedo.png"):
        with Image.open(io.BytesIO(files[name])) as picture:
            assert DIGITAL_SOURCE_TYPE in picture.info["XML:com.adobe.xmp"]
    truth = json.loads(files["truth.json"])
    assert truth["synthetic"] is True
    assert truth["refused_attempts"] == ["FACE_NONE"]
    assert any("Congress" in line for line in truth["licences"])
    assert truth["attributes"]["sex"] in ("female", "male")


def test_segments_are_stored_as_indices(person: Person) -> None:
    stored = truth_files(person, 3, [])["truth_segments.png"]
    with Image.open(io.BytesIO(stored)) as picture:
        assert picture.size == (PHOTO_PX, PHOTO_PX)
        np.testing.assert_array_equal(np.asarray(picture), person.label)
