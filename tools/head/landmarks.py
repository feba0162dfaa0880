"""Where MediaPipe's 478 points lie on a head.

    painted random heads --> face mesh --> rays back to the surface --> robust mean per point, made symmetric
    portraits --> fit --> move each point along the surface to reduce its mean residual --> again

The eye's iris points (468 to 477) are put on the eyeballs by geometry.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8
from scipy.optimize import linear_sum_assignment  # pyright: ignore[reportUnknownVariableType]
from scipy.spatial import KDTree

from avatar3d.core.blendshapes import ARKIT_INDEX
from avatar3d.core.errors import InputError
from avatar3d.core.head import HeadModel
from avatar3d.core.photo import FaceObservation, Photo
from avatar3d.fit.basis import landmark_basis
from avatar3d.fit.energies import huber_weights
from avatar3d.fit.person import FitParams, first_pose, gather, independent_fit
from avatar3d.head.ict import ict_path, load_ict
from avatar3d.people.camera import Lens, look_at_head, pixel_rays
from avatar3d.people.heads import solid_triangles
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.render.raycast import Scene
from tools.head.open_skin import Skin, SurfacePoints, open_skin
from tools.head.painted import random_paint
from tools.head.synthetic import random_light, render_portrait

Observe = Callable[[UInt8[np.ndarray, "H W 3"]], FaceObservation | None]

SKIN_POINTS: Final = 468
_SEED: Final = 20261120
_HEADS: Final = 60
# The inner lip lines, from the person's right corner to the left.
_INNER_UPPER: Final = (191, 80, 81, 82, 13, 312, 311, 310, 415)
_INNER_LOWER: Final = (95, 88, 178, 87, 14, 317, 402, 318, 324)
_IRIS_RADIUS_M: Final = 0.0059  # an adult's, the same for all within half a millimetre
_SLIP_M: Final = 0.004
_STRAY_M: Final = 0.004
# Expressions and identity believed more than in a single photo's fit: here many photos check each other.
_CALIBRATION: Final = FitParams(landmark_sigma_iod=0.04, expression_sigma=0.5)
_MIXED = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeWideLeft", "eyeWideRight", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight")  # fmt: skip


def painted_anchors(model: HeadModel, observe: Observe, *, heads: int = _HEADS) -> Float64[np.ndarray, "478 4"]:
    """First guess: robust mean place of each point on the opened skin (metres), and its spread (metres).

    A ray that meets eye, teeth or nothing counts nowhere; a point that hardly ever meets skin has spread infinity.
    """
    rng = np.random.default_rng(_SEED)
    skin = open_skin(model)
    face = model.part_names.index("face")
    solid = solid_triangles(model)
    found: list[np.ndarray] = []
    for _ in range(heads):
        identity = rng.standard_normal(len(model.identity)).astype(np.float32) * np.float32(0.8)
        expression = np.zeros(52, np.float32)
        for name in _MIXED:
            expression[ARKIT_INDEX[name]] = max(0.0, rng.uniform(-0.5, 0.4))
        vertices = (
            model.rest + np.tensordot(identity, model.identity, 1) + np.tensordot(expression, model.expression, 1)
        )
        camera = look_at_head(
            Lens(360, 360, 700.0),
            distance_m=rng.uniform(0.45, 0.65),
            yaw_rad=rng.uniform(-0.4, 0.4),
            pitch_rad=rng.uniform(-0.2, 0.2),
        )
        picture = render_portrait(model, vertices, random_paint(model, rng), camera, random_light(rng))
        face_seen = observe(picture)
        if face_seen is None:
            continue
        origins, directions = pixel_rays(camera, face_seen.landmarks_px.astype(np.float64))
        hits = Scene(vertices, model.triangles[solid]).cast(origins, directions)
        triangle = solid[np.maximum(hits.triangle, 0)]
        places = np.einsum("lc,lcd->ld", hits.barycentric, skin.vertices[model.triangles[triangle]])
        missed = hits.triangle < 0
        behind = np.flatnonzero(~missed & (model.triangle_parts[triangle] != face))
        places[missed] = np.nan
        places[behind] = _lip_or_lid(skin, model, vertices, origins[behind] + directions[behind] * hits.distance[behind, None])  # fmt: skip
        found.append(places)
    return _robust_mean(np.stack(found))


def _lip_or_lid(
    skin: Skin, model: HeadModel, vertices: Float32[np.ndarray, "V 3"], points: Float32[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "N 3"]:
    """A ray that slipped past a lip or lid onto teeth or eyeball: the skin beside it, within 4 mm, else NaN."""
    middles = vertices[model.triangles[skin.members]].mean(1)
    distance, nearest = KDTree(middles).query(points)
    places = skin.corners[nearest].mean(1)
    places[np.asarray(distance) > _SLIP_M] = np.nan
    return places


def lower_lip_below_upper(
    model: HeadModel, skin: Skin, places: Float64[np.ndarray, "478 3"]
) -> Float64[np.ndarray, "478 3"]:
    """The lower lip's inner line put on the lower lip, where it meets the upper one's.

    Closed lips share one line in a picture, so rays back from it fall on either lip; what moves with the jaw decides.
    """
    rest = model.rest.astype(np.float64)
    upper = skin.nearest(places[list(_INNER_UPPER)])
    at_rest = np.einsum("lc,lcd->ld", upper.barycentric, rest[model.triangles[upper.triangles]])
    drop = -model.expression[ARKIT_INDEX["jawOpen"]][:, 1][model.triangles[skin.members]]
    lower = np.flatnonzero(drop.min(1) > 0.5 * drop.max())
    corners = rest[model.triangles[skin.members[lower]]]
    nearest = np.asarray(KDTree(corners.mean(1)).query(at_rest)[1])
    placed = places.copy()
    placed[list(_INNER_LOWER)] = skin.corners[lower[nearest]].mean(1)
    return placed


def _robust_mean(places: Float64[np.ndarray, "H 478 3"]) -> Float64[np.ndarray, "478 4"]:
    """Median of the places, and the median distance from it; infinity when fewer than 15 % were seen."""
    seen = np.isfinite(places[..., 0])
    enough = seen.mean(0) > 0.15
    middle = np.zeros((places.shape[1], 4))
    middle[:, 3] = np.inf
    for index in np.flatnonzero(enough):
        here = places[seen[:, index], index]
        centre = np.median(here, axis=0)
        for _ in range(8):  # Weiszfeld: the geometric median
            weight = 1 / np.maximum(np.linalg.norm(here - centre, axis=1), 1e-4)
            centre = weight @ here / weight.sum()
        middle[index] = [*centre, np.median(np.linalg.norm(here - centre, axis=1))]
    return middle


def pair_across(places: Float64[np.ndarray, "478 3"]) -> Int32[np.ndarray, "478"]:
    """The point on the other side of the face for each skin point: the assignment nearest to mirror symmetry."""
    skin = places[:SKIN_POINTS]
    distance = np.linalg.norm((skin * [-1, 1, 1])[:, None] - skin[None], axis=2)
    symmetric = distance + distance.T
    partner = np.asarray(linear_sum_assignment(symmetric)[1])
    mutual = partner[partner] == np.arange(SKIN_POINTS)
    return np.where(mutual, partner, np.arange(SKIN_POINTS)).astype(np.int32)


def calibrate_on_portraits(
    model: HeadModel,
    anchors: Float64[np.ndarray, "478 4"],
    faces: Sequence[FaceObservation],
    *,
    rounds: int = 6,
) -> tuple[SurfacePoints, Float32[np.ndarray, "478"]]:
    """Alternate: fit every face, then slide each point along the skin to where the faces saw it.

    A slide minimises the mean squared picture residual with a pull of `_STRAY_M` toward the painted anchor, is shared
    with the point across the face, and follows its neighbours. Returns places and confidence (one over the variance
    of what slides cannot mend, 1 for the better half).
    """
    skin = open_skin(model)
    sided = lower_lip_below_upper(model, skin, anchors[:, :3])
    pairs = pair_across(sided)
    places = _symmetric(sided[:SKIN_POINTS], pairs)
    neighbours = np.asarray(KDTree(places).query(places, 6)[1])
    start = places.copy()
    confidence = np.clip((0.002 / anchors[:SKIN_POINTS, 3]) ** 2, 0.1, 1)
    for _ in range(rounds):
        points = skin.nearest(places)
        basis = landmark_basis(_with_landmarks(model, points, confidence))
        tangents = skin.frames(points, model)
        hessian, gradient, spread = np.zeros((SKIN_POINTS, 2, 2)), np.zeros((SKIN_POINTS, 2)), []
        for face in faces:
            evidence = gather(basis, face, _CALIBRATION, None)
            seen = evidence.seen
            state = independent_fit(evidence, first_pose(evidence))
            head = basis.points(state.identity, state.expression)
            off = (state.view.project(head) - seen.points_px) / seen.interocular_px
            slide = state.view.jacobians(head)[1] @ tangents / seen.interocular_px
            weight = huber_weights(np.linalg.norm(off, axis=1), 0.04) ** 2
            hessian += weight[:, None, None] * slide.transpose(0, 2, 1) @ slide
            gradient += weight[:, None] * np.einsum("lij,li->lj", slide, off)
            spread.append(off)
        off = np.stack(spread)
        pull = (np.mean(np.linalg.norm(off, axis=2)) / _STRAY_M) ** 2 * len(faces) / 2
        home = np.einsum("lij,li->lj", tangents, places - start)
        step = np.linalg.solve(hessian + pull * np.eye(2), -(gradient + pull * home)[..., None])[..., 0]
        moved = np.einsum("lij,lj->li", tangents, step)
        moved *= np.minimum(1, 0.002 / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9))
        moved = 0.5 * moved + 0.5 * moved[neighbours].mean(1)
        places = _symmetric(places + moved, pairs)
        variance = (np.median(np.abs(off - np.median(off, axis=0)), axis=0) * 1.4826).clip(0.004) ** 2
        variance = variance.sum(1)
        variance = (variance + variance[pairs]) / 2
        confidence = np.clip(np.median(variance) / variance, 0.1, 1)
    points = skin.nearest(places)
    return points, np.concatenate([confidence, np.zeros(478 - SKIN_POINTS)]).astype(np.float32)


def iris_points(model: HeadModel) -> SurfacePoints:
    """Points 468 to 477 on the eyeballs: pupil, then the iris' four sides, in MediaPipe's order.

    468-472 belong to the person's right eye, 473-477 to the left; sides are outward from the picture's right, up,
    left, down.
    """
    triangles, weights = np.zeros(10, np.int32), np.zeros((10, 3), np.float32)
    for eye, name in enumerate(("eyeRight", "eyeLeft")):
        members = model.part(name)
        corners = model.rest[model.triangles[members]].astype(np.float64)
        ball = corners.reshape(-1, 3)
        centre = (ball.min(0) + ball.max(0)) / 2
        across = _IRIS_RADIUS_M / (np.ptp(ball[:, 1]) / 2)
        up = np.sqrt(1 - across**2)
        for index, (x, y) in enumerate(((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))):
            toward = np.array([x * across, y * across, up if index else 1.0])
            hit = Scene(model.rest, model.triangles[members]).cast(
                centre[None].astype(np.float32), (toward / np.linalg.norm(toward))[None].astype(np.float32)
            )
            triangles[eye * 5 + index], weights[eye * 5 + index] = members[hit.triangle[0]], hit.barycentric[0]
    return SurfacePoints(triangles, weights)


def calibrate_landmarks(
    model: HeadModel, portraits: Sequence[Path] | None = None
) -> tuple[Int32[np.ndarray, "478"], Float32[np.ndarray, "478 3"], Float32[np.ndarray, "478"]]:
    """(triangles, barycentric, confidence) of MediaPipe's points on this head. Seeded; about two minutes.

    `portraits`: by default the calibration half of the congress portraits.
    """
    paths = calibration_portraits() if portraits is None else portraits
    anchors = painted_anchors(model, observe_pixels)
    faces = [face for path in paths if (face := observe_pixels(load_photo(path).pixels)) is not None]
    points, confidence = calibrate_on_portraits(model, anchors, faces)
    iris = iris_points(model)
    confidence[SKIN_POINTS:] = 1
    return (
        np.concatenate([points.triangles, iris.triangles]),
        np.concatenate([points.barycentric, iris.barycentric]),
        confidence,
    )


def observe_pixels(pixels: UInt8[np.ndarray, "H W 3"]) -> FaceObservation | None:
    """Through the product's own photo door; None when it refuses."""
    photo = Photo(name="calibration", pixels=pixels, alpha=None, focal_px=None, sha256="")
    try:
        return observe_face(photo, face="largest")
    except InputError:
        return None


