"""What the outline of the skin tells of a head, on heads whose truth is known."""

import numpy as np

from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera
from avatar3d.core.segments import KINDS, Segments
from avatar3d.fit.basis import landmark_basis
from avatar3d.fit.fit import fit_head
from avatar3d.fit.outline import rim_of, seen_outline
from avatar3d.head.deform import shape_head
from avatar3d.render.raycast import Scene
from tests.unit.fit.faces import HEIGHT, WIDTH, camera_at, default_head, face_of, random_person

# Segments at half the picture's resolution.
_SHAPE = (HEIGHT // 2, WIDTH // 2)


def segments_of(model: HeadModel, vertices: np.ndarray, camera: Camera, *, around: str = "background") -> Segments:
    """A perfect net's answer: skin where the head is, `around` everywhere else."""
    rows, columns = np.mgrid[: _SHAPE[0], : _SHAPE[1]]
    places = 2 * np.stack([columns + 0.5, rows + 0.5], -1).reshape(-1, 2)
    rays = np.column_stack([(places - camera.principal_px) / camera.focal_px, np.ones(len(places))]).astype(np.float32)
    hits = Scene(camera.view(vertices), model.triangles).cast(np.zeros_like(rays), rays)
    skin = (hits.triangle >= 0).reshape(_SHAPE)
    probability = np.zeros((len(KINDS), *_SHAPE), np.float32)
    probability[KINDS.index("skin")], probability[KINDS.index(around)] = skin, ~skin
    return Segments(np.zeros((*_SHAPE, 3), np.uint8), probability, np.array([[0.5, 0, 0], [0, 0.5, 0]]))


def person_with(model: HeadModel, widest: float) -> np.ndarray:
    """A head that differs from the mean one in sides and throat, hardly at its landmarks."""
    basis = landmark_basis(model)
    sides = rim_of(model, basis.centre).vertices
    outward = np.sign(sides.rest[:, 0]) * sides.identity[:, :, 0]
    # Of all identities as likely as this one, the broadest whose landmarks stay.
    seen = basis.identity.reshape(len(basis.identity), -1)
    broader = np.linalg.solve(np.eye(len(seen)) + seen @ seen.T / 0.001**2, outward.mean(1))
    return shape_head(model, (widest * broader / np.linalg.norm(broader)).astype(np.float32))


def _on_rim(model: HeadModel) -> np.ndarray:
    skin = np.isin(np.arange(len(model.rest)), model.triangles[model.part("face")])
    eyes = model.rest[model.triangles[model.part("eyeLeft")].ravel(), 1].mean()
    return skin & (np.abs(model.rest[:, 0]) > 0.045) & (model.rest[:, 1] < eyes) & (model.rest[:, 1] > eyes - 0.12)


def breadth_m(model: HeadModel, vertices: np.ndarray) -> float:
    """Mean distance of the sides from the middle, in the size of the face."""
    sides = np.flatnonzero(_on_rim(model))
    face = vertices[np.unique(model.triangles[model.landmark_triangles[:468]])]
    size = np.linalg.norm(face - face.mean(0), axis=1).mean()
    return float(np.abs(vertices[sides, 0]).mean() / size)


def test_skin_ends_where_the_background_begins() -> None:
    model, camera = default_head(), camera_at(0.8)
    person = random_person(model, 2)
    seen = seen_outline(face_of(model, person, camera), segments_of(model, person, camera))
    flat = camera.project(person) - np.array([WIDTH / 2, HEIGHT / 2])
    level = flat @ seen.down
    off: list[float] = []
    for point, side in zip(seen.points_px, seen.side, strict=True):
        beside = flat[np.abs(level - point @ seen.down) < 3]
        off.append(float((side * (beside @ seen.across)).max() - side * (point @ seen.across)))
    assert len(off) > 25
    assert np.median(np.abs(off)) < 2
    assert np.mean(np.abs(off) < 4) > 0.8  # but for tips and lobes of the ears, where the outline is level


def test_where_something_hides_the_skin_nothing_is_told() -> None:
    model, camera = default_head(), camera_at(0.8)
    person = random_person(model, 2)
    face = face_of(model, person, camera)
    alone = fit_head(model, face)
    for kind in ("hair", "clothes", "beard", "occluder"):
        hidden = segments_of(model, person, camera, around=kind)
        assert len(seen_outline(face, hidden).side) == 0
        assert fit_head(model, face, segments=hidden).posed.tobytes() == alone.posed.tobytes()


def test_a_broad_head_behind_an_average_face_is_broad() -> None:
    model, camera = default_head(), camera_at(1.0)
    slim, broad = (person_with(model, sign * 4.0) for sign in (-1, 1))

    def fitted(person: np.ndarray, *, outlined: bool) -> float:
        segments = segments_of(model, person, camera) if outlined else None
        return breadth_m(model, fit_head(model, face_of(model, person, camera), segments=segments).neutral)

    true = breadth_m(model, broad) - breadth_m(model, slim)
    by_landmarks = fitted(broad, outlined=False) - fitted(slim, outlined=False)
    by_outline = fitted(broad, outlined=True) - fitted(slim, outlined=True)
    assert abs(by_outline - true) < 0.7 * abs(by_landmarks - true)


def test_the_outline_tells_how_far_the_camera_was() -> None:
    model = default_head()

    def distance_m(fitted: HeadFit) -> float:
        return float(np.linalg.norm(fitted.camera.position_m))

    off = {False: 0.0, True: 0.0}
    for seed in range(4):
        camera = camera_at(2.2, focal_px=3500.0)
        person = random_person(model, 20 + seed)
        face = face_of(model, person, camera, focal_known=False)
        for outlined in off:
            segments = segments_of(model, person, camera) if outlined else None
            off[outlined] += abs(np.log(distance_m(fit_head(model, face, segments=segments)) / 2.2))
    assert off[True] < off[False]


def test_a_line_alone_does_no_harm() -> None:
    model, camera = default_head(), camera_at(0.8)
    person = random_person(model, 3)
    face, segments = face_of(model, person, camera), segments_of(model, person, camera)
    probability = segments.probability.copy()
    rows = np.arange(_SHAPE[0])[:, None] * np.ones(_SHAPE[1], int)
    kept = np.abs(rows - face.landmarks_px[2, 1] / 2) < 3
    background, hair = KINDS.index("background"), KINDS.index("hair")
    probability[hair] += np.where(kept, 0, probability[background])
    probability[background] = np.where(kept, probability[background], 0)
    few = Segments(segments.pixels, probability, segments.crop_from_photo)
    assert 0 < len(seen_outline(face, few).side) <= 4
    fitted, alone = fit_head(model, face, segments=few), fit_head(model, face)
    assert np.linalg.norm(fitted.neutral - alone.neutral, axis=1).mean() < 0.004
