"""What training minimises: curves, their motion, the lips' opening, gates, voice and phones."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from avatar3d.speech.network.model import CLOSED, TUCKED, VOICE, lip_phones

# How much each kind counts; by a few short trials on the speakers that gates are set on.
SHARES: Final = {
    "controls": 20.0, "swing": 20.0, "gap": 0.6, "closed": 2.0, "tucked": 2.0, "voice": 0.3, "phones": 0.7, "lips": 1.0,
}  # fmt: skip


def losses_by_kind(answers: Tensor, wanted: Mapping[str, Tensor], ruler: Tensor) -> dict[str, Tensor]:
    """What training minimises, per kind; every one a mean over steps that count.

    `wanted`: controls [S T C], gates [S T 3] (closed, tucked, voice), phones [S T], counts [S T]. `ruler` [C] is the lips'
    gap in centimetres per control: plain regression shrinks openings and closures towards the mean.
    """
    counts = wanted["counts"]
    total = counts.sum()
    controls = answers[..., :CLOSED]
    off = functional.smooth_l1_loss(controls, wanted["controls"], beta=0.05, reduction="none").mean(dim=2)
    both = counts[:, 1:] * counts[:, :-1]
    swing = (controls.diff(dim=1) - wanted["controls"].diff(dim=1)).abs().mean(dim=2)
    gap = ((controls - wanted["controls"]) @ ruler).abs()
    gates = functional.binary_cross_entropy_with_logits(
        answers[..., CLOSED : VOICE + 1], wanted["gates"], reduction="none"
    )
    phones = functional.cross_entropy(
        answers[..., VOICE + 1 :].transpose(1, 2), wanted["phones"], reduction="none", label_smoothing=0.05
    )
    # Whether the phones heard close or tuck the lips matters more than which of them they are.
    of_lips = torch.from_numpy(lip_phones()).to(answers)
    heard = (functional.softmax(answers[..., VOICE + 1 :], dim=2) @ of_lips).clamp(1e-6, 1 - 1e-6)
    lips = functional.binary_cross_entropy(heard, of_lips[wanted["phones"]], reduction="none").sum(dim=2)
    return {
        "controls": (off * counts).sum() / total,
        "swing": (swing * both).sum() / both.sum(),
        "gap": (gap * counts).sum() / total,
        "closed": (gates[..., 0] * counts).sum() / total,
        "tucked": (gates[..., TUCKED - CLOSED] * counts).sum() / total,
        "voice": (gates[..., VOICE - CLOSED] * counts).sum() / total,
        "phones": (phones * counts).sum() / total,
        "lips": (lips * counts).sum() / total,
    }
