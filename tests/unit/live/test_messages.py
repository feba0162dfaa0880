"""A client's text becomes a message of the schema, or an error that helps."""

import json
from typing import Any

import pytest

from avatar3d.core.errors import InputError, UsageError
from avatar3d.live import messages, schema


def told(type_: str, **entries: Any) -> dict[str, Any]:
    return dict(messages.check(messages.parse(json.dumps({"type": type_} | entries))))


EXAMPLES: dict[str, dict[str, Any]] = {
    "identify": {"version": 1, "token": "t", "faces": [0, 31]},
    "ack": {"seq": 4_294_967_295},
    "clock": {"sent_s": 12.5},
    "control": {"id": 1, "emotion": "joy", "gaze": [0, 0.5, 1], "interrupt": True},
    "say": {"text": "Grüß dich ☃"},
    "frame": {
        "flags": 0, "media_time_s": 1, "weights": [0.5] * 52, "head_wxyz": [1, 0, 0, 0], "left_eye_wxyz": [1, 0, 0, 0],
        "right_eye_wxyz": [1, 0, 0, 0],
    },
    "sound": {"flags": 0, "rate_hz": 16_000, "pcm16_base64": "AAAA"},
    "panic": {}, "resume": {"id": 3}, "issue": {"scopes": ["view"]}, "revoke": {"client": "x"}, "clients": {}, "stop": {},
}  # fmt: skip


@pytest.mark.parametrize("type_", schema.TO_BRIDGE)
def test_every_message_of_the_schema_is_understood(type_: str) -> None:
    assert told(type_, **EXAMPLES[type_]) == {"type": type_} | EXAMPLES[type_]


@pytest.mark.parametrize("type_", schema.TO_BRIDGE)
def test_an_entry_that_is_missing_or_of_another_type_is_named(type_: str) -> None:
    for entry in schema.TO_BRIDGE[type_]:
        if not entry.optional:
            less = {name: value for name, value in EXAMPLES[type_].items() if name != entry.name}
            with pytest.raises(InputError, match=f'needs the entry "{entry.name}"'):
                told(type_, **less)
        for wrong in (
            None,
            {},
            [[]],
            [None],
            True if entry.type != "boolean" else 1,
            "x" if entry.type != "string" else 1,
        ):
            with pytest.raises(InputError, match=f'expected "{entry.name}" to be') as caught:
                told(type_, **EXAMPLES[type_] | {entry.name: wrong})
            assert caught.value.id == "MESSAGE_VALUE"


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "nonsense", "[]", "null", "1", '"control"', '{"type": 1}', '{"type": "dance"}', '{"type": ["say"]}', "{}",
        '{"type": "clock", "sent_s": NaN}', '{"type": "clock", "sent_s": Infinity}', '{"type": "clock", "sent_s": -Infinity}',
        "[" * 60_000, '{"a":' * 10_000, "1" * 60_000, "\x00", "{'type': 'clock'}", '\ufeff{"type": "panic"}',
    ],
)  # fmt: skip
def test_what_is_no_message_at_all_is_malformed(text: str) -> None:
    with pytest.raises(InputError) as caught:
        messages.parse(text)
    assert caught.value.id == messages.MALFORMED
    assert caught.value.hint


@pytest.mark.parametrize(
    ("type_", "entries"),
    [
        ("clock", {"sent_s": 10**400}), ("clock", {"sent_s": 1e300}), ("ack", {"seq": -1}), ("ack", {"seq": 1 << 32}),
        ("ack", {"seq": 1.5}), ("control", {"face": 32}), ("identify", {"version": 1, "faces": list(range(65))}),
        ("control", {"gaze": [0, 0]}), ("control", {"gaze": [0, 0, 1e30]}), ("say", {"text": "x" * 5_001}),
        ("say", {"text": "\ud800"}), ("identify", {"version": 1, "name": "n" * 129}), ("sound", {"flags": 256}),
    ],
)  # fmt: skip
def test_what_is_too_large_is_refused(type_: str, entries: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        told(type_, **EXAMPLES[type_] | entries)
    assert caught.value.id == "MESSAGE_VALUE"


def test_a_number_that_json_writes_too_large_is_no_number() -> None:
    with pytest.raises(InputError):
        messages.check(messages.parse('{"type": "clock", "sent_s": 1e999}'))


def test_a_misspelt_word_is_answered_with_the_right_one() -> None:
    with pytest.raises(InputError, match='Did you mean "control"'):
        messages.parse('{"type": "controll"}')
    with pytest.raises(InputError, match='Did you mean "intensity"') as caught:
        told("control", intensty=1)
    assert caught.value.id == "MESSAGE_ENTRY"


def test_what_came_is_shown_short_and_printable() -> None:
    with pytest.raises(InputError) as caught:
        messages.parse(json.dumps({"type": "\x1b[31m" + "x" * 10_000}))
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_the_bridges_own_messages_are_one_line_of_json_without_what_is_left_out() -> None:
    assert messages.made("done", id=7, token=None) == '{"type":"done","id":7}'
    assert json.loads(messages.error(UsageError("no.", hint="Try."), 3)) == {
        "type": "error", "id": 3, "error": "USAGE", "message": "no.", "hint": "Try.",
    }  # fmt: skip
    assert json.loads(messages.text_of({"type": "event", "name": "faces"})) == {"type": "event", "name": "faces"}


@pytest.mark.parametrize(
    ("given", "number"), [(5, 5), ("5", None), (-1, None), (True, None), (None, None), (1.0, None)]
)
def test_only_a_whole_number_is_an_id(given: Any, number: int | None) -> None:
    assert messages.id_of({"id": given}) == number
