"""The bare face as a picture: light on skin, eyes and mouth, then lips, lashes, folds and wrinkles."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float, Float32

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import EYE, FACE, MOUTH, NECK, BareHead
from avatar3d.people.paint import Canvas, Picture, step
from avatar3d.people.skin import MadeSkin
from avatar3d.people.traits import Traits

LIPS: Final = KINDS.index("lips")
_OUTER_LIPS: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_UPPER_LIDS: Final = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
_LID_SHADE_PT: Final = 3.0
# Linear RGB of brown, hazel, green, blue and grey eyes.
_IRISES: Final = np.array(
    [[0.035, 0.02, 0.015], [0.07, 0.04, 0.02], [0.08, 0.10, 0.06], [0.08, 0.12, 0.17], [0.12, 0.13, 0.13]]
)


@dataclass(frozen=True, eq=False)
class Lamp:
    """Soft light from everywhere and a lamp, now and then the edge of a hard shadow across the face."""

    toward: Float32[np.ndarray, "3"]
    """Unit, from the head: camera's x right, y up, z towards the camera."""
    ambient: float
    """Radiance from everywhere; with the lamp's about 1."""
    wrap: float
    """How far the lamp reaches around the head, 0 a point, 1 a sky."""
    shadow: float
    """What the hard shadow takes; 0 without one."""
    falling: Float32[np.ndarray, "N 3"]
    """Linear RGB of the light on each pixel of the head."""


def light_on(rng: np.random.Generator, head: BareHead) -> Lamp:
    """Any light of portraits, and harder ones."""
    paper, on = head.paper, head.on_head
    normal = head.normal[on]
    toward = np.array([rng.normal(0, 0.6), rng.uniform(-0.2, 0.9), rng.uniform(0.2, 1.0)])
    toward = (toward / np.linalg.norm(toward)).astype(np.float32)
    ambient, wrap = rng.uniform(0.25, 0.85), rng.uniform(0.0, 0.5)
    key = np.clip((normal @ toward + wrap) / (1 + wrap), 0, None) * (1 - ambient + 0.25)
    shade = ambient + key + 0.12 * rng.uniform(0, 1) * normal[:, 1]
    tint = 1 + rng.normal(0, 0.03, 3).astype(np.float32)
    warm = rng.normal(0, 0.05, 3).astype(np.float32)
    light = shade[:, None] * tint + (key * 0.3)[:, None] * warm
    taken = 0.0
    if rng.random() < 0.12:
        x, y = paper.grid()
        angle = rng.uniform(0, 2 * np.pi)
        edge = (x - 200 - rng.normal(0, 60)) * np.cos(angle) + (y - 200 - rng.normal(0, 60)) * np.sin(angle)
        taken = rng.uniform(0.2, 0.6)
        shadow = taken * step(edge + 12 * paper.clouds(rng, 50.0), rng.uniform(2, 30))
        light = light * (1 - shadow[on])[:, None]
    # Creases are darker: what curves inward sees less sky.
    hollow = (paper.soft(head.normal[..., 2], 6.0) - head.normal[..., 2])[on]
    light = light * (1 - rng.uniform(0, 0.5) * np.clip(-hollow, -0.3, 0.3))[:, None]
    return Lamp(toward, ambient, wrap, taken, light.astype(np.float32))


def skin_picture(
    rng: np.random.Generator,
    head: BareHead,
    skin: MadeSkin,
    light: Float32[np.ndarray, "N 3"],
    *,
    shiny: bool,
) -> Picture:
    """sRGB of skin, eyes and mouth under the light, now and then as shiny as metal; black beside the head."""
    return lit_picture(rng, head, skin_colour(rng, head, skin), light, shiny=shiny)