def calibration_portraits() -> list[Path]:
    """The half of the portraits that builders may see (bench/splits/congress.json)."""
    here = Path(__file__).parents[2]
    names = json.loads((here / "bench/splits/congress.json").read_text())["calibration"]
    return [ict_path().parents[1] / "portraits/congress" / name for name in names]


def _symmetric(places: Float64[np.ndarray, "468 3"], pairs: Int32[np.ndarray, "468"]) -> Float64[np.ndarray, "468 3"]:
    return (places + places[pairs] * [-1, 1, 1]) / 2


def _with_landmarks(model: HeadModel, points: SurfacePoints, confidence: Float64[np.ndarray, "468"]) -> HeadModel:
    triangles, weights, trust = np.zeros(478, np.int32), np.zeros((478, 3), np.float32), np.zeros(478, np.float32)
    triangles[:SKIN_POINTS], weights[:SKIN_POINTS], trust[:SKIN_POINTS] = points.triangles, points.barycentric, confidence  # fmt: skip
    return replace(model, landmark_triangles=triangles, landmark_barycentric=weights, landmark_confidence=trust)


if __name__ == "__main__":  # the development stand-in's own map
    ict = load_ict()
    calibrated = calibrate_landmarks(ict, calibration_portraits())
    np.savez_compressed(
        Path(__file__).parents[2] / "avatar3d/head/data/ict_landmarks.npz",
        triangle_count=len(ict.triangles),
        triangles=calibrated[0],
        barycentric=calibrated[1],
        confidence=calibrated[2],
    )
