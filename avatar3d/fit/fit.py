"""Fit a head to one face: who this is, with which expression, seen from where.

landmarks --> person --> the skin's outline --> gaze --> pose and expression on the picture --> lids
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import FaceObservation
from avatar3d.core.segments import Segments
from avatar3d.fit.basis import FACE_OVAL, SEEN, landmark_basis
from avatar3d.fit.camera import to_camera
from avatar3d.fit.energies import State
from avatar3d.fit.gaze import gaze_of, look_weights, remaining_turns
from avatar3d.fit.lids import calmed_lids, lids_on_picture, resting_lids
from avatar3d.fit.look import learnt_look
from avatar3d.fit.noise import noise_of
from avatar3d.fit.outline import reach_outline, rim_of, seen_outline
from avatar3d.fit.person import Evidence, FitParams, firmness, gather, lay_on_picture, solve_skin
from avatar3d.fit.prior import learnt_glance
from avatar3d.fit.smile import smile_lean
from avatar3d.head.deform import lean_gains, pose_head, shape_head


@dataclass(frozen=True, eq=False)
class Meeting:
    """One photo, and who it seems to show."""

    face: FaceObservation
    evidence: Evidence
    known: State
    firm: Float64[np.ndarray, "C C"]
    """How firmly landmarks and outline hold it (inverse covariance), were it anyone."""


def fit_head(
    model: HeadModel, face: FaceObservation, params: FitParams | None = None, *, segments: Segments | None = None
) -> HeadFit:
    """Who this is, with which expression, seen from where.

    The camera is the photo's: its focal length when EXIF told it, else one estimated from the perspective of the face.
    With `segments` it also learns from the outline of the skin beside the face (heads with measured noise).
    Raises ModelError when the head has no calibrated landmarks.
    """
    return settle(model, meet(model, face, params, segments=segments))


def meet(
    model: HeadModel, face: FaceObservation, params: FitParams | None = None, *, segments: Segments | None = None
) -> Meeting:
    """The person, before head and picture are laid on each other."""
    basis = landmark_basis(model)
    look = learnt_look(model.name)
    glance = (look and look.at(face)) or learnt_glance(model.name)
    evidence = gather(basis, face, params or FitParams(), glance)
    noise = noise_of(model)
    known = solve_skin(evidence, noise, glance)
    firm = firmness(evidence, noise, known)
    if segments is not None and noise is not None:
        rim, seen = rim_of(model, basis.centre), seen_outline(face, segments)
        known, outline = reach_outline(rim, seen, known, firm, moving=evidence.moving)
        firm = firm + outline
    return Meeting(face, evidence, known, firm)


def settle(model: HeadModel, meeting: Meeting, *, resting: Float64[np.ndarray, "52"] | None = None) -> HeadFit:
    """The head as the picture shows it. With `resting`, person and resting lids are known and stay."""
    face, evidence, known = meeting.face, meeting.evidence, meeting.known
    basis = evidence.basis
    height, width = face.photo.pixels.shape[:2]
    camera = to_camera(known.view, basis.centre, width, height)
    person = shape_head(model, known.identity.astype(np.float32))
    looking = look_weights(*gaze_of(model, person, camera, face.landmarks_px))
    evidence = replace(evidence, basis=basis.looking(looking))  # lids follow the eyes before they are fitted
    state = lay_on_picture(evidence, known, moving="all but focal" if resting is None else "pose and expression")
    identity = state.identity.astype(np.float32)
    camera = to_camera(state.view, basis.centre, width, height)
    person = shape_head(model, identity)
    gaze = gaze_of(model, person, camera, face.landmarks_px)
    expression = looking.copy()
    expression[SEEN] = state.expression
    expression = lids_on_picture(model, person, expression, camera, face.landmarks_px)
    if resting is None:
        resting = calmed_lids(model, person, resting_lids(expression))
    remaining = np.maximum(expression - resting, 0).astype(np.float32)
    lids = np.flatnonzero(resting)
    neutral = person + np.tensordot(resting[lids].astype(np.float32), model.expression[lids], 1)
    left_eye, right_eye = remaining_turns(model, person, looking, gaze)
    lean = smile_lean(remaining)
    return HeadFit(
        identity=identity,
        expression=remaining / lean_gains(lean),
        resting=resting.astype(np.float32),
        camera=camera,
        left_eye_wxyz=left_eye,
        right_eye_wxyz=right_eye,
        neutral=neutral,
        posed=pose_head(model, neutral, remaining, left_eye, right_eye),
        residual_iod=inner_residual(evidence, state),
        smile_lean=lean,
    )


def inner_residual(evidence: Evidence, state: State) -> float:
    """Mean distance of the landmarks inside the face's outline from where they were seen, inter-ocular distances."""
    inner = ~np.isin(evidence.basis.index, FACE_OVAL)
    return float(evidence.off(state)[inner].mean())
