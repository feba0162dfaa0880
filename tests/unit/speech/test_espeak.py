"""espeak-ng's voice: quick, interruptible, in a process of its own, with closures where they are heard."""

import importlib.util
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.errors import AudioUnusableError, LimitError, MissingExtraError, UsageError
from avatar3d.speech.phones import SILENCE, VOWELS, Phone
from avatar3d.speech.voices import espeak, espeak_link
from avatar3d.speech.voices.espeak import Espeak, Manner, find_voice, pronouncer, speak_phones
from avatar3d.speech.voices.espeak_link import Library, Link, find_library
from avatar3d.speech.voices.tts import TTS, WordMark, load_voice

TWELVE_WORDS = "Peter put the paper back, and the captain kept a big dog."
LONG = "The boat is on the river and the man is in the boat. " * 200


@pytest.fixture(scope="module")
def voice() -> Espeak:
    try:
        return Espeak()
    except MissingExtraError as absent:
        pytest.skip(absent.message)


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch, voice: Espeak) -> Iterator[list[Link]]:
    """The processes that are started from now on, by a voice that has none yet."""
    started: list[Link] = []

    class Remembered(Link):
        def __init__(self, library: Library) -> None:
            super().__init__(library)
            started.append(self)

    monkeypatch.setattr(espeak, "Link", Remembered)
    yield started
    for link in started:
        link.kill()


def test_phones_fill_the_whole_sound_without_gap_or_overlap(voice: Espeak) -> None:
    for language, text in (
        ("en-us", TWELVE_WORDS),
        ("de", "Der Bäcker packt zwei Äpfel ein."),
        ("cmn", "我们去北京看朋友。"),
    ):
        samples, rate_hz, phones = speak_phones(text, language)
        assert phones[0].start_s == 0
        assert phones[-1].end_s == pytest.approx(len(samples) / rate_hz, abs=1e-6)
        for one, other in itertools.pairwise(phones):
            assert one.end_s == pytest.approx(other.start_s, abs=1e-6)
            assert other.end_s > other.start_s


@pytest.mark.parametrize("variant", ["", "f3", "m2", "Alicia"])
def test_every_voiceless_stop_between_sounds_contains_its_closure(voice: Espeak, variant: str) -> None:
    samples, rate_hz, phones = speak_phones(TWELVE_WORDS, "en-us", Manner(variant=variant))
    lengths = [
        phone.end_s - phone.start_s
        for before, phone in itertools.pairwise(phones)
        if phone.symbol in "ptk" and before.symbol in VOWELS
    ]
    assert len(lengths) >= 5
    assert min(lengths) > 0.055  # a closure of 39 ms and a burst; its event alone would leave 20 to 40
    if not variant:
        for phone in phones:
            if phone.symbol in "ptk" and phone.start_s > 0:
                closed = samples[round(phone.start_s * rate_hz) : round((phone.start_s + 0.019) * rate_hz)]
                assert np.abs(closed).max() < 1e-3
                assert np.abs(samples[round(phone.start_s * rate_hz) : round(phone.end_s * rate_hz)]).max() > 0.005


def test_pauses_are_silent_and_vowels_are_not(voice: Espeak) -> None:
    samples, rate_hz, phones = speak_phones(TWELVE_WORDS, "en-us")
    for phone in phones:
        part = np.abs(samples[round(phone.start_s * rate_hz) : round(phone.end_s * rate_hz)])
        assert part.max() < 0.02 if phone.symbol == SILENCE else part.max() > 0.005, phone


def test_words_are_marked_where_they_stand_in_the_text_and_in_the_sound(voice: Espeak) -> None:
    text = "Größe 𝄞 <b>naïve</b> boat"
    pieces = list(voice.speak(text, language="en"))
    words = [mark for piece in pieces for mark in piece.marks if isinstance(mark, WordMark)]
    assert {"Größe", "naïve", "boat"} <= {word.text for word in words}
    for word in words:
        assert text[word.position :].startswith(word.text)
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in itertools.pairwise(words))


