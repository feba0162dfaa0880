"""Who owes gets nothing, and then the newest: in made-up time."""

from avatar3d.live.credit import Credit


def watched(reads: list[bool], *, most: int = 8, every: int = 4, first: int = 1) -> list[tuple[int, int]]:
    """(tick, tick shown) of a client that reads or not in each tick: what was under way when it stopped is read first."""
    credit, under_way, since, shown = Credit(most), [], 0, []
    for at, reading in enumerate(reads):
        seq = first + at & 0xFFFFFFFF
        if credit.left():
            credit.spend(seq)
            under_way.append(seq)
        if reading:
            for got in under_way:
                shown.append((seq, got))
                since += 1
                if since == every:
                    credit.answer(got)
                    since = 0
            under_way = []
    return shown


def test_a_client_that_reads_gets_every_tick() -> None:
    assert watched([True] * 100) == [(seq, seq) for seq in range(1, 101)]


def test_one_that_stops_for_a_minute_gets_nine_old_ticks_and_then_the_newest() -> None:
    shown = watched([True] * 100 + [False] * 3600 + [True] * 10)
    after = [got for seq, got in shown if seq > 3700]
    old = [got for got in after if got < 3700]
    assert len(old) == 9
    assert after[len(old) :] == list(range(3702, 3711))


def test_the_count_may_wrap() -> None:
    shown = watched([True] * 20, first=(1 << 32) - 10)
    assert [got for _, got in shown] == [(1 << 32) - 10 + at & 0xFFFFFFFF for at in range(20)]


def test_one_that_never_answers_gets_nine_ticks() -> None:
    assert len(watched([True] * 100, every=1000)) == 9


def test_an_answer_of_long_ago_changes_nothing() -> None:
    credit = Credit(8)
    for seq in range(100, 109):
        credit.spend(seq)
    credit.answer(50)
    assert credit.owed == 9
    assert not credit.left()
    credit.answer(104)
    assert credit.owed == 4
