"""Splats for an avatar from one photo or several: sown, learnt coarsely, hidden ones filled in, the seen ones polished.

looks --sow_looks--> Sown --learn--> --fill--> hidden splats, frozen --learn on, finely--> SplatCloud
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from avatar3d.core.avatar import Avatar
from avatar3d.core.clock import Progress
from avatar3d.core.splats import SplatCloud
from avatar3d.render.splats import SplatRenderer
from avatar3d.render.stage import stage_avatar
from avatar3d.splat.fill import fill, settle
from avatar3d.splat.learn import Refinement, advance, begin, cloud_of, recoloured
from avatar3d.splat.look import Look, halve
from avatar3d.splat.sow import Sown, joined, sow_looks

_TOLD_STEPS: Final = 10
"""Progress is told, and may end the work, this often."""


@dataclass(frozen=True)
class RefineParams:
    """How many, how long, and how finely."""

    splats: int = 25_000
    """Seen ones."""
    hidden: int = 4_000
    """At most, beside the seen ones; 0 leaves what no photo shows to the mesh."""
    coarse_steps: int = 70
    """At half the looks' size."""
    fine_steps: int = 50
    """At their own, with hidden splats frozen; of each look as many."""


def refine(
    avatar: Avatar, looks: Sequence[Look], params: RefineParams, *, renderer: SplatRenderer, progress: Progress = str
) -> SplatCloud:
    """A cloud for the avatar, from one look or several, the main photo's first; what `progress` raises ends it.

    Empty where the looks show neither face nor hair. The same looks and parameters give the same bytes on one machine, whatever the number of threads.
    """
    stage = stage_avatar(avatar)
    sown = sow_looks(stage, looks, count=params.splats)
    if not len(sown.cloud.triangle):
        return sown.cloud
    coarse, fine = params.coarse_steps * len(looks), params.fine_steps * len(looks)
    state = begin(sown)

    def learn(state: Refinement, sown: Sown, looks: Sequence[Look], until: int) -> Refinement:
        while state.step < until:
            step = min(state.step + _TOLD_STEPS, until)
            state = advance(state, sown, stage, looks, renderer, until=step, last=coarse + fine)
            progress(f"  splats: {state.step} of {coarse + fine} steps")
        return state

    state = learn(state, sown, [halve(look) for look in looks], coarse)
    sown, settled = settle(stage, sown, cloud_of(state, sown))
    state = recoloured(state, settled)
    if params.hidden:
        hidden = fill(avatar, looks[0], sown, settled, count=params.hidden)
        state, sown = _with(state, hidden), joined([sown, hidden])
    return cloud_of(learn(state, sown, looks, coarse + fine), sown)


def _with(state: Refinement, hidden: Sown) -> Refinement:
    """The same state with further splats, which have learnt nothing."""
    more = begin(hidden)
    return replace(
        state,
        learnt=np.concatenate([state.learnt, more.learnt]),
        first=np.concatenate([state.first, more.first]),
        second=np.concatenate([state.second, more.second]),
    )
