"""What travels inside an avatar about where it comes from: the contents of glTF `asset.extras`.

    synthetic             true: the one flag a program needs
    digitalSourceType     the same for people who read IPTC (newscodes, used by C2PA, too)
    copyright             one line to show; also written to glTF's own asset.copyright
    licences              one line per thing the asset was made from
    source                {"kind": "photograph" or "generated person", "sha256": [...]}: which pictures, without showing them
    schema                version of this table

No name, path, place or date of a picture is carried on.
"""

from typing import Any, Final

SCHEMA: Final = "avatar3d-extras-1"
DIGITAL_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"


def provenance(
    licence: str, *source_sha256: str, generated: bool = False, notes: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Extras of an avatar made with a head model of this licence line from the pictures with these hashes.

    `licence` may hold several lines. `generated` pictures show nobody. `notes` are further JSON facts (fit residual, texture size) under their own key.
    """
    lines = [line.strip() for line in licence.splitlines() if line.strip()]
    extras: dict[str, Any] = {
        "schema": SCHEMA,
        "synthetic": True,
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
        "copyright": "Synthetic likeness, made with avatar3d. Head model: " + "; ".join(lines),
        "licences": lines,
        "source": {"kind": "generated person" if generated else "photograph", "sha256": list(source_sha256)},
    }
    return extras | ({"notes": notes} if notes else {})


def picture_mark() -> str:
    """The same mark for a picture of an avatar: an XMP packet (ISO 16684-1) with IPTC's DigitalSourceType."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
    )


def provenance_faults(extras: dict[str, Any]) -> list[str]:
    """What is missing from an asset's extras, one sentence each; empty when the marks are complete."""
    faults: list[str] = []
    if extras.get("synthetic") is not True:
        faults.append("asset.extras.synthetic is not true")
    if extras.get("digitalSourceType") != DIGITAL_SOURCE_TYPE:
        faults.append("asset.extras.digitalSourceType is not IPTC's compositeSynthetic")
    licences = extras.get("licences")
    if not isinstance(licences, list) or not licences or not all(isinstance(line, str) and line for line in licences):
        faults.append("asset.extras.licences names no licence")
    source = extras.get("source")
    if not isinstance(source, dict) or not source.get("sha256"):
        faults.append("asset.extras.source names no picture by its sha256")
    return faults
