"""Chance without state: the same seed, channel and place give the same number, at any frame rate, on any machine."""

import math
from functools import lru_cache
from typing import Final

_ALL: Final = 0xFFFFFFFFFFFFFFFF
# Variance of uniform lattice values in [-1, 1], blended by the quintic fade below, averaged over a cell: 1/3 * 0.7835.
_UNIT: Final = 1 / math.sqrt(0.7835 / 3)


def uniform(seed: int, channel: int, index: int) -> float:
    """A number in [0, 1): the SplitMix64 finaliser (Steele, Lea & Flood 2014) over the three integers."""
    mixed = (seed * 0x9E3779B97F4A7C15 + channel * 0xD1B54A32D192ED03 + index * 0x8CB92BA72F3D8DD7) & _ALL
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _ALL
    return ((mixed ^ (mixed >> 31)) >> 11) * 2.0**-53


def normal(seed: int, channel: int, index: int) -> float:
    """A number of mean 0 and deviation 1, never beyond 2.5: posture and timing have no long tails."""
    radius = math.sqrt(-2 * math.log(1 - uniform(seed, channel, 2 * index)))
    value = radius * math.cos(2 * math.pi * uniform(seed, channel, 2 * index + 1))
    return min(max(value, -2.5), 2.5)


def exponential(seed: int, channel: int, index: int) -> float:
    """A waiting time of mean 1."""
    return -math.log(1 - uniform(seed, channel, index))


def pink(seed: int, channel: int, time_s: float, slowest_hz: float, octaves: int) -> float:
    """1/f noise of deviation about 1: a smooth function of time, as strong in every octave above `slowest_hz`.

    Each octave is value noise with the quintic fade of Perlin (2002), so that its acceleration is continuous.
    """
    total = 0.0
    for octave in range(octaves):
        place = time_s * slowest_hz * 2**octave
        cell = math.floor(place)
        u = place - cell
        fade = u * u * u * (u * (6 * u - 15) + 10)
        here, there = _lattice(seed, channel * 16 + octave, cell), _lattice(seed, channel * 16 + octave, cell + 1)
        total += 2 * (here + fade * (there - here)) - 1
    return total * _UNIT / math.sqrt(octaves)


# One cell lasts for many frames.
_lattice: Final = lru_cache(maxsize=4096)(uniform)
