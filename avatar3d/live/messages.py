"""JSON messages: a client's text checked against the schema, and the bridge's own made."""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from avatar3d.core.errors import Avatar3dError, InputError
from avatar3d.live import schema

MALFORMED: Final = "MESSAGE_MALFORMED"
"""Id of the error for what is no message at all; its sender is let go. Any other is answered."""
_LARGEST: Final = 1e15
"""Of a number; those in lists become float32."""
_LARGEST_IN_LIST: Final = 1e6
_LONGEST_LIST: Final = 64
_MOST: Final[Mapping[str, int]] = {"flags": 0xFF, "face": schema.FACES - 1, "faces": schema.FACES - 1}
_LONGEST: Final[Mapping[str, int]] = {"text": 5_000, "pcm16_base64": 1 << 20}
_LONGEST_OTHER: Final = 128
"""Characters of a string that is no text to be spoken and no sound: names, tokens."""


def parse(text: str) -> dict[str, Any]:
    """A client's message: a JSON object of a type that the schema knows, its entries not yet checked.

    Raises InputError with the id MALFORMED for anything else; NaN and Infinity are no JSON.
    """
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as cause:
        raise _malformed("text that is no JSON") from cause
    if not isinstance(message, dict):
        raise _malformed("JSON that is no object")
    type_ = message.get("type")
    if not isinstance(type_, str) or type_ not in schema.TO_BRIDGE:
        raise InputError(
            f'expected a message whose "type" is known, got {_shown(type_)}.',
            hint=_did_you_mean(type_, tuple(schema.TO_BRIDGE)),
            id=MALFORMED,
        )
    return message


def check(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same message, its entries as the schema wants them. Raises InputError that says which is not."""
    entries = {entry.name: entry for entry in schema.TO_BRIDGE[message["type"]]}
    for name in message:
        if name not in entries and name != "type":
            raise InputError(
                f'"{message["type"]}" has no entry {_shown(name)}.',
                hint=_did_you_mean(name, tuple(entries)),
                id="MESSAGE_ENTRY",
            )
    for entry in entries.values():
        if entry.name in message:
            if not _fits(entry, message[entry.name]):
                raise InputError(
                    f'expected "{entry.name}" to be {_wanted(entry)}, got {_shown(message[entry.name])}.',
                    id="MESSAGE_VALUE",
                )
        elif not entry.optional:
            raise InputError(f'"{message["type"]}" needs the entry "{entry.name}".', id="MESSAGE_ENTRY")
    return message


def id_of(message: Mapping[str, Any]) -> int | None:
    """The number by which its sender knows the answer; None when it wants none, or gave something else."""
    number = message.get("id")
    return number if _is_integer(number, 0xFFFFFFFF) else None


def made(kind: str, **entries: Any) -> str:
    """A message of the bridge as text; entries that are None are left out."""
    assert kind in schema.FROM_BRIDGE, kind
    message = {"type": kind} | {name: value for name, value in entries.items() if value is not None}
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def text_of(message: Mapping[str, Any]) -> str:
    """A message of the bridge that is a mapping with its type, as text."""
    return made(message["type"], **{name: value for name, value in message.items() if name != "type"})


def error(cause: Avatar3dError, id: int | None) -> str:
    """The `error` message for what went wrong."""
    return made("error", id=id, error=cause.id, message=cause.message, hint=cause.hint)


def _fits(entry: schema.Entry, value: Any) -> bool:
    most = _MOST.get(entry.name, 0xFFFFFFFF)
    tests: Mapping[str, Callable[[], bool]] = {
        "string": lambda: _is_string(value, _LONGEST.get(entry.name, _LONGEST_OTHER)),
        "number": lambda: _is_number(value, _LARGEST),
        "integer": lambda: _is_integer(value, most),
        "boolean": lambda: isinstance(value, bool),
        "strings": lambda: _is_list(value) and all(_is_string(each, _LONGEST_OTHER) for each in value),
        "integers": lambda: _is_list(value) and all(_is_integer(each, most) for each in value),
    }
    if entry.type.startswith("number["):
        count = int(entry.type[7:-1])
        return _is_list(value) and len(value) == count and all(_is_number(each, _LARGEST_IN_LIST) for each in value)
    return tests[entry.type]()


def _is_string(value: Any, longest: int) -> bool:
    # Half a surrogate pair is JSON and Python, but cannot be written as UTF-8.
    return isinstance(value, str) and len(value) <= longest and not any("\ud800" <= c <= "\udfff" for c in value)


def _is_number(value: Any, largest: float) -> bool:
    # NaN compares false; a whole number of a thousand digits compares without becoming a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= largest


def _is_integer(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _LONGEST_LIST


def _wanted(entry: schema.Entry) -> str:
    most = _MOST.get(entry.name, 0xFFFFFFFF)
    words = {
        "string": f"text of at most {_LONGEST.get(entry.name, _LONGEST_OTHER)} characters",
        "number": "a finite number",
        "integer": f"a whole number from 0 to {most}",
        "boolean": "true or false",
        "strings": "a list of names",
        "integers": f"a list of whole numbers from 0 to {most}",
    }
    return words.get(entry.type) or f"a list of {entry.type[7:-1]} finite numbers"


def _shown(value: Any) -> str:
    """What came, short and printable."""
    text = value if isinstance(value, str) else json.dumps(value)[:200]
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f'"{text}"' if isinstance(value, str) else text


def _did_you_mean(name: object, known: tuple[str, ...]) -> str:
    near = get_close_matches(str(name)[:60], known, 1)
    return f'Did you mean "{near[0]}"?' if near else f"Known are {', '.join(known)}."


def _malformed(what: str) -> InputError:
    return InputError(
        f"expected a JSON object, got {what}.", hint='Send one object with a "type" in each message.', id=MALFORMED
    )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
