"""Visemes of Rhubarb, Azure and Oculus become the phones they look like."""

import json
from pathlib import Path

import pytest

from avatar3d.core.errors import Avatar3dError, InputError, LimitError, UnreadableError, UnsupportedFormatError
from avatar3d.speech.marks.read import read_marks
from avatar3d.speech.marks.visemes import dialect_of, phones_from_marks, symbols_of_viseme
from avatar3d.speech.phones import BILABIALS, LABIODENTALS, PHONES, SILENCE, Phone
from avatar3d.speech.voices.tts import VisemeMark, WordMark

# The recording of "Hi" in Rhubarb's README, in its three forms.
TSV = "0.00\tX\n0.05\tD\n0.27\tC\n0.31\tB\n0.43\tX\n0.47\tX\n"
XML = """<?xml version="1.0" encoding="utf-8"?>
<rhubarbResult>
  <metadata><soundFile>hi.wav</soundFile><duration>0.47</duration></metadata>
  <mouthCues>
    <mouthCue start="0.00" end="0.05">X</mouthCue>
    <mouthCue start="0.05" end="0.27">D</mouthCue>
    <mouthCue start="0.27" end="0.31">C</mouthCue>
    <mouthCue start="0.31" end="0.43">B</mouthCue>
    <mouthCue start="0.43" end="0.47">X</mouthCue>
  </mouthCues>
</rhubarbResult>
"""
JSON = """{ "metadata": { "soundFile": "hi.wav", "duration": 0.47 }, "mouthCues": [
    { "start": 0.00, "end": 0.05, "value": "X" }, { "start": 0.05, "end": 0.27, "value": "D" },
    { "start": 0.27, "end": 0.31, "value": "C" }, { "start": 0.31, "end": 0.43, "value": "B" },
    { "start": 0.43, "end": 0.47, "value": "X" } ] }"""
HI = (
    Phone(SILENCE, 0.0, 0.05),
    Phone("ɑ", 0.05, 0.27),
    Phone("ɛ", 0.27, 0.31),
    Phone("s", 0.31, 0.43),
    Phone(SILENCE, 0.43, 0.47),
)


def written(tmp_path: Path, name: str, content: object) -> Path:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "content"), [("hi.tsv", TSV), ("hi.txt", TSV), ("hi.xml", XML), ("hi.json", JSON)])
def test_rhubarbs_three_forms_mean_the_same(tmp_path: Path, name: str, content: str) -> None:
    assert read_marks(written(tmp_path, name, content)) == HI


def test_azures_ticks_become_seconds_and_its_diphthongs_two_phones(tmp_path: Path) -> None:
    events = [(500_000, 0), (1_000_000, 21), (2_000_000, 11), (4_000_000, 0)]
    rows = [{"audio_offset": offset, "viseme_id": viseme} for offset, viseme in events]
    phones = read_marks(written(tmp_path, "azure.json", rows), duration_s=0.6)
    assert [phone.symbol for phone in phones] == [SILENCE, "m", "a", "ɪ", SILENCE]
    assert [phone.start_s for phone in phones] == pytest.approx([0, 0.1, 0.2, 0.32, 0.4])
    assert phones[-1].end_s == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("offset", "viseme"),
    [("AudioOffset", "VisemeId"), ("audioOffset", "visemeId"), ("privAudioOffset", "privVisemeId")],
)
def test_azures_names_in_every_language_of_its_kits_are_known(tmp_path: Path, offset: str, viseme: str) -> None:
    rows = {"visemes": [{offset: 0, viseme: 21, "Animation": ""}, {offset: 1_000_000, viseme: 0}]}
    assert read_marks(written(tmp_path, "azure.json", rows))[0] == Phone("m", 0.0, 0.1)


def test_azures_events_that_only_carry_blendshapes_are_left_out(tmp_path: Path) -> None:
    rows = [{"audio_offset": 1_000_000, "viseme_id": 18}, {"audio_offset": 0, "viseme_id": 0, "animation": "{}"}]
    assert [phone.symbol for phone in read_marks(written(tmp_path, "azure.json", rows))] == [SILENCE, "f"]


def test_a_list_of_oculus_visemes_needs_only_starts(tmp_path: Path) -> None:
    rows = [{"time": 0.0, "viseme": "sil"}, {"time": 0.1, "viseme": "PP"}, {"time": 0.2, "viseme": "ou"}]
    phones = read_marks(written(tmp_path, "oculus.json", rows), duration_s=0.5)
    assert phones == (Phone(SILENCE, 0.0, 0.1), Phone("m", 0.1, 0.2), Phone("u", 0.2, 0.5))
    assert read_marks(written(tmp_path, "o.tsv", "0\tsil\n0.1\tPP\n0.2\tou\n0.5\tsil")) == phones


def test_every_viseme_of_every_dialect_is_a_phone_and_the_lips_are_right() -> None:
    for viseme in map(str, range(22)):
        assert set(symbols_of_viseme("azure", viseme)) <= set(PHONES)
    for viseme in "ABCDEFGHX":
        assert set(symbols_of_viseme("rhubarb", viseme)) <= set(PHONES)
    for viseme in ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"):
        assert set(symbols_of_viseme("oculus", viseme)) <= set(PHONES)
    for dialect, closed, tucked in (("azure", "21", "18"), ("rhubarb", "A", "G"), ("oculus", "PP", "FF")):
        assert set(symbols_of_viseme(dialect, closed)) <= BILABIALS
        assert set(symbols_of_viseme(dialect, tucked)) <= LABIODENTALS


