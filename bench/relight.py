"""One person under many lights: is the skin that each photo gives the person's own?

    python -m bench.relight [--people N] [--lights M] [--pictures DIR]      bench/results/relight.json

N people who do not exist (bench.sittings), their tones spread over the Monk scale, M photos of each: only light, gloss,
exposure and noise differ. Photos are those of `avatar3d create --seed`: 800 px, 112 between the eyes. Beside the true colours,
in the photo's frame, on skin inside the face's oval (PSNR of sRGB):

    recovered  the avatar's skin, flat
    baked      the same, made without de-lighting
    photo      the photo itself
    even       the person in even light without gloss, by the same camera: its contrast, haze and noise are nobody's to undo

Each as it is and "free": with the best gain per channel of linear light, for no photo tells exposure and white balance.
Truth and photos are encoded by a power of 2.2, and read as sRGB, as users' photos are. Dark skin has small numbers and so
small errors: its dB compare with its own only. Tones: delta E (CIE 1976) of the skin's mean colour; "as bright": once it
has the true luminance.

Tones are grouped twice: as the person was drawn (three groups of the Monk scale), and by the orb of the scale that is
nearest to the true mean colour (delta E): orbs 1 to 3 are paler than skin is, so that pale people stand under 4 and 5.

Normals: mean angle to the true head's, each in the axes of its own camera, of the fitted surface, with its normal map, and
of a flat one that looks ahead. True heads have no finer relief, so the map can only lose. Roughness cannot be scored: the
truth has none, only lobes of gloss anew for every photo; what is told is what the files say of it.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from avatar3d.core.avatar import Avatar, Material, Skin
from avatar3d.core.errors import Avatar3dError
from avatar3d.core.head import HeadFit, HeadModel
from avatar3d.core.photo import Light, Photo
from avatar3d.core.transforms import matrix_from_quaternion
from avatar3d.edit.colours import MONK, parse_colour
from avatar3d.head.load import load_head_model
from avatar3d.people.person import take_photo
from avatar3d.people.portrait import Portrait
from avatar3d.photo.observe import observe_face
from avatar3d.render.lights import LUMINANCE
from avatar3d.render.preview import LinearPicture, RenderParams, render_linear
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear, unit
from avatar3d.rig.assemble import as_rigged
from avatar3d.texture.recover import recover_skin
from bench.likeness import EXACT, WHITE, make, psnr_db
from bench.measure import save_result, show
from bench.sittings import in_even_light, in_light, is_shiny, lights_rng, shrink, sit, skin_mask

SHOWN: Final = ("recovered", "baked", "photo", "even")
GROUPS: Final = {"1-3": range(1, 4), "4-6": range(4, 7), "7-10": range(7, 11)}
"""Monk tones that are judged together."""
CUT: Final = np.s_[60:700, 150:650]
"""Of a photo, for looking at."""


def free_gain(picture: UInt8[np.ndarray, "N 3"], truth: UInt8[np.ndarray, "N 3"]) -> UInt8[np.ndarray, "N 3"]:
    """The picture under the gain per channel of linear light that brings its sRGB nearest to the truth."""
    linear = LINEAR_FROM_SRGB[picture]

    def brought(channel: int, log_gain: float) -> UInt8[np.ndarray, "N"]:
        return srgb_from_linear(linear[:, channel] * np.float32(np.exp(log_gain)))

    def off(log_gain: float, channel: int) -> float:
        return float(np.square(brought(channel, log_gain).astype(np.float32) - truth[:, channel]).mean())

    how: dict[str, Any] = {"bounds": (-3, 3), "method": "bounded", "options": {"xatol": 1e-4}}
    best: list[Any] = [minimize_scalar(off, args=(channel,), **how) for channel in range(3)]
    return np.stack([brought(channel, float(found.x)) for channel, found in enumerate(best)], axis=1)


def score(picture: UInt8[np.ndarray, "N 3"], truth: UInt8[np.ndarray, "N 3"]) -> tuple[float, float]:
    """PSNR in dB, as it is and with free gains."""
    everywhere = np.ones(len(truth))
    return psnr_db(picture, truth, everywhere), psnr_db(free_gain(picture, truth), truth, everywhere)


def tone_error(picture: UInt8[np.ndarray, "N 3"], truth: UInt8[np.ndarray, "N 3"]) -> tuple[float, float]:
    """Delta E (CIE 1976) of mean linear colours: as they are, and once the first has the luminance of the second."""
    seen, true = LINEAR_FROM_SRGB[picture].mean(axis=0), LINEAR_FROM_SRGB[truth].mean(axis=0)
    as_bright = seen * (true @ LUMINANCE) / (seen @ LUMINANCE)
    lab = cv2.cvtColor(np.array([[seen, as_bright, true]], np.float32), cv2.COLOR_LRGB2Lab)[0]
    return float(np.linalg.norm(lab[0] - lab[2])), float(np.linalg.norm(lab[1] - lab[2]))


def nearest_orb(truth: UInt8[np.ndarray, "N 3"]) -> int:
    """The orb of the Monk scale nearest to the mean linear colour in Lab, 1 to 10."""
    mean = LINEAR_FROM_SRGB[truth].mean(axis=0)
    orbs = [parse_colour(orb, {}) for orb in MONK]
    lab = cv2.cvtColor(np.array([[mean, *orbs]], np.float32), cv2.COLOR_LRGB2Lab)[0]
    return 1 + int(np.linalg.norm(lab[1:] - lab[0], axis=1).argmin())


def flat(avatar: Avatar, fitted: HeadFit, skin: Skin) -> LinearPicture:
    """The face in this skin, as the photo sees it, evenly lit."""
    face = avatar.meshes[0]
    worn = replace(face, material=replace(face.material, base_colour=skin.albedo))
    shown = replace(avatar, meshes=(worn,))
    return render_linear(shown, fitted.camera, weights=fitted.expression, light=WHITE, params=EXACT)


def normals(avatar: Avatar, fitted: HeadFit, *, relief: bool) -> Float32[np.ndarray, "H W 3"]:
    """Unit; camera's x right, y up, z towards the camera; with the normal map or without."""
    telling = np.zeros((9, 3), np.float32)
    telling[0], telling[[3, 1, 2], [0, 1, 2]] = 0.5, 0.5  # white matter without gloss shows (1 + normal) / 2
    face = avatar.meshes[0]
    white = replace(face, material=Material("white", normal=face.material.normal, specular=0))
    how = RenderParams(samples=1, exact=not relief, occlusion_rays=0)
    shown = replace(avatar, meshes=(white,))
    seen = render_linear(shown, fitted.camera, weights=fitted.expression, light=Light(telling), params=how)
    turned = (2 * seen.colour - 1).reshape(-1, 3) @ matrix_from_quaternion(fitted.camera.rotation_wxyz).T
    return unit((turned * [1, -1, -1]).astype(np.float32)).reshape(seen.colour.shape)


