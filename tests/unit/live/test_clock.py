import asyncio
from itertools import pairwise

import numpy as np

from avatar3d.live.clock import MediaClock, SlewedClock, ticks


def test_ticks_keep_to_an_absolute_schedule_and_leave_out_what_was_missed() -> None:
    async def run() -> list[tuple[int, float, float]]:
        seen = []
        clock = MediaClock.begin()
        async for tick in ticks(clock, 100):
            seen.append((tick.seq, tick.media_time_s, clock.now_s()))
            if len(seen) == 5:
                await asyncio.sleep(0.085)  # a hold-up of eight ticks
            if len(seen) == 20:
                return seen
        return seen

    seen = asyncio.run(run())
    numbers = [seq for seq, _, _ in seen]
    assert all(after > before for before, after in pairwise(numbers))
    gaps = [after - before for before, after in pairwise(numbers)]
    assert max(gaps[:4] + gaps[5:]) <= 3
    assert gaps[4] >= 8  # not made up for
    for seq, media_time_s, now_s in seen:
        assert media_time_s == seq / 100
        assert now_s >= media_time_s


def test_a_clock_that_runs_fast_is_followed_without_ever_going_back() -> None:
    """200 ppm for an hour, looked at 50 times a second with 3 ms of noise."""
    chance = np.random.default_rng(1)
    clock, last_s, off = SlewedClock(), -1.0, []
    for its_s in np.arange(0, 3600, 0.5):
        ours_s = its_s * (1 - 200e-6) + 7
        clock = clock.step(float(its_s), float(ours_s + chance.uniform(0, 0.003)))
        told_s = clock.ours_s(float(its_s))
        assert told_s > last_s
        last_s = told_s
        off.append(told_s - ours_s)
    assert np.abs(off[20:]).max() < 0.004


def test_a_clock_that_jumps_is_taken_anew() -> None:
    clock = SlewedClock().step(0.0, 10.0).step(1.0, 11.0).step(2.0, 512.0)
    assert clock.ours_s(2.0) == 512.0
