"""Does the written avatar look like the photo? And is its skin free of the photo's light?

    python -m bench.likeness [portraits] [albedo] [view] [--count N] [--json FILE] [--pictures DIR]

portraits  Collins, two large portraits and the unseen half of congress: photo -> GLB and avatar.json -> read back ->
           posed and lit as avatar.json says -> 200 px between the eyes, albedo times Light.shade and nothing else.
           PSNR inside the face's oval eroded by 3 % of the inter-ocular distance, eyes and mouth included; a detector's
           landmarks on the render beside those on the photo.
albedo     20 synthetic heads under 4 lights: recovered albedo beside the true one, with and without de-lighting, on
           skin (not on hair, brows, eyes, mouth). The true skins are portraits' with their own slow shading taken out.
view       20 synthetic heads seen from the front, then from 30 degrees, which the texture never saw: PSNR of the
           fitted head beside the mean head (only its pose fitted) with the same texture, and beside the mean head with
           a texture recovered through it; and the true head with a texture recovered through it, the most that this
           measure can show; all aligned to the truth by the same landmarks. Where: the hull of the
           landmarks inside the oval, from the brows down (beside it the portraits painted hair, shadow and collars
           onto the true heads), without what else is as dark as hair; then also without the openings of eyes and mouth.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from avatar3d.core.avatar import Avatar, Skin
from avatar3d.core.errors import Avatar3dError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Camera, FaceObservation, Light, Photo
from avatar3d.core.transforms import matrix_from_quaternion, quaternion_from_matrix
from avatar3d.fit.fit import fit_head
from avatar3d.formats.gltf import load_glb, save_glb
from avatar3d.head.deform import shape_head
from avatar3d.head.ict import load_ict
from avatar3d.head.load import load_head_model
from avatar3d.people.camera import Lens, look_at_head
from avatar3d.photo.load import load_photo
from avatar3d.photo.observe import observe_face
from avatar3d.photo.segment import segment_face
from avatar3d.pipeline import CreateParams, make_avatar
from avatar3d.render.lights import LUMINANCE, ambient_light
from avatar3d.render.preview import RenderParams, render_avatar
from avatar3d.render.stage import LINEAR_FROM_SRGB
from avatar3d.report.record import FitRecord, record_as_json, record_from_json
from avatar3d.rig.assemble import as_rigged, assemble_avatar
from avatar3d.texture.eyes import recover_eyes
from avatar3d.texture.recover import recover_skin
from avatar3d.texture.regions import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS,
    MOUTH_OPENING,
    NOSTRILS,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
    fill_polygon,
)
from avatar3d.texture.teeth import recover_mouth
from bench.measure import similarity
from bench.skins import portraits_folder, skin_from, split_names
from tools.head.synthetic import random_light, render_portrait

INTEROCULAR_PX: Final = 200.0
ERODED: Final = 0.03
EXACT: Final = RenderParams(exact=True, background=(127, 127, 127))
WHITE: Final = ambient_light((1.0, 1.0, 1.0))
INNER: Final = np.setdiff1d(np.arange(468), OVAL)
SYNTHETIC_SEED: Final = 77
LENS: Final = Lens(640, 720, 1300.0)


@dataclass(frozen=True, eq=False)
class Made:
    """An avatar and what it was made from."""

    face: FaceObservation
    fitted: HeadFit
    skin: Skin
    avatar: Avatar


def make(model: HeadModel, face: FaceObservation, *, fitted: HeadFit | None = None) -> Made:
    """The main job from the observation (or the fit) on, without hair and what is worn."""
    fitted = fitted or fit_head(model, face, segments=segment_face(face))
    shown = as_rigged(model, fitted)
    skin = recover_skin(model, shown, face)
    skin = replace(skin, parts=recover_mouth(model, shown, face, light=skin.light, tone=skin.tone))
    eyes = recover_eyes(model, shown, face, light=skin.light)
    avatar = assemble_avatar(model, shown, skin, eyes, None, name=face.photo.name, extras={})
    return Made(face, fitted, skin, avatar)


def scaled(camera: Camera, factor: float) -> Camera:
    """The same view with so many times the pixels."""
    return replace(
        camera,
        focal_px=camera.focal_px * factor,
        principal_px=camera.principal_px * np.float32(factor),
        width_px=round(camera.width_px * factor),
        height_px=round(camera.height_px * factor),
    )


def psnr_db(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Over sRGB values in [0, 255] inside the mask."""
    error = (first.astype(np.float64) - second)[mask > 0.5]
    return float(10 * np.log10(255**2 / max(float((error**2).mean()), 1e-9)))


