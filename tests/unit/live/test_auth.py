"""Tokens, scopes, the pairing code and the limit on guessing, in made-up time."""

import json

import pytest

from avatar3d.core.errors import BridgeError
from avatar3d.live.auth import Tokens, Tries

HERE, THERE = "192.168.1.7", "192.168.1.8"


def refused(tokens: Tokens, token: str, address: str, now_s: float) -> str:
    with pytest.raises(BridgeError) as caught:
        tokens.check(token, address, now_s)
    return caught.value.id


def test_a_token_is_256_bits_and_opens_what_it_was_issued_for() -> None:
    tokens = Tokens()
    view, drive, admin = (tokens.issue(scope, scope) for scope in ("view", "drive", "admin"))
    assert len({view, drive, admin}) == 3
    assert len(view) == 43  # 32 bytes as base64
    assert tokens.check(view, HERE, 0).scopes == ("view",)
    assert tokens.check(drive, HERE, 0).scopes == ("view", "drive")
    assert tokens.check(admin, HERE, 0).scopes == ("view", "drive", "admin")


def test_no_token_is_kept() -> None:
    tokens = Tokens()
    token = tokens.issue("me", "view")
    tokens.open_pairing()
    assert token not in repr(vars(tokens))
    assert token not in json.dumps(tokens.saved())


def test_saved_grants_are_known_after_a_restart() -> None:
    tokens = Tokens()
    token = tokens.issue("headset", "drive")
    again = Tokens.restored(json.loads(json.dumps(tokens.saved())))
    assert again.check(token, HERE, 0).name == "headset"
    with pytest.raises(BridgeError):
        Tokens.restored([{"name": "x", "scope": "god", "sha256": ""}])


def test_a_revoked_token_is_unknown_and_a_name_that_is_taken_gets_a_number() -> None:
    tokens = Tokens()
    first, second = tokens.issue("me", "view"), tokens.issue("me", "view")
    assert [grant.name for grant in tokens.grants] == ["me", "me-2"]
    tokens.revoke("me")
    assert refused(tokens, first, HERE, 0) == "TOKEN"
    assert tokens.check(second, HERE, 0).name == "me-2"
    with pytest.raises(BridgeError) as caught:
        tokens.revoke("me")
    assert caught.value.id == "NO_CLIENT"


def test_five_wrong_tokens_within_a_minute_and_the_address_is_refused_for_a_minute() -> None:
    tokens = Tokens()
    assert [refused(tokens, "wrong", HERE, second) for second in range(5)] == ["TOKEN"] * 5
    assert refused(tokens, "wrong", HERE, 5) == "TOO_MANY_TRIES"
    assert refused(tokens, "wrong", HERE, 63.9) == "TOO_MANY_TRIES"
    assert refused(tokens, "wrong", HERE, 64.1) == "TOKEN"
    assert refused(tokens, "wrong", THERE, 5) == "TOKEN"


def test_a_thousand_wrong_tokens_a_second_are_five_guesses() -> None:
    tokens = Tokens()
    told = [refused(tokens, str(number), HERE, number / 1000) for number in range(3_000)]
    assert told.count("TOKEN") == 5


def test_slow_mistakes_lock_nobody_out() -> None:
    tokens = Tokens()
    assert {refused(tokens, "wrong", HERE, 16 * number) for number in range(50)} == {"TOKEN"}


def test_the_right_token_is_taken_even_while_others_at_that_address_guess() -> None:
    tokens = Tokens()
    right = tokens.issue("me", "view")
    for second in range(6):
        refused(tokens, "wrong", HERE, second)
    assert tokens.check(right, HERE, 6).name == "me"


def test_a_pairing_code_gives_one_client_a_token() -> None:
    tokens = Tokens()
    code = tokens.open_pairing()
    assert len(code) == 8
    assert code.isdigit()
    grant, token = tokens.pair(code, "headset", HERE, 0)
    assert (grant.name, grant.scope) == ("headset", "drive")
    assert tokens.check(token, HERE, 1) == grant
    with pytest.raises(BridgeError) as caught:
        tokens.pair(code, "second", THERE, 2)
    assert caught.value.id == "TOKEN"


def test_a_new_code_replaces_the_old_and_a_closed_one_is_none() -> None:
    tokens = Tokens()
    old = tokens.open_pairing()
    new = tokens.open_pairing("view")
    with pytest.raises(BridgeError):
        tokens.pair(old, "x", HERE, 0)
    tokens.close_pairing()
    with pytest.raises(BridgeError):
        tokens.pair(new, "x", HERE, 1)


def test_guessing_codes_is_refused_even_when_right_and_spends_the_code_in_the_end() -> None:
    tokens = Tokens()
    code = tokens.open_pairing()
    wrong = f"{(int(code) + 1) % 10**8:08}"
    for second in range(5):
        with pytest.raises(BridgeError):
            tokens.pair(wrong, "x", HERE, second)
    with pytest.raises(BridgeError) as caught:
        tokens.pair(code, "x", HERE, 6)
    assert caught.value.id == "TOO_MANY_TRIES"
    for number in range(95):  # from ever other addresses
        with pytest.raises(BridgeError):
            tokens.pair(wrong, "x", f"10.0.0.{number}", 7)
    with pytest.raises(BridgeError):
        tokens.pair(code, "x", THERE, 8)


def test_one_machine_with_many_addresses_of_ipv6_is_one() -> None:
    tries = Tries()
    for number in range(5):
        tries.wrong(f"2001:db8::{number}", 0)
    assert tries.refused("2001:db8::99", 1)
    assert not tries.refused("2001:db8:0:1::1", 1)


def test_addresses_are_not_remembered_without_end() -> None:
    tries = Tries()
    for number in range(4_200):
        for _ in range(5):
            tries.wrong(f"10.0.{number >> 8}.{number & 255}", 0)
    assert len(tries._wrong) <= 4096
    assert len(tries._until_s) <= 4096


def test_there_is_an_end_to_issuing() -> None:
    tokens = Tokens()
    with pytest.raises(BridgeError, match="Revoke"):
        for _ in range(2000):
            tokens.issue("x" if len(tokens.grants) == 0 else f"x{len(tokens.grants)}", "view")
