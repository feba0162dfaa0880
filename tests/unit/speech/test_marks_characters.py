"""Character times (ElevenLabs) become phones by the letters, or as a pronouncer says the words."""

import itertools
import json
from pathlib import Path

import pytest

from avatar3d.core.errors import Avatar3dError, InputError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.cues import Cue
from avatar3d.speech.marks.letters import phones_from_letters, phones_of_word
from avatar3d.speech.marks.read import read_marks
from avatar3d.speech.phones import SILENCE, Phone


def alignment(text: str, step_s: float = 0.1, pauses: dict[str, float] | None = None) -> dict[str, object]:
    """The three lists for a text whose characters all last as long, but for the pauses."""
    starts: list[float] = []
    ends: list[float] = []
    now_s = 0.0
    for letter in text:
        starts.append(round(now_s, 3))
        now_s += (pauses or {}).get(letter, step_s)
        ends.append(round(now_s, 3))
    return {
        "characters": list(text),
        "character_start_times_seconds": starts,
        "character_end_times_seconds": ends,
    }


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "said.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def symbols(phones: tuple[Phone, ...]) -> list[str]:
    return [phone.symbol for phone in phones]


def test_letters_take_the_time_of_their_characters(tmp_path: Path) -> None:
    phones = read_marks(written(tmp_path, {"audio_base64": "", "alignment": alignment("map")}))
    assert phones == (Phone("m", 0.0, 0.1), Phone("a", 0.1, 0.2), Phone("p", 0.2, 0.3))


def test_blanks_belong_to_speech_and_commas_are_pauses(tmp_path: Path) -> None:
    phones = read_marks(written(tmp_path, alignment("ma pa, fo", 0.1, {" ": 0.05, ",": 0.3})))
    assert symbols(phones) == ["m", "a", "p", "a", SILENCE, "f", "o"]
    assert phones[1].end_s == pytest.approx(0.25)
    assert all(one.end_s == pytest.approx(other.start_s) for one, other in itertools.pairwise(phones))


def test_the_normalised_text_is_preferred_for_it_has_the_numbers_spelled_out(tmp_path: Path) -> None:
    document = {"alignment": alignment("2"), "normalized_alignment": alignment("two")}
    assert symbols(read_marks(written(tmp_path, document))) == ["t", "w", "o"]
    document["normalized_alignment"] = None
    with pytest.raises(UnsupportedFormatError, match="Latin"):
        read_marks(written(tmp_path, document))


def test_directions_in_brackets_are_not_spoken(tmp_path: Path) -> None:
    assert symbols(read_marks(written(tmp_path, alignment("[laughs] ma")))) == [SILENCE, "m", "a"]


def test_a_pronouncer_says_whole_words_between_their_first_and_last_letter(tmp_path: Path) -> None:
    said: list[str] = []

    def pronounce(word: str) -> tuple[Phone, ...]:
        said.append(word)
        return (Phone("ð", 0.0, 0.1), Phone("o", 0.1, 0.3), Phone(SILENCE, 0.3, 0.6))

    phones = read_marks(written(tmp_path, alignment("though don't", 0.1)), pronounce=pronounce)
    assert said == ["though", "don't"]
    assert symbols(phones) == ["ð", "o", "ð", "o"]
    assert phones[0].end_s == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ship", ["ʃ", "ɪ", "p"]),
        ("phone", ["f", "o", "n", "ə"]),
        ("queen", ["k", "w", "i", "n"]),
        ("happy", ["h", "a", "p", "i"]),
        ("city", ["s", "ɪ", "t", "i"]),
        ("yes", ["j", "ɛ", "s"]),
        ("house", ["h", "a", "ʊ", "s", "ə"]),
        ("Füße", ["f", "y", "s", "ə"]),
        ("ÇOĞU", ["s", "o", "ɡ", "ʊ"]),
        ("niño", ["n", "ɪ", "ɲ", "o"]),
        ("ça", ["s", "a"]),
        ("đồng", ["d", "o", "ŋ"]),
        ("I'm", ["ɪ", "m"]),
        ("box", ["b", "o", "k", "s"]),
        ("nacional", ["n", "a", "s", "ɪ", "o", "n", "a", "l"]),
        ("İstanbul", ["ɪ", "s", "t", "a", "n", "b", "ʊ", "l"]),
    ],
)
def test_letters_of_many_languages_become_what_lips_show(word: str, expected: list[str]) -> None:
    assert symbols(phones_of_word(word, 0.0, 1.0)) == expected


def test_an_accent_that_comes_as_a_character_of_its_own_does_not_part_a_word(tmp_path: Path) -> None:
    phones = read_marks(written(tmp_path, alignment("de\u0301ja\u0300")))
    assert symbols(phones) == ["d", "ɛ", "dʒ", "a"]
    assert phones[-1].end_s == pytest.approx(0.6)


def test_two_letters_for_one_sound_share_their_time() -> None:
    phones = phones_from_letters((Cue("s", 0.0, 0.1), Cue("h", 0.1, 0.3), Cue("e", 0.3, 0.4)))
    assert phones == (Phone("ʃ", 0.0, 0.3), Phone("ə", 0.3, 0.4))


def test_another_script_is_refused_with_what_helps() -> None:
    with pytest.raises(UnsupportedFormatError) as refused:
        phones_of_word("我们", 0.0, 1.0)
    assert "espeak" in refused.value.hint


@pytest.mark.parametrize("spoiled", [{"characters": "map"}, {"characters": ["m"]}, {"characters": [1, 2, 3]}]
    + [{"character_end_times_seconds": [0.1, float("nan"), 0.3]}, {"character_end_times_seconds": [0.1, True, 0.3]}]
    + [{"character_start_times_seconds": [0.0, -0.5, 0.2]}, {"character_start_times_seconds": [0.2, 0.1, 0.0]}]
    + [{"character_start_times_seconds": [0.0, 10**400, 0.2]}, {"character_start_times_seconds": [0.0, None, 0.2]}])  # fmt: skip
def test_spoiled_lists_end_in_a_typed_error(tmp_path: Path, spoiled: dict[str, object]) -> None:
    with pytest.raises(InputError):
        read_marks(written(tmp_path, alignment("map") | spoiled))


def test_a_text_without_letters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no letters"):
        read_marks(written(tmp_path, alignment(" ... ")))


def test_any_text_at_all_ends_in_phones_or_in_our_errors(tmp_path: Path) -> None:
    for first in range(32, 0x2600, 97):
        text = "".join(map(chr, range(first, first + 40)))
        try:
            read_marks(written(tmp_path, alignment(text)))
        except Avatar3dError:
            continue
