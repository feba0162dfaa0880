"""Hair of any length, kind and colour as layers: behind the neck, on the skull, falling before the face.

style (random) --> where: distance over the skull, place on it, noise --> how: streaks along a flow, waves, coils
"""

from typing import Final

import numpy as np

from avatar3d.core.segments import KINDS
from avatar3d.people.heads import EAR, FACE, NECK, BareHead
from avatar3d.people.paint import EYES_PT, UNIT_PT, Canvas, Field, Picture, step
from avatar3d.people.style import Style

HAIR: Final = KINDS.index("hair")
U: Final = UNIT_PT
# Finer than this, strands and gaps are not told apart by the truth: no eye could do it in the crop.
_LABEL_BLUR_PT: Final = 1.3


class Grower:
    """Draws one person's hair in layers that share flow, colour and noise."""

    def __init__(self, rng: np.random.Generator, head: BareHead, style: Style) -> None:
        self.rng, self.head, self.style, self.paper = rng, head, style, head.paper
        x, y = self.paper.grid()
        skull = (head.part == FACE) | (head.part == EAR)
        skull |= (head.part != 0) & (head.height > -0.6)
        self.skull = skull & (head.height > -1.9)
        upper = self.skull & (head.height > 0.1)
        self.middle = (float(x[upper].mean()), EYES_PT[1] - 0.35 * U)
        self.off = self.paper.away_from(self.skull)
        self.angle = np.degrees(np.arctan2(x - self.middle[0], self.middle[1] - y)).astype(np.float32)
        wide = x[self.skull & (np.abs(y - EYES_PT[1]) < 6)]
        self.left, self.right = (float(wide.min()), float(wide.max())) if len(wide) else (140.0, 260.0)
        self.top_pt = float(y[self.skull].min())
        self.face_x = float(head.landmarks[[1, 168], 0].mean())
        self.u, self.v = self._flow(x, y)
        self.strands = self._strands()
        self.edge = self.strands * np.float32(style.fray)
        self.colours = self._paint(x, y)

    def _flow(self, x: Field, y: Field) -> tuple[Field, Field]:
        rng, style = self.rng, self.style
        part_x, part_y = self.middle[0] + style.part * U, self.top_pt - style.top * U * 0.5
        way = rng.random()
        if style.kind in ("bob", "long") or way < 0.3:
            depth = np.maximum(y - part_y, 1.5)
            u = (x - part_x) / (1 - np.exp(-depth / (U * rng.uniform(0.5, 1.1))))
            v = depth + np.abs(x - part_x)
        else:
            low = rng.uniform(-0.2, 1.2) if way < 0.75 else -2.0
            cx, cy = self.middle[0] + style.part * U * (1.0 if way < 0.75 else 0.6), EYES_PT[1] + low * U
            if way >= 0.75:
                cy = self.top_pt + rng.uniform(0, 0.6) * U
            u = np.arctan2(x - cx, cy - y) * np.float32(1.5 * U)
            v = np.hypot(x - cx, y - cy)
        swing = style.curl * U
        warp = self.paper.clouds(rng, U * rng.uniform(0.5, 1.5)) * (0.03 + 0.10 * style.curl) * U
        wave = np.sin(v / (U * (0.28 - 0.2 * style.curl)) + 2.5 * self.paper.clouds(rng, U * 0.5)) * swing * 0.06
        return (u + warp + wave).astype(np.float32), v.astype(np.float32)

    def _strands(self) -> Field:
        """Light and dark along the hair; deviation about 1."""
        style, rng = self.style, self.rng
        fine = self.paper.streaks(self.u * rng.uniform(0.8, 1.6), self.v, along=int(rng.integers(2, 4)) * 12)
        locks = self.paper.streaks(self.u * rng.uniform(0.08, 0.35), self.v * 0.35, along=24, seed=1)
        if style.curl > 0.65:
            coils = self.paper.rough(rng, U * rng.uniform(0.08, 0.25))
            fine = (1 - style.curl) * fine + style.curl * (coils + 0.5 * self.paper.grain(rng))
        # Lit from the studio's lamps locks shade more than single strands do.
        even = rng.uniform(0.15, 0.9)
        return (even * fine + (1 - 0.6 * even) * locks).astype(np.float32)

    def _paint(self, x: Field, y: Field) -> Picture:
        style, rng = self.style, self.rng
        tone = np.exp(style.contrast * self.strands.clip(-2.5, 2.5))
        away = np.hypot((x - self.middle[0]) / (1.25 * U), (y - self.middle[1]) / (1.6 * U))
        shade = 1 - rng.uniform(0.1, 0.5) * np.clip(away - 0.5, 0, 1.2)
        shade = shade * np.exp(rng.uniform(0, 0.22) * self.paper.clouds(rng, U * rng.uniform(0.5, 1.2)))
        side = rng.normal(0, 0.25)
        shade = shade * (1 + side * np.clip((x - self.middle[0]) / (2 * U), -1, 1))
        shine = np.exp(-(((away - rng.uniform(0.5, 1.0) + 0.06 * self.strands) / rng.uniform(0.08, 0.3)) ** 2))
        shade = shade * (1 + rng.uniform(0, 0.6) * (1 - style.curl) * shine)
        mixing = step(
            0.4 * self.paper.clouds(rng, U) + 0.5 * self.paper.streaks(self.u * 0.9, self.v, seed=3) + style.share, 2.0
        )
        base = style.colour + (style.second - style.colour) * mixing[..., None]
        white = rng.uniform(0, 0.25) * shine * (1 - style.curl) * (style.contrast + 0.2)
        return (base * (tone * shade)[..., None] + white[..., None]).clip(0, 1.3).astype(np.float32)

    def _laid(self, canvas: Canvas, alpha: Field, dim: float | Field = 1.0) -> None:
        colour = self.colours * (canvas.lit * np.float32(dim))[..., None]
        canvas.lay(alpha.clip(0, 1), colour, None)
        canvas.label[self.paper.soft(alpha, _LABEL_BLUR_PT) >= 0.5] = HAIR

    def behind(self, canvas: Canvas) -> None:
        """What hangs behind neck and shoulders, or stands around the head."""
        style, rng = self.style, self.rng
        x, y = self.paper.grid()
        if style.kind == "bun" and rng.random() < 0.5:
            size = rng.uniform(0.25, 0.65) * U
            at = (self.middle[0] + rng.normal(0, 0.35) * U, self.top_pt - size * rng.uniform(0.1, 0.7))
            if rng.random() < 0.3:
                at = (
                    self.middle[0] + rng.choice([-1, 1]) * rng.uniform(0.7, 1.1) * U,
                    EYES_PT[1] + rng.uniform(0.3, 1.4) * U,
                )
            round_ = 1 - np.hypot(x - at[0], y - at[1]) / size + 0.05 * self.edge
            self._laid(canvas, step(round_, 0.12), rng.uniform(0.7, 1.1))
        if style.kind not in ("bob", "long"):
            return
        below = (y - EYES_PT[1]) / U
        flare = rng.normal(0.1, 0.2)
        width = 0.5 * (self.right - self.left) / U + style.side + flare * np.clip(below, 0, 3) * 0.5
        # Round above, as the skull is.
        width = width * np.sqrt(1 - np.clip(-below / 1.7, 0, 1) ** 2)
        # Ends turn inward, as a brush leaves them.
        turning = rng.uniform(0.4, 1.2)
        width = width - np.clip((below - style.bottom) / turning + 1, 0, 1.3) ** 2 * rng.uniform(0.15, 0.9)
        centre = (
            0.5 * (self.right + self.left) / U
            - np.clip(below, 0, 2) * np.float32(np.sin(self.head.sitter.yaw_rad)) * 0.25
        )
        lumps = (
            0.08 * self.paper.clouds(rng, U * 0.6) * (0.4 + style.curl) * (0.3 + 0.7 * style.fray) + 0.03 * self.edge
        )
        inside = np.minimum(width - np.abs(x / U - centre), style.bottom - below + 0.12 * self.edge) + lumps
        alpha = step(inside, 0.07) * step(below + 1.3, 0.1)
        self._laid(canvas, alpha, rng.uniform(0.45, 0.95))

    def on_skull(self, canvas: Canvas) -> None:
        """Scalp hair and what stands over the skull's outline."""
        style, rng, head = self.style, self.rng, self.head
        jag = (0.01 + 0.04 * style.fray) * self.paper.rough(rng, U * 0.25) + rng.uniform(0.01, 0.06) * self.edge
        over = head.over - rng.normal(0.0, 0.10)
        front = np.abs(head.azimuth)
        if rng.random() < 0.35 and style.kind in ("short", "wreath", "shaved"):
            over = over - rng.uniform(0.1, 0.7) * np.exp(-(((front - rng.uniform(25, 45)) / 16) ** 2))
        if rng.random() < 0.2 and style.kind == "short":
            over = over - rng.uniform(0.1, 0.5) * np.exp(-((front / 60) ** 4))
        density = np.ones_like(over)
        bald_above = np.inf
        if style.kind == "wreath":
            bald_above = rng.uniform(0.4, 1.35)
            over = np.minimum(over, (bald_above - head.height) + rng.uniform(0, 0.6) * step(front - 110, 40.0))
            density = density * rng.uniform(0.6, 1.0)
        on = step(over + jag, rng.uniform(0.03, 0.18)) * head.on_head * (head.part != EAR)
        if style.kind == "shaved":
            strength = rng.choice([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.95)])
            stubble = (0.75 + 0.25 * self.paper.grain(rng)).clip(0, 1)
            self._laid(canvas, self.paper.soft(on, 2.0) * strength * stubble, 0.9)
            return
        if rng.random() < 0.3:
            density = density * (
                1 - rng.uniform(0, 0.45) * step(self.paper.clouds(rng, U * 0.4) + 0.8 * self.strands, 1.5)
            )
        # Thickness falls from the top to the sides and ends beside the face.
        turned = np.abs(self.angle)
        thick = np.interp(turned, [0, 35, 75, style.end_deg, style.end_deg + 14], [style.top, style.top * 0.95, style.side, style.side * 0.9, -0.05])  # fmt: skip
        quiff = rng.normal(0, 0.25) * style.top * np.sin(np.radians(self.angle))
        thick = thick + quiff * (turned < 80)
        thick = np.where((EYES_PT[1] - self.paper.grid()[1]) / U > bald_above, -0.05, thick)
        lumps = (0.1 if style.kind == "afro" else 0.25) * thick * self.paper.clouds(rng, U * 0.5) * (
            0.3 + 0.7 * style.curl
        ) + (0.02 + 0.03 * style.curl) * self.edge
        around = step(thick + lumps - self.off, rng.uniform(0.03, 0.10)) * (~self.skull) * (thick > 0.01)
        below = (head.part == NECK) & (turned > style.end_deg - 5)
        around = np.where(below, 0, around)
        alpha = np.maximum(around, on * density)
        self._laid(canvas, alpha)
        self._flyaway(canvas, alpha)

    def _flyaway(self, canvas: Canvas, alpha: Field) -> None:
        rng = self.rng
        count = int(rng.integers(0, int(5 + 25 * self.style.fray)))
        ys, xs = np.nonzero((alpha > 0.5) & ~self.skull)
        if not len(xs) or not count:
            return
        paths = []
        for k in rng.integers(0, len(xs), count):
            start = np.array([xs[k], ys[k]], float) / self.paper.scale
            out = start - np.array(self.middle)
            out = out / max(np.linalg.norm(out), 1) + rng.normal(0, 0.8, 2)
            t = np.linspace(0, 1, 8)[:, None]
            bend = rng.normal(0, 0.12, 2) * U
            paths.append(start + out * t * rng.uniform(0.05, 0.3) * U + bend * t**2)
        self._laid(canvas, self.paper.lines(paths, 1 / self.paper.scale) * rng.uniform(0.15, 0.4))

    def before(self, canvas: Canvas) -> None:
        """What falls over ears, cheeks, shoulders and forehead."""
        style, rng, head = self.style, self.rng, self.head
        x, y = self.paper.grid()
        below = (y - EYES_PT[1]) / U
        covering = head.on_head | (canvas.label == HAIR)
        if style.kind in ("bob", "long"):
            turning = rng.uniform(0.4, 1.2)
            reach = style.bottom if rng.random() < 0.6 else min(style.bottom, rng.uniform(1.0, 2.6))
            for side, edge in ((-1, self.left), (1, self.right)):
                if rng.random() < 0.12:
                    continue
                top_in, mid_in, low_in = rng.uniform(-0.20, 0.30), rng.uniform(-0.22, 0.40), rng.uniform(-0.3, 0.8)
                inner = np.interp(
                    below, [-1.1, -0.6, 0.2, 1.1, 2.2, 4], [0.75, top_in + 0.22, top_in, mid_in, low_in, low_in - 0.2]
                )
                outer = style.side + np.interp(below, [-0.5, 1, 3], [0, rng.uniform(-0.1, 0.3), rng.uniform(-0.3, 0.5)])
                out = (x - edge) * side / U
                jag = (0.02 + 0.05 * style.fray) * self.paper.clouds(rng, U * 0.5) + rng.uniform(
                    0.015, 0.07
                ) * self.edge
                outer = outer - np.clip((below - reach) / turning + 1, 0, 1.3) ** 2 * rng.uniform(0.1, 0.6)
                inside = np.minimum(out + inner + jag, outer - out + jag)
                inside = np.minimum(inside, reach - below + 0.15 * self.edge)
                start = rng.uniform(0.3, 0.9)
                inside = np.minimum(inside, below + start)
                alpha = step(inside, 0.06) * (covering | (out > -0.1) | (below > 1))
                if rng.random() < 0.35:
                    alpha = alpha * (0.65 + 0.35 * step(self.strands + self.paper.clouds(rng, U) + 0.6, 1.0))
                self._laid(canvas, alpha, 1.0 - rng.uniform(0, 0.2))
        fringe = {"short": 0.22, "bob": 0.5, "long": 0.35, "afro": 0.1}.get(style.kind, 0.0)
        if rng.random() < fringe:
            self._fringe(canvas, x, below)
        if style.kind in ("bob", "long", "short", "bun") and rng.random() < 0.3 * style.fray**2:
            self._locks(canvas)

    def _fringe(self, canvas: Canvas, x: Field, below: Field) -> None:
        rng, head = self.rng, self.head
        across = (x - self.face_x) / U
        full = rng.uniform(-0.75, -0.18)
        slope = rng.normal(0, 0.35)
        arch = rng.normal(0.1, 0.25)
        lower = full + slope * across + arch * across**2 * 0.5
        if rng.random() < 0.35:
            gap = np.exp(-(((across - rng.normal(0, 0.5)) / rng.uniform(0.1, 0.35)) ** 2))
            lower = lower - rng.uniform(0.2, 0.8) * gap
        upper = head.over > -rng.uniform(0.7, 1.4)
        jag = rng.uniform(0.04, 0.16) * self.edge + 0.06 * self.paper.clouds(rng, U * 0.3)
        alpha = step(lower - below + jag, rng.uniform(0.05, 0.2)) * upper * head.on_head * (np.abs(head.azimuth) < 75)
        if rng.random() < 0.4:
            alpha = alpha * step(self.strands + self.paper.clouds(rng, U * 0.4) + rng.uniform(0, 1.2), 0.8)
        self._laid(canvas, alpha, rng.uniform(0.85, 1.05))

    def _locks(self, canvas: Canvas) -> None:
        """Single strands across forehead and cheek."""
        rng = self.rng
        for _ in range(int(rng.integers(1, 5))):
            side = rng.choice([-1, 1])
            start = np.array([self.face_x + side * rng.uniform(0.1, 0.9) * U, EYES_PT[1] - rng.uniform(0.7, 1.2) * U])
            end = np.array([self.face_x + side * rng.uniform(0.4, 1.15) * U, EYES_PT[1] + rng.uniform(-0.4, 2.2) * U])
            t = np.linspace(0, 1, 16)[:, None]
            bow = np.array([side * rng.uniform(-0.2, 0.5), 0]) * U * np.sin(np.pi * t)
            path = start * (1 - t) + end * t + bow
            paths = [path + rng.normal(0, 0.02, 2) * U * t for _ in range(3)]
            alpha = np.maximum(self.paper.lines(paths, rng.uniform(1, 5)), 0)
            self._laid(canvas, self.paper.soft(alpha, 0.6) * rng.uniform(0.6, 1.0), 0.95)
