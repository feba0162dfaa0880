import pytest

from avatar3d.core.errors import InputError
from avatar3d.speech.phones import PHONES, Phone, phones_from_arpabet, phones_from_ipa, split_evenly


@pytest.mark.parametrize(
    ("label", "symbols"),
    [
        ("tʃ", ("tʃ",)),
        ("t͡ʃʰ", ("tʃ",)),
        ("ˈaɪ̯", ("a", "ɪ")),
        ("ã", ("a",)),
        ("ç", ("ç",)),
        ("ɑː", ("ɑ",)),
        ("ʁ", ("x",)),
        ("ts", ("t", "s")),
        ("ˈ", ()),
    ],
)
def test_ipa_is_reduced_to_what_a_mouth_shows(label: str, symbols: tuple[str, ...]) -> None:
    assert phones_from_ipa(label) == symbols


def test_a_letter_that_is_no_phone_is_named() -> None:
    with pytest.raises(InputError, match="U\\+4E2D"):
        phones_from_ipa("中")


def test_arpabet_loses_its_stress_and_diphthongs_are_two_phones() -> None:
    assert phones_from_arpabet("AY1") == ("a", "ɪ")
    assert phones_from_arpabet("zh") == ("ʒ",)
    assert phones_from_arpabet("+SPN+") == ("sil",)
    with pytest.raises(InputError):
        phones_from_arpabet("QQ")


def test_a_diphthongs_first_part_lasts_longer_and_nothing_is_lost_between() -> None:
    first, second = split_evenly(("a", "ɪ"), 1.0, 1.2, 1.0)
    assert first.start_s == 1.0
    assert first.end_s == second.start_s == pytest.approx(1.12)
    assert second.end_s == pytest.approx(1.2)
    assert first.stress == 1.0


def test_a_phone_is_of_the_inventory_and_does_not_end_before_it_begins() -> None:
    with pytest.raises(InputError, match="PHONES"):
        Phone("?", 0, 1)
    with pytest.raises(InputError, match="before it begins"):
        Phone("a", 1, 0.5)


def test_no_symbol_is_there_twice() -> None:
    assert len(set(PHONES)) == len(PHONES)
