"""Marks in, the same visemes out, when the marks say so; and the measurement sees it when they do not."""

from dataclasses import replace

import numpy as np
import pytest

from bench.text import TEXTS, WRITERS, Said, asked_by, frames_of, offsets_ms, say, through_file


@pytest.fixture(scope="module")
def said() -> Said:
    return say(TEXTS["en-us"], "en-us")


def away_ms(said: Said, reader: str, *, shifted_s: float = 0.0) -> np.ndarray:
    phones = through_file(said, WRITERS[reader])
    moved = tuple(replace(each, start_s=each.start_s + shifted_s, end_s=each.end_s + shifted_s) for each in phones)
    told = offsets_ms(frames_of(moved, said), asked_by(said.phones))
    assert all(told.values()), "every kind is asked for"
    return np.abs(np.concatenate([np.array(found) for found in told.values()]))


@pytest.mark.parametrize("reader", WRITERS)
def test_what_marks_ask_for_is_seen_within_40_ms_of_them(said: Said, reader: str) -> None:
    away = away_ms(said, reader)
    assert len(away) >= 25
    assert np.mean(away <= 40) >= 0.95


def test_marks_that_come_late_are_seen_late(said: Said) -> None:
    late = [np.mean(away_ms(said, "TextGrid", shifted_s=shift_s) <= 40) for shift_s in (0.1, 0.15)]
    assert late[0] < 0.8
    assert late[1] < 0.5
