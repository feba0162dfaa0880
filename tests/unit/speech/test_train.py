"""Training, small: what it learns from, that it learns, that it goes on where it was stopped."""

import os
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from avatar3d.core.errors import AudioUnusableError, UnreadableError, UsageError
from avatar3d.speech.network.features import BANDS, QUIETEST, RATE_HZ
from avatar3d.speech.network.model import load_network
from avatar3d.speech.phones import Phone
from avatar3d.speech.train import train as training
from avatar3d.speech.train.align import Aligner, as_arpabet
from avatar3d.speech.train.augment import (
    augment,
    by_telephone,
    in_room,
    loud_over_active_db,
    otherwise_heard,
    with_noise,
)
from avatar3d.speech.train.corpus import CorpusParams, build_corpus, hold_vowels, pronounce, read_samples
from avatar3d.speech.train.curves import at_random, built_from, flapping, heard_by, of_another_sentence
from avatar3d.speech.train.evaluate import CURVES_HZ, score
from avatar3d.speech.train.hearings import answer_times_s, answers_for, features_of, hear_utterances, with_silence
from avatar3d.speech.train.losses import SHARES
from avatar3d.speech.train.shelf import shelve, unshelve
from avatar3d.speech.train.texts import HELD_OUT, TRAINED, made_up_sentence
from avatar3d.speech.train.train import TrainParams, train_speech
from avatar3d.speech.train.utterance import Utterance
from avatar3d.speech.train.voices import festival_speaks, flite_speaks
from tests.unit.speech.sentences import say_sentences


@pytest.fixture(scope="module")
def said() -> list[Utterance]:
    return say_sentences()


def test_flapping_random_and_foreign_curves_fall_far_below_true_ones_and_below_the_network(
    said: list[Utterance],
) -> None:
    reference = built_from(said)
    true, flap, random, other = (
        score(curves, reference).total
        for curves in (reference, flapping(said), at_random(said), of_another_sentence(reference))
    )
    heard = score(heard_by(load_network(), said), reference).total
    assert true > 75
    # What moves with the sound but says nothing, and what is moved well but says something else: neither is worth half.
    assert max(flap, random, other) < min(true - 25, heard - 15)
    assert other < min(flap, random)  # the wrong thing said clearly is worse than nothing said


def test_the_reference_closes_and_tucks_where_it_must_and_nowhere_else(said: list[Utterance]) -> None:
    lips = score(built_from(said), built_from(said)).lips
    assert lips.closure_recall == 1
    assert lips.tuck_recall == 1
    assert max(lips.false_in_vowels, lips.false_in_consonants, lips.false_tucks) < 0.06


def test_curves_that_come_late_are_found_late(said: list[Utterance]) -> None:
    from dataclasses import replace

    reference = built_from(said)
    late = [replace(each, weights=np.roll(each.weights, 5, axis=0)) for each in reference]
    assert score(late, reference).lag_ms == pytest.approx(5000 / CURVES_HZ, abs=5)


def test_restless_curves_score_lower(said: list[Utterance]) -> None:
    from dataclasses import replace

    rng = np.random.default_rng(0)
    reference = built_from(said)
    shaken = [
        replace(
            each, weights=np.clip(each.weights + 0.01 * rng.normal(size=each.weights.shape), 0, 1).astype(np.float32)
        )
        for each in reference
    ]
    assert score(shaken, reference).jerk > 2


def test_each_step_is_asked_about_the_time_it_can_know() -> None:
    assert answer_times_s(5)[2] == pytest.approx(0.0)
    phones = (Phone("m", 1.0, 1.2),)
    _, gates, symbols = answers_for(np.zeros(2 * RATE_HZ, np.float32), phones)
    during = (answer_times_s(len(symbols)) > 1.05) & (answer_times_s(len(symbols)) < 1.15)
    assert gates[during, 0].min() > 0.95
    assert len(set(symbols[during])) == 1


def test_silence_around_an_utterance_moves_its_phones_along(said: list[Utterance]) -> None:
    samples, phones = with_silence(np.random.default_rng(0), said[0])
    shift_s = phones[0].start_s - said[0].phones[0].start_s
    at, count = round(shift_s * RATE_HZ), len(said[0].samples)
    np.testing.assert_allclose(samples[at : at + count], said[0].samples, atol=0.01)


