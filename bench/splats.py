"""What do splats add to an avatar, in front and from where the photo did not look?

    python -m bench.splats [--seeds 1 2 ...] [--splats N] [--pictures DIR]

People with a truth from every side: a generated person's own avatar (avatar3d create --seed N), its hair bent by up to a
centimetre so that no template holds it, photographed with gloss and shadows under that photo's light. From that picture alone
the ordinary pipeline makes an avatar, and splats refine it. Without splats, with them, and with them baked into the texture of the hair, and of the skin too, it is compared with the truth, aligned by landmarks, in
the same light: in front (sRGB PSNR where the photo is believed; coverage IoU above the chin), and at 15, 30 and 45 degrees to
both sides (PSNR on and 6 px around the true face and hair: four fifths of its error are rims that lie elsewhere; and
6 px inside of it).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from avatar3d.core.avatar import Avatar
from avatar3d.core.photo import Camera, FaceObservation
from avatar3d.core.segments import HEAD_KINDS, Segments
from avatar3d.core.splats import SplatCloud
from avatar3d.photo.segment import over_photo, segment_face
from avatar3d.pipeline import CreateParams, Creation, make_avatar
from avatar3d.render.preview import LinearPicture, RenderParams, render_avatar, render_linear
from avatar3d.render.splats import SplatRenderer, load_splat_renderer
from avatar3d.render.stage import LINEAR_FROM_SRGB, srgb_from_linear
from avatar3d.splat.bake import bake
from avatar3d.splat.draw import draw_with_splats
from avatar3d.splat.look import Look, look_at
from avatar3d.splat.refine import RefineParams, refine
from bench.measure import save_result, show
from bench.splat_truths import VIEW_PX, WALL, Truth, aligned, head_mask, hits_of, true_person, turned

SEEDS: Final = (1, 2, 3, 4, 5, 7, 8, 9)
YAWS_DEG: Final = (15, 30, 45)
EXACT: Final = RenderParams(exact=True, background=WALL)
AROUND_PX: Final = 6
WAYS: Final = ("mesh", "splats", "baked", "skin too")


def head_planes(face: FaceObservation, segments: Segments) -> dict[str, np.ndarray]:
    """What look_at asks of a photo."""
    kinds = {"shown": HEAD_KINDS, "hair": ("hair",), "covered": ("glasses", "occluder", "headwear")}
    return {name: over_photo(segments, segments.of(*of), face) for name, of in kinds.items()}


def encoded(picture: LinearPicture) -> np.ndarray:
    return srgb_from_linear(picture.colour + (1 - picture.coverage[..., None]) * LINEAR_FROM_SRGB[np.array(WALL)])


def psnr_db(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    error = (first.astype(np.float64) - second)[mask > 0.5]
    return float(10 * np.log10(255**2 / max(float((error**2).mean()), 1e-9)))


def ways(
    made: Creation, baked: Sequence[Avatar], cloud: SplatCloud, camera: Camera, renderer: SplatRenderer
) -> dict[str, LinearPicture]:
    """The avatar unrefined, with its splats, with their look in the hair's texture, and in the skin's too."""
    posed: dict[str, Any] = {"weights": made.fitted.expression, "light": made.skin.light, "params": EXACT}
    return {
        "mesh": render_linear(made.avatar, camera, **posed),
        "splats": draw_with_splats(made.avatar, cloud, camera, renderer, **posed),
        "baked": render_linear(baked[0], camera, **posed),
        "skin too": render_linear(baked[1], camera, **posed),
    }


def measure(
    truth: Truth, made: Creation, baked: Sequence[Avatar], look: Look, cloud: SplatCloud, renderer: SplatRenderer
) -> tuple[dict[str, float], list[np.ndarray]]:
    """One person's row, and its pictures, a row per view: truth, mesh, mesh with splats, baked."""
    photo = np.round(look.photo * 255).astype(np.uint8)
    front = ways(made, baked, cloud, look.camera, renderer)
    row = {f"front {way}": psnr_db(encoded(front[way]), photo, look.believed) for way in WAYS}
    row |= {f"IoU {way}": overlap(truth, made, look, front[way].coverage) for way in WAYS}
    sheet = [np.concatenate([photo, *(encoded(front[way]) for way in WAYS)], axis=1)]
    kernel = np.ones((2 * AROUND_PX + 1,) * 2, np.uint8)
    for yaw in [side * yaw for yaw in YAWS_DEG for side in (-1, 1)]:
        camera = turned(truth.made.fitted.camera, yaw)
        true = render_avatar(
            truth.avatar,
            camera,
            weights=truth.made.fitted.expression,
            light=truth.made.skin.light,
            params=RenderParams(background=WALL),
        )
        head = head_mask(truth, camera).astype(np.uint8)
        masks = {"": cv2.dilate(head, kernel), " inside": cv2.erode(head, kernel)}
        found = ways(made, baked, cloud, aligned(truth, made, camera), renderer)
        seen = {way: encoded(found[way]) for way in WAYS}
        row |= {f"{yaw:+d}{where} {way}": psnr_db(seen[way], true, masks[where]) for where in masks for way in WAYS}
        sheet.append(np.concatenate([true, *seen.values()], axis=1))
    return row, sheet