def exported_roughness(avatar: Avatar) -> float:
    """What the file says of the skin's: one number, for a picture of it would say more than the photo told."""
    skin = avatar.meshes[0].material
    assert skin.occlusion_roughness_metallic is None, "now there is a map: score it"
    return skin.roughness


def angle_deg(first: Float32[np.ndarray, "N 3"], second: Float32[np.ndarray, "N 3"]) -> float:
    """Mean angle between unit vectors."""
    return float(np.degrees(np.arccos(np.clip((first * second).sum(axis=1), -1, 1))).mean())


def judge(
    model: HeadModel, lit: Portrait, even: Portrait, name: str, light: int, pictures: Path | None
) -> dict[str, Any]:
    """All scores of one photo, or why it was refused."""
    photo, evenly = (take_photo(lights_rng(light, 1), portrait) for portrait in (lit, even))
    try:
        made = make(model, observe_face(Photo(name, photo, None, None, "")))
    except Avatar3dError as refusal:
        return {"refused": refusal.id}
    fitted, avatar = made.fitted, made.avatar
    baked = recover_skin(model, as_rigged(model, fitted), made.face, delight=False)
    worn = [flat(avatar, fitted, skin) for skin in (made.skin, baked)]
    truth = np.round(255 * shrink(even.canvas.image).clip(0, 1)).astype(np.uint8)
    mask = skin_mask(even) & (worn[0].coverage > 0.999)  # past the fitted outline there is no skin to judge
    shown = dict(zip(SHOWN, (*(srgb_from_linear(one.colour) for one in worn), photo, evenly), strict=True))
    row: dict[str, Any] = {"orb": nearest_orb(truth[mask]), "roughness": exported_roughness(avatar)}
    for kind, picture in shown.items():
        row[kind], row[f"{kind}, free"] = score(picture[mask], truth[mask])
        row[f"delta E {kind}"], row[f"delta E {kind}, as bright"] = tone_error(picture[mask], truth[mask])
    true = unit(shrink(even.head.normal)[mask])
    for kind, relief in (("normals", False), ("normals with map", True)):
        row[f"{kind} deg"] = angle_deg(normals(avatar, fitted, relief=relief)[mask], true)
    row["normals, flat deg"] = angle_deg(np.broadcast_to(np.array([0, 0, 1], np.float32), true.shape), true)
    if pictures:
        where = np.where(mask[..., None], photo, photo // 4)
        strip = [picture[CUT] for picture in (photo, truth, shown["recovered"], shown["baked"], where)]
        Image.fromarray(np.concatenate(strip, axis=1)).save(pictures / f"{name}.png")
    return row


def measure(people: int, lights: int, pictures: Path | None) -> list[dict[str, Any]]:
    """One row per photo, printed as it is made."""
    model = load_head_model()
    rows: list[dict[str, Any]] = []
    for number, monk in enumerate(np.round(0.5 + (np.arange(people) + 0.5) * 10 / people).astype(int)):
        sitting = sit(number, int(monk))
        even = in_even_light(sitting)
        for light in range(lights):
            lit = in_light(sitting, light)
            lamp = lit.lamp
            row = {
                "person": number, "monk": int(monk), "light": light, "shiny": is_shiny(light), "ambient": lamp.ambient,
                "wrap": lamp.wrap, "lamp_deg": float(np.degrees(np.arccos(lamp.toward[2]))), "shadow": lamp.shadow,
                **judge(model, lit, even, f"{number:02d}-{light:02d}", light, pictures),
            }  # fmt: skip
            rows.append({key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Tables of pictures and tones, and what is asked: 24 dB, 3 dB over baked, the worst group 1.5 times the best."""
    judged = [row for row in rows if "refused" not in row]
    counted: dict[str, Any] = {"photos": len(rows), "refused": len(rows) - len(judged)}
    if not judged:
        return counted

    def mean(key: str, among: list[dict[str, Any]] = judged) -> float:
        return float(np.mean([row[key] for row in among]))

    def against_recovered(kind: str, free: str) -> dict[str, Any]:
        scores = [(row[f"{kind}{free}"], row[f"recovered{free}"]) for row in judged]
        least, better = min(own for own, _ in scores), sum(own < recovered for own, recovered in scores)
        return {f"dB{free}": mean(kind + free), f"least{free}": least, f"recovered better{free}": better}

    pictures = [{"picture": kind, **against_recovered(kind, ""), **against_recovered(kind, ", free")} for kind in SHOWN]
    groups = {name: [row for row in judged if row["monk"] in tones] for name, tones in GROUPS.items()}
    orbs = {str(orb): [row for row in judged if row["orb"] == orb] for orb in range(1, 11)}
    shades = [f"{kind}{how}" for kind in ("recovered", "even") for how in ("", ", as bright")]

    def by_tone(among: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        return [
            {"Monk": name, "photos": len(own), **{shade: mean(f"delta E {shade}", own) for shade in shades},
             "dB, free": mean("recovered, free", own), "over baked": mean("recovered, free", own) - mean("baked, free", own)}
            for name, own in among.items() if own
        ]  # fmt: skip

    def worst_over_best(tones: list[dict[str, Any]]) -> dict[str, float]:
        return {shade: max(row[shade] for row in tones) / min(row[shade] for row in tones) for shade in shades}

    tones, nearest = by_tone(groups), by_tone(orbs)
    over = {f"dB{free}": mean(f"recovered{free}") - mean(f"baked{free}") for free in ("", ", free")}
    return {
        **counted,
        "PSNR": pictures,
        "delta E by tone": tones,
        "delta E by nearest orb": nearest,
        "dB (asked 24)": {f"dB{free}": mean(f"recovered{free}") for free in ("", ", free")},
        "dB over baked (asked 3)": over,
        "worst tones over best (asked 1.5)": worst_over_best(tones),
        "worst orbs over best (asked 1.5)": worst_over_best(nearest),
        "normals, deg": {key: mean(f"{key} deg") for key in ("normals", "normals with map", "normals, flat")},
        "roughness": {"exported": mean("roughness"), "truth": None},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--lights", type=int, default=12)
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):  # the same sums in the same order
        rows = measure(chosen.people, chosen.lights, chosen.pictures)
    summary = summarise(rows)
    for key, value in summary.items():
        if isinstance(value, list):
            show(key, value)
        else:
            print(f"{key}: {value}")
    print(save_result("relight", {"summary": summary, "rows": rows}))


if __name__ == "__main__":
    main()