def test_stress_is_told(voice: Espeak) -> None:
    phones = speak_phones("banana", "en-us")[2]
    stressed = [phone.symbol for phone in phones if phone.stress == 1.0]
    if not stressed:
        pytest.skip("this espeak-ng (before 1.52) tells no stress in its events")
    assert stressed == ["æ"]


def quickest(attempt: Callable[[], float], limit_s: float) -> float:
    """The best of up to ten attempts: other work on this machine takes turns with ours."""
    best_s = attempt()
    for _ in range(9):
        if best_s < limit_s:
            break
        best_s = min(best_s, attempt())
    return best_s


@pytest.mark.skipif(sys.platform == "win32", reason="counts the processor time of ended processes")
def test_the_first_sound_of_twelve_words_takes_150_ms_of_work_from_a_cold_start(voice: Espeak) -> None:
    # Work, not waiting: on a machine that does nothing else they are the same (33 ms measured), and tests share theirs.
    def attempt() -> float:
        before = os.times()
        stream = Espeak().speak(TWELVE_WORDS, language="en-us")
        first = next(stream)
        stream.close()
        after = os.times()
        assert any(isinstance(mark, Phone) for mark in first.marks)
        return sum(after[:4]) - sum(before[:4])

    assert quickest(attempt, 0.15) < 0.15


def test_closing_the_stream_ends_the_process_within_50_ms(links: list[Link]) -> None:
    def attempt() -> float:
        stream = Espeak().speak(LONG, language="en")
        next(stream)
        working = links[-1]
        began = time.perf_counter()
        stream.close()
        took_s = time.perf_counter() - began
        assert not working.alive
        return took_s

    assert quickest(attempt, 0.05) < 0.05


def test_after_an_interruption_a_warm_process_waits(links: list[Link]) -> None:
    voice = Espeak()
    stream = voice.speak(LONG, language="en")
    next(stream)
    stream.close()
    assert links[-1].alive
    count = len(links)
    list(voice.speak("hello", language="en"))
    assert len(links) == count


def test_one_process_serves_many_sentences(links: list[Link]) -> None:
    voice = Espeak()
    for number in range(20):
        assert list(voice.speak(f"Sentence {number}.", language="en"))
    assert len(links) == 1


def test_two_streams_at_once_do_not_mix(voice: Espeak) -> None:
    alone = [piece.audio.samples for piece in Espeak().speak(TWELVE_WORDS, language="en")]
    here, there = (
        Espeak().speak(TWELVE_WORDS, language="en"),
        Espeak().speak("Guten Morgen, liebe Leute.", language="de"),
    )
    mixed = []
    for piece in here:
        mixed.append(piece.audio.samples)
        next(there, None)
    np.testing.assert_array_equal(np.concatenate(mixed), np.concatenate(alone))


