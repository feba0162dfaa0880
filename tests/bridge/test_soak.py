"""A minute of what `make soak` does for an hour."""

import asyncio

from bench.soak import soak


def test_a_minute_with_clients_that_come_and_go_leaves_nothing_behind() -> None:
    result = asyncio.run(soak(60, 50, 10))
    assert result["warnings"] == []
    assert result["joined"] > 300
    assert result["frames_received"] > 50_000
    assert result["grew_mb"] < 5
    assert result["files_grew"] <= 0
