"""Who made a VRM and what others may do with it: asked for, never guessed.

VRMC_vrm-1.0/meta.md; for 0.x 0.0/README.md, "Model information". Every permission is an answer of the user. The defaults of the
specification, which forbid, are taken only when somebody says so (`restrictive`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from avatar3d.core.errors import UsageError
from avatar3d.core.files import open_given, short_name

AvatarPermission = Literal["onlyAuthor", "onlySeparatelyLicensedPerson", "everyone"]
CommercialUsage = Literal["personalNonProfit", "personalProfit", "corporation"]
CreditNotation = Literal["required", "unnecessary"]
Modification = Literal["prohibited", "allowModification", "allowModificationRedistribution"]
Licence0 = Literal[
    "Redistribution_Prohibited",
    "CC0",
    "CC_BY",
    "CC_BY_NC",
    "CC_BY_SA",
    "CC_BY_NC_SA",
    "CC_BY_ND",
    "CC_BY_NC_ND",
    "Other",
]
LICENCE_URL: Final = "https://vrm.dev/licenses/1.0/"
_MOST_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class VrmMeta:
    """Answers to every question of VRM's meta."""

    name: str
    """Of the model."""
    authors: tuple[str, ...]
    """At least one; the first is who made it."""
    avatar_permission: AvatarPermission
    """Who may act as this avatar."""
    allow_violent: bool
    allow_sexual: bool
    commercial_usage: CommercialUsage
    allow_political: bool
    """In political or religious content."""
    allow_antisocial: bool
    credit_notation: CreditNotation
    allow_redistribution: bool
    modification: Modification
    licence_0: Licence0 = "Redistribution_Prohibited"
    """Of VRM 0.x, whose permissions are coarser; 1.0 does not carry it."""
    version: str = ""
    contact: str = ""
    references: tuple[str, ...] = ()
    other_licence_url: str = ""


RESTRICTIVE: Final[Mapping[str, Any]] = {
    "avatar_permission": "onlyAuthor",
    "allow_violent": False,
    "allow_sexual": False,
    "commercial_usage": "personalNonProfit",
    "allow_political": False,
    "allow_antisocial": False,
    "credit_notation": "required",
    "allow_redistribution": False,
    "modification": "prohibited",
}
"""The specification's own defaults (meta.md, "Properties")."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "avatar_permission": get_args(AvatarPermission),
    "commercial_usage": get_args(CommercialUsage),
    "credit_notation": get_args(CreditNotation),
    "modification": get_args(Modification),
    "licence_0": get_args(Licence0),
}
_OF_FILE: Final = {
    "avatarPermission": "avatar_permission", "allowExcessivelyViolentUsage": "allow_violent",
    "allowExcessivelySexualUsage": "allow_sexual", "commercialUsage": "commercial_usage",
    "allowPoliticalOrReligiousUsage": "allow_political", "allowAntisocialOrHateUsage": "allow_antisocial",
    "creditNotation": "credit_notation", "allowRedistribution": "allow_redistribution", "modification": "modification",
    "name": "name", "authors": "authors", "version": "version", "contactInformation": "contact", "references": "references",
    "otherLicenseUrl": "other_licence_url", "licenseName": "licence_0",
}  # fmt: skip
"""What a --meta file calls the fields: meta.md's names, and 0.x's licenseName."""


def answered(answers: Mapping[str, Any], *, restrictive: bool = False) -> VrmMeta:
    """The meta of these answers; None and absent ones are open questions.

    Raises UsageError (2) that lists what is still to be answered, and with what.
    """
    given = {key: value for key, value in answers.items() if value is not None and value != ()}
    said: dict[str, Any] = (dict(RESTRICTIVE) if restrictive else {}) | given
    for key, value in said.items():
        _check(key, value)
    authors = tuple(str(author).strip() for author in said.get("authors", ()) if str(author).strip())
    open_ = [] if authors else ["--author NAME"]
    if not str(said.get("name", "")).strip():
        open_.append("--name NAME")
    for key in RESTRICTIVE:
        if key not in said:
            asked = CHOICES.get(key)
            option = key.replace("_", "-")
            open_.append(f"--{option} {'|'.join(asked)}" if asked else f"--{option}/--no-{option}")
    if said.get("licence_0") == "Other" and not said.get("other_licence_url"):
        open_.append("--other-licence-url URL")
    if open_:
        raise UsageError(
            f"a VRM says who made it and what others may do with it; not answered yet: {', '.join(open_)}.",
            hint="Answer each, or say --restrictive, which forbids all that the VRM specification lets you forbid (an --author it needs all the same).",
            id="VRM_META",
        )
    said["authors"] = authors
    return VrmMeta(**said)


def _check(key: str, value: object) -> None:
    kinds = {field.name: field.type for field in fields(VrmMeta)}
    if key not in kinds:
        raise UsageError(f"VRM's meta has no {key!r}; it has {', '.join(kinds)}.", id="VRM_META")
    if key in CHOICES:
        fits, expected = value in CHOICES[key], f"one of {', '.join(CHOICES[key])}"
    elif key.startswith("allow_"):
        fits, expected = isinstance(value, bool), "true or false"
    elif key in ("authors", "references"):
        fits = isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)
        expected = "a list of texts"
    else:
        fits, expected = isinstance(value, str), "a text"
    if not fits:
        raise UsageError(f"expected {key.replace('_', '-')} to be {expected}, got {str(value)[:60]!r}.", id="VRM_META")


def read_answers(path: Path) -> dict[str, Any]:
    """Answers in a JSON file by the names of VRM's meta (`avatarPermission`, ...). Raises InputError (10) or UsageError (2)."""
    with open_given(path, "JSON") as stream:
        content = stream.read(_MOST_BYTES + 1) or b""
    expected = (
        f'expected a JSON object of at most {_MOST_BYTES:,} bytes with VRM\'s names, such as {{"authors": ["Ana"]}}'
    )
    try:
        told = json.loads(content.decode("utf-8")) if len(content) <= _MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f'"{short_name(path)}" is not JSON: {str(error)[:120]}.', hint=expected, id="VRM_META"
        ) from error
    if not isinstance(told, dict):
        raise UsageError(f'"{short_name(path)}" does not hold answers.', hint=expected, id="VRM_META")
    unknown = [str(key)[:40] for key in told if key not in _OF_FILE]
    if unknown:
        raise UsageError(
            f'"{short_name(path)}" answers {", ".join(unknown)}, which nobody asked.',
            hint=f"Known: {', '.join(_OF_FILE)}.",
            id="VRM_META",
        )
    return {_OF_FILE[key]: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