def test_the_same_calls_give_the_same_samples(voice: Espeak) -> None:
    def calls() -> np.ndarray:
        fresh = Espeak()
        texts = ("Sixty fish.", "Swim south.")
        return np.concatenate([piece.audio.samples for text in texts for piece in fresh.speak(text, voice="whisper")])

    first = calls()
    time.sleep(1.1)  # a seed from the clock counts seconds
    np.testing.assert_array_equal(calls(), first)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_dies_is_an_error_and_the_next_text_is_spoken(links: list[Link]) -> None:
    voice = Espeak()
    stream = voice.speak(LONG, language="en")
    next(stream)
    os.kill(links[-1].pid, signal.SIGKILL)
    with pytest.raises(AudioUnusableError) as died:
        list(stream)
    assert died.value.id == "VOICE_DIED"
    assert list(voice.speak("hello", language="en"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_that_died_while_idle_is_replaced(links: list[Link]) -> None:
    voice = Espeak()
    list(voice.speak("hello", language="en"))
    os.kill(links[-1].pid, signal.SIGKILL)
    time.sleep(0.1)
    assert list(voice.speak("hello", language="en"))
    assert len(links) == 2


def process_that_spoke(text: str) -> int:
    speak_phones(text, "en")
    return espeak._shared()._idle[-1].pid


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_talks_to_a_process_of_its_own_and_leaves_ours_alive(voice: Espeak) -> None:
    ours = process_that_spoke("hello")
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(process_that_spoke, ("hello",)) != ours
    assert process_that_spoke("hello") == ours


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux to look")
def test_the_library_is_never_loaded_into_our_own_process(voice: Espeak) -> None:
    speak_phones("hello", "en")
    assert "libespeak" not in Path("/proc/self/maps").read_text()
    assert "espeakng_loader" not in sys.modules


def test_a_missing_package_is_named_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak_link, "find_spec", lambda name: None)
    monkeypatch.setattr(espeak_link.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "avatar3d\[espeak\]"'):
        Espeak()


def test_a_broken_library_is_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "libespeak-ng.so"
    broken.write_bytes(b"no library")
    with pytest.raises(AudioUnusableError) as failed:
        _ = Link(Library(str(broken), "")).catalogue
    assert failed.value.id == "VOICE_DIED"


def test_missing_data_is_an_error(voice: Espeak, tmp_path: Path) -> None:
    with pytest.raises(AudioUnusableError):
        _ = Link(Library(find_library().path, str(tmp_path / "none"))).catalogue


def test_the_systems_library_speaks_as_well() -> None:
    import ctypes.util

    system = ctypes.util.find_library("espeak-ng")
    if system is None:
        pytest.skip("no espeak-ng in the system")
    link = Link(Library(system, ""))
    assert len(link.catalogue.voices) > 80
    link.kill()


def test_over_a_hundred_languages_are_listed_and_none_without_its_dictionary(voice: Espeak) -> None:
    languages = voice.languages
    assert len(languages) > 100
    assert {"en-us", "de", "fr", "es", "cmn", "ja", "hi", "ar", "ru", "sw"} <= set(languages)
    assert not any(language.startswith("mb") for language in languages)
    assert "f3" in voice.variants


def test_a_language_whose_dictionary_is_absent_is_not_listed(voice: Espeak, tmp_path: Path) -> None:
    library = find_library()
    if not library.data:
        pytest.skip("the system's espeak-ng keeps its data to itself")
    for entry in Path(library.data).iterdir():
        if entry.name != "de_dict":
            (tmp_path / entry.name).symlink_to(entry)
    link = Link(Library(library.path, str(tmp_path)))
    languages = link.catalogue.voices.keys()
    link.kill()
    assert "de" not in languages
    assert {"en-us", "fr", "nl"} <= languages


def test_a_language_tag_with_an_unknown_region_is_shortened() -> None:
    voices = {"de": "gmw/de", "en-us": "gmw/en-US", "en": "gmw/en"}
    assert find_voice("de_AT", voices) == "gmw/de"
    assert find_voice("EN-us", voices) == "gmw/en-US"
    assert find_voice("en-Latn-NZ", voices) == "gmw/en"


def test_an_unknown_language_is_answered_with_near_ones(voice: Espeak) -> None:
    with pytest.raises(UsageError, match="fi"):
        voice.speak("hei", language="fin-nish")
    with pytest.raises(UsageError, match="does not speak 'xx'"):
        voice.speak("hei", language="xx")
    with pytest.raises(UsageError, match="f3"):
        voice.speak("hei", voice="f33")


@pytest.mark.parametrize("manner", [Manner(rate=9), Manner(rate=float("nan")), Manner(pitch=0), Manner(pitch_range=-1)])
def test_impossible_manners_are_refused(voice: Espeak, manner: Manner) -> None:
    with pytest.raises(UsageError, match="between"):
        voice.speak_as("hello", "en", manner)


def length_s(manner: Manner) -> float:
    samples, rate_hz, _ = speak_phones("a long sentence about boats on the river", "en-us", manner)
    return len(samples) / rate_hz


def pitch_hz(manner: Manner, most_hz: int = 400, least_hz: int = 60) -> float:
    samples, rate_hz, phones = speak_phones("ma", "en-us", manner)
    vowel = max(phones, key=lambda phone: phone.end_s - phone.start_s if phone.symbol in VOWELS else 0)
    part = samples[round(vowel.start_s * rate_hz) : round(vowel.end_s * rate_hz)].astype(np.float64)
    echo = np.correlate(part, part, "full")[len(part) - 1 :] / np.arange(len(part), 0, -1)
    first, last = rate_hz // most_hz, rate_hz // least_hz
    return rate_hz / (first + int(echo[first:last].argmax()))


def test_rate_pitch_and_gaps_do_as_they_say(voice: Espeak) -> None:
    assert length_s(Manner(rate=2)) < 0.7 * length_s(Manner()) < 0.7 * 0.7 * length_s(Manner(rate=0.5))
    assert length_s(Manner(word_gap_s=0.2)) > length_s(Manner()) + 1
    low, high = pitch_hz(Manner(pitch=0.8, pitch_range=0)), pitch_hz(Manner(pitch=1.6, pitch_range=0))
    assert high / low == pytest.approx(2, rel=0.1)


def test_a_note_is_held(voice: Espeak) -> None:
    assert pitch_hz(Manner(note_hz=220, rate=0.5), 300, 150) == pytest.approx(220, rel=0.02)


def test_commands_in_a_text_are_only_words(voice: Espeak) -> None:
    plain = speak_phones("450S hello", "en")[0]
    commanded = speak_phones("\x01450S hello\x00", "en")[0]
    assert len(commanded) == pytest.approx(len(plain), rel=0.1)
    markup = speak_phones("<break time='60s'/> hi", "en")
    assert any(phone.symbol == "b" for phone in markup[2])
    assert len(speak_phones("[[h@l'oU]]", "en")[2]) > len(speak_phones("[[h@l'oU]]", "en", Manner(phonemes=True))[2])


@pytest.mark.parametrize(
    "text",
    ["", " \n ", "\x00\x01\x02", "\ud800", "a" * 500, "a." * 500, "s'" * 250, "!?.,;:" * 300, "\u202e" * 50, "<" * 100]
    + ["e\u0301" * 300, "\U0001f600" * 50, "http://" + "a." * 300, "9" * 300, "http://x/?" + "%20&" * 60],
)
def test_hostile_texts_do_no_harm(voice: Espeak, text: str) -> None:
    samples, _, phones = speak_phones(text, "en")
    assert np.isfinite(samples).all()
    assert all(phone.start_s < phone.end_s for phone in phones)


def test_a_text_that_is_too_long_is_refused_before_anything_is_spoken(voice: Espeak) -> None:
    with pytest.raises(LimitError, match="100000"):
        voice.speak("a" * 100_001)


def test_a_word_is_pronounced_for_marks_that_only_tell_words(voice: Espeak) -> None:
    assert [phone.symbol for phone in pronouncer("en-us")("though") if phone.symbol != SILENCE][:2] == ["ð", "o"]


def test_it_is_a_voice_by_name(voice: Espeak) -> None:
    assert isinstance(load_voice("espeak"), TTS)


def test_the_childs_frames_are_laid_out_as_we_read_them() -> None:
    path = Path(espeak_link.__file__).with_name("espeak_child.py")
    spec = importlib.util.spec_from_file_location("espeak_child_read", path)
    assert spec is not None
    assert spec.loader is not None
    child = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(child)  # its own code only: the library is loaded by main()
    assert child.HEADER.format == espeak_link._HEADER.format
    assert child.EVENT.format == espeak_link._EVENT.format
