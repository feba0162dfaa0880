"""One person in several photos: one identity and one way lids rest; a view, an expression and a gaze for each.

photos --meet--> who each seems to show --each as far as it can tell--> one person --held, settle--> a fit for each

At the optimum of one photo alone, what it tells is a Gaussian; the product of these Gaussians is what all tell together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64

from avatar3d.core.errors import FaceUnusableError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.core.sitting import Pins
from avatar3d.fit.energies import VIEW
from avatar3d.fit.fit import Meeting, meet, settle
from avatar3d.fit.noise import noise_of, upright_turn, whitening
from avatar3d.fit.person import Evidence
from avatar3d.fit.pins import with_pins
from avatar3d.fit.solve import bounded_step, bounds

_LEARNT_YAW_RAD: Final = 0.35
"""Glance, look and noise were learnt on heads turned by a normal 0.2 (tools/head/cases.py): what they say of a head
turned further than this is an extrapolation, and counts less with a power of the angle: RMS error of the face, 40 renders
each, 1.6 mm at 0 and 20 degrees, 1.9 at 35, 2.5 at 50 (the mean head's), 3.2 at 60."""
_LESS: Final = 4
_FRONTAL_RAD, _TELLING_RAD = 0.40, 0.60
"""Up to the first yaw (as fitted) a photo alone tells who it shows; beyond the second, about 40 degrees, it does not."""
_STRANGERS, _DOUBTED = 0.15, 0.35
"""Likeness of two photos fitted one by one, below which they are of two people, or may be: decision 0023."""
_HIDDEN: Final = (0.3, 0.6)
"""Cosine between the skin's normal and the line of sight: below the first a landmark is guessed, above the second seen."""


@dataclass(frozen=True, eq=False)
class Together:
    """One person, fitted to each photo."""

    fits: tuple[HeadFit, ...]
    """All of one identity and neutral head; the first photo's expression and resting lids are the avatar's."""
    doubts: tuple[str, ...]
    """A sentence on each photo that may show somebody else."""
    main: Meeting
    """The first photo, with the person in it whom all tell; without pins."""


def fit_together(
    model: HeadModel,
    faces: Sequence[FaceObservation],
    *,
    segments: Sequence[Segments | None],
    pins: Pins | None = None,
) -> Together:
    """A fit per photo of one person; `pins` are landmarks of the first photo that were put right by hand.

    Raises FaceUnusableError (15, FACE_DIFFERENT) when a photo clearly shows somebody else than the first.
    """
    meetings = [meet(model, face, segments=seen) for face, seen in zip(faces, segments, strict=True)]
    if len(meetings) == 1:
        return Together((settle(model, _pinned(meetings[0], pins)),), (), meetings[0])
    doubts = [doubt for other in meetings[1:] if (doubt := doubt_person(meetings[0], other))]
    joined = as_this(meetings[0], shared_identity(meetings))
    main = settle(model, _pinned(joined, pins))
    who, resting = main.identity.astype(np.float64), main.resting.astype(np.float64)
    others = (as_this(meeting, who) for meeting in meetings[1:])
    aside = (replace(other, evidence=from_aside(model, other)) for other in others)
    return Together((main, *(settle(model, other, resting=resting) for other in aside)), tuple(doubts), joined)


def _pinned(meeting: Meeting, pins: Pins | None) -> Meeting:
    return meeting if pins is None else with_pins(meeting, pins)


def likeness(one: Float64[np.ndarray, "K"], other: Float64[np.ndarray, "K"]) -> float:
    """Cosine between two identities: 1 the same person, about 0 strangers."""
    return float(one @ other / max(float(np.linalg.norm(one) * np.linalg.norm(other)), 1e-9))


def doubt_person(first: Meeting, other: Meeting) -> str:
    """What to say of a photo that may show somebody else; "" when nothing speaks for it."""
    turned = max(abs(meeting.known.view.turned_rad[0]) for meeting in (first, other))
    alike = likeness(first.known.identity, other.known.identity)
    names = [f'"{meeting.face.photo.file or meeting.face.photo.name}"' for meeting in (first, other)]
    if turned < _FRONTAL_RAD and alike < _STRANGERS:
        raise FaceUnusableError(
            f"{names[1]} shows somebody else than {names[0]}: their likeness is {alike:.2f} of 1; the limit is {_STRANGERS}.",
            hint="Give photos of one person, or create an avatar of each without --same-person.",
            id="FACE_DIFFERENT",
        )
    limit = _DOUBTED if turned < _FRONTAL_RAD else _STRANGERS
    if turned > _TELLING_RAD or alike >= limit:
        return ""
    return f"{names[1]} may show somebody else than {names[0]}: their likeness is {alike:.2f} of 1."


def shared_identity(meetings: Sequence[Meeting]) -> Float64[np.ndarray, "K"]:
    """Who all photos show: each tells every coefficient as firmly as it holds it.

    Each is drawn toward the mean head as far as one photo has to be; where they differ their mean is so once more, which
    is taken back: all together are as far from the mean head as one.
    """
    trust = np.array([_trust(meeting) for meeting in meetings])
    seen = np.stack([meeting.known.identity for meeting in meetings])
    told = trust[:, None, None] * np.stack([identity_firmness(meeting) for meeting in meetings])
    mean = np.linalg.solve(told.sum(0), np.einsum("nij,nj->i", told, seen))
    size = np.average(np.linalg.norm(seen, axis=1), weights=trust)
    return mean * size / max(float(np.linalg.norm(mean)), 1e-9)


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


def from_aside(model: HeadModel, meeting: Meeting) -> Evidence:
    """The evidence of a head that may be turned far: without landmarks that are hidden, hence guessed, and those left
    where they would be if the detector answered rightly.
    """
    evidence, known, noise = meeting.evidence, meeting.known, noise_of(model)
    basis, seen = evidence.basis, evidence.seen
    corners = model.rest[model.triangles[model.landmark_triangles[basis.index]]].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    toward = normals @ -known.view.rotation[2]
    shown = np.clip((toward - _HIDDEN[0]) / (_HIDDEN[1] - _HIDDEN[0]), 1e-3, 1)
    if noise is not None:
        white = whitening(noise, basis, inflate=evidence.params.noise_inflation)
        bare, slopes = evidence.upright(known)
        answer = (white.expected(known, bare, slopes)[0] - bare)[: 2 * len(shown)].reshape(-1, 2)
        off = answer @ upright_turn(known.view) * seen.interocular_px
        seen = replace(seen, points_px=seen.points_px - off)
    return replace(evidence, basis=replace(basis, confidence=basis.confidence * shown), seen=seen)


def _trust(meeting: Meeting) -> float:
    """How far a photo is believed about who it shows, by how the head is turned."""
    yaw = abs(meeting.known.view.turned_rad[0])
    return float(min(1.0, (_LEARNT_YAW_RAD / max(yaw, 1e-6)) ** _LESS))