# ---- portraits


def portraits(model: HeadModel, count: int | None, pictures: Path | None) -> list[dict[str, Any]]:
    """One row per portrait; a refused one says why."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for path in _portrait_paths(Path(folder))[:count]:
            try:
                whole = make_avatar(path, CreateParams(head=model.name))
                made = Made(whole.face, whole.fitted, whole.skin, whole.avatar)
            except Avatar3dError as refusal:
                rows.append({"name": path.stem, "refused": refusal.id})
                continue
            rows.append({"name": path.stem, **_compare(model, made, Path(folder), pictures)})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _portrait_paths(folder: Path) -> list[Path]:
    from skimage import data

    collins = folder / "collins.png"
    Image.fromarray(data.astronaut()).save(collins)
    shared = portraits_folder()
    large = [shared.parent / "obama.jpg", shared.parent / "biden.jpg"]
    return [collins, *large, *(shared / name for name in split_names("unseen"))]


def _compare(model: HeadModel, made: Made, folder: Path, pictures: Path | None) -> dict[str, Any]:
    """Write, read back, render as avatar.json says, measure."""
    glb = save_glb(made.avatar, folder / "one.glb")
    stored = json.loads(json.dumps(record_as_json(FitRecord(model.name, made.fitted, made.skin.light))))
    record = record_from_json(stored, model)
    factor = INTEROCULAR_PX / made.face.interocular_px
    camera = scaled(record.fitted.camera, factor)
    # The gaze is in the expression (the eyeLook shapes turn the eyeballs); the rotations of avatar.json say it again.
    rendered = render_avatar(load_glb(glb), camera, weights=record.fitted.expression, light=record.light, params=EXACT)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    photo = cv2.resize(made.face.photo.pixels, (camera.width_px, camera.height_px), interpolation=how)
    landmarks = made.face.landmarks_px * np.float32(factor)
    mask = fill_polygon(photo.shape[:2], landmarks[list(OVAL)], grow=-ERODED * INTEROCULAR_PX)
    row: dict[str, Any] = {
        "psnr_db": psnr_db(rendered, photo, mask),
        "fit_residual_iod": float(made.fitted.residual_iod),
        "landmarks_iod": None,
    }
    try:
        again = observe_face(Photo("render", rendered, None, None, ""), face="largest").landmarks_px
        row["landmarks_iod"] = float(np.linalg.norm(again - landmarks, axis=1)[INNER].mean() / INTEROCULAR_PX)
    except Avatar3dError as refusal:
        row["render_refused"] = refusal.id
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        low = np.maximum(landmarks.min(axis=0) - 120, 0).astype(int)
        high = landmarks.max(axis=0).astype(int) + 120
        both = [image[low[1] : high[1], low[0] : high[0]] for image in (photo, rendered)]
        Image.fromarray(np.concatenate(both, axis=1)).save(pictures / f"{made.face.photo.name}.jpg", quality=88)
    return row


# ---- synthetic heads


@dataclass(frozen=True, eq=False)
class Truth:
    """A head drawn from ICT's statistics in the skin of an unseen portrait, smiling a little."""

    model: HeadModel
    identity: np.ndarray
    vertices: np.ndarray
    colouring: Any


