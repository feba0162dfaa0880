"""What `avatar3d check` says of a .vrm beyond what it says of any GLB: VRM's own rules, each with its source."""

from collections.abc import Iterator
from typing import Final

from avatar3d.formats.check_vrm0 import RULES_0
from avatar3d.formats.check_vrm1 import RULES_1
from avatar3d.formats.finding import Finding, failed, passed, warned
from avatar3d.formats.glb import GlbDocument
from avatar3d.formats.vrm0 import VRM0
from avatar3d.formats.vrm1 import VRM1
from avatar3d.formats.vrm_json import record

VRM_SUFFIX: Final = ".vrm"
ASKED_FOR_BY_VRM: Final = ("MESH_PRIMITIVE_GENERATED_TANGENT_SPACE", "INVALID_EXTENSION_NAME_FORMAT")
"""Warnings of the Khronos validator about what VRM demands: no stored tangents; an extension called VRM."""
_MOST: Final = 8
"""Faults told per rule."""


def check_vrm(document: GlbDocument) -> Iterator[Finding]:
    """One finding per rule that holds, and one per fault of each that does not."""
    extensions = record(document.json.get("extensions"))
    told = [(name, rules) for name, rules in ((VRM1, RULES_1), (VRM0, RULES_0)) if name in extensions]
    if not told:
        yield failed("vrm", "extensions", f"neither {VRM1} (1.0) nor {VRM0} (0.x) is there: this is a plain GLB")
    for name, rules in told:
        for rule in rules:
            faults = list(rule.faults(document, record(extensions[name])))
            report = failed if rule.level == "fail" else warned
            for where, fault in faults[:_MOST]:
                yield report(f"vrm {rule.name}", where, f"{fault} ({rule.section})")
            if not faults:
                yield passed(f"vrm {rule.name}", "", f"holds ({rule.section})")
