"""All own parts of the head."""

from tools.head.part import PartGeometry
from tools.head.parts.brows import build_brows
from tools.head.parts.eyes import build_eyes
from tools.head.parts.lashes import build_lashes
from tools.head.parts.mouth import build_mouth
from tools.head.parts.source import IctSource
from tools.head.parts.teeth import build_teeth
from tools.head.parts.tongue import build_tongue


def build_parts(ict: IctSource) -> list[PartGeometry]:
    """eyeLeft, eyeRight, teethUpper, teethLower, tongue, mouth, lashes, brows, in this order."""
    return [
        *build_eyes(ict),
        *build_teeth(ict),
        build_tongue(ict),
        build_mouth(ict),
        build_lashes(ict),
        build_brows(ict),
    ]