def test_an_unknown_viseme_is_refused() -> None:
    with pytest.raises(InputError, match="azure"):
        symbols_of_viseme("azure", "22")
    with pytest.raises(InputError, match="QQ"):
        dialect_of(["PP", "QQ"])


def test_an_engines_mixed_marks_become_phones_and_its_words_are_left_out() -> None:
    marks = (WordMark("my", 0.0, 0.4), VisemeMark("oculus", "PP", 0.0, 0.1), Phone("a", 0.1, 0.4), Phone("ɪ", 0.4, 0.4))
    assert phones_from_marks(marks) == (Phone("m", 0.0, 0.1), Phone("a", 0.1, 0.4))


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">]>
<rhubarbResult><mouthCue start="0" end="1">&lol2;</mouthCue></rhubarbResult>"""
OUTSIDE = """<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><mouthCue start="0" end="1">&x;</mouthCue></r>"""


@pytest.mark.parametrize("document", [BOMB, OUTSIDE, '<!DOCTYPE r SYSTEM "http://example.com/x.dtd"><r/>'])
def test_a_document_type_is_refused_before_any_entity_is_read(tmp_path: Path, document: str) -> None:
    with pytest.raises(UnsupportedFormatError, match="document type"):
        read_marks(written(tmp_path, "x.xml", document))


@pytest.mark.parametrize(
    "document",
    [
        "<a>" * 100_000,
        "<r>",
        "no xml",
        '<r><mouthCue start="x" end="1">A</mouthCue></r>',
        '<r><mouthCue end="1">A</mouthCue></r>',
    ]
    + ['<?xml version="1.0" encoding="big5"?><r/>', '<?xml version="1.0" encoding="nonsense"?><r/>', "<r/>"],
)
def test_broken_xml_is_an_error_of_ours(tmp_path: Path, document: str) -> None:
    with pytest.raises(InputError):
        read_marks(written(tmp_path, "x.xml", document))


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("[" * 100_000, UnreadableError),
        ('{"a":' * 100_000, UnreadableError),
        ('[{"start": ' + "9" * 10_000 + ', "viseme": "PP"}]', UnreadableError),
        ('[{"start": NaN, "viseme": "PP"}]', UnreadableError),
        ('[{"start": Infinity, "viseme": "PP"}]', UnreadableError),
        ('[{"start": 0.5, "viseme": "PP"}, {"start": 0.2, "viseme": "FF"}]', UnreadableError),
        ('[{"start": -1, "viseme": "PP"}]', UnreadableError),
        ('[{"start": true, "viseme": "PP"}]', UnreadableError),
        ('[{"start": 0, "end": 3, "viseme": "PP"}, {"start": 1, "end": 4, "viseme": "FF"}]', UnreadableError),
        ('[{"start": 1e8, "viseme": "PP"}]', LimitError),
        ('[{"start": 0, "viseme": "??"}]', UnsupportedFormatError),
        ('[{"start": 0, "viseme": 7}]', UnreadableError),
        ('[{"audio_offset": 0, "viseme_id": 22}]', UnsupportedFormatError),
        ('[{"audio_offset": 1e300, "viseme_id": 1}]', UnreadableError),
        ('[{"audio_offset": NaN, "viseme_id": 1}]', UnreadableError),
        ('[{"audio_offset": 0, "viseme_id": 1.5}]', UnreadableError),
        ('[{"audio_offset": 0}]', UnreadableError),
        (
            '[{"audio_offset": 9, "viseme_id": 1}, {"audio_offset": 1000000, "viseme_id": 2}, {"audio_offset": 5, "viseme_id": 3}]',
            UnreadableError,
        ),
        ("[1, 2]", UnreadableError),
        ("[]", UnsupportedFormatError),
        ("{}", UnsupportedFormatError),
        ('"text"', UnsupportedFormatError),
        ("null", UnsupportedFormatError),
        ("{", UnreadableError),
    ],
)
def test_hostile_json_ends_in_a_typed_error(tmp_path: Path, document: str, error: type[Avatar3dError]) -> None:
    with pytest.raises(error):
        read_marks(written(tmp_path, "x.json", document))


@pytest.mark.parametrize(
    "table", ["x\tA", "0.1", "0\tA\n\n0.5", "0\tA\n-1\tB", "nan\tA\n1\tX", "0.5\tA\n0.1\tB", "\x00\x01", "0\t"]
)
def test_hostile_tables_end_in_a_typed_error(tmp_path: Path, table: str) -> None:
    with pytest.raises(InputError):
        read_marks(written(tmp_path, "x.tsv", table))


def test_only_files_of_a_known_kind_and_a_sane_size_are_opened(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFormatError, match="srt"):
        read_marks(written(tmp_path, "x.srt", "0\tA"))
    with pytest.raises(UnreadableError, match="no such file"):
        read_marks(tmp_path / "none.tsv")
    (tmp_path / "folder.tsv").mkdir()
    with pytest.raises(UnreadableError, match="expected a file"):
        read_marks(tmp_path / "folder.tsv")
    with pytest.raises(UnreadableError, match="empty"):
        read_marks(written(tmp_path, "x.tsv", ""))
    binary = tmp_path / "x.json"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableError, match="UTF"):
        read_marks(binary)
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(1_000_000_000)  # a hole: it takes no room
    with pytest.raises(LimitError, match="16 MB"):
        read_marks(huge)