@pytest.mark.parametrize("kind", ["augment", "telephone", "room", "noise"])
def test_what_is_done_to_sound_keeps_its_length_and_its_time(kind: str) -> None:
    rng = np.random.default_rng(4)
    click = np.zeros(RATE_HZ, np.float32)
    click[8000:8400] = 0.5 * np.sin(2 * np.pi * 700 * np.arange(400) / RATE_HZ)
    changed = {
        "augment": lambda: augment(rng, click),
        "telephone": lambda: by_telephone(click),
        "room": lambda: in_room(rng, click, 0.5, 1.0),
        "noise": lambda: with_noise(rng, click, 20.0),
    }[kind]()
    assert changed.shape == click.shape
    assert np.isfinite(changed).all()
    loud = np.flatnonzero(np.abs(changed) > 0.6 * np.abs(changed).max())
    assert 7990 <= loud[0] <= 8400


def test_crops_are_heard_otherwise_each_time_and_their_means_stay_those_of_their_bands(said: list[Utterance]) -> None:
    crops = features_of(said[0].samples)[None, :100].repeat(3, axis=0)
    first, again, other = (otherwise_heard(np.random.default_rng(seed), crops) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == crops.shape
    assert np.abs(first - other).mean() > 0.02
    assert np.abs(first[0] - first[1]).mean() > 0.02
    assert first.min() >= QUIETEST
    np.testing.assert_allclose(first[..., -1], first[..., BANDS : 2 * BANDS].mean(axis=-1), atol=1e-5)
    assert otherwise_heard(np.random.default_rng(1), crops[:0]).shape == (0, *crops.shape[1:])


def test_silence_and_gain_do_not_change_how_far_loud_parts_lie_above_the_active_level() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    beats = np.float32(0.3) * np.sin(2 * np.pi * 300 * time_s) * (0.05 + 0.95 * (np.sin(2 * np.pi * 2 * time_s) > 0))
    beats = beats.astype(np.float32)
    above_db = loud_over_active_db(beats)
    assert 1.5 < above_db < 4.0  # half of the time is loud: 3 dB, less what goes on after each beat
    assert loud_over_active_db(0.1 * beats) == pytest.approx(above_db, abs=0.3)
    assert loud_over_active_db(np.pad(beats, 5 * RATE_HZ)) == pytest.approx(above_db, abs=0.5)


def test_noise_is_as_far_below_speech_as_asked() -> None:
    rng = np.random.default_rng(5)
    tone = (0.3 * np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    noise = with_noise(rng, tone, 10.0) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(10, abs=1)


def test_held_vowels_last_and_their_phones_with_them(said: list[Utterance]) -> None:
    utterance = said[0]
    held = hold_vowels(np.random.default_rng(0), utterance.samples, utterance.phones)
    assert held is not None
    samples, phones = held
    longer_s = (len(samples) - len(utterance.samples)) / RATE_HZ
    assert longer_s > 1
    assert phones[-1].end_s - utterance.phones[-1].end_s == pytest.approx(longer_s, abs=0.02)
    assert [phone.symbol for phone in phones] == [phone.symbol for phone in utterance.phones]
    assert np.abs(np.diff(samples)).max() < 1.5 * np.abs(np.diff(utterance.samples)).max()


def test_made_up_words_are_the_same_for_the_same_seed_and_no_language_is_trained_and_held_out() -> None:
    for language in TRAINED:
        assert made_up_sentence(np.random.default_rng(1), language) == made_up_sentence(
            np.random.default_rng(1), language
        )
    assert not set(TRAINED) & set(HELD_OUT)
    assert len(TRAINED) >= 12


def test_words_the_dictionary_lacks_are_spelled_by_espeak() -> None:
    assert as_arpabet(pronounce("gathercole"))[:3] == ("G", "AE", "DH")
    assert as_arpabet(("a", "ɪ", "p")) == ("AY", "P")


def test_real_speech_is_aligned_with_its_text(shared: Path) -> None:
    folder = shared / "speech" / "librispeech" / "1088" / "134315"
    line = (folder / "1088-134315.trans.txt").read_text().splitlines()[3]
    name, _, words = line.partition(" ")
    samples = read_samples(folder / f"{name}.opus")
    aligner = Aligner(pronounce)
    right = aligner.align(words, samples)
    assert right is not None
    assert right.phones[-1].end_s == pytest.approx(len(samples) / RATE_HZ, abs=0.1)
    wrong = aligner.align("this is something else that nobody said", samples)
    assert wrong is None or wrong.longest or wrong.score < right.score


def test_a_folder_without_speech_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="LibriSpeech"):
        list(build_corpus(tmp_path, CorpusParams(), str))


def test_a_missing_voice_is_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1" / "2").mkdir(parents=True)
    (tmp_path / "1" / "2" / "1-2-0000.opus").touch()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="needs the program 'flite'") as told:
        next(build_corpus(tmp_path, CorpusParams(), print))
    assert told.value.hint == "Debian, Ubuntu: sudo apt-get install flite festival festvox-kallpc16k"