def _truth(ict: HeadModel, index: int) -> Truth:
    names = split_names("unseen")
    rng = np.random.default_rng([SYNTHETIC_SEED, index])
    face = observe_face(load_photo(portraits_folder() / names[(3 * index + 1) % len(names)]))
    identity = rng.standard_normal(len(ict.identity)).astype(np.float32)
    vertices = ict.rest + np.tensordot(identity, ict.identity, 1)
    return Truth(ict, identity, vertices.astype(np.float32), _without_shading(skin_from(ict, face, seed=index)))


def _without_shading(skin: Any) -> Any:
    """The portrait's skin with its slow changes of brightness (light, mostly) taken out."""
    luminance = np.log(np.maximum(skin.atlas @ LUMINANCE, 0.01)).astype(np.float32)
    slow = cv2.GaussianBlur(luminance, (0, 0), 0.06 * len(luminance))
    flat = np.clip(skin.atlas * np.exp(np.median(luminance) - slow)[..., None], 0, 1)
    return replace(skin, atlas=flat.astype(np.float32))


def _photograph(truth: Truth, light: Light, yaw_deg: float) -> tuple[Camera, np.ndarray]:
    yaw = float(np.deg2rad(yaw_deg))
    camera = look_at_head(LENS, distance_m=0.9, yaw_rad=yaw, pitch_rad=0.0, target_m=(0.0, 0.0, 0.03))
    return camera, render_portrait(truth.model, truth.vertices, truth.colouring, camera, light)


def albedo(model: HeadModel, count: int) -> list[dict[str, Any]]:
    """Root mean square of the log albedo error, per head and light; exposure and white balance are free, as in any photo."""
    ict = load_ict()
    rows: list[dict[str, Any]] = []
    for index in range(count):
        try:
            truth = _truth(ict, index)
        except Avatar3dError:
            continue
        flat = _photograph(truth, WHITE, 0)[1]
        for turn in range(4):
            light = random_light(
                np.random.default_rng([SYNTHETIC_SEED, index, turn]), contrast=(0.5, 1, 1.6, 2.2)[turn]
            )
            picture = _photograph(truth, light, 0)[1]
            try:
                face = observe_face(Photo(f"synthetic{index}", picture, None, LENS.focal_px, ""))
            except Avatar3dError as refusal:
                rows.append({"head": index, "light": turn, "refused": refusal.id})
                continue
            mask = _skin_mask(face, flat)
            row: dict[str, Any] = {"head": index, "light": turn}
            made = make(model, face)
            row["delit"] = _log_error(_posed_under(made, WHITE), flat, mask)
            baked = recover_skin(model, as_rigged(model, made.fitted), face, delight=False)
            row["as photographed"] = _log_error(_posed_under(_wearing(made, baked), WHITE), flat, mask)
            rows.append(row)
            print(json.dumps(row), flush=True)
    return rows


def _wearing(made: Made, skin: Skin) -> Made:
    """The same avatar in another skin."""
    face, *others = made.avatar.meshes
    material = replace(face.material, base_colour=skin.albedo)
    return replace(made, skin=skin, avatar=replace(made.avatar, meshes=(replace(face, material=material), *others)))


def _skin_mask(face: FaceObservation, flat: np.ndarray) -> np.ndarray:
    """Inside the oval, without eyes and lips, where the true albedo is that of skin."""
    unit = face.interocular_px
    mask = fill_polygon(flat.shape[:2], face.landmarks_px[list(OVAL)], grow=-ERODED * unit) > 0.5
    for part in (RIGHT_EYE, LEFT_EYE, LIPS):
        mask &= fill_polygon(flat.shape[:2], face.landmarks_px[list(part)], grow=0.05 * unit) < 0.5
    luminance = LINEAR_FROM_SRGB[flat] @ LUMINANCE
    usual = np.median(luminance[mask])
    return (mask & (luminance > 0.5 * usual) & (luminance < 2 * usual)).astype(np.float32)


def _posed_under(made: Made, light: Light) -> np.ndarray:
    return render_avatar(made.avatar, made.fitted.camera, weights=made.fitted.expression, light=light, params=EXACT)