def skin_colour(rng: np.random.Generator, head: BareHead, skin: MadeSkin) -> Float[np.ndarray, "N 3"]:
    """Linear RGB of skin, eyes and mouth on each pixel of the head, before any light."""
    paper, on = head.paper, head.on_head
    part, inner, uv = head.part[on], head.inner[on], head.uv[on]
    albedo = skin.albedo
    at = head.uv * len(albedo) - 0.5
    seen = cv2.remap(albedo, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    colour = seen[on] * np.exp(np.float32(0.05) * paper.clouds(rng, 40.0)[on])[:, None]
    eye, mouth = part == EYE, part == MOUTH
    if eye.any():
        away = np.hypot(uv[eye, 0] - 0.5, uv[eye, 1] - 0.5)
        inside = step(0.16 - away, 0.02)[:, None]
        pupil = step(0.06 - away, 0.015)[:, None]
        iris = _IRISES[rng.integers(len(_IRISES) if rng.random() < skin.paleness else 2)]
        white = np.array([0.62, 0.56, 0.53]) * rng.uniform(0.7, 1.1)
        colour[eye] = ((1 - inside) * white + inside * iris) * (1 - pupil)
        # Lids and lashes keep light off the ball along its rim.
        colour[eye] *= paper.soft((head.part == EYE).astype(np.float32), _LID_SHADE_PT)[on][eye, None]
    if mouth.any():
        ivory = np.array([0.70, 0.63, 0.52]) * rng.uniform(0.6, 1.2)
        teeth = np.isin(inner[mouth], (4, 5))[:, None]
        tongue = (inner[mouth] == 6)[:, None]
        dark = np.where(tongue, np.array([0.35, 0.1, 0.1]), np.array([0.10, 0.02, 0.02]))
        colour[mouth] = np.where(teeth, ivory, dark) * rng.uniform(0.8, 1.2)
    return colour


def lit_picture(
    rng: np.random.Generator,
    head: BareHead,
    colour: Float[np.ndarray, "N 3"],
    light: Float32[np.ndarray, "N 3"],
    *,
    shiny: bool,
) -> Picture:
    """sRGB of these colours under the light, with gloss and the eyes' glints; black beside the head."""
    paper, on = head.paper, head.on_head
    part, uv, normal = head.part[on], head.uv[on], head.normal[on]
    eye = part == EYE
    shine = np.zeros(len(part), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        # A lamp's mirror image on brow, crown, nose and cheeks: half-way between lamp and camera.
        half = np.array([rng.normal(0, 0.45), rng.normal(0.35, 0.4), 1.0], np.float32)
        lobe = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** rng.uniform(6, 60)
        strength = (
            rng.uniform(0, 0.05)
            if not shiny
            else rng.choice([rng.uniform(0, 0.08), rng.uniform(0.08, 0.35)], p=[0.75, 0.25])
        )
        shine += lobe * np.float32(strength) * (0.8 + 0.3 * paper.clouds(rng, 12.0)[on])
    linear = colour * light + np.clip(shine * ((part == FACE) | (part == NECK)), 0, None)[:, None]
    made = np.clip(linear, 0, 1.5) ** np.float32(1 / 2.2)
    if eye.any() and rng.random() < 0.8:
        glint = step(0.035 - np.hypot(uv[eye, 0] - 0.5 - rng.normal(0, 0.05), uv[eye, 1] - 0.44), 0.02)
        made[eye] += 0.8 * glint[:, None]
    whole = np.zeros((*head.part.shape, 3), np.float32)
    whole[on] = made
    return whole


def draw_lips(rng: np.random.Generator, head: BareHead, canvas: Canvas, traits: Traits) -> None:
    paper = canvas.paper
    mask = paper.polygon(head.landmarks[list(_OUTER_LIPS)], soften=0.7) * (head.part == FACE)
    colour = np.array([0.62, 0.30, 0.30]) if rng.random() < 0.7 else rng.uniform([0.4, 0.02, 0.05], [0.9, 0.4, 0.45])
    strength = rng.uniform(0, 0.3) if traits.male or rng.random() < 0.4 else rng.uniform(0.3, 0.9)
    canvas.lay((mask * strength).astype(np.float32), colour * canvas.lit[..., None], None)
    canvas.label[(mask > 0.5)] = LIPS


def draw_lashes(rng: np.random.Generator, head: BareHead, canvas: Canvas, traits: Traits) -> None:
    """Lid lines, liner, shadow of the brow bone, wrinkles."""
    paper = canvas.paper
    paths = [head.landmarks[list(ring)].astype(np.float64) for ring in _UPPER_LIDS]
    face = (head.part == FACE) | (head.part == EYE)
    canvas.lay(
        paper.lines(paths, rng.uniform(0.8, 1.6 if traits.male else 3.0)) * rng.uniform(0.3, 1) * face,
        (0.08, 0.05, 0.05),
        None,
    )
    if rng.random() < 0.5:
        lids = [path - np.array([0, rng.uniform(2, 6)]) for path in paths]
        canvas.lay(paper.soft(paper.lines(lids, 2.0), 1.2) * rng.uniform(0, 0.6) * face, (0.25, 0.12, 0.1), None)
    if rng.random() < 0.5:
        hollow = paper.soft(np.maximum(paper.polygon(paths[0] + [0, -2]), paper.polygon(paths[1] + [0, -2])), 6.0)
        canvas.lay(np.clip(hollow * rng.uniform(0, 1.2), 0, 0.7) * (head.part == FACE), (0.25, 0.14, 0.12), None)
    marks = head.landmarks.astype(np.float64)
    if rng.random() < 0.25 + 0.7 * traits.lined:
        folds = [marks[[129, 203, 206, 216, 212]], marks[[358, 423, 426, 436, 432]]]
        canvas.lay(
            paper.soft(paper.lines(folds, rng.uniform(2, 6)), rng.uniform(1, 3))
            * rng.uniform(0.1, 0.25 + 0.5 * traits.lined)
            * face,
            (0.2, 0.09, 0.07),
            None,
        )
    if rng.random() < 0.6 * traits.lined:
        rows = [marks[[54, 68, 104, 69, 108, 151, 337, 299, 333, 298, 284]] + [0, dy] for dy in rng.uniform(-6, 12, 3)]
        canvas.lay(
            paper.soft(paper.lines(rows, 1.0), 1.0) * rng.uniform(0.05, 0.1 + 0.2 * traits.lined) * face,
            (0.25, 0.12, 0.1),
            None,
        )
