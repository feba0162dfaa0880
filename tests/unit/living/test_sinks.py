import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar3d.core.blendshapes import Frame, neutral_frame
from avatar3d.core.errors import DiskError, UsageError
from avatar3d.formats.clip_npz import load_clip
from avatar3d.living.calibrate import snapping, with_delay
from avatar3d.living.delay import DelayLine
from avatar3d.living.sinks import ClipSink, is_sink, number_of, parse_sink, parse_source


class Listed:
    """A sink that is a list."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    async def send(self, frame: Frame) -> None:
        self.frames.append(frame)

    async def close(self) -> None:
        pass


def frames(count: int) -> list[Frame]:
    return [replace(neutral_frame(5 + k / 60), weights=np.full(52, k / count, np.float32)) for k in range(count)]


def send(sink: object, *sent: Frame) -> None:
    async def run() -> None:
        for frame in sent:
            await sink.send(frame)
        await sink.close()

    asyncio.run(run())


def test_a_sink_is_a_url_or_a_clip() -> None:
    vmc = parse_sink("vmc://192.168.1.5?delay_ms=120&face=anna&names=vrm0")
    assert (vmc.scheme, vmc.host, vmc.port, vmc.delay_s, vmc.face) == ("vmc", "192.168.1.5", 39539, 0.12, "anna")
    assert vmc.options == (("names", "vrm0"),)
    assert parse_sink("take.npz").path == Path("take.npz")
    take = parse_sink("take.csv?face=1&delay_ms=80")
    assert (take.path, take.face, take.delay_s) == (Path("take.csv"), "1", 0.08)
    assert parse_sink("ws://:9001?delay_ms=50").delay_s == parse_sink("speaker://?delay_ms=50").delay_s == 0.05
    assert [is_sink(word) for word in ("ws://:1", "take.csv", "anna.glb", "folder")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("osc://127.0.0.1", "livelink"),
        ("vmc://127.0.0.1:99999", "URL"),
        ("vmc://127.0.0.1?delay_ms=9000", "delay_ms"),
        ("vmc://127.0.0.1?delay_ms=soon", "delay_ms"),
        ("vmc://127.0.0.1?colour=red", "colour"),
        ("ws://127.0.0.1?names=vrm0", "names"),
        ("ws://127.0.0.1?face=anna", "all faces"),
        ("speaker://?face=1", "all faces"),
        ("take.npz?colour=red", "colour"),
        ("anna.glb", "sink"),
    ],
)
def test_what_is_no_sink_is_refused_with_what_was_expected(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_sink(url)


def test_an_app_is_listened_to_on_this_machine_unless_another_address_is_named() -> None:
    assert parse_source("livelink://") == ("livelink", "127.0.0.1", 11111)
    assert parse_source("livelink://0.0.0.0:12000") == ("livelink", "0.0.0.0", 12000)
    for wrong in ("ws://:1", "take.npz", "vmc://?names=vrm0"):
        with pytest.raises(UsageError):
            parse_source(wrong)


def test_what_waits_comes_so_much_later_and_at_first_the_first() -> None:
    line: DelayLine[int] = DelayLine(0.1)
    given = [line.step(tick, tick / 60) for tick in range(60)]
    assert given == [0] * 6 + list(range(54))


def test_panic_waits_for_nothing_and_what_waited_is_forgotten() -> None:
    line: DelayLine[int] = DelayLine(0.1)
    for tick in range(30):
        line.step(tick, tick / 60)
    assert line.step(100, 0.5, at_once=True) == 100
    assert [line.step(tick, tick / 60) for tick in range(31, 40)] == [100] * 6 + [31, 32, 33]


def test_a_recording_is_not_written_over_what_came_meanwhile(tmp_path: Path) -> None:
    told: list[str] = []
    sink = ClipSink(tmp_path / "take.livelink.csv", told.append)
    (tmp_path / "take.livelink.csv").write_text("precious")
    send(sink, *frames(30))
    assert (tmp_path / "take.livelink.csv").read_text() == "precious"
    assert "take-2.livelink.csv" in told[0]
    assert (tmp_path / "take-2.livelink.csv").stat().st_size > 1000


@pytest.mark.parametrize("place", ["/proc/take.npz", "folder.npz"])
def test_where_nothing_can_be_written_is_told_before_anything_is_recorded(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(DiskError):
        ClipSink(tmp_path / place, print)


def test_a_recording_begins_at_zero_and_is_whole(tmp_path: Path) -> None:
    sent = frames(30)
    send(ClipSink(tmp_path / "take.npz", print), *sent)
    clip = load_clip(tmp_path / "take.npz")
    assert [frame.time_s for frame in clip.frames] == pytest.approx([k / 60 for k in range(30)])
    np.testing.assert_array_equal(clip.frames[7].weights, sent[7].weights)


def test_a_recording_of_nothing_writes_nothing(tmp_path: Path) -> None:
    send(ClipSink(tmp_path / "take.npz", print))
    assert not list(tmp_path.iterdir())


def test_a_sink_names_its_face_by_number_or_name() -> None:
    names = ("anna", "ben")
    assert [number_of(parse_sink(f"vmc://h?face={face}"), names) for face in ("0", "1", "ben")] == [0, 1, 1]
    with pytest.raises(UsageError, match="ben"):
        number_of(parse_sink("vmc://h?face=cara"), names)


def test_calibration_snaps_the_mouth_at_whole_seconds() -> None:
    jaws = [snapping(k / 60).weights.max() for k in range(180)]
    assert [k for k in range(1, 180) if jaws[k] > jaws[k - 1]] == [60, 120]
    assert with_delay(parse_sink("vmc://10.0.0.2?names=vrm0"), 0.12) == "vmc://10.0.0.2:39539?names=vrm0&delay_ms=120"
