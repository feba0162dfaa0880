# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One instant of a face, whoever sent it. No bpy."""

from dataclasses import dataclass, field

import numpy as np

REST = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Face:
    """What travels: 52 weights and three rotations."""

    time_s: float
    """The sender's seconds; they rise."""
    weights: np.ndarray
    """[52] float32 in ARKIT_NAMES order, each in [0, 1]."""
    head_wxyz: tuple[float, ...] = REST
    """Relative to rest, in glTF axes (+Y up, the face looks to +Z); unit length."""
    left_eye_wxyz: tuple[float, ...] = REST
    right_eye_wxyz: tuple[float, ...] = REST
    number: int = 0
    """Which of the bridge's faces."""
    jumped: bool = False
    """Do not blend with the one before."""


@dataclass
class Tally:
    """What came and what was thrown away; written by one thread, read by others."""

    taken: int = 0
    refused: int = 0
    last_refusal: str = ""
    told_s: float = field(default=-1e9)
    """When the log was last written, so that hostile packets cost a line a second at most."""


class Refused(ValueError):
    """A packet that is none; the message says why."""
