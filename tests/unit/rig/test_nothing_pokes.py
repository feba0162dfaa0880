"""Nothing of one person's mouth comes through skin or teeth in any of their own shapes (signed distances)."""

import numpy as np
import pytest

pytest.importorskip("open3d", reason="open3d finds closest points; it comes with the development extra")

from avatar3d.head.load import load_head_model
from tests.unit.rig.people import rigged
from tools.head.parts.poking import RULES, Head, inspect, poses

# mouthClose has no meaning without jawOpen; a rolled lip lies behind the upper teeth, as a bitten one does.
EXCUSED = {
    "upper teeth through the skin": {"mouthRollUpper", "mouthRollLower", "mouthClose"},
    "lower teeth through the skin": {"mouthRollUpper", "mouthRollLower", "mouthClose"},
    "mouth lining through the skin": {"mouthClose"},
    "tongue in lips and cheeks": {"mouthRollLower", "half tongueOut"},
}
# Beyond what the head's own rule allows (metres): tongue and teeth behind shut lips, and half a tongue between lips.
MORE_M = {"tongue in teeth": 0.0006, "tongue through the skin": 0.0005}


@pytest.mark.parametrize("seed", [None, 4])
def test_nothing_pokes_through_this_person(seed: int | None) -> None:
    neutral, shapes = rigged(seed)
    head = Head(load_head_model())
    faults: list[str] = []
    for pose, weights in poses():
        posed = (neutral + np.tensordot(np.asarray(weights, np.float32), shapes, 1)).astype(np.float32)
        for rule in (rule for rule in RULES if "lids" not in rule.name):
            found = inspect(head, posed, rule, pose=pose, person=seed or 0)
            allowed = max(rule.allowed, 1e-4) + MORE_M.get(rule.name, 0)
            if pose not in EXCUSED.get(rule.name, set()) and found.depth > allowed:
                faults.append(f"{rule.name}, {pose}: {found.depth * 1e3:.2f} mm at {found.place}")
    assert not faults, "\n".join(faults)
