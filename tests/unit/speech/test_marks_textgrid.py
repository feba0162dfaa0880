"""Praat's TextGrid: both forms, its encodings, phones in IPA or ARPABET, and what a hostile file does."""

from pathlib import Path

import pytest

from avatar3d.core.errors import Avatar3dError, InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.read import read_marks
from avatar3d.speech.marks.textgrid import read_tiers
from avatar3d.speech.phones import SILENCE, Phone

LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1.0
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "TextTier"
        name = "bell"
        xmin = 0
        xmax = 1.0
        points: size = 1
        points [1]:
            number = 0.5
            mark = "say ""hi"" now"
    item [2]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1.0
        intervals: size = 1
        intervals [1]:
            xmin = 0.1
            xmax = 0.7
            text = "my"
    item [3]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1.0
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.1
            text = ""
        intervals [2]:
            xmin = 0.1
            xmax = 0.2
            text = "m"
        intervals [3]:
            xmin = 0.2
            xmax = 0.7
            text = "ˈaɪ"
        intervals [4]:
            xmin = 0.7
            xmax = 1.0
            text = "sil"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
1.0
<exists>
1
"IntervalTier"
"speaker one - phones"
0
1.0
4
0
0.1
"sil"
0.1 0.2 "M"   ! a comment with 3 numbers and "text"
0.2
0.7
"AY1"
0.7
1.0
"sp"
"""
MY = (
    Phone(SILENCE, 0.0, 0.1),
    Phone("m", 0.1, 0.2),
    Phone("a", 0.2, 0.5, 1.0),
    Phone("ɪ", 0.5, 0.7, 1.0),
    Phone(SILENCE, 0.7, 1.0),
)


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "said.TextGrid"
    path.write_bytes(text.encode(encoding))
    return path


def one_tier(name: str, *intervals: tuple[object, object, str]) -> str:
    lines = [
        "File type =",
        '"ooTextFile"',
        '"TextGrid"',
        "0",
        "9",
        "<exists>",
        "1",
        '"IntervalTier"',
        f'"{name}"',
        "0",
        "9",
    ]
    lines.append(str(len(intervals)))
    for start, end, label in intervals:
        lines.extend((str(start), str(end), f'"{label}"'))
    return "\n".join(lines)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_long_form_is_read_in_every_encoding_that_praat_writes(tmp_path: Path, encoding: str) -> None:
    same(read_marks(written(tmp_path, LONG, encoding)), MY)


def same(phones: tuple[Phone, ...], expected: tuple[Phone, ...]) -> None:
    assert [(phone.symbol, phone.stress) for phone in phones] == [(phone.symbol, phone.stress) for phone in expected]
    for phone, other in zip(phones, expected, strict=True):
        assert (phone.start_s, phone.end_s) == pytest.approx((other.start_s, other.end_s))


def test_the_short_form_with_comments_and_arpabet_means_the_same(tmp_path: Path) -> None:
    same(read_marks(written(tmp_path, SHORT)), MY)


def test_big_endian_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "said.TextGrid"
    path.write_bytes(b"\xfe\xff" + LONG.encode("utf-16-be"))
    same(read_marks(path), MY)


def test_points_and_doubled_quotes_are_passed_over(tmp_path: Path) -> None:
    assert [tier.name for tier in read_tiers(LONG, tmp_path)] == ["words", "phones"]
    quoted = one_tier("words", (0, 1, 'a ""b"" c'))
    assert read_tiers(quoted, tmp_path)[0].cues[0].label == 'a "b" c'


def test_words_alone_become_phones_by_their_letters_or_as_someone_says_them(tmp_path: Path) -> None:
    path = written(tmp_path, one_tier("words", (0, 0.2, ""), (0.2, 0.6, "pub"), (0.6, 1, "map")))
    assert [phone.symbol for phone in read_marks(path)] == [SILENCE, "p", "ʊ", "b", "m", "a", "p"]
    spoken = {"pub": (Phone("p", 5.0, 5.1), Phone("ʌ", 5.1, 5.3), Phone("b", 5.3, 5.4)), "map": ()}
    said = read_marks(path, pronounce=spoken.__getitem__)
    same(said, (Phone(SILENCE, 0, 0.2), Phone("p", 0.2, 0.3), Phone("ʌ", 0.3, 0.5), Phone("b", 0.5, 0.6)))


def test_small_letters_of_arpabet_are_told_from_ipa(tmp_path: Path) -> None:
    arpabet = written(tmp_path, one_tier("phones", (0, 1, "hh"), (1, 2, "iy"), (2, 3, "b"), (3, 4, "h#")))
    assert [phone.symbol for phone in read_marks(arpabet)] == ["h", "i", "b", SILENCE]
    ipa = written(tmp_path, one_tier("Phonemes", (0, 1, "b"), (1, 2, "iː"), (2, 3, "tʃ"), (3, 4, "spn")))
    assert [phone.symbol for phone in read_marks(ipa)] == ["b", "i", "tʃ", SILENCE]
    french = written(tmp_path, one_tier("phones", (0, 1, "l"), (1, 2, "y")))
    assert [phone.symbol for phone in read_marks(french)] == ["l", "y"]


def test_a_gap_between_intervals_is_a_pause_and_a_hairs_breadth_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, one_tier("phones", (0, 1, "m"), (1.01, 2, "a"), (2.5, 3, "p")))
    same(read_marks(path), (Phone("m", 0, 1.01), Phone("a", 1.01, 2), Phone(SILENCE, 2, 2.5), Phone("p", 2.5, 3)))


@pytest.mark.parametrize(
    ("intervals", "error"),
    [
        ([(1, 2, "m"), (0, 1, "a")], UnreadableError),
        ([(0, 2, "m"), (1, 3, "a")], UnreadableError),
        ([(-1, 2, "m")], UnreadableError),
        ([(2, 1, "m")], UnreadableError),
        ([("nan", 1, "m")], UnreadableError),
        ([("1e999", "1e999", "m")], UnreadableError),
        ([(0, 1e9, "m")], LimitError),
        ([(0, 1, "Ж")], UnreadableError),
    ],
)
def test_times_and_labels_that_cannot_be_are_refused(
    tmp_path: Path, intervals: list[tuple[object, object, str]], error: type[InputError]
) -> None:
    with pytest.raises(error) as refused:
        read_marks(written(tmp_path, one_tier("phones", *intervals)))
    assert refused.value.file is not None


def test_no_tier_of_phones_or_words_is_told_with_the_tiers_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="'Mary'"):
        read_marks(written(tmp_path, one_tier("Mary", (0, 1, "m"))))


def test_a_binary_grid_is_told_how_to_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "x.TextGrid"
    path.write_bytes(b"ooBinaryFile\x08TextGrid")
    with pytest.raises(UnsupportedFormatError, match="text file"):
        read_marks(path)


def test_a_file_cut_anywhere_never_ends_in_anything_but_phones_or_our_errors(tmp_path: Path) -> None:
    for length in range(0, len(LONG), 7):
        try:
            read_marks(written(tmp_path, LONG[:length]))
        except Avatar3dError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        one_tier("phones").removesuffix("0") + "1000000000",
        one_tier("phones").removesuffix("0") + "1000000",
        one_tier("phones").removesuffix("0") + "-1",
        one_tier("phones").removesuffix("0") + "1.5",
        SHORT.replace("<exists>", "<absent>"),
        '"' * 200_001,
        'File type = "ooTextFile" "TextGrid" 0 1 <exists> 1000000',
        "1" * 300_000,
    ],
)
def test_lying_counts_and_endless_quotes_end_quickly_in_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(Avatar3dError):
        read_marks(written(tmp_path, text))
