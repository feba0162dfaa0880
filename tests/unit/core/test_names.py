"""What others call the 52."""

import numpy as np
import pytest

from avatar3d.core.blendshapes import ARKIT_INDEX, ARKIT_NAMES
from avatar3d.core.names import VISEMES, renamed, target_name, unified_parts, viseme_weights
from tests.synthetic import synthetic_avatar


def test_pure_renamings_lose_no_shape_and_make_none_twice() -> None:
    for naming in ("livelink", "meta"):
        names = [target_name(name, naming) for name in ARKIT_NAMES]
        assert len(set(names)) == 52
    assert target_name("eyeBlinkLeft", "meta") == "eyeBlink_L"
    assert target_name("mouthLeft", "meta") == "mouthLeft"
    assert target_name("eyeBlinkLeft", "livelink") == "EyeBlinkLeft"
    face = renamed(synthetic_avatar(), "meta").meshes[0]
    np.testing.assert_array_equal(face.morphs, synthetic_avatar().meshes[0].morphs)


def test_unified_parts_together_are_the_whole() -> None:
    egg, other = synthetic_avatar().meshes[0], renamed(synthetic_avatar(), "unified").meshes[0]
    theirs = dict(zip(other.morph_names, other.morphs, strict=True))
    for name, morph in zip(egg.morph_names, egg.morphs, strict=True):
        np.testing.assert_allclose(sum(theirs[part] for part in unified_parts(name)), morph, atol=2e-9)
    left = theirs["LipPuckerUpperLeft"] + theirs["LipPuckerLowerLeft"]
    assert np.abs(left[egg.positions[:, 0] < -0.011]).max() == 0


@pytest.mark.parametrize(
    ("naming", "first", "vowel"), [("oculus15", "viseme_sil", "viseme_I"), ("vrchat", "vrc.v_sil", "vrc.v_ih")]
)
def test_fifteen_visemes_are_sums_of_the_52(naming: str, first: str, vowel: str) -> None:
    egg, other = synthetic_avatar().meshes[0], renamed(synthetic_avatar(), naming).meshes[0]  # type: ignore[arg-type]
    at = other.morph_names.index(first)
    assert len(other.morph_names) == at + 15
    told = viseme_weights()["I"]
    wanted = sum(weight * egg.morphs[ARKIT_INDEX[name]] for name, weight in told.items() if name in ARKIT_INDEX)
    np.testing.assert_allclose(other.morphs[other.morph_names.index(vowel)], wanted, atol=1e-7)
    assert not np.any(other.morphs[at])


def test_visemes_are_what_the_houses_speech_shows() -> None:
    from tools.build_visemes import weights

    assert set(viseme_weights()) == set(VISEMES)
    assert viseme_weights()["PP"] == weights("m")
    assert viseme_weights()["aa"] == weights("ɑ")


def test_arkit_is_the_avatar_itself() -> None:
    assert renamed(synthetic_avatar(), "arkit") is synthetic_avatar()
