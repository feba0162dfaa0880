"""Batches for the net: generated people, mirrored, their landmarks and person mask as wrong as a detector's."""

from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Final

import cv2
import numpy as np
from jaxtyping import Float32, Int64, UInt8

from avatar3d.photo.crop import CROP_PX, draw_guides
from avatar3d.photo.mesh_layout import MIRROR

Batch = tuple[Float32[np.ndarray, "B 6 256 256"], Int64[np.ndarray, "B 256 256"]]
_SMOOTH_NOISE_PX: Final = 32


class Crowd:
    """All shards of some folders, whichever are there now."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self.planes: list[UInt8[np.ndarray, "N 256 256 5"]] = []
        self.marks: list[Float32[np.ndarray, "N 478 2"]] = []
        self._known: set[Path] = set()
        self.look()

    def look(self) -> None:
        """Take up shards written since."""
        for pattern in self.patterns:
            for path in sorted(Path(pattern).parent.glob(Path(pattern).name)):
                if path not in self._known:
                    self._known.add(path)
                    self.planes.append(np.load(path, mmap_mode="r"))
                    self.marks.append(np.load(path.with_name(path.name.replace("people_", "marks_"))))

    def __len__(self) -> int:
        return sum(len(one) for one in self.planes)

    def take(self, index: int) -> tuple[UInt8[np.ndarray, "256 256 5"], Float32[np.ndarray, "478 2"]]:
        for planes, marks in zip(self.planes, self.marks, strict=True):
            if index < len(planes):
                return np.array(planes[index]), marks[index]
            index -= len(planes)
        raise IndexError(index)


def as_planes(
    pixels: UInt8[np.ndarray, "H W 3"], marks: Float32[np.ndarray, "478 2"], person: np.ndarray
) -> Float32[np.ndarray, "6 H W"]:
    """What the net reads, in [-1, 1]."""
    planes = [
        *pixels.transpose(2, 0, 1),
        *draw_guides(marks.astype(np.float64)),
        person.astype(np.uint8) * np.uint8(255),
    ]
    return np.stack(planes).astype(np.float32) / np.float32(127.5) - np.float32(1)


def spoiled(
    rng: np.random.Generator,
    planes: UInt8[np.ndarray, "256 256 5"],
    marks: Float32[np.ndarray, "478 2"],
    *,
    colours: bool = True,
) -> tuple[Float32[np.ndarray, "6 256 256"], Int64[np.ndarray, "256 256"]]:
    """One example as a detector might give it; with `colours` also moved, in other colours, now and then without
    landmarks."""
    if colours and rng.random() < 0.6:
        planes, marks = _moved(rng, planes, marks)
    pixels, label, person = planes[..., :3], planes[..., 3], planes[..., 4]
    if rng.random() < 0.5:
        pixels, label, person = pixels[:, ::-1], label[:, ::-1], person[:, ::-1]
        marks = marks[MIRROR] * np.array([-1, 1], np.float32) + np.array([CROP_PX, 0], np.float32)
    size = rng.choice([0.4, 1.0, 2.2], p=[0.4, 0.45, 0.15])
    shift = rng.normal(0, 0.7 * size, 2) + rng.normal(0, 0.3 * size, (478, 2))
    stretch = 1 + rng.normal(0, 0.012 * size, 2)
    middle = marks.mean(0)
    marks = ((marks - middle) * stretch + middle + shift).astype(np.float32)
    mask = person.astype(np.float32)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.8, 4))
    cells = CROP_PX // _SMOOTH_NOISE_PX + 2
    noise = cv2.resize(
        rng.normal(0, 1, (cells, cells)).astype(np.float32), (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC
    )
    mask = mask + noise * rng.uniform(0, 0.22) > rng.uniform(0.3, 0.7)
    lost = rng.random()
    if lost < 0.06:
        mask = np.ones_like(mask)
    elif lost < 0.1:
        mask = np.zeros_like(mask)
    made = as_planes(np.ascontiguousarray(pixels), marks, mask)
    if not colours:
        return made, label.astype(np.int64)
    made[:3] = _seen_otherwise(rng, made[:3])
    if rng.random() < 0.05:
        made[3:5] = -1
    return np.clip(made, -1.2, 1.2).astype(np.float32), label.astype(np.int64)


def _moved(
    rng: np.random.Generator, planes: UInt8[np.ndarray, "256 256 5"], marks: Float32[np.ndarray, "478 2"]
) -> tuple[UInt8[np.ndarray, "256 256 5"], Float32[np.ndarray, "478 2"]]:
    """Turned, nearer or farther, aside: by a little."""
    turn, zoom = rng.normal(0, 0.06), np.exp(rng.normal(0, 0.08))
    middle = CROP_PX / 2
    warp = cv2.getRotationMatrix2D((middle, middle), np.degrees(turn), zoom)
    warp[:, 2] += rng.normal(0, 5, 2)
    at = warp.copy()
    # warpAffine counts pixel centres at whole numbers.
    at[:, 2] += 0.5 * at[:, :2].sum(1) - 0.5
    size = (CROP_PX, CROP_PX)
    colours = cv2.warpAffine(planes[..., :3], at, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    truth = cv2.warpAffine(planes[..., 3:], at, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.concatenate([colours, truth], 2), (marks @ warp[:, :2].T + warp[:, 2]).astype(np.float32)


def _seen_otherwise(rng: np.random.Generator, colours: Float32[np.ndarray, "3 H W"]) -> Float32[np.ndarray, "3 H W"]:
    """Another exposure, white balance, saturation, focus and grain."""
    if rng.random() < 0.6:
        colours = colours * np.float32(rng.uniform(0.8, 1.2)) + rng.normal(0, 0.08, (3, 1, 1)).astype(np.float32)
    if rng.random() < 0.3:
        grey = colours.mean(0)
        colours = grey + (colours - grey) * np.float32(rng.uniform(0.0, 1.5))
    if rng.random() < 0.04:
        colours = colours[rng.permutation(3)]
    if rng.random() < 0.15:
        sigma = rng.uniform(0.4, 1.6)
        colours = np.stack([cv2.GaussianBlur(plane, (0, 0), sigma) for plane in colours])
    if rng.random() < 0.12:
        colours = colours + rng.standard_normal(colours.shape, np.float32) * np.float32(rng.uniform(0.01, 0.07))
    return colours


def batches(crowd: Crowd, seed: int, first: int, size: int) -> Iterator[Batch]:
    """Endless; the batch of a number depends on seed, number and the shards then known."""

    def one(number: int) -> Batch:
        rng = np.random.default_rng([seed, number])
        if number % 25 == 0:
            crowd.look()
        made = [spoiled(rng, *crowd.take(int(k))) for k in rng.integers(0, len(crowd), size)]
        return np.stack([x for x, _ in made]), np.stack([y for _, y in made])

    waiting: Queue[Batch] = Queue(3)

    def fill() -> None:
        number = first
        while True:
            waiting.put(one(number))
            number += 1

    Thread(target=fill, daemon=True).start()
    while True:
        yield waiting.get()
