"""Shoulders and what lies on them: suits, shirts, ties, lapels, high necks, bare shoulders, chains, scarves."""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.cloth import cloth
from avatar3d.people.heads import NECK, BareHead
from avatar3d.people.paint import UNIT_PT, Canvas, step
from avatar3d.people.traits import Traits
from avatar3d.people.wardrobe import Wardrobe

CLOTHES: Final = KINDS.index("clothes")
U: Final = UNIT_PT


def dress(
    rng: np.random.Generator,
    head: BareHead,
    canvas: Canvas,
    wardrobe: Wardrobe,
    traits: Traits,
    *,
    near: tuple[np.ndarray, np.ndarray],
) -> str:
    """Which clothes: shoulders, neckline, collar, tie, lapels; scarves and high necks now and then.

    They are drawn here. `near` are the colours of skin and hair: cloth has them often enough that colour alone tells nothing.
    """
    paper = canvas.paper
    x, y = paper.grid()
    chin_y = float(head.landmarks[152, 1])
    neck = head.part == NECK
    at_neck = neck & (np.abs(y - (chin_y + 0.5 * U)) < 4)
    centre = float(x[at_neck].mean()) if at_neck.any() else 200.0
    half = 0.5 * float(np.ptp(x[at_neck])) / U if at_neck.any() else 0.95
    # Shoulders seldom face the camera as the head does.
    tilt = rng.normal(0, 0.13)
    across = (x - centre - rng.normal(0, 0.2) * U) / U
    down = (y - chin_y) / U + tilt * across
    base = rng.uniform(0.25, 1.15)
    slope = rng.uniform(0.18, 0.6)
    shoulders = (
        down
        - base
        - slope * np.clip(np.abs(across) - half, 0, None)
        + 0.12 * np.exp(-(((np.abs(across) - half) / 0.3) ** 2))
    )
    edge = 0.03 * paper.clouds(rng, U * 0.6)
    torso = step(shoulders + 0.25 * (np.abs(across) < half + 0.15) + edge, 0.04)
    # Shoulders of the bare head do not look out beside a collar.
    torso = np.maximum(torso, neck * step(np.minimum(down - 0.15, np.abs(across) - half - 0.05), 0.05))
    style = str(
        rng.choice(
            ["suit", "shirt", "tee", "vee", "blouse", "high", "bare"], p=[0.44, 0.10, 0.14, 0.10, 0.12, 0.07, 0.03]
        )
    )
    shade = rng.uniform(0.75, 1.15) * canvas.lit
    stuff_colour = (
        np.array([0.08, 0.09, 0.12]) * rng.uniform(0.5, 3) if style == "suit" and rng.random() < 0.6 else None
    )
    if not wardrobe.plain and stuff_colour is None and rng.random() < 0.16:
        stuff_colour = near[rng.integers(2)] * np.exp(rng.normal(0, 0.15, 3))
    outer = cloth(rng, paper, wardrobe, colour=stuff_colour) * shade[..., None]
    if style in ("suit", "shirt"):
        shirt = np.full(3, rng.uniform(0.75, 1.0)) if rng.random() < 0.6 else wardrobe.colour(rng)
        inner = cloth(rng, paper, wardrobe, colour=shirt) * shade[..., None] if rng.random() < 0.8 else outer
        collar_top = rng.uniform(0.10, 0.62)
        open_ = rng.uniform(0, 0.5) if rng.random() < 0.45 else 0.0
        depth = rng.uniform(0.3, 1.2)
        gap = open_ * np.clip(1 - (down - collar_top) / depth, 0, 1.4)
        collar = np.minimum(
            down - collar_top + 0.28 * np.abs(across) / max(half, 0.4) * rng.uniform(-1.2, 0.9),
            half + 0.18 - np.abs(across),
        )
        collar = np.minimum(collar, np.abs(across) - gap) + edge
        canvas.lay(torso * (np.abs(across) >= gap), inner, CLOTHES)
        canvas.lay(step(collar, 0.05), inner * rng.uniform(0.8, 1.05), CLOTHES)
        wing = paper.lines(
            [
                np.array(
                    [
                        (centre - s * 0.05 * U, chin_y + (collar_top + 0.35) * U),
                        (centre + s * half * U, chin_y + collar_top * U),
                    ]
                )
                for s in (-1, 1)
            ],
            1.0,
        )
        canvas.lay(wing * 0.5 * torso, (0.2, 0.2, 0.2), None)
        if not open_ and rng.random() < (0.85 if traits.male else 0.1):
            wide = 0.10 + 0.10 * np.clip(down - collar_top, 0, 3)
            tie = step(np.minimum(wide - np.abs(across), down - collar_top - 0.12), 0.04)
            canvas.lay(tie, cloth(rng, paper, wardrobe) * shade[..., None], CLOTHES)
        if style == "suit":
            aside = np.abs(across - rng.normal(0, 0.12) * np.clip(down, 0, 3))
            lapel = aside - np.clip(rng.uniform(0.75, 1.3) - rng.uniform(0.25, 0.6) * (down - collar_top), 0.0, 2)
            jacket = torso * step(lapel, 0.04)
            canvas.lay(jacket, outer, CLOTHES)
            canvas.lay(paper.soft(jacket, 1.0) * (1 - jacket) * 0.4 * torso, (0.0, 0.0, 0.0), None)
            # The lapel's own edge: from the notch down to where the jacket closes.
            fold = rng.uniform(0.25, 0.6) * np.clip(1 - np.abs(down - 1.2) / rng.uniform(0.6, 1.5), 0, 1)
            seam = step(0.02 - np.abs(lapel - fold), 0.03) * jacket * rng.uniform(0, 0.6)
            canvas.lay(seam, (0.0, 0.0, 0.0) if rng.random() < 0.6 else (0.5, 0.5, 0.5), None)
            if rng.random() < 0.4:
                pin = np.hypot(across - rng.choice([-1, 1]) * rng.uniform(0.7, 1.2), down - rng.uniform(1.2, 2.2))
                canvas.lay(step(rng.uniform(0.06, 0.12) - pin, 0.02) * jacket, wardrobe.colour(rng), None)
            if rng.random() < 0.35:
                # A lapel of another colour: dark ones beside the neck look like hair.
                band = torso * step(np.minimum(lapel + 0.02, rng.uniform(0.12, 0.5) - lapel), 0.04)
                trim = wardrobe.colour(rng) * rng.choice([0.15, 0.5, 1.0])
                canvas.lay(band, trim * shade[..., None], CLOTHES)
    elif style == "high":
        top = rng.uniform(-0.02, 0.5)
        roll = (
            np.minimum(
                down - top + rng.uniform(0, 0.25) * np.abs(across), half + rng.uniform(0.05, 0.4) - np.abs(across)
            )
            + 2 * edge
        )
        canvas.lay(np.maximum(torso, step(roll, 0.06)), outer, CLOTHES)
    else:
        depth = {
            "tee": rng.uniform(0.7, 1.2),
            "vee": rng.uniform(1.2, 2.6),
            "blouse": rng.uniform(0.9, 2.2),
            "bare": 3.0,
        }[style]
        wide = rng.uniform(0.75, 1.4) * half + (1.0 if style == "bare" else 0)
        line = np.abs(across) / wide
        low = depth * (1 - line) if style in ("vee", "blouse") else depth * np.sqrt(np.clip(1 - line**2, 0, 1))
        canvas.lay(torso * step(down - np.maximum(low, 0) + edge, 0.04), outer, CLOTHES)
        skin = torso * (1 - step(down - np.maximum(low, 0) + edge, 0.04)) * (canvas.label == 0)
        if skin.any() and neck.any():
            canvas.lay(skin, canvas.image[neck].mean(0), KINDS.index("neck"))
        if rng.random() < 0.3:
            arc = np.linspace(-1, 1, 25)
            hang = np.stack(
                [centre + arc * half * U * 1.1, chin_y + (0.55 + rng.uniform(0.2, 1.0) * (1 - arc**2)) * U], 1
            )
            if rng.random() < 0.5:
                canvas.lay(paper.lines([hang], rng.uniform(0.6, 3)), wardrobe.colour(rng) * 0.5 + 0.5, CLOTHES)
            else:
                for px, py in hang:
                    canvas.lay(step(rng.uniform(2, 4) - np.hypot(x - px, y - py), 1.0), (0.93, 0.91, 0.87), CLOTHES)
    if rng.random() < 0.05:
        scarf = step(
            np.minimum(down - rng.uniform(0.1, 0.5) + 0.15 * paper.clouds(rng, U * 0.5), half + 0.5 - np.abs(across)),
            0.1,
        )
        canvas.lay(scarf, cloth(rng, paper, wardrobe) * shade[..., None], CLOTHES)
    return style