@pytest.mark.skipif(not (which("flite") and which("festival")), reason="flite and festival are not installed")
def test_both_voices_of_the_corpus_tell_their_phones() -> None:
    for speaks in (flite_speaks, festival_speaks):
        samples, rate_hz, phones, _ = speaks("my mama", 0)
        assert [phone.symbol for phone in phones].count("m") == 3
        assert phones[-1].end_s == pytest.approx(len(samples) / rate_hz, abs=0.25)


def test_a_voice_that_breaks_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("a shell script stands in for flite")
    (tmp_path / "flite").write_text("#!/bin/sh\necho no such voice >&2; exit 3\n")
    (tmp_path / "flite").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(AudioUnusableError, match="no such voice"):
        flite_speaks("hello", 0)


def test_the_corpus_comes_back_from_its_shelf(said: list[Utterance], tmp_path: Path) -> None:
    shelve(said, tmp_path)
    back = unshelve(tmp_path, "tune")
    wanted = [each for each in said if each.part == "tune"]
    assert [each.phones for each in back] == [each.phones for each in wanted]
    np.testing.assert_allclose(back[0].samples, wanted[0].samples, atol=1e-4)


@pytest.fixture(scope="module")
def shelf(said: list[Utterance], tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    shelve(said, work / "corpus")
    return work


TINY = TrainParams(steps=6, batch=4, crop=40)


def test_training_learns_and_the_same_seed_gives_the_same_bytes(shelf: Path, tmp_path: Path) -> None:
    told: list[str] = []
    first = train_speech(Path(), shelf, tmp_path / "a", TINY, told.append).read_bytes()
    assert any("trained" in line for line in told)
    assert train_speech(Path(), shelf, tmp_path / "b", TINY, str).read_bytes() == first


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_speech(Path(), shelf, tmp_path / "whole", TINY, str).read_bytes()
    monkeypatch.setattr(training, "_SAVED_EVERY", 3)
    monkeypatch.setattr(training, "_TOLD_EVERY", 5)

    def stopped(words: str) -> None:
        if "step 5" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_speech(Path(), shelf, tmp_path / "stopped", TINY, stopped)
    told: list[str] = []
    again = train_speech(Path(), shelf, tmp_path / "stopped", TINY, told.append).read_bytes()
    assert "resumed at step 3" in told
    assert again == whole


def test_before_the_rate_falls_nothing_depends_on_how_long_a_run_will_be() -> None:
    """So that a run can be made longer from a checkpoint and is what it would have been from its start."""
    paces = [[training._pace(step, steps) for step in range(700)] for steps in (1000, 2000)]
    assert paces[0] == paces[1]
    assert paces[0][0] < 0.01 < paces[0][-1] == 1
    assert training._pace(1000, 1000) == 0


def test_every_loss_falls_when_the_answers_are_right(said: list[Utterance]) -> None:
    import torch

    from avatar3d.speech.network.model import OUTPUTS
    from avatar3d.speech.train.losses import losses_by_kind

    heard = hear_utterances(said[:2], seed=0, augmented=0, progress=str)
    wanted = {
        "controls": torch.from_numpy(heard.controls.astype(np.float32))[None],
        "gates": torch.from_numpy(heard.gates.astype(np.float32))[None],
        "phones": torch.from_numpy(heard.phones.astype(np.int64))[None],
        "counts": torch.ones(1, len(heard.phones)),
    }
    right = torch.zeros(1, len(heard.phones), OUTPUTS)
    right[..., : heard.controls.shape[1]] = wanted["controls"]
    right[..., heard.controls.shape[1] : heard.controls.shape[1] + 3] = 12 * (wanted["gates"] - 0.5)
    right[..., heard.controls.shape[1] + 3 :] = 8 * torch.nn.functional.one_hot(wanted["phones"], 48)
    ruler = torch.ones(heard.controls.shape[1])
    good, bad = (losses_by_kind(each, wanted, ruler) for each in (right, torch.roll(right, 40, dims=1)))
    assert set(good) == set(SHARES)
    for kind in SHARES:
        assert good[kind] < bad[kind], kind
