"""What travels inside an avatar about where it comes from: the contents of glTF `asset.extras`.

    synthetic             true: the one flag a program needs
    digitalSourceType     the same for people who read IPTC (newscodes, used by C2PA, too)
    copyright             one line to show; also written to glTF's own asset.copyright
    licences              one line per thing the asset was made from
    source                {"kind": "photograph", "sha256": [...]}: which pictures, without showing them
    likenessOf            whose face: "the person in the photograph" unless told otherwise
    schema                version of this table

No name, path, place or date of a picture is carried on.
"""

from typing import Any, Final

SCHEMA: Final = "avatar3d-extras-1"
DIGITAL_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"


def avatar_extras(
    *,
    licences: tuple[str, ...],
    source_sha256: tuple[str, ...],
    likeness_of: str = "the person in the photograph",
    notes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Extras of an avatar made from the pictures with these hashes and the models with these licence lines.

    `notes` are further JSON facts (fit residual, texture size, ...) under their own key.
    """
    extras: dict[str, Any] = {
        "schema": SCHEMA,
        "synthetic": True,
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
        "copyright": "Synthetic likeness. Made with avatar3d from " + "; ".join(licences),
        "licences": list(licences),
        "source": {"kind": "photograph", "sha256": list(source_sha256)},
        "likenessOf": likeness_of,
    }
    return extras | ({"notes": notes} if notes else {})


def provenance_faults(extras: dict[str, Any]) -> list[str]:
    """What is missing from an asset's extras, one sentence each; empty when the marks are complete."""
    faults: list[str] = []
    if extras.get("synthetic") is not True:
        faults.append("asset.extras.synthetic is not true")
    if extras.get("digitalSourceType") != DIGITAL_SOURCE_TYPE:
        faults.append("asset.extras.digitalSourceType is not IPTC's compositeSynthetic")
    licences = extras.get("licences")
    if not isinstance(licences, list) or not licences or not all(isinstance(line, str) and line for line in licences):  # pyright: ignore[reportUnknownVariableType]
        faults.append("asset.extras.licences names no licence")
    source = extras.get("source")
    if not isinstance(source, dict) or not source.get("sha256"):  # pyright: ignore[reportUnknownMemberType]
        faults.append("asset.extras.source names no picture by its sha256")
    return faults
