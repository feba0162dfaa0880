"""What travels with a motion about where it comes from: in our clip file, and in an animated GLB's `asset.extras.motion`.

schema                version of this table
synthetic             true, as in formats/provenance.py
digitalSourceType     the same for people who read IPTC
source                {"kind": "sound", "text", "video", ..., "sha256": [...]}: which recordings, without naming them
notes                 further JSON facts: seed, emotion, version of the model
"""

from typing import Any, Final

from avatar3d.formats.provenance import DIGITAL_SOURCE_TYPE

SCHEMA: Final = "avatar3d-motion-1"


def clip_provenance(kind: str, *source_sha256: str, notes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The marks of a motion made from sources of this kind ("sound", "text", "video", "recording") with these hashes."""
    marks: dict[str, Any] = {
        "schema": SCHEMA,
        "synthetic": True,
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
        "source": {"kind": kind, "sha256": list(source_sha256)},
    }
    return marks | ({"notes": notes} if notes else {})
