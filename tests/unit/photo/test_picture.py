"""A picture in which no face is found says why, when it is the picture's fault: blurred, dark or overexposed as a whole."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from avatar3d.core.errors import FaceUnusableError, NoFaceError
from avatar3d.core.photo import Photo
from avatar3d.photo.gates import GateParams, check_picture
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.picture import measure_picture

FACELESS = (
    "camera", "coffee", "chelsea", "rocket", "moon", "coins", "page", "text", "clock", "brick", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "retina", "cell", "microaneurysms", "checkerboard", "logo",
)  # fmt: skip
STEMS = ("020106", "021357", "021721", "021974")


def photo_of(pixels: np.ndarray) -> Photo:
    return Photo("anna", np.ascontiguousarray(pixels), None, None, "")


def outcome(pixels: np.ndarray) -> str:
    """The id of the refusal; "" when the face is taken."""
    try:
        observe_face(photo_of(pixels))
    except (FaceUnusableError, NoFaceError) as error:
        return error.id
    return ""


def portraits(shared: Path) -> list[np.ndarray]:
    found = [next((shared / "portraits").rglob(f"*{stem}*.jpg")) for stem in STEMS]
    return [load_photo(path).pixels for path in found]


def exposed(pixels: np.ndarray, gain: float) -> np.ndarray:
    linear = (pixels / 255.0) ** 2.2 * gain
    return (255 * linear.clip(0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)


def blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Under a Gaussian that is wide enough to be laid over a reduced picture."""
    height, width = pixels.shape[:2]
    step = max(1, int(sigma / 4))
    small = cv2.resize(pixels, (width // step, height // step), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / step), (width, height), interpolation=cv2.INTER_LINEAR)


def test_a_portrait_that_blurs_more_and_more_is_called_blurred_once_it_is_refused(
    shared: Path, astronaut: Path
) -> None:
    for pixels in (load_photo(astronaut).pixels, *portraits(shared)):
        told = [outcome(blurred(pixels, share * max(pixels.shape))) for share in (0.012, 0.02, 0.04, 0.1)]
        refused = told[next(k for k, id in enumerate(told) if id) :]
        assert set(refused) == {"FACE_BLURRED"}


@pytest.mark.parametrize("gains", [(1 / 16, 1 / 256, 1 / 1024, 1 / 8192), (4, 20, 100, 1000)])
def test_a_portrait_in_less_and_less_or_more_and_more_light_is_told_so(shared: Path, gains: tuple[float, ...]) -> None:
    for pixels in portraits(shared):
        told = [outcome(exposed(pixels, gain)) for gain in gains]
        refused = told[next(k for k, id in enumerate(told) if id) :]
        assert set(refused) == {"FACE_EXPOSURE"}


@pytest.mark.parametrize("name", FACELESS)
def test_a_sharp_picture_without_a_face_is_not_called_blurred_dark_or_burnt(name: str) -> None:
    picture = np.asarray(getattr(data, name)())
    pixels = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture[..., :3]
    check_picture(name, measure_picture(np.ascontiguousarray(pixels)))


@pytest.mark.parametrize("level", [60, 128, 240])
def test_a_flat_picture_shows_nothing_and_no_face(level: int) -> None:
    assert outcome(np.full((200, 300, 3), level, np.uint8)) == "FACE_NONE"


def test_the_refusal_names_number_limit_and_cure(astronaut: Path) -> None:
    pixels = cv2.GaussianBlur(load_photo(astronaut).pixels, (0, 0), 0.03 * 512)
    with pytest.raises(
        FaceUnusableError, match=r"blurred over 3\.\d% of its longer side; the limit is 0\.9%"
    ) as refusal:
        observe_face(photo_of(pixels))
    assert refusal.value.exit_code == 15
    assert "camera still" in (refusal.value.hint or "")


@pytest.mark.parametrize("share", [0.015, 0.03, 0.06])
def test_the_blur_of_a_picture_is_measured_within_a_third(share: float, shared: Path) -> None:
    for pixels in portraits(shared):
        seen = measure_picture(cv2.GaussianBlur(pixels, (0, 0), share * max(pixels.shape))).blur
        assert 0.67 * share < seen < 1.34 * share
        assert seen > GateParams().picture_blur