def overlap(truth: Truth, made: Creation, look: Look, coverage: np.ndarray) -> float:
    """Intersection over union of what is covered and what the truth covers, in the upper four fifths of the head."""
    true, own = truth.made.fitted.camera, made.fitted.camera
    factor = look.camera.focal_px / own.focal_px
    corner = own.principal_px - look.camera.principal_px / np.float32(factor)
    camera = replace(
        true,
        focal_px=true.focal_px * factor,
        principal_px=(true.principal_px - corner) * np.float32(factor),
        width_px=look.camera.width_px,
        height_px=look.camera.height_px,
    )
    end = int(np.flatnonzero(head_mask(truth, camera).any(axis=1))[-1] * 0.8)
    there = (hits_of(truth.avatar, truth.made.fitted.expression, camera)[0].triangle >= 0)[:end]
    covered = coverage[:end] > 0.5
    return float((covered & there).sum() / (covered | there).sum())


def averages(rows: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Means over people and sides, gains over the mesh, and the least of them."""
    views = [("front", ["front"])]
    views += [(f"{yaw} degrees{where}", [f"{side}{yaw}{where}" for side in "-+"])
              for where in ("", " inside") for yaw in YAWS_DEG]  # fmt: skip
    table: list[dict[str, Any]] = []
    for name, keys in views:
        line: dict[str, Any] = {"view": name}
        for way in WAYS:
            line[way] = float(np.mean([row[f"{key} {way}"] for row in rows for key in keys]))
        for way in WAYS[1:]:
            gains = [row[f"{key} {way}"] - row[f"{key} mesh"] for row in rows for key in keys]
            line[f"{way} gain"], line[f"{way} least"] = float(np.mean(gains)), float(min(gains))
        table.append(line)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--splats", type=int, default=25_000)
    parser.add_argument("--pictures", type=Path)
    chosen = parser.parse_args()
    renderer, rows = load_splat_renderer("numba"), []
    for seed in chosen.seeds:
        truth = true_person(seed)
        if truth is None:
            continue
        made = make_avatar(truth.photo, CreateParams())
        segments = segment_face(made.face)
        planes = head_planes(made.face, segments)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        look = look_at(made.avatar, made.fitted, made.face, made.skin.light, **planes, size_px=VIEW_PX)
        cloud = refine(made.avatar, [look], RefineParams(splats=chosen.splats), renderer=renderer)
        cost = {"seconds": time.perf_counter() - began_s, "cpu_s": time.process_time() - began_cpu_s}
        baking_s = time.process_time()
        hair = bake(made.avatar, cloud, look, renderer)
        cost["bake cpu_s"] = time.process_time() - baking_s
        baked = hair, bake(made.avatar, cloud, look, renderer, skin=True)
        row, sheet = measure(truth, made, baked, look, cloud, renderer)
        rows.append({"seed": seed, "splats": len(cloud.triangle), **cost, **row})
        show(f"seed {seed}", [rows[-1]])
        if chosen.pictures:
            chosen.pictures.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.concatenate(sheet[::2], axis=0)).save(chosen.pictures / f"seed{seed}.jpg", quality=88)
    if rows:
        show("splats", averages(rows))
        show("coverage IoU", [{way: float(np.mean([row[f"IoU {way}"] for row in rows])) for way in WAYS}])
        print(save_result("splats", {"rows": rows}))


if __name__ == "__main__":
    main()
