"""Who was let in is known again after a crash, for twelve hours after the last use, and not when the token was taken back."""

from pathlib import Path

import pytest

from avatar3d.living.remembered import Remembered

HOUR_S = 3600.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "grants-8765.json"


def kept(remembered: Remembered, file: Path, now_s: float, *, here: tuple[str, ...] = ()) -> bool:
    """Whether there was anything to write."""
    content = remembered.step({remembered.tokens.find(token).digest for token in here}, now_s)
    if content is not None:
        file.write_bytes(content)
        remembered.wrote()
    return content is not None


def test_a_token_is_known_again_after_a_crash_and_the_file_holds_none(file: Path) -> None:
    first = Remembered.load(file, 0)
    token = first.tokens.issue("kiosk", "drive")
    assert kept(first, file, 0)
    assert token.encode() not in file.read_bytes()
    again = Remembered.load(file, 11 * HOUR_S)
    assert again.tokens.find(token).name == "kiosk"


def test_restarts_do_not_lengthen_the_twelve_hours(file: Path) -> None:
    first = Remembered.load(file, 0)
    token = first.tokens.issue("page", "admin")
    kept(first, file, 0)
    second = Remembered.load(file, 11 * HOUR_S)
    second.tokens.issue("page", "admin")
    assert kept(second, file, 11 * HOUR_S)
    third = Remembered.load(file, 13 * HOUR_S)
    assert third.tokens.find(token) is None
    assert [grant.name for grant in third.tokens.grants] == ["page-2"]


def test_who_is_still_there_is_not_forgotten(file: Path) -> None:
    bridge = Remembered.load(file, 0)
    token = bridge.tokens.issue("kiosk", "drive")
    for hour in range(30):
        kept(bridge, file, hour * HOUR_S, here=(token,))
    assert Remembered.load(file, 40 * HOUR_S).tokens.find(token)
    assert Remembered.load(file, 42 * HOUR_S).tokens.find(token) is None


def test_a_token_that_was_taken_back_stays_taken_back(file: Path) -> None:
    bridge = Remembered.load(file, 0)
    token = bridge.tokens.issue("program", "drive")
    kept(bridge, file, 0)
    bridge.tokens.revoke("program")
    assert kept(bridge, file, 1)
    assert Remembered.load(file, 2).tokens.find(token) is None


def test_nothing_is_written_while_nothing_changes(file: Path) -> None:
    bridge = Remembered.load(file, 0)
    token = bridge.tokens.issue("kiosk", "drive")
    assert kept(bridge, file, 0, here=(token,))
    assert not kept(bridge, file, 60, here=(token,))
    assert kept(bridge, file, 700, here=(token,))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "[1]",
        "[" * 200_000,
        '[{"name": "x", "scope": "view", "sha256": "\u00e4", "used_s": 0}]',
        '[{"name": "x"}]',
        "null",
        '[{"sha256": "a", "used_s": "b"}]',
    ],
)
def test_another_file_lets_nobody_in(file: Path, content: str) -> None:
    file.write_text(content)
    assert Remembered.load(file, 0).tokens.grants == ()


def test_what_could_not_be_written_is_written_later(file: Path) -> None:
    bridge = Remembered.load(file, 0)
    bridge.tokens.issue("kiosk", "drive")
    assert bridge.step((), 0) == bridge.step((), 0) is not None  # the disk was full


def test_those_used_last_are_remembered(file: Path) -> None:
    bridge = Remembered.load(file, 0)
    kiosk = bridge.tokens.issue("kiosk", "drive")
    for number in range(70):
        bridge.tokens.issue(f"page {number}", "view")
    kept(bridge, file, 0)
    kept(bridge, file, HOUR_S, here=(kiosk,))
    again = Remembered.load(file, HOUR_S)
    assert len(again.tokens.grants) == 64
    assert again.tokens.find(kiosk)
