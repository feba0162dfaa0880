"""What stands between camera and face: microphones, hands, masks."""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import BareHead
from avatar3d.people.paint import UNIT_PT, Canvas, step, vivid

OCCLUDER: Final = KINDS.index("occluder")
U: Final = UNIT_PT
_OFTEN: Final = {"microphone": 0.45, "hand": 0.42, "mask": 0.13}
_JAW: Final = (323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93)


def put_before(rng: np.random.Generator, head: BareHead, canvas: Canvas, tone: np.ndarray) -> str:
    """Draws one of them, and says which; `tone` is the skin's."""
    kind = str(rng.choice(list(_OFTEN), p=list(_OFTEN.values())))
    if kind == "microphone":
        for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
            _microphone(rng, head, canvas)
    elif kind == "hand":
        for _ in range(int(rng.choice([1, 1, 2]))):
            _hand(rng, head, canvas, tone)
    else:
        _mask(rng, head, canvas)
    return kind


def _microphone(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> None:
    paper = canvas.paper
    x, y = paper.grid()
    chin = head.landmarks[152].astype(np.float64)
    tip = chin + rng.normal(0, 1, 2) * np.array([0.6, 0.45]) * U + np.array([0, 0.35 * U])
    foot = tip + np.array([rng.normal(0, 0.5), rng.uniform(1.5, 4)]) * U
    size = rng.uniform(0.12, 0.42) * U
    stretch = rng.uniform(1.0, 1.6)
    colour = np.full(3, rng.uniform(0.02, 0.25)) if rng.random() < 0.75 else vivid(rng)
    stick = paper.lines([np.stack([tip, foot])], rng.uniform(0.12, 0.7) * size * 2)
    canvas.lay(stick, np.full(3, rng.uniform(0.03, 0.6)) * canvas.lit[..., None], OCCLUDER)
    way = (foot - tip) / np.linalg.norm(foot - tip)
    a, b = (x - tip[0]) * way[0] + (y - tip[1]) * way[1], -(x - tip[0]) * way[1] + (y - tip[1]) * way[0]
    ball = 1 - np.sqrt((a / (size * stretch)) ** 2 + (b / size) ** 2)
    mesh = 1 + 0.3 * np.sin(x * rng.uniform(1, 2.5)) * np.sin(y * rng.uniform(1, 2.5)) + 0.2 * paper.grain(rng)
    shade = mesh * (0.6 + 0.9 * np.clip(0.5 - b / size * rng.uniform(-0.5, 0.5), 0, 1))
    canvas.lay(step(ball, 0.12), colour * shade[..., None] + 0.02, OCCLUDER)
    ring = step(0.08 * U - np.abs(a - size * stretch), 1.5) * step(0.8 * size - np.abs(b), 1.5)
    canvas.lay(ring * (rng.random() < 0.5), np.full(3, rng.uniform(0.3, 0.9)), OCCLUDER)


def _hand(rng: np.random.Generator, head: BareHead, canvas: Canvas, tone: np.ndarray) -> None:
    """Wrist, palm and four or five fingers in the colour of the face, round, with creases and nails."""
    paper = canvas.paper
    chin = head.landmarks[152].astype(np.float64)
    at = chin + np.array([rng.normal(0, 0.9), rng.uniform(-1.4, 0.5)]) * U
    toward = rng.uniform(-1.1, 1.1)
    way = np.array([np.sin(toward), -np.cos(toward)])
    aside = np.array([way[1], -way[0]]) * rng.choice([-1, 1])
    spread, palm = rng.uniform(0.22, 0.34), at - way * rng.uniform(0.8, 1.2) * U
    bones = [(palm - way * rng.uniform(2, 4) * U, palm, rng.uniform(0.7, 0.95))]
    tips = [at + aside * k * spread * U + way * rng.uniform(-0.3, 0.3) * U for k in (-1.5, -0.5, 0.5, 1.5)]
    bones += [(palm + aside * k * 0.25 * U, end, rng.uniform(0.24, 0.3)) for k, end in zip((-1.5, -0.5, 0.5, 1.5), tips, strict=True)]  # fmt: skip
    if rng.random() < 0.5:
        bones.append((palm, palm + (aside * 0.8 + way * rng.uniform(0, 0.6)) * U, 0.3))
    colour = tone * np.exp(rng.normal(0, 0.08))
    skin = canvas.lit * np.exp(0.06 * paper.clouds(rng, U * 0.3)) * rng.uniform(0.85, 1.1)
    whole = np.zeros(paper.shape, np.float32)
    shapes = [paper.lines([np.stack([start, end])], wide * U) for start, end, wide in bones]
    for shape in shapes:
        whole = np.maximum(whole, shape)
    canvas.lay(paper.soft(paper.lowered(whole, 5.0), 4.0) * (1 - whole) * 0.4, (0.1, 0.05, 0.04), None)
    for shape in shapes:
        roundness = 0.62 + 0.42 * paper.soft(shape, rng.uniform(2, 4))
        canvas.lay(paper.soft(shape, 0.7), colour * (skin * roundness)[..., None], OCCLUDER)
    if rng.random() < 0.6:
        nail = tone * 1.1 + 0.08 if rng.random() < 0.6 else vivid(rng)
        ends = [np.stack([end - way * 0.05 * U, end + way * 0.06 * U]) for end in tips]
        canvas.lay(paper.lines(ends, 0.13 * U) * rng.uniform(0.3, 0.9), nail * canvas.lit[..., None], OCCLUDER)


def _mask(rng: np.random.Generator, head: BareHead, canvas: Canvas) -> None:
    paper = canvas.paper
    y = paper.grid()[1]
    marks = head.landmarks
    top = marks[[6, 197]].mean(0)
    ring = np.concatenate([[marks[234]], [top], [marks[454]], marks[list(_JAW)] + np.array([0, 0.06 * U])])
    colour = rng.choice([np.array([0.6, 0.78, 0.85]), np.full(3, 0.93), np.full(3, 0.08), vivid(rng)])
    pleats = 1 + 0.1 * np.sin(y / rng.uniform(2, 6)) + 0.1 * paper.clouds(rng, U * 0.5)
    canvas.lay(paper.polygon(ring), colour * (pleats * canvas.lit)[..., None], OCCLUDER)