def _log_error(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    inside = mask > 0.5
    first, second = (np.log(LINEAR_FROM_SRGB[image[inside]] + 0.01) for image in (picture, truth))
    off = first - second
    return float(np.sqrt(((off - np.median(off, axis=0)) ** 2).mean()))


def view(model: HeadModel, count: int) -> list[dict[str, Any]]:
    """PSNR at 30 degrees of the fitted and of the mean head, per synthetic head."""
    ict = load_ict()
    tiny, still = np.float32(1e-6), np.zeros(52, np.float32)
    mean_only = replace(model, identity=model.identity * tiny, expression=model.expression * tiny)
    rows: list[dict[str, Any]] = []
    for index in range(count):
        light = random_light(np.random.default_rng([SYNTHETIC_SEED, index]))
        try:
            truth = _truth(ict, index)
            _, picture = _photograph(truth, light, 0)
            face = observe_face(Photo(f"synthetic{index}", picture, None, LENS.focal_px, ""))
            pose = replace(fit_head(mean_only, face), expression=still, resting=still)
            own, through = (make(model, face, fitted=fit) for fit in (None, pose))
            eyes = recover_eyes(model, pose, face, light=own.skin.light)
            same = Made(
                face, pose, own.skin, assemble_avatar(model, pose, own.skin, eyes, None, name="mean", extras={})
            )
            known = make(model, face, fitted=_true_fit(model, truth, own.fitted, light))
            heads = {"fit": own, "mean, same texture": same, "mean, its own texture": through, "the true head": known}
        except Avatar3dError as refusal:
            rows.append({"head": index, "refused": refusal.id})
            continue
        row: dict[str, Any] = {"head": index}
        for side in (-30, 30):
            camera, unseen = _photograph(truth, light, side)
            mask, skin = _face_masks(truth, camera)
            for name, made in heads.items():
                seen = _seen_from(made, model, truth, camera)
                row[f"{name} {side:+d}"] = psnr_db(seen, unseen, mask)
                row[f"{name} {side:+d}, skin"] = psnr_db(seen, unseen, skin)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def _true_fit(model: HeadModel, truth: Truth, fitted: HeadFit, light: Light) -> HeadFit:
    """What a perfect fit would be: the best that this texture and this measure allow."""
    head, still = shape_head(model, truth.identity), np.zeros(52, np.float32)
    camera = _photograph(truth, light, 0)[0]
    return replace(
        fitted, identity=truth.identity, expression=still, resting=still, camera=camera, neutral=head, posed=head
    )


def _face_masks(truth: Truth, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Where the true face inside its oval, from the brows down, is in the picture; hair painted on it left out.

    The second is without the openings of eyes and mouth, whose insides both sides draw rather than photograph.
    """
    on_face = _landmarks(truth.model, truth.vertices)[:468]
    brows = on_face[[*RIGHT_BROW, *LEFT_BROW], 1].max()
    places = camera.project(on_face)
    shape = (camera.height_px, camera.width_px)
    inner = np.setdiff1d(np.flatnonzero(on_face[:, 1] <= brows), OVAL)
    hull = cv2.convexHull(places[inner]).reshape(-1, 2)
    mask = fill_polygon(shape, hull) > 0.5
    flat = render_portrait(truth.model, truth.vertices, truth.colouring, camera, WHITE)
    luminance = LINEAR_FROM_SRGB[flat] @ LUMINANCE
    only = render_portrait(truth.model, truth.vertices, _white, camera, WHITE, background=(0, 0, 0))
    mask &= only.min(axis=-1) == 255
    painted = (luminance < 0.5 * np.median(luminance[mask])).astype(np.uint8)
    for part in (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS, NOSTRILS):
        painted[fill_polygon(shape, cv2.convexHull(places[list(part)]).reshape(-1, 2), grow=8) > 0.5] = 0
    mask &= cv2.dilate(painted, np.ones((7, 7), np.uint8)) == 0
    skin = mask.copy()
    for part in (RIGHT_EYE, LEFT_EYE, MOUTH_OPENING):
        skin &= fill_polygon(shape, places[list(part)], grow=4) < 0.5
    return mask.astype(np.float32), skin.astype(np.float32)


def _white(triangles: np.ndarray, _: np.ndarray) -> np.ndarray:
    return np.ones((len(triangles), 3))


def _landmarks(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    corners = vertices[model.triangles[model.landmark_triangles]]
    return np.einsum("nij,ni->nj", corners, model.landmark_barycentric).astype(np.float32)


def _seen_from(made: Made, model: HeadModel, truth: Truth, camera: Camera) -> np.ndarray:
    """The avatar, moved onto the true head by the landmarks of both (similarity), under its own light."""
    used = (model.landmark_confidence[:468] > 0) & (truth.model.landmark_confidence[:468] > 0)
    own = _landmarks(model, made.fitted.posed)[:468][used].astype(np.float64)
    true = _landmarks(truth.model, truth.vertices)[:468][used].astype(np.float64)
    motion = similarity(own, true, scale=True)
    factor = float(np.cbrt(np.linalg.det(motion[:3, :3])))
    rotation = matrix_from_quaternion(camera.rotation_wxyz)
    turned = (rotation @ (motion[:3, :3] / factor)).astype(np.float32)
    moved = (rotation @ motion[:3, 3] + camera.translation_m) / factor
    seen = replace(camera, rotation_wxyz=quaternion_from_matrix(turned), translation_m=moved.astype(np.float32))
    return render_avatar(made.avatar, seen, weights=made.fitted.expression, light=made.skin.light, params=EXACT)


# ---- the table


def summarise(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the budgets ask for."""
    summary: dict[str, Any] = {}
    if rows := [row for row in results.get("portraits", []) if "psnr_db" in row]:
        found = [row["landmarks_iod"] for row in rows if row["landmarks_iod"] is not None]
        summary["psnr_db mean, least, share at 26"] = (
            float(np.mean([row["psnr_db"] for row in rows])),
            float(np.min([row["psnr_db"] for row in rows])),
            float(np.mean([row["psnr_db"] >= 26 for row in rows])),
        )
        summary["landmarks_iod mean, most, share within 0.02, not found"] = (
            float(np.mean(found)),
            float(np.max(found)),
            float(np.mean(np.array(found) <= 0.02)),
            len(rows) - len(found),
        )
        summary["refused"] = sum("refused" in row for row in results["portraits"])
    if rows := [row for row in results.get("albedo", []) if "delit" in row]:
        for name in ("delit", "as photographed"):
            summary[f"albedo log error, {name}"] = float(np.mean([row[name] for row in rows]))
        summary["albedo better in share of pictures"] = float(
            np.mean([r["delit"] < r["as photographed"] for r in rows])
        )
    if rows := [row for row in results.get("view", []) if "fit +30" in row]:
        for name in ("fit", "mean, same texture", "mean, its own texture", "the true head"):
            summary[f"30 degrees PSNR, {name}; skin"] = float(
                np.mean([row[f"{name} {side}, skin"] for row in rows for side in ("-30", "+30")])
            )
            summary[f"30 degrees PSNR, {name}"] = float(
                np.mean([row[f"{name} {s}"] for row in rows for s in ("-30", "+30")])
            )
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", help="portraits, albedo, view (all when none is named)")
    parser.add_argument("--head", default="avatar3d")
    parser.add_argument("--count", type=int, default=None, help="at most so many of each")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    model = load_ict() if chosen.head == "ict" else load_head_model(chosen.head)
    what = chosen.what or ["portraits", "albedo", "view"]
    results: dict[str, list[dict[str, Any]]] = {}
    if "portraits" in what:
        results["portraits"] = portraits(model, chosen.count, chosen.pictures)
    if "albedo" in what:
        results["albedo"] = albedo(model, chosen.count or 20)
    if "view" in what:
        results["view"] = view(model, chosen.count or 20)
    summary = summarise(results)
    for key, value in summary.items():
        print(f"{key}: {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"summary": summary, **results}, indent=1))


if __name__ == "__main__":
    main()
