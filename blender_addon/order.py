# SPDX-FileCopyrightText: 2026 the avatar3d authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams overtake each other: by the sender's clock nothing older takes the place of anything newer. No bpy."""

_RESTART_S = 0.5
_JUMP_S = 10.0


class Order:
    """The sender's clock. One that stays back for half a second, or jumps by more than 10 seconds, has begun again."""

    def __init__(self) -> None:
        self._newest_s: float | None = None
        self._newer_s = 0.0
        """Our clock when that came."""
        self._time_s = 0.0

    def step(self, told_s: float, now_s: float) -> float | None:
        """Seconds that never fall: the sender's, going on by ours where its clock began again. None for what is older."""
        if self._newest_s is None:
            self._newest_s, self._newer_s, self._time_s = told_s, now_s, told_s
        step_s, elapsed_s = told_s - self._newest_s, now_s - self._newer_s
        if not -_JUMP_S <= step_s <= elapsed_s + _JUMP_S or (step_s < 0 and elapsed_s >= _RESTART_S):
            self._time_s += elapsed_s
        elif step_s < 0:
            return None
        else:
            self._time_s += step_s
        if step_s != 0:
            self._newest_s, self._newer_s = told_s, now_s
        return self._time_s
