"""One person in several photos: one identity and one way lids rest; a view, an expression and a gaze for each.

photos --meet--> who each seems to show --each as far as it can tell--> one person --held, settle--> a fit for each

At the optimum of one photo alone, what it tells is a Gaussian; the product of these Gaussians is what all tell together.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.fit.energies import VIEW
from avatar3d.fit.fit import Meeting, meet, settle
from avatar3d.fit.solve import bounded_step, bounds

_LEARNT_YAW_RAD: Final = 0.35
"""Glance, look and noise were learnt on heads turned by a normal 0.2 (tools/head/cases.py): what they say of a head
turned further than this is an extrapolation, and counts less with the square of the angle."""


def fit_together(
    model: HeadModel, faces: Sequence[FaceObservation], *, segments: Sequence[Segments | None]
) -> tuple[HeadFit, ...]:
    """A fit per photo of one person; expression and resting lids of the first are the avatar's."""
    meetings = [meet(model, face, segments=seen) for face, seen in zip(faces, segments, strict=True)]
    if len(meetings) == 1:
        return (settle(model, meetings[0]),)
    identity = shared_identity(meetings)
    main = settle(model, as_this(meetings[0], identity))
    resting = main.resting.astype(np.float64)
    others = (as_this(meeting, main.identity.astype(np.float64)) for meeting in meetings[1:])
    return (main, *(settle(model, other, resting=resting) for other in others))


def shared_identity(meetings: Sequence[Meeting]) -> Float64[np.ndarray, "K"]:
    """Who all photos show: each tells every coefficient as firmly as it holds it."""
    told = [_trust(meeting) * identity_firmness(meeting) for meeting in meetings]
    total = sum(firm @ meeting.known.identity for firm, meeting in zip(told, meetings, strict=True))
    return np.linalg.solve(np.sum(told, axis=0), total)


def identity_firmness(meeting: Meeting) -> Float64[np.ndarray, "K K"]:
    """Inverse covariance of the identity that one photo tells, whatever its view and expression (Schur complement)."""
    split = VIEW + len(meeting.known.identity)
    lower, upper = bounds(len(meeting.known.identity), meeting.known.expression, meeting.evidence.moving)
    free = lower < upper
    free[VIEW:split] = False
    mine, rest = np.arange(VIEW, split), np.flatnonzero(free)
    across = meeting.firm[np.ix_(rest, mine)]
    alone = meeting.firm[np.ix_(mine, mine)] - across.T @ np.linalg.solve(meeting.firm[np.ix_(rest, rest)], across)
    prior = 1 / meeting.evidence.prior.sigma**2 - 1  # `firm` takes them for anyone
    return alone + prior * np.eye(len(mine))


def as_this(meeting: Meeting, identity: Float64[np.ndarray, "K"]) -> Meeting:
    """The photo with this person in it: view and expression follow as they go together with identity."""
    known = meeting.known
    lower, upper = bounds(len(identity), known.expression, meeting.evidence.moving)
    split = VIEW + len(identity)
    lower[VIEW:split] = upper[VIEW:split] = identity - known.identity
    step = bounded_step(meeting.firm, np.zeros(len(lower)), lower, upper)
    return replace(meeting, known=replace(known.moved(step), identity=identity))


def _trust(meeting: Meeting) -> float:
    """How far a photo is believed about who it shows, by how the head is turned."""
    yaw = abs(meeting.known.view.turned_rad[0])
    return float(min(1.0, (_LEARNT_YAW_RAD / max(yaw, 1e-6)) ** 2))
